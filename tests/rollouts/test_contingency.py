"""Contingency rules are judged by the moment of the event, not by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given

from hkex_ops.errors import UsageError
from hkex_ops.model import HONG_KONG, Bound, Certainty
from hkex_ops.rollouts import Applies, judge_event
from tests.rollouts.shipped import SHIPPED, at, instants

HKATS = SHIPPED["hkats-dcass-2019"]
SEVEN = at("2019-05-05T07:00")
MOMENT = timedelta(microseconds=1)


def judged(when: datetime) -> tuple[Applies, str]:
    [one] = judge_event(HKATS, when)
    assert "contingency-before-seven" == one.rule.id
    return one.applies, one.why


def test_before_seven_means_before_seven() -> None:
    assert [Applies.YES, Applies.NO, Applies.NO] == [
        judged(when)[0] for when in (SEVEN - MOMENT, SEVEN, SEVEN + MOMENT)
    ]


def test_the_judgement_says_both_times_as_hong_kong_reads_them() -> None:
    why = "it happened at 2019-05-05 06:50, before 2019-05-05 07:00"
    assert (Applies.YES, why) == judged(datetime(2019, 5, 4, 22, 50, tzinfo=UTC))
    why = "it happened at 2019-05-05 07:00, not before 2019-05-05 07:00"
    assert (Applies.NO, why) == judged(SEVEN)


def test_a_limit_that_the_paper_does_not_give_is_never_guessed() -> None:
    [rule] = HKATS.contingencies
    unsaid = attrs.evolve(rule, before=Bound(certainty=Certainty.UNKNOWN, stated="to be announced"))
    [one] = judge_event(attrs.evolve(HKATS, contingencies=(unsaid,)), SEVEN)
    assert Applies.UNKNOWN is one.applies


def test_a_rule_without_a_time_speaks_of_every_event() -> None:
    [rule] = HKATS.contingencies
    always = attrs.evolve(HKATS, contingencies=(attrs.evolve(rule, before=None),))
    assert [Applies.YES, Applies.YES] == [
        one.applies
        for when in (SEVEN - MOMENT, SEVEN + MOMENT)
        for one in judge_event(always, when)
    ]


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(UsageError, match="has no zone"):
        judge_event(HKATS, datetime(2019, 5, 5, 6, 50))  # noqa: DTZ001 - the point of the test


@given(instants())
def test_every_rule_of_every_paper_is_judged_wherever_the_event_is_told(when: datetime) -> None:
    for rollout in SHIPPED.values():
        here = judge_event(rollout, when.astimezone(HONG_KONG))
        assert here == judge_event(rollout, when.astimezone(UTC))
        assert rollout.contingencies == tuple(one.rule for one in here)
