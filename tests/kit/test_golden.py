"""Golden data: the library gives every answer, and each says where it is from."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from hkex_ops.config.catalogues import shipped_catalogue
from hkex_ops.config.layouts import load_codec
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.index.basket import Basket, Constituent
from hkex_ops.index.records import TradeRecord
from hkex_ops.index.snapshot import SnapshotComputation
from hkex_ops.index.totals import Totals
from hkex_ops.model import HONG_KONG
from hkex_ops.rollouts import Guard
from hkex_ops.testing.golden import (
    Golden,
    GoldenDay,
    GoldenIndex,
    GoldenName,
    GoldenPacket,
    GoldenRuling,
    load_golden,
)

GOLDEN = load_golden()
CALENDAR = load_calendar()
GUARD = Guard(load_rollouts(CALENDAR).values())
NOW = datetime(2026, 11, 20, 10, tzinfo=HONG_KONG)
SECOND_NS = 1_000_000_000


@pytest.mark.parametrize("golden", GOLDEN.names, ids=lambda one: one.name)
def test_a_golden_name_means_what_it_means(golden: GoldenName) -> None:
    catalogue = shipped_catalogue(golden.catalogue)
    service = catalogue.reports[-1].service
    reading = catalogue.read(service, golden.name)
    if not golden.code:
        assert reading is None
        return
    assert reading is not None
    told = reading.identity
    assert (golden.house, golden.code, golden.business_date) == (
        told.house,
        told.code,
        told.business_date,
    )
    assert (golden.session, golden.instance, golden.part) == (
        told.session,
        told.instance,
        reading.part,
    )


@pytest.mark.parametrize("golden", GOLDEN.packets, ids=lambda one: one.provenance[11:45])
def test_a_golden_packet_says_what_it_says(golden: GoldenPacket) -> None:
    codec = load_codec(golden.spec)
    header, messages = codec.decode_packet(golden.raw)
    assert (golden.sequence, golden.send_time_ns) == (header.sequence, header.send_time_ns)
    assert [one.type for one in golden.messages] == [
        getattr(message, "TYPE", None) for message in messages
    ]
    for expected, message in zip(golden.messages, messages, strict=True):
        told = {name: getattr(message, name) for name in expected.fields}
        assert expected.fields == {
            name: value.decode("ascii") if isinstance(value, bytes) else value
            for name, value in told.items()
        }


@pytest.mark.parametrize("golden", GOLDEN.packets, ids=lambda one: one.provenance[11:45])
def test_a_golden_packet_is_written_to_the_byte(golden: GoldenPacket) -> None:
    codec = load_codec(golden.spec)
    _, messages = codec.decode_packet(golden.raw)
    told = codec.encode_packet(messages, sequence=golden.sequence, send_time_ns=golden.send_time_ns)
    assert golden.raw == told


def thousandths(price: Decimal) -> int:
    return int(price.scaleb(3))


def basket_of(golden: GoldenIndex) -> Basket:
    return Basket(
        golden.index,
        "SYNTHETIC",
        date(2026, 11, 20),
        golden.previous_close,
        tuple(
            Constituent(
                one.security,
                one.issued_shares,
                int(one.freefloat_factor.scaleb(2)),
                int(one.cap_factor.scaleb(4)),
                previous_close_3dp=thousandths(one.previous_close),
            )
            for one in golden.constituents
        ),
    )


@pytest.mark.parametrize("golden", GOLDEN.indexes, ids=lambda one: one.index)
def test_a_golden_index_is_computed_to_the_cent_by_both_makes(golden: GoldenIndex) -> None:
    baskets = [basket_of(golden)]
    totals, table = Totals(baskets), SnapshotComputation(baskets)
    for number, one in enumerate(golden.constituents, start=1):
        price = thousandths(one.price)
        totals.move(totals.slots[one.security], price)
        trade = TradeRecord(30, number, one.security, 1, price, 100, 0, SECOND_NS, SECOND_NS)
        table.handle(trade, NOW)
    [cents] = totals.values()
    assert golden.value == Decimal(cents or 0).scaleb(-2)
    assert [golden.value] == [one.value for one in table.values_at(2 * SECOND_NS)]


@pytest.mark.parametrize("golden", GOLDEN.days, ids=lambda one: str(one.day))
def test_a_golden_day_is_of_its_kind(golden: GoldenDay) -> None:
    assert golden.kind is CALENDAR.day(golden.day).kind


@pytest.mark.parametrize("golden", GOLDEN.rulings, ids=lambda one: f"{one.action} {one.at}")
def test_a_golden_ruling_is_the_guards(golden: GoldenRuling) -> None:
    assert golden.decision is GUARD.may(golden.action, golden.at).decision


@pytest.mark.parametrize("noun", [one.name for one in attrs.fields(Golden)])
def test_every_golden_row_says_where_it_is_from(noun: str) -> None:
    """A paper, a page, or SYNTHETIC and how it was made."""
    rows = getattr(GOLDEN, noun)
    assert rows
    assert all(len(row.provenance) > 8 for row in rows)
    made = noun in ("packets", "indexes")
    assert not made or all("SYNTHETIC" in row.provenance for row in rows)


def test_the_golden_answers_are_of_every_kind() -> None:
    assert {"allow", "limited", "deny"} == {one.decision.value for one in GOLDEN.rulings}
    assert {"full", "half", "early-close", "closed"} == {one.kind.value for one in GOLDEN.days}
    assert {True, False} == {bool(one.code) for one in GOLDEN.names}


def test_golden_data_ships_with_the_kit() -> None:
    import hkex_ops.testing.golden

    folder = Path(hkex_ops.testing.golden.__file__).with_name("data")
    assert {f"golden-{one.name}.toml" for one in attrs.fields(Golden)} == {
        path.name for path in folder.iterdir()
    }
