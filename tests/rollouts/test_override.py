"""Setting a rule aside: two people, a reason and an end, and never without a record."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import ACTIONS, Effect, plain
from hkex_ops.rollouts import Decision, Guard, Override, RuleOverridden
from tests.rollouts.papers import RRS_2023
from tests.rollouts.shipped import SHIPPED, at, instants

RENEW = "renew-ssh-key"
NOON = at("2023-04-20T12:00")
OVERRIDE = Override(
    RENEW, "key compromised, ticket 4711", "clearing desk", "head of operations", NOON
)


def test_an_override_lets_a_forbidden_act_through_and_leaves_a_record() -> None:
    when = NOON - timedelta(hours=1)
    ruling = Guard([RRS_2023]).require(RENEW, when, override=OVERRIDE)
    assert Decision.DENY is ruling.decision
    assert (RuleOverridden(when, OVERRIDE, RRS_2023.restrictions),) == ruling.events


def test_the_record_is_plain_data_for_the_evidence() -> None:
    [event] = Guard([RRS_2023]).require(RENEW, at("2023-04-20"), override=OVERRIDE).events
    document = plain(event)
    assert isinstance(document, dict)
    assert {
        "action": RENEW,
        "reason": "key compromised, ticket 4711",
        "by": "clearing desk",
        "second": "head of operations",
        "expires": "2023-04-20T12:00:00+08:00",
        "since": None,
    } == document["override"]


def test_at_its_expiry_an_override_is_over() -> None:
    guard = Guard([RRS_2023])
    assert guard.require(RENEW, NOON - timedelta(microseconds=1), override=OVERRIDE).events
    with pytest.raises(Denied) as raised:
        guard.require(RENEW, NOON, override=OVERRIDE)
    [note] = raised.value.__notes__
    assert "expired at 2023-04-20T12:00:00+08:00" in note


def test_what_is_allowed_needs_no_override_and_records_none() -> None:
    assert () == Guard([RRS_2023]).require(RENEW, at("2023-04-01"), override=OVERRIDE).events


def test_an_override_of_another_act_is_none() -> None:
    other = attrs.evolve(OVERRIDE, action="change-password")
    with pytest.raises(UsageError, match="override of change-password is none of renew-ssh-key"):
        Guard([RRS_2023]).require(RENEW, at("2023-04-20"), override=other)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"action": "renew-keys"}, "no action 'renew-keys'"),
        ({"reason": "  "}, "needs a reason"),
        ({"by": ""}, "needs a first person"),
        ({"second": "\t"}, "needs a second person"),
        ({"second": "clearing desk"}, "clearing desk is both"),
        ({"second": " Clearing  DESK "}, "clearing desk is both"),
        ({"expires": datetime(2023, 4, 20, 12)}, "aware instant"),  # noqa: DTZ001
        ({"since": datetime(2023, 4, 20, 9)}, "aware instant"),  # noqa: DTZ001
        ({"since": NOON}, "would be over before it begins"),
    ],
)
def test_an_override_that_lacks_something_cannot_be_made(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        attrs.evolve(OVERRIDE, **changes)  # type: ignore[arg-type]


def test_before_it_begins_an_override_helps_nobody() -> None:
    later = attrs.evolve(OVERRIDE, since=at("2023-04-20T11:00"))
    with pytest.raises(Denied) as raised:
        Guard([RRS_2023]).require(RENEW, at("2023-04-20T10:59"), override=later)
    assert ["the override of renew-ssh-key begins at 2023-04-20T11:00:00+08:00"] == (
        raised.value.__notes__
    )


# -- overrides that a guard knows -----------------------------------------------------------------

SECOND = attrs.evolve(RRS_2023, id="second-paper")
MORNING = at("2023-04-20T10:00")


def test_a_guard_that_knows_an_override_still_says_denied_and_lets_the_act_through() -> None:
    guard = Guard([RRS_2023], {"rrs-2023": [OVERRIDE]})
    ruling = guard.may(RENEW, MORNING)
    assert (Decision.DENY, True) == (ruling.decision, ruling.overridden)
    assert (RuleOverridden(MORNING, OVERRIDE, RRS_2023.restrictions),) == ruling.events
    assert ruling == guard.require(RENEW, MORNING)


def test_at_its_end_a_known_override_is_over_too() -> None:
    guard = Guard([RRS_2023], {"rrs-2023": [OVERRIDE]})
    assert (False, ()) == ((found := guard.may(RENEW, NOON)).overridden, found.events)
    with pytest.raises(Denied):
        guard.require(RENEW, NOON)


def test_an_override_sets_aside_the_rules_of_its_own_rollout_alone() -> None:
    """Two papers forbid the act; leave to break one is no leave to break the other."""
    other = attrs.evolve(
        SECOND, restrictions=tuple(attrs.evolve(one, id="other") for one in SECOND.restrictions)
    )
    half = Guard([RRS_2023, other], {"rrs-2023": [OVERRIDE]})
    ruling = half.may(RENEW, MORNING)
    assert (False, 2, 1) == (ruling.overridden, len(ruling.rules), len(ruling.events))
    with pytest.raises(Denied):
        half.require(RENEW, MORNING)
    whole = Guard([RRS_2023, other], {"rrs-2023": [OVERRIDE], "second-paper": [OVERRIDE]})
    assert 2 == len(whole.require(RENEW, MORNING).events)


def test_of_several_overrides_the_one_that_lasts_longest_is_told() -> None:
    longer = attrs.evolve(OVERRIDE, expires=NOON + timedelta(hours=1))
    guard = Guard([RRS_2023], {"rrs-2023": [OVERRIDE, longer, OVERRIDE]})
    assert [longer] == [event.override for event in guard.may(RENEW, MORNING).events]


def test_a_rule_about_one_service_is_none_about_another() -> None:
    [rule] = RRS_2023.restrictions
    assert "RRS" == rule.service
    guard = Guard([RRS_2023])
    decisions = [guard.may(RENEW, MORNING, service=one).decision for one in ("rrs", "OTP-C", None)]
    assert [Decision.DENY, Decision.ALLOW, Decision.DENY] == decisions


# -- promises that hold for any instant and act ---------------------------------------------------


@given(instants(), st.sampled_from(sorted(ACTIONS)), st.sampled_from([None, "CP", "EP", "CCEP"]))
def test_every_deny_or_limit_cites_a_rule_in_force_and_no_other_answer_does(
    instant: datetime, action: str, audience: str | None
) -> None:
    ruling = Guard(SHIPPED.values()).may(action, instant, audience=audience)
    assert (Decision.ALLOW is ruling.decision) == (not ruling.rules)
    for rule in ruling.rules:
        assert action == rule.action
        assert rule.rule
        assert rule.source.circular
        assert rule.source.place
        assert rule.window.start.at is None or rule.window.start.at <= instant
        assert rule.window.until.at is None or instant < rule.window.until.at
    forbids = any(rule.effect is Effect.PROHIBITED for rule in ruling.rules)
    assert forbids == (Decision.DENY is ruling.decision)


@given(instants(), st.sampled_from(sorted(ACTIONS)), st.sampled_from(sorted(SHIPPED)))
def test_an_override_never_changes_what_the_papers_say(
    instant: datetime, action: str, rollout: str
) -> None:
    override = Override(action, "a reason", "one", "other", instant + timedelta(hours=1))
    plainly = Guard(SHIPPED.values()).may(action, instant)
    ruling = Guard(SHIPPED.values(), {rollout: [override]}).may(action, instant)
    assert plainly == attrs.evolve(ruling, events=())
    assert bool(ruling.events) >= ruling.overridden


@given(instants(), st.sampled_from(sorted(ACTIONS)), st.sampled_from(["CP", "EP", "CCEP"]))
def test_an_audience_never_makes_the_answer_stricter(
    instant: datetime, action: str, audience: str
) -> None:
    guard = Guard(SHIPPED.values())
    everyone, some = guard.may(action, instant), guard.may(action, instant, audience=audience)
    assert set(some.rules) <= set(everyone.rules)


@pytest.mark.parametrize(
    ("decision", "audience"),
    [(Decision.ALLOW, "EP"), (Decision.DENY, "cp"), (Decision.DENY, None)],
)
def test_a_rule_for_others_does_not_apply(decision: Decision, audience: str | None) -> None:
    ruling = Guard([RRS_2023]).may(RENEW, at("2023-04-20"), audience=audience)
    assert decision is ruling.decision


def test_a_rule_that_names_nobody_applies_to_everybody() -> None:
    [rule] = RRS_2023.restrictions
    for_all = attrs.evolve(RRS_2023, restrictions=(attrs.evolve(rule, audience=()),))
    ruling = Guard([for_all]).may(RENEW, at("2023-04-20"), audience="CCEP")
    assert Decision.DENY is ruling.decision
