"""What a rundown is made of: steps, what may happen to them, and the events that tell of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Json, JsonObject, Source, Window

__all__ = [
    "Doubt",
    "Fail",
    "Pass",
    "RundownEvent",
    "RundownStep",
    "SessionClosed",
    "SessionOpened",
    "Skip",
    "Start",
    "StepFinished",
    "StepInput",
    "StepRefused",
    "StepResult",
    "StepSkipped",
    "StepStarted",
    "StepState",
]


class StepState(StrEnum):
    """Where a step stands. ``unknown`` is an honest end: it was done and proves nothing."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@frozen
class RundownStep:
    """One step of a rundown.

    ``session`` groups steps; ``id`` is unique in its session. With a ``window`` the step may only
    be started while it holds. ``text`` is the paper's wording where there is one.
    """

    session: str
    id: str
    text: str
    window: Window | None = None
    source: Source | None = None


@frozen
class Start:
    """Begin a step, or begin it again after it failed or stayed unknown."""

    step: RundownStep


@frozen
class Pass:
    """The running step did what it should. ``facts`` go into the evidence."""

    step: RundownStep
    found: str = ""
    facts: JsonObject = field(factory=dict[str, Json])


@frozen
class Fail:
    """The running step did not, and why."""

    step: RundownStep
    found: str
    facts: JsonObject = field(factory=dict[str, Json])


@frozen
class Doubt:
    """The running step ended and proves nothing either way, and why."""

    step: RundownStep
    found: str
    facts: JsonObject = field(factory=dict[str, Json])


@frozen
class Skip:
    """Leave a step out, and why."""

    step: RundownStep
    reason: str


StepInput: TypeAlias = Start | Pass | Fail | Doubt | Skip


@frozen
class StepResult:
    """What doing a step came to, before it is told to a machine.

    ``state`` is passed, failed, unknown or skipped; ``found`` is for a person, ``facts`` for the
    evidence.
    """

    state: StepState
    found: str
    facts: JsonObject = field(factory=dict[str, Json])

    def told(self, step: RundownStep) -> Pass | Fail | Doubt | Skip:
        """The same as an input for the machine that knows ``step``."""
        match self.state:
            case StepState.PASSED:
                return Pass(step, self.found, self.facts)
            case StepState.FAILED:
                return Fail(step, self.found, self.facts)
            case StepState.UNKNOWN:
                return Doubt(step, self.found, self.facts)
            case StepState.SKIPPED:
                return Skip(step, self.found)
            case StepState.WAITING | StepState.RUNNING:
                raise UsageError(f"step {step.id} has not ended: it is {self.state}")


@frozen
class SessionOpened:
    """The window of a session's steps has begun."""

    at: datetime
    session: str


@frozen
class SessionClosed:
    """The window of a session's steps has ended; ``unfinished`` steps had not been done."""

    at: datetime
    session: str
    unfinished: tuple[str, ...]


@frozen
class StepStarted:
    """A step was begun."""

    at: datetime
    step: RundownStep


@frozen
class StepRefused:
    """A step was not begun: its window did not hold."""

    at: datetime
    step: RundownStep
    reason: str


@frozen
class StepFinished:
    """A step ended as passed, failed or unknown."""

    at: datetime
    step: RundownStep
    state: StepState
    found: str
    facts: JsonObject


@frozen
class StepSkipped:
    """A step was left out."""

    at: datetime
    step: RundownStep
    reason: str


RundownEvent: TypeAlias = (
    SessionOpened | SessionClosed | StepStarted | StepRefused | StepFinished | StepSkipped
)
