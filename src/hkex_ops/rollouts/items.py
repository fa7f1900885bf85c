"""What a desk has to do, as items made from a rollout: each with an id that never changes.

A session, a registration, an obligation, a checklist item, a form and a prerequisite are one shape
here: they begin, they end or are due, and a paper states them. What must be done on every business
day becomes one item for each. Knows neither the present instant nor what was done;
:mod:`hkex_ops.rollouts.agenda` chooses. What a report brings (a `ReportObligation`) has no time
until the report comes, and a prerequisite without a date is a fact of its service: neither is an
item.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.model import (
    HONG_KONG,
    Bound,
    Certainty,
    Grade,
    Recurrence,
    Requirement,
    Rollout,
    Source,
)

__all__ = ["AgendaItem", "ItemKind", "ItemState", "business_days_of", "is_days_end", "items_of"]


class ItemKind(StrEnum):
    """What an item is."""

    SESSION = "session"
    REGISTRATION = "registration"
    OBLIGATION = "obligation"
    CHECKLIST = "checklist"
    FORM = "form"
    PREREQUISITE = "prerequisite"


class ItemState(StrEnum):
    """Where an item stands at an instant. It goes down this list and never up."""

    COMING = "coming"  # it has not begun
    OPEN = "open"  # it goes on, and has no deadline that the paper states
    DUE = "due"  # it can be done, and must be by a deadline
    UNKNOWN = "unknown"  # a bound is unknown, so nobody can say
    OVERDUE = "overdue"  # the deadline is past
    OVER = "over"  # the session, or what held throughout, is past

    @property
    def past(self) -> bool:
        """Whether nothing can be done about it any more in time."""
        return self in (ItemState.OVERDUE, ItemState.OVER)


@frozen
class AgendaItem:
    """One thing to do or to attend.

    ``start`` and ``until`` bound what goes on for a while; ``due`` is a deadline, inclusive, and
    where there is one there is no ``until``. ``None`` means that there is no such bound; a bound
    that the paper leaves unknown is a `Bound` that says so. ``detail`` says where and how in the
    paper's words; ``grade`` is ``None`` where the paper gives none. ``series`` is the id of the
    daily duty that the item is one day of.
    """

    id: str
    rollout: str
    kind: ItemKind
    what: str
    source: Source
    audience: tuple[str, ...]
    start: Bound | None = None
    until: Bound | None = None
    due: Bound | None = None
    grade: Grade | None = None
    detail: str = ""
    tentative: bool = False
    series: str = ""

    def state(self, at: datetime) -> ItemState:
        """Where it stands at ``at``. Approximate bounds count at the instant they state.

        A deadline is inclusive: what is due at 18:00 is due at 18:00 sharp. One that is a whole
        day ends with it, which is the midnight after.
        """
        if self.due is not None and self.due.at is not None:
            if at > self.due.at or (at == self.due.at and is_days_end(self.due.at)):
                return ItemState.OVERDUE
        elif self.until is not None and self.until.at is not None and at >= self.until.at:
            return ItemState.OVER
        if self.start is not None and self.start.at is not None and at < self.start.at:
            return ItemState.COMING
        bounds = (self.start, self.until, self.due)
        if any(one is not None and one.certainty is Certainty.UNKNOWN for one in bounds):
            return ItemState.UNKNOWN
        return ItemState.OPEN if self.due is None or self.due.at is None else ItemState.DUE

    def moment(self, at: datetime) -> datetime | None:
        """When it next matters, seen from ``at``: its start until that has come, then its end."""
        start = None if self.start is None else self.start.at
        if start is not None and at < start:
            return start
        end = self.due or self.until
        return start if end is None or end.at is None else end.at


def is_days_end(at: datetime) -> bool:
    """Whether ``at`` is the midnight that ends a day in Hong Kong."""
    return at.astimezone(HONG_KONG).time() == time()


def items_of(rollout: Rollout, calendar: Calendar, first: date, last: date) -> Iterator[AgendaItem]:
    """Every item of ``rollout``; what recurs daily only for business days ``first`` to ``last``.

    Raises `OutsideCalendar` when a day that is asked for lies outside the tables.
    """
    yield from _sessions(rollout)
    yield from _registrations(rollout)
    for demand in rollout.requirements:
        if demand.recurrence is Recurrence.EVERY_BUSINESS_DAY:
            yield from _daily(rollout, demand, calendar, first, last)
        else:
            yield _obligation(rollout, demand)
    yield from _checklist(rollout)
    yield from _forms(rollout)
    yield from _prerequisites(rollout)


def business_days_of(
    demand: Requirement, calendar: Calendar, first: date = date.min, last: date = date.max
) -> tuple[date, ...]:
    """The business days on which a daily requirement falls due, of those ``first`` to ``last``.

    A business date belongs to the window when its T session begins inside; a window that ends
    with the T+1 session of Friday, early on Saturday, therefore ends with Friday, and one that
    ends early on Wednesday with Tuesday. Where the window lacks an end there is no list: empty.
    """
    start, until = demand.window.start.at, demand.window.until.at
    if start is None or until is None:
        return ()
    first = max(first, start.astimezone(HONG_KONG).date())
    last = min(last, until.astimezone(HONG_KONG).date())
    if first > last:
        return ()
    days = calendar.business_days(first, last)
    return tuple(day for day in days if calendar.start_of_t(day) < until)


def _sessions(rollout: Rollout) -> Iterator[AgendaItem]:
    for one in rollout.sessions:
        yield AgendaItem(
            id=f"{rollout.id}/session/{one.id}",
            rollout=rollout.id,
            kind=ItemKind.SESSION,
            what=one.name,
            source=one.source,
            audience=one.audience,
            start=one.window.start,
            until=one.window.until,
            grade=one.grade,
            detail="; ".join(text for text in (one.testing_focus, one.condition) if text),
            tentative=one.tentative,
        )


def _registrations(rollout: Rollout) -> Iterator[AgendaItem]:
    for one in rollout.registrations:
        yield AgendaItem(
            id=f"{rollout.id}/registration/{one.id}",
            rollout=rollout.id,
            kind=ItemKind.REGISTRATION,
            what=one.what,
            source=one.source,
            audience=one.audience,
            due=one.due,
            detail="; ".join(text for text in (one.channel, one.late_policy) if text),
        )


def _obligation(rollout: Rollout, demand: Requirement) -> AgendaItem:
    once = demand.recurrence is Recurrence.ONCE
    return AgendaItem(
        id=f"{rollout.id}/obligation/{demand.id}",
        rollout=rollout.id,
        kind=ItemKind.OBLIGATION,
        what=demand.what,
        source=demand.source,
        audience=demand.audience,
        start=demand.window.start,
        until=None if once else demand.window.until,
        due=demand.window.until if once else None,
        grade=demand.grade,
        detail=demand.rule,
    )


def _daily(
    rollout: Rollout, demand: Requirement, calendar: Calendar, first: date, last: date
) -> Iterator[AgendaItem]:
    """The paper says "on a daily basis" and no hour: the business day counts whole."""
    whole = _obligation(rollout, demand)
    start, until = demand.window.start.at, demand.window.until.at
    if start is None or until is None:
        yield whole
        return
    for day in business_days_of(demand, calendar, first, last):
        midnight = datetime.combine(day, time(), HONG_KONG)
        yield AgendaItem(
            id=f"{whole.id}/{day.isoformat()}",
            rollout=rollout.id,
            kind=ItemKind.OBLIGATION,
            what=whole.what,
            source=whole.source,
            audience=whole.audience,
            start=Bound(max(start, midnight)),
            due=Bound(min(until, midnight + timedelta(days=1))),
            grade=whole.grade,
            detail=whole.detail,
            series=whole.id,
        )


def _checklist(rollout: Rollout) -> Iterator[AgendaItem]:
    groups = {group.letter: group for group in rollout.checklist_groups}
    for one in rollout.checklist:
        group = groups.get(one.group)
        yield AgendaItem(
            id=f"{rollout.id}/checklist/{one.number}",
            rollout=rollout.id,
            kind=ItemKind.CHECKLIST,
            what=f"{one.question} […]" if one.cut_off else one.question,
            source=one.source,
            audience=rollout.audience,
            start=None if group is None else group.window.start,
            due=None if group is None else group.window.until,
            detail="" if group is None else f"({group.letter}) {group.title}",
        )


def _forms(rollout: Rollout) -> Iterator[AgendaItem]:
    """A form without a deadline may be sent while it is valid, and need not."""
    for one in rollout.forms:
        yield AgendaItem(
            id=f"{rollout.id}/form/{one.id}",
            rollout=rollout.id,
            kind=ItemKind.FORM,
            what=one.name,
            source=one.source,
            audience=rollout.audience,
            start=None if one.valid is None else one.valid.start,
            until=None if one.valid is None or one.due is not None else one.valid.until,
            due=one.due,
            grade=one.grade,
            detail=f"{one.purpose}; by {one.channel} to {one.address}",
        )


def _prerequisites(rollout: Rollout) -> Iterator[AgendaItem]:
    for one in rollout.prerequisites:
        if one.due is not None:
            yield AgendaItem(
                id=f"{rollout.id}/prerequisite/{one.id}",
                rollout=rollout.id,
                kind=ItemKind.PREREQUISITE,
                what=f"{one.what}: {one.value}" if one.value else one.what,
                source=one.source,
                audience=rollout.audience,
                due=one.due,
                detail=one.rule,
            )
