"""Moments as papers state them, turned into bounds by the dated calendars.

====================================== =================================================
``2023-04-15 (Saturday) 14:30``        an instant; the weekday is a checksum
``2023-04-15 (Saturday) ~11:00``       about then
``2010-01-22 (Friday) 10:32:45``       to the second, as chronologies are told
``2023-04-17 (Monday)``                a whole day: its first instant, or, as an end, its last
``start of T session 2019-05-06``      a business event of a business date
``close of T+1 session 2019-05-17``    likewise; may fall on the next calendar day
``close of business 2019-05-03``       likewise: the T+1 clearing close included
``unknown``                            there is a bound and the paper does not say it
``open``                               there is no bound on this side
====================================== =================================================

Called by the loader of rollout files; knows no file and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from attrs import evolve

from hkex_ops.calendars import Calendar, TimeOfDay
from hkex_ops.errors import OutsideCalendar, UsageError
from hkex_ops.model import HONG_KONG, Bound, Certainty

__all__ = ["parse_bound", "parse_date"]

_DATE = r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?: \((?P<weekday>[A-Za-z]+)\))?"
_STATED_DATE = re.compile(_DATE)
_STATED_INSTANT = re.compile(
    _DATE + r"(?: (?P<time>~?[0-9]{2}:[0-9]{2})(?::(?P<second>[0-5][0-9]))?)?"
)
_BUSINESS_EVENT = re.compile(r"(?P<event>[A-Za-z][A-Za-z0-9+ ]*?) " + _DATE)
_WITHOUT_INSTANT = {"unknown": Certainty.UNKNOWN, "open": Certainty.OPEN}
_EVENTS: dict[str, Callable[[Calendar, date], Bound]] = {
    "start of T session": Calendar.bound_of_start_of_t,
    "close of T+1 session": Calendar.bound_of_close_of_t1,
    "close of business": Calendar.bound_of_close_of_t1,
}


def parse_date(text: str) -> date:
    """The date ``text`` states.

    >>> parse_date("2023-04-15 (Saturday)").isoformat()
    '2023-04-15'

    Raises ValueError with a sentence, also when the weekday does not match.
    """
    match = _STATED_DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date; write it as 2023-04-15 (Saturday)")
    return _checked(match)


def parse_bound(text: str, calendar: Calendar, *, ends: bool) -> Bound:
    """The bound ``text`` states; ``ends`` says that a date alone means the end of that day.

    A business event is as certain as the tables are of it, and keeps the words that stated it.
    Raises ValueError with a sentence for a form, date, weekday or event that is none.
    """
    if text in _WITHOUT_INSTANT:
        return Bound(None, _WITHOUT_INSTANT[text], text)
    instant = _STATED_INSTANT.fullmatch(text)
    if instant is not None:
        return _instant(instant, ends=ends)
    event = _BUSINESS_EVENT.fullmatch(text)
    if event is None:
        raise ValueError(
            f"{text!r} is no moment; write it as 2023-04-15 (Saturday) 14:30, as a date alone, as "
            f"one of {', '.join(_EVENTS)} with a date, or as unknown or open"
        )
    if event["event"] not in _EVENTS:
        raise ValueError(f"{event['event']!r} is no business event; known: {', '.join(_EVENTS)}")
    try:
        bound = _EVENTS[event["event"]](calendar, _checked(event))
    except (OutsideCalendar, UsageError) as error:
        raise ValueError(str(error)) from error
    return evolve(bound, stated=text)


def _instant(match: re.Match[str], *, ends: bool) -> Bound:
    day = _checked(match)
    try:
        if match["time"] is not None:
            return _to_the_second(TimeOfDay.parse(match["time"]).bound(day), match["second"])
        whole_day = day + timedelta(days=1) if ends else day
    except OverflowError:
        raise ValueError(
            f"{day} has no day after it to end with; write open where there is no end"
        ) from None
    return Bound(datetime.combine(whole_day, time(), HONG_KONG))


def _to_the_second(bound: Bound, second: str | None) -> Bound:
    if bound.at is None or second is None:
        return bound
    return evolve(bound, at=bound.at + timedelta(seconds=int(second)))


def _checked(match: re.Match[str]) -> date:
    try:
        day = date.fromisoformat(match["date"])
    except ValueError:
        raise ValueError(f"there is no date {match['date']}") from None
    weekday = f"{day:%A}"
    if match["weekday"] not in (None, weekday):
        raise ValueError(f"{day} is a {weekday}, the file says {match['weekday']}")
    return day
