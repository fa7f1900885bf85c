"""A case: one route telling of one thing, until somebody has it, or has acknowledged it.

Where nobody takes it the route's fallbacks are tried, where nobody acknowledges it the steps of
its escalation. Both count from an instant that is given; a restart loses nothing, since a case is
its snapshot. Which messages go out by which adapter is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from attrs import define, field

from hkex_ops.model import Notification, Outcome
from hkex_ops.notifications.events import (
    CaseAcknowledged,
    CaseEscalated,
    CaseFellBack,
    CaseReached,
    CaseUnanswered,
    CaseUnreached,
    SwitchboardEvent,
    TellingOrdered,
)
from hkex_ops.notifications.routing import Route, Telling

__all__ = ["TRANSITIONS", "Case", "CaseInput", "CaseState", "case_id"]

OWN_WAY = "route"


class CaseState(StrEnum):
    """How a case stands."""

    CALLING = "calling"  # nobody is known to have it yet
    REACHED = "reached"
    ACKNOWLEDGED = "acknowledged"
    UNANSWERED = "unanswered"
    UNREACHED = "unreached"


class CaseInput(StrEnum):
    """What moves a case."""

    TAKEN = "taken"
    ACKNOWLEDGE = "acknowledge"
    STEPS_USED_UP = "steps-used-up"
    WAYS_USED_UP = "ways-used-up"


TRANSITIONS: Mapping[tuple[CaseState, CaseInput], CaseState] = MappingProxyType(
    {
        (CaseState.CALLING, CaseInput.TAKEN): CaseState.REACHED,
        (CaseState.CALLING, CaseInput.ACKNOWLEDGE): CaseState.ACKNOWLEDGED,
        (CaseState.CALLING, CaseInput.STEPS_USED_UP): CaseState.UNANSWERED,
        (CaseState.CALLING, CaseInput.WAYS_USED_UP): CaseState.UNREACHED,
        (CaseState.REACHED, CaseInput.TAKEN): CaseState.REACHED,
        (CaseState.REACHED, CaseInput.ACKNOWLEDGE): CaseState.ACKNOWLEDGED,
        (CaseState.REACHED, CaseInput.STEPS_USED_UP): CaseState.UNANSWERED,
    }
)


def case_id(key: str, route: str) -> str:
    """How the case of ``route`` telling of ``key`` is called."""
    return f"{key} > {route}"


@define(eq=False)
class Case:
    """One case, driven by the switchboard. ``notifications`` are one for each language."""

    route: Route
    notifications: tuple[Notification, ...]
    opened: datetime
    state: CaseState = CaseState.CALLING
    called: datetime = field(kw_only=True)
    fallbacks: int = field(default=0, kw_only=True)
    steps: int = field(default=0, kw_only=True)
    outcomes: dict[tuple[str, str], Outcome | None] = field(
        factory=dict[tuple[str, str], Outcome | None], kw_only=True
    )

    @property
    def key(self) -> str:
        """The key of what is told."""
        return self.notifications[0].key

    @property
    def id(self) -> str:
        """The name of this case."""
        return case_id(self.key, self.route.id)

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be done."""
        if self.state is CaseState.REACHED:
            return bool(self.route.escalation)
        return self.state is CaseState.CALLING

    def call(self, now: datetime) -> tuple[SwitchboardEvent, ...]:
        """Tell whom the route tells first."""
        return tuple(
            order for telling in self.route.tell for order in self._order(telling, OWN_WAY, now)
        )

    def settle(
        self, by: str, to: str, outcome: Outcome, now: datetime
    ) -> tuple[SwitchboardEvent, ...]:
        """What became of one receiver; a receiver that nobody was told to tell changes nothing."""
        if (by, to) not in self.outcomes:
            return ()
        self.outcomes[by, to] = outcome
        if outcome is not Outcome.TAKEN:
            return self.poll(now)
        was = self.state
        if not self._move(CaseInput.TAKEN) or was is CaseState.REACHED:
            return ()
        return (CaseReached(now, self.id, by, to),)

    def acknowledge(self, by: str, now: datetime) -> tuple[SwitchboardEvent, ...]:
        """Somebody has read it."""
        if not self._move(CaseInput.ACKNOWLEDGE):
            return ()
        return (CaseAcknowledged(now, self.id, self.key, by),)

    def poll(self, now: datetime) -> tuple[SwitchboardEvent, ...]:
        """What is due."""
        return (*self._fall_back(now), *self._escalate(now), *self._give_up(now))

    def due(self) -> datetime | None:
        """When `poll` has something to do next, as things stand."""
        moments = [one for one in (self._fallback_due(), self._step_due()) if one is not None]
        return min(moments, default=None)

    # -- what is due ---------------------------------------------------------------------------

    def _fall_back(self, now: datetime) -> Iterator[SwitchboardEvent]:
        while (due := self._fallback_due()) is not None and due <= now:
            telling = self.route.fallback[self.fallbacks]
            self.fallbacks += 1
            self.called = now
            yield CaseFellBack(now, self.id, self.fallbacks)
            yield from self._order(telling, f"fallback {self.fallbacks}", now)

    def _fallback_due(self) -> datetime | None:
        if self.state is not CaseState.CALLING or self.fallbacks >= len(self.route.fallback):
            return None
        if self._all_failed():
            return self.called
        return self.called + timedelta(minutes=self.route.fallback_after_minutes)

    def _escalate(self, now: datetime) -> Iterator[SwitchboardEvent]:
        while (due := self._step_due()) is not None and due <= now:
            if self.steps == len(self.route.escalation):
                self._move(CaseInput.STEPS_USED_UP)
                yield CaseUnanswered(now, self.id, self.key)
                return
            step = self.route.escalation[self.steps]
            self.steps += 1
            yield CaseEscalated(now, self.id, self.steps)
            yield from self._order(step.telling, f"escalation {self.steps}", now)

    def _step_due(self) -> datetime | None:
        """The next step's instant; after the last, as long again as the last one waited.

        Where every way has failed already, nobody is waited for.
        """
        if not self.route.escalation or not self.is_open:
            return None
        if self.state is CaseState.CALLING and self._ways_used_up():
            return self.called
        minutes = [0, *(one.after_minutes for one in self.route.escalation)]
        minutes.append(2 * minutes[-1] - minutes[-2])
        return self.opened + timedelta(minutes=minutes[self.steps + 1])

    def _give_up(self, now: datetime) -> Iterator[SwitchboardEvent]:
        is_last = self._ways_used_up() and not self.route.escalation
        if self.state is CaseState.CALLING and is_last:
            self._move(CaseInput.WAYS_USED_UP)
            yield CaseUnreached(now, self.id, self.key)

    def _ways_used_up(self) -> bool:
        return self.fallbacks == len(self.route.fallback) and self._all_failed()

    def _all_failed(self) -> bool:
        return all(one not in (None, Outcome.TAKEN) for one in self.outcomes.values())

    def _order(self, telling: Telling, way: str, now: datetime) -> Iterator[TellingOrdered]:
        """Orders for whoever was not told by that notifier yet, in every language."""
        fresh = tuple(to for to in telling.to if (telling.by, to) not in self.outcomes)
        self.outcomes.update(((telling.by, to), None) for to in fresh)
        if fresh:
            for notification in self.notifications:
                yield TellingOrdered(now, self.id, way, telling.by, fresh, notification)

    def _move(self, given: CaseInput) -> bool:
        after = TRANSITIONS.get((self.state, given))
        if after is None:
            return False
        self.state = after
        return True
