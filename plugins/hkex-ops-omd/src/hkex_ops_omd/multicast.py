"""The port ``MarketFeed`` by UDP multicast: lines A and B, the recovery channel, refresh.

Gives packets and decodes none. Retransmission, which is another protocol, is
:mod:`hkex_ops_omd.retransmitting`'s. What the options say nothing of, a feed cannot do, so there
is a class for each combination. Made by :mod:`hkex_ops_omd.opening`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from hkex_ops.clock import Clock
from hkex_ops.errors import UsageError
from hkex_ops.model import SiteRole
from hkex_ops.omd import Codec
from hkex_ops.ports import FeedLine, LineHealth, PacketBatch
from hkex_ops_omd.hearing import Heard, Hearing
from hkex_ops_omd.options import ChannelLines, MulticastOptions
from hkex_ops_omd.retransmitting import Retransmitter

__all__ = ["MulticastFeed", "RefreshedFeed", "RetransmittedFeed", "WholeFeed", "feed_of"]


class MulticastFeed:
    """Some channels, joined; :meth:`close` leaves them.

    `ConfigError` when a line cannot be joined; none is then.
    """

    def __init__(self, options: MulticastOptions, site: SiteRole, codec: Codec, clock: Clock):
        self._options = options
        self._clock = clock
        self._by_channel = {one.channel: one for one in options.channels}
        self._retransmitter = (
            None
            if options.retransmission is None
            else Retransmitter(options.retransmission, site, codec, clock)
        )
        self._asked = False
        self._refreshes: set[Hearing] = set()
        self._hearing = self._hear(_lines_of(options))

    @property
    def channels(self) -> Sequence[int]:
        """The real-time channels, ascending."""
        return sorted(self._by_channel)

    def packets(self) -> AsyncGenerator[PacketBatch]:
        """Yield what comes; see the port."""
        if self._asked:
            raise UsageError("the packets of a feed may be iterated once: open another feed")
        self._asked = True
        return self._hearing.batches()

    def health(self) -> Sequence[LineHealth]:
        """Every line as it is now, by channel and line."""
        return sorted(self._hearing.health(), key=lambda one: (one.channel, one.line))

    async def close(self) -> None:
        """Leave every group, hang up."""
        for hearing in (self._hearing, *self._refreshes):
            hearing.close()
        if self._retransmitter is not None:
            await self._retransmitter.close()

    def _channel(self, channel: int) -> ChannelLines:
        try:
            return self._by_channel[channel]
        except KeyError:
            known = ", ".join(map(str, self.channels))
            raise UsageError(f"this feed has no channel {channel}; it has {known}") from None

    def _hear(self, lines: Iterator[Heard]) -> Hearing:
        return Hearing(
            lines,
            interface=self._options.interface,
            buffer_bytes=self._options.receive_buffer_bytes,
            pending_limit_packets=self._options.pending_limit_packets,
            clock=self._clock,
        )

    # -- what the subclasses offer as capabilities -------------------------------------------

    async def _retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        assert self._retransmitter is not None, "a feed of this class is made with servers only"
        self._channel(channel)
        async with aclosing(self._retransmitter.ask(channel, begin, end)) as answer:
            async for batch in answer:
                yield batch

    async def _refresh(self, channel: int) -> AsyncGenerator[PacketBatch]:
        lines = self._channel(channel)
        wanted = [line for line in (lines.refresh_a, lines.refresh_b) if line is not None]
        if not wanted:
            raise UsageError(f"channel {channel} has no refresh_a and no refresh_b in the options")
        hearing = self._hear(Heard(line, channel, FeedLine.REFRESH) for line in wanted)
        self._refreshes.add(hearing)
        try:
            async for batch in hearing.batches():
                yield batch
        finally:
            self._refreshes.discard(hearing)
            hearing.close()


class RetransmittedFeed(MulticastFeed):
    """A feed whose options name retransmission servers."""

    def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        """Yield messages again; see the port."""
        return self._retransmit(channel, begin, end)


class RefreshedFeed(MulticastFeed):
    """A feed whose options name refresh lines."""

    def refresh(self, channel: int) -> AsyncGenerator[PacketBatch]:
        """Yield a channel's refresh, joined while this is iterated; see the port."""
        return self._refresh(channel)


class WholeFeed(RetransmittedFeed, RefreshedFeed):
    """A feed whose options name both."""


def feed_of(options: MulticastOptions, site: SiteRole, codec: Codec, clock: Clock) -> MulticastFeed:
    """The feed that can do what the options say, no more and no less."""
    refreshed = any(one.refresh_a or one.refresh_b for one in options.channels)
    if options.retransmission is None:
        kind = RefreshedFeed if refreshed else MulticastFeed
    else:
        kind = WholeFeed if refreshed else RetransmittedFeed
    return kind(options, site, codec, clock)


def _lines_of(options: MulticastOptions) -> Iterator[Heard]:
    for one in options.channels:
        for where, line in ((one.line_a, FeedLine.A), (one.line_b, FeedLine.B)):
            if where is not None:
                yield Heard(where, one.channel, line)
    recovery = options.recovery
    if recovery is not None:
        for where in (recovery.line_a, recovery.line_b):
            if where is not None:
                yield Heard(where, recovery.channel, FeedLine.RECOVERY)
