"""What both lines lost: asked for again, else taken from a refresh, else told as lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta

import pytest
from attrs import define, evolve, field

from hkex_ops.errors import HkexOpsError, Rejected, Unreachable
from hkex_ops.flows.index.pipeline import Pipeline, Taken
from hkex_ops.flows.index.recovering import RECOVERING, Recoverer, RecoveryLimits
from hkex_ops.index.engine import Engine
from hkex_ops.index.ticks import JournalReason, RecordJournalled, StockHealed
from hkex_ops.omd import RefreshComplete, Statistics
from hkex_ops.omd.events import GapClosed, GapLost
from hkex_ops.omd.messages import Message
from hkex_ops.ports import FeedLine, LineHealth, PacketBatch
from tests.flows.index_market import BASKETS, CHANNELS, TRADES, Market, at_ns

QUICK = evolve(RECOVERING, wait_ms=1, answer_s=1, refresh_s=1)


@define
class LiveFeed:
    """A feed that can do nothing but hear."""

    market: Market
    asked: list[tuple[int, int]] = field(factory=list[tuple[int, int]])

    @property
    def channels(self) -> tuple[int, ...]:
        """Those of the market."""
        return CHANNELS

    async def packets(self) -> AsyncIterator[PacketBatch]:
        """Nothing: the bench hands batches over itself."""
        return
        yield

    def health(self) -> Sequence[LineHealth]:
        """All is well."""
        return ()


@define
class Asking(LiveFeed):
    """It can ask again, and is answered, or fails so often first."""

    failures: list[HkexOpsError] = field(factory=list[HkexOpsError])

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncIterator[PacketBatch]:
        """The packets of that range, as they were sent."""
        self.asked.append((begin, end))
        if self.failures:
            raise self.failures.pop(0)
        for packet in self.market.channels[channel].packets:
            first, count = int.from_bytes(packet[4:8], "little"), packet[2]
            if count and first <= end and first + count > begin:
                yield self.market.batch(channel, [packet], FeedLine.RETRANSMISSION)


@define
class Refreshing(Asking):
    """It has a refresh too."""

    refreshed: int = 0

    async def refresh(self, channel: int) -> AsyncIterator[PacketBatch]:
        """Two cycles: the first one is joined in its middle."""
        self.refreshed += 1
        market = self.market
        last = market.channels[channel].sequence - 1
        complete = market.codec.blank(RefreshComplete)._replace(last_sequence=last)
        statistics = market.codec.blank(Statistics)._replace(
            security_code=5, last_price_3dp=64_000, high_price_3dp=64_000, low_price_3dp=60_000
        )
        sequence = 900
        cycles: list[list[Message]] = [[complete], [statistics, complete]]
        for messages in cycles:
            packet = market.codec.encode_packet(
                messages, sequence=sequence, send_time_ns=at_ns(market.now)
            )
            sequence += len(messages)
            yield market.batch(channel, [packet], FeedLine.REFRESH)
            await asyncio.sleep(0)


@define
class Bench:
    """A pipeline with a recoverer beside it."""

    market: Market
    feed: LiveFeed
    limits: RecoveryLimits = QUICK
    taken: list[Taken] = field(factory=list[Taken])
    pipeline: Pipeline = field(init=False)
    recoverer: Recoverer = field(init=False)

    def __attrs_post_init__(self) -> None:
        engine = Engine(BASKETS, channels=CHANNELS)
        self.pipeline = Pipeline(engine, self.market.codec, CHANNELS)
        self.recoverer = Recoverer(
            self.feed,
            self.pipeline,
            self.market.codec,
            receive=self.take,
            tell=self.tell,
            now_ns=lambda: at_ns(self.market.now),
            limits=self.limits,
        )
        for batch in self.market.begin():
            self.take(batch)
        self.wait(100)
        self.taken.clear()

    def take(self, batch: PacketBatch) -> None:
        self.tell(self.pipeline.take(batch, self.market.now))

    def tell(self, taken: Taken) -> None:
        self.taken.append(taken)
        self.recoverer.observe(taken.health)

    def wait(self, ms: int) -> None:
        self.market.wait(ms=ms)
        self.tell(self.pipeline.poll(self.market.now))

    def lose(self, packets: int = 1) -> None:
        """So many packets of one trade come by no line, and the next one does."""
        for place in range(packets):
            self.market.send(self.market.trade(5, 61_000 + 50 * place))
        self.take(self.market.send(self.market.trade(700, 300_000)))
        self.wait(100)

    def told(self, kind: type) -> list[object]:
        return [
            one
            for part in self.taken
            for one in (*part.data, *part.health)
            if isinstance(one, kind)
        ]

    async def recover(self, holds: Callable[[], bool]) -> None:
        running = asyncio.create_task(self.recoverer.run())
        try:
            async with asyncio.timeout(10):
                while not holds():
                    await asyncio.sleep(0.001)
                    assert not running.done(), running.exception()
        finally:
            running.cancel()

    async def until_closed(self) -> GapClosed:
        await self.recover(lambda: bool(self.told(GapClosed)))
        [closed] = self.told(GapClosed)
        assert isinstance(closed, GapClosed)
        return closed


@pytest.fixture
def market() -> Market:
    return Market()


async def test_what_is_lost_is_asked_for_again_and_nothing_is_marked(market: Market) -> None:
    feed = Asking(market)
    bench = Bench(market, feed)
    bench.lose(3)
    closed = await bench.until_closed()
    assert ([(3, 5)], ()) == (feed.asked, tuple(closed.lost))
    assert ([], set()) == (bench.told(GapLost), bench.pipeline.engine.marked)
    assert bench.pipeline.follows(TRADES)


async def test_a_service_that_is_not_there_is_asked_again(market: Market) -> None:
    feed = Asking(market, failures=[Unreachable("nobody"), Unreachable("nobody")])
    bench = Bench(market, feed)
    bench.lose()
    await bench.until_closed()
    assert ([(3, 3)] * 3, []) == (feed.asked, bench.told(GapLost))


async def test_more_than_one_request_may_ask_for_is_asked_in_several(market: Market) -> None:
    feed = Asking(market)
    bench = Bench(market, feed, evolve(QUICK, range=4))
    bench.lose(10)
    await bench.until_closed()
    assert [(3, 6), (7, 10), (11, 12)] == feed.asked


async def test_who_refuses_is_not_asked_again_and_the_refresh_stands_in(market: Market) -> None:
    """It shows the last price of one stock; the others of the channel stay marked."""
    feed = Refreshing(market, failures=[Rejected("not for you")])
    bench = Bench(market, feed)
    bench.lose()
    await bench.recover(lambda: bench.pipeline.follows(TRADES))
    assert ([(3, 3)], 1) == (feed.asked, feed.refreshed)
    [lost] = bench.told(RecordJournalled)
    assert JournalReason.LOST is getattr(lost, "reason", None)
    assert [5] == [one.security for one in bench.told(StockHealed) if isinstance(one, StockHealed)]
    assert {700} == bench.pipeline.engine.marked - {941}


async def test_with_nothing_to_ask_it_is_lost_and_the_stocks_are_marked(market: Market) -> None:
    bench = Bench(market, LiveFeed(market))
    bench.lose()
    closed = await bench.until_closed()
    assert ((3, 3),) == tuple(closed.lost)
    assert {5, 700, 941} & bench.pipeline.engine.marked


async def test_a_day_has_only_so_many_requests(market: Market) -> None:
    feed = Asking(market)
    bench = Bench(market, feed, evolve(QUICK, requests=1))
    bench.lose()
    await bench.until_closed()
    bench.taken.clear()
    bench.lose()
    await bench.recover(lambda: bool(bench.told(GapLost)))
    assert 1 == len(feed.asked)


async def test_an_answer_that_never_ends_is_given_up(market: Market) -> None:
    class Endless(Asking):
        async def retransmit(
            self, channel: int, begin: int, end: int
        ) -> AsyncIterator[PacketBatch]:
            self.asked.append((begin, end))
            await asyncio.sleep(timedelta(days=1).total_seconds())
            yield self.market.batch(channel, [], FeedLine.RETRANSMISSION)

    feed = Endless(market)
    bench = Bench(market, feed, evolve(QUICK, answer_s=0, attempts=2))
    bench.lose()
    await bench.recover(lambda: bool(bench.told(GapLost)))
    assert [(3, 3)] * 2 == feed.asked
