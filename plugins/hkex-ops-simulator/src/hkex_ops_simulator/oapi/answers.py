"""The house's values as records: one function for each kind of item and broadcast.

Pure: a value and an order of bytes go in, bytes come out. :mod:`~.house` chooses what is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from attrs import frozen

from hkex_ops_simulator.oapi import records
from hkex_ops_simulator.oapi.books import (
    COUNTRY,
    CUSTOMER,
    Account,
    Change,
    Group,
    Position,
    Series,
    Trade,
)
from hkex_ops_simulator.oapi.records import Order, spelt_date, spelt_time

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "Signal",
    "Text",
    "account_bytes",
    "account_item",
    "change_event",
    "change_item",
    "group_item",
    "history_item",
    "position_event",
    "position_item",
    "series_bytes",
    "series_item",
    "signal_event",
    "text_event",
    "trade_event",
    "trade_item",
    "trade_parts",
]

NOTHING, EVERYTHING = bytes(12), b"\xff" * 12
"""The bounds of a partition that is all there is."""

_NAMED_BASE, _NAMED_PARTIES, _NAMED_UNKNOWN = 203, 220, 299
_UNKNOWN = b"not in any header"
_DEFAULT_OPENING, _CLOSING = 1, 2
_HOLDING = 1
_OPTION, _FUTURE = 1, 2
_CONTRACT_SIZE = 50


@frozen
class Signal:
    """Something is ready (BI7)."""

    kind: int
    business_date: date
    at: datetime
    number: int
    text: str


@frozen
class Text:
    """The house's own words (BI27)."""

    number: int
    business_date: date
    at: datetime
    lines: tuple[str, ...]
    urgent: bool = False


# -- blocks ------------------------------------------------------------------------------------


def series_bytes(order: Order, series: Series) -> bytes:
    """A series as the building block has it."""
    return records.SERIES.encode(
        order,
        series.country,
        series.market,
        series.group,
        series.modifier,
        series.commodity,
        records.packed_day(series.expiration),
        series.strike,
    )


def account_bytes(account: str) -> bytes:
    """An account of the participant."""
    return f"{COUNTRY}{CUSTOMER}{account}".ljust(records.ACCOUNT_WIDTH).encode("ascii")


# -- trades --------------------------------------------------------------------------------------


def trade_parts(order: Order, trade: Trade) -> list[bytes]:
    """The sub-items of a trade, each with its own header; the last stands in no layout."""
    base = records.TRADE_BASE.encode(
        order,
        series_bytes(order, trade.series),
        trade.number,
        trade.sequence,
        account_bytes(trade.account),
        1 if trade.bought else 2,
        trade.state,
        _CLOSING if trade.closes else _DEFAULT_OPENING,
        trade.quantity,
        trade.price,
        trade.series.decimals,
        spelt_date(trade.traded_at),
        spelt_time(trade.traded_at),
        spelt_date(trade.business_date),
        trade.series.id,
        trade.order_number,
        "SYNTHETIC",
    )
    parties = records.TRADE_PARTIES.encode(
        order,
        COUNTRY + CUSTOMER,
        COUNTRY + trade.counterparty,
        _HOLDING if trade.give_up_to else 0,
        COUNTRY + trade.give_up_to if trade.give_up_to else "",
    )
    parts = ((_NAMED_BASE, base), (_NAMED_UNKNOWN, _UNKNOWN), (_NAMED_PARTIES, parties))
    return [_headed(order, number, data) for number, data in parts]


def _headed(order: Order, number: int, data: bytes) -> bytes:
    return records.ITEM_HEAD.encode(order, number, records.ITEM_HEAD.size + len(data)) + data


def trade_item(order: Order, trade: Trade) -> bytes:
    """A trade within an answer."""
    parts = trade_parts(order, trade)
    body = b"".join(parts)
    return _headed(order, len(parts), body)


def trade_event(order: Order, trade: Trade) -> bytes:
    """A trade as a broadcast (BD6)."""
    parts = trade_parts(order, trade)
    body = b"".join(parts)
    size = records.VIM_BROADCAST_HEAD.size + len(body)
    return records.VIM_BROADCAST_HEAD.encode(order, "BD", 6, len(parts), size) + body


def change_item(order: Order, change: Change) -> bytes:
    """A change of a trade within an answer."""
    trade = change.trade
    return records.CHANGE_ITEM.encode(
        order,
        series_bytes(order, trade.series),
        trade.number,
        change.sequence,
        trade.state,
        account_bytes(trade.account),
        trade.quantity,
        spelt_date(change.at),
        spelt_time(change.at),
    )


def change_event(order: Order, change: Change) -> bytes:
    """A change of a trade as a broadcast (BD39)."""
    return records.TYPE.encode(order, "BD", 39) + change_item(order, change)


# -- positions -----------------------------------------------------------------------------------


def position_item(order: Order, position: Position, at: datetime) -> bytes:
    """A position within an answer."""
    return records.POSITION_ITEM.encode(
        order,
        series_bytes(order, position.series),
        account_bytes(position.account),
        position.series.id,
        position.held,
        position.written,
        0,
        spelt_date(at),
        spelt_time(at),
        "",
    )


def history_item(order: Order, position: Position, day: date) -> bytes:
    """A position of an earlier business date within an answer."""
    return records.HISTORY_ITEM.encode(
        order,
        spelt_date(day),
        series_bytes(order, position.series),
        account_bytes(position.account),
        position.series.id,
        position.held,
        position.written,
    )


def position_event(order: Order, position: Position, at: datetime) -> bytes:
    """A position as a broadcast (BD40)."""
    return records.POSITION_EVENT.encode(
        order,
        "BD",
        40,
        series_bytes(order, position.series),
        account_bytes(position.account),
        position.held,
        position.written,
        spelt_date(at),
        spelt_time(at),
    )


# -- reference data, signals, texts --------------------------------------------------------------


def account_item(order: Order, account: Account) -> bytes:
    """An account within an answer."""
    return records.ACCOUNT_ITEM.encode(
        order, account_bytes(account.id), account.type, account.description, 1
    )


def group_item(order: Order, group: Group) -> bytes:
    """An instrument group within an answer."""
    series = records.SERIES.encode(order, group.country, group.market, group.number, 0, 0, 0, 0)
    kind = _FUTURE if group.is_future else _OPTION
    return records.GROUP_ITEM.encode(order, series, group.id, group.name, group.decimals, kind)


def series_item(order: Order, series: Series) -> bytes:
    """A series within an answer."""
    spelt = series_bytes(order, series)
    return records.SERIES_ITEM.encode(order, spelt, series.id, _CONTRACT_SIZE, series.decimals)


def signal_event(order: Order, signal: Signal) -> bytes:
    """A signal, as a broadcast and within an answer."""
    return records.SIGNAL.encode(
        order,
        "BI",
        7,
        signal.kind,
        NOTHING,
        spelt_date(signal.business_date),
        spelt_date(signal.at),
        spelt_time(signal.at),
        signal.number,
        signal.text,
    )


def text_event(order: Order, text: Text) -> bytes:
    """A clearing message, as a broadcast and within an answer."""
    lines: Sequence[str] = [*text.lines, *[""] * (records.MESSAGE_LINES - len(text.lines))]
    return records.CLEARING_MESSAGE.encode(
        order,
        "BI",
        27,
        text.number,
        spelt_date(text.business_date),
        spelt_date(text.at),
        spelt_time(text.at),
        1 if text.urgent else 2,
        "SYNTHETIC",
        len(text.lines),
        *lines,
    )
