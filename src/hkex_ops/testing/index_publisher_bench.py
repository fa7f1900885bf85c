"""What the author of an index publisher brings to the contract: the adapter and a back door.

The back door stands where the users of the index stand: it tells what has come out there, makes the
way vanish, fall silent or refuse, so that a publisher is never its own witness. What a bench cannot
do it leaves as it is here, and the clauses that need it are skipped with that reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest

from hkex_ops.model import IndexTick, JsonObject
from hkex_ops.ports import IndexPublisher, Offer

__all__ = ["IndexPublisherBench"]


class IndexPublisherBench(ABC):
    """One adapter and the far side of its way, empty and up.

    ``time_limit_s`` is how long one call may take with the options given here, whatever happens.
    """

    time_limit_s: float = 10

    @property
    @abstractmethod
    def offer(self) -> Offer[IndexPublisher]:
        """The adapter under test, as its plug-in offers it."""

    @abstractmethod
    def options(self) -> object:
        """Options with which publishing succeeds."""

    @abstractmethod
    async def published(self) -> Sequence[IndexTick]:
        """What has come out at the far side since the start, in its order; twice what came twice.

        Asked again for a short while when something is missing, since users may hear a little
        later than the publisher is done.
        """

    def carried(self, tick: IndexTick) -> IndexTick:
        """What of ``tick`` this way can carry: all of it, unless its format has no place for some.

        Index, moment, value and kind must always be told apart.
        """
        return tick

    async def events(self) -> Sequence[JsonObject]:
        """The events of operation that have come out, in their order."""
        pytest.skip("this bench cannot tell which events came out")

    async def latest(self) -> Sequence[IndexTick]:
        """What a user who has just come is told of each index, in any order."""
        pytest.skip("this bench has no late-comer")

    async def take_down(self) -> None:
        """Make the far side unreachable, connections that stand included."""
        pytest.skip("this bench cannot take the far side down")

    async def bring_up(self) -> None:
        """Make the far side reachable and willing again, with all that it had."""
        pytest.skip("this bench cannot bring the far side up again")

    async def fall_silent(self) -> None:
        """Make the far side take everything and answer nothing."""
        pytest.skip("this bench has no answer to wait for")

    async def fill_up(self) -> None:
        """Make the far side have no room for anything more."""
        pytest.skip("this bench cannot fill the far side up")

    async def refuse(self) -> None:
        """Make the far side refuse whatever is published, if it can in words that hold a secret."""
        pytest.skip("this bench cannot make the far side refuse")

    def options_unknown(self) -> object:
        """As :meth:`options`, but the far side does not know who that is."""
        pytest.skip("this bench knows no users")

    def secrets(self) -> Sequence[str]:
        """The secrets that the two options hold or lead to; no error may repeat one."""
        return ()

    def visitors(self) -> int:
        """How many connections to the far side, or open files there, this process has now."""
        pytest.skip("this bench cannot count what is open")
