"""May I do this now? Every rule of every rollout that speaks of an act, judged at an instant.

The strictest rule wins and all that hold are listed, so that a person sees each paper that
forbids. A rule whose bounds the paper leaves unknown is taken to hold: the doubt is the asker's
risk, not the market's. Called by the command line, by flows and by any code that is about to do
such an act.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum

from attrs import frozen

from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import ACTIONS, Effect, Holding, Restriction, Rollout

__all__ = ["Decision", "Guard", "Ruling"]


class Decision(StrEnum):
    """The answer to "may I?"."""

    ALLOW = "allow"
    LIMITED = "limited"
    DENY = "deny"


@frozen
class Ruling:
    """The answer for one act at one instant, with every rule that holds then, strictest first."""

    action: str
    at: datetime
    decision: Decision
    rules: tuple[Restriction, ...]


class Guard:
    """Judges acts by the restrictions of the rollouts it was given."""

    def __init__(self, rollouts: Iterable[Rollout]) -> None:
        self._restrictions = [rule for rollout in rollouts for rule in rollout.restrictions]

    def may(self, action: str, at: datetime) -> Ruling:
        """Whether ``action`` may be done at ``at``. An unknown act raises `UsageError`."""
        if action not in ACTIONS:
            near = get_close_matches(action, ACTIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ACTIONS)}"
            raise UsageError(f"there is no action {action!r}; {hint}")
        rules = sorted(
            (rule for rule in self._restrictions if rule.action == action and _may_hold(rule, at)),
            key=lambda rule: (rule.effect is not Effect.PROHIBITED, rule.id),
        )
        if not rules:
            decision = Decision.ALLOW
        elif rules[0].effect is Effect.PROHIBITED:
            decision = Decision.DENY
        else:
            decision = Decision.LIMITED
        return Ruling(action, at, decision, tuple(rules))

    def require(self, action: str, at: datetime) -> Ruling:
        """The ruling, or `Denied` with the strictest rule when the act is forbidden."""
        ruling = self.may(action, at)
        if ruling.decision is Decision.DENY:
            rule = ruling.rules[0]
            raise Denied(
                action, rule=rule.rule, source=str(rule.source), until=rule.window.until.at
            )
        return ruling


def _may_hold(rule: Restriction, at: datetime) -> bool:
    return rule.window.holds(at) in (Holding.WITHIN, Holding.UNKNOWN)
