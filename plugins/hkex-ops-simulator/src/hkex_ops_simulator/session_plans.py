"""How one session of a rollout is rehearsed: which steps, when, and by what.

A session at a site is the paper's steps, for each audience its own, after a look at every service
that has a stand-in; a session in which no site can be used is a far side that goes and comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from attrs import define, evolve

from hkex_ops.model import (
    Rollout,
    Session,
    SiteRole,
    Step,
    StepAction,
    StepMoment,
)
from hkex_ops.rundown import PlannedStep, RundownStep, StepResult, planned_steps
from hkex_ops_simulator.acts import Acts
from hkex_ops_simulator.desk import REHEARSER, Desk
from hkex_ops_simulator.planning import PREPARATION, Planned, instant, planned
from hkex_ops_simulator.possible import site_of

if TYPE_CHECKING:
    from hkex_ops_simulator.oapi.side import ClearingSide

__all__ = ["SessionPlan"]

Audience = str | None


@define
class SessionPlan:
    """The plan of ``session``; :meth:`steps` gives it in the order of the day.

    ``acts`` does what the report service takes, ``desk`` everything else.
    """

    rollout: Rollout
    session: Session
    acts: Acts
    desk: Desk

    def steps(self) -> Iterator[Planned]:
        """Every step with its moment; nothing for a session whose parts are sessions themselves."""
        market = self.desk.market
        if not self.session.site_usable:
            yield from self._failover()
            if market is not None:
                yield from market.failover(self.session)
        elif not any(one.part_of == self.session.id for one in self.rollout.sessions):
            yield from self._looks()
            if market is not None:
                yield from market.steps(self.session, self.site)
            if self.desk.clearing is not None:
                yield from self.desk.clearing.steps(self.session, self.site)
            yield from self._stated()

    @property
    def site(self) -> SiteRole:
        """Where its clients point."""
        return site_of(self.session) or SiteRole.PRIMARY

    # -- at a site ---------------------------------------------------------------------------

    def _looks(self) -> Iterator[Planned]:
        """A look at each service, where the paper does not itself ask for one."""
        asked_for = {
            self._service(step)
            for step in self.session.steps
            if step.action is StepAction.CHECK_CONNECTION
        }
        for service in self.session.services:
            if service in asked_for or not self.desk.stand_ins.of(service, self.site):
                continue
            step = RundownStep(
                self.session.id,
                f"{StepAction.CHECK_CONNECTION}-{service.casefold()}",
                f"{service} can be reached at the {self.site} site (a step of the rehearsal; "
                f"{self._speech(service)})",
                self.session.window,
                self.session.source,
            )
            yield Planned(step, instant(self.session.window.start), partial(self._look, service))

    def _stated(self) -> Iterator[Planned]:
        """The paper's steps, those of every audience once; some papers give none."""
        if not self.session.steps:
            return
        times = {
            StepMoment.BEFORE: instant(self.session.window.start) - PREPARATION,
            StepMoment.DURING: instant(self.session.window.start),
            StepMoment.AFTER: instant(self.session.window.until),
        }
        known: set[str] = set()
        for audience in self._audiences():
            for one in planned_steps(self.rollout, self.session, audience, self._by_person):
                if one.step.id in known or one.barred is not None:
                    continue
                known.add(one.step.id)
                yield Planned(
                    self._told(one), times[one.does.moment], partial(self._do, one.does, audience)
                )

    def _audiences(self) -> tuple[Audience, ...]:
        if any(step.audience for step in self.session.steps):
            return self.session.audience or self.rollout.audience
        return (None,)

    def _by_person(self, step: Step) -> bool:
        if self._clears(step) is not None:
            return False
        if step.action is StepAction.CHECK_CONNECTION:
            return not self.desk.stand_ins.of(self._service(step), self.site)
        return step.action is StepAction.MANUAL or not self.acts.serves(self._service(step))

    def _clears(self, step: Step) -> ClearingSide | None:
        """The side of the desk that does ``step``, where it is of clearing."""
        side = self.desk.clearing
        return side if side is not None and side.serves(step) else None

    def _service(self, step: Step) -> str:
        """The service a step works with: its own, or the session's first."""
        return step.service or next(iter(self.session.services), "")

    def _told(self, one: PlannedStep) -> RundownStep:
        """The step with the paper's words, and beside them what a rehearsal makes of it.

        No person does a step of a rehearsal, and so none is marked as done by one.
        """
        if not one.step.by_person:
            return one.step
        text = f"{one.step.text} ({REHEARSER}; {self._speech_of(one.does)})"
        return evolve(one.step, text=text, by_person=False)

    def _speech_of(self, step: Step) -> str:
        # A step that names no service is done with the desk's own books.
        return self._speech(self._service(step)) if step.service else "nobody is asked"

    def _speech(self, service: str) -> str:
        there = self.desk.stand_ins.of(service, self.site)
        return "; ".join(dict.fromkeys(one.speech for one in there)) or "nothing stands in for it"

    async def _do(self, step: Step, audience: Audience) -> StepResult:
        service = self._service(step)
        if (clearing := self._clears(step)) is not None:
            if step.action is StepAction.LOG_IN:
                await self.acts.break_before(self.site)
            return await clearing.do(step, self.site)
        if self._by_person(step):
            if step.action is StepAction.LOG_IN:
                await self.acts.break_before(self.site)
            return await self.desk.by_hand(step, step.service, self.session, self.site, audience)
        if step.action is StepAction.CHECK_CONNECTION:
            return await self._look(service)
        if step.action is StepAction.LOG_IN:
            await self.acts.break_before(self.site)
        return await self.acts.work(self.session, step)

    async def _look(self, service: str) -> StepResult:
        await self.acts.break_before(self.site)
        return await self.desk.look(service, self.site)

    # -- at no site --------------------------------------------------------------------------

    def _failover(self) -> Iterator[Planned]:
        window, session = self.session.window, self.session
        yield planned(
            session.id,
            "systems-fail-over",
            session.testing_focus or session.name,
            instant(window.start),
            partial(self.desk.fail_over, session),
            session,
        )
        yield planned(
            session.id,
            "clients-stayed-away",
            "no client has connected while no site could be used",
            instant(window.until),
            self.desk.stay_away,
            session,
        )
