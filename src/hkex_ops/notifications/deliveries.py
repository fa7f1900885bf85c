"""One message to one receiver by one notifier: what may become of it, and when it is tried again.

The one thing that must not happen is that a receiver who has it gets it once more. So a message
that may have been taken is *unknown* and waits for a person, unless the far side is known to drop
what it already has. Transitions are a table; an outbox keeps each step before the next is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from attrs import evolve, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Outcome

__all__ = [
    "DELIVERY_TRANSITIONS",
    "Delivery",
    "DeliveryInput",
    "DeliveryRules",
    "DeliveryState",
]


class DeliveryState(StrEnum):
    """How a delivery stands."""

    QUEUED = "queued"
    SENDING = "sending"
    TAKEN = "taken"
    REFUSED = "refused"
    GIVEN_UP = "given-up"  # not taken as often as was tried
    UNKNOWN = "unknown"  # ask a person: it may have been taken


class DeliveryInput(StrEnum):
    """What moves a delivery."""

    BEGIN = "begin"
    TAKEN = "taken"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    TOLD = "told"  # a person says that the receiver knows
    AGAIN = "again"  # a person says that it shall be sent again

    @classmethod
    def of(cls, outcome: Outcome) -> DeliveryInput:
        """What an outcome means for the delivery that it is of."""
        return cls(outcome.value)


_Q, _S = DeliveryState.QUEUED, DeliveryState.SENDING
_T, _R = DeliveryState.TAKEN, DeliveryState.REFUSED
_G, _U = DeliveryState.GIVEN_UP, DeliveryState.UNKNOWN

DELIVERY_TRANSITIONS: Mapping[tuple[DeliveryState, DeliveryInput], DeliveryState] = (
    MappingProxyType(
        {
            (_Q, DeliveryInput.BEGIN): _S,
            (_Q, DeliveryInput.TOLD): _T,
            (_S, DeliveryInput.TAKEN): _T,
            (_S, DeliveryInput.REFUSED): _R,
            (_S, DeliveryInput.DEFERRED): _Q,
            (_S, DeliveryInput.UNKNOWN): _U,
            (_R, DeliveryInput.TOLD): _T,
            (_R, DeliveryInput.AGAIN): _Q,
            (_G, DeliveryInput.TOLD): _T,
            (_G, DeliveryInput.AGAIN): _Q,
            (_U, DeliveryInput.TOLD): _T,
            (_U, DeliveryInput.AGAIN): _Q,
        }
    )
)


@frozen
class DeliveryRules:
    """How often and how soon a message that was not taken is tried again.

    After ``first_wait_s``, then each time twice as long as before and at most ``longest_wait_s``;
    ``attempts`` in all.
    """

    attempts: int = 12
    first_wait_s: int = 5
    longest_wait_s: int = 300

    def wait(self, attempts: int) -> timedelta:
        """How long to wait after so many attempts."""
        doubled = self.first_wait_s * 2 ** min(attempts - 1, 30)
        return timedelta(seconds=min(doubled, self.longest_wait_s))


@frozen
class Delivery:
    """How one delivery stands: tried ``attempts`` times, and next not before ``due``."""

    state: DeliveryState
    attempts: int
    due: datetime

    def moved(
        self,
        given: DeliveryInput,
        now: datetime,
        rules: DeliveryRules,
        *,
        drops_repeats: bool = False,
    ) -> Delivery:
        """The delivery after ``given``; `UsageError` for what its state does not allow.

        ``drops_repeats``: the far side knows what it already has, so that sending it again does
        no harm.
        """
        if given is DeliveryInput.UNKNOWN and drops_repeats:
            given = DeliveryInput.DEFERRED
        after = DELIVERY_TRANSITIONS.get((self.state, given))
        if after is None:
            raise UsageError(f"a delivery that is {self.state} cannot become {given}")
        if given is DeliveryInput.BEGIN:
            return evolve(self, state=after, attempts=self.attempts + 1)
        if given is DeliveryInput.AGAIN:
            return Delivery(after, 0, now)
        if given is DeliveryInput.DEFERRED:
            if self.attempts >= rules.attempts:
                return evolve(self, state=DeliveryState.GIVEN_UP)
            return evolve(self, state=after, due=now + rules.wait(self.attempts))
        return evolve(self, state=after)

    @property
    def settled(self) -> Outcome | None:
        """What the switchboard is told of it; ``None`` while it is on its way."""
        return _SETTLED.get(self.state)


_SETTLED = {
    _T: Outcome.TAKEN,
    _R: Outcome.REFUSED,
    _G: Outcome.REFUSED,
    _U: Outcome.UNKNOWN,
}
