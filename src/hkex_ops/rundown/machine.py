"""The step machine of a rundown: an input and the time go in, past-tense events come out.

It knows no port and no clock. What a step *does* is the flow's; the machine decides what may
happen to it and says what became of the whole. Transitions are a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from hkex_ops.errors import UsageError
from hkex_ops.model import Certainty, Holding, Window
from hkex_ops.rundown.steps import (
    Abort,
    Doubt,
    Fail,
    Lack,
    Pass,
    RundownEvent,
    RundownInput,
    RundownStep,
    SessionAborted,
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

TRANSITIONS: Mapping[tuple[StepState, type[RundownInput]], StepState] = MappingProxyType(
    {
        (StepState.WAITING, Start): StepState.RUNNING,
        (StepState.WAITING, Skip): StepState.SKIPPED,
        (StepState.RUNNING, Pass): StepState.PASSED,
        (StepState.RUNNING, Fail): StepState.FAILED,
        (StepState.RUNNING, Doubt): StepState.UNKNOWN,
        (StepState.RUNNING, Lack): StepState.UNAVAILABLE,
        (StepState.RUNNING, Skip): StepState.SKIPPED,
        (StepState.FAILED, Start): StepState.RUNNING,
        (StepState.FAILED, Skip): StepState.SKIPPED,
        (StepState.UNKNOWN, Start): StepState.RUNNING,
        (StepState.UNKNOWN, Skip): StepState.SKIPPED,
        (StepState.UNAVAILABLE, Start): StepState.RUNNING,
        (StepState.UNAVAILABLE, Skip): StepState.SKIPPED,
        # What came of a step before its session was aborted stays as it is.
        (StepState.WAITING, Abort): StepState.ABANDONED,
        (StepState.RUNNING, Abort): StepState.ABANDONED,
        (StepState.PASSED, Abort): StepState.PASSED,
        (StepState.FAILED, Abort): StepState.FAILED,
        (StepState.UNKNOWN, Abort): StepState.UNKNOWN,
        (StepState.UNAVAILABLE, Abort): StepState.UNAVAILABLE,
        (StepState.SKIPPED, Abort): StepState.SKIPPED,
    }
)

_OPEN = (StepState.WAITING, StepState.RUNNING)
_OPENED, _CLOSED, _ABORTED = "opened", "closed", "aborted"


class Rundown:
    """The steps of one piece of work in order, and what became of each."""

    def __init__(self, steps: Sequence[RundownStep]) -> None:
        """`UsageError` without steps, for a name that a key cannot bear, for two of one name."""
        if not steps:
            raise UsageError("a rundown without steps proves nothing: give it at least one")
        for step in steps:
            if not step.session or not step.id or "/" in step.session + step.id:
                raise UsageError(
                    f"step {step.id!r} of session {step.session!r} cannot be told by key: both "
                    "names are there and bear no slash"
                )
        self._states: dict[RundownStep, StepState] = dict.fromkeys(steps, StepState.WAITING)
        if len({(step.session, step.id) for step in steps}) != len(steps):
            raise UsageError("two steps of one session bear the same id")
        self._opened: set[str] = set()
        self._closed: set[str] = set()
        self._aborted: set[str] = set()

    @property
    def states(self) -> Mapping[RundownStep, StepState]:
        """Every step with where it stands, in order."""
        return MappingProxyType(self._states)

    @property
    def passed(self) -> bool:
        """Whether every step was done and passed. Anything else is not a pass."""
        return all(state is StepState.PASSED for state in self._states.values())

    @property
    def aborted(self) -> frozenset[str]:
        """The sessions that were aborted."""
        return frozenset(self._aborted)

    def handle(self, given: RundownInput, now: datetime) -> tuple[RundownEvent, ...]:
        """Apply one input; `UsageError` when the step's state does not allow it."""
        if isinstance(given, Abort):
            return self._abort(given, now)
        state = self._states.get(given.step)
        if state is None:
            raise UsageError(f"step {given.step.id} belongs to another rundown")
        after = TRANSITIONS.get((state, type(given)))
        verb = type(given).__name__.lower()
        if given.step.session in self._aborted:
            raise UsageError(f"cannot {verb} step {given.step.id}: its session was aborted")
        if after is None:
            raise UsageError(f"cannot {verb} step {given.step.id}: it is {state}")
        if given.step.by_person and isinstance(given, Pass | Fail | Doubt) and not given.by:
            raise UsageError(f"a person does step {given.step.id}: say who did it")
        # Only now: what a poll tells, it tells once, and an error would swallow it.
        events = self.poll(now)
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
            if session not in self._opened and any(_begun(window, now) for window in windows):
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
        """Where every step stands, as plain words, to be kept and given to :meth:`restore`.

        A session of which something was told is there too, by its name alone: whether it opened,
        closed, was aborted.
        """
        steps = {_key(step): state.value for step, state in self._states.items()}
        told = ((_OPENED, self._opened), (_CLOSED, self._closed), (_ABORTED, self._aborted))
        words = {
            session: " ".join(word for word, sessions in told if session in sessions)
            for session in self._sessions()
        }
        return steps | {session: said for session, said in words.items() if said}

    def restore(self, snapshot: Mapping[str, str]) -> None:
        """Stand where ``snapshot`` stood; what was told of a session is not told again.

        A step that was running is waiting again: whoever ran it is gone, and nobody knows how far
        it came. `UsageError` when the snapshot is of another rundown or says what it cannot mean;
        nothing has changed then.
        """
        known = {_key(step): step for step in self._states}
        told = {session: snapshot.get(session, "").split() for session in self._sessions()}
        if snapshot.keys() - told.keys() != known.keys():
            raise UsageError("the snapshot is of another rundown: its steps differ")
        words = frozenset(StepState)
        for key in known:
            if snapshot[key] not in words:
                raise UsageError(
                    f"the snapshot says {snapshot[key]!r} of step {key}, which is no state"
                )
        for session, said in told.items():
            if not set(said) <= {_OPENED, _CLOSED, _ABORTED}:
                raise UsageError(
                    f"the snapshot says {snapshot[session]!r} of session {session}, which is no "
                    "state"
                )
        for key, step in known.items():
            state = StepState(snapshot[key])
            self._states[step] = StepState.WAITING if state is StepState.RUNNING else state
        self._opened = {session for session, said in told.items() if _OPENED in said}
        self._closed = {session for session, said in told.items() if _CLOSED in said}
        # Only an abort abandons a step, even where the snapshot says no more than that.
        self._aborted = {session for session, said in told.items() if _ABORTED in said}
        self._aborted |= {
            step.session for step, state in self._states.items() if state is StepState.ABANDONED
        }

    def _abort(self, given: Abort, now: datetime) -> tuple[RundownEvent, ...]:
        steps = self._sessions().get(given.session)
        if steps is None:
            raise UsageError(f"session {given.session} belongs to another rundown")
        if given.session in self._aborted:
            raise UsageError(f"session {given.session} was aborted already")
        if not given.by or not given.reason:
            raise UsageError(f"session {given.session} is aborted by a person, for a reason")
        events = self.poll(now)
        for step in steps:
            self._states[step] = TRANSITIONS[self._states[step], Abort]
        self._aborted.add(given.session)
        abandoned = tuple(step.id for step in steps if self._states[step] is StepState.ABANDONED)
        told = SessionAborted(now, given.session, given.reason, given.by, abandoned)
        return (*events, told)

    def _sessions(self) -> dict[str, list[RundownStep]]:
        sessions: dict[str, list[RundownStep]] = {}
        for step in self._states:
            sessions.setdefault(step.session, []).append(step)
        return sessions


def _key(step: RundownStep) -> str:
    return f"{step.session}/{step.id}"


def _begun(window: Window, now: datetime) -> bool:
    """Whether it has surely begun: where the paper leaves the start unknown, nobody can say."""
    holding = window.holds(now)
    if holding is Holding.UNKNOWN:
        return window.start.certainty is not Certainty.UNKNOWN
    return holding is not Holding.BEFORE


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
        case Start(step, by, reason):
            return StepStarted(now, step, by, reason)
        case Skip(step, reason, by):
            return StepSkipped(now, step, reason, by)
        case (
            Pass(step, found, facts, by)
            | Fail(step, found, facts, by)
            | Doubt(step, found, facts, by)
            | Lack(step, found, facts, by)
        ):
            return StepFinished(now, step, after, found, facts, by)
