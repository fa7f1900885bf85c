"""The step machine of a rundown: an input and the time go in, past-tense events come out.

It knows no port and no clock. What a step *does* is the flow's; the machine decides what may
happen to it and says what became of the whole. Transitions are a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from hkex_ops.errors import UsageError
from hkex_ops.model import Holding
from hkex_ops.rundown.steps import (
    Doubt,
    Fail,
    Pass,
    RundownEvent,
    RundownStep,
    SessionClosed,
    SessionOpened,
    Skip,
    Start,
    StepFinished,
    StepInput,
    StepRefused,
    StepSkipped,
    StepStarted,
    StepState,
)

__all__ = ["TRANSITIONS", "Rundown"]

TRANSITIONS: Mapping[tuple[StepState, type[StepInput]], StepState] = MappingProxyType(
    {
        (StepState.WAITING, Start): StepState.RUNNING,
        (StepState.WAITING, Skip): StepState.SKIPPED,
        (StepState.RUNNING, Pass): StepState.PASSED,
        (StepState.RUNNING, Fail): StepState.FAILED,
        (StepState.RUNNING, Doubt): StepState.UNKNOWN,
        (StepState.RUNNING, Skip): StepState.SKIPPED,
        (StepState.FAILED, Start): StepState.RUNNING,
        (StepState.FAILED, Skip): StepState.SKIPPED,
        (StepState.UNKNOWN, Start): StepState.RUNNING,
        (StepState.UNKNOWN, Skip): StepState.SKIPPED,
    }
)

_OPEN = (StepState.WAITING, StepState.RUNNING)


class Rundown:
    """The steps of one piece of work in order, and what became of each."""

    def __init__(self, steps: Sequence[RundownStep]) -> None:
        self._states: dict[RundownStep, StepState] = dict.fromkeys(steps, StepState.WAITING)
        if len({(step.session, step.id) for step in steps}) != len(steps):
            raise UsageError("two steps of one session bear the same id")
        self._opened: set[str] = set()
        self._closed: set[str] = set()

    @property
    def states(self) -> Mapping[RundownStep, StepState]:
        """Every step with where it stands, in order."""
        return MappingProxyType(self._states)

    @property
    def passed(self) -> bool:
        """Whether every step was done and passed. Anything else is not a pass."""
        return all(state is StepState.PASSED for state in self._states.values())

    def handle(self, given: StepInput, now: datetime) -> tuple[RundownEvent, ...]:
        """Apply one input; `UsageError` when the step's state does not allow it."""
        events = self.poll(now)
        state = self._states.get(given.step)
        if state is None:
            raise UsageError(f"step {given.step.id} belongs to another rundown")
        after = TRANSITIONS.get((state, type(given)))
        if after is None:
            verb = type(given).__name__.lower()
            raise UsageError(f"cannot {verb} step {given.step.id}: it is {state}")
        if isinstance(given, Start):
            refusal = _refusal(given.step, now)
            if refusal:
                return (*events, StepRefused(now, given.step, refusal))
        self._states[given.step] = after
        return (*events, _event(given, after, now))

    def poll(self, now: datetime) -> tuple[RundownEvent, ...]:
        """Sessions whose window opened or closed by ``now``, each told once."""
        events: list[RundownEvent] = []
        for session, steps in self._sessions().items():
            windows = [step.window for step in steps if step.window is not None]
            if not windows:
                continue
            holds = {window.holds(now) for window in windows}
            if session not in self._opened and holds != {Holding.BEFORE}:
                self._opened.add(session)
                events.append(SessionOpened(now, session))
            if session not in self._closed and holds == {Holding.AFTER}:
                self._closed.add(session)
                unfinished = tuple(
                    step.id
                    for step in steps
                    if step.window is not None and self._states[step] in _OPEN
                )
                events.append(SessionClosed(now, session, unfinished))
        return tuple(events)

    def snapshot(self) -> Mapping[str, str]:
        """Where every step stands, as plain words, to be kept and given to :meth:`restore`."""
        return {f"{step.session}/{step.id}": state.value for step, state in self._states.items()}

    def restore(self, snapshot: Mapping[str, str]) -> None:
        """Stand where ``snapshot`` stood. A step that was running is waiting again: whoever ran
        it is gone, and nobody knows how far it came."""
        known = {f"{step.session}/{step.id}": step for step in self._states}
        if snapshot.keys() != known.keys():
            raise UsageError("the snapshot is of another rundown: its steps differ")
        for key, step in known.items():
            state = StepState(snapshot[key])
            self._states[step] = StepState.WAITING if state is StepState.RUNNING else state

    def _sessions(self) -> dict[str, list[RundownStep]]:
        sessions: dict[str, list[RundownStep]] = {}
        for step in self._states:
            sessions.setdefault(step.session, []).append(step)
        return sessions


def _refusal(step: RundownStep, now: datetime) -> str | None:
    holding = Holding.WITHIN if step.window is None else step.window.holds(now)
    if step.window is None or holding is Holding.WITHIN:
        return None
    if holding is Holding.BEFORE:
        return f"{step.session} opens at {step.window.start}"
    if holding is Holding.AFTER:
        return f"{step.session} closed at {step.window.until}"
    return f"the paper does not say when {step.session} is held"


def _event(given: StepInput, after: StepState, now: datetime) -> RundownEvent:
    match given:
        case Start(step):
            return StepStarted(now, step)
        case Skip(step, reason):
            return StepSkipped(now, step, reason)
        case Pass(step, found, facts) | Fail(step, found, facts) | Doubt(step, found, facts):
            return StepFinished(now, step, after, found, facts)
