"""Who is asked for what no port can do: a person at a terminal, or a file written beforehand.

A manual step is answered with what came of it; a step that failed with what becomes of it. "Later"
is always an answer: the step stays where it is, and the session is resumed some other time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeAlias

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.config.answers import AnswerOutcome, Answers, OnFailure
from hkex_ops.model import HONG_KONG
from hkex_ops.rundown import RundownStep, StepState

__all__ = [
    "Again",
    "Asker",
    "Decision",
    "FileAsker",
    "GiveUp",
    "LeaveOut",
    "Lines",
    "Said",
    "TerminalAsker",
]

LONGEST_LINE_BYTES = 4096
"""What a terminal gives at one time; nobody types more."""


@frozen
class Said:
    """What a person says of a step: passed, failed or skipped; who, when it was, and a remark."""

    state: StepState
    by: str
    at: datetime | None
    remark: str


@frozen
class Again:
    """The failed step is tried again."""

    by: str
    reason: str


@frozen
class LeaveOut:
    """The failed step is left out."""

    by: str
    reason: str


@frozen
class GiveUp:
    """The session is aborted."""

    by: str
    reason: str


Decision: TypeAlias = Again | LeaveOut | GiveUp | None


class Asker(Protocol):
    """Whoever answers."""

    async def ask(self, step: RundownStep, refused: str) -> Said | None:
        """What came of a step that a person does; ``None`` for later.

        ``refused`` is why the answer before was not taken; empty at first.
        """
        ...

    async def leaves_out(self, step: RundownStep) -> Said | None:
        """Whether a step that needs no person is left out before it is begun."""
        ...

    async def decide(self, step: RundownStep, found: str, tries: int) -> Decision:
        """What becomes of a failed step; ``None`` for later.

        ``tries`` counts how often this run did it: 0 means that an earlier run left it failed.
        """
        ...


class FileAsker:
    """Answers from a file; what it does not answer is for later."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def ask(self, step: RundownStep, refused: str) -> Said | None:
        """What the file says of the step; nothing when that was refused before."""
        stated = self._answers.of(step.id)
        if refused or stated.outcome is None:
            return None
        return Said(StepState(stated.outcome.value), stated.by, stated.at, stated.remark)

    async def leaves_out(self, step: RundownStep) -> Said | None:
        """Whether the file skips the step."""
        stated = self._answers.of(step.id)
        if stated.outcome is not AnswerOutcome.SKIPPED:
            return None
        return Said(StepState.SKIPPED, stated.by, None, stated.remark)

    async def decide(self, step: RundownStep, found: str, tries: int) -> Decision:
        """As often again as the file says; whoever runs a stopped session anew wants that too."""
        stated = self._answers.of(step.id)
        if tries == 0:
            return Again(stated.by, "the session was run again")
        if tries <= stated.retry:
            return Again(stated.by, f"retry {tries} of {stated.retry}, as the answers file says")
        match stated.on_failure:
            case OnFailure.SKIP:
                return LeaveOut(stated.by, stated.remark)
            case OnFailure.ABORT:
                return GiveUp(stated.by, stated.remark)
            case OnFailure.STOP:
                return None


class Lines:
    """Lines that a person types, awaited, so that an interrupt ends the waiting at once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = b""

    async def __call__(self) -> str | None:
        """The next line without its end; ``None`` when there will be no more."""
        while b"\n" not in self._held:
            await self._readable()
            data = os.read(self._descriptor, LONGEST_LINE_BYTES)
            if not data:
                return None
            self._held += data
        line, _, self._held = self._held.partition(b"\n")
        return line.decode(errors="replace").strip()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_reader(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._descriptor)


class TerminalAsker:
    """A person at a terminal. ``say`` shows a text, ``prompt`` one that a line is awaited after."""

    def __init__(
        self,
        lines: Callable[[], Awaitable[str | None]],
        say: Callable[[str], None],
        prompt: Callable[[str], None],
        clock: Clock,
    ) -> None:
        self._lines = lines
        self._say = say
        self._prompt = prompt
        self._clock = clock
        self._by = ""

    async def ask(self, step: RundownStep, refused: str) -> Said | None:
        """Show the paper's words and take what came of it."""
        if refused:
            self._say(f"not taken: {refused}")
        self._say(f"{step.id}: {step.text}" + (f" ({step.source})" if step.source else ""))
        choice = await self._choose("done, failed, skip or later?", ("done", "failed", "skip"))
        if choice is None:
            return None
        by = await self._who()
        at = await self._when() if by is not None else None
        if by is None or at is None:
            return None
        remark = await self._text("remark?", wanted=choice != "done")
        if remark is None:
            return None
        state = {
            "done": StepState.PASSED,
            "failed": StepState.FAILED,
            "skip": StepState.SKIPPED,
        }[choice]
        return Said(state, by, at, remark)

    async def leaves_out(self, step: RundownStep) -> Said | None:
        """At a terminal every step is begun."""
        return None

    async def decide(self, step: RundownStep, found: str, tries: int) -> Decision:
        """Say what failed and take what becomes of it."""
        self._say(f"{step.id} failed: {found}")
        choice = await self._choose("retry, skip, abort or later?", ("retry", "skip", "abort"))
        by = await self._who() if choice is not None else None
        if choice is None or by is None:
            return None
        reason = await self._text("why?", wanted=choice != "retry")
        if reason is None:
            return None
        if choice == "retry":
            return Again(by, reason)
        return LeaveOut(by, reason) if choice == "skip" else GiveUp(by, reason)

    async def _choose(self, question: str, words: tuple[str, ...]) -> str | None:
        """One of ``words``, its first letter being enough; nothing for later."""
        while (line := await self._line(question)) is not None:
            typed = line.casefold()
            if typed and "later".startswith(typed):
                return None
            for word in words:
                if typed and word.startswith(typed):
                    return word
        return None

    async def _who(self) -> str | None:
        """A name; whoever answered last, when the line is empty."""
        known = f" [{self._by}]" if self._by else ""
        while (line := await self._line(f"who?{known}")) is not None:
            self._by = line or self._by
            if self._by:
                return self._by
        return None

    async def _when(self) -> datetime | None:
        """When it was: now, or a time that has come."""
        while (line := await self._line("when? [now]")) is not None:
            now = self._clock.now()
            if not line:
                return now
            at = _moment(line, now)
            if at is not None and at <= now:
                return at
            self._say("write it as 09:30 or 2023-04-15T14:35, and not ahead of time")
        return None

    async def _text(self, question: str, *, wanted: bool) -> str | None:
        while (line := await self._line(question)) is not None:
            if line or not wanted:
                return line
        return None

    async def _line(self, question: str) -> str | None:
        self._prompt(question)
        return await self._lines()


def _moment(line: str, now: datetime) -> datetime | None:
    """A time of this day, or an instant; without an offset it is Hong Kong's."""
    text = line if "T" in line or " " in line else f"{now.date().isoformat()}T{line}"
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=HONG_KONG) if at.tzinfo is None else at
