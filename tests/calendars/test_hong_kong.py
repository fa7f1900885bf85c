"""The days that are known for certain, one by one."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from hkex_ops.calendars import DayKind, DayRow, HoursRow, Market, SourceKind
from hkex_ops.errors import OutsideCalendar, UsageError
from hkex_ops.model import HONG_KONG
from tests.calendars.telling import CALENDAR, told_of

FIRST, LAST = date(2009, 1, 1), date(2027, 12, 31)

ROWS: list[DayRow | HoursRow] = [*CALENDAR.tables.days, *CALENDAR.tables.hours]


def test_22_january_2010_is_a_full_day_of_the_old_hours() -> None:
    day = date(2010, 1, 22)
    assert DayKind.FULL is CALENDAR.day(day).kind
    expected = ["pre-opening 09:30-10:00", "morning 10:00-12:30", "afternoon 14:30-16:00"]
    assert expected == told_of(day, Market.SECURITIES)


@pytest.mark.parametrize(
    "day",
    [
        date(2016, 8, 2),
        date(2016, 10, 21),
        date(2017, 8, 23),
        date(2020, 10, 13),
        date(2021, 10, 13),
        date(2023, 7, 17),
        date(2023, 9, 1),
        date(2023, 9, 8),
        date(2024, 9, 6),
    ],
    ids=str,
)
def test_a_weekday_lost_to_weather_is_closed(day: date) -> None:
    found = CALENDAR.day(day)
    assert (DayKind.CLOSED, False) == (found.kind, found.trading)
    assert ((), (), ()) == (found.securities, found.derivatives, found.clearing)
    assert not CALENDAR.is_business_day(day)
    assert found.name
    assert found.sources


@pytest.mark.parametrize("day", [date(2023, 4, 5), date(2023, 4, 7), date(2023, 4, 10)], ids=str)
def test_ching_ming_and_easter_of_2023_are_closed(day: date) -> None:
    assert DayKind.CLOSED is CALENDAR.day(day).kind


def test_the_registration_day_of_2023_is_the_last_business_day_before_easter() -> None:
    assert date(2023, 4, 6) == CALENDAR.previous_business_day(date(2023, 4, 11))
    assert date(2023, 4, 11) == CALENDAR.next_business_day(date(2023, 4, 6))


def test_9_october_2023_opens_late() -> None:
    day = date(2023, 10, 9)
    assert DayKind.LATE_OPEN is CALENDAR.day(day).kind
    expected = ["afternoon 14:00-16:00", "closing-auction 16:00-~16:10"]
    assert expected == told_of(day, Market.SECURITIES)
    assert "pre-market-opening 13:30-14:00" == told_of(day, Market.DERIVATIVES)[0]
    assert told_of(date(2023, 10, 10), Market.CLEARING) == told_of(day, Market.CLEARING)


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (date(2009, 9, 15), "14:30"),
        (date(2012, 7, 24), "13:00"),
        (date(2013, 9, 23), "13:00"),
        (date(2014, 9, 16), "13:00"),
        (date(2020, 8, 19), "13:30"),
        (date(2021, 6, 28), "13:30"),
        (date(2022, 8, 25), "13:00"),
    ],
    ids=str,
)
def test_a_morning_lost_to_weather_is_a_late_open_without_pre_opening(
    day: date, opens: str
) -> None:
    assert DayKind.LATE_OPEN is CALENDAR.day(day).kind
    assert f"afternoon {opens}-16:00" == told_of(day, Market.SECURITIES)[0]


@pytest.mark.parametrize("day", [date(2019, 7, 31), date(2022, 11, 2)], ids=str)
def test_a_typhoon_in_the_afternoon_closes_both_markets_early(day: date) -> None:
    found = CALENDAR.day(day)
    assert (DayKind.EARLY_CLOSE, True) == (found.kind, found.trading)
    assert "afternoon 13:00-13:55" == told_of(day, Market.SECURITIES)[-1]
    assert "afternoon 13:00-13:55" == told_of(day, Market.DERIVATIVES)[-1]


@pytest.mark.parametrize("day", [date(2024, 11, 14), date(2025, 9, 24)], ids=str)
def test_since_september_2024_the_exchange_trades_through_the_typhoon(day: date) -> None:
    found = CALENDAR.day(day)
    assert DayKind.FULL is found.kind
    assert "severe weather" in found.name
    ordinary = day + timedelta(days=1)
    assert told_of(ordinary, Market.SECURITIES) == told_of(day, Market.SECURITIES)


@pytest.mark.parametrize(
    "day",
    [
        date(2009, 12, 24),
        date(2010, 12, 24),
        date(2010, 12, 31),
        date(2011, 2, 2),
        date(2024, 2, 9),
        date(2025, 1, 28),
        date(2026, 2, 16),
        date(2027, 2, 5),
        date(2027, 12, 24),
        date(2027, 12, 31),
    ],
    ids=str,
)
def test_the_eves_are_half_days(day: date) -> None:
    found = CALENDAR.day(day)
    assert (DayKind.HALF, True) == (found.kind, found.trading)
    assert "afternoon" not in [one.name for one in found.securities]
    assert "after-hours" not in [one.name for one in found.derivatives]


@pytest.mark.parametrize("day", [date(2019, 5, 6), date(2023, 4, 17)], ids=str)
def test_a_launch_day_is_an_ordinary_day(day: date) -> None:
    found = CALENDAR.day(day)
    assert (DayKind.FULL, "", ()) == (found.kind, found.name, found.unconfirmed)


def test_the_stabilisation_period_of_2019_has_9_business_days() -> None:
    days = CALENDAR.business_days(date(2019, 5, 6), date(2019, 5, 17))
    assert 9 == len(days)
    assert date(2019, 5, 13) not in days


def test_the_stabilisation_period_of_2023_has_10_business_days() -> None:
    days = CALENDAR.business_days(date(2023, 4, 17), date(2023, 4, 28))
    assert [*range(17, 22), *range(24, 29)] == [day.day for day in days]


def test_t1_of_friday_3_may_2019_closes_on_saturday_and_is_fridays() -> None:
    friday = date(2019, 5, 3)
    expected = datetime(2019, 5, 4, 1, 45, tzinfo=HONG_KONG)
    assert expected == CALENDAR.close_of_t1(friday)
    assert friday == CALENDAR.day(friday).clearing[-1].window.business_date
    assert not CALENDAR.is_business_day(expected.date())


def test_t_of_6_may_2019_starts_at_the_pre_market_opening() -> None:
    launch = date(2019, 5, 6)
    expected = datetime(2019, 5, 6, 8, 45, tzinfo=HONG_KONG)
    assert expected == CALENDAR.start_of_t(launch)
    assert expected == CALENDAR.day(launch).derivatives[0].window.start.at


def test_before_after_hours_trading_the_cut_off_of_t_closes_the_day() -> None:
    expected = datetime(2010, 1, 22, 18, 45, tzinfo=HONG_KONG)
    assert expected == CALENDAR.close_of_t1(date(2010, 1, 22))


@pytest.mark.parametrize("day", [date(2024, 1, 6), date(2023, 4, 16)], ids=str)
def test_a_weekend_is_closed_and_named(day: date) -> None:
    found = CALENDAR.day(day)
    assert (DayKind.CLOSED, f"{day:%A}") == (found.kind, found.name)


@pytest.mark.parametrize("day", [date(2019, 5, 13), date(2019, 5, 11)], ids=str)
def test_a_closed_day_has_no_t_session(day: date) -> None:
    for ask in (CALENDAR.start_of_t, CALENDAR.close_of_t1):
        with pytest.raises(UsageError, match="has no T session") as raised:
            ask(day)
        assert CALENDAR.day(day).name in str(raised.value)


def test_the_tables_cover_2009_to_2027() -> None:
    assert (FIRST, LAST) == (CALENDAR.tables.first_day, CALENDAR.tables.last_day)
    assert DayKind.CLOSED is CALENDAR.day(FIRST).kind
    assert DayKind.HALF is CALENDAR.day(LAST).kind


@pytest.mark.parametrize("outside", [FIRST - timedelta(days=1), LAST + timedelta(days=1)], ids=str)
def test_no_question_about_a_date_outside_the_tables_is_guessed(outside: date) -> None:
    inside = date(2023, 4, 17)
    for ask in (
        lambda: CALENDAR.day(outside),
        lambda: CALENDAR.is_business_day(outside),
        lambda: CALENDAR.business_days(min(outside, inside), max(outside, inside)),
        lambda: CALENDAR.next_business_day(outside),
        lambda: CALENDAR.previous_business_day(outside),
        lambda: CALENDAR.start_of_t(outside),
        lambda: CALENDAR.close_of_t1(outside),
    ):
        with pytest.raises(OutsideCalendar, match="2009-01-01 to 2027-12-31") as raised:
            ask()
        assert str(outside) in str(raised.value)
        assert "file of your own" in str(raised.value)


def test_the_business_day_beyond_the_tables_is_not_guessed_either() -> None:
    with pytest.raises(OutsideCalendar, match="2028-01-01 lies outside"):
        CALENDAR.next_business_day(LAST)
    with pytest.raises(OutsideCalendar, match="2008-12-31 lies outside"):
        CALENDAR.previous_business_day(FIRST)


def test_the_shipped_tables_have_no_fault() -> None:
    assert [] == list(CALENDAR.tables.faults())


def test_every_answer_about_a_weekday_names_its_sources() -> None:
    traded = CALENDAR.business_days(FIRST, LAST)
    assert [] == [day for day in traded if not CALENDAR.day(day).sources]
    assert [] == [row.date for row in CALENDAR.tables.days if not CALENDAR.day(row.date).sources]


def test_a_row_whose_only_basis_is_a_package_is_unconfirmed() -> None:
    kinds = {source.id: source.kind for source in CALENDAR.tables.sources}
    by_package = [row for row in ROWS if kinds[row.source] is SourceKind.PACKAGE]
    assert by_package
    assert [] == [row for row in by_package if row.confirmed]


def test_no_row_is_surer_than_its_source() -> None:
    sure = {source.id for source in CALENDAR.tables.sources if source.confirmed}
    assert [] == [row for row in ROWS if row.confirmed and row.source not in sure]
    packages = [one for one in CALENDAR.tables.sources if one.kind is SourceKind.PACKAGE]
    assert [] == [one for one in packages if one.confirmed]


def test_an_unconfirmed_row_says_why() -> None:
    kinds = {source.id: source.kind for source in CALENDAR.tables.sources}
    silent = [row for row in ROWS if not row.confirmed and not row.note]
    assert [] == [row for row in silent if kinds[row.source] is not SourceKind.PACKAGE]


def test_an_unconfirmed_part_of_an_answer_is_named() -> None:
    day = CALENDAR.day(date(2010, 1, 22))
    assert ("derivatives", "clearing") == day.unconfirmed
    assert any(note.startswith("derivatives: ") for note in day.notes)
    unsure = [row for row in CALENDAR.tables.days if not row.confirmed]
    assert unsure
    assert {"day"} == {CALENDAR.day(row.date).unconfirmed[0] for row in unsure}
