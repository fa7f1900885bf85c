"""Tables say what is wrong with them: every fault, each with its path."""

from __future__ import annotations

from datetime import date

import pytest
from attrs import evolve

from hkex_ops.calendars import (
    CalendarSource,
    CalendarTables,
    DayKind,
    DayRow,
    HoursRow,
    Market,
    SessionHours,
    SourceKind,
    TimeOfDay,
)

MONDAY = date(2023, 10, 9)


def session(name: str, from_: str, to: str) -> SessionHours:
    return SessionHours(name, TimeOfDay.parse(from_), TimeOfDay.parse(to))


MORNING = session("morning", "09:30", "12:00")
AFTERNOON = session("afternoon", "13:00", "16:00")
BACKWARDS = session("backwards", "12:00", "09:30")


def at_random(earliest: str) -> SessionHours:
    """The morning with an end drawn at random, at the earliest then."""
    return evolve(MORNING, earliest=TimeOfDay.parse(earliest))


PAPER = CalendarSource("PAPER", SourceKind.PAPER, "a paper", confirmed=True)
DAY = DayRow(MONDAY, "Monday", DayKind.CLOSED, "typhoon", "PAPER", confirmed=True)
HOURS = HoursRow(
    Market.SECURITIES, date(2012, 3, 5), "PAPER", True, (MORNING, AFTERNOON), (MORNING,)
)
TABLES = CalendarTables(
    "Asia/Hong_Kong", date(2009, 1, 1), date(2027, 12, 31), (PAPER,), (HOURS,), (DAY,)
)


def test_sound_tables_have_no_fault() -> None:
    assert [] == list(TABLES.faults())


@pytest.mark.parametrize(
    ("expected", "tables"),
    [
        (
            ("zone", "is Asia/Tokyo; this library keeps Hong Kong's calendar only"),
            evolve(TABLES, zone="Asia/Tokyo"),
        ),
        (
            ("last_day", "2008-12-31 lies before first_day 2009-01-01"),
            evolve(TABLES, last_day=date(2008, 12, 31)),
        ),
        (
            ("hours[0].source", "no source is called 'PAPRE'"),
            evolve(TABLES, hours=(evolve(HOURS, source="PAPRE"),)),
        ),
        (
            ("hours[0].full_day[1].to", "09:30 is not after 12:00"),
            evolve(TABLES, hours=(evolve(HOURS, full_day=(MORNING, BACKWARDS)),)),
        ),
        (
            ("hours[0].full_day[0].to", "09:30 is not after 09:30"),
            evolve(TABLES, hours=(evolve(HOURS, full_day=(session("none", "09:30", "09:30"),)),)),
        ),
        (
            ("hours[0].half_day[0].to", "09:30 is not after 12:00"),
            evolve(TABLES, hours=(evolve(HOURS, half_day=(BACKWARDS,)),)),
        ),
        (
            ("hours[0].full_day[1].from", "sessions stand in the order they begin"),
            evolve(TABLES, hours=(evolve(HOURS, full_day=(AFTERNOON, MORNING)),)),
        ),
        (
            ("hours[1].effective_from", "securities hours of 2012-03-05 stand in hours[0] already"),
            evolve(TABLES, hours=(HOURS, evolve(HOURS, note="again"))),
        ),
        (
            ("hours[0].full_day", "states no session"),
            evolve(TABLES, hours=(evolve(HOURS, full_day=()),)),
        ),
        (
            ("hours[0].full_day[0].earliest", "09:29 does not lie between 09:30 and 12:00"),
            evolve(TABLES, hours=(evolve(HOURS, full_day=(at_random("09:29"),)),)),
        ),
        (
            ("hours[0].half_day[0].earliest", "12:01 does not lie between 09:30 and 12:00"),
            evolve(TABLES, hours=(evolve(HOURS, half_day=(at_random("12:01"),)),)),
        ),
        (
            (
                "days[0].date",
                "2023-10-09 lies outside the days of the tables, 2023-10-10 to 2027-12-31: "
                "set first_day or last_day",
            ),
            evolve(TABLES, first_day=date(2023, 10, 10)),
        ),
        (
            (
                "days[0].date",
                "2023-10-09 lies outside the days of the tables, 2009-01-01 to 2023-10-08: "
                "set first_day or last_day",
            ),
            evolve(TABLES, last_day=date(2023, 10, 8)),
        ),
        (
            ("days[1].date", "2023-10-09 stands in days[0] already"),
            evolve(TABLES, days=(DAY, evolve(DAY, name="again"))),
        ),
        (
            ("days[0].weekday", "2023-10-09 is a Monday, the file says Sunday"),
            evolve(TABLES, days=(evolve(DAY, weekday="Sunday"),)),
        ),
        (
            ("days[0].source", "no source is called 'PAPRE'"),
            evolve(TABLES, days=(evolve(DAY, source="PAPRE"),)),
        ),
        (
            ("days[0].securities", "a day of kind late-open states the sessions that were held"),
            evolve(TABLES, days=(evolve(DAY, kind=DayKind.LATE_OPEN),)),
        ),
        (
            ("days[0].securities", "a day of kind early-close states the sessions that were held"),
            evolve(TABLES, days=(evolve(DAY, kind=DayKind.EARLY_CLOSE),)),
        ),
        (
            ("days[0].securities[0].to", "09:30 is not after 12:00"),
            evolve(TABLES, days=(evolve(DAY, securities=(BACKWARDS,)),)),
        ),
        (
            ("days[0].derivatives[0].to", "09:30 is not after 12:00"),
            evolve(TABLES, days=(evolve(DAY, derivatives=(BACKWARDS,)),)),
        ),
        (
            ("days[0].clearing[1].from", "sessions stand in the order they begin"),
            evolve(TABLES, days=(evolve(DAY, clearing=(AFTERNOON, MORNING)),)),
        ),
    ],
)
def test_a_fault_is_told_with_its_path(expected: tuple[str, str], tables: CalendarTables) -> None:
    assert [expected] == list(tables.faults())


@pytest.mark.parametrize("earliest", ["09:30", "11:58", "12:00"])
def test_a_random_end_may_come_from_the_start_to_the_latest_end(earliest: str) -> None:
    tables = evolve(TABLES, hours=(evolve(HOURS, full_day=(at_random(earliest),)),))
    assert [] == list(tables.faults())


def test_two_markets_may_change_their_hours_on_one_date() -> None:
    both = (HOURS, evolve(HOURS, market=Market.DERIVATIVES))
    assert [] == list(evolve(TABLES, hours=both).faults())


def test_every_fault_is_told_at_once() -> None:
    wrong = evolve(
        TABLES,
        zone="UTC",
        last_day=date(2001, 1, 1),
        hours=(evolve(HOURS, source="?", full_day=(BACKWARDS,)),),
        days=(evolve(DAY, weekday="Sunday", source="?"), DAY),
    )
    expected = ["zone", "last_day", "hours[0].source", "hours[0].full_day[0].to"]
    expected += ["days[0].weekday", "days[0].source", "days[1].date"]
    assert expected == [path for path, _ in wrong.faults()]


def test_rows_that_are_laid_over_others_may_cite_their_sources() -> None:
    own = evolve(TABLES, sources=())
    assert ["hours[0].source", "days[0].source"] == [path for path, _ in own.faults()]
    assert [] == list(own.faults(base=TABLES))


def test_rows_that_are_laid_over_others_may_lie_in_their_span_too() -> None:
    own = evolve(TABLES, first_day=date(2026, 1, 1))
    assert ["days[0].date"] == [path for path, _ in own.faults()]
    assert [] == list(own.faults(base=TABLES))


def test_own_rows_replace_those_of_the_same_day_and_stand_in_order() -> None:
    sunday = DayRow(date(2023, 10, 8), "Sunday", DayKind.FULL, "drill", "PAPER", confirmed=True)
    changed = evolve(DAY, kind=DayKind.HALF, name="half after all")
    both = TABLES.overridden_by(evolve(TABLES, days=(changed, sunday)))
    assert (sunday, changed) == both.days


def test_own_hours_replace_those_of_the_same_market_and_date_only() -> None:
    same = evolve(HOURS, full_day=(MORNING,))
    other_market = evolve(HOURS, market=Market.DERIVATIVES)
    later = evolve(HOURS, effective_from=date(2030, 1, 1))
    both = TABLES.overridden_by(evolve(TABLES, hours=(later, same, other_market)))
    assert (other_market, same, later) == both.hours


def test_the_span_grows_and_never_shrinks() -> None:
    shorter = evolve(TABLES, first_day=date(2020, 1, 1), last_day=date(2020, 12, 31))
    longer = evolve(TABLES, first_day=date(2008, 1, 1), last_day=date(2030, 12, 31))
    assert TABLES == TABLES.overridden_by(shorter)
    both = TABLES.overridden_by(longer)
    assert (longer.first_day, longer.last_day) == (both.first_day, both.last_day)
