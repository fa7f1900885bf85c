"""Which steps a session has for whom, and by which rule it may not be worked."""

from __future__ import annotations

from datetime import datetime

import pytest

from hkex_ops.calendars import Calendar
from hkex_ops.config.shipped import load_calendar, load_rollouts
from hkex_ops.errors import UsageError
from hkex_ops.model import HONG_KONG, Rollout, Step, StepAction
from hkex_ops.rundown import PlannedStep, barred, planned_steps, rules_in, session_named


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return load_calendar()


@pytest.fixture(scope="module")
def rollouts(calendar: Calendar) -> dict[str, Rollout]:
    return dict(load_rollouts(calendar))


def planned(rollout: Rollout, session: str, audience: str | None = None) -> tuple[PlannedStep, ...]:
    return planned_steps(rollout, session_named(session, rollout), audience)


def ids(steps: tuple[PlannedStep, ...]) -> list[str]:
    return [one.step.id for one in steps]


def hkt(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HONG_KONG)


def test_steps_come_in_the_papers_order_and_only_those_during_are_bound(
    rollouts: dict[str, Rollout],
) -> None:
    steps = planned(rollouts["rrs-2023"], "session-2")
    expected = [
        ("check-addresses", False),
        ("check-configuration", False),
        ("log-in", True),
        ("compare-listing", True),
        ("download", True),
        ("log-out", True),
        ("keep-check-configuration", False),
    ]
    assert expected == [(one.step.id, one.step.window is not None) for one in steps]


def test_steps_of_one_action_are_numbered(rollouts: dict[str, Rollout]) -> None:
    steps = planned(rollouts["hkats-dcass-2019"], "post-release-verification")
    assert len(set(ids(steps))) == len(steps)
    assert ["log-in", "log-in-2"] == [id for id in ids(steps) if id.startswith("log-in")]


def test_steps_for_another_audience_are_left_out_and_ids_stay(
    rollouts: dict[str, Rollout],
) -> None:
    ps2 = rollouts["backbone-ps2-2023"]
    assert ["log-in", "manual"] == ids(planned(ps2, "ps2-primary", "EP"))
    assert ["log-in-2"] == ids(planned(ps2, "ps2-primary", "CCEP"))


def test_where_steps_are_for_some_only_the_audience_is_asked_for(
    rollouts: dict[str, Rollout],
) -> None:
    with pytest.raises(UsageError, match=r"name the audience \(CCEP, EP\)"):
        planned(rollouts["backbone-ps2-2023"], "ps2-primary")


def test_a_session_of_parts_names_them(rollouts: dict[str, Rollout]) -> None:
    with pytest.raises(UsageError, match=r"work its parts: ps2-primary, ps2-backup$"):
        planned(rollouts["backbone-ps2-2023"], "ps2", "EP")


def test_a_session_without_a_rundown_says_so(rollouts: dict[str, Rollout]) -> None:
    with pytest.raises(UsageError, match="no rundown of it: enter the one that you were sent"):
        planned(rollouts["backbone-ps2-2023"], "ps2-failover", "EP")


def test_an_unknown_session_names_the_known_ones(rollouts: dict[str, Rollout]) -> None:
    with pytest.raises(UsageError, match="its sessions: session-1, session-2"):
        session_named("session-3", rollouts["rrs-2023"])


def test_a_person_does_what_the_caller_says(rollouts: dict[str, Rollout]) -> None:
    rollout = rollouts["rrs-2023"]

    def by_person(step: Step) -> bool:
        return step.action is StepAction.LOG_IN

    steps = planned_steps(rollout, session_named("session-1", rollout), None, by_person)
    assert ["log-in"] == [one.step.id for one in steps if one.step.by_person]


@pytest.mark.parametrize(
    ("at", "begun", "expected"),
    [
        ("2023-04-15T14:29:59", False, "Secondary Data Centre (Session 1) opens at"),
        ("2023-04-15T14:29:59", True, "Secondary Data Centre (Session 1) opens at"),
        ("2023-04-15T14:30", False, None),
        ("2023-04-15T15:29:59", False, None),
        ("2023-04-15T15:30", False, "Secondary Data Centre (Session 1) closed at"),
        ("2023-04-15T15:30", True, None),
    ],
)
def test_a_session_is_worked_in_its_window_and_may_be_finished_after(
    rollouts: dict[str, Rollout], at: str, begun: bool, expected: str | None
) -> None:
    rollout = rollouts["rrs-2023"]
    session = session_named("session-1", rollout)
    bar = barred(session, planned(rollout, "session-1"), None, hkt(at), begun=begun)
    if expected is None:
        assert bar is None
    else:
        assert bar is not None
        assert bar.rule.startswith(expected)
        assert "CD/OEC/HKCC/073/2023" == bar.source.circular


def test_a_session_for_others_is_barred_by_its_paper(rollouts: dict[str, Rollout]) -> None:
    rollout = rollouts["backbone-ps2-2023"]
    session = session_named("ps2-primary", rollout)
    steps = planned(rollout, "ps2-primary", "CCEP")
    at = hkt("2023-11-25T09:00")
    assert barred(session, steps, "CCEP", at, begun=False) is None
    bar = barred(session, steps, "CP", at, begun=False)
    assert bar is not None
    assert "PS2 at the Primary Site is held for EP and CCEP, not for CP" == bar.rule


def test_what_confines_an_audience_is_told_in_the_papers_words(
    rollouts: dict[str, Rollout],
) -> None:
    rollout = rollouts["backbone-ps2-2023"]
    session = session_named("ps2-primary", rollout)
    assert () == rules_in(rollout, session, "EP")
    (rule,) = rules_in(rollout, session, "CCEP")
    assert "Limit to login to OTP-CSC only" == rule.rule


def test_a_step_of_a_service_that_an_audience_is_kept_from_is_barred_by_the_rule(
    rollouts: dict[str, Rollout],
) -> None:
    """As if the paper had not said for whom a step is, and only what CCEPs are limited to."""
    import attrs

    ps2 = rollouts["backbone-ps2-2023"]
    session = session_named("ps2-primary", ps2)
    steps = tuple(attrs.evolve(step, audience=()) for step in session.steps)
    open_to_all = attrs.evolve(session, steps=steps)
    planned_for = planned_steps(ps2, open_to_all, "CCEP")
    assert [True, True, False] == [one.barred is not None for one in planned_for]
    at = hkt("2023-11-25T09:00")
    assert barred(open_to_all, planned_for, "CCEP", at, begun=False) is None
    bar = barred(open_to_all, planned_for[:2], "CCEP", at, begun=False)
    assert bar is not None
    assert "Limit to login to OTP-CSC only" == bar.rule
    assert hkt("2023-11-25T10:00") == bar.until
