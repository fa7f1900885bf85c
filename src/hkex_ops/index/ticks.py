"""What an engine tells: ticks, and what it did with records that were not in order.

Ticks are cheap rows inside; :func:`index_tick` makes the frozen value of the model when one leaves
the room. All of one moment come together, in the order of the baskets.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from hkex_ops.index.records import IndexRecord
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, SiteRole, TickKind

__all__ = [
    "EngineEvent",
    "IndexIncomplete",
    "JournalReason",
    "MomentIncomplete",
    "RecordJournalled",
    "StockHealed",
    "StockMarked",
    "TickComputed",
    "index_tick",
    "moment_of",
    "time_ns_of",
]

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class TickComputed(NamedTuple):
    """One index at one moment.

    ``*_cents`` are in units of the last published decimal, which are cents of a point at the
    default two decimals. ``high_cents`` and ``low_cents`` are those of the day's unmarked ticks so
    far, this one included; `None` before there was one. ``stale`` are the basket's stocks whose
    last price cannot be relied upon; ``missing`` the channels that had not passed the moment when
    it closed, whose stocks are among them. A tick without marks holds every record that was sent
    before its moment.
    """

    # A row is told by its fields; that a tuple can search itself is not missed.
    index: str  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]
    time_ns: int
    value_cents: int
    high_cents: int | None
    low_cents: int | None
    status: IndexStatus
    stale: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    opening_cents: int | None = None
    closing_cents: int | None = None
    previous_cents: int | None = None

    @property
    def marked(self) -> bool:
        """Whether something about it cannot be relied upon."""
        return bool(self.stale or self.missing)


class JournalReason(StrEnum):
    """Why a record did not simply become its stock's last price."""

    OUT_OF_SEQUENCE = "out-of-sequence"  # counted for high, low and volume, not for last
    DUPLICATE = "duplicate"  # counted before; not again
    OLDER_THAN_KNOWN = "older-than-known"  # nobody knows whether it was counted; not counted
    LATE = "late"  # sent before a moment that had closed; counted from the next one on
    TIME_NOT_BELIEVED = "time-not-believed"  # too far ahead; counted where it came
    NO_PRICE = "no-price"  # a price of zero or less is none; not counted
    CANCELLED_BEFORE = "cancelled-before"  # its cancel came first; not counted
    CANCELLED = "cancelled"  # taken back
    CANCEL_AWAITED = "cancel-awaited"  # the trade has not come yet
    CANCEL_WITHOUT_TRADE = "cancel-without-trade"  # of a type not taken, or too old to know
    CLOSE_DIFFERS = "close-differs"  # another previous close was stated before, and holds
    QUARANTINED = "quarantined"  # fed to no engine; its stock is marked
    LOST = "lost"  # will not come; its channel's stocks are marked


class RecordJournalled(NamedTuple):
    """A record that was not in order, and what was done with it. Never dropped in silence."""

    reason: JournalReason
    record: IndexRecord
    time_ns: int


class StockMarked(NamedTuple):
    """A stock's last price can no longer be relied upon; ticks of its indexes say so."""

    security: int
    reason: JournalReason
    time_ns: int


class StockHealed(NamedTuple):
    """A good record newer than what was lost has come; the stock is no longer marked."""

    security: int
    time_ns: int


class MomentIncomplete(NamedTuple):
    """A tick was computed without waiting longer for ``missing`` channels, and bears marks."""

    time_ns: int
    missing: tuple[int, ...]


class IndexIncomplete(NamedTuple):
    """An index has no value, because nobody has told the previous closes of ``securities``."""

    index: str  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]
    time_ns: int
    securities: tuple[int, ...]


EngineEvent: TypeAlias = (
    TickComputed | RecordJournalled | StockMarked | StockHealed | MomentIncomplete | IndexIncomplete
)


def moment_of(time_ns: int) -> datetime:
    """Nanoseconds since the Unix epoch as an aware Hong Kong time; finer than 1 us is dropped."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1_000)).astimezone(HONG_KONG)


def time_ns_of(at: datetime) -> int:
    """An aware datetime as nanoseconds since the Unix epoch."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1_000


def index_tick(
    tick: TickComputed,
    *,
    engine: str = "",
    site: SiteRole | None = None,
    kind: TickKind = TickKind.REAL_TIME,
    decimals: int = 2,
) -> IndexTick:
    """A tick as the value that leaves the room, in index points."""

    def points(units: int | None) -> Decimal | None:
        return None if units is None else Decimal(units).scaleb(-decimals)

    return IndexTick(
        index=tick.index,
        at=moment_of(tick.time_ns),
        value=Decimal(tick.value_cents).scaleb(-decimals),
        high=points(tick.high_cents),
        low=points(tick.low_cents),
        status=tick.status,
        kind=kind,
        opening=points(tick.opening_cents),
        closing=points(tick.closing_cents),
        previous_close=points(tick.previous_cents),
        stale=tick.stale,
        engine=engine,
        site=site,
    )
