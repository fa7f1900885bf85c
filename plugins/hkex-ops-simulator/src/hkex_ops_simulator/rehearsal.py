"""A rollout rehearsed from its first session to the first day of its stabilisation period.

An exchange in a box stands in for the far side, a manual clock jumps from fact to fact, and the
same flows run that an operator's commands run, from a configuration file in a folder of their
own. What to do, when and at which site comes from the rollout; what the far side holds is
SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Protocol

from attrs import define, field, frozen

from hkex_ops.calendars import Calendar
from hkex_ops.clock import ManualClock
from hkex_ops.errors import UsageError
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.rundown import Conduct, SessionWork
from hkex_ops.model import (
    HONG_KONG,
    Bound,
    Recurrence,
    Requirement,
    Rollout,
    Session,
    SiteRole,
    Source,
    Step,
    StepAction,
    StepMoment,
)
from hkex_ops.reports.events import ReportEvent
from hkex_ops.rundown import Rundown, RundownEvent, RundownStep, StepResult
from hkex_ops_simulator.acts import Acts

__all__ = ["PREPARATION", "Rehearsal", "business_dates_before"]

# A session is prepared this long before it opens. No paper says how long; ten minutes are enough
# to look at a configuration twice.
PREPARATION = timedelta(minutes=10)

# The hour at which somebody asks for what a stabilisation period forbids.
ASKED_AT = time(12)

Act = Callable[[], Awaitable[StepResult]]


class _Sourced(Protocol):
    @property
    def source(self) -> Source: ...


@frozen
class _Planned:
    """A step, when it is begun, and what does it."""

    step: RundownStep
    at: datetime
    act: Act


def business_dates_before(calendar: Calendar, day: date, count: int) -> tuple[date, ...]:
    """The last ``count`` business dates before ``day``, oldest first."""
    dates = [day]
    while len(dates) <= count:
        dates.append(calendar.previous_business_day(dates[-1]))
    return tuple(reversed(dates[1:]))


@define
class Rehearsal:
    """One rehearsal of ``rollout``: :meth:`run` works it and gives the rundown.

    ``watch`` is told every event of the rundown, as it happens.
    """

    rollout: Rollout
    calendar: Calendar
    clock: ManualClock
    evidence: EvidenceFolder
    acts: Acts
    watch: Callable[[RundownEvent], None]
    _conduct: Conduct | None = field(default=None, init=False)

    async def run(self) -> Rundown:
        """Work every step at its time. `UsageError` when the rollout states no session."""
        if not self.rollout.sessions:
            raise UsageError(f"{self.rollout.id} states no session to rehearse")
        plan = sorted(self._plan(), key=lambda planned: planned.at)
        rundown = Rundown([planned.step for planned in plan])
        conduct = self._conduct = Conduct(rundown, self.evidence, self.clock, self.watch)
        for planned in plan:
            self.clock.turn_to(max(self.clock.now(), planned.at))
            await conduct.do(planned.step, planned.act)
        conduct.pass_time()
        return rundown

    def keep(self, event: ReportEvent) -> None:
        """Put what a retrieval tells into the evidence."""
        if self._conduct is not None:
            self._conduct.observe(event)

    @property
    def last_business_date(self) -> date:
        """The business date before the first session: the papers' "last business date"."""
        return self.calendar.previous_business_day(_start(self._sessions()[0]).date())

    # -- what is done when -------------------------------------------------------------------

    def _sessions(self) -> list[Session]:
        return sorted(self.rollout.sessions, key=_start)

    def _plan(self) -> Iterator[_Planned]:
        last = self.last_business_date
        yield _planned(
            "last-business-date",
            "fetch",
            f"fetch the reports of business date {last} and keep a snapshot of the folder",
            self.calendar.close_of_t1(last),
            partial(self.acts.fetch, last),
        )
        points_at = SiteRole.PRIMARY
        for place, session in enumerate(self._sessions()):
            if session.site is not None and session.site is not points_at:
                yield _planned(
                    "between-sessions" if place else "before-sessions",
                    f"point-at-{session.site}",
                    f"change the client's addresses from {points_at} to {session.site}",
                    _start(session) - PREPARATION,
                    partial(self.acts.point_at, session.site),
                )
                points_at = session.site
            yield from self._session(session)
        for demand in self.rollout.requirements:
            if demand.recurrence is Recurrence.EVERY_BUSINESS_DAY:
                yield from self._first_day(demand)

    def _session(self, session: Session) -> Iterator[_Planned]:
        work = SessionWork(
            self.rollout,
            session,
            self.acts.configured,
            self.acts.archive,
            self.acts.catalogue(),
            self.clock,
            last_business_date=self.last_business_date,
            observe=self.acts.observe,
            stands_for=self.acts.stands_for,
        )
        times = {
            StepMoment.BEFORE: _start(session) - PREPARATION,
            StepMoment.DURING: _start(session),
            StepMoment.AFTER: _instant(session.window.until),
        }
        for step in session.steps:
            during = step.moment is StepMoment.DURING
            prefix = "keep-" if step.moment is StepMoment.AFTER else ""
            planned = RundownStep(
                session.id,
                f"{prefix}{step.action}",
                step.text,
                session.window if during else None,
                step.source,
            )
            yield _Planned(planned, times[step.moment], partial(self._do, session, work, step))

    async def _do(self, session: Session, work: SessionWork, step: Step) -> StepResult:
        if step.action is StepAction.LOG_IN and session.site is not None:
            await self.acts.break_before(session.site)
        return await work.step(step)

    def _first_day(self, demand: Requirement) -> Iterator[_Planned]:
        """The first business day of a period: what it forbids is denied, what it demands done."""
        day = _instant(demand.window.start).date()
        if not self.calendar.is_business_day(day):
            day = self.calendar.next_business_day(day)
        asked = datetime.combine(day, ASKED_AT, HONG_KONG)
        for rule in self.rollout.restrictions:
            act = partial(self.acts.is_denied, rule)
            yield _planned("stabilisation", f"{rule.action}-denied", rule.rule, asked, act, rule)
        closed = self.calendar.close_of_t1(day)
        for name, act in (
            ("daily-fetch", partial(self.acts.fetch_published, day)),
            ("fetch-again", partial(self.acts.fetch_again, day)),
        ):
            yield _planned("stabilisation", name, demand.rule, closed, act, demand)
        text = "every file and every ledger row stands as it was written"
        yield _planned("stabilisation", "verify-archive", text, closed, self.acts.verify_archive)


def _planned(
    session: str, id: str, text: str, at: datetime, act: Act, fact: _Sourced | None = None
) -> _Planned:
    return _Planned(RundownStep(session, id, text, None, fact.source if fact else None), at, act)


def _start(session: Session) -> datetime:
    return _instant(session.window.start)


def _instant(bound: Bound) -> datetime:
    if bound.at is None:
        raise UsageError(f"the paper does not say when: {bound}; it cannot be rehearsed")
    return bound.at
