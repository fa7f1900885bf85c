"""One go at a session, read back from the journal: what was told, and where each step stands.

A session may be gone at more than once, because one that failed may be worked again. Knows the
journal's entries and no clock; called by whoever works, shows or packs a session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from hkex_ops.evidence import Record
from hkex_ops.model import JsonObject, Rollout, Session
from hkex_ops.rundown import (
    PlannedStep,
    RundownEvent,
    RundownStep,
    SessionAborted,
    StepFinished,
    StepRefused,
    StepSkipped,
    StepState,
    Verdict,
    planned_steps,
)

__all__ = [
    "Attempt",
    "StepRow",
    "Worked",
    "attempts_of",
    "endings_of",
    "latest_attempt",
    "rows_of",
    "steps_of",
]


@frozen
class StepRow:
    """What became of one step, for whoever reads it afterwards."""

    session: str
    step: str
    outcome: str
    at: str | None = None
    found: str = ""
    by: str = ""


@frozen
class Attempt:
    """One go at a session, as the journal keeps it: from its beginning to its conclusion."""

    number: int
    entries: tuple[Record, ...]

    @property
    def begun(self) -> JsonObject:
        """What it was begun with."""
        return self.entries[0].body

    @property
    def events(self) -> tuple[tuple[str, JsonObject], ...]:
        """The events of its rundown, and what its retrievals told, as kind and body."""
        return tuple(
            (entry.kind, event)
            for entry in self.entries
            if isinstance(event := entry.body.get("event"), dict)
        )

    @property
    def outcome(self) -> Verdict:
        """How it was concluded; ``waiting`` while it was not."""
        concluded = self.concluded
        return Verdict.WAITING if concluded is None else Verdict(str(concluded.body["outcome"]))

    @property
    def concluded(self) -> Record | None:
        """The entry that concludes it, if it was."""
        return self.last("session-concluded")

    @property
    def is_final(self) -> bool:
        """Whether it was concluded and leaves nothing to do but to keep its evidence.

        A session that failed may be worked again, once the evidence of that is kept.
        """
        concluded = self.concluded
        if concluded is None:
            return False
        return concluded.body.get("done") is True or self.last("evidence-kept") is None

    def last(self, kind: str) -> Record | None:
        """The last entry of a kind."""
        return next((entry for entry in reversed(self.entries) if entry.kind == kind), None)


@frozen
class Worked:
    """How a run of a session ended. ``waiting_for`` is the step it waits at, ``why`` why."""

    outcome: Verdict
    rows: tuple[StepRow, ...]
    attempt: int
    resumed: bool
    waiting_for: str | None = None
    why: str = ""


def attempts_of(entries: Iterable[Record], session: str) -> tuple[Attempt, ...]:
    """Every attempt at ``session`` that ``entries`` tell of, the first one first."""
    found: list[list[Record]] = []
    for entry in entries:
        if entry.body.get("session") != session:
            continue
        if entry.kind == "session-begun":
            found.append([])
        if found:
            found[-1].append(entry)
    return tuple(Attempt(number, tuple(own)) for number, own in enumerate(found, start=1))


def latest_attempt(entries: Iterable[Record], session: str) -> Attempt | None:
    """The last attempt at ``session`` that ``entries`` tell of."""
    found = attempts_of(entries, session)
    return found[-1] if found else None


def steps_of(rollout: Rollout, session: Session, attempt: Attempt) -> tuple[PlannedStep, ...]:
    """The steps of ``session`` for whom ``attempt`` was begun."""
    audience = attempt.begun.get("audience")
    return planned_steps(rollout, session, audience if isinstance(audience, str) else None)


def endings_of(steps: Sequence[PlannedStep], attempt: Attempt) -> tuple[RundownEvent, ...]:
    """The events that ended a step or the session, as the machine once gave them."""
    known = {one.step.id: one.step for one in steps}
    return tuple(
        event for kind, body in attempt.events if (event := _ending(kind, body, known)) is not None
    )


def _ending(kind: str, body: JsonObject, known: Mapping[str, RundownStep]) -> RundownEvent | None:
    match kind, body:
        case "step-finished", {
            "at": str(at),
            "step": {"id": str(id)},
            "state": str(state),
            "found": str(found),
            "facts": dict(facts),
            "by": str(by),
        }:
            when = datetime.fromisoformat(at)
            return StepFinished(when, known[id], StepState(state), found, facts, by)
        case "step-skipped", {
            "at": str(at),
            "step": {"id": str(id)},
            "reason": str(reason),
            "by": str(by),
        }:
            return StepSkipped(datetime.fromisoformat(at), known[id], reason, by)
        case "step-refused", {"at": str(at), "step": {"id": str(id)}, "reason": str(reason)}:
            return StepRefused(datetime.fromisoformat(at), known[id], reason)
        case "session-aborted", {
            "at": str(at),
            "session": str(session),
            "reason": str(reason),
            "by": str(by),
            "abandoned": [*abandoned],
        }:
            ids = tuple(str(id) for id in abandoned)
            return SessionAborted(datetime.fromisoformat(at), session, reason, by, ids)
        case _:
            return None


def rows_of(
    steps: Sequence[PlannedStep], states: Mapping[str, str], attempt: Attempt | None
) -> tuple[StepRow, ...]:
    """A row for every step: where it stands, and what was last told of it."""
    told: dict[str, StepFinished | StepSkipped | StepRefused] = {}
    for event in endings_of(steps, attempt) if attempt else ():
        if isinstance(event, StepFinished | StepSkipped | StepRefused):
            told[event.step.id] = event
    return tuple(_row(one, states, told.get(one.step.id)) for one in steps)


def _row(
    planned: PlannedStep,
    states: Mapping[str, str],
    told: StepFinished | StepSkipped | StepRefused | None,
) -> StepRow:
    step = planned.step
    if planned.barred is not None:
        return StepRow(step.session, step.id, "left-out", found=planned.barred.rule)
    state = states.get(f"{step.session}/{step.id}", StepState.WAITING.value)
    match told:
        case None:
            return StepRow(step.session, step.id, state)
        case StepRefused(at, _, reason):
            shown = "refused" if state == StepState.WAITING.value else state
            return StepRow(step.session, step.id, shown, at.isoformat(), reason)
        case StepSkipped(at, _, reason, by):
            return StepRow(step.session, step.id, state, at.isoformat(), reason, by)
        case StepFinished(at, _, _, found, _, by):
            return StepRow(step.session, step.id, state, at.isoformat(), found, by)
