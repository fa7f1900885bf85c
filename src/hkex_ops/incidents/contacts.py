"""Designated persons and when they can be reached: who is missing in a window, and what is stale.

A paper may demand that designated contact persons are "reachable during the prescribed time", their
e-mail addresses and phone numbers accurate (hkats-dcass-2019). Which roles that means, how many of
each, and how long a confirmation holds are the desk's own settings. Knows no file and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from attrs import frozen

from hkex_ops.calendars import Calendar, TimeOfDay
from hkex_ops.errors import OutsideCalendar
from hkex_ops.model import HONG_KONG

__all__ = [
    "Away",
    "ContactFinding",
    "ContactKind",
    "Contacts",
    "Days",
    "Person",
    "Reachable",
    "RoleWanted",
    "check_contacts",
    "contact_faults",
    "reachable_in",
]

LONGEST_WINDOW_DAYS = 62
"""Days of a window that is checked; a session is hours, a stabilisation two weeks."""


class Days(StrEnum):
    """On which days somebody can be reached."""

    EVERY_DAY = "every-day"
    BUSINESS_DAYS = "business-days"
    WEEKDAYS = "weekdays"
    WEEKENDS = "weekends"


class ContactKind(StrEnum):
    """What is wrong with a person or a role."""

    NOBODY = "nobody-reachable"
    STALE = "not-confirmed-lately"
    NO_WAY = "no-way-to-reach"


@frozen
class Reachable:
    """Hours in which a person can be reached: on certain days, or on one date alone.

    ``to`` may be of the next day: ``01:45+1``.
    """

    from_: TimeOfDay
    to: TimeOfDay
    days: Days = Days.BUSINESS_DAYS
    on: date | None = None


@frozen
class Away:
    """Whole days on which a person cannot be reached, the last one included."""

    from_: date
    to: date


@frozen
class Person:
    """A designated person. ``confirmed`` is the day on which the numbers were last tried."""

    id: str
    name: str
    roles: tuple[str, ...]
    reachable: tuple[Reachable, ...]
    phone: str = ""
    email: str = ""
    confirmed: date | None = None
    away: tuple[Away, ...] = ()


@frozen
class RoleWanted:
    """How many persons of a role there must be at any moment, and who says so."""

    role: str
    source: str
    persons: int = 1


@frozen
class Contacts:
    """A file of designated persons. ``confirmed_within_days`` is how long a confirmation holds."""

    persons: tuple[Person, ...]
    wanted: tuple[RoleWanted, ...] = ()
    confirmed_within_days: int | None = None


@frozen
class ContactFinding:
    """Something to be mended before the window; a span where it is of one."""

    kind: ContactKind
    who: str
    message: str
    start: datetime | None = None
    until: datetime | None = None


def contact_faults(contacts: Contacts) -> Iterator[tuple[str, str]]:
    """What makes no sense in the file, as (path, sentence)."""
    ids = [one.id for one in contacts.persons]
    roles = {role for one in contacts.persons for role in one.roles}
    for index, person in enumerate(contacts.persons):
        at = f"persons[{index}]"
        if ids.index(person.id) != index:
            yield f"{at}.id", f"{person.id!r} is the id of persons[{ids.index(person.id)}] already"
        if person.email and not _is_address(person.email):
            yield f"{at}.email", _is_none(person.email, "e-mail address")
        if person.phone and not any(map(str.isdigit, person.phone)):
            yield f"{at}.phone", _is_none(person.phone, "number")
        if not person.roles:
            yield f"{at}.roles", "names no role: what is the person designated for?"
        for place, hours in enumerate(person.reachable):
            if hours.to.minutes <= hours.from_.minutes:
                sentence = f"ends at {hours.to}, which is not after {hours.from_}"
                yield (
                    f"{at}.reachable[{place}].to",
                    f"{sentence}; write a time of the next day as 01:45+1",
                )
        for place, away in enumerate(person.away):
            if away.to < away.from_:
                yield f"{at}.away[{place}].to", f"{away.to} is before {away.from_}"
    for index, wanted in enumerate(contacts.wanted):
        if wanted.role not in roles:
            yield f"wanted[{index}].role", f"nobody has the role {wanted.role!r}"
        if wanted.persons < 1:
            yield f"wanted[{index}].persons", "must be at least 1"
        if not wanted.source.strip():
            yield f"wanted[{index}].source", "says no source: who wants that?"
    if contacts.confirmed_within_days is not None and contacts.confirmed_within_days < 1:
        yield "confirmed_within_days", "must be at least 1"


def _is_none(text: str, what: str) -> str:
    return f"{text!r} is no {what}; leave it out if there is none"


def _is_address(text: str) -> bool:
    name, _, host = text.rpartition("@")
    return bool(name and host) and not any(map(str.isspace, text))


def reachable_in(
    person: Person, start: datetime, until: datetime, calendar: Calendar
) -> tuple[tuple[datetime, datetime], ...]:
    """The spans of ``start`` to ``until`` in which a person can be reached, joined, in order."""
    spans: list[tuple[datetime, datetime]] = []
    # Hours that began the evening before may still hold.
    day = start.astimezone(HONG_KONG).date() - timedelta(days=1)
    last = until.astimezone(HONG_KONG).date()
    while day <= last:
        if not any(away.from_ <= day <= away.to for away in person.away):
            for hours in person.reachable:
                if _is_on(hours, day, calendar):
                    spans.append((hours.from_.on(day), hours.to.on(day)))
        day += timedelta(days=1)
    cut = ((max(begins, start), min(ends, until)) for begins, ends in spans)
    return tuple(_joined(sorted(span for span in cut if span[0] < span[1])))


def check_contacts(
    contacts: Contacts, start: datetime, until: datetime, calendar: Calendar
) -> tuple[ContactFinding, ...]:
    """Every stretch of the window in which too few of a wanted role can be reached, and every
    person whose numbers are missing or were not confirmed lately."""
    if until - start > timedelta(days=LONGEST_WINDOW_DAYS):
        until = start + timedelta(days=LONGEST_WINDOW_DAYS)
    found: list[ContactFinding] = []
    for wanted in contacts.wanted:
        spans = [
            reachable_in(one, start, until, calendar)
            for one in contacts.persons
            if wanted.role in one.roles
        ]
        for begins, ends, count in _too_few(spans, wanted.persons, start, until):
            who = "nobody" if not count else f"only {count} of {wanted.persons}"
            message = f"{who} can be reached ({wanted.source})"
            found.append(ContactFinding(ContactKind.NOBODY, wanted.role, message, begins, ends))
    day = start.astimezone(HONG_KONG).date()
    found += _people(contacts, day)
    return tuple(found)


def _people(contacts: Contacts, day: date) -> Iterator[ContactFinding]:
    for one in contacts.persons:
        missing = [name for name, said in (("phone", one.phone), ("e-mail", one.email)) if not said]
        if missing:
            message = f"{one.name} has no {' and no '.join(missing)}"
            yield ContactFinding(ContactKind.NO_WAY, one.id, message)
        if contacts.confirmed_within_days is None:
            continue
        if one.confirmed is None:
            message = f"{one.name}'s numbers were never confirmed"
            yield ContactFinding(ContactKind.STALE, one.id, message)
        elif day - one.confirmed > timedelta(days=contacts.confirmed_within_days):
            message = f"{one.name}'s numbers were last confirmed on {one.confirmed}"
            yield ContactFinding(ContactKind.STALE, one.id, message)


def _is_on(hours: Reachable, day: date, calendar: Calendar) -> bool:
    if hours.on is not None:
        return hours.on == day
    weekend = day.isoweekday() > 5
    match hours.days:
        case Days.EVERY_DAY:
            return True
        case Days.WEEKDAYS:
            return not weekend
        case Days.WEEKENDS:
            return weekend
        case Days.BUSINESS_DAYS:
            try:
                return calendar.is_business_day(day)
            except OutsideCalendar:
                # Nobody is promised to be there on a day of which nobody knows what it is.
                return False


def _joined(
    spans: Iterable[tuple[datetime, datetime]],
) -> Iterator[tuple[datetime, datetime]]:
    held: tuple[datetime, datetime] | None = None
    for begins, ends in spans:
        if held is None:
            held = (begins, ends)
        elif begins <= held[1]:
            held = (held[0], max(held[1], ends))
        else:
            yield held
            held = (begins, ends)
    if held is not None:
        yield held


def _too_few(
    people: Sequence[Sequence[tuple[datetime, datetime]]],
    wanted: int,
    start: datetime,
    until: datetime,
) -> Iterator[tuple[datetime, datetime, int]]:
    """The stretches in which fewer than ``wanted`` are there, each with the fewest there."""
    edges = sorted({start, until, *(edge for spans in people for span in spans for edge in span)})
    held: tuple[datetime, datetime, int] | None = None
    for begins, ends in pairwise(edges):
        count = sum(any(a <= begins and ends <= b for a, b in spans) for spans in people)
        if count < wanted:
            same = held is not None and held[1] == begins
            held = (held[0], ends, min(held[2], count)) if same and held else (begins, ends, count)
        elif held is not None:
            yield held
            held = None
    if held is not None:
        yield held
