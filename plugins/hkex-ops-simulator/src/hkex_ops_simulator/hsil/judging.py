"""What a step of this rehearsal is made of: a fact of the papers, a judgement of the find."""

from __future__ import annotations

from attrs import frozen

from hkex_ops.model import JsonObject, Source
from hkex_ops.rundown import StepResult, StepState

__all__ = ["Cited", "judged"]

_PAPER = "Legislative Council Panel on Financial Affairs, February 2010"


@frozen
class Cited:
    """A fact of the papers, for the step that is about it."""

    place: str

    @property
    def source(self) -> Source:
        """Where it stands."""
        return Source(_PAPER, self.place)


def judged(passed: bool, found: str, facts: JsonObject | None = None) -> StepResult:
    """A step that passed or failed by what was found."""
    return StepResult(StepState.PASSED if passed else StepState.FAILED, found, facts or {})
