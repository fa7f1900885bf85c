"""A moment is what the paper states and no more: exact, about, by a business event, or unknown."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, strategies as st

from hkex_ops.model import HONG_KONG, Bound, Certainty
from hkex_ops.rollouts import parse_bound, parse_date
from tests.rollouts.papers import CALENDAR

dates = st.dates(date(2009, 1, 2), date(2027, 12, 30))
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def hkt(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=HONG_KONG)


def start(text: str) -> Bound:
    return parse_bound(text, CALENDAR, ends=False)


def end(text: str) -> Bound:
    return parse_bound(text, CALENDAR, ends=True)


SATURDAY, MONDAY = date(2023, 4, 15), date(2023, 4, 17)
LAUNCH_2019, LAST_2019 = date(2019, 5, 6), date(2019, 5, 17)
ABOUT = Certainty.APPROXIMATE


@pytest.mark.parametrize(
    ("text", "as_start", "as_end"),
    [
        ("2023-04-15 (Saturday) 14:30", hkt(SATURDAY, 14, 30), hkt(SATURDAY, 14, 30)),
        ("2023-04-15 14:30", hkt(SATURDAY, 14, 30), hkt(SATURDAY, 14, 30)),
        ("2023-04-15 (Saturday) 00:00", hkt(SATURDAY), hkt(SATURDAY)),
        ("2023-04-16 (Sunday) 24:00", hkt(MONDAY), hkt(MONDAY)),
        ("2023-04-17 (Monday)", hkt(MONDAY), hkt(date(2023, 4, 18))),
        ("2023-04-17", hkt(MONDAY), hkt(date(2023, 4, 18))),
        ("2023-12-31 (Sunday)", hkt(date(2023, 12, 31)), hkt(date(2024, 1, 1))),
    ],
)
def test_a_plain_date_and_time_is_exact_and_keeps_no_words(
    text: str, as_start: datetime, as_end: datetime
) -> None:
    assert (Bound(as_start), Bound(as_end)) == (start(text), end(text))


@pytest.mark.parametrize(
    ("text", "hour"), [("2023-11-25 (Saturday) ~11:00", 11), ("2023-11-25 ~11:00", 11)]
)
def test_about_is_approximate_on_either_side(text: str, hour: int) -> None:
    expected = Bound(hkt(date(2023, 11, 25), hour), ABOUT)
    assert (expected, expected) == (start(text), end(text))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("close of business 2019-05-03 (Friday)", hkt(date(2019, 5, 4), 1, 45)),
        ("close of T+1 session 2019-05-03", hkt(date(2019, 5, 4), 1, 45)),
        ("start of T session 2019-05-06 (Monday)", hkt(LAUNCH_2019, 8, 45)),
        ("close of T+1 session 2019-05-17 (Friday)", hkt(date(2019, 5, 18), 1, 45)),
        ("close of T+1 session 2019-06-17", hkt(date(2019, 6, 18), 3, 0)),
        ("close of business 2010-01-22 (Friday)", hkt(date(2010, 1, 22), 18, 45)),
    ],
)
def test_a_business_event_falls_where_the_tables_of_its_day_say(text: str, at: datetime) -> None:
    expected = Bound(at, Certainty.EXACT, text)
    assert (expected, expected) == (start(text), end(text))


def test_a_business_event_that_the_tables_know_only_about_is_about() -> None:
    text = "close of business 2024-12-24 (Tuesday)"
    christmas_eve = date(2024, 12, 24)
    expected = Bound(CALENDAR.close_of_t1(christmas_eve), ABOUT, text)
    assert (expected, expected) == (start(text), end(text))
    assert ABOUT is CALENDAR.bound_of_close_of_t1(christmas_eve).certainty


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31 (Friday) 24:00"])
def test_the_last_day_there_is_has_no_end(text: str) -> None:
    with pytest.raises(ValueError, match=r"9999-12-31 has no day after it .* write open"):
        end(text)


@pytest.mark.parametrize(
    ("text", "certainty"), [("unknown", Certainty.UNKNOWN), ("open", Certainty.OPEN)]
)
def test_no_bound_and_an_unsaid_one_are_two_things(text: str, certainty: Certainty) -> None:
    expected = Bound(None, certainty, text)
    assert (expected, expected) == (start(text), end(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2023-04-15 (Sunday) 14:30", "2023-04-15 is a Saturday, the file says Sunday"),
        ("2023-04-17 (monday)", "2023-04-17 is a Monday, the file says monday"),
        ("close of business 2019-05-03 (Monday)", "2019-05-03 is a Friday, the file says Monday"),
        ("2023-02-29", "there is no date 2023-02-29"),
        ("2023-13-01 (Monday) 10:00", "there is no date 2023-13-01"),
        ("2023-04-15 25:00", "outside 00:00 to 24:00"),
        ("2023-04-15 14:60", "outside 00:00 to 24:00"),
        ("start of T+1 session 2019-05-06", "'start of T+1 session' is no business event; known: "),
        ("Close of business 2019-05-03", "'Close of business' is no business event; known: "),
        ("close of business 2019-05-04", "no business day"),
        ("start of T session 2019-05-13", "no business day"),
        ("close of business 2031-01-02", "lies outside the calendar tables"),
        ("", "is no moment; write it as"),
        ("14:30", "is no moment; write it as"),
        ("2023-04-1\N{FULLWIDTH DIGIT FIVE}", "is no moment; write it as"),
        ("15 April 2023", "is no moment; write it as"),
        ("15/04/2023", "is no moment; write it as"),
        ("2023-04-15T14:30", "is no moment; write it as"),
        ("2023-04-15 2:30 p.m.", "is no moment; write it as"),
        ("2023-04-15 01:45+1", "is no moment; write it as"),
        ("2023-04-15 (Saturday) 14:30 ", "is no moment; write it as"),
        ("close of business", "is no moment; write it as"),
        ("Unknown", "is no moment; write it as"),
        ("in due course", "is no moment; write it as"),
    ],
)
def test_any_other_form_is_refused_with_a_sentence(text: str, message: str) -> None:
    for parse in (start, end):
        with pytest.raises(ValueError) as raised:  # noqa: PT011 - the message is compared below
            parse(text)
        assert message in str(raised.value)


@given(dates, st.times(), st.booleans(), st.booleans())
def test_a_stated_instant_is_that_instant(
    day: date, time: time, about: bool, weekday: bool
) -> None:
    text = f"{day} ({day:%A})" if weekday else str(day)
    bound = start(f"{text} {'~' if about else ''}{time:%H:%M}")
    assert f"{day} {time:%H:%M}" == f"{bound.at:%Y-%m-%d %H:%M}"
    assert (ABOUT if about else Certainty.EXACT) is bound.certainty


@given(dates)
def test_a_date_alone_starts_with_its_first_instant_and_ends_with_the_next_days(day: date) -> None:
    assert Bound(hkt(day)) == start(str(day))
    assert Bound(hkt(day + timedelta(days=1))) == end(str(day))
    assert end(str(day)) == end(f"{day} 24:00")


@given(dates, st.sampled_from(WEEKDAYS))
def test_a_weekday_is_a_checksum(day: date, weekday: str) -> None:
    text = f"{day} ({weekday})"
    if f"{day:%A}" == weekday:
        assert day == parse_date(text)
        return
    with pytest.raises(ValueError, match=f"is a {day:%A}, the file says {weekday}"):
        parse_date(text)


@given(dates.filter(CALENDAR.is_business_day))
def test_close_of_business_is_close_of_t1_of_the_same_day(day: date) -> None:
    close = CALENDAR.close_of_t1(day)
    assert [close, close] == [
        end(f"{event} {day}").at for event in ("close of business", "close of T+1 session")
    ]
    assert CALENDAR.start_of_t(day) == start(f"start of T session {day}").at


FORMS = ("{}", "{} 09:00", "{} ~11:00", "{} 24:00")
EVENTS = ("start of T session {}", "close of T+1 session {}", "close of business {}")


@given(
    dates.filter(CALENDAR.is_business_day),
    dates.filter(CALENDAR.is_business_day),
    st.sampled_from((*FORMS, *EVENTS)),
)
def test_resolving_is_monotone_an_earlier_day_is_an_earlier_instant(
    one: date, other: date, form: str
) -> None:
    earlier, later = sorted([one, other])
    for resolve in (start, end):
        bounds = [resolve(form.format(day)).at for day in (earlier, later)]
        assert bounds[0] is not None
        assert bounds[1] is not None
        assert (bounds[0] < bounds[1]) == (earlier < later)


@given(dates.filter(CALENDAR.is_business_day), st.sampled_from((*FORMS, *EVENTS)))
def test_a_text_ends_no_earlier_than_it_starts(day: date, form: str) -> None:
    begins, ends = start(form.format(day)).at, end(form.format(day)).at
    assert begins is not None
    assert ends is not None
    assert begins <= ends


@given(dates.filter(CALENDAR.is_business_day))
def test_a_business_day_runs_from_its_t_session_to_its_t1_close_before_the_next_begins(
    day: date,
) -> None:
    begins, closes = start(f"start of T session {day}").at, end(f"close of business {day}").at
    following = CALENDAR.next_business_day(day)
    assert begins is not None
    assert closes is not None
    assert begins < closes < CALENDAR.start_of_t(following)


@given(st.text(alphabet="0123456789-:~ ()TSatunkowepcls+", max_size=30))
def test_a_text_is_a_bound_or_an_error(text: str) -> None:
    try:
        bound = start(text)
    except ValueError:
        return
    assert bound.at is not None or text in ("unknown", "open")


@pytest.mark.parametrize("text", ["", "17/04/2023", "2023-4-17", "2023-04-17 10:00", "Monday"])
def test_what_is_no_date_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"no date; write it as 2023-04-15 \(Saturday\)"):
        parse_date(text)
