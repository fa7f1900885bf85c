"""Answers as rows: enquiries put for each group, whole or not at all, fields by their names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal

import pytest
from attrs import evolve

from hkex_ops.clearing.answers import AnswerMapping, AnswerReader, ForEach, enquiries_for
from hkex_ops.clearing.cells import ColumnMapping, Spelling, Take
from hkex_ops.clearing.columns import record_of
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.mapping import RecordMapping
from hkex_ops.errors import ConfigError, HkexOpsError, PluginError, Rejected, Unreachable
from hkex_ops.flows.clearing.fetching import fetch_records
from hkex_ops.model import (
    ClearingPosition,
    Endpoint,
    Enquiry,
    EnquiryPage,
    Fields,
    GateDecision,
    GatewayEvent,
    GatewayStatus,
    PasswordChange,
    RecordKind,
    SiteRole,
)

DAY = date(2019, 5, 3)
POSITIONS = RecordMapping(
    RecordKind.POSITIONS,
    {
        "account": ColumnMapping(("account",)),
        "series": ColumnMapping(("series",)),
        "business_date": ColumnMapping(("date",)),
        "long": ColumnMapping(("net",), take=Take.POSITIVE),
        "short": ColumnMapping(("net",), take=Take.NEGATIVE),
    },
    Spelling(date_format="%Y%m%d"),
)
MAPPING = AnswerMapping("CQ3", POSITIONS)
ITEM: Fields = {"account": "A1", "series": "HSIK9", "net": -3}


def page(*items: Fields, number: int = 1, is_last: bool = True, **header: object) -> EnquiryPage:
    fields: Fields = {"date": "20190503", **header}  # type: ignore[dict-item]
    return EnquiryPage(Enquiry("CQ3"), "CA3", fields, items, number, is_last)


def test_items_become_records_with_their_place() -> None:
    """A field may stand in the header; a date may come as a date, whatever format is stated."""
    read = AnswerReader(MAPPING)
    first = read.rows(page(ITEM, {**ITEM, "net": Decimal(4)}))
    assert ["page 1 item 1", "page 1 item 2"] == [one.place for one in first]
    assert [
        ClearingPosition("A1", "HSIK9", DAY, 0, 3),
        ClearingPosition("A1", "HSIK9", DAY, 4, 0),
    ] == [record_of(RecordKind.POSITIONS, one.row) for one in first]
    assert first[0].row == read.rows(page(ITEM, date=DAY))[0].row


def test_every_fault_of_a_page_is_told() -> None:
    short = {name: value for name, value in ITEM.items() if name != "series"}
    with pytest.raises(ConfigError) as error:
        AnswerReader(MAPPING).rows(page(ITEM, short, {**ITEM, "net": "x"}, number=7))
    assert "CA3, answer to CQ3" == error.value.document
    assert [
        "page 7 item 2, field series: is not in the answer; it has date, account, net",
        "page 7 item 3, field net: 'x' is no number such as 1234.50",
    ] == [str(one) for one in error.value.faults]


def test_a_field_that_no_item_has_is_told_once() -> None:
    """A mapping that names another field than the layouts have would else be told for each item."""
    short = {name: value for name, value in ITEM.items() if name != "series"}
    with pytest.raises(ConfigError) as error:
        AnswerReader(MAPPING).rows(page(short, short, short))
    assert ["page 1 item 1, field series: is not in the answer; it has date, account, net"] == [
        str(one) for one in error.value.faults
    ]


def test_another_answer_than_the_declared_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="was answered by CA3, and CA103 is declared"):
        AnswerReader(evolve(MAPPING, answer="CA103")).rows(page(ITEM))


def test_an_enquiry_is_put_for_each_group_and_date() -> None:
    mapping = evolve(
        MAPPING,
        parameters={"date_s": "{business_date:%Y%m%d}", "from_s": "{since}", "first_i": 1},
        for_each=ForEach("DQ8", {"group_c": "number_c"}),
    )
    found = enquiries_for(mapping, DAY, [{"number_c": 4}, {"number_c": 6}], date(2019, 5, 2))
    stated = {"date_s": "20190503", "from_s": "2019-05-02", "first_i": 1}
    assert [
        Enquiry("CQ3", {**stated, "group_c": 4}),
        Enquiry("CQ3", {**stated, "group_c": 6}),
    ] == list(found)
    with pytest.raises(ConfigError, match="item 1 of the answer to DQ8 has no field number_c"):
        list(enquiries_for(mapping, DAY, [{"other_c": 4}]))


# -- whole answers -------------------------------------------------------------------------------


class Scripted:
    """A gateway that answers with the pages it is given, or fails after them."""

    def __init__(self, *pages: EnquiryPage, then: HkexOpsError | None = None) -> None:
        self.pages = pages
        self.then = then
        self.day: date | None = DAY

    async def status(self) -> GatewayStatus:
        gateway = Endpoint("192.0.2.1", 20000)
        return GatewayStatus(
            SiteRole.PRIMARY, gateway, "U", self.day, 170, "v", 60, PasswordChange.NONE
        )

    async def enquire(self, enquiry: Enquiry) -> AsyncIterator[EnquiryPage]:
        for one in self.pages:
            yield one
        if self.then is not None:
            raise self.then

    async def events(self) -> AsyncIterator[GatewayEvent]:
        for event in ():
            yield event

    def decisions(self) -> Sequence[GateDecision]:
        return ()


async def taken(gateway: Scripted, day: date | None = None) -> list[Placed]:
    rows: list[Placed] = []
    found = await fetch_records(gateway, [MAPPING], RecordKind.POSITIONS, rows.append, day)
    assert len(rows) == found.rows
    return rows


async def test_an_answer_is_taken_to_its_last_page() -> None:
    pages = [page(ITEM, is_last=False), page(ITEM, ITEM, number=2, is_last=False), page(number=3)]
    assert 3 == len(await taken(Scripted(*pages)))


@pytest.mark.parametrize(
    "pages",
    [
        (),
        (page(ITEM, is_last=False),),
        (page(ITEM, number=2),),
        (page(ITEM, is_last=False), page(ITEM, number=3)),
        (page(ITEM), page(ITEM, number=2)),
        (page(ITEM, is_last=False), page(ITEM, is_last=True)),
    ],
    ids=["none", "no last", "first missing", "one missing", "after the last", "one twice"],
)
async def test_pages_out_of_turn_are_no_answer(pages: tuple[EnquiryPage, ...]) -> None:
    """An adapter that ends quietly, or repeats itself, has broken its contract."""
    with pytest.raises(PluginError, match="nothing of it is used"):
        await taken(Scripted(*pages))


async def test_what_the_other_side_raises_is_raised() -> None:
    lost = Unreachable("the session was lost: log in again")
    with pytest.raises(Unreachable):
        await taken(Scripted(page(ITEM, is_last=False), then=lost))


async def test_the_business_date_is_the_gateways_unless_stated() -> None:
    gateway = Scripted(page(ITEM))
    gateway.day = None
    assert 1 == len(await taken(gateway, DAY))
    with pytest.raises(Rejected, match="give --business-date"):
        await taken(gateway)
