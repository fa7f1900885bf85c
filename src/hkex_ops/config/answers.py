"""The answers file of an unattended session: what a person would have said, written beforehand.

One ``[[answers]]`` table for a step. A step that a person does gets its ``outcome``; for any step
it may say what becomes of a failure. Every fault is reported at once, each with its path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from attrs import frozen

from hkex_ops.config.structuring import (
    document_of,
    in_order,
    make_converter,
    nearest,
    read_text,
    structure,
)
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.model import HONG_KONG
from hkex_ops.rundown import RundownStep

__all__ = ["MOST_RETRIES", "AnswerOutcome", "Answers", "OnFailure", "StatedAnswer", "load_answers"]

MOST_RETRIES = 20
"""Retries of one step that a file may ask for; more would hammer the other side."""


class AnswerOutcome(StrEnum):
    """What came of a step that a person does."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class OnFailure(StrEnum):
    """What becomes of a step that failed, once its retries are used up."""

    STOP = "stop"  # leave it to whoever runs the session next
    SKIP = "skip"  # leave the step out and go on
    ABORT = "abort"  # end the session


@frozen
class StatedAnswer:
    """What the file says of one step.

    ``at`` is when it was done; the moment of recording, where it is left out. ``retry`` is how
    often a step that failed by itself is tried again.
    """

    step: str
    outcome: AnswerOutcome | None = None
    by: str = ""
    at: datetime | None = None
    remark: str = ""
    retry: int = 0
    on_failure: OnFailure = OnFailure.STOP


@frozen
class Answers:
    """An answers file."""

    answers: tuple[StatedAnswer, ...] = ()

    def of(self, step: str) -> StatedAnswer:
        """What it says of a step; an answer that says nothing when it does not speak of it."""
        return next((one for one in self.answers if one.step == step), StatedAnswer(step))


def load_answers(path: Path, steps: Sequence[RundownStep], now: datetime) -> Answers:
    """The answers in ``path`` for ``steps``; `ConfigError` lists every fault of the file.

    ``now`` bounds what can have been done.
    """
    table = document_of(read_text(path, what="answers file"), document=str(path))
    converter = make_converter()
    converter.register_structure_hook(datetime, lambda value, _: _instant(value))
    answers = structure(table, Answers, document=str(path), converter=converter)
    faults = list(_faults(answers.answers, {step.id: step for step in steps}, now))
    if faults:
        raise ConfigError(in_order(faults), document=str(path))
    return answers


def _instant(value: object) -> datetime:
    """A time as TOML or as a text writes it; without an offset it is Hong Kong's."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no ISO 8601 time") from None
    if not isinstance(value, datetime):
        raise ValueError("must be a date with a time, such as 2023-04-15T14:35")
    return value.replace(tzinfo=HONG_KONG) if value.tzinfo is None else value.astimezone(HONG_KONG)


def _faults(
    answers: Iterable[StatedAnswer], steps: dict[str, RundownStep], now: datetime
) -> Iterator[Fault]:
    counted: Counter[str] = Counter()
    for index, one in enumerate(answers):
        for key, message in _wrong(one, steps, now):
            yield Fault(f"answers[{index}].{key}", message)
        counted[one.step] += 1
        if counted[one.step] == 2:
            yield Fault(f"answers[{index}].step", f"{one.step!r} is answered twice: keep one")


def _wrong(
    one: StatedAnswer, steps: dict[str, RundownStep], now: datetime
) -> Iterator[tuple[str, str]]:
    step = steps.get(one.step)
    if step is None:
        yield "step", f"there is no step {one.step!r}; {nearest(one.step, list(steps))}"
    elif step.by_person and one.retry:
        yield "retry", "a person does this step: run the session again instead"
    elif not step.by_person and one.outcome not in (None, AnswerOutcome.SKIPPED):
        yield "outcome", "this step is done through a port and nobody answers for it: leave it out"
    decides = one.outcome is not None or one.on_failure is not OnFailure.STOP
    if decides and not one.by.strip():
        yield "by", "is missing: say who answers"
    skips = one.outcome is AnswerOutcome.SKIPPED or one.on_failure is not OnFailure.STOP
    if skips and not one.remark.strip():
        yield "remark", "is missing: skipping and aborting want a reason"
    if one.at is not None and one.at > now:
        yield "at", f"{one.at.isoformat()} has not come yet"
    if not 0 <= one.retry <= MOST_RETRIES:
        yield "retry", f"must be 0 to {MOST_RETRIES}"
