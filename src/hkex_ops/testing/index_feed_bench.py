"""What the author of an index feed brings to the contract: the adapter and a back door.

The back door is the publishing side: it puts ticks on the way, cuts the line, puts nonsense there
and counts who listens. What a bench cannot do it leaves as it is here, and the clauses that need it
are skipped with that reason.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime

import pytest

from hkex_ops.model import IndexTick
from hkex_ops.ports import IndexFeed, Offer

__all__ = ["IndexFeedBench"]


class IndexFeedBench(ABC):
    """One adapter and the publishing side of its way, empty and up.

    ``time_limit_s`` is how long the next tick may take to come with the options given here, and
    how long a failure may take to be told.
    """

    time_limit_s: float = 10

    @property
    @abstractmethod
    def offer(self) -> Offer[IndexFeed]:
        """The adapter under test, as its plug-in offers it."""

    @abstractmethod
    def options(self) -> object:
        """Options with which a feed gives what is put once it is open, until it is left."""

    @abstractmethod
    async def put(self, ticks: Sequence[IndexTick]) -> None:
        """Publish ``ticks``, all of one moment, by other means than an adapter of this house."""

    def carried(self, tick: IndexTick) -> IndexTick:
        """What of ``tick`` this way can carry: all of it, unless its format has no place for some.

        Index, moment, value and kind must always be told apart.
        """
        return tick

    def options_to_the_end(self) -> object:
        """Options with which a feed gives all that is kept and then ends."""
        pytest.skip("this bench has a way without an end")

    def options_from_the_start(self) -> object:
        """Options with which a feed gives all that is kept first, and then what comes."""
        pytest.skip("this bench has a way that keeps nothing")

    def options_from(self, at: datetime) -> object:
        """Options with which a feed gives all that was put at ``at`` or later, then what comes.

        A clause puts nothing else within a second around ``at``.
        """
        pytest.skip("this bench has no way to start at a moment")

    def options_resuming(self) -> object:
        """Options with which a feed goes on where one with the same options was left."""
        pytest.skip("this bench has a way that remembers nobody")

    async def put_nonsense(self) -> None:
        """Publish something that is no tick and no event."""
        pytest.skip("this bench cannot put nonsense")

    async def take_down(self) -> None:
        """Make the publishing side unreachable, connections that stand included."""
        pytest.skip("this bench cannot take the publishing side down")

    async def bring_up(self) -> None:
        """Make the publishing side reachable again, with all that it kept."""
        pytest.skip("this bench cannot bring the publishing side up again")

    def options_unknown(self) -> object:
        """As :meth:`options`, but the publishing side does not know who that is."""
        pytest.skip("this bench knows no users")

    def secrets(self) -> Sequence[str]:
        """The secrets that the options hold or lead to; no error may repeat one."""
        return ()

    def visitors(self) -> int:
        """How many listeners, or open files there, this process has now."""
        pytest.skip("this bench cannot count what is open")
