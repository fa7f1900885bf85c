"""The machine of overrides: who may set which rule aside, until when, and what ends it."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest

from hkex_ops.errors import UsageError
from hkex_ops.model import Bound, Certainty, Window
from hkex_ops.rollouts import Override
from hkex_ops.rundown import (
    OVERRIDE_TRANSITIONS,
    Grant,
    OverrideGranted,
    Overrides,
    OverrideState,
    OverrideWithdrawn,
    Withdraw,
    forbidding,
)
from tests.rollouts.papers import RRS_2023
from tests.rollouts.shipped import at

RENEW = "renew-ssh-key"
NINE, TEN, NOON = (at(f"2023-04-20T{hour}") for hour in ("09:00", "10:00", "12:00"))
OVERRIDE = Override(RENEW, "key compromised", "clearing desk", "head of operations", NOON)
AGREED = Grant(OVERRIDE, NINE)


def granted() -> Overrides:
    overrides = Overrides(RRS_2023)
    overrides.handle(AGREED, TEN)
    return overrides


def test_an_agreement_is_numbered_and_names_the_rules_that_it_sets_aside() -> None:
    overrides = Overrides(RRS_2023)
    lasting = attrs.evolve(OVERRIDE, since=NINE)
    expected = [OverrideGranted(NINE, number, lasting, RRS_2023.restrictions) for number in (1, 2)]
    assert expected == [overrides.handle(AGREED, TEN) for _ in range(2)]
    assert (lasting, lasting) == overrides.effective


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (NINE - timedelta(microseconds=1), "coming"),
        (NINE, "in force"),
        (NOON - timedelta(microseconds=1), "in force"),
        (NOON, "expired"),
    ],
)
def test_it_begins_when_it_was_agreed_and_ends_by_itself(when: datetime, said: str) -> None:
    [standing] = granted().standing
    assert said == standing.said(when)
    assert (said == "in force") == standing.granted.override.holds(when)


def test_a_person_may_end_it_sooner() -> None:
    overrides = granted()
    ended = OverrideWithdrawn(TEN, 1, "head of operations", "the key is safe after all")
    given = Withdraw(1, "head of operations", "the key is safe after all", TEN)
    assert ended == overrides.handle(given, TEN)
    [standing] = overrides.standing
    assert ["in force", "withdrawn"] == [standing.said(one) for one in (NINE, TEN)]
    assert [TEN] == [one.expires for one in overrides.effective]


def test_one_that_is_ended_as_soon_as_it_begins_never_held() -> None:
    overrides = granted()
    overrides.handle(Withdraw(1, "desk", "a slip", NINE), TEN)
    assert () == overrides.effective


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Grant(OVERRIDE, NOON + timedelta(days=1)), "ahead of time"),
        (Grant(attrs.evolve(OVERRIDE, expires=NINE), NINE), "over before it begins"),
        (
            Grant(attrs.evolve(OVERRIDE, action="change-password"), NINE),
            "no rule of rrs-2023 forbids change-password from 2023-04-20T09:00",
        ),
        (
            Grant(attrs.evolve(OVERRIDE, expires=at("2023-04-17")), at("2023-04-16")),
            "no rule of rrs-2023 forbids renew-ssh-key from 2023-04-16T00:00",
        ),
        (Withdraw(2, "desk", "a slip", TEN), "override 2 of rrs-2023 does not exist"),
        (Withdraw(1, " ", "a slip", TEN), "needs a person"),
        (Withdraw(1, "desk", "", TEN), "needs a reason"),
        (Withdraw(1, "desk", "a slip", NINE - timedelta(minutes=1)), "not withdrawn before"),
        (Withdraw(1, "desk", "a slip", NOON), "has expired already"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    given: Grant | Withdraw, said: str
) -> None:
    overrides = granted()
    before = overrides.standing
    with pytest.raises(UsageError, match=said):
        overrides.handle(given, NOON)
    assert before == overrides.standing


def test_what_was_withdrawn_is_not_withdrawn_twice() -> None:
    overrides = granted()
    overrides.handle(Withdraw(1, "desk", "a slip", TEN), TEN)
    with pytest.raises(UsageError, match="override 1 of rrs-2023 was withdrawn already"):
        overrides.handle(Withdraw(1, "desk", "a slip", TEN), TEN)


def test_told_its_own_events_another_machine_stands_where_this_one_does() -> None:
    first, second = granted(), Overrides(RRS_2023)
    events = [granted().standing[0].granted, first.handle(Withdraw(1, "a", "b", TEN), TEN)]
    for event in events:
        second.tell(event)
    assert first.standing == second.standing


def test_an_end_of_nothing_is_passed_over() -> None:
    overrides = Overrides(RRS_2023)
    overrides.tell(OverrideWithdrawn(TEN, 7, "desk", "a slip"))
    assert () == overrides.standing


def test_an_event_stands_although_the_paper_has_changed_since() -> None:
    [standing] = granted().standing
    later = Overrides(attrs.evolve(RRS_2023, restrictions=()))
    later.tell(standing.granted)
    assert (standing,) == later.standing


def test_a_rule_whose_ends_the_paper_leaves_unknown_may_be_set_aside_at_any_time() -> None:
    [rule] = RRS_2023.restrictions
    unknown = Window(Bound(certainty=Certainty.UNKNOWN), Bound(certainty=Certainty.UNKNOWN))
    paper = attrs.evolve(RRS_2023, restrictions=(attrs.evolve(rule, window=unknown),))
    assert paper.restrictions == forbidding(paper, RENEW, at("2001-01-01"), at("2001-01-02"))


def test_every_transition_of_the_table_is_taken_above() -> None:
    assert {
        (OverrideState.ABSENT, Grant): OverrideState.GRANTED,
        (OverrideState.GRANTED, Withdraw): OverrideState.WITHDRAWN,
    } == dict(OVERRIDE_TRANSITIONS)
