"""Names in a rollout stand for one thing each; what is broken here is broken one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import evolve

from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.model import (
    Bound,
    ChannelOutage,
    FieldKind,
    FormField,
    Rollout,
    Source,
    Window,
)
from hkex_ops.rollouts import faults_of, parse_bound

CALENDAR = load_calendar()
ROLLOUTS = load_rollouts(CALENDAR)
DCASS = ROLLOUTS["hkats-dcass-2019"]
PS2 = ROLLOUTS["backbone-ps2-2023"]
CP_ONLY = "'CCP' is not among the rollout's audience; did you mean 'CP'?"


def moment(text: str) -> Bound:
    return parse_bound(text, CALENDAR, ends=True)


def span(start: str, until: str) -> Window:
    return Window(moment(start), moment(until))


def replaced(rollout: Rollout, room: str, things: Sequence[object]) -> Rollout:
    """The rollout with another list in one of its rooms."""
    rooms: Any = {room: tuple(things)}
    return evolve(rollout, **rooms)


def outage(**told: Any) -> ChannelOutage:
    weekly = ChannelOutage(
        id="maintenance",
        channel="SFTP",
        rule="closed",
        from_weekday="Saturday",
        from_time="18:00",
        to_weekday="Sunday",
        to_time="24:00",
        source=Source(DCASS.circulars[0].title, "first paragraph"),
    )
    return evolve(weekly, **told)


def with_first_form(**told: Any) -> Rollout:
    first, *others = DCASS.forms
    return evolve(DCASS, forms=(evolve(first, **told), *others))


def with_part(**told: Any) -> Rollout:
    whole, primary, *others = PS2.sessions
    return evolve(PS2, sessions=(whole, evolve(primary, **told), *others))


# -- ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "room", ["retentions", "contingencies", "forms", "prerequisites", "announcements", "phases"]
)
def test_an_id_stands_once_in_its_room(room: str) -> None:
    things = getattr(DCASS, room)
    again = len(things)
    twice = replaced(DCASS, room, [*things, things[0]])
    expected = (f"{room}[{again}].id", f"{things[0].id!r} is the id of {room}[0] already")
    assert [expected] == list(faults_of(twice))


def test_what_stands_for_the_fallback_has_ids_of_its_own() -> None:
    plan = DCASS.fallback
    assert plan is not None
    twice = evolve(plan, standing=(*plan.standing, plan.standing[3]))
    assert [
        ("fallback.standing[7].id", "'passwords' is the id of fallback.standing[3] already")
    ] == list(faults_of(evolve(DCASS, fallback=twice)))


def test_a_field_stands_once_in_its_form() -> None:
    fields = DCASS.forms[0].fields
    assert [
        (
            "forms[0].fields[14].id",
            "'participant-full-name' is the id of forms[0].fields[0] already",
        )
    ] == list(faults_of(with_first_form(fields=(*fields, fields[0]))))


# -- services and audiences -----------------------------------------------------------------------


@pytest.mark.parametrize("room", ["restrictions", "requirements", "prerequisites"])
def test_a_service_is_one_of_the_rollouts(room: str) -> None:
    first, *others = getattr(DCASS, room)
    wrong = replaced(DCASS, room, [evolve(first, service="DCASS Online"), *others])
    assert [
        (
            f"{room}[0].service",
            "'DCASS Online' is not among the rollout's services; did you mean 'DCASS-Online'?",
        )
    ] == list(faults_of(wrong))


@pytest.mark.parametrize("room", ["restrictions", "requirements", "sessions"])
def test_an_audience_is_one_of_the_rollouts(room: str) -> None:
    first, *others = getattr(DCASS, room)
    wrong = replaced(DCASS, room, [evolve(first, audience=("CCP",)), *others])
    assert [(f"{room}[0].audience[0]", CP_ONLY)] == list(faults_of(wrong))


def test_a_step_names_a_known_service_and_a_known_audience() -> None:
    [session] = DCASS.sessions
    first, *others = session.steps
    step = evolve(first, service="OAPI", audience=("CCP",))
    wrong = evolve(DCASS, sessions=(evolve(session, steps=(step, *others)),))
    assert ["sessions[0].steps[0].service", "sessions[0].steps[0].audience[0]"] == [
        path for path, _ in faults_of(wrong)
    ]


def test_two_steps_of_one_moment_have_two_orders() -> None:
    [session] = DCASS.sessions
    first, second, *others = session.steps
    steps = (first, evolve(second, order=1), *others)
    wrong = evolve(DCASS, sessions=(evolve(session, steps=steps),))
    assert [
        (
            "sessions[0].steps[1].order",
            "before 1 is the order of sessions[0].steps[0] already",
        )
    ] == list(faults_of(wrong))


# -- sessions that name sessions ------------------------------------------------------------------


def test_a_part_is_of_a_session_that_there_is() -> None:
    assert [("sessions[1].part_of", "no session is called 'ps3'; did you mean 'ps2'?")] == list(
        faults_of(with_part(part_of="ps3"))
    )


def test_a_session_is_no_part_of_itself() -> None:
    assert [("sessions[1].part_of", "session 'ps2-primary' is a part of itself")] == list(
        faults_of(with_part(part_of="ps2-primary"))
    )


def test_two_sessions_are_not_parts_of_each_other() -> None:
    whole, *parts = PS2.sessions
    turned = evolve(PS2, sessions=(evolve(whole, part_of="ps2-primary"), *parts))
    assert {"sessions[0].part_of", "sessions[1].part_of"} <= {path for path, _ in faults_of(turned)}


@pytest.mark.parametrize(
    "window",
    [
        span("2023-11-25 (Saturday) 07:59", "2023-11-25 (Saturday) 10:00"),
        span("2023-11-25 (Saturday) 10:00", "2023-11-25 (Saturday) 12:11"),
    ],
)
def test_a_part_lies_inside_the_whole(window: Window) -> None:
    assert [
        (
            "sessions[1].window",
            "is not inside the window of session ps2, which it is a part of",
        )
    ] == list(faults_of(with_part(window=window)))


def test_a_restriction_names_a_session_that_there_is() -> None:
    first, *others = PS2.restrictions
    wrong = evolve(PS2, restrictions=(evolve(first, session="ps2-prim"), *others))
    assert [
        (
            "restrictions[0].session",
            "no session is called 'ps2-prim'; did you mean 'ps2-primary'?",
        )
    ] == list(faults_of(wrong))


# -- the checklist --------------------------------------------------------------------------------


def test_an_item_is_of_a_group_that_there_is() -> None:
    first, *others = DCASS.checklist
    wrong = evolve(DCASS, checklist=(evolve(first, group="F"), *others))
    assert [("checklist[0].group", "no group has the letter 'F'; known: A, B, C, D, E")] == list(
        faults_of(wrong)
    )


def test_an_item_has_a_number_of_its_own() -> None:
    first, second, *others = DCASS.checklist
    wrong = evolve(DCASS, checklist=(first, evolve(second, number=1), *others))
    assert [("checklist[1].number", "1 is the number of checklist[0] already")] == list(
        faults_of(wrong)
    )


def test_a_group_has_a_letter_of_its_own() -> None:
    first, second, *others = DCASS.checklist_groups
    wrong = evolve(DCASS, checklist_groups=(first, second, first, *others))
    assert [
        ("checklist_groups[2].letter", "'A' is the letter of checklist_groups[0] already")
    ] == list(faults_of(wrong))


# -- deadlines ------------------------------------------------------------------------------------


def test_a_prerequisite_is_due_before_the_first_session_that_needs_it() -> None:
    first, *others = DCASS.prerequisites
    late = evolve(first, due=moment("2019-05-05 (Sunday) 09:01"))
    assert [
        (
            "prerequisites[0].due",
            "2019-05-05T09:01:00+08:00 lies after the start of session post-release-verification "
            "(2019-05-05T09:00:00+08:00), which it serves",
        )
    ] == list(faults_of(evolve(DCASS, prerequisites=(late, *others))))


def test_a_form_may_be_due_the_moment_it_ceases_to_be_valid() -> None:
    assert [] == list(faults_of(with_first_form(due=moment("2019-05-05 (Sunday) 12:00"))))


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2019-05-05 (Sunday) 09:00", "lies before the form is valid, from"),
        ("2019-05-05 (Sunday) 12:01", "lies after the form has ceased to be valid, at"),
    ],
)
def test_a_form_is_due_while_it_is_valid(due: str, expected: str) -> None:
    [(path, message)] = faults_of(with_first_form(due=moment(due)))
    assert "forms[0].due" == path
    assert expected in message


# -- fields of forms, outages ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "key"),
    [
        (FormField("side", "Side", FieldKind.CHOICE), "choices"),
        (FormField("name", "Name", FieldKind.TEXT, choices=("A", "B")), "choices"),
        (FormField("users", "Users", FieldKind.USER_IDS, at_most=0), "at_most"),
    ],
)
def test_a_field_can_be_filled_in(field: FormField, key: str) -> None:
    assert [f"forms[0].fields[0].{key}"] == [
        path for path, _ in faults_of(with_first_form(fields=(field,)))
    ]


def test_an_outage_is_from_a_weekday_and_time_to_another() -> None:
    assert [] == list(faults_of(evolve(DCASS, outages=(outage(),))))


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        (lambda: outage(from_weekday="Saterday"), ("from_weekday", "did you mean 'Saturday'?")),
        (lambda: outage(to_weekday="So"), ("to_weekday", "'So' is no weekday")),
        (lambda: outage(from_time="6 pm"), ("from_time", "'6 pm' is no time of day")),
        (lambda: outage(to_time="24:01"), ("to_time", "lies outside 00:00 to 24:00")),
        (lambda: outage(to_time="01:45+1"), ("to_time", "names another day")),
    ],
)
def test_an_outage_that_cannot_be_placed_in_a_week_is_a_fault(
    broken: Callable[[], ChannelOutage], expected: tuple[str, str]
) -> None:
    key, words = expected
    [(path, message)] = faults_of(evolve(DCASS, outages=(broken(),)))
    assert f"outages[0].{key}" == path
    assert words in message
