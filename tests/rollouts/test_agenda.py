"""What must I do next, and by when: what is listed, what is left out, and in which order."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import attrs
import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import OutsideCalendar
from hkex_ops.model import Bound, Certainty, Recurrence, Rollout, Window
from hkex_ops.rollouts import (
    AgendaItem,
    ItemKind,
    ItemState,
    agenda,
    business_days_of,
    nearest_deadline,
)
from tests.rollouts.papers import CALENDAR, RRS_2023
from tests.rollouts.shipped import SHIPPED, at, instants

REGISTRATION = "rrs-2023/registration/connectivity-sessions"
DAILY = "rrs-2023/obligation/daily-download-and-back-up"
STABILISATION = [17, 18, 19, 20, 21, 24, 25, 26, 27, 28]
UNKNOWN = Bound(None, Certainty.UNKNOWN)
OPEN = Bound(None, Certainty.OPEN)


def listed(text: str, rollout: Rollout = RRS_2023, **more: object) -> list[str]:
    return [item.id for item in agenda([rollout], CALENDAR, at(text), **more)]  # type: ignore[arg-type]


def item(id: str, rollout: Rollout) -> AgendaItem:
    found = agenda([rollout], CALENDAR, at("2019-01-01"), past=True, horizon=timedelta(days=3000))
    return next(one for one in found if one.id == id)


def test_on_the_day_it_is_issued_the_whole_circular_lies_ahead_in_order() -> None:
    assert [
        REGISTRATION,
        "rrs-2023/session/session-1",
        "rrs-2023/session/session-2",
        "rrs-2023/obligation/production-addresses",
        f"{DAILY}/2023-04-17",
        "rrs-2023/obligation/coordinate",
        *(f"{DAILY}/2023-04-{day}" for day in STABILISATION[1:]),
    ] == listed("2023-03-23")


def test_an_item_says_what_it_is_by_when_and_where_the_paper_says_so() -> None:
    [found, *_] = agenda([RRS_2023], CALENDAR, at("2023-03-23"))
    assert (ItemKind.REGISTRATION, "rrs-2023", None, "event section of Client Connect") == (
        found.kind,
        found.rollout,
        found.grade,
        found.detail,
    )
    assert Bound(at("2023-04-06T18:00")) == found.due
    assert "CD/OEC/HKCC/073/2023" == found.source.circular


@pytest.mark.parametrize(
    ("expected", "instant"),
    [
        (ItemState.DUE, "2023-04-06T17:59"),
        (ItemState.DUE, "2023-04-06T18:00"),
        (ItemState.OVERDUE, "2023-04-06T18:00:00.000001"),
    ],
)
def test_a_deadline_is_inclusive(expected: ItemState, instant: str) -> None:
    assert expected is item(REGISTRATION, RRS_2023).state(at(instant))


def test_a_deadline_that_is_a_day_ends_with_the_day() -> None:
    prts = SHIPPED["backbone-prt-2024"]
    [registration] = [one for one in agenda([prts], CALENDAR, at("2023-12-20")) if one.due]
    assert ItemState.DUE is registration.state(at("2023-12-29T23:59:59.999999"))
    assert ItemState.OVERDUE is registration.state(at("2023-12-30"))


@pytest.mark.parametrize(
    ("expected", "instant"),
    [
        (ItemState.COMING, "2023-04-15T14:29:59"),
        (ItemState.OPEN, "2023-04-15T14:30"),
        (ItemState.OPEN, "2023-04-15T15:29:59"),
        (ItemState.OVER, "2023-04-15T15:30"),
    ],
)
def test_a_session_is_coming_then_open_then_over(expected: ItemState, instant: str) -> None:
    assert expected is item("rrs-2023/session/session-1", RRS_2023).state(at(instant))


def test_what_is_past_is_left_out_unless_asked_for() -> None:
    assert [] == listed("2023-04-29")
    past = listed("2023-04-29", past=True)
    assert {REGISTRATION, "rrs-2023/session/session-1", f"{DAILY}/2023-04-17"} <= set(past)
    assert 15 == len(past)


def test_what_begins_beyond_the_horizon_is_left_out() -> None:
    assert [REGISTRATION] == listed("2023-04-06", horizon=timedelta(hours=20))[:1]
    assert "rrs-2023/session/session-1" not in listed("2023-04-06", horizon=timedelta(days=9))
    assert "rrs-2023/session/session-1" in listed("2023-04-06", horizon=timedelta(days=10))


def test_what_can_be_done_now_is_listed_however_far_its_deadline_lies() -> None:
    listed_now = listed("2023-03-25", horizon=timedelta())
    assert ["rrs-2023/obligation/coordinate"] == listed_now


def test_a_daily_obligation_is_one_item_for_each_business_day() -> None:
    found = agenda([RRS_2023], CALENDAR, at("2023-04-20T10:00"))
    assert [f"{DAILY}/2023-04-{day}" for day in (20, 21, 24, 25, 26, 27, 28)] == [
        one.id for one in found
    ]
    today = found[0]
    assert (Bound(at("2023-04-20")), Bound(at("2023-04-21")), DAILY) == (
        today.start,
        today.due,
        today.series,
    )
    assert [ItemState.DUE, ItemState.COMING] == [
        one.state(at("2023-04-20T10:00")) for one in found[:2]
    ]


def test_the_stabilisation_of_2019_has_nine_business_days_and_ends_with_fridays() -> None:
    """Its T+1 session closes on Saturday 18 May at 01:45, and 13 May was a holiday."""
    daily = [
        one
        for one in SHIPPED["hkats-dcass-2019"].requirements
        if one.recurrence is Recurrence.EVERY_BUSINESS_DAY
    ]
    assert daily
    days = [6, 7, 8, 9, 10, 14, 15, 16, 17]
    for demand in daily:
        assert [date(2019, 5, day) for day in days] == list(business_days_of(demand, CALENDAR))


def test_a_window_that_ends_with_mondays_t1_session_does_not_hold_tuesday() -> None:
    [daily, *_] = RRS_2023.requirements
    until = Bound(CALENDAR.close_of_t1(date(2023, 4, 17)))
    short = attrs.evolve(daily, window=attrs.evolve(daily.window, until=until))
    assert until.at is not None
    assert date(2023, 4, 18) == until.at.date()
    assert (date(2023, 4, 17),) == business_days_of(short, CALENDAR)


def test_the_checklist_stands_in_the_papers_order() -> None:
    found = agenda([SHIPPED["hkats-dcass-2019"]], CALENDAR, at("2019-04-15"))
    numbers = [int(one.id.split("/")[2]) for one in found if one.kind is ItemKind.CHECKLIST]
    assert list(range(1, 23)) == sorted(numbers)
    assert list(range(1, 10)) == numbers[:9]


def test_forms_have_their_deadline_or_their_validity() -> None:
    found = agenda([SHIPPED["hkats-dcass-2019"]], CALENDAR, at("2019-04-15"))
    forms = {one.id.split("/")[2]: one for one in found if one.kind is ItemKind.FORM}
    assert {"password-reset", "confirmation"} == forms.keys()
    assert Bound(at("2019-05-05T12:30")) == forms["confirmation"].due
    reset = forms["password-reset"]
    assert (Bound(at("2019-05-05T09:00")), Bound(at("2019-05-05T12:00")), None) == (
        reset.start,
        reset.until,
        reset.due,
    )


def test_what_has_an_unknown_time_is_listed_last_and_says_so() -> None:
    session = attrs.evolve(RRS_2023.sessions[0], id="someday", window=Window(UNKNOWN, UNKNOWN))
    rollout = attrs.evolve(RRS_2023, sessions=(session, *RRS_2023.sessions))
    last = agenda([rollout], CALENDAR, at("2023-04-01"))[-1]
    assert ("rrs-2023/session/someday", UNKNOWN) == (last.id, last.start)
    assert ItemState.UNKNOWN is last.state(at("2030-01-01"))
    assert ["rrs-2023/session/someday"] == listed("2030-01-01", rollout)


def test_a_known_end_ends_the_doubt_about_the_start() -> None:
    [session, *_] = RRS_2023.sessions
    doubtful = attrs.evolve(session, window=Window(UNKNOWN, session.window.until))
    found = item("rrs-2023/session/session-1", attrs.evolve(RRS_2023, sessions=(doubtful,)))
    assert [ItemState.UNKNOWN, ItemState.OVER] == [
        found.state(at(text)) for text in ("2023-04-15T15:00", "2023-04-15T15:30")
    ]


def test_a_duty_without_an_end_stays_open() -> None:
    [_, duty, *_] = RRS_2023.requirements
    endless = attrs.evolve(duty, window=Window(OPEN, OPEN), recurrence=Recurrence.THROUGHOUT)
    rollout = attrs.evolve(RRS_2023, requirements=(endless,))
    assert [f"rrs-2023/obligation/{duty.id}"] == listed("2026-01-01", rollout)


def test_only_what_is_for_the_audience_is_listed() -> None:
    [session, *_] = RRS_2023.sessions
    mixed = attrs.evolve(
        RRS_2023,
        sessions=(
            session,
            attrs.evolve(session, id="for-ep", audience=("EP",)),
            attrs.evolve(session, id="for-all", audience=()),
        ),
        requirements=(),
        registrations=(),
    )
    for audience, expected in {
        "cp": ["session-1", "for-all"],
        "EP": ["for-ep", "for-all"],
        None: ["session-1", "for-ep", "for-all"],
    }.items():
        found = listed("2023-04-01", mixed, audience=audience)
        assert [f"rrs-2023/session/{one}" for one in expected] == found


def test_what_is_done_is_never_listed_again() -> None:
    done = {REGISTRATION, f"{DAILY}/2023-04-18"}
    assert not done & set(listed("2023-04-01", done=done))
    assert not done & set(listed("2023-05-01", done=done, past=True))


def test_a_day_outside_the_tables_is_an_error_and_only_when_it_is_asked_for() -> None:
    [daily, *_] = RRS_2023.requirements
    far = Window(Bound(at("2023-04-17")), Bound(at("2029-01-01")))
    rollout = attrs.evolve(RRS_2023, requirements=(attrs.evolve(daily, window=far),))
    assert listed("2027-06-01", rollout)
    with pytest.raises(OutsideCalendar):
        listed("2028-06-01", rollout)


def test_the_nearest_deadline_is_the_first_that_can_be_met() -> None:
    for instant, expected in {
        "2023-04-01": REGISTRATION,
        "2023-04-15T15:00": "rrs-2023/obligation/production-addresses",
        "2023-04-28T10:00": f"{DAILY}/2023-04-28",
    }.items():
        items = agenda([RRS_2023], CALENDAR, at(instant), past=True)
        found = nearest_deadline(items, at(instant))
        assert found is not None
        assert expected == found.id
    assert nearest_deadline((), at("2023-04-01")) is None


# -- promises that hold at any instant ------------------------------------------------------------

EVERYTHING = agenda(
    SHIPPED.values(),
    CALENDAR,
    at("2019-01-01"),
    past=True,
    horizon=timedelta(days=3000),
)
RANK = {state: rank for rank, state in enumerate(ItemState)}


@given(instants(), st.sets(st.sampled_from([one.id for one in EVERYTHING])), st.booleans())
def test_a_done_item_is_never_listed(instant: datetime, done: set[str], past: bool) -> None:
    found = agenda(SHIPPED.values(), CALENDAR, instant, done=done, past=past)
    assert not done & {one.id for one in found}


@given(instants())
def test_nothing_listed_is_past_and_no_deadline_is_missed(instant: datetime) -> None:
    found = agenda(SHIPPED.values(), CALENDAR, instant)
    assert not [one.id for one in found if one.state(instant).past]
    for one in found:
        assert one.due is None or one.due.at is None or instant <= one.due.at


@given(st.sampled_from(EVERYTHING), instants(), instants())
def test_time_only_moves_an_item_forward(
    one: AgendaItem, first: datetime, second: datetime
) -> None:
    earlier, later = sorted([first, second])
    states = [one.state(earlier), one.state(later)]
    assert RANK[states[0]] <= RANK[states[1]]


def test_ids_are_never_used_twice() -> None:
    assert len(EVERYTHING) == len({one.id for one in EVERYTHING})
