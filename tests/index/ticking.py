"""Ticks as engines would tell them, for tests of the machines behind the engines."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hkex_ops.index.gateway_events import SnapshotArrived, TicksArrived
from hkex_ops.index.records import SessionRecord
from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import TickComputed, time_ns_of
from hkex_ops.model import HONG_KONG, IndexStatus

__all__ = ["OPEN", "after", "session", "snapshot", "tick", "ticks", "time_ns"]

OPEN = datetime(2026, 11, 20, 9, 30, tzinfo=HONG_KONG)


def after(seconds: float) -> datetime:
    """So many seconds after the start of continuous trading."""
    return OPEN + timedelta(seconds=seconds)


def time_ns(seconds: float) -> int:
    """The same as an event time."""
    return time_ns_of(after(seconds))


def tick(
    seconds: int,
    cents: int = 2_086_267,
    *,
    index: str = "0000100",
    stale: tuple[int, ...] = (),
    status: IndexStatus = IndexStatus.REAL_TIME,
) -> TickComputed:
    """A tick for the moment so many seconds after the start."""
    opening = cents if status is IndexStatus.OPENING else None
    return TickComputed(
        index, time_ns(seconds), cents, cents, cents, status, stale, opening_cents=opening
    )


def ticks(
    engine: str,
    seconds: int,
    cents: int = 2_086_267,
    *,
    stale: tuple[int, ...] = (),
    status: IndexStatus = IndexStatus.REAL_TIME,
) -> TicksArrived:
    """An engine's ticks of one moment; there is one index."""
    return TicksArrived(engine, (tick(seconds, cents, stale=stale, status=status),))


def snapshot(seconds: int, cents: int = 2_086_267) -> SnapshotArrived:
    """What the snapshot computation says of the moment."""
    value = SnapshotValue("0000100", time_ns(seconds), Decimal(cents).scaleb(-2), ())
    return SnapshotArrived((value,))


def session(session: int, seconds: float = 0) -> SessionRecord:
    """The main board is in another session."""
    return SessionRecord(10, 1, "MAIN", session, 0, time_ns(seconds))
