"""May I do this now? At the edges of a period, over several papers, and in doubt."""

from __future__ import annotations

from datetime import datetime, timedelta

import attrs
import pytest

from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import (
    ACTIONS,
    HONG_KONG,
    Bound,
    Certainty,
    Effect,
    Restriction,
    Rollout,
    Source,
    Window,
)
from hkex_ops.rollouts import Decision, Guard, Ruling
from tests.rollouts.papers import RRS_2023

RENEW = "renew-ssh-key"
FIRST = datetime(2023, 4, 17, tzinfo=HONG_KONG)
AFTER = datetime(2023, 4, 29, tzinfo=HONG_KONG)
TICK = timedelta(microseconds=1)

OPEN = Bound(None, Certainty.OPEN)
UNKNOWN = Bound(None, Certainty.UNKNOWN)


def rule(
    id: str,
    effect: Effect = Effect.PROHIBITED,
    *,
    action: str = RENEW,
    window: Window | None = None,
) -> Restriction:
    window = window or Window(Bound(FIRST), Bound(AFTER))
    return Restriction(id, action, effect, f"rule {id}", window, ("CP",), Source("paper", id))


def paper(*rules: Restriction) -> Rollout:
    return attrs.evolve(RRS_2023, restrictions=rules)


@pytest.mark.parametrize(
    ("expected", "at"),
    [
        (Decision.ALLOW, FIRST - TICK),
        (Decision.DENY, FIRST),
        (Decision.DENY, datetime(2023, 4, 28, 23, 59, 59, 999999, tzinfo=HONG_KONG)),
        (Decision.ALLOW, AFTER),
    ],
    ids=["the instant before", "first instant", "last instant of 28 April", "29 April 00:00"],
)
def test_a_key_is_not_renewed_from_17_april_to_the_last_instant_of_28_april(
    expected: Decision, at: datetime
) -> None:
    [holding] = RRS_2023.restrictions
    rules = () if expected is Decision.ALLOW else (holding,)
    assert Ruling(RENEW, at, expected, rules) == Guard([RRS_2023]).may(RENEW, at)


def test_an_act_that_no_paper_speaks_of_is_allowed() -> None:
    others = [action for action in ACTIONS if action != RENEW]
    guard = Guard([RRS_2023])
    assert {Decision.ALLOW} == {guard.may(action, FIRST).decision for action in others}


def test_without_papers_everything_known_is_allowed() -> None:
    assert {Decision.ALLOW} == {Guard([]).may(action, FIRST).decision for action in ACTIONS}


def test_a_misspelt_act_is_an_error_and_never_allowed() -> None:
    with pytest.raises(UsageError, match=r"no action 'renew-ssh-keys'; .* renew-ssh-key\?"):
        Guard([]).may("renew-ssh-keys", FIRST)


def test_an_act_like_no_other_is_answered_with_all_that_are_known() -> None:
    with pytest.raises(UsageError) as raised:
        Guard([RRS_2023]).require("xyzzy", FIRST)
    assert all(action in str(raised.value) for action in ACTIONS)


def test_every_rule_that_holds_is_listed_the_strictest_first() -> None:
    rules = [
        rule("b-only-via", Effect.ONLY_VIA),
        rule("c-limited", Effect.LIMITED_TO),
        rule("z-forbidden"),
        rule("a-forbidden"),
        rule("over", window=Window(OPEN, Bound(FIRST))),
        rule("of another act", action="change-password"),
    ]
    ruling = Guard([paper(rules[0], rules[1]), paper(*rules[2:])]).may(RENEW, FIRST)
    assert Decision.DENY is ruling.decision
    expected = ["a-forbidden", "z-forbidden", "b-only-via", "c-limited"]
    assert expected == [one.id for one in ruling.rules]


@pytest.mark.parametrize("effect", [Effect.LIMITED_TO, Effect.ONLY_VIA])
def test_a_limit_is_neither_a_yes_nor_a_no(effect: Effect) -> None:
    limit = rule("limit", effect)
    guard = Guard([RRS_2023, paper(attrs.evolve(limit, action="post-trade-activity"))])
    ruling = guard.require("post-trade-activity", FIRST)
    assert Decision.LIMITED is ruling.decision
    assert ["limit"] == [one.id for one in ruling.rules]


def test_one_paper_that_forbids_is_enough() -> None:
    silent = paper()
    assert Decision.DENY is Guard([silent, RRS_2023, silent]).may(RENEW, FIRST).decision


@pytest.mark.parametrize(
    ("window", "at"),
    [
        (Window(UNKNOWN, UNKNOWN), FIRST),
        (Window(Bound(FIRST), UNKNOWN), AFTER),
        (Window(UNKNOWN, Bound(AFTER)), FIRST - timedelta(days=365)),
        (Window(OPEN, UNKNOWN), AFTER),
    ],
    ids=["both unknown", "unknown end", "unknown start", "open start, unknown end"],
)
def test_a_rule_whose_bounds_the_paper_leaves_unknown_holds(window: Window, at: datetime) -> None:
    assert Decision.DENY is Guard([paper(rule("doubt", window=window))]).may(RENEW, at).decision


def test_a_bound_that_is_known_ends_the_doubt() -> None:
    guard = Guard([paper(rule("doubt", window=Window(UNKNOWN, Bound(AFTER))))])
    assert Decision.ALLOW is guard.may(RENEW, AFTER).decision
    guard = Guard([paper(rule("doubt", window=Window(Bound(FIRST), UNKNOWN)))])
    assert Decision.ALLOW is guard.may(RENEW, FIRST - TICK).decision


def test_what_is_required_and_forbidden_is_denied_with_rule_source_and_end() -> None:
    with pytest.raises(Denied) as raised:
        Guard([RRS_2023]).require(RENEW, FIRST)
    denied = raised.value
    assert (
        RENEW,
        "CPs should NOT renew their secure shell keys in Report Retrieval Solution",
        "CD/OEC/HKCC/073/2023, third paragraph, (ii)",
        AFTER,
    ) == (denied.action, denied.rule, denied.source, denied.until)


def test_a_denial_by_a_rule_without_end_has_none() -> None:
    with pytest.raises(Denied) as raised:
        Guard([paper(rule("doubt", window=Window(Bound(FIRST), UNKNOWN)))]).require(RENEW, FIRST)
    assert raised.value.until is None


def test_a_denial_by_several_rules_ends_with_the_last_of_them() -> None:
    later = AFTER + timedelta(days=30)
    rules = [
        rule("a"),
        rule("b", window=Window(Bound(FIRST), Bound(later))),
        rule("c", Effect.LIMITED_TO, window=Window(Bound(FIRST), Bound(later + TICK))),
        rule("d", action="change-password", window=Window(Bound(FIRST), OPEN)),
    ]
    with pytest.raises(Denied) as raised:
        Guard([paper(*rules)]).require(RENEW, FIRST)
    assert ("rule a", later) == (raised.value.rule, raised.value.until)


def test_a_denial_by_several_rules_has_no_end_when_one_of_them_has_none() -> None:
    endless = rule("b", window=Window(Bound(FIRST), OPEN))
    with pytest.raises(Denied) as raised:
        Guard([paper(rule("a"), endless)]).require(RENEW, FIRST)
    assert raised.value.until is None


def test_a_time_without_a_zone_is_no_instant_to_judge() -> None:
    naive = FIRST.replace(tzinfo=None)
    for ask in (Guard([]).in_force, lambda at: Guard([RRS_2023]).may(RENEW, at)):
        with pytest.raises(UsageError, match=r"2023-04-17T00:00:00 has no zone: say which one"):
            ask(naive)


def test_what_is_required_and_allowed_goes_on_with_the_ruling() -> None:
    assert Ruling(RENEW, AFTER, Decision.ALLOW, ()) == Guard([RRS_2023]).require(RENEW, AFTER)
