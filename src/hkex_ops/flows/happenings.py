"""Events that a person enters: what happened, when, and which contingency rule speaks of it.

The judgement is the paper's, by the time of the event; the journal keeps both. Called by the
command line, and by whoever packs what was kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.evidence import Record
from hkex_ops.flows.journal import Journal
from hkex_ops.model import Json, JsonObject, Rollout, plain
from hkex_ops.rollouts import judge_event

__all__ = ["Happening", "enter_event", "happenings_of", "require_event"]

ENTERED = "event-entered"


@frozen
class Happening:
    """Something that happened at ``at``, as ``by`` told it; ``recorded`` is when."""

    at: datetime
    what: str
    by: str
    recorded: datetime


def enter_event(
    journal: Journal, rollout: Rollout, *, what: str, by: str, at: datetime, now: datetime
) -> None:
    """Keep an event with the judgement of every contingency rule; `UsageError` for no event."""
    require_event(what, by, at, now)
    judged: list[Json] = [
        {"rule": one.rule.id, "applies": one.applies.value, "why": one.why}
        for one in judge_event(rollout, at)
    ]
    told: JsonObject = {"at": plain(at), "what": what, "by": by, "rules": judged}
    journal.record(ENTERED, told)


def require_event(what: str, by: str, at: datetime, now: datetime) -> None:
    """`UsageError` unless it is something that happened, and somebody tells it."""
    if not what.strip():
        raise UsageError("an event is something that happened: say what")
    if not by.strip():
        raise UsageError("a person enters an event: say who, with --by")
    if at > now:
        raise UsageError(f"nothing is recorded ahead of time, at {at.isoformat()}")


def happenings_of(entries: Iterable[Record]) -> tuple[Happening, ...]:
    """Every event that ``entries`` tell of, as they were entered."""
    found: list[Happening] = []
    for entry in entries:
        match entry.kind, entry.body:
            case "event-entered", {"at": str(at), "what": str(what), "by": str(by)}:
                recorded = datetime.fromisoformat(entry.at)
                found.append(Happening(datetime.fromisoformat(at), what, by, recorded))
            case _:
                pass
    return tuple(found)
