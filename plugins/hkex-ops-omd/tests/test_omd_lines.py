"""Both lines of a real channel through the arbiter: losses on one and on both, and their repair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from random import Random

import pytest
from omd_benches import MulticastBench

from hkex_ops.config.layouts import load_codec
from hkex_ops.model import SiteRole
from hkex_ops.omd.events import (
    GapClosed,
    GapOpened,
    LineEvent,
    LineReturned,
    LineSilent,
    MessagesArrived,
)
from hkex_ops.omd.line import Arbiter
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.ports import (
    FeedLine,
    MarketFeed,
    PacketBatch,
    SupportsHealth,
    SupportsRefresh,
    SupportsRetransmission,
)
from hkex_ops.testing import Sent
from hkex_ops.testing.market_feed_heard import messages_of, numbered

A, B = FeedLine.A, FeedLine.B

CHANNEL = 30
MANY = 400
MS_NS = 1_000_000


@pytest.fixture
async def bench() -> AsyncIterator[MulticastBench]:
    async with MulticastBench() as bench:
        yield bench


class Follower:
    """One channel of a feed, arbitrated, its gaps asked for again."""

    def __init__(self, feed: MarketFeed, *, silent_ms: int = 6_000) -> None:
        self.feed = feed
        limits = LineLimits(gap_wait_ns=20 * MS_NS, silent_ns=silent_ms * MS_NS)
        self.arbiter = Arbiter(CHANNEL, load_codec(), limits=limits)
        self.messages: list[tuple[int, bytes]] = []
        self.health: list[LineEvent] = []

    def take(self, batch: PacketBatch) -> None:
        """Arbitrate a batch, keep what comes of it."""
        for packet in batch.packets:
            for event in self.arbiter.handle(packet, str(batch.line), batch.received_ns):
                if isinstance(event, MessagesArrived):
                    self.messages += messages_of([event.packet])[event.skip :]
                else:
                    self.health.append(event)

    async def follow(self, until: int) -> None:
        """Up to message ``until``, whatever has to be asked for again."""
        async with asyncio.timeout(10), aclosing(as_generator(self.feed)) as batches:
            async for batch in batches:
                told = len(self.health)
                self.take(batch)
                for event in self.health[told:]:
                    if isinstance(event, GapOpened):
                        await self.ask(event)
                if self.arbiter.next_sequence > until:
                    return

    async def ask(self, gap: GapOpened) -> None:
        assert isinstance(self.feed, SupportsRetransmission)
        async for batch in self.feed.retransmit(CHANNEL, gap.begin, gap.end):
            self.take(batch)


async def as_generator(feed: MarketFeed) -> AsyncGenerator[PacketBatch]:
    async for batch in feed.packets():
        yield batch


def stream(many: int = MANY) -> list[bytes]:
    """Messages 1 to ``many``, some packets of one and some of several."""
    draw, packets, number = Random(20100122), [], 1
    while number <= many:
        count = min(draw.choice((1, 1, 3, 20)), many + 1 - number)
        packets.append(numbered(number, CHANNEL, count=count))
        number += count
    return packets


async def followed(
    bench: MulticastBench, sent: Iterable[Sent], packets: Sequence[bytes]
) -> Follower:
    """What a follower makes of ``sent``, while the server keeps all ``packets``."""
    await bench.keep(CHANNEL, packets)
    async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as feed:
        follower = Follower(feed)
        await bench.send([*sent])

        async def beat() -> None:
            """As a line does that is idle: so the loss of the last packets is seen."""
            while True:
                await asyncio.sleep(0.05)
                last = Sent(CHANNEL, A, numbered(MANY, count=0))
                await bench.send([last, last._replace(line=B)])

        beating = asyncio.create_task(beat())
        await follower.follow(MANY)
        beating.cancel()
    return follower


@pytest.mark.parametrize("lost_on", [A, B])
async def test_what_one_line_lost_the_other_has(bench: MulticastBench, lost_on: FeedLine) -> None:
    """Every other packet of one line is lost: no gap, nothing asked for."""
    packets = stream()
    sent = [
        Sent(CHANNEL, line, packet)
        for place, packet in enumerate(packets)
        for line in (A, B)
        if not (line is lost_on and place % 2)
    ]
    follower = await followed(bench, sent, packets)
    assert messages_of(packets) == follower.messages
    assert [] == follower.health
    assert [] == list(bench.requests())


async def test_what_both_lines_lost_is_asked_for_again(bench: MulticastBench) -> None:
    """Three holes, the last at the very end: each is told, asked for and closed once."""
    packets = stream()
    lost = {10, 11, len(packets) // 2, len(packets) - 1}
    sent = [
        Sent(CHANNEL, line, packet)
        for place, packet in enumerate(packets)
        for line in (A, B)
        if place not in lost
    ]
    follower = await followed(bench, sent, packets)
    assert messages_of(packets) == follower.messages
    gaps = [
        (messages_of([packets[first]])[0][0], messages_of([packets[last]])[-1][0])
        for first, last in ((10, 11), (len(packets) // 2,) * 2, (len(packets) - 1,) * 2)
    ]
    opened = [(one.begin, one.end) for one in follower.health if isinstance(one, GapOpened)]
    closed = [(one.begin, one.end) for one in follower.health if isinstance(one, GapClosed)]
    assert [gaps, gaps] == [opened, closed]
    assert [(CHANNEL, *gap) for gap in gaps] == list(bench.requests())


async def test_lines_that_lose_at_random_lose_nothing_together(bench: MulticastBench) -> None:
    """A quarter of each line is lost, some of it on both, and swapped and doubled besides."""
    packets, draw = stream(), Random(1922)
    sent: list[Sent] = []
    for packet in packets:
        for line in (A, B):
            if draw.random() < 0.75:
                sent += [Sent(CHANNEL, line, packet)] * draw.choice((1, 1, 1, 2))
        if len(sent) > 2 and draw.random() < 0.1:
            sent[-1], sent[-2] = sent[-2], sent[-1]
    follower = await followed(bench, sent, packets)
    assert messages_of(packets) == follower.messages
    assert len(bench.requests()) > 0


async def test_a_line_that_falls_silent_is_told_and_does_no_harm(bench: MulticastBench) -> None:
    """B says nothing for a while; then it is heard again."""
    async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as feed:
        follower = Follower(feed, silent_ms=100)

        async def say() -> None:
            await bench.send([Sent(CHANNEL, line, numbered(1)) for line in (A, B)])
            for number in range(2, 12):
                await asyncio.sleep(0.02)
                await bench.send([Sent(CHANNEL, A, numbered(number))])
            await bench.send([Sent(CHANNEL, B, numbered(11))])
            await asyncio.sleep(0.02)
            await bench.send([Sent(CHANNEL, A, numbered(12))])

        saying = asyncio.create_task(say())
        await follower.follow(12)
        await saying
    assert [*range(1, 13)] == [number for number, _ in follower.messages]
    [silent, returned] = follower.health
    assert isinstance(silent, LineSilent)
    assert ("B", ("A",)) == (silent.line, silent.left)
    assert isinstance(returned, LineReturned)
    assert "B" == returned.line


async def test_the_health_of_every_line_is_told_in_order(bench: MulticastBench) -> None:
    await bench.keep(CHANNEL, stream())
    async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as feed:
        assert isinstance(feed, SupportsHealth)
        await bench.send([Sent(CHANNEL, B, numbered(1))])
        async with aclosing(as_generator(feed)) as batches:
            await anext(batches)
        told = [(one.channel, one.line, one.received_packets) for one in feed.health()]
    recovery = bench.recovery_channel
    assert [
        (recovery, FeedLine.RECOVERY, 0),
        (recovery, FeedLine.RECOVERY, 0),
        (30, A, 0),
        (30, B, 1),
        (31, A, 0),
        (31, B, 0),
    ] == told


async def test_a_feed_can_do_what_its_options_say_and_no_more() -> None:
    """Without servers it cannot ask again, without refresh lines it has no refresh."""
    bench = MulticastBench()
    options = bench.market.options()
    bare = [type(one)(one.channel, one.line_a, one.line_b) for one in bench.market.lines.values()]
    kinds: list[tuple[bool, bool]] = []
    for given in (options, type(options)(interface=options.interface, channels=tuple(bare))):
        async with bench.offer.open(given, SiteRole.PRIMARY) as feed:
            can = isinstance(feed, SupportsRetransmission), isinstance(feed, SupportsRefresh)
            kinds.append(can)
    bench.market.close()
    assert [(False, True), (False, False)] == kinds
