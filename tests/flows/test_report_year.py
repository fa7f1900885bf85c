"""A year of fetching: no missing report goes unreported, none is called missing that was there."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from hkex_ops.calendars import Calendar, DayKind
from hkex_ops.config.shipped import load_calendar
from hkex_ops.reports import ReportState
from tests.flows.report_year import OWN_DAYS, ReportYear, at_time, label_of

YEAR = 2022


@pytest.fixture
def calendar(tmp_path: Path) -> Calendar:
    own = tmp_path / "own.toml"
    own.write_text(OWN_DAYS, encoding="utf-8")
    return load_calendar(own)


def sample(calendar: Calendar) -> list[date]:
    """Every kind of day there is in the year, and the two business days after each."""
    whole = year(calendar)
    special = [
        day
        for day in whole
        if calendar.day(day).kind is not DayKind.FULL
        or day == date(2022, 6, 22)
        or calendar.next_business_day(day) - day > timedelta(days=3)
    ]
    places = {whole.index(day) + n for day in special for n in range(2)}
    return [whole[place] for place in sorted(places) if place < len(whole)]


def year(calendar: Calendar) -> list[date]:
    return list(calendar.business_days(date(YEAR, 1, 3), date(YEAR, 12, 30)))


def hours_of(day: date, calendar: Calendar) -> list[datetime]:
    """When the desk looks for a business date: by day, by night, in the morning after, later."""
    following = calendar.next_business_day(day)
    return [
        at_time(day, 12, 0),
        at_time(day, 20, 30),
        at_time(day + timedelta(days=1), 5, 0),
        at_time(following, 8, 30),
    ]


@pytest.mark.parametrize(
    ("seed", "days"),
    [
        pytest.param(1, sample, id="a sample of every kind of day"),
        *(
            pytest.param(seed, year, id=f"year, seed {seed}", marks=pytest.mark.long)
            for seed in range(2, 5)
        ),
    ],
)
async def test_what_is_missing_is_told_and_nothing_else(
    tmp_path: Path, calendar: Calendar, seed: int, days: object
) -> None:
    """The library's word and the books of the simulated clearing house agree at every look."""
    assert callable(days)
    chosen: list[date] = days(calendar)
    simulated = ReportYear(tmp_path / "archive", calendar, seed)
    states: Counter[ReportState] = Counter()
    for day in chosen:
        simulated.exchange.open_day(day)
        simulated.exchange.forget_before(day - timedelta(days=8))
        for at in hours_of(day, calendar):
            if at < simulated.clock.now():
                continue
            stood = await simulated.look(day, at)
            missing = simulated.owed_and_missing(day, at)
            assert missing == label_of(ReportState.MISSING, stood), (day, at)
            states.update(one.state for one in stood.standings)
    kinds = {calendar.day(day).kind for day in chosen}
    assert set(DayKind) - {DayKind.CLOSED} == kinds
    assert not calendar.is_business_day(date(2022, 6, 15))
    assert set(ReportState) == set(states)
