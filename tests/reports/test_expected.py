"""What must come for a business date: half days, holidays, T+1 after midnight, phases, own days."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from hkex_ops.calendars import Calendar
from hkex_ops.config.catalogues import shipped_catalogue, structure_catalogue
from hkex_ops.config.shipped import load_calendar
from hkex_ops.model import HONG_KONG
from hkex_ops.reports import CutOff, expected_reports, last_cut_off, working_date

FRIDAY = date(2023, 4, 14)
CHRISTMAS_EVE = date(2024, 12, 24)

RULE = """\
[[reports]]
service = "RRS"
house = "HKCC"
codes = ["TP001"]
name = "{code}_{business_date:YYYYMMDD}[_{session}][_{instance:hhmm}].csv"
sessions = { "T" = "T", "T+1" = "T1" }
"""


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return load_calendar()


def due(text: str, day: date, calendar: Calendar, more: str = "") -> list[tuple[str, str, str]]:
    """Session, instance and cut-off of everything expected by a rule with this ``due``."""
    catalogue = structure_catalogue(f"{RULE}due = [{text}]\n{more}", document="x")
    return [
        (one.session or "", one.instance or "", f"{one.due_at:%Y-%m-%d %H:%M}")
        for one in expected_reports(catalogue, calendar, "RRS", day)
    ]


def test_a_session_that_a_half_day_does_not_have_owes_nothing(calendar: Calendar) -> None:
    """T+1 closes after midnight, and on Christmas Eve there is none."""
    both = (
        '{ session = "T", by = "60 min after close of T session" },'
        '{ session = "T+1", by = "close of T+1 session" }'
    )
    assert [("T", "", "2023-04-14 19:45"), ("T+1", "", "2023-04-15 03:00")] == due(
        both, FRIDAY, calendar
    )
    assert [("T", "", "2024-12-24 19:45")] == due(both, CHRISTMAS_EVE, calendar)


def test_the_close_of_t1_is_the_one_that_held_on_the_day(calendar: Calendar) -> None:
    """01:45 until June 2019, 03:00 since."""
    text = '{ session = "T+1", by = "close of T+1 session" }'
    assert [("T+1", "", "2019-05-18 01:45")] == due(text, date(2019, 5, 17), calendar)
    assert [("T+1", "", "2019-06-19 03:00")] == due(text, date(2019, 6, 18), calendar)


@pytest.mark.parametrize(
    ("day", "times"),
    [
        (FRIDAY, ["09:00", "13:00"]),
        (CHRISTMAS_EVE, ["09:00"]),
        (date(2022, 8, 25), ["13:00"]),  # late open after a typhoon
        (date(2023, 4, 10), []),  # Easter Monday
    ],
)
def test_sets_come_only_while_the_market_is_open(
    day: date, times: list[str], calendar: Calendar
) -> None:
    """By the day's own hours, whatever made them."""
    found = due('{ times = ["09:00", "13:00"], while_open = "derivatives" }', day, calendar)
    assert times == [instance for _, instance, _ in found]


def test_every_so_many_minutes_is_a_set_each(calendar: Calendar) -> None:
    """From the first to the last, both included, after midnight too."""
    found = due('{ every_min = 30, from = "23:30", to = "00:30+1" }', FRIDAY, calendar)
    assert ["2023-04-14 23:30", "2023-04-15 00:00", "2023-04-15 00:30"] == [at for *_, at in found]


@pytest.mark.parametrize(
    ("when_closed", "day"),
    [("previous", date(2023, 4, 6)), ("next", date(2023, 4, 11))],
)
def test_a_weekly_report_moves_off_a_holiday(
    when_closed: str, day: date, calendar: Calendar
) -> None:
    """Good Friday 2023: Thursday before, or Tuesday after Easter."""
    text = (
        f'{{ on = "weekly", weekdays = ["Friday"], by = "20:00", when_closed = "{when_closed}" }}'
    )
    holders = [
        one
        for one in calendar.business_days(date(2023, 4, 3), date(2023, 4, 13))
        if due(text, one, calendar)
    ]
    assert [day] == holders


def test_a_monthly_report_is_of_the_last_business_day(calendar: Calendar) -> None:
    """30 April 2023 was a Sunday and 1 May a holiday."""
    text = '{ on = "month-end", by = "08:00 next business day" }'
    assert [("", "", "2023-05-02 08:00")] == due(text, date(2023, 4, 28), calendar)
    assert [] == due(text, date(2023, 4, 27), calendar)


def test_a_report_of_stated_dates_is_due_on_those(calendar: Calendar) -> None:
    """RP008 of 3 October 2022."""
    text = '{ on = "dates", dates = [2022-10-03], by = "09:00" }'
    assert [("", "", "2022-10-03 09:00")] == due(text, date(2022, 10, 3), calendar)
    assert [] == due(text, FRIDAY, calendar)
    assert [] == due('{ on = "unscheduled" }', FRIDAY, calendar)


def test_a_phase_leaves_out_what_does_not_come_and_delays_the_rest(calendar: Calendar) -> None:
    """Its last day is within, the one after is not."""
    phase = (
        '[[phases]]\nname = "familiarisation"\nservice = "RRS"\nfrom = 2023-04-03\n'
        'to = 2023-04-14\ncomes = ["17:15"]\nlater_min = 60\n'
    )
    text = '{ times = ["11:30", "17:15"], grace_min = 5 }'
    assert [("", "17:15", "2023-04-14 18:15")] == due(text, FRIDAY, calendar, phase)
    assert 2 == len(due(text, date(2023, 4, 17), calendar, phase))


def test_a_day_entered_by_a_file_changes_what_is_due(tmp_path: Path) -> None:
    """A typhoon that closed the market: nothing is expected, and nothing is missing."""
    own = tmp_path / "own.toml"
    own.write_text(
        '[[sources]]\nid = "OWN"\nkind = "user"\ntitle = "notice"\nconfirmed = true\n'
        '[[days]]\ndate = 2023-04-14\nweekday = "Friday"\nkind = "closed"\nname = "typhoon"\n'
        'source = "OWN"\nconfirmed = true\n',
        encoding="utf-8",
    )
    assert [] == due('{ by = "20:00" }', FRIDAY, load_calendar(own))


def test_the_last_cut_off_counts_its_grace(calendar: Calendar) -> None:
    """What a watch follows until."""
    catalogue = shipped_catalogue("example-rrs")
    expected = expected_reports(catalogue, calendar, "RRS", FRIDAY)
    assert datetime(2023, 4, 17, 9, 0, tzinfo=HONG_KONG) == last_cut_off(expected)
    assert last_cut_off(()) is None


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2023-04-14T08:44", date(2023, 4, 13)),
        ("2023-04-14T08:45", FRIDAY),
        ("2023-04-15T02:00", FRIDAY),
        ("2023-04-17T07:00", FRIDAY),
        ("2023-04-10T12:00", date(2023, 4, 6)),
    ],
)
def test_the_date_being_worked_changes_with_the_t_session(
    now: str, day: date, calendar: Calendar
) -> None:
    """Not at midnight, and not at the weekend."""
    assert day == working_date(calendar, datetime.fromisoformat(now).replace(tzinfo=HONG_KONG))


@pytest.mark.parametrize(
    "text",
    ["9:00", "09:00 tomorrow", "close of T2 session", "25:00", "close of T session + 5", ""],
)
def test_a_cut_off_that_is_none_is_refused_with_the_forms(text: str) -> None:
    """In one sentence."""
    with pytest.raises(ValueError, match=r"is no cut-off; write it as one of|lies outside"):
        CutOff.parse(text)
