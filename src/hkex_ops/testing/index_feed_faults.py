"""Faults of hearing index values, each named after what it does, around any index feed.

A value may be published more than once, and so be heard more than once: what hangs on values is
the same all the same. What a feed loses or alters by itself its contract finds.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from decimal import ROUND_DOWN, Decimal

from attrs import evolve

from hkex_ops.model import IndexTick
from hkex_ops.ports import IndexFeed
from hkex_ops.testing.faulty import Stall, cut_off, doubled, swapped, thinned

__all__ = [
    "Disconnecting",
    "Duplicating",
    "Faulty",
    "Losing",
    "Reordering",
    "Stalling",
    "Truncating",
]


class Faulty:
    """An index feed that hands everything on. A fault overrides what it does wrong."""

    def __init__(self, feed: IndexFeed) -> None:
        self._feed = feed

    def ticks(self) -> AsyncIterator[IndexTick]:
        """As the feed within gives them."""
        return self._feed.ticks()


class Truncating(Faulty):
    """Cuts the cents off every value, as a way does whose format has no room for them."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        """Whole points."""
        async for tick in self._feed.ticks():
            yield evolve(tick, value=tick.value.quantize(Decimal(1), ROUND_DOWN))


class Stalling(Faulty, Stall):
    """Gives ``after`` ticks and then waits until :meth:`go_on`, which may be never."""

    def __init__(self, feed: IndexFeed, after: int = 1) -> None:
        Faulty.__init__(self, feed)
        Stall.__init__(self, after)

    def ticks(self) -> AsyncIterator[IndexTick]:
        """A few ticks, and then silence."""
        return self.stalled(self._feed.ticks())


class Reordering(Faulty):
    """Gives every other tick after the one that came later."""

    def ticks(self) -> AsyncIterator[IndexTick]:
        """The same ticks, each two the wrong way round."""
        return swapped(self._feed.ticks())


class Duplicating(Faulty):
    """Gives everything twice."""

    def ticks(self) -> AsyncIterator[IndexTick]:
        """Each tick twice."""
        return doubled(self._feed.ticks())


class Losing(Faulty):
    """Loses every tick number ``every``."""

    def __init__(self, feed: IndexFeed, every: int = 3) -> None:
        super().__init__(feed)
        self._every = every

    def ticks(self) -> AsyncIterator[IndexTick]:
        """The ticks that are left."""
        return thinned(self._feed.ticks(), self._every)


class Disconnecting(Faulty):
    """Fails after ``after`` ticks."""

    def __init__(self, feed: IndexFeed, after: int = 1) -> None:
        super().__init__(feed)
        self._after = after

    def ticks(self) -> AsyncIterator[IndexTick]:
        """Some ticks, and the failure."""
        return cut_off(self._feed.ticks(), self._after)
