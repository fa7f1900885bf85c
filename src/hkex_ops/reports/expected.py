"""What must come: a catalogue's rules worked out for one business date.

Half days, late opens and holidays come from the calendar, and so does the close of a T+1 session
after midnight; a day that weather changed is entered in the calendar's own file. Pure: what was
really held is judged in :mod:`hkex_ops.reports.standing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from attrs import evolve, frozen

from hkex_ops.calendars import BusinessDay, Calendar, TimeOfDay
from hkex_ops.errors import OutsideCalendar
from hkex_ops.reports.cadence import Cadence, Due, WhenClosed, occurrences
from hkex_ops.reports.catalogue import Audience, Catalogue, ReportRule
from hkex_ops.reports.cutoffs import has_session

__all__ = ["ExpectedReport", "expected_reports", "first_cut_off", "last_cut_off", "working_date"]

TOLERANCE_MIN = 45
"""How far from its nominal time a set's name may be, unless the catalogue says otherwise."""

DAYS_OF_A_WEEK = 7


@frozen
class ExpectedReport:
    """One report that is to come for a business date.

    ``instance`` is the set's nominal time or number where there are several. From ``due_at`` on it
    is late, from ``missing_at`` on missing. ``earliest`` and ``latest`` bound the time that its
    name may spell. ``if_applicable``: its absence is no fault.
    """

    service: str
    house: str
    code: str
    business_date: date
    due_at: datetime
    missing_at: datetime
    session: str | None = None
    instance: str | None = None
    audience: Audience = Audience.OWN
    parts: tuple[str, ...] = ()
    if_applicable: bool = False
    earliest: datetime | None = None
    latest: datetime | None = None

    def __str__(self) -> str:
        more = "".join(f" {part}" for part in (self.session, self.instance) if part)
        return f"{self.house} {self.code} of {self.business_date.isoformat()}{more}"


def expected_reports(
    catalogue: Catalogue, calendar: Calendar, service: str, day: date
) -> tuple[ExpectedReport, ...]:
    """Every report of ``service`` that is due for business date ``day``, by cut-off.

    Raises `OutsideCalendar` when the tables do not cover the day.
    """
    found = calendar.day(day)
    expected = [
        one
        for rule in catalogue.of_service(service)
        for due in rule.due
        if _is_on(due, found, calendar)
        for one in _of_due(rule, due, found, calendar)
    ]
    expected = [one for one in (_in_phase(catalogue, one) for one in expected) if one is not None]
    unlike = {
        (one.house, one.code, one.session, one.instance): one
        for one in sorted(expected, key=lambda one: one.missing_at, reverse=True)
    }
    return tuple(sorted(unlike.values(), key=_order))


def first_cut_off(expected: Iterable[ExpectedReport]) -> datetime | None:
    """When the first of them is due; nothing when nothing is expected."""
    return min((one.due_at for one in expected), default=None)


def last_cut_off(expected: Iterable[ExpectedReport]) -> datetime | None:
    """When the last of them, grace included, must be there; nothing when nothing is expected."""
    return max((one.missing_at for one in expected), default=None)


def working_date(calendar: Calendar, now: datetime) -> date:
    """The business date whose work is being done at ``now``.

    Its T session has begun; so at two in the morning it is still the day before, and at the
    weekend it is Friday.
    """
    day = now.date()
    if not calendar.is_business_day(day):
        return calendar.previous_business_day(day)
    try:
        begun = calendar.start_of_t(day) <= now
    except OutsideCalendar:
        begun = True
    return day if begun else calendar.previous_business_day(day)


def _order(one: ExpectedReport) -> tuple[datetime, str, str, str]:
    return one.due_at, one.house, one.code, one.instance or ""


def _is_on(due: Due, found: BusinessDay, calendar: Calendar) -> bool:
    """Whether something is due on this date at all."""
    day = found.date
    if due.on is Cadence.UNSCHEDULED:
        return False
    if due.on is Cadence.DATES:
        return day in due.dates
    if not found.trading or (due.day_kinds and found.kind not in due.day_kinds):
        return False
    if due.session is not None and not has_session(found, due.session):
        return False
    match due.on:
        case Cadence.WEEKLY:
            return _is_weekly(due, day, calendar)
        case Cadence.MONTH_END:
            return calendar.next_business_day(day).month != day.month
        case _:
            return True


def _is_weekly(due: Due, day: date, calendar: Calendar) -> bool:
    """Whether one of the weekdays falls on ``day``, moved where it is closed."""
    for weekday in due.weekdays:
        stated = day + timedelta(days=weekday.number - day.weekday())
        # Moved over a weekend it may come from the week before or after.
        for week in (-DAYS_OF_A_WEEK, 0, DAYS_OF_A_WEEK):
            if _moved(due, stated + timedelta(days=week), calendar) == day:
                return True
    return False


def _moved(due: Due, stated: date, calendar: Calendar) -> date | None:
    try:
        if calendar.is_business_day(stated):
            return stated
        match due.when_closed:
            case WhenClosed.PREVIOUS:
                return calendar.previous_business_day(stated)
            case WhenClosed.NEXT:
                return calendar.next_business_day(stated)
            case WhenClosed.SKIP:
                return None
    except OutsideCalendar:
        return None


def _of_due(
    rule: ReportRule, due: Due, found: BusinessDay, calendar: Calendar
) -> Iterator[ExpectedReport]:
    codes = due.codes or ((rule.code,) if rule.code is not None else rule.codes)
    houses = due.houses or rule.known_houses
    grace = timedelta(minutes=due.grace_min)
    for label, due_at, window in _moments(due, found, calendar):
        for house in houses:
            for code in codes:
                yield ExpectedReport(
                    service=rule.service,
                    house=house,
                    code=code,
                    business_date=found.date,
                    due_at=due_at,
                    missing_at=due_at + grace,
                    session=due.session,
                    instance=label,
                    audience=rule.audience,
                    parts=tuple(rule.parts),
                    if_applicable=due.if_applicable,
                    earliest=None if window is None else due_at - window,
                    latest=None if window is None else due_at + window,
                )


def _moments(
    due: Due, found: BusinessDay, calendar: Calendar
) -> Iterator[tuple[str | None, datetime, timedelta | None]]:
    """Each set of the day: what it is called, when it is due, how far its name may be from that."""
    times = occurrences(due)
    if not times:
        at = None if due.by is None else due.by.at(found.date, calendar)
        if at is not None:
            yield from ((label, at, None) for label in due.instances or (None,))
        return
    tolerance = due.tolerance_min
    if tolerance is None:
        tolerance = TOLERANCE_MIN if due.every_min is None else due.every_min // 2
    labels = due.instances or tuple(str(time) for time in times)
    window = None if due.instances else timedelta(minutes=tolerance)
    for label, time in zip(labels, times, strict=True):
        if _is_within(due, time, found):
            yield label, time.on(found.date), window


def _is_within(due: Due, time: TimeOfDay, found: BusinessDay) -> bool:
    """Whether the market is open at that time, where the set comes only then."""
    if due.while_open is None:
        return True
    sessions = getattr(found, due.while_open.value)
    if not sessions:
        return False
    opens = min(one.window.start.at for one in sessions)
    closes = max(one.window.until.at for one in sessions)
    return bool(opens <= time.on(found.date) <= closes)


def _in_phase(catalogue: Catalogue, one: ExpectedReport) -> ExpectedReport | None:
    """The same as the phases that hold leave it; nothing when it does not come in one of them."""
    for phase in catalogue.phases:
        if phase.service != one.service:
            continue
        if not phase.concerns(one.house, one.code, one.business_date):
            continue
        if phase.suppresses((one.instance, one.session)):
            return None
        later = timedelta(minutes=phase.later_min)
        one = evolve(
            one,
            due_at=one.due_at + later,
            missing_at=one.missing_at + later,
            latest=None if one.latest is None else one.latest + later,
        )
    return one
