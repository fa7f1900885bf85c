"""What a rundown is made of: steps, what may happen to them, and the events that tell of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Json, JsonObject, Source, Window

__all__ = [
    "Abort",
    "Doubt",
    "Fail",
    "Lack",
    "Pass",
    "RundownEvent",
    "RundownInput",
    "RundownStep",
    "SessionAborted",
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
    """Where a step stands.

    ``unknown`` is an honest end: the step was done and proves nothing. ``unavailable`` is a step
    that could not be tried, because what does it is not installed here. ``abandoned`` is a step
    that nobody came to, because the session was aborted before.
    """

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    UNAVAILABLE = "unavailable"
    ABANDONED = "abandoned"


@frozen
class RundownStep:
    """One step of a rundown.

    ``session`` groups steps; ``id`` is unique in its session. With a ``window`` the step may only
    be started while it holds. ``text`` is the paper's wording where there is one. ``by_person``
    says that a person does the step: what came of it then bears that person's name.
    """

    session: str
    id: str
    text: str
    window: Window | None = None
    source: Source | None = None
    by_person: bool = False


@frozen
class Start:
    """Begin a step, or begin it again after it failed or stayed unknown; who wanted that, why."""

    step: RundownStep
    by: str = ""
    reason: str = ""


@frozen
class Pass:
    """The running step did what it should, ``by`` whom where a person did it.

    ``facts`` go into the evidence.
    """

    step: RundownStep
    found: str = ""
    facts: JsonObject = field(factory=dict[str, Json])
    by: str = ""


@frozen
class Fail:
    """The running step did not, and why."""

    step: RundownStep
    found: str
    facts: JsonObject = field(factory=dict[str, Json])
    by: str = ""


@frozen
class Doubt:
    """The running step ended and proves nothing either way, and why."""

    step: RundownStep
    found: str
    facts: JsonObject = field(factory=dict[str, Json])
    by: str = ""


@frozen
class Lack:
    """What does the running step is not there: what is missing, and what to install."""

    step: RundownStep
    found: str
    facts: JsonObject = field(factory=dict[str, Json])
    by: str = ""


@frozen
class Skip:
    """Leave a step out, and why."""

    step: RundownStep
    reason: str
    by: str = ""


@frozen
class Abort:
    """End a session before its end, and why: what was not done stays undone."""

    session: str
    reason: str
    by: str


StepInput: TypeAlias = Start | Pass | Fail | Doubt | Lack | Skip
RundownInput: TypeAlias = StepInput | Abort


@frozen
class StepResult:
    """What doing a step came to, before it is told to a machine.

    ``state`` is passed, failed, unknown, unavailable or skipped; ``found`` is for a person,
    ``facts`` for the evidence.
    """

    state: StepState
    found: str
    facts: JsonObject = field(factory=dict[str, Json])
    by: str = ""

    def told(self, step: RundownStep) -> Pass | Fail | Doubt | Lack | Skip:
        """The same as an input for the machine that knows ``step``."""
        match self.state:
            case StepState.PASSED:
                return Pass(step, self.found, self.facts, self.by)
            case StepState.FAILED:
                return Fail(step, self.found, self.facts, self.by)
            case StepState.UNKNOWN:
                return Doubt(step, self.found, self.facts, self.by)
            case StepState.UNAVAILABLE:
                return Lack(step, self.found, self.facts, self.by)
            case StepState.SKIPPED:
                return Skip(step, self.found, self.by)
            case StepState.WAITING | StepState.RUNNING | StepState.ABANDONED:
                raise UsageError(f"no work makes step {step.id} {self.state}")


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
    """A step was begun; ``by`` and ``reason`` where a person wanted it tried again."""

    at: datetime
    step: RundownStep
    by: str = ""
    reason: str = ""


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
    by: str = ""


@frozen
class StepSkipped:
    """A step was left out."""

    at: datetime
    step: RundownStep
    reason: str
    by: str = ""


@frozen
class SessionAborted:
    """A session was ended before its end; ``abandoned`` steps were not come to."""

    at: datetime
    session: str
    reason: str
    by: str
    abandoned: tuple[str, ...]


RundownEvent: TypeAlias = (
    SessionOpened
    | SessionClosed
    | SessionAborted
    | StepStarted
    | StepRefused
    | StepFinished
    | StepSkipped
)
