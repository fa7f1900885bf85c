"""Faults of market data, each named after what it does, around any market feed.

Multicast loses, doubles and reorders by its nature: the library's own pipeline keeps every value
right, or marked, under each of them. A feed that did so by itself would break its contract.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from hkex_ops.errors import Rejected
from hkex_ops.ports import MarketFeed, PacketBatch
from hkex_ops.testing.faulty import Stall, cut_off, doubled, swapped, thinned

__all__ = [
    "Disconnecting",
    "Duplicating",
    "Faulty",
    "Losing",
    "Refusing",
    "Reordering",
    "Stalling",
    "Truncating",
]


class Faulty:
    """A market feed that hands everything on. A fault overrides what it does wrong."""

    def __init__(self, feed: MarketFeed) -> None:
        self._feed = feed

    @property
    def channels(self) -> Sequence[int]:
        """Of the feed within."""
        return self._feed.channels

    def packets(self) -> AsyncIterator[PacketBatch]:
        """As the feed within gives them."""
        return self._feed.packets()


class Truncating(Faulty):
    """Cuts the last byte off every packet."""

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        """Every packet a byte shorter."""
        async for batch in self._feed.packets():
            yield batch._replace(packets=[packet[:-1] for packet in batch.packets])


class Stalling(Faulty, Stall):
    """Gives ``after`` batches and then waits until :meth:`go_on`, which may be never."""

    def __init__(self, feed: MarketFeed, after: int = 1) -> None:
        Faulty.__init__(self, feed)
        Stall.__init__(self, after)

    def packets(self) -> AsyncIterator[PacketBatch]:
        """A few batches, and then silence."""
        return self.stalled(self._feed.packets())


class Reordering(Faulty):
    """Gives every other batch after the one that came later."""

    def packets(self) -> AsyncIterator[PacketBatch]:
        """The same batches, each two the wrong way round."""
        return swapped(self._feed.packets())


class Duplicating(Faulty):
    """Gives everything twice."""

    def packets(self) -> AsyncIterator[PacketBatch]:
        """Each batch twice."""
        return doubled(self._feed.packets())


class Losing(Faulty):
    """Loses every batch number ``every``, as a line does that brings more than there is room."""

    def __init__(self, feed: MarketFeed, every: int = 3) -> None:
        super().__init__(feed)
        self._every = every

    def packets(self) -> AsyncIterator[PacketBatch]:
        """The batches that are left."""
        return thinned(self._feed.packets(), self._every)


class Refusing(Faulty):
    """Has a retransmission server that refuses every request."""

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        """Nothing, and why."""
        raise Rejected(f"messages {begin} to {end} of channel {channel}: the server refused them")
        yield


class Disconnecting(Faulty):
    """Fails after ``after`` batches."""

    def __init__(self, feed: MarketFeed, after: int = 1) -> None:
        super().__init__(feed)
        self._after = after

    def packets(self) -> AsyncIterator[PacketBatch]:
        """Some batches, and the failure."""
        return cut_off(self._feed.packets(), self._after)
