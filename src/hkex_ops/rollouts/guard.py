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

from attrs import evolve, frozen

from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import ACTIONS, Effect, Holding, Restriction, Rollout
from hkex_ops.rollouts.audience import concerns
from hkex_ops.rollouts.override import Override, RuleOverridden

__all__ = ["Decision", "Guard", "Ruling"]


class Decision(StrEnum):
    """The answer to "may I?"."""

    ALLOW = "allow"
    LIMITED = "limited"
    DENY = "deny"


@frozen
class Ruling:
    """The answer for one act at one instant, with every rule that holds then, strictest first.

    ``events`` is empty unless an override let a forbidden act through; the decision stays what
    the papers say even then. Whoever acts keeps the events as evidence.
    """

    action: str
    at: datetime
    decision: Decision
    rules: tuple[Restriction, ...]
    events: tuple[RuleOverridden, ...] = ()


class Guard:
    """Judges acts by the restrictions of the rollouts it was given."""

    def __init__(self, rollouts: Iterable[Rollout]) -> None:
        self._restrictions = [rule for rollout in rollouts for rule in rollout.restrictions]

    def may(self, action: str, at: datetime, *, audience: str | None = None) -> Ruling:
        """Whether ``action`` may be done at ``at``.

        An unknown act, or an ``at`` without a zone, raises `UsageError`.
        A rule that names audiences applies to those alone; without ``audience`` every rule does.
        """
        if action not in ACTIONS:
            near = get_close_matches(action, ACTIONS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(ACTIONS)}"
            raise UsageError(f"there is no action {action!r}; {hint}")
        rules = [rule for rule in self.in_force(at, audience=audience) if rule.action == action]
        if not rules:
            decision = Decision.ALLOW
        elif rules[0].effect is Effect.PROHIBITED:
            decision = Decision.DENY
        else:
            decision = Decision.LIMITED
        return Ruling(action, at, decision, tuple(rules))

    def in_force(self, at: datetime, *, audience: str | None = None) -> tuple[Restriction, ...]:
        """Every rule that holds at ``at``, of whatever act, prohibitions first.

        Raises `UsageError` for an ``at`` without a zone, which is no instant.
        """
        if at.utcoffset() is None:
            raise UsageError(f"{at.isoformat()} has no zone: say which one, such as +08:00")
        rules = (
            rule
            for rule in self._restrictions
            if _may_hold(rule, at) and concerns(rule.audience, audience)
        )
        return tuple(
            sorted(rules, key=lambda rule: (rule.effect is not Effect.PROHIBITED, rule.id))
        )

    def require(
        self,
        action: str,
        at: datetime,
        *,
        audience: str | None = None,
        override: Override | None = None,
    ) -> Ruling:
        """The ruling, or `Denied` with the strictest rule when the act is forbidden.

        Its ``until`` is when the last prohibition in force ends, and none when one has no end.
        An ``override`` of this act that has not expired lets it through; the ruling then carries
        the event that says so. One of another act is a `UsageError`.
        """
        if override is not None and override.action != action:
            raise UsageError(f"an override of {override.action} is none of {action}")
        ruling = self.may(action, at, audience=audience)
        if ruling.decision is not Decision.DENY:
            return ruling
        if override is not None and override.holds(at):
            return evolve(ruling, events=(RuleOverridden(at, override, ruling.rules),))
        rule, until = ruling.rules[0], _last_end(ruling.rules)
        denied = Denied(action, rule=rule.rule, source=str(rule.source), until=until)
        if override is not None:
            denied.add_note(f"the override of {action} expired at {override.expires.isoformat()}")
        raise denied


def _last_end(rules: Iterable[Restriction]) -> datetime | None:
    """When the last of the prohibitions among ``rules`` ends; none when one has no end."""
    ends = [rule.window.until.at for rule in rules if rule.effect is Effect.PROHIBITED]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def _may_hold(rule: Restriction, at: datetime) -> bool:
    return rule.window.holds(at) in (Holding.WITHIN, Holding.UNKNOWN)
