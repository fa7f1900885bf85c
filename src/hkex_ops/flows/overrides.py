"""Overrides kept, and asked for before an act: the journal is the audit trail.

What two people agreed goes into the journal of the rollout whose rules it sets aside. Whoever is
about to do an act asks :func:`require`: an act that a rule forbids and no override lets through is
refused, and one that is let through leaves a record before it is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from hkex_ops.clock import Clock
from hkex_ops.evidence import Record
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.rundown import event_kind
from hkex_ops.model import JsonObject, Rollout, plain
from hkex_ops.rollouts import Guard, Override, Ruling
from hkex_ops.rundown import (
    Grant,
    OverrideEvent,
    OverrideGranted,
    Overrides,
    OverrideWithdrawn,
    Withdraw,
)

__all__ = ["guard_of", "overrides_of", "record_override", "recorded_at", "require"]

_GRANTED, _LET_THROUGH = "override-granted", "rule-overridden"


def overrides_of(rollout: Rollout, entries: Iterable[Record]) -> Overrides:
    """The overrides as ``entries`` leave them."""
    overrides = Overrides(rollout)
    for entry in entries:
        if (event := _event(entry, rollout)) is not None:
            overrides.tell(event)
    return overrides


def recorded_at(entries: Iterable[Record]) -> Mapping[int, str]:
    """When each override was recorded, by its number: later than it was agreed, perhaps."""
    return {
        number: entry.at
        for entry in entries
        if entry.kind == _GRANTED and isinstance(number := entry.body.get("number"), int)
    }


def record_override(
    journal: Journal, rollout: Rollout, given: Grant | Withdraw, now: datetime
) -> OverrideEvent:
    """Take an agreement or its end and keep it; `UsageError` for what makes no sense."""
    told = overrides_of(rollout, journal.entries()).handle(given, now)
    journal.record(event_kind(told), _body(told))
    return told


def guard_of(rollouts: Iterable[Rollout], work: Path) -> Guard:
    """A guard that knows the overrides in the journals below ``work``."""
    known = list(rollouts)
    return Guard(
        known, {one.id: overrides_of(one, read_journal(work, one.id)).effective for one in known}
    )


def require(
    action: str,
    rollouts: Iterable[Rollout],
    work: Path,
    clock: Clock,
    *,
    audience: str | None = None,
    service: str | None = None,
) -> Ruling:
    """Ask before doing ``action`` now; `Denied` when it is forbidden and nothing lets it through.

    That an override lets it through is in the journals of the rollouts before this returns.
    """
    known = list(rollouts)
    ruling = guard_of(known, work).require(action, clock.now(), audience=audience, service=service)
    for event in ruling.events:
        for rollout in known:
            if set(event.rules) & set(rollout.restrictions):
                with Journal.open(work, rollout.id, clock=clock) as journal:
                    journal.record(_LET_THROUGH, {**_body(event), "action": action})
    return ruling


def _event(entry: Record, rollout: Rollout) -> OverrideEvent | None:
    match entry.kind, entry.body:
        case "override-granted", {
            "at": str(at),
            "number": int(number),
            "override": {
                "action": str(action),
                "reason": str(reason),
                "by": str(by),
                "second": str(second),
                "expires": str(expires),
                "since": str(since),
            },
            "rules": [*rules],
        }:
            ids = {str(one.get("id")) for one in rules if isinstance(one, dict)}
            override = Override(
                action,
                reason,
                by,
                second,
                datetime.fromisoformat(expires),
                datetime.fromisoformat(since),
            )
            known = tuple(rule for rule in rollout.restrictions if rule.id in ids)
            return OverrideGranted(datetime.fromisoformat(at), number, override, known)
        case "override-withdrawn", {
            "at": str(at),
            "number": int(number),
            "by": str(by),
            "reason": str(reason),
        }:
            return OverrideWithdrawn(datetime.fromisoformat(at), number, by, reason)
        case _:
            return None


def _body(event: object) -> JsonObject:
    body = plain(event)
    assert isinstance(body, dict), "an event has keys"
    return body
