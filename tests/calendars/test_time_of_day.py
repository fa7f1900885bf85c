"""A time of day belongs to a business date and may fall on a later calendar day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import example, given, strategies as st

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import HONG_KONG, Bound, Certainty

FRIDAY = date(2019, 5, 3)
DAY_MINUTES = 24 * 60

times = st.builds(TimeOfDay, st.integers(0, 8 * DAY_MINUTES - 1), st.booleans())
dates = st.dates(date(2009, 1, 1), date(2027, 12, 31))


@pytest.mark.parametrize(
    ("text", "minutes", "approximate"),
    [
        ("00:00", 0, False),
        ("09:30", 570, False),
        ("~16:10", 970, True),
        ("23:59", 1439, False),
        ("24:00", 1440, False),
        ("~24:00", 1440, True),
        ("00:00+1", 1440, False),
        ("01:45+1", 1545, False),
        ("~00:30+2", 2910, True),
    ],
)
def test_a_text_spells_a_time(text: str, minutes: int, approximate: bool) -> None:
    assert TimeOfDay(minutes, approximate) == TimeOfDay.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "noon", "9:30", "09.30", "0930", "09:30:00", "9:30 a.m.", "-09:30", "٠٩:٣٠"),
        *(" 09:30", "09:30 ", "09:30\n", "~~09:30", "09:30~"),
        *("09:30+", "09:30+0", "09:30+8", "09:30-1"),
    ],
)
def test_another_form_is_refused_with_the_right_one(text: str) -> None:
    with pytest.raises(ValueError, match="no time of day; write it as 09:30"):
        TimeOfDay.parse(text)


@pytest.mark.parametrize("text", ["24:01", "25:00", "09:60", "99:99", "24:00+1"])
def test_a_time_that_no_clock_shows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outside 00:00 to 24:00"):
        TimeOfDay.parse(text)


@given(times)
def test_what_is_written_reads_back(time: TimeOfDay) -> None:
    assert time == TimeOfDay.parse(str(time))


@given(st.text(alphabet="0123456789:+~ ", max_size=9))
@example("24:00")
def test_a_text_is_a_time_that_reads_back_or_an_error(text: str) -> None:
    try:
        time = TimeOfDay.parse(text)
    except ValueError:
        return
    assert time == TimeOfDay.parse(str(time))


@given(times, dates)
def test_an_instant_lies_as_many_minutes_after_the_business_dates_midnight(
    time: TimeOfDay, day: date
) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=HONG_KONG)
    assert midnight + timedelta(minutes=time.minutes) == time.on(day)


def test_quarter_to_two_of_friday_night_is_saturday() -> None:
    expected = datetime(2019, 5, 4, 1, 45, tzinfo=HONG_KONG)
    assert expected == TimeOfDay.parse("01:45+1").on(FRIDAY)


@given(dates)
def test_24_00_is_the_first_instant_of_the_next_day(day: date) -> None:
    tomorrow = TimeOfDay.parse("00:00").on(day + timedelta(days=1))
    assert tomorrow == TimeOfDay.parse("24:00").on(day)


def test_about_becomes_an_approximate_bound() -> None:
    at = datetime(2019, 5, 3, 16, 10, tzinfo=HONG_KONG)
    assert Bound(at, Certainty.APPROXIMATE) == TimeOfDay.parse("~16:10").bound(FRIDAY)
    assert Bound(at, Certainty.EXACT) == TimeOfDay.parse("16:10").bound(FRIDAY)
