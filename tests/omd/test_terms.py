"""Enumerations have the members that the layout tables have terms for, and no other."""

from __future__ import annotations

from enum import Enum

import pytest

from hkex_ops.config.layouts import SPECS, load_codec, load_layout
from hkex_ops.model import IndexStatus
from hkex_ops.omd import LogonStatus, RetransmissionStatus
from hkex_ops.omd.layout import FieldLayout
from hkex_ops.omd.terms import (
    DisasterStatus,
    EarlierSessionStatus,
    ImbalanceDirection,
    IndexSource,
    InstrumentType,
    MarketSegment,
    ProductType,
    QueueSide,
    SessionStatus,
    Side,
    SuspensionIndicator,
    TradeType,
    TradingSession,
    UpdateAction,
)

NEWEST = "omd-c-1.45"


def field_of(spec: str, type: int, name: str) -> FieldLayout:
    message = load_layout(spec).message(type)
    fields = [*message.fields, *(one for group in message.groups for one in group.fields)]
    [field] = [one for one in fields if one.name == name]
    return field


@pytest.mark.parametrize(
    ("terms", "spec", "type", "name"),
    [
        (MarketSegment, NEWEST, 10, "MarketCode"),
        (MarketSegment, NEWEST, 20, "MarketCode"),
        (InstrumentType, NEWEST, 11, "InstrumentType"),
        (ProductType, NEWEST, 11, "ProductType"),
        (TradingSession, NEWEST, 20, "TradingSessionSubID"),
        (SessionStatus, NEWEST, 20, "TradingSesStatus"),
        (EarlierSessionStatus, "omd-c-2020-09", 20, "TradingSesStatus"),
        (SuspensionIndicator, NEWEST, 21, "SuspensionIndicator"),
        (Side, NEWEST, 30, "Side"),
        (Side, NEWEST, 53, "Side"),
        (QueueSide, NEWEST, 54, "Side"),
        (UpdateAction, NEWEST, 53, "UpdateAction"),
        (TradeType, NEWEST, 50, "TrdType"),
        (ImbalanceDirection, NEWEST, 56, "OrderImbalanceDirection"),
        (IndexSource, NEWEST, 70, "IndexSource"),
        (IndexStatus, NEWEST, 71, "IndexStatus"),
        (DisasterStatus, NEWEST, 105, "DRStatus"),
        (LogonStatus, NEWEST, 102, "SessionStatus"),
        (RetransmissionStatus, NEWEST, 202, "RetransStatus"),
    ],
)
def test_an_enumeration_is_that_of_the_table(
    terms: type[Enum], spec: str, type: int, name: str
) -> None:
    assert {value.strip() for value in field_of(spec, type, name).terms} == {
        str(one.value) for one in terms
    }


def test_a_field_says_what_its_value_means() -> None:
    assert "auction (U)" == field_of(NEWEST, 50, "TrdType").term(103)
    assert "GEM" == field_of(NEWEST, 10, "MarketCode").term(b"GEM ")
    assert "space=not" not in field_of(NEWEST, 71, "IndexStatus").term(b"T")
    assert "not defined by compiler" == field_of(NEWEST, 71, "IndexStatus").term(b" ")
    assert "not defined by compiler" == field_of(NEWEST, 71, "IndexStatus").term(b"\0")


@pytest.mark.parametrize("spec", SPECS)
def test_a_value_without_a_term_is_read_all_the_same(spec: str) -> None:
    """Nothing is checked against the terms of the day."""
    codec = load_codec(spec)
    for layout in codec.layout.messages:
        kind = codec.kinds[layout.type]
        blank = codec.blank(kind)
        numbers = {
            one.field: 1
            for one in layout.fields
            if one.terms and one.field and isinstance(getattr(blank, one.field), int)
        }
        odd = blank._replace(**dict.fromkeys(numbers, 99))
        assert odd == codec.decode_message(codec.encode_message(odd))
    assert "" == field_of(NEWEST, 20, "TradingSessionSubID").term(99)
