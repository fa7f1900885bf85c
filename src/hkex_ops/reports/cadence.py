"""How often a report comes and by when: what a catalogue's ``due`` tables say.

Values with their own check; what they come to on one business date is worked out in
:mod:`hkex_ops.reports.expected`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum

from attrs import frozen

from hkex_ops.calendars import DayKind, Market, TimeOfDay
from hkex_ops.reports.cutoffs import SESSIONS, CutOff

__all__ = ["Cadence", "CataloguePhase", "Due", "Obligation", "Weekday", "WhenClosed", "occurrences"]

MOST_OCCURRENCES = 1440
"""Of one ``due`` in a day: one a minute. More is a slip of the pen."""


class Cadence(StrEnum):
    """On which business dates."""

    BUSINESS_DAYS = "business-days"
    WEEKLY = "weekly"
    MONTH_END = "month-end"  # the month's last business day
    DATES = "dates"
    UNSCHEDULED = "unscheduled"  # when it comes it comes; its absence says nothing


class Weekday(StrEnum):
    """The days of the week as the papers write them."""

    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"

    @property
    def number(self) -> int:
        """Its number as `date.weekday` counts."""
        return tuple(Weekday).index(self)


class WhenClosed(StrEnum):
    """What becomes of a weekly report whose weekday is no business day."""

    PREVIOUS = "previous"
    NEXT = "next"
    SKIP = "skip"


@frozen
class Due:
    """One way in which a report is due.

    Either ``by`` is its cut-off, or ``times`` (or every ``every_min`` from ``from_`` to ``to``)
    are the sets of a day, each due at its own time. ``grace_min`` later what is not there is
    missing; until then it is late. ``instances`` are what names spell where they spell no time: one
    for each of the times, or all of them due by the one cut-off; a name that spells the time is
    taken for the set whose time is at most ``tolerance_min`` away. ``while_open`` counts a set only
    within that market's hours of the day, ``day_kinds`` the whole only on such days. ``houses`` and
    ``codes`` narrow it to some of the rule's.
    """

    on: Cadence = Cadence.BUSINESS_DAYS
    by: CutOff | None = None
    grace_min: int = 0
    session: str | None = None
    times: tuple[TimeOfDay, ...] = ()
    every_min: int | None = None
    from_: TimeOfDay | None = None
    to: TimeOfDay | None = None
    tolerance_min: int | None = None
    instances: tuple[str, ...] = ()
    while_open: Market | None = None
    day_kinds: tuple[DayKind, ...] = ()
    weekdays: tuple[Weekday, ...] = ()
    when_closed: WhenClosed = WhenClosed.PREVIOUS
    dates: tuple[date, ...] = ()
    if_applicable: bool = False
    houses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it, as (key, sentence)."""
        several = bool(self.times) or self.every_min is not None
        if self.on is Cadence.UNSCHEDULED:
            if self.by is not None or several:
                yield "by", "an unscheduled report has no cut-off: leave by and times out"
            return
        if self.by is None and not several:
            yield "by", "is missing: say by when it is due, or at which times"
        if self.by is not None and several:
            yield "by", "speaks of one report, and times of several: leave one out"
        if self.times and self.every_min is not None:
            yield "every_min", "says again what times says: leave one out"
        if self.session is not None and self.session not in SESSIONS:
            yield "session", f"unknown session {self.session!r}; known: {', '.join(SESSIONS)}"
        yield from self._interval_faults()
        if several and self.instances and len(self.instances) != len(occurrences(self)):
            yield "instances", f"are {len(self.instances)} for {len(occurrences(self))} times"
        if self.grace_min < 0:
            yield "grace_min", "must not be less than 0"
        if (self.on is Cadence.WEEKLY) != bool(self.weekdays):
            yield "weekdays", 'goes with on = "weekly", and that with weekdays'
        if (self.on is Cadence.DATES) != bool(self.dates):
            yield "dates", 'goes with on = "dates", and that with dates'

    def _interval_faults(self) -> Iterator[tuple[str, str]]:
        if self.every_min is None:
            if self.from_ is not None or self.to is not None:
                yield "every_min", "is missing: from and to are those of an interval"
            return
        if self.every_min < 1:
            yield "every_min", "must be at least 1"
        elif self.from_ is None or self.to is None:
            yield "from", "is missing: say from when to when it comes"
        elif self.to.minutes < self.from_.minutes:
            yield "to", f"{self.to} lies before {self.from_}: a later day is written 01:00+1"
        elif (self.to.minutes - self.from_.minutes) // self.every_min >= MOST_OCCURRENCES:
            yield "every_min", f"makes more than {MOST_OCCURRENCES} a day"


def occurrences(due: Due) -> tuple[TimeOfDay, ...]:
    """The times of a day's sets; none for a report that comes once."""
    if due.every_min is None or due.every_min < 1 or due.from_ is None or due.to is None:
        return due.times
    last = min(due.to.minutes, due.from_.minutes + due.every_min * MOST_OCCURRENCES)
    return tuple(
        TimeOfDay(minutes) for minutes in range(due.from_.minutes, last + 1, due.every_min)
    )


@frozen
class Obligation:
    """What a report that came obliges to, and by when unless the report itself says another time.

    The notice decides; this is the time that is shown until somebody has read it.
    """

    what: str
    by: CutOff
    source: str = ""


@frozen
class CataloguePhase:
    """A stretch of dates, both included, in which fewer reports come, or later than usual.

    ``comes`` lists the times or sessions that do come; ``nothing`` says that none does. ``codes``
    and ``houses`` narrow it.
    """

    name: str
    service: str
    from_: date
    to: date
    comes: tuple[str, ...] = ()
    nothing: bool = False
    later_min: int = 0
    houses: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    source: str = ""

    def concerns(self, house: str, code: str, day: date) -> bool:
        """Whether it speaks of the report on that date."""
        return (
            self.from_ <= day <= self.to
            and (not self.houses or house in self.houses)
            and (not self.codes or code in self.codes)
        )

    def suppresses(self, labels: tuple[str | None, ...]) -> bool:
        """Whether what bears these labels (time, session) does not come."""
        return self.nothing or (bool(self.comes) and not any(one in self.comes for one in labels))

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it, as (key, sentence)."""
        if self.to < self.from_:
            yield "to", f"{self.to} lies before from, {self.from_}"
        if self.nothing and self.comes:
            yield "comes", "says what comes, and nothing that nothing does: leave one out"
        if not self.nothing and not self.comes and not self.later_min:
            yield "comes", "is missing: say what comes, or how much later, or that nothing does"
