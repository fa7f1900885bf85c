"""How the house answers each enquiry: from its books, in segments or by sequence numbers.

Every function here is given the house and the decoded fields of a question, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, cast

from attrs import frozen

from hkex_ops.model import HONG_KONG
from hkex_ops_simulator.oapi import answers, records
from hkex_ops_simulator.oapi.books import COUNTRY, CUSTOMER, Group, Position, Series, Trade
from hkex_ops_simulator.oapi.records import Order

if TYPE_CHECKING:
    from hkex_ops_simulator.oapi.house import ClearingHouse

__all__ = ["ANSWERED", "FACILITY_OFFSETS", "Asked", "Refused"]

T = TypeVar("T")

NOT_REACHABLE = -2044
ABORTED = -12
NO_SUCH_GROUP = -700101
BAD_DATE = -700102

FACILITY_OFFSETS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("DQ8", "DQ2", "DQ30", "UI1"), 0),
        **dict.fromkeys(("UQ12", "UQ9", "UQ13"), 1),
        **dict.fromkeys(("CQ10", "CQ39", "CQ3", "CQ38"), 3),
        **dict.fromkeys(("CQ11", "CQ122"), 5),
    }
)
"""Which facility an enquiry goes to, counted from the base; everything else goes to the third."""

_POSITIONS_AT = (23, 30)


class Refused(Exception):
    """The house does not answer, with these two numbers."""

    def __init__(self, status: int, txstat: int = 0) -> None:
        self.status, self.txstat = status, txstat
        super().__init__(status, txstat)


@frozen
class Asked:
    """A question: its fields after the type, and the order of bytes that is spoken."""

    house: ClearingHouse
    order: Order
    fields: tuple[int | bytes, ...]

    def number(self, place: int) -> int:
        """The field at ``place``, a number."""
        return cast("int", self.fields[place])

    def data(self, place: int) -> bytes:
        """The field at ``place``, bytes."""
        return cast("bytes", self.fields[place])

    def text(self, place: int) -> str:
        """The field at ``place``, a text without its padding."""
        return self.data(place).decode("ascii", "replace").strip(" \0")

    def day(self, place: int, otherwise: date) -> date:
        """The field at ``place``, a date; blank stands for ``otherwise``."""
        spelt = self.text(place)
        if not spelt:
            return otherwise
        try:
            return datetime.strptime(spelt, "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            raise Refused(ABORTED, BAD_DATE) from None


# -- pieces ------------------------------------------------------------------------------------


def _segment(asked: Asked, items: Sequence[T], number: int) -> tuple[Sequence[T], int]:
    """The items of one segment, and the number it bears: nought in the last."""
    size = asked.house.shape.segment_items
    piece = items[(number - 1) * size : number * size] if number > 0 else ()
    last = number * size >= len(items)
    if asked.house.faults.empty_tail:
        last = not piece
    return piece, 0 if last else number


def _head(asked: Asked, letters: str, number: int, *values: int | bytes | str) -> bytes:
    return records.SEGMENT_HEAD.encode(asked.order, letters, number, *values)


def _fits(asked: Asked, wanted: bytes, series: Series) -> bool:
    """Whether a series is one of those asked for: nought in a field is any."""
    fields = records.SERIES.decode(asked.order, wanted)
    own = records.SERIES.decode(asked.order, answers.series_bytes(asked.order, series))
    return all(not want or want == has for want, has in zip(fields, own, strict=True))


def _group(asked: Asked, wanted: bytes) -> Group:
    country, market, number, *_ = records.SERIES.decode(asked.order, wanted)
    for group in asked.house.books.groups:
        if (group.country, group.market, group.number) == (country, market, number):
            return group
    raise Refused(ABORTED, NO_SUCH_GROUP)


def _account(spelt: str) -> str:
    """The account's own name; blank for any."""
    return spelt[len(COUNTRY + CUSTOMER) :].strip()


def _between(trades: Sequence[Trade], first: int, last: int) -> list[Trade]:
    return [one for one in trades if first <= one.sequence and (not last or one.sequence <= last)]


# -- trades --------------------------------------------------------------------------------------


def _trades_today(asked: Asked) -> bytes:
    group, books = _group(asked, asked.data(0)), asked.house.books
    day = asked.day(1, books.business_date)
    # Only the business date has trades of today; any other date has none, and that is no error.
    of_day = books.of(group, day) if day == books.business_date else []
    found = _between(of_day, asked.number(2), asked.number(3))[: asked.house.shape.trades]
    body = b"".join(answers.trade_item(asked.order, one) for one in found)
    return records.TODAY_HEAD.encode(asked.order, "CA", 10, asked.data(0), len(found), "") + body


def _trades_of_dates(asked: Asked) -> bytes:
    group, books = _group(asked, asked.data(0)), asked.house.books
    start, end = asked.day(1, books.dates[0]), asked.day(2, books.business_date)
    first = asked.number(3)
    found: list[Trade] = []
    days = [day for day in books.dates if start <= day <= end]
    day, next_day, next_first = start, "", 0
    for place, day in enumerate(days):
        last = asked.number(4) if day == end else 0
        of_day = _between(books.of(group, day), first if day == start else 0, last)
        found = of_day[: asked.house.shape.trades]
        if not found:
            continue
        if len(found) < len(of_day):
            next_day, next_first = records.spelt_date(day), found[-1].sequence + 1
        elif place + 1 < len(days):
            next_day, next_first = records.spelt_date(days[place + 1]), 1
        break
    body = b"".join(answers.trade_item(asked.order, one) for one in found)
    head = records.DATES_HEAD.encode(
        asked.order,
        "CA",
        11,
        asked.data(0),
        records.spelt_date(day),
        next_first,
        len(found),
        next_day,
    )
    return head + body


def _trade_changes(asked: Asked) -> bytes:
    group = _group(asked, asked.data(0))
    first, last = asked.number(1), asked.number(2)
    found = [
        one
        for one in asked.house.books.changes
        if (one.trade.series.market, one.trade.series.group) == (group.market, group.number)
        and first <= one.sequence
        and (not last or one.sequence <= last)
    ][: asked.house.shape.trades]
    body = b"".join(answers.change_item(asked.order, one) for one in found)
    return records.CHANGES_HEAD.encode(asked.order, "CA", 39, len(found)) + body


# -- positions and accounts ----------------------------------------------------------------------


def _bounds(asked: Asked, positions: list[Position]) -> tuple[list[Position], bytes, bytes]:
    """What the partitions that answer have, and the bounds they answer within."""
    alone = asked.house.faults.partition_alone
    if alone is None:
        return positions, answers.NOTHING, answers.EVERYTHING
    own = [one for one in positions if one.series.market == alone]
    country = asked.house.books.groups[0].country
    low = records.SERIES.encode(asked.order, country, alone, 0, 0, 0, 0, 0)
    high = bytes((country, alone)) + answers.EVERYTHING[2:]
    return own, low, high


def _require_reachable(asked: Asked, whole: Sequence[Position], number: int) -> None:
    """A partition that cannot be reached is missed where its own positions would begin."""
    lost = asked.house.faults.partition_lost
    if lost is None:
        return
    size = asked.house.shape.segment_items
    if any(one.series.market == lost for one in whole[(number - 1) * size : number * size]):
        raise Refused(NOT_REACHABLE)


def _positions(asked: Asked) -> bytes:
    number, books = asked.number(0), asked.house.books
    account = _account(asked.text(2))
    day = asked.day(3, books.business_date)
    whole = [
        one
        for one in books.positions(day)
        if _fits(asked, asked.data(1), one.series) and account in ("", one.account)
    ]
    _require_reachable(asked, whole, number)
    own, low, high = _bounds(asked, whole)
    piece, spelt = _segment(asked, own, number)
    at = datetime(day.year, day.month, day.day, *_POSITIONS_AT, tzinfo=HONG_KONG)
    body = b"".join(answers.position_item(asked.order, one, at) for one in piece)
    return (
        records.POSITIONS_HEAD.encode(
            asked.order, "CA", 3, low, high, records.spelt_date(day), spelt, len(piece)
        )
        + body
    )


def _position_history(asked: Asked) -> bytes:
    books = asked.house.books
    account = _account(asked.text(1))
    start, end = asked.day(2, books.dates[0]), asked.day(3, books.business_date)

    def found() -> Iterator[tuple[date, Position]]:
        for day in books.dates:
            if start <= day <= end:
                for one in books.positions(day):
                    if _fits(asked, asked.data(0), one.series) and account in ("", one.account):
                        yield day, one

    piece, spelt = _segment(asked, list(found()), asked.number(4))
    body = b"".join(answers.history_item(asked.order, one, day) for day, one in piece)
    head = records.HISTORY_HEAD.encode(
        asked.order, "CA", 122, answers.NOTHING, answers.EVERYTHING, spelt, len(piece)
    )
    return head + body


def _accounts(asked: Asked) -> bytes:
    wanted = _account(asked.text(0))
    found = [one for one in asked.house.books.accounts if wanted in ("", one.id)]
    piece, spelt = _segment(asked, found, asked.number(1))
    body = b"".join(answers.account_item(asked.order, one) for one in piece)
    return _head(asked, "CA", 38, spelt, len(piece)) + body


# -- reference data, dates, signals, texts -------------------------------------------------------


def _groups(asked: Asked) -> bytes:
    piece, spelt = _segment(asked, asked.house.books.groups, asked.number(0))
    body = b"".join(answers.group_item(asked.order, one) for one in piece)
    return _head(asked, "DA", 8, spelt, len(piece)) + body


def _series(asked: Asked) -> bytes:
    found = [one for one in asked.house.books.series if _fits(asked, asked.data(0), one)]
    piece, spelt = _segment(asked, found, asked.number(1))
    body = b"".join(answers.series_item(asked.order, one) for one in piece)
    return _head(asked, "DA", 2, spelt, len(piece)) + body


def _user_type(asked: Asked) -> bytes:
    rows = [(code[:2], int(code[2:]), 0) for code in (*ANSWERED, *asked.house.changing)]
    rows += [("BD", 6, 1), ("BD", 39, 1), ("BD", 40, 1), ("BI", 7, 1), ("BI", 9, 1), ("BI", 27, 1)]
    body = b"".join(records.USER_TYPE_ITEM.encode(asked.order, *row, "") for row in rows)
    return records.USER_TYPE_HEAD.encode(asked.order, "DA", 30, "SYN-OAPI", len(rows)) + body


def _business_date(asked: Asked) -> bytes:
    now = asked.house.clock.now()
    utc = now.astimezone(UTC)
    offset = now.astimezone(HONG_KONG).utcoffset() or timedelta()
    return records.BUSINESS_DATE.encode(
        asked.order,
        "UA",
        12,
        records.spelt_date(asked.house.books.business_date),
        "SYNTHETIC 1.0",
        records.spelt_date(utc),
        records.spelt_time(utc),
        "HKT-8",
        int(offset.total_seconds()),
    )


def _signals(asked: Asked) -> bytes:
    house = asked.house
    day = asked.day(0, house.books.business_date)
    found = [
        one for one in house.signals if one.business_date == day and one.number >= asked.number(1)
    ]
    piece, spelt = _segment(asked, found, asked.number(2))
    body = b"".join(answers.signal_event(asked.order, one) for one in piece)
    return _head(asked, "UA", 9, spelt, len(piece)) + body


def _texts(asked: Asked) -> bytes:
    house = asked.house
    day = asked.day(0, house.books.business_date)
    found = [
        one for one in house.texts if one.business_date == day and one.number >= asked.number(1)
    ]
    piece, spelt = _segment(asked, found, asked.number(2))
    body = b"".join(answers.text_event(asked.order, one) for one in piece)
    return _head(asked, "UA", 13, spelt, len(piece)) + body


ANSWERED: Mapping[str, Callable[[Asked], bytes]] = MappingProxyType(
    {
        "CQ10": _trades_today,
        "CQ11": _trades_of_dates,
        "CQ39": _trade_changes,
        "CQ3": _positions,
        "CQ122": _position_history,
        "CQ38": _accounts,
        "DQ8": _groups,
        "DQ2": _series,
        "DQ30": _user_type,
        "UQ12": _business_date,
        "UQ9": _signals,
        "UQ13": _texts,
    }
)
"""Every enquiry with what answers it."""
