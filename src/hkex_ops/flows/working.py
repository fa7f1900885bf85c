"""A session worked with people and ports, kept so that it survives any interruption.

Joins the rundown machine with the rollout's journal: every event is on the disk before the next
step begins. Run again, a session that was interrupted goes on where it stood, and one that was
stopped asks again for what it was waiting for. It ends as passed, partial, failed or aborted; what
was kept of it then becomes evidence (:mod:`hkex_ops.flows.pack`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from attrs import define, field

from hkex_ops.clock import Clock
from hkex_ops.errors import UsageError
from hkex_ops.evidence import Record, canonical
from hkex_ops.flows.asking import Again, Asker, GiveUp, LeaveOut, Said
from hkex_ops.flows.attempts import (
    Attempt,
    StepRow,
    Worked,
    endings_of,
    latest_attempt,
    rows_of,
)
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.rundown import Conduct
from hkex_ops.model import Json, JsonObject, Rollout, Session, Step, StepAction
from hkex_ops.rundown import (
    PlannedStep,
    Rundown,
    RundownEvent,
    RundownStep,
    StepResult,
    StepState,
    Verdict,
    barred,
    snapshot_after,
    verdict_of,
)

__all__ = ["Hands", "SessionRun"]

_ENDED = (
    StepState.PASSED,
    StepState.SKIPPED,
    StepState.UNKNOWN,
    StepState.UNAVAILABLE,
    StepState.ABANDONED,
)
_DONE = (StepState.PASSED, StepState.SKIPPED)


class Hands(Protocol):
    """Whatever does steps without a person."""

    async def do(self, step: Step) -> StepResult:
        """Do one step."""
        ...

    async def begin_afresh(self) -> None:
        """Drop what is connected; the next step that needs a connection makes one."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


class _SessionKeeper:
    """Keeps the events of one attempt in the journal, and documents beside it."""

    def __init__(self, journal: Journal, session: str, attempt: int) -> None:
        self._journal = journal
        self._own: JsonObject = {"session": session, "attempt": attempt}
        self._folder = f"{session}/{attempt}"

    def record(self, kind: str, body: JsonObject) -> Record:
        """Keep an event."""
        return self._journal.record(kind, {**self._own, "event": body})

    def add(self, path: str, content: JsonObject) -> None:
        """Keep a document; an entry says where it lies and what its digest is."""
        data = canonical(content) + b"\n"
        place = f"{self._folder}/{path}"
        sealed = self._journal.keep(place, data)
        told: JsonObject = {
            "path": path,
            "kept": place,
            "size_bytes": len(data),
            "sha256": sealed,
        }
        self._journal.record("file-kept", {**self._own, **told})


@define
class SessionRun:
    """One run of a session, by whoever holds its lock. :meth:`work` may be called once."""

    rollout: Rollout
    session: Session
    audience: str | None
    steps: tuple[PlannedStep, ...]
    journal: Journal
    hands: Hands
    asker: Asker
    clock: Clock
    watch: Callable[[RundownEvent], None]
    resume: Callable[[Attempt], None] = lambda _: None
    conduct: Conduct | None = field(default=None, init=False)
    _tries: dict[RundownStep, int] = field(factory=dict[RundownStep, int], init=False)
    _lost: set[RundownStep] = field(factory=set[RundownStep], init=False)

    async def work(self) -> Worked:
        """Work the session as far as it goes now.

        Raises `Denied` when a rule bars it, `UsageError` when it was begun for another audience.
        """
        attempt = latest_attempt(self.journal.entries(), self.session.id)
        if attempt is not None and attempt.concluded is not None:
            if attempt.is_final:
                return self._concluded(attempt)
            attempt = None
        now = self.clock.now()
        bar = barred(self.session, self.steps, self.audience, now, begun=attempt is not None)
        if bar is not None:
            raise bar.error(f"working session {self.session.id} of {self.rollout.id}")
        rundown = Rundown([one.step for one in self._open_steps()])
        resumed = attempt is not None
        if attempt is None:
            attempt = self._begin()
        else:
            self._require_same(attempt)
            rundown.restore(snapshot_after(list(rundown.states), attempt.events))
            self._note("session-resumed", {})
            self.resume(attempt)
        keeper = _SessionKeeper(self.journal, self.session.id, attempt.number)
        listings = sum(kind == "folder-listed" for kind, _ in attempt.events)
        self.conduct = Conduct(rundown, keeper, self.clock, self.watch, listings=listings)
        try:
            if resumed and self._was_logged_in(rundown):
                await self.hands.begin_afresh()
            stopped = await self._steps(self.conduct)
        finally:
            await self.hands.close()
        return self._end(rundown, attempt.number, resumed, stopped)

    # -- beginning and end ---------------------------------------------------------------------

    def _open_steps(self) -> list[PlannedStep]:
        return [one for one in self.steps if one.barred is None]

    def _begin(self) -> Attempt:
        self._note(
            "session-begun",
            {"audience": self.audience, "steps": [one.step.id for one in self._open_steps()]},
        )
        begun = latest_attempt(self.journal.entries(), self.session.id)
        assert begun is not None, "it was just begun"
        return begun

    def _require_same(self, attempt: Attempt) -> None:
        was = attempt.begun.get("audience")
        if was != self.audience:
            raise UsageError(
                f"session {self.session.id} was begun for audience {was or 'everybody'}: "
                "resume it for the same"
            )

    def _note(self, kind: str, body: JsonObject) -> None:
        self.journal.record(kind, {"session": self.session.id, **body})

    def _end(
        self, rundown: Rundown, number: int, resumed: bool, stopped: tuple[RundownStep, str] | None
    ) -> Worked:
        if stopped is None:
            begun = latest_attempt(self.journal.entries(), self.session.id)
            assert begun is not None, "it is being worked"
            outcome = verdict_of(rundown.states, endings_of(self.steps, begun))
            over = all(state in _DONE for state in rundown.states.values())
            done = outcome is not Verdict.ABORTED and over
            self._note("session-concluded", {"outcome": outcome.value, "done": done})
        else:
            outcome = Verdict.WAITING
        attempt = latest_attempt(self.journal.entries(), self.session.id)
        rows = rows_of(self.steps, rundown.snapshot(), attempt)
        if stopped is None:
            return Worked(outcome, rows, number, resumed)
        return Worked(outcome, rows, number, resumed, stopped[0].id, stopped[1])

    def _concluded(self, attempt: Attempt) -> Worked:
        """It was done before; nothing is done twice."""
        assert attempt.concluded is not None
        steps = [one.step for one in self._open_steps()]
        states = snapshot_after(steps, attempt.events)
        return Worked(attempt.outcome, rows_of(self.steps, states, attempt), attempt.number, True)

    # -- step by step --------------------------------------------------------------------------

    async def _steps(self, conduct: Conduct) -> tuple[RundownStep, str] | None:
        """Work the steps in order; the one to wait at and why, or nothing when all came to an end.

        An abort that was kept before a kill is honoured: nothing more is begun.
        """
        for planned in self._open_steps():
            if self.session.id in conduct.rundown.aborted:
                return None
            why = await self._one(conduct, planned)
            if why is not None:
                return planned.step, why
        conduct.pass_time()
        return None

    async def _one(self, conduct: Conduct, planned: PlannedStep) -> str | None:
        """Bring one step to an end; why it stays where it is, if it does."""
        step = planned.step
        refused = ""
        while True:
            state = conduct.rundown.states[step]
            over = step in self._lost or self.session.id in conduct.rundown.aborted
            if over or state in _ENDED:
                return None
            if state is StepState.FAILED:
                if not await self._after_failure(conduct, planned):
                    return f"it failed: {self._found(step)}"
            elif step.by_person:
                said = await self.asker.ask(step, refused)
                if said is None:
                    return refused or "nobody has answered it"
                refused = self._answer(conduct, step, said)
            elif not await self._automatic(conduct, planned):
                return None  # the window is over: the step stays undone, and the rest goes on

    async def _automatic(self, conduct: Conduct, planned: PlannedStep) -> bool:
        """Do a step that needs no person; false when the machine refused to start it."""
        step = planned.step
        skip = await self.asker.leaves_out(step)
        if skip is not None:
            conduct.skip(step, skip.remark, skip.by)
            return True
        self._tries[step] = self._tries.get(step, 0) + 1
        return await conduct.do(step, partial(self.hands.do, planned.does)) is not None

    def _answer(self, conduct: Conduct, step: RundownStep, said: Said) -> str:
        """Take a person's word; why it was not taken, or nothing."""
        if said.state is StepState.SKIPPED:
            conduct.skip(step, said.remark, said.by)
            return ""
        at = said.at or self.clock.now()
        self._tries[step] = self._tries.get(step, 0) + 1
        found = said.remark or "done"
        facts: dict[str, Json] = {"remark": said.remark, "done_at": at.isoformat()}
        if conduct.answer(step, StepResult(said.state, found, facts, said.by), at):
            return ""
        return f"{self._refusal(step)} and {at.isoformat()} is not within it"

    async def _after_failure(self, conduct: Conduct, planned: PlannedStep) -> bool:
        """Do what is decided about a failed step; false for later."""
        step = planned.step
        decision = await self.asker.decide(step, self._found(step), self._tries.get(step, 0))
        match decision:
            case Again(by, reason) if step.by_person:
                said = await self.asker.ask(step, "")
                if said is None:
                    return False
                self._answer(conduct, step, said)
            case Again(by, reason):
                if self._was_logged_in(conduct.rundown):
                    await self.hands.begin_afresh()
                self._tries[step] = self._tries.get(step, 0) + 1
                work = partial(self.hands.do, planned.does)
                if await conduct.do(step, work, by=by, reason=reason) is None:
                    self._lost.add(step)  # the window is over: it stays failed
            case LeaveOut(by, reason):
                conduct.skip(step, reason, by)
            case GiveUp(by, reason):
                conduct.abort(self.session.id, reason, by)
            case None:
                return False
        return True

    def _was_logged_in(self, rundown: Rundown) -> bool:
        """Whether the login stands and the logout does not: steps in between need a connection."""
        states = {one.does.action: rundown.states[one.step] for one in self._open_steps()}
        return (
            states.get(StepAction.LOG_IN) is StepState.PASSED
            and states.get(StepAction.LOG_OUT, StepState.WAITING) is not StepState.PASSED
        )

    def _found(self, step: RundownStep) -> str:
        return next((row.found for row in self._rows() if row.step == step.id), "")

    def _refusal(self, step: RundownStep) -> str:
        window = step.window or self.session.window
        return f"{self.session.name} is held from {window.start} until {window.until}"

    def _rows(self) -> tuple[StepRow, ...]:
        attempt = latest_attempt(self.journal.entries(), self.session.id)
        return rows_of(self.steps, {}, attempt)
