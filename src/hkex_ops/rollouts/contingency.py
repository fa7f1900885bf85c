"""What the papers say for the case that something goes wrong, judged for one event.

A contingency rule is no rule of the clock: "if contingency happened before 7:00 a.m." speaks of
the moment of the event, whenever somebody enters it. Whether an event is such a contingency at all
is a person's judgement; the time alone is judged here. Called when an event is entered.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import HONG_KONG, ContingencyRule, Rollout

__all__ = ["Applies", "JudgedContingency", "judge_event"]


class Applies(StrEnum):
    """Whether the time of an event is one that a rule speaks of."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@frozen
class JudgedContingency:
    """A rule with the judgement on one event, and why in a sentence."""

    rule: ContingencyRule
    applies: Applies
    why: str


def judge_event(rollout: Rollout, at: datetime) -> tuple[JudgedContingency, ...]:
    """Every contingency rule of ``rollout``, judged for an event that happened at ``at``.

    ``at`` is aware; without a zone it is no instant, and a `UsageError`.
    """
    if at.utcoffset() is None:
        raise UsageError(f"{at.isoformat()} has no zone: say which one, such as +08:00")
    return tuple(_judged(rule, at) for rule in rollout.contingencies)


def _judged(rule: ContingencyRule, at: datetime) -> JudgedContingency:
    if rule.before is None:
        return JudgedContingency(rule, Applies.YES, "the paper names no time")
    limit = rule.before.at
    if limit is None:
        why = "the paper does not say until when it happens in time"
        return JudgedContingency(rule, Applies.UNKNOWN, why)
    happened = f"it happened at {_said(at)}"
    if at < limit:
        return JudgedContingency(rule, Applies.YES, f"{happened}, before {_said(limit)}")
    return JudgedContingency(rule, Applies.NO, f"{happened}, not before {_said(limit)}")


def _said(at: datetime) -> str:
    return f"{at.astimezone(HONG_KONG):%Y-%m-%d %H:%M}"
