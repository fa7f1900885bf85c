"""How a piece of work ended, in a word, from where its steps stand and what was told of them.

A step that somebody left out before it was tried, with a reason, is not a failure and not a pass:
the whole is then *partial*. What failed, stayed undone, proves nothing or was given up makes it
*failed*. Called by whoever concludes a session or a rehearsal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from hkex_ops.rundown.steps import (
    RundownEvent,
    RundownStep,
    SessionAborted,
    StepFinished,
    StepSkipped,
    StepState,
)

__all__ = ["Verdict", "verdict_of", "worst"]


class Verdict(StrEnum):
    """How a session, a rehearsal or a whole rollout stands."""

    PASSED = "passed"  # every step passed
    PARTIAL = "partial"  # nothing went wrong, and steps were left out as not applicable
    WAITING = "waiting"  # it is to be gone on with
    INTERRUPTED = "interrupted"  # it was ended from outside, and nobody goes on with it
    ABORTED = "aborted"  # somebody ended it before its end
    FAILED = "failed"  # a step failed, was given up, stayed undone or proves nothing


_MILDEST_FIRST = tuple(Verdict)


def verdict_of(states: Mapping[RundownStep, StepState], events: Iterable[RundownEvent]) -> Verdict:
    """The verdict on work that is over; ``events`` are those that ended its steps."""
    told = tuple(events)
    if any(isinstance(event, SessionAborted) for event in told):
        return Verdict.ABORTED
    standing = set(states.values())
    if standing == {StepState.PASSED}:
        return Verdict.PASSED
    if standing != {StepState.PASSED, StepState.SKIPPED}:
        return Verdict.FAILED
    skipped = {step for step, state in states.items() if state is StepState.SKIPPED}
    tried = {event.step for event in told if isinstance(event, StepFinished)}
    by_person = {event.step for event in told if isinstance(event, StepSkipped) and event.by}
    return Verdict.PARTIAL if skipped <= by_person - tried else Verdict.FAILED


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on a whole of which ``verdicts`` are the parts; without parts it waits."""
    return max(verdicts, key=_MILDEST_FIRST.index, default=Verdict.WAITING)
