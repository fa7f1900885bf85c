"""The fallback machine: what must still stand for the way back, and the decision to take it.

The issuer decides for a fallback; the desk records who told it, when and why, and ticks off what
must be standing. Decided once, and only within the window that the plan gives. Which transactions
have to be put in again is not known here. Knows no file and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import FallbackPlan, Holding, Rollout, Window

__all__ = [
    "FALLBACK_TRANSITIONS",
    "Decide",
    "Fallback",
    "FallbackDecided",
    "FallbackEvent",
    "FallbackState",
    "StandingTicked",
    "TickStanding",
]


class FallbackState(StrEnum):
    """Whether the way back was taken."""

    READY = "ready"
    DECIDED = "decided"


@frozen
class Decide:
    """The way back is taken; who records it, when it was decided and why."""

    by: str
    reason: str
    at: datetime


@frozen
class TickStanding:
    """One thing is, or is not, still standing; who looked, and when."""

    id: str
    stands: bool
    by: str
    at: datetime
    remark: str = ""


FALLBACK_TRANSITIONS: Mapping[tuple[FallbackState, type[Decide | TickStanding]], FallbackState] = (
    MappingProxyType(
        {
            (FallbackState.READY, TickStanding): FallbackState.READY,
            (FallbackState.READY, Decide): FallbackState.DECIDED,
            (FallbackState.DECIDED, TickStanding): FallbackState.DECIDED,
        }
    )
)


@frozen
class FallbackDecided:
    """The fallback was decided."""

    at: datetime
    plan: str
    by: str
    reason: str


@frozen
class StandingTicked:
    """Somebody looked whether a thing still stands."""

    at: datetime
    id: str
    stands: bool
    by: str
    remark: str


FallbackEvent: TypeAlias = FallbackDecided | StandingTicked


class Fallback:
    """One rollout's way back."""

    def __init__(self, rollout: Rollout) -> None:
        """`UsageError` when the rollout states no fallback plan."""
        if rollout.fallback is None:
            raise UsageError(f"{rollout.id} states no fallback plan")
        self.plan: FallbackPlan = rollout.fallback
        self._state = FallbackState.READY
        self.decided: FallbackDecided | None = None
        self.ticked: dict[str, StandingTicked] = {}

    @property
    def state(self) -> FallbackState:
        """Whether the way back was taken."""
        return self._state

    @property
    def window(self) -> Window:
        """When the fallback may be decided."""
        return self.plan.trigger_window or self.plan.window

    def handle(self, given: Decide | TickStanding, now: datetime) -> FallbackEvent:
        """Take a decision or a tick; the event of it.

        Raises `Denied` for a decision outside the plan's window, and `UsageError` for one that was
        taken already, or says too little.
        """
        after = FALLBACK_TRANSITIONS.get((self._state, type(given)))
        if after is None:
            assert self.decided is not None, "only a decision rules another out"
            raise UsageError(
                f"the fallback was decided already, at {self.decided.at} by {self.decided.by}"
            )
        if not given.by.strip():
            raise UsageError("a person answers for the fallback: say who")
        if given.at > now:
            raise UsageError(f"nothing is recorded ahead of time, at {given.at}")
        told = self._decide(given) if isinstance(given, Decide) else self._tick(given)
        self._state = after
        return told

    def _decide(self, given: Decide) -> FallbackDecided:
        if not given.reason.strip():
            raise UsageError("a fallback is decided for a reason: say which")
        if self.window.holds(given.at) in (Holding.BEFORE, Holding.AFTER):
            raise Denied(
                f"fallback at {given.at.isoformat()}",
                rule=f"{self.plan.trigger} (from {self.window.start} until {self.window.until})",
                source=str(self.plan.source),
                until=self.window.start.at if self._too_early(given.at) else None,
            )
        self.decided = FallbackDecided(given.at, self.plan.id, given.by, given.reason)
        return self.decided

    def _tick(self, given: TickStanding) -> StandingTicked:
        known = [one.id for one in self.plan.standing]
        if given.id not in known:
            raise UsageError(
                f"{self.plan.name} names no {given.id!r} that must stand; it names "
                f"{', '.join(known) or 'nothing'}"
            )
        told = StandingTicked(given.at, given.id, given.stands, given.by, given.remark)
        self.ticked[given.id] = told
        return told

    def _too_early(self, at: datetime) -> bool:
        return self.window.holds(at) is Holding.BEFORE
