"""The way back, recorded: what was looked at and what was decided go into the journal.

The fallback machine judges; the journal keeps. Which transactions have to be put in again is not
known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from hkex_ops.evidence import Record
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.rundown import event_kind
from hkex_ops.model import Rollout, plain
from hkex_ops.rundown import Decide, Fallback, FallbackEvent, TickStanding

__all__ = ["fallback_of", "record_fallback"]


def fallback_of(
    rollout: Rollout, entries: Iterable[Record], at: datetime | None = None
) -> Fallback:
    """The fallback as ``entries`` leave it, or as it was when nothing after ``at`` was said."""
    fallback = Fallback(rollout)
    for entry in entries:
        given = _given(entry)
        if given is not None and (at is None or given.at <= at):
            fallback.handle(given, given.at)
    return fallback


def record_fallback(
    journal: Journal, rollout: Rollout, given: Decide | TickStanding, now: datetime
) -> FallbackEvent:
    """Take a decision or a tick and keep it.

    Raises `Denied` for a decision outside the plan's window, `UsageError` for what makes no sense.
    """
    told = fallback_of(rollout, journal.entries()).handle(given, now)
    body = plain(told)
    assert isinstance(body, dict), "an event has keys"
    journal.record(event_kind(told), body)
    return told


def _given(entry: Record) -> Decide | TickStanding | None:
    match entry.kind, entry.body:
        case "fallback-decided", {"by": str(by), "reason": str(reason), "at": str(at)}:
            return Decide(by, reason, datetime.fromisoformat(at))
        case "standing-ticked", {
            "id": str(id),
            "stands": bool(stands),
            "by": str(by),
            "at": str(at),
            "remark": str(remark),
        }:
            return TickStanding(id, stands, by, datetime.fromisoformat(at), remark)
        case _:
            return None
