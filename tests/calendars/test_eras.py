"""The hours of each era, on its first and on its last business day.

The rows are those of the securities and the index futures tables that were gathered from the
exchange's releases, and the clearing cut-offs that go with them.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from attrs import frozen

from hkex_ops.calendars import DayKind, Market
from hkex_ops.model import HONG_KONG
from tests.calendars.telling import CALENDAR, told, told_of


@frozen
class Era:
    """The hours of one market from ``first`` to ``last``, both business days.

    ``half_day`` is empty where no half day fell into the era: the eves of 2011 and of early 2012
    were Saturdays and Sundays.
    """

    market: Market
    first: date
    last: date
    full_day: tuple[str, ...]
    half_day: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.market} {self.first}"


LATEST = date(2027, 12, 30)

OLD_PRE_OPENING = "pre-opening 09:30-10:00"
PRE_OPENING = "pre-opening 09:00-09:30"
RANDOM_PRE_OPENING = "pre-opening 09:00-~09:22"
MORNING = "morning 09:30-12:00"
AUCTION, HALF_DAY_AUCTION = "closing-auction 16:00-~16:10", "closing-auction 12:00-~12:10"

SECURITIES = [
    Era(
        Market.SECURITIES,
        date(2009, 1, 2),
        date(2009, 3, 20),
        (
            OLD_PRE_OPENING,
            "morning 10:00-12:30",
            "afternoon 14:30-16:00",
            "closing-auction 16:00-16:10",
        ),
        (),
    ),
    Era(
        Market.SECURITIES,
        date(2009, 3, 23),
        date(2011, 3, 4),
        (OLD_PRE_OPENING, "morning 10:00-12:30", "afternoon 14:30-16:00"),
        (OLD_PRE_OPENING, "morning 10:00-12:30"),
    ),
    Era(
        Market.SECURITIES,
        date(2011, 3, 7),
        date(2012, 3, 2),
        (PRE_OPENING, MORNING, "afternoon 13:30-16:00"),
        (),
    ),
    Era(
        Market.SECURITIES,
        date(2012, 3, 5),
        date(2016, 7, 22),
        (PRE_OPENING, MORNING, "afternoon 13:00-16:00"),
        (PRE_OPENING, MORNING),
    ),
    Era(
        Market.SECURITIES,
        date(2016, 7, 25),
        date(2020, 10, 16),
        (PRE_OPENING, MORNING, "afternoon 13:00-16:00", AUCTION),
        (PRE_OPENING, MORNING, HALF_DAY_AUCTION),
    ),
    Era(
        Market.SECURITIES,
        date(2020, 10, 19),
        LATEST,
        (RANDOM_PRE_OPENING, MORNING, "afternoon 13:00-16:00", AUCTION),
        (RANDOM_PRE_OPENING, MORNING, HALF_DAY_AUCTION),
    ),
]

OLD_DERIVATIVES_MORNING = ("pre-market-opening 09:15-09:45", "morning 09:45-12:30")
DERIVATIVES_MORNING = ("pre-market-opening 08:45-09:15", "morning 09:15-12:00")
LONG_HALF_DAY = ("pre-market-opening 08:45-09:15", "morning 09:15-12:30")
DERIVATIVES_AFTERNOON = ("pre-market-opening 12:30-13:00", "afternoon 13:00-16:15")
LONG_AFTERNOON = ("pre-market-opening 12:30-13:00", "afternoon 13:00-16:30")

DERIVATIVES = [
    Era(
        Market.DERIVATIVES,
        date(2009, 3, 23),
        date(2011, 3, 4),
        (*OLD_DERIVATIVES_MORNING, "pre-market-opening 14:00-14:30", "afternoon 14:30-16:15"),
        OLD_DERIVATIVES_MORNING,
    ),
    Era(
        Market.DERIVATIVES,
        date(2011, 3, 7),
        date(2012, 3, 2),
        (*DERIVATIVES_MORNING, "pre-market-opening 13:00-13:30", "afternoon 13:30-16:15"),
        (),
    ),
    Era(
        Market.DERIVATIVES,
        date(2012, 3, 5),
        date(2013, 4, 5),
        (*DERIVATIVES_MORNING, *DERIVATIVES_AFTERNOON),
        DERIVATIVES_MORNING,
    ),
    Era(
        Market.DERIVATIVES,
        date(2013, 4, 8),
        date(2014, 10, 31),
        (*DERIVATIVES_MORNING, *DERIVATIVES_AFTERNOON, "after-hours 17:00-23:00"),
        DERIVATIVES_MORNING,
    ),
    Era(
        Market.DERIVATIVES,
        date(2014, 11, 3),
        date(2016, 7, 22),
        (*DERIVATIVES_MORNING, *DERIVATIVES_AFTERNOON, "after-hours 17:00-23:45"),
        DERIVATIVES_MORNING,
    ),
    Era(
        Market.DERIVATIVES,
        date(2016, 7, 25),
        date(2017, 11, 3),
        (*DERIVATIVES_MORNING, *LONG_AFTERNOON, "after-hours 17:15-23:45"),
        LONG_HALF_DAY,
    ),
    Era(
        Market.DERIVATIVES,
        date(2017, 11, 6),
        date(2019, 6, 14),
        (*DERIVATIVES_MORNING, *LONG_AFTERNOON, "after-hours 17:15-01:00+1"),
        LONG_HALF_DAY,
    ),
    Era(
        Market.DERIVATIVES,
        date(2019, 6, 17),
        LATEST,
        (*DERIVATIVES_MORNING, *LONG_AFTERNOON, "after-hours 17:15-03:00+1"),
        LONG_HALF_DAY,
    ),
]

OLD_T, T = "t-session 09:15-18:45", "t-session 08:45-18:45"
HALF_DAY_T = ("t-session 08:45-~18:45",)

CLEARING = [
    Era(
        Market.CLEARING,
        date(2009, 1, 2),
        date(2011, 3, 4),
        (OLD_T,),
        ("t-session 09:15-~18:45",),
    ),
    Era(Market.CLEARING, date(2011, 3, 7), date(2013, 4, 5), (T,), HALF_DAY_T),
    Era(
        Market.CLEARING,
        date(2013, 4, 8),
        date(2014, 10, 31),
        (T, "t+1-session 17:00-23:45"),
        HALF_DAY_T,
    ),
    Era(
        Market.CLEARING,
        date(2014, 11, 3),
        date(2016, 7, 22),
        (T, "t+1-session 17:00-00:30+1"),
        HALF_DAY_T,
    ),
    Era(
        Market.CLEARING,
        date(2016, 7, 25),
        date(2017, 11, 3),
        (T, "t+1-session 17:15-00:30+1"),
        HALF_DAY_T,
    ),
    Era(
        Market.CLEARING,
        date(2017, 11, 6),
        date(2019, 6, 14),
        (T, "t+1-session 17:15-01:45+1"),
        HALF_DAY_T,
    ),
    Era(Market.CLEARING, date(2019, 6, 17), LATEST, (T, "t+1-session 17:15-03:00+1"), HALF_DAY_T),
]

ERAS = [*SECURITIES, *DERIVATIVES, *CLEARING]
every_era = pytest.mark.parametrize("era", ERAS, ids=str)


@every_era
def test_an_era_begins_and_ends_on_its_day(era: Era) -> None:
    assert list(era.full_day) == told_of(era.first, era.market)
    assert list(era.full_day) == told_of(era.last, era.market)


@every_era
def test_every_full_day_of_an_era_has_its_hours(era: Era) -> None:
    days = [CALENDAR.day(day) for day in CALENDAR.business_days(era.first, era.last)]
    odd = [
        day.date
        for day in days
        if day.kind is DayKind.FULL and told(day, era.market) != list(era.full_day)
    ]
    assert [] == odd


@every_era
def test_every_half_day_of_an_era_has_its_hours(era: Era) -> None:
    days = [CALENDAR.day(day) for day in CALENDAR.business_days(era.first, era.last)]
    halves = [told(day, era.market) for day in days if day.kind is DayKind.HALF]
    assert [list(era.half_day)] * len(halves) == halves
    assert bool(era.half_day) == bool(halves)


@pytest.mark.parametrize("eras", [SECURITIES, DERIVATIVES, CLEARING], ids=lambda e: e[0].market)
def test_one_era_follows_the_other_without_a_gap(eras: list[Era]) -> None:
    following = [CALENDAR.next_business_day(era.last) for era in eras[:-1]]
    assert [era.first for era in eras[1:]] == following


@pytest.mark.parametrize("day", [date(2016, 7, 25), date(2027, 12, 30)], ids=str)
def test_the_closing_auction_ends_at_random_from_eight_minutes_past(day: date) -> None:
    auction = CALENDAR.day(day).securities[-1]
    assert datetime(day.year, day.month, day.day, 16, 8, tzinfo=HONG_KONG) == auction.earliest


def test_the_pre_opening_match_comes_at_random_since_october_2020() -> None:
    before, since = (CALENDAR.day(date(2020, 10, n)).securities[0] for n in (16, 19))
    assert before.earliest is None
    assert datetime(2020, 10, 19, 9, 20, tzinfo=HONG_KONG) == since.earliest


@every_era
def test_pre_market_opening_lasts_half_an_hour_and_runs_into_its_session(era: Era) -> None:
    sessions = CALENDAR.day(era.first).derivatives
    pairs = [
        (one, following)
        for one, following in pairwise(sessions)
        if one.name == "pre-market-opening"
    ]
    assert 2 == len(pairs)
    for opening, session in pairs:
        assert opening.window.until.at == session.window.start.at
        assert opening.window.start.at is not None
        assert session.window.start.at == opening.window.start.at + timedelta(minutes=30)
