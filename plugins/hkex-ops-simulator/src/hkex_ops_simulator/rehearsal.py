"""A rollout rehearsed from its first duty to the first day of its stabilisation period.

An exchange in a box and loopback listeners stand in for the far side, a manual clock jumps from
fact to fact, and the same flows run that an operator's commands run, from a configuration file in
a folder of their own. What to do, when and at which site comes from the rollout; what the far side
holds is SYNTHETIC. Here the plans are put together and worked; :mod:`~.session_plans` and
:mod:`~.duty_plans` make them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import date, datetime
from functools import partial

from attrs import define, field

from hkex_ops.calendars import Calendar
from hkex_ops.clock import ManualClock
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.interrupted import BEGUN, begun_body
from hkex_ops.flows.rundown import Conduct
from hkex_ops.flows.sources import Observe
from hkex_ops.model import JsonObject, Rollout, Session, SiteRole, StepAction
from hkex_ops.reports.events import ReportEvent
from hkex_ops.rundown import Rundown, RundownEvent, RundownStep, StepState
from hkex_ops_simulator.acts import Acts
from hkex_ops_simulator.addresses import REPORT_SERVICE
from hkex_ops_simulator.desk import Desk
from hkex_ops_simulator.duty_plans import DutyPlan
from hkex_ops_simulator.paperwork import Paperwork
from hkex_ops_simulator.planning import PREPARATION, Planned, instant, numbered, planned
from hkex_ops_simulator.possible import held_sessions, require_rehearsable, site_of
from hkex_ops_simulator.session_plans import SessionPlan

__all__ = ["Disturb", "Rehearsal", "business_dates_before"]

Disturb = Callable[[RundownStep], Awaitable[None]]

# What could not be tried here for want of a program went neither well nor wrong: the paper has
# those programs only "if applicable", and the verdict on the whole tells that it is not a pass.
_UNTROUBLED = (StepState.WAITING, StepState.RUNNING, StepState.PASSED, StepState.UNAVAILABLE)


def business_dates_before(calendar: Calendar, day: date, count: int) -> tuple[date, ...]:
    """The last ``count`` business dates before ``day``, oldest first."""
    dates = [day]
    while len(dates) <= count:
        dates.append(calendar.previous_business_day(dates[-1]))
    return tuple(reversed(dates[1:]))


@define
class Rehearsal:
    """One rehearsal of ``rollout``: :meth:`run` works it and gives the rundown.

    ``watch`` is told every event of the rundown, as it happens, and ``progress`` what retrievals
    tell; ``disturb`` is awaited before every step, for whoever wants things to go wrong. ``told``
    is what the evidence says at its beginning, besides what is planned.
    """

    rollout: Rollout
    calendar: Calendar
    clock: ManualClock
    evidence: EvidenceFolder
    acts: Acts
    desk: Desk
    watch: Callable[[RundownEvent], None]
    progress: Observe
    disturb: Disturb
    told: JsonObject
    _conduct: Conduct | None = field(default=None, init=False)

    async def run(self) -> Rundown:
        """Work every step at its time. `UsageError` for a rollout that cannot be rehearsed."""
        require_rehearsable(self.rollout)
        plan = numbered(sorted(self._plan(), key=lambda one: one.at))
        rundown = Rundown([one.step for one in plan])
        self.evidence.record(BEGUN, begun_body(self.rollout, rundown.states, self.told))
        conduct = self._conduct = Conduct(rundown, self.evidence, self.clock, self.watch)
        try:
            for one in plan:
                self.clock.turn_to(max(self.clock.now(), one.at))
                await self.disturb(one.step)
                await conduct.do(one.step, one.act)
        finally:
            await self.acts.close()
        conduct.pass_time()
        return rundown

    def keep(self, event: ReportEvent) -> None:
        """Show what a retrieval tells, and put it into the evidence."""
        self.progress(event)
        if self._conduct is not None:
            self._conduct.observe(event)

    def troubles(self, sessions: Collection[str]) -> tuple[str, ...]:
        """The steps under ``sessions`` that went wrong so far; phases have steps of theirs too."""
        if self._conduct is None:
            return ()
        return tuple(
            f"{step.session} {step.id}"
            for step, state in self._conduct.rundown.states.items()
            if step.session in sessions and state not in _UNTROUBLED
        )

    # -- what is done when -------------------------------------------------------------------

    def _plan(self) -> Iterator[Planned]:
        sessions = sorted(held_sessions(self.rollout), key=_start)
        if any(map(_compares, sessions)):
            yield self._last_business_date()
        yield from self._sessions(sessions)
        paperwork = Paperwork(
            self.rollout, self.acts.folder, self.clock, self.evidence.add, self.troubles
        )
        yield from DutyPlan(self.rollout, self.calendar, self.acts, paperwork).steps()

    def _last_business_date(self) -> Planned:
        last = self.acts.last_business_date
        return planned(
            "last-business-date",
            "fetch",
            f"fetch the reports of business date {last} and keep a snapshot of the folder",
            self.calendar.close_of_t1(last),
            partial(self.acts.fetch, last),
        )

    def _sessions(self, sessions: Sequence[Session]) -> Iterator[Planned]:
        """The sessions in order, the client moved between them and home at the end."""
        points_at = SiteRole.PRIMARY
        for place, session in enumerate(sessions):
            site = site_of(session) or points_at
            if site is not points_at:
                group = "between-sessions" if place else "before-sessions"
                yield self._move(group, points_at, site, _start(session) - PREPARATION)
                points_at = site
            yield from SessionPlan(self.rollout, session, self.acts, self.desk).steps()
        if points_at is not SiteRole.PRIMARY:
            end = max(instant(session.window.until) for session in sessions)
            yield self._move("after-sessions", points_at, SiteRole.PRIMARY, end)
            text = "ordinary business runs on the primary site"
            yield planned("after-sessions", "production", text, end, self.desk.back_to_production)

    def _move(self, group: str, source: SiteRole, site: SiteRole, at: datetime) -> Planned:
        text = f"change the client's addresses from {source} to {site}"
        return planned(group, f"point-at-{site}", text, at, partial(self.acts.point_at, site))


def _start(session: Session) -> datetime:
    return instant(session.window.start)


def _compares(session: Session) -> bool:
    """Whether the session compares the report folder with that of the last business date."""
    return REPORT_SERVICE in session.services and any(
        step.action is StepAction.COMPARE_LISTING for step in session.steps
    )
