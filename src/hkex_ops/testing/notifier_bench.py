"""What the author of a notifier brings to the contract: the adapter and a back door.

The back door stands on the far side: it says what really arrived and for whom, and makes the far
side vanish, fall silent, refuse or forget to answer, so that a notifier is never its own witness.
What a bench cannot do it leaves as it is here, and the clauses that need it are skipped.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest
from attrs import frozen

from hkex_ops.ports import Notifier, Offer

__all__ = ["Arrived", "NotifierBench"]


@frozen
class Arrived:
    """One message as it reached one receiver.

    ``identity`` is what the far side can tell a repetition by, such as a Message-ID; empty where
    the protocol has none.
    """

    receiver: str
    identity: str
    text: str


class NotifierBench(ABC):
    """One adapter and one far side that takes what it is given.

    ``time_limit_s`` is how long a call may take with the options given here, whatever happens.
    """

    time_limit_s: int = 10

    @property
    @abstractmethod
    def offer(self) -> Offer[Notifier]:
        """The adapter under test, as its plug-in offers it."""

    @abstractmethod
    def options(self) -> object:
        """Options that the far side is content with."""

    @abstractmethod
    def receivers(self) -> Sequence[str]:
        """Two receivers or more whom the options know."""

    @abstractmethod
    async def arrived(self) -> Sequence[Arrived]:
        """What arrived so far, in order."""

    def unknown_receiver(self) -> str:
        """A receiver whom the adapter can know not to exist, or not to be one."""
        pytest.skip("this bench has no receiver that is known to be none")

    def secrets(self) -> Sequence[str]:
        """What must never be told: passwords, tokens, keys."""
        return ()

    def options_unknown(self) -> object:
        """As :meth:`options`, with a secret that the far side does not know."""
        pytest.skip("this bench has nothing to log in with")

    async def take_down(self) -> None:
        """Make the far side refuse connections."""
        pytest.skip("this bench cannot take its far side down")

    async def bring_up(self) -> None:
        """Make the far side be as it was at first."""
        pytest.skip("this bench cannot bring its far side up again")

    async def fall_silent(self) -> None:
        """Make the far side take connections and answer nothing."""
        pytest.skip("this bench cannot make its far side silent")

    async def take_and_hang_up(self) -> None:
        """Make the far side take what it is given and hang up instead of saying so."""
        pytest.skip("this bench cannot lose an answer")

    async def fill_up(self) -> None:
        """Make the far side say: not now."""
        pytest.skip("this bench has no way to say: not now")

    async def refuse(self) -> None:
        """Make the far side refuse for good, repeating every secret that it knows."""
        pytest.skip("this bench has no way to refuse")

    async def refuse_receiver(self, receiver: str) -> None:
        """Make the far side refuse one receiver for good and take the others."""
        pytest.skip("this bench cannot refuse a single receiver")

    async def acknowledge(self, key: str, receiver: str) -> None:
        """Let a receiver acknowledge what bears ``key``."""
        pytest.skip("nobody can acknowledge by this bench")

    def visitors(self) -> int:
        """How many connections to the far side are open now."""
        pytest.skip("this bench cannot count open connections")
