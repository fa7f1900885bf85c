"""Business days in a row: what next, last and between mean, whatever the date."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, strategies as st

from hkex_ops.calendars import DayKind
from tests.calendars.telling import CALENDAR, days_from

DAY = timedelta(days=1)

# A fortnight from either end, so that a neighbour is always inside.
days = st.dates(date(2009, 1, 15), date(2027, 12, 17))


@given(days)
def test_the_next_business_day_is_the_first_one_after(day: date) -> None:
    after = CALENDAR.next_business_day(day)
    assert (after,) == CALENDAR.business_days(day + DAY, after)


@given(days)
def test_the_last_business_day_is_the_first_one_before(day: date) -> None:
    before = CALENDAR.previous_business_day(day)
    assert (before,) == CALENDAR.business_days(before, day - DAY)


@given(days.filter(CALENDAR.is_business_day))
def test_there_and_back_is_the_same_business_day(day: date) -> None:
    assert day == CALENDAR.previous_business_day(CALENDAR.next_business_day(day))
    assert day == CALENDAR.next_business_day(CALENDAR.previous_business_day(day))


@given(days, st.integers(0, 40))
def test_the_business_days_of_a_span_are_those_that_trade_in_order(day: date, more: int) -> None:
    last = min(day + timedelta(days=more), CALENDAR.tables.last_day)
    expected = [one for one in days_from(day, last) if CALENDAR.day(one).trading]
    assert expected == list(CALENDAR.business_days(day, last))


@given(days)
def test_a_span_that_ends_before_it_begins_is_empty(day: date) -> None:
    assert () == CALENDAR.business_days(day, day - DAY)


@given(days)
def test_every_session_of_a_day_bears_its_business_date(day: date) -> None:
    found = CALENDAR.day(day)
    sessions = (*found.securities, *found.derivatives, *found.clearing)
    assert {day} - {one.window.business_date for one in sessions} in (set(), {day})
    assert bool(sessions) == found.trading == (found.kind is not DayKind.CLOSED)


@given(days.filter(CALENDAR.is_business_day))
def test_a_clearing_day_starts_before_it_closes_and_closes_before_the_next_starts(
    day: date,
) -> None:
    after = CALENDAR.next_business_day(day)
    assert CALENDAR.start_of_t(day) < CALENDAR.close_of_t1(day) < CALENDAR.start_of_t(after)
