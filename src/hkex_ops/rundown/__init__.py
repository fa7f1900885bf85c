"""The step machine of a session: what was done, in which order, and what came of it."""

from hkex_ops.rundown.machine import TRANSITIONS, Rundown
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
    StepResult,
    StepSkipped,
    StepStarted,
    StepState,
)

__all__ = [
    "TRANSITIONS",
    "Doubt",
    "Fail",
    "Pass",
    "Rundown",
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
