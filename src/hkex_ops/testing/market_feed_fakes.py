"""A market feed in memory: no network, the same behaviour as the port demands.

``FakeMarket`` is the far side and its own back door; ``open_fake_feed`` is what an ``Offer`` opens:

>>> import asyncio
>>> from hkex_ops.model import SiteRole
>>> from hkex_ops.ports import FeedLine
>>> from hkex_ops.testing import FakeFeedOptions, FakeMarket, Sent, open_fake_feed
>>> market = FakeMarket(channels=(30,), is_live=False)
>>> market.send([Sent(30, FeedLine.A, bytes(16), at_ns=7)])
>>> async def listen():
...     async with open_fake_feed(FakeFeedOptions(market), SiteRole.PRIMARY) as feed:
...         return [batch async for batch in feed.packets()]
>>> asyncio.run(listen())[0].received_ns
7
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from attrs import define, field, frozen

from hkex_ops.clock import SystemClock
from hkex_ops.errors import Rejected, RemoteError, Unreachable, UsageError
from hkex_ops.model import SiteRole
from hkex_ops.ports import FeedLine, LineHealth, MarketFeed, Offer, PacketBatch
from hkex_ops.testing.market_feed_bench import MarketFeedBench, Sent
from hkex_ops.testing.market_feed_heard import messages_of

__all__ = [
    "FakeFeedOptions",
    "FakeMarket",
    "FakeMarketFeed",
    "FakeMarketFeedBench",
    "open_fake_feed",
]

# Specification, section 4.2: the most messages that one request may name.
MOST_PER_REQUEST = 10_000

_HEADER_BYTES = 16

_Queue = asyncio.Queue["PacketBatch | RemoteError | None"]


@define(eq=False)
class FakeMarket:
    """The far side. Change it freely while feeds are open.

    ``is_live`` says whether what is sent is heard by whoever listens then, or recorded. ``kept``
    is what the retransmission server has, packet by packet; ``asked`` every request it was sent.
    """

    channels: tuple[int, ...] = (30, 31)
    recovery: int = 1
    is_live: bool = True
    server_is_up: bool = True
    failure: RemoteError | None = None
    recorded: list[PacketBatch] = field(factory=list[PacketBatch])
    kept: dict[int, list[bytes]] = field(factory=dict[int, list[bytes]])
    asked: list[tuple[int, int, int]] = field(factory=list[tuple[int, int, int]])
    listening: list[_Queue] = field(factory=list[_Queue])
    refreshing: list[tuple[int, _Queue]] = field(factory=list[tuple[int, _Queue]])
    sessions: int = 0
    most_sessions: int = 0

    def send(self, sent: Sequence[Sent]) -> None:
        """Put packets on the lines, or on record."""
        now_ns = int(SystemClock().now().timestamp()) * 10**9 if self.is_live else 0
        for one in sent:
            at_ns = now_ns if self.is_live else one.at_ns
            batch = PacketBatch(one.channel, one.line, at_ns, [one.packet])
            if not self.is_live:
                self.recorded.append(batch)
            for queue in self.listening:
                queue.put_nowait(batch)

    def send_refresh(self, channel: int, packet: bytes) -> None:
        """Put a packet on a channel's refresh line."""
        batch = PacketBatch(channel, FeedLine.REFRESH, 0, [packet])
        for wanted, queue in self.refreshing:
            if wanted == channel:
                queue.put_nowait(batch)

    def begin_session(self) -> None:
        """Somebody logs on; raises `Unreachable` while the server is down."""
        if not self.server_is_up:
            raise Unreachable("the fake server is down")
        self.sessions += 1
        self.most_sessions = max(self.most_sessions, self.sessions)

    def answer(self, channel: int, begin: int, end: int) -> list[bytes]:
        """The packets that hold these messages, and more; `Rejected` when some are not kept."""
        self.asked.append((channel, begin, end))
        packets = [
            packet
            for packet in self.kept.get(channel, [])
            if begin <= messages_of([packet])[-1][0] and messages_of([packet])[0][0] <= end
        ]
        numbers = [number for number, _ in messages_of(packets)]
        if begin not in numbers or end not in numbers:
            raise Rejected(f"messages {begin} to {end} of channel {channel} are not kept")
        return [_cut(packet, begin, end) for packet in packets]


@frozen
class FakeFeedOptions:
    """Which market to listen to."""

    market: FakeMarket


class FakeMarketFeed:
    """The port ``MarketFeed`` on :class:`FakeMarket`, with every capability."""

    def __init__(self, options: FakeFeedOptions) -> None:
        self.market: FakeMarket = options.market
        self.queue: _Queue = asyncio.Queue()
        self.ends: list[_Queue] = [self.queue]
        self.lock: asyncio.Lock = asyncio.Lock()
        self.asked: bool = False
        self.received: Counter[tuple[int, FeedLine]] = Counter()
        self.open()

    @property
    def channels(self) -> Sequence[int]:
        """The market's channels."""
        return sorted(self.market.channels)

    @property
    def waits_for_reader(self) -> bool:
        """What is on record waits."""
        return not self.market.is_live

    def open(self) -> None:
        """Listen, or read the record."""
        self.market.listening.append(self.queue)
        if not self.market.is_live:
            for batch in self.market.recorded:
                self.queue.put_nowait(batch)
            self.queue.put_nowait(self.market.failure)

    def close(self) -> None:
        """Listen no more."""
        self.market.listening.remove(self.queue)
        for queue in self.ends:
            queue.put_nowait(None)

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        """Yield what is heard."""
        if self.asked:
            raise UsageError("the packets of a feed may be iterated once: open another feed")
        self.asked = True
        async for batch in _until_the_end(self.queue):
            self.received[batch.channel, batch.line] += len(batch.packets)
            yield batch

    def health(self) -> Sequence[LineHealth]:
        """How much came by each line that was heard; nothing is ever dropped here."""
        return [LineHealth(*line, count, 0, 0, 0) for line, count in sorted(self.received.items())]

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        """Ask the market's server for a range."""
        if channel not in self.market.channels:
            raise UsageError(f"this feed has no channel {channel}")
        if not 0 < begin <= end < 2**32 or end - begin >= MOST_PER_REQUEST:
            raise UsageError(f"messages {begin} to {end} cannot be asked for in one request")
        async with self.lock:
            self.market.begin_session()
            try:
                for packet in self.market.answer(channel, begin, end):
                    await asyncio.sleep(0)
                    yield PacketBatch(channel, FeedLine.RETRANSMISSION, 0, [packet])
            finally:
                self.market.sessions -= 1

    async def refresh(self, channel: int) -> AsyncGenerator[PacketBatch]:
        """Listen to a channel's refresh line."""
        if channel not in self.market.channels:
            raise UsageError(f"this feed has no channel {channel}")
        queue: _Queue = asyncio.Queue()
        self.ends.append(queue)
        self.market.refreshing.append((channel, queue))
        try:
            async for batch in _until_the_end(queue):
                yield batch
        finally:
            self.market.refreshing.remove((channel, queue))


@asynccontextmanager
async def open_fake_feed(
    options: FakeFeedOptions,
    site: SiteRole,
    make: Callable[[FakeFeedOptions], FakeMarketFeed] = FakeMarketFeed,
) -> AsyncGenerator[MarketFeed]:
    """A feed of the market, the same for each ``site``. ``make`` builds it: a faulty one, for the
    kit's own tests."""
    feed = make(options)
    try:
        yield feed
    finally:
        feed.close()


class FakeMarketFeedBench(MarketFeedBench):
    """The bench of the fake: every clause of the contract can be staged on it.

    ``make`` puts another feed in the fake's place: a faulty one, for the kit's own tests.
    """

    def __init__(
        self,
        make: Callable[[FakeFeedOptions], FakeMarketFeed] = FakeMarketFeed,
        *,
        is_live: bool = True,
    ) -> None:
        self.make = make
        self.is_live = is_live
        self.market: FakeMarket = FakeMarket(is_live=is_live)

    @property
    def offer(self) -> Offer[MarketFeed]:
        """The fake, on offer."""
        return Offer(
            "fake", FakeFeedOptions, lambda options, site: open_fake_feed(options, site, self.make)
        )

    def options(self) -> FakeFeedOptions:
        """Options of the one market."""
        return FakeFeedOptions(self.market)

    @property
    def channels(self) -> Sequence[int]:
        """The market's channels."""
        return self.market.channels

    @property
    def recovery_channel(self) -> int:
        """The market's recovery channel."""
        return self.market.recovery

    async def send(self, sent: Sequence[Sent]) -> None:
        """Send, or record."""
        self.market.send(sent)

    async def send_elsewhere(self, packet: bytes) -> None:
        """Nobody listens there."""

    async def break_off(self) -> None:
        """The record ends in the middle; a live fake does not fail."""
        if self.is_live:
            await super().break_off()
        self.market.failure = RemoteError("the record was cut off")

    def listeners(self) -> int:
        """Open feeds and sessions."""
        return len(self.market.listening) + self.market.sessions

    async def keep(self, channel: int, packets: Sequence[bytes]) -> None:
        """Keep packets."""
        self.market.kept[channel] = [*packets]

    async def take_server_down(self) -> None:
        """Refuse sessions."""
        self.market.server_is_up = False

    async def bring_server_up(self) -> None:
        """Allow sessions."""
        self.market.server_is_up = True

    def requests(self) -> Sequence[tuple[int, int, int]]:
        """Every request."""
        return self.market.asked

    def most_sessions(self) -> int:
        """The most at once."""
        return self.market.most_sessions

    async def send_refresh(self, channel: int, packet: bytes) -> None:
        """Send by a refresh line."""
        self.market.send_refresh(channel, packet)

    def refresh_listeners(self, channel: int) -> int:
        """Refreshes that somebody asked for."""
        return [wanted for wanted, _ in self.market.refreshing].count(channel)


async def _until_the_end(queue: _Queue) -> AsyncGenerator[PacketBatch]:
    while True:
        match await queue.get():
            case None:
                return
            case RemoteError() as failure:
                raise failure
            case PacketBatch() as batch:
                yield batch


def _cut(packet: bytes, begin: int, end: int) -> bytes:
    """The packet without the messages outside the range."""
    kept = [one for one in messages_of([packet]) if begin <= one[0] <= end]
    body = b"".join(message for _, message in kept)
    size = (_HEADER_BYTES + len(body)).to_bytes(2, "little")
    first = kept[0][0].to_bytes(4, "little")
    return size + bytes([len(kept), 0]) + first + packet[8:_HEADER_BYTES] + body
