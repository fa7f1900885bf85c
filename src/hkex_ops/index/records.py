"""What an engine hears, one row for each thing heard: cheap tuples, as they come off the wire.

`flows` translates messages of a feed into these; this room knows no message. Every record names
its ``channel``, its place there (``sequence``, from 1, as the channel numbers its messages) and
the event time: ``send_time_ns``, nanoseconds since the Unix epoch, of the packet that carried it.

A record that came by retransmission has no event time of its own, since its packet was sent later.
It says ``send_time_ns=0``, comes in its channel's order like any other, and gets its time from its
neighbours (:mod:`hkex_ops.index.untimed`). What a refresh tells has no number either: it says
``sequence=0`` too, is worked at once and moves no clock of a channel.

Prices have three implied decimals (``_3dp``), currency rates four.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from hkex_ops.errors import UsageError
from hkex_ops.model import Json

__all__ = [
    "RECORDS",
    "ChannelRestarted",
    "ClosingPriceRecord",
    "CurrencyRateRecord",
    "IndexRecord",
    "PreviousCloseRecord",
    "QuarantinedRecord",
    "RecordsLost",
    "SecurityStatusRecord",
    "SessionRecord",
    "StatisticsRecord",
    "TimePassed",
    "TradeCancelRecord",
    "TradeRecord",
    "record_of",
    "row_of",
]


class TradeRecord(NamedTuple):
    """A trade (50). ``trade_id`` counts from 1 in steps of 1 for each security and day."""

    channel: int
    sequence: int
    security: int
    trade_id: int
    price_3dp: int
    quantity: int
    trade_type: int
    trade_time_ns: int
    send_time_ns: int


class TradeCancelRecord(NamedTuple):
    """A trade was cancelled (51)."""

    channel: int
    sequence: int
    security: int
    trade_id: int
    send_time_ns: int


class SessionRecord(NamedTuple):
    """The trading session of a market (20): ``session`` is TradingSessionSubID, such as 2 for the
    matching indicator; ``status`` is TradingSesStatus."""

    channel: int
    sequence: int
    market: str
    session: int
    status: int
    send_time_ns: int


class ClosingPriceRecord(NamedTuple):
    """The closing price of a security (62); 0 says that there is none."""

    channel: int
    sequence: int
    security: int
    price_3dp: int
    send_time_ns: int


class PreviousCloseRecord(NamedTuple):
    """The previous closing price that a definition states (11); 0 says that there is none."""

    channel: int
    sequence: int
    security: int
    price_3dp: int
    send_time_ns: int


class StatisticsRecord(NamedTuple):
    """The day of a security so far (60), from which a late-comer learns its last price."""

    channel: int
    sequence: int
    security: int
    last_3dp: int
    high_3dp: int
    low_3dp: int
    quantity: int
    send_time_ns: int


class SecurityStatusRecord(NamedTuple):
    """A security was halted or suspended, or resumed (21)."""

    channel: int
    sequence: int
    security: int
    suspended: bool
    send_time_ns: int


class CurrencyRateRecord(NamedTuple):
    """A currency rate (14): Hong Kong dollars, four decimals, for ``10 ** factor`` units."""

    channel: int
    sequence: int
    currency: str
    factor: int
    rate_4dp: int
    send_time_ns: int


class TimePassed(NamedTuple):
    """Nothing but time: a heartbeat, or messages nobody asked for. ``sequence`` is the last that
    was passed over, or 0."""

    channel: int
    sequence: int
    send_time_ns: int


class QuarantinedRecord(NamedTuple):
    """A record that is held back for good, because it killed an engine or cannot be read.

    ``security`` is 0 where nobody knows whose it was: then every stock of the channel is marked.
    ``trade_id`` is 0 where it is no trade, or nobody knows.
    """

    channel: int
    sequence: int
    security: int
    trade_id: int
    reason: str
    send_time_ns: int


class RecordsLost(NamedTuple):
    """Messages ``begin`` to ``sequence`` of a channel will not come: a gap that nobody closed."""

    channel: int
    begin: int
    sequence: int
    send_time_ns: int


class ChannelRestarted(NamedTuple):
    """A channel numbers its messages anew (100): the next may be any. ``sequence`` is 0."""

    channel: int
    sequence: int
    send_time_ns: int


IndexRecord: TypeAlias = (
    TradeRecord
    | TradeCancelRecord
    | SessionRecord
    | ClosingPriceRecord
    | PreviousCloseRecord
    | StatisticsRecord
    | SecurityStatusRecord
    | CurrencyRateRecord
    | TimePassed
    | QuarantinedRecord
    | RecordsLost
    | ChannelRestarted
)

RECORDS: Mapping[str, type[IndexRecord]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            TradeRecord,
            TradeCancelRecord,
            SessionRecord,
            ClosingPriceRecord,
            PreviousCloseRecord,
            StatisticsRecord,
            SecurityStatusRecord,
            CurrencyRateRecord,
            TimePassed,
            QuarantinedRecord,
            RecordsLost,
            ChannelRestarted,
        )
    }
)
"""Every kind of record by its name, as rows of a journal and snapshots name it."""


def row_of(record: IndexRecord) -> Sequence[Json]:
    """A record as plain data: its kind, then its fields."""
    return [type(record).__name__, *record]


def record_of(row: Sequence[Json]) -> IndexRecord:
    """The record that :func:`row_of` made plain; `UsageError` when it is none of ours."""
    name, *values = row
    kind = RECORDS.get(name) if isinstance(name, str) else None
    if kind is None or len(values) != len(kind._fields):
        raise UsageError(f"{name!r} with {len(values)} fields is no record of an index engine")
    return kind._make(values)
