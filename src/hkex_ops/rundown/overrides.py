"""The overrides of a rollout: who set which of its rules aside, until when, and who ended it.

A machine like the checklist's: what people agreed and the time go in, events come out, and
whoever keeps the events can tell it again. An override is granted only for an act that a rule of
the rollout forbids while it lasts, and it ends by itself; a person may end it sooner. Knows no file
and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import evolve, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Bound, Effect, Restriction, Rollout
from hkex_ops.rollouts import Override

__all__ = [
    "OVERRIDE_TRANSITIONS",
    "Grant",
    "OverrideEvent",
    "OverrideGranted",
    "OverrideStanding",
    "OverrideState",
    "OverrideWithdrawn",
    "Overrides",
    "Withdraw",
    "forbidding",
]


class OverrideState(StrEnum):
    """What was told of an override. That it has expired follows from the time, and is not told."""

    ABSENT = "absent"
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


@frozen
class Grant:
    """Set the rules aside that forbid an act; ``at`` is when the two people agreed on it."""

    override: Override
    at: datetime


@frozen
class Withdraw:
    """End an override before it expires; who wants that, when, and why."""

    number: int
    by: str
    reason: str
    at: datetime


OVERRIDE_TRANSITIONS: Mapping[tuple[OverrideState, type[Grant | Withdraw]], OverrideState] = (
    MappingProxyType(
        {
            (OverrideState.ABSENT, Grant): OverrideState.GRANTED,
            (OverrideState.GRANTED, Withdraw): OverrideState.WITHDRAWN,
        }
    )
)


@frozen
class OverrideGranted:
    """Two people set ``rules`` aside; ``number`` counts the rollout's overrides from 1."""

    at: datetime
    number: int
    override: Override
    rules: tuple[Restriction, ...]


@frozen
class OverrideWithdrawn:
    """Somebody ended an override before it expired."""

    at: datetime
    number: int
    by: str
    reason: str


OverrideEvent: TypeAlias = OverrideGranted | OverrideWithdrawn


@frozen
class OverrideStanding:
    """An override with what became of it."""

    granted: OverrideGranted
    withdrawn: OverrideWithdrawn | None = None

    @property
    def effective(self) -> Override | None:
        """The override as it really holds: until it was withdrawn; ``None`` if never at all."""
        override = self.granted.override
        if self.withdrawn is None or self.withdrawn.at >= override.expires:
            return override
        if override.since is not None and self.withdrawn.at <= override.since:
            return None
        return evolve(override, expires=self.withdrawn.at)

    def said(self, at: datetime) -> str:
        """Where it stands at ``at``, in a word: in force, expired, withdrawn or coming."""
        if self.withdrawn is not None and self.withdrawn.at <= at:
            return "withdrawn"
        override = self.granted.override
        if override.holds(at):
            return "in force"
        return "expired" if at >= override.expires else "coming"


class Overrides:
    """The overrides of one rollout."""

    def __init__(self, rollout: Rollout) -> None:
        self._rollout = rollout
        self._standing: dict[int, OverrideStanding] = {}

    @property
    def standing(self) -> tuple[OverrideStanding, ...]:
        """Every override that was granted, in order."""
        return tuple(self._standing.values())

    @property
    def effective(self) -> tuple[Override, ...]:
        """Every override as it really holds, for the guard."""
        held = (one.effective for one in self._standing.values())
        return tuple(one for one in held if one is not None)

    def handle(self, given: Grant | Withdraw, now: datetime) -> OverrideEvent:
        """Take an agreement or its end; the event of it. `UsageError` says what is wrong with it.

        That a rule forbids the act is judged here, once: see :meth:`tell`.
        """
        number = given.number if isinstance(given, Withdraw) else len(self._standing) + 1
        state = self._state(number)
        if (state, type(given)) not in OVERRIDE_TRANSITIONS:
            wrong = "was withdrawn already" if number in self._standing else "does not exist"
            raise UsageError(f"override {number} of {self._rollout.id} {wrong}")
        if given.at > now:
            raise UsageError(f"nothing is recorded ahead of time, at {given.at.isoformat()}")
        if isinstance(given, Withdraw):
            told: OverrideEvent = self._withdrawn(given)
        else:
            told = self._granted(given, number)
        self.tell(told)
        return told

    def tell(self, event: OverrideEvent) -> None:
        """Take an event that was kept. The papers may have changed since; the event stands."""
        if isinstance(event, OverrideGranted):
            self._standing[event.number] = OverrideStanding(event)
        elif (held := self._standing.get(event.number)) is not None:
            self._standing[event.number] = evolve(held, withdrawn=event)

    def _state(self, number: int) -> OverrideState:
        held = self._standing.get(number)
        if held is None:
            return OverrideState.ABSENT
        return OverrideState.GRANTED if held.withdrawn is None else OverrideState.WITHDRAWN

    def _granted(self, given: Grant, number: int) -> OverrideGranted:
        override = evolve(given.override, since=given.at)
        rules = forbidding(self._rollout, override.action, given.at, override.expires)
        if not rules:
            told = f"no rule of {self._rollout.id} forbids {override.action}"
            raise UsageError(
                f"{told} from {given.at.isoformat()} to {override.expires.isoformat()}"
            )
        return OverrideGranted(given.at, number, override, rules)

    def _withdrawn(self, given: Withdraw) -> OverrideWithdrawn:
        for name, value in (("person", given.by), ("reason", given.reason)):
            if not value.strip():
                raise UsageError(f"withdrawing an override needs a {name}: say which")
        granted = self._standing[given.number].granted
        if given.at < granted.at:
            raise UsageError(f"it was agreed at {granted.at.isoformat()}, not withdrawn before")
        if given.at >= granted.override.expires:
            raise UsageError(f"override {given.number} of {self._rollout.id} has expired already")
        return OverrideWithdrawn(given.at, given.number, given.by, given.reason)


def forbidding(
    rollout: Rollout, action: str, start: datetime, end: datetime
) -> tuple[Restriction, ...]:
    """The rules of ``rollout`` that forbid ``action`` at some time from ``start`` to ``end``."""
    return tuple(
        rule
        for rule in rollout.restrictions
        if rule.action == action
        and rule.effect is Effect.PROHIBITED
        and not _ends_by(rule.window.until, start)
        and not _begins_at(rule.window.start, end)
    )


def _ends_by(bound: Bound, start: datetime) -> bool:
    return bound.at is not None and bound.at <= start


def _begins_at(bound: Bound, end: datetime) -> bool:
    return bound.at is not None and bound.at >= end
