"""A desk that works a session of four steps: two hands do two, a person the others.

``Dies`` is a killed process in small: it ends a run in the middle of keeping an entry, before it
is on the disk or just after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import cast

from attrs import define, field

from hkex_ops.clock import ManualClock
from hkex_ops.evidence import Record
from hkex_ops.flows.asking import Again, Asker, Decision, GiveUp, LeaveOut, Said
from hkex_ops.flows.attempts import Worked
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.working import SessionRun
from hkex_ops.model import (
    HONG_KONG,
    Bound,
    Circular,
    Grade,
    JsonObject,
    Rollout,
    Session,
    SiteRole,
    Source,
    Step,
    StepAction,
    StepMoment,
    Window,
)
from hkex_ops.rundown import PlannedStep, RundownStep, StepResult, StepState, planned_steps

__all__ = [
    "OPENS",
    "ROLLOUT",
    "SESSION",
    "Clerk",
    "Dies",
    "DyingJournal",
    "FakeHands",
    "fallible",
    "steps_of",
    "work",
]

SOURCE = Source("TEST/1", "table 1")
OPENS = datetime(2023, 4, 15, 14, 30, tzinfo=HONG_KONG)
CLOSES = datetime(2023, 4, 15, 15, 30, tzinfo=HONG_KONG)


def _step(order: int, moment: StepMoment, action: StepAction, text: str) -> Step:
    return Step(order, moment, action, text, SOURCE)


SESSION = Session(
    id="session-1",
    name="Session 1",
    kind="test",
    window=Window(Bound(OPENS), Bound(CLOSES)),
    services=("RRS",),
    grade=Grade.OPTIONAL,
    audience=("CP",),
    source=SOURCE,
    site=SiteRole.PRIMARY,
    steps=(
        _step(1, StepMoment.BEFORE, StepAction.MANUAL, "call the desk"),
        _step(1, StepMoment.DURING, StepAction.LOG_IN, "log in"),
        _step(2, StepMoment.DURING, StepAction.LOG_OUT, "log out"),
        _step(1, StepMoment.AFTER, StepAction.MANUAL, "send the form"),
    ),
)

ROLLOUT = Rollout(
    id="test-1",
    title="A test",
    circulars=(Circular("A test", "Nobody", SOURCE),),
    services=("RRS",),
    audience=("CP",),
    sessions=(SESSION,),
)


def steps_of(session: Session = SESSION) -> tuple[PlannedStep, ...]:
    """The steps, the manual ones for a person."""
    return planned_steps(ROLLOUT, session, None, lambda step: step.action is StepAction.MANUAL)


@define
class FakeHands:
    """Hands that give the results they were told, and pass when there are no more."""

    results: list[StepState] = field(factory=list[StepState])
    did: list[str] = field(factory=list[str])

    async def do(self, step: Step) -> StepResult:
        """Note the step, give the next result."""
        self.did.append(step.action.value)
        state = self.results.pop(0) if self.results else StepState.PASSED
        return StepResult(state, f"{step.action} {state}")

    async def begin_afresh(self) -> None:
        """Note it."""
        self.did.append("afresh")

    async def close(self) -> None:
        """Note it."""
        self.did.append("close")


@define
class Clerk:
    """An asker that answers from lists: ``None`` is for later, and so is the end of a list."""

    answers: list[Said | None] = field(factory=list["Said | None"])
    decisions: list[Decision] = field(factory=list["Decision"])

    async def ask(self, step: RundownStep, refused: str) -> Said | None:
        """The next answer."""
        return self.answers.pop(0) if self.answers else None

    async def leaves_out(self, step: RundownStep) -> Said | None:
        """Never."""
        return None

    async def decide(self, step: RundownStep, found: str, tries: int) -> Decision:
        """The next decision."""
        return self.decisions.pop(0) if self.decisions else None


def done(by: str = "duty desk", at: datetime | None = None) -> Said:
    """A person's word that a step is done."""
    return Said(StepState.PASSED, by, at, "")


async def work(
    journal: Journal,
    clock: ManualClock,
    *,
    asker: Asker,
    hands: FakeHands | None = None,
    watch: Callable[[object], None] = lambda _: None,
    audience: str | None = None,
) -> Worked:
    """One run of the session."""
    run = SessionRun(
        ROLLOUT,
        SESSION,
        audience,
        steps_of(),
        journal,
        hands or FakeHands(),
        asker,
        clock,
        watch,
    )
    return await run.work()


class Dies(BaseException):
    """The process is gone."""


class DyingJournal(Journal):
    """A journal whose process dies at its ``left``-th entry, ``after`` writing it or before."""

    left: int = 0
    after: bool = False

    @classmethod
    def dying(cls, folder: Path, clock: ManualClock, left: int, *, after: bool) -> DyingJournal:
        """Open it."""
        journal = cast("DyingJournal", cls.open(folder, ROLLOUT.id, clock=clock))
        journal.left, journal.after = left, after
        return journal

    def record(self, kind: str, body: JsonObject) -> Record:
        """Keep an entry, or die."""
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Dies
        kept = super().record(kind, body)
        if self.left == 0:
            raise Dies
        return kept


def fallible(draw: Random, count: int) -> tuple[Clerk, FakeHands]:
    """A clerk and hands of whom anything may be expected ``count`` times."""
    states = [StepState.PASSED, StepState.FAILED, StepState.UNKNOWN]
    said: Sequence[Said | None] = [
        None,
        done(),
        done(at=OPENS),
        Said(StepState.FAILED, "duty desk", None, "no answer"),
        Said(StepState.SKIPPED, "duty desk", None, "not for us"),
    ]
    decisions: Sequence[Decision] = [
        None,
        Again("duty desk", "once more"),
        Again("duty desk", "and again"),
        LeaveOut("duty desk", "does not matter"),
        GiveUp("duty desk", "too late"),
    ]
    clerk = Clerk(
        [draw.choice(said) for _ in range(count)], [draw.choice(decisions) for _ in range(count)]
    )
    return clerk, FakeHands([draw.choice(states) for _ in range(count)])
