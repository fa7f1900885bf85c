"""May I do this now? Every rule of every rollout that speaks of an act, judged at an instant.

The strictest rule wins and all that hold are listed, so that a person sees each paper that
forbids. A rule whose bounds the paper leaves unknown is taken to hold: the doubt is the asker's
risk, not the market's. An override sets the rules of its own rollout aside; what the papers say
stays the decision. Called by the command line, by flows and by any code that is about to do such
an act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType

from attrs import evolve, frozen

from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import Effect, Holding, Restriction, Rollout
from hkex_ops.rollouts.acts import require_action
from hkex_ops.rollouts.audience import concerns
from hkex_ops.rollouts.override import Override, RuleOverridden

__all__ = ["Decision", "Guard", "Ruling"]

_NO_OVERRIDES: Mapping[str, Sequence[Override]] = MappingProxyType({})


class Decision(StrEnum):
    """The answer to "may I?"."""

    ALLOW = "allow"
    LIMITED = "limited"
    DENY = "deny"


@frozen
class Ruling:
    """The answer for one act at one instant, with every rule that holds then, strictest first.

    ``events`` is empty unless an override sets rules aside; the decision stays what the papers
    say even then. Whoever acts keeps the events as evidence.
    """

    action: str
    at: datetime
    decision: Decision
    rules: tuple[Restriction, ...]
    events: tuple[RuleOverridden, ...] = ()

    @property
    def overridden(self) -> bool:
        """Whether the act is forbidden and every rule that forbids it is set aside."""
        aside = [rule for event in self.events for rule in event.rules]
        return self.decision is Decision.DENY and all(
            rule in aside for rule in self.rules if rule.effect is Effect.PROHIBITED
        )


class Guard:
    """Judges acts by the restrictions of the rollouts it was given.

    ``overrides`` are those that were agreed, by the id of the rollout whose rules they set aside.
    """

    def __init__(
        self,
        rollouts: Iterable[Rollout],
        overrides: Mapping[str, Sequence[Override]] = _NO_OVERRIDES,
    ) -> None:
        self._restrictions = [(one.id, rule) for one in rollouts for rule in one.restrictions]
        self._overrides = overrides

    def may(
        self, action: str, at: datetime, *, audience: str | None = None, service: str | None = None
    ) -> Ruling:
        """Whether ``action`` may be done at ``at``.

        An unknown act, or an ``at`` without a zone, raises `UsageError`. A rule that names
        audiences, or a service, applies to those alone; where the asker names none every rule
        does.
        """
        require_action(action)
        held = [
            (rollout, rule)
            for rollout, rule in self._held(at, audience)
            if rule.action == action and _is_of(rule, service)
        ]
        rules = tuple(rule for _, rule in held)
        if not rules:
            decision = Decision.ALLOW
        elif rules[0].effect is Effect.PROHIBITED:
            decision = Decision.DENY
        else:
            decision = Decision.LIMITED
        ruling = Ruling(action, at, decision, rules)
        if decision is not Decision.DENY:
            return ruling
        return evolve(ruling, events=tuple(self._set_aside(action, at, held)))

    def in_force(self, at: datetime, *, audience: str | None = None) -> tuple[Restriction, ...]:
        """Every rule that holds at ``at``, of whatever act, prohibitions first.

        Raises `UsageError` for an ``at`` without a zone, which is no instant.
        """
        return tuple(rule for _, rule in self._held(at, audience))

    def require(
        self,
        action: str,
        at: datetime,
        *,
        audience: str | None = None,
        service: str | None = None,
        override: Override | None = None,
    ) -> Ruling:
        """The ruling, or `Denied` with the strictest rule when the act is forbidden.

        Its ``until`` is when the last prohibition in force ends, and none when one has no end.
        The guard's own overrides let the act through when they set every such rule aside, and an
        ``override`` of this act that holds does so alone; the ruling then carries the events that
        say so. One of another act is a `UsageError`.
        """
        if override is not None and override.action != action:
            raise UsageError(f"an override of {override.action} is none of {action}")
        ruling = self.may(action, at, audience=audience, service=service)
        if ruling.decision is not Decision.DENY or ruling.overridden:
            return ruling
        if override is not None and override.holds(at):
            return evolve(ruling, events=(RuleOverridden(at, override, ruling.rules),))
        rule, until = ruling.rules[0], _last_end(ruling.rules)
        denied = Denied(action, rule=rule.rule, source=str(rule.source), until=until)
        if override is not None:
            denied.add_note(_not_held(override, at))
        raise denied

    def _held(self, at: datetime, audience: str | None) -> list[tuple[str, Restriction]]:
        """The rules that hold, each with its rollout, prohibitions first."""
        if at.utcoffset() is None:
            raise UsageError(f"{at.isoformat()} has no zone: say which one, such as +08:00")
        held = (
            (rollout, rule)
            for rollout, rule in self._restrictions
            if _may_hold(rule, at) and concerns(rule.audience, audience)
        )
        return sorted(held, key=lambda one: (one[1].effect is not Effect.PROHIBITED, one[1].id))

    def _set_aside(
        self, action: str, at: datetime, held: Iterable[tuple[str, Restriction]]
    ) -> Iterable[RuleOverridden]:
        """What of ``held`` the overrides in force set aside, rollout by rollout."""
        by_rollout = sorted(held, key=lambda one: one[0])
        for rollout, rules in groupby(by_rollout, key=lambda one: one[0]):
            in_force = [
                one
                for one in self._overrides.get(rollout, ())
                if one.action == action and one.holds(at)
            ]
            if in_force:
                last = max(in_force, key=lambda one: one.expires)
                yield RuleOverridden(at, last, tuple(rule for _, rule in rules))


def _last_end(rules: Iterable[Restriction]) -> datetime | None:
    """When the last of the prohibitions among ``rules`` ends; none when one has no end."""
    ends = [rule.window.until.at for rule in rules if rule.effect is Effect.PROHIBITED]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def _not_held(override: Override, at: datetime) -> str:
    """Why an override that was given does not help."""
    if override.since is not None and at < override.since:
        return f"the override of {override.action} begins at {override.since.isoformat()}"
    return f"the override of {override.action} expired at {override.expires.isoformat()}"


def _may_hold(rule: Restriction, at: datetime) -> bool:
    return rule.window.holds(at) in (Holding.WITHIN, Holding.UNKNOWN)


def _is_of(rule: Restriction, service: str | None) -> bool:
    """Whether ``rule`` is about ``service``; without one on either side it is about every one."""
    return not (rule.service and service) or rule.service.casefold() == service.casefold()
