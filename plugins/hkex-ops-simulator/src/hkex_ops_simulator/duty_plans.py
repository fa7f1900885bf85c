"""What a rollout demands beside its sessions, planned: rules, procedures, items, forms, reports.

Each is done once, at the moment :mod:`hkex_ops_simulator.planning` chooses; what bears no date at
all cannot be rehearsed and is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from attrs import define

from hkex_ops.calendars import Calendar
from hkex_ops.model import Effect, Form, Recurrence, Requirement, Rollout
from hkex_ops.rundown import RundownStep
from hkex_ops_simulator.acts import Acts
from hkex_ops_simulator.addresses import REPORT_SERVICE
from hkex_ops_simulator.desk import REHEARSER
from hkex_ops_simulator.paperwork import Paperwork
from hkex_ops_simulator.planning import (
    PREPARATION,
    Planned,
    end_of_first_day,
    moment_in,
    phase_at,
    planned,
)

__all__ = ["DutyPlan"]


@define
class DutyPlan:
    """The plan of everything in ``rollout`` that is no session."""

    rollout: Rollout
    calendar: Calendar
    acts: Acts
    paperwork: Paperwork

    def steps(self) -> Iterator[Planned]:
        """Every step with its moment. Of one moment, what looks back comes last."""
        yield from self._rules()
        yield from self._procedures()
        yield from self._standing()
        yield from self._forms()
        for demand in self.rollout.requirements:
            if demand.recurrence is Recurrence.EVERY_BUSINESS_DAY:
                yield from self._first_day(demand)
        yield from self._checklist()

    # -- rules and duties --------------------------------------------------------------------

    def _rules(self) -> Iterator[Planned]:
        for rule in self.rollout.restrictions:
            at = moment_in(rule.window, self.calendar)
            if at is None:
                continue
            room = rule.session or self._room(at)
            word = "denied" if rule.effect is Effect.PROHIBITED else "limited"
            act = partial(self.paperwork.ask, rule)
            yield planned(room, f"{rule.action}-{word}", rule.rule, at, act, rule)

    def _procedures(self) -> Iterator[Planned]:
        for demand in self.rollout.requirements:
            at = moment_in(demand.window, self.calendar)
            if at is None:
                continue
            for step in demand.steps:
                told = RundownStep(
                    self._room(at),
                    f"{demand.id}-{step.order}",
                    f"{step.text} ({REHEARSER})",
                    None,
                    step.source,
                )
                yield Planned(told, at, partial(self.paperwork.follow, demand, step))

    def _standing(self) -> Iterator[Planned]:
        plan = self.rollout.fallback
        at = None if plan is None else moment_in(plan.trigger_window or plan.window, self.calendar)
        if plan is not None and at is not None:
            text = f"what must still stand for the {plan.name} ({REHEARSER})"
            yield planned("fallback", "standing", text, at, self.paperwork.stand, plan)

    # -- reports -----------------------------------------------------------------------------

    def _first_day(self, demand: Requirement) -> Iterator[Planned]:
        """The first business day's reports, fetched when the day is over."""
        moment = moment_in(demand.window, self.calendar)
        if moment is None or demand.service not in ("", REPORT_SERVICE):
            return
        day = moment.date()
        if not self.calendar.is_business_day(day):
            day = self.calendar.next_business_day(day)
        closed = self.calendar.close_of_t1(day)
        room = self._room(moment)
        for name, act in (
            ("daily-fetch", partial(self.acts.fetch_published, day)),
            ("fetch-again", partial(self.acts.fetch_again, day)),
        ):
            yield planned(room, name, demand.rule, closed, act, demand)
        text = "every file and every ledger row stands as it was written"
        yield planned(room, "verify-archive", text, closed, self.acts.verify_archive)

    # -- forms and checklist -----------------------------------------------------------------

    def _forms(self) -> Iterator[Planned]:
        for form in self.rollout.forms:
            at = self._made_at(form)
            if at is None:
                continue
            start = None if form.valid is None else form.valid.start.at
            if start is not None:
                act = partial(self.paperwork.refuse_early, form)
                text = f"{form.name} means nothing before it is valid"
                yield planned("forms", f"{form.id}-refused", text, start - PREPARATION, act, form)
            text = f"{form.name}: {form.purpose} ({REHEARSER})"
            yield planned("forms", form.id, text, at, partial(self.paperwork.make, form), form)

    def _made_at(self, form: Form) -> datetime | None:
        """When a form is valid; else, of one that is due, when the last session before is over."""
        if form.valid is not None:
            return moment_in(form.valid, self.calendar)
        due = None if form.due is None else form.due.at
        if due is None:
            return None
        ends = [one.window.until.at for one in self.rollout.sessions]
        before = [end for end in ends if end is not None and end <= due]
        return max(before, default=due - PREPARATION)

    def _checklist(self) -> Iterator[Planned]:
        for group in self.rollout.checklist_groups:
            at = end_of_first_day(group.window, self.calendar)
            if at is not None:
                act = partial(self.paperwork.tick, group)
                text = f"({group.letter}) {group.title} ({REHEARSER})"
                yield planned("checklist", f"group-{group.letter}", text, at, act, group)

    def _room(self, at: datetime) -> str:
        phase = phase_at(self.rollout, at)
        return "rules" if phase is None else phase.id
