"""Two packages judge our days; every difference is known, has a reason, and is still there.

They serve here only: their hours before 2012 are wrong, and each lacks something of the rest.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

import pytest

from hkex_ops.calendars import DayKind
from tests.calendars.telling import CALENDAR, days_from


class Difference(NamedTuple):
    """What we say and what the oracle says, and why we differ."""

    ours: DayKind
    theirs: DayKind
    reason: str


TYPHOON_MISSING = "closed by a typhoon; exchange_calendars 4.13 does not know of it"
RULE_501 = "eve of Lunar New Year, a half day by Rule 501; exchange_calendars has these from 2013"

KNOWN: Mapping[date, Difference] = {
    date(2011, 2, 2): Difference(DayKind.HALF, DayKind.FULL, RULE_501),
    date(2023, 9, 1): Difference(DayKind.CLOSED, DayKind.FULL, TYPHOON_MISSING),
    date(2023, 9, 8): Difference(DayKind.CLOSED, DayKind.FULL, TYPHOON_MISSING),
}

# Late opens and early closes by weather are full days to both packages: they know none of them.
COMPARED = {
    DayKind.CLOSED: DayKind.CLOSED,
    DayKind.HALF: DayKind.HALF,
    DayKind.FULL: DayKind.FULL,
    DayKind.LATE_OPEN: DayKind.FULL,
    DayKind.EARLY_CLOSE: DayKind.FULL,
}


def theirs(day: date, closed: bool, half: bool) -> DayKind:
    if closed:
        return DayKind.CLOSED
    return DayKind.HALF if half else DayKind.FULL


def differences(
    days: Iterable[date], oracle: Mapping[date, DayKind]
) -> dict[date, tuple[DayKind, DayKind]]:
    ours = {day: COMPARED[CALENDAR.day(day).kind] for day in days}
    return {day: (kind, oracle[day]) for day, kind in ours.items() if kind is not oracle[day]}


def test_exchange_calendars_differs_from_2009_to_2027_on_three_known_days() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' own, about what the package does
        exchange_calendars = pytest.importorskip("exchange_calendars")
        calendar = exchange_calendars.get_calendar("XHKG", start="2009-01-01", end="2027-12-31")
        sessions = {one.date() for one in calendar.sessions}
        halves = {one.date() for one in calendar.early_closes}
    days = list(days_from(date(2009, 1, 1), date(2027, 12, 31)))
    oracle = {day: theirs(day, day not in sessions, day in halves) for day in days}
    known = {day: (one.ours, one.theirs) for day, one in KNOWN.items()}
    assert known == differences(days, oracle)


def test_holidays_does_not_differ_from_2014_to_2027() -> None:
    holidays = pytest.importorskip("holidays")
    years = range(2014, 2028)
    closed = holidays.financial_holidays("XHKG", years=years)
    halves = holidays.financial_holidays("XHKG", years=years, categories=("half_day",))
    weekdays = [
        day for day in days_from(date(2014, 1, 1), date(2027, 12, 31)) if day.isoweekday() <= 5
    ]
    oracle = {day: theirs(day, day in closed, day in halves) for day in weekdays}
    assert {DayKind.CLOSED, DayKind.HALF, DayKind.FULL} == set(oracle.values())
    assert {} == differences(weekdays, oracle)
