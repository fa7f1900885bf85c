"""How the records of ``stand_in_messages.h`` are written and read on the house's side.

Written by hand and not made from the header: a client that goes by the header is held against
something that does not. Every integer takes the order that the caller's library asks for.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from struct import Struct
from typing import Literal, TypeAlias

__all__ = [
    "ACCOUNT_ITEM",
    "ACCOUNT_WIDTH",
    "BUSINESS_DATE",
    "CHANGES_HEAD",
    "CHANGE_BOOKS",
    "CHANGE_EVENT",
    "CHANGE_ITEM",
    "CLEARING_MESSAGE",
    "DATES_HEAD",
    "ENQUIRIES",
    "GROUP_ITEM",
    "HEARTBEAT",
    "HISTORY_HEAD",
    "HISTORY_ITEM",
    "ITEM_HEAD",
    "MESSAGE_LINES",
    "MESSAGE_LINE_WIDTH",
    "POSITIONS_HEAD",
    "POSITION_EVENT",
    "POSITION_ITEM",
    "SEGMENT_HEAD",
    "SERIES",
    "SERIES_ITEM",
    "SIGNAL",
    "TODAY_HEAD",
    "TRADE_BASE",
    "TRADE_PARTIES",
    "TYPE",
    "USER_TYPE_HEAD",
    "USER_TYPE_ITEM",
    "VIM_BROADCAST_HEAD",
    "Order",
    "Shape",
    "packed_day",
    "spelt_date",
    "spelt_time",
]

Order: TypeAlias = Literal["<", ">"]
Value: TypeAlias = int | str | bytes

_TOKEN = re.compile(r"(\d*)([a-zA-Z])")
_FIRST_YEAR = 1989

ACCOUNT_WIDTH = 21
MESSAGE_LINES, MESSAGE_LINE_WIDTH = 5, 72


class Shape:
    """One record, as :mod:`struct` writes it; texts are padded with spaces, never cut."""

    def __init__(self, format: str) -> None:
        self._widths: list[int] = []
        for number, kind in _TOKEN.findall(format):
            self._widths += [int(number)] if kind == "s" else [0] * int(number or 1)
        self._structs = {order: Struct(order + format) for order in ("<", ">")}
        self.size: int = self._structs["<"].size

    def encode(self, order: Order, *values: Value) -> bytes:
        """The record with ``values``, one for each of its fields."""
        spelt = [_spelt(one, width) for one, width in zip(values, self._widths, strict=True)]
        return self._structs[order].pack(*spelt)

    def decode(self, order: Order, data: bytes) -> tuple[int | bytes, ...]:
        """The fields of a record whose length fits."""
        return self._structs[order].unpack(data)


def _spelt(value: Value, width: int) -> int | bytes:
    if isinstance(value, int):
        return value
    data = value.encode("ascii") if isinstance(value, str) else value
    assert len(data) <= width, f"{value!r} is longer than {width} bytes"
    return data.ljust(width, b" ")


# Building blocks. A type's letters are one text of two here.
TYPE = Shape("2sH")
SERIES = Shape("BBBBHHi")
ITEM_HEAD = Shape("HH")
VIM_BROADCAST_HEAD = Shape("2sHHH")

# Sub-items, and what stands before them.
TRADE_BASE = Shape("12sii21sBBBqiB8s6s8s18sQ15s")
TRADE_PARTIES = Shape("7s7sB7s")
TODAY_HEAD = Shape("2sH12sH2s")
DATES_HEAD = Shape("2sH12s8siH8s")

# Answers of fixed items.
CHANGES_HEAD = Shape("2sHH")
CHANGE_ITEM = Shape("12siiB21sq8s6s")
POSITIONS_HEAD = Shape("2sH12s12s8sHH")
POSITION_ITEM = Shape("12s21s18sqqq8s6s3s")
HISTORY_HEAD = Shape("2sH12s12sHH")
HISTORY_ITEM = Shape("8s12s21s18sqq")
SEGMENT_HEAD = Shape("2sHHH")
ACCOUNT_ITEM = Shape("21s12s30sB")
GROUP_ITEM = Shape("12s5s32sBB")
SERIES_ITEM = Shape("12s18siB")
USER_TYPE_HEAD = Shape("2sH10sH")
USER_TYPE_ITEM = Shape("2sHB1s")
BUSINESS_DATE = Shape("2sH8s20s8s6s40si")

# Broadcasts.
SIGNAL = Shape("2sHI12s8s8s6sI24s")
CLEARING_MESSAGE = Shape("2sHI8s8s6sB12sH72s72s72s72s72s")
CHANGE_EVENT = Shape("2sH12siiB21sq8s6s")
POSITION_EVENT = Shape("2sH12s21sqq8s6s")
HEARTBEAT = Shape("2sHHBB")

# What changes the books.
CHANGE_BOOKS = Shape("2sH12si21s21sq11s")

ENQUIRIES = {
    "CQ10": Shape("2sH12s8sii4s"),
    "CQ11": Shape("2sH12s8s8siiH"),
    "CQ39": Shape("2sH12siiB"),
    "CQ3": Shape("2sHH12s21s8s"),
    "CQ122": Shape("2sH12s21s8s8sH"),
    "CQ38": Shape("2sH21sH"),
    "DQ8": Shape("2sHH"),
    "DQ2": Shape("2sH12sH"),
    "DQ30": Shape("2sH12s"),
    "UQ12": Shape("2sH2s"),
    "UQ9": Shape("2sH8sIH"),
    "UQ13": Shape("2sH8sIH"),
}
"""The enquiries that the house answers, each with its record."""


def packed_day(day: date) -> int:
    """An expiration date in two bytes, as it stands in a series."""
    return (day.year - _FIRST_YEAR) << 9 | day.month << 5 | day.day


def spelt_date(day: date) -> str:
    """A date in a message: YYYYMMDD."""
    return f"{day:%Y%m%d}"


def spelt_time(at: datetime | time) -> str:
    """A time of day in a message: HHMMSS."""
    return f"{at:%H%M%S}"
