"""An operator's own file adds or overrides days; what it leaves out is as shipped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from hkex_ops.calendars import Calendar, DayKind, Market, SourceKind
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import ConfigError, Fault, OutsideCalendar
from hkex_ops.model import HONG_KONG
from tests.calendars.telling import CALENDAR, told

OWN_SOURCE = """
[[sources]]
id = "DESK"
kind = "user"
title = "a notice on the desk"
confirmed = true
"""

Load = Callable[[str], Calendar]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def write(text: str) -> Calendar:
        file = tmp_path / "own-days.toml"
        file.write_text(text, encoding="utf-8")
        return load_calendar(file)

    return write


def day_row(day: str, weekday: str, kind: str, source: str = "DESK") -> str:
    return f"""
[[days]]
date = {day}
weekday = "{weekday}"
kind = "{kind}"
name = "as the desk says"
source = "{source}"
confirmed = false
note = "read off a screen"
"""


def test_an_empty_file_changes_nothing(load: Load) -> None:
    shipped, same = CALENDAR.tables, load("").tables
    assert (shipped.days, shipped.sources) == (same.days, same.sources)
    assert (shipped.first_day, shipped.last_day) == (same.first_day, same.last_day)
    assert set(shipped.hours) == set(same.hours)


def test_a_day_is_added(load: Load) -> None:
    calendar = load(OWN_SOURCE + day_row("2026-11-20", "Friday", "closed"))
    found = calendar.day(date(2026, 11, 20))
    assert (DayKind.CLOSED, "as the desk says") == (found.kind, found.name)
    assert ["DESK"] == [source.id for source in found.sources]
    assert SourceKind.USER is found.sources[0].kind
    assert (("day",), ("read off a screen",)) == (found.unconfirmed, found.notes)
    assert date(2026, 11, 23) == calendar.next_business_day(date(2026, 11, 19))


def test_a_shipped_day_is_overridden_and_the_others_stay(load: Load) -> None:
    calendar = load(OWN_SOURCE + day_row("2023-09-01", "Friday", "half"))
    assert DayKind.HALF is calendar.day(date(2023, 9, 1)).kind
    assert DayKind.CLOSED is calendar.day(date(2023, 9, 8)).kind
    assert DayKind.CLOSED is CALENDAR.day(date(2023, 9, 1)).kind


def test_a_saturday_becomes_a_business_day(load: Load) -> None:
    calendar = load(OWN_SOURCE + day_row("2024-01-06", "Saturday", "full"))
    saturday = date(2024, 1, 6)
    assert calendar.is_business_day(saturday)
    assert calendar.day(saturday).trading
    assert saturday == calendar.next_business_day(date(2024, 1, 5))


def test_a_shipped_source_may_be_cited(load: Load) -> None:
    calendar = load(day_row("2026-11-20", "Friday", "closed", source="RULE-501"))
    assert ["RULE-501"] == [source.id for source in calendar.day(date(2026, 11, 20)).sources]


def test_a_late_open_with_hours_of_its_own_replaces_one_market_only(load: Load) -> None:
    row = day_row("2026-11-20", "Friday", "late-open")
    calendar = load(
        OWN_SOURCE + row + 'securities = [{ name = "afternoon", from = "14:00", to = "16:00" }]'
    )
    found = calendar.day(date(2026, 11, 20))
    assert ["afternoon 14:00-16:00"] == told(found, Market.SECURITIES)
    ordinary = CALENDAR.day(date(2026, 11, 19))
    assert told(ordinary, Market.DERIVATIVES) == told(found, Market.DERIVATIVES)


def test_the_last_day_is_extended_with_the_hours_last_known(load: Load) -> None:
    calendar = load(
        "last_day = 2028-12-29\n" + OWN_SOURCE + day_row("2028-01-03", "Monday", "closed")
    )
    assert DayKind.FULL is calendar.day(date(2028, 1, 4)).kind
    assert date(2028, 1, 4) == calendar.next_business_day(date(2027, 12, 31))
    with pytest.raises(OutsideCalendar, match="2009-01-01 to 2028-12-29"):
        calendar.day(date(2028, 12, 30))


def test_days_before_the_first_hours_known_are_not_guessed(load: Load) -> None:
    calendar = load("first_day = 2008-01-01\n")
    with pytest.raises(OutsideCalendar, match="no securities hours for 2008-01-02"):
        calendar.day(date(2008, 1, 2))


def test_a_day_outside_the_span_is_a_fault_and_never_extends_it(load: Load) -> None:
    text = OWN_SOURCE + day_row("2030-01-02", "Wednesday", "closed")
    with pytest.raises(ConfigError) as raised:
        load(text)
    message = (
        "2030-01-02 lies outside the days of the tables, 2009-01-01 to 2027-12-31: "
        "set first_day or last_day"
    )
    assert (Fault("days[0].date", message),) == raised.value.faults
    calendar = load(f"last_day = 2030-01-31\n{text}")
    assert DayKind.CLOSED is calendar.day(date(2030, 1, 2)).kind


def test_own_hours_take_effect_on_their_date(load: Load) -> None:
    calendar = load(
        OWN_SOURCE
        + """
[[hours]]
market = "clearing"
effective_from = 2027-06-01
source = "DESK"
confirmed = true
full_day = [{ name = "t-session", from = "08:45", to = "19:00" }]
half_day = [{ name = "t-session", from = "08:45", to = "13:00" }]
"""
    )
    before, since = calendar.day(date(2027, 5, 31)), calendar.day(date(2027, 6, 1))
    assert "t+1-session 17:15-03:00+1" == told(before, Market.CLEARING)[-1]
    assert ["t-session 08:45-19:00"] == told(since, Market.CLEARING)
    expected = datetime(2027, 6, 1, 19, 0, tzinfo=HONG_KONG)
    assert expected == calendar.close_of_t1(date(2027, 6, 1))


def test_a_day_for_which_the_tables_give_no_clearing_is_not_guessed(load: Load) -> None:
    calendar = load(
        OWN_SOURCE
        + """
[[hours]]
market = "clearing"
effective_from = 2027-06-01
source = "DESK"
confirmed = true
full_day = [{ name = "t-session", from = "08:45", to = "19:00" }]
"""
    )
    for ask in (calendar.start_of_t, calendar.close_of_t1):
        with pytest.raises(OutsideCalendar, match="no clearing session for 2027-12-24, a half day"):
            ask(date(2027, 12, 24))


def test_every_fault_of_an_own_file_is_told_at_once(load: Load, tmp_path: Path) -> None:
    rows = day_row("2026-11-20", "Monday", "closed") + day_row("2026-11-20", "Friday", "late-open")
    with pytest.raises(ConfigError) as raised:
        load(rows)
    assert str(tmp_path / "own-days.toml") == raised.value.document
    assert (
        Fault("days[0].source", "no source is called 'DESK'"),
        Fault("days[0].weekday", "2026-11-20 is a Friday, the file says Monday"),
        Fault("days[1].date", "2026-11-20 stands in days[0] already"),
        Fault("days[1].securities", "a day of kind late-open states the sessions that were held"),
        Fault("days[1].source", "no source is called 'DESK'"),
    ) == raised.value.faults


def test_every_misspelt_word_of_an_own_file_is_told_at_once(load: Load) -> None:
    text = OWN_SOURCE + day_row("2026-11-20", "Friday", "closd").replace("weekday", "week_day")
    text += 'securities = [{ name = "morning", from = "9:30", to = "12:00" }]'
    with pytest.raises(ConfigError) as raised:
        load(text)
    assert [
        ("days[0].kind", "unknown word 'closd'; did you mean 'closed'?"),
        (
            "days[0].securities[0].from",
            "'9:30' is no time of day; write it as 09:30, ~16:10 or 01:45+1",
        ),
        ("days[0].week_day", "unknown key; did you mean 'weekday'?"),
        ("days[0].weekday", "is missing"),
    ] == [(fault.path, fault.message) for fault in raised.value.faults]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no calendar file at .*nowhere\.toml"):
        load_calendar(tmp_path / "nowhere.toml")
