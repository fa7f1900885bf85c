"""The clauses of ``MarketFeed``'s capabilities: retransmission and refresh.

Mixed into :class:`hkex_ops.testing.market_feed_contract.MarketFeedContract`, whose numbers they
go on with. Skipped for a feed without the capability.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from hkex_ops.errors import Rejected, TransientError, UsageError
from hkex_ops.ports import (
    FeedLine,
    MarketFeed,
    PacketBatch,
    SupportsRefresh,
    SupportsRetransmission,
)
from hkex_ops.testing.market_feed_bench import MarketFeedBench
from hkex_ops.testing.market_feed_heard import (
    left_in_order,
    messages_of,
    noticed,
    numbered,
    opened,
    to_the_end,
)

__all__ = ["RefreshClauses", "RetransmissionClauses"]

# Specification, section 4.2: the most messages that one request may name.
MOST_PER_REQUEST = 10_000

# As many as fit the largest packet, so that an answer is several packets long.
PER_PACKET = 100

Messages = list[tuple[int, bytes]]


def _asking(feed: MarketFeed) -> SupportsRetransmission:
    if not isinstance(feed, SupportsRetransmission):
        pytest.skip("this feed cannot ask for packets again")
    return feed


def _showing(feed: MarketFeed) -> SupportsRefresh:
    if not isinstance(feed, SupportsRefresh):
        pytest.skip("this feed has no refresh")
    return feed


def _kept(count: int, mark: int = 0) -> list[bytes]:
    """Messages 1 to ``count`` as a server keeps them."""
    starts = range(1, count + 1, PER_PACKET)
    return [numbered(one, mark, count=min(PER_PACKET, count + 1 - one)) for one in starts]


async def _again(
    feed: MarketFeed, channel: int, begin: int, end: int
) -> tuple[Messages, set[tuple[int, FeedLine]]]:
    """The messages that are given again, and by which channel and line."""
    batches: list[PacketBatch] = []
    async with left_in_order(_asking(feed).retransmit(channel, begin, end)) as answer:
        async for batch in answer:
            batches.append(batch)
    packets = [packet for batch in batches for packet in batch.packets]
    return messages_of(packets), {(batch.channel, batch.line) for batch in batches}


async def _refuses(feed: MarketFeed, asked: Sequence[int]) -> None:
    channel, begin, end = asked
    with pytest.raises(UsageError):
        await _again(feed, channel, begin, end)


class RetransmissionClauses:
    """M20 to M29: what was lost can be had again."""

    async def test_m20_a_range_is_given_again(self, bench: MarketFeedBench) -> None:
        """M20. Prerequisite: 400 messages kept. Action: ask for some. Pass: exactly these."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(400))
            messages, lines = await _again(feed, first, 51, 350)
        assert messages_of(_kept(400))[50:350] == messages
        assert {(first, FeedLine.RETRANSMISSION)} == lines
        assert [(first, 51, 350)] == [*bench.requests()]

    async def test_m21_one_message_is_a_range(self, bench: MarketFeedBench) -> None:
        """M21. Action: ask for one message. Pass: it alone."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(10))
            messages, _ = await _again(feed, first, 7, 7)
        assert [7] == [number for number, _ in messages]

    async def test_m22_the_greatest_range_is_one_request(self, bench: MarketFeedBench) -> None:
        """M22. Action: ask for as many as one request may name. Pass: one request, all of them."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(MOST_PER_REQUEST))
            messages, _ = await _again(feed, first, 1, MOST_PER_REQUEST)
        assert [*range(1, MOST_PER_REQUEST + 1)] == [number for number, _ in messages]
        assert [(first, 1, MOST_PER_REQUEST)] == [*bench.requests()]

    async def test_m23_what_no_request_may_name_is_refused(self, bench: MarketFeedBench) -> None:
        """M23. Action: ask for too many, backwards, from 0. Pass: UsageError, nothing was sent."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(10))
            for begin, end in ((1, MOST_PER_REQUEST + 1), (5, 4), (0, 1), (1, 2**32)):
                await _refuses(feed, (first, begin, end))
        assert [] == [*bench.requests()]

    async def test_m24_what_is_not_kept_is_rejected(self, bench: MarketFeedBench) -> None:
        """M24. Action: ask for what the server has not, then what it has. Pass: Rejected, these."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(10))
            with pytest.raises(Rejected):
                await _again(feed, first, 9, 12)
            messages, _ = await _again(feed, first, 9, 10)
        assert [9, 10] == [number for number, _ in messages]

    async def test_m25_a_server_that_is_down_may_be_tried_again(
        self, bench: MarketFeedBench
    ) -> None:
        """M25. Action: ask while it is down, and once it is back. Pass: TransientError, these."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(10))
            await bench.take_server_down()
            with pytest.raises(TransientError):
                await _again(feed, first, 1, 10)
            await bench.bring_server_up()
            messages, _ = await _again(feed, first, 1, 10)
        assert [*range(1, 11)] == [number for number, _ in messages]

    async def test_m26_one_session_and_one_request_at_a_time(self, bench: MarketFeedBench) -> None:
        """M26. Action: ask for three ranges at once. Pass: all are given, by one session."""
        first, second, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(300))
            await bench.keep(second, _kept(300, mark=1))
            asked = [(first, 1, 200), (second, 101, 300), (first, 201, 300)]
            answers = await asyncio.gather(*(_again(feed, *one) for one in asked))
        kept = {first: messages_of(_kept(300)), second: messages_of(_kept(300, mark=1))}
        expected = [kept[channel][begin - 1 : end] for channel, begin, end in asked]
        assert expected == [messages for messages, _ in answers]
        assert 1 == bench.most_sessions()

    async def test_m27_an_answer_may_be_left(self, bench: MarketFeedBench) -> None:
        """M27. Action: leave an answer after a packet, ask anew. Pass: exactly what was asked."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            asking = _asking(feed)
            await bench.keep(first, _kept(1000))
            async with left_in_order(asking.retransmit(first, 1, 1000)) as answer:
                await anext(answer)
            messages, _ = await _again(feed, first, 501, 510)
        assert [*range(501, 511)] == [number for number, _ in messages]

    async def test_m28_asking_leaves_nothing_open(self, bench: MarketFeedBench) -> None:
        """M28. Action: ask, close the feed. Pass: no session and no line is open any more."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(10))
            await _again(feed, first, 1, 10)
        assert await noticed(lambda: bench.listeners() == 0)

    async def test_m29_another_channel_is_refused(self, bench: MarketFeedBench) -> None:
        """M29. Action: ask for a channel that the feed has not. Pass: UsageError, nothing sent."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            _asking(feed)
            await bench.keep(first, _kept(10))
            await _refuses(feed, (max(bench.channels) + 1, 1, 1))
        assert [] == [*bench.requests()]


class RefreshClauses:
    """M30 to M34: the state of a channel can be had as a whole."""

    async def test_m30_refresh_is_listened_to_only_while_asked_for(
        self, bench: MarketFeedBench
    ) -> None:
        """M30. Action: ask for a refresh, leave it. Pass: listened to in between, and only then."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            showing = _showing(feed)
            assert 0 == bench.refresh_listeners(first)
            async with left_in_order(showing.refresh(first)) as cycle:
                await _one_of(bench, first, cycle)
                assert bench.refresh_listeners(first) >= 1
            assert await noticed(lambda: bench.refresh_listeners(first) == 0)

    async def test_m31_refresh_is_of_its_channel(self, bench: MarketFeedBench) -> None:
        """M31. Action: refresh by two channels, one asked for. Pass: its packets, so called."""
        first, second, *_ = bench.channels
        packets = [numbered(number, mark=1) for number in range(1, 6)]
        async with (
            opened(bench) as feed,
            left_in_order(_showing(feed).refresh(first)) as cycle,
        ):
            await _one_of(bench, first, cycle)
            await bench.send_refresh(second, numbered(8, mark=2))
            for packet in packets:
                await bench.send_refresh(first, packet)
            heard = await _heard(cycle, len(packets))
        assert {(first, FeedLine.REFRESH)} == {(batch.channel, batch.line) for batch in heard}
        assert packets == [packet for batch in heard for packet in batch.packets]

    async def test_m32_refresh_is_none_of_the_packets(self, bench: MarketFeedBench) -> None:
        """M32. Action: a refresh is asked for and sent. Pass: the packets of the feed lack it."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            showing = _showing(feed)
            listening = asyncio.create_task(to_the_end(feed))
            async with left_in_order(showing.refresh(first)) as cycle:
                await _one_of(bench, first, cycle)
        assert FeedLine.REFRESH not in {batch.line for batch in await listening}

    async def test_m33_another_channel_has_no_refresh(self, bench: MarketFeedBench) -> None:
        """M33. Action: ask for the refresh of a channel the feed has not. Pass: UsageError."""
        async with opened(bench) as feed:
            showing = _showing(feed)
            async with left_in_order(showing.refresh(max(bench.channels) + 1)) as cycle:
                with pytest.raises(UsageError):
                    await anext(cycle)

    async def test_m34_closing_ends_a_refresh(self, bench: MarketFeedBench) -> None:
        """M34. Action: close the feed in the midst of a refresh. Pass: it ends, nobody listens."""
        first, *_ = bench.channels
        async with opened(bench) as feed:
            cycle = _showing(feed).refresh(first)
            await _one_of(bench, first, cycle)
        async with asyncio.timeout(bench.time_limit_s), left_in_order(cycle) as rest:
            assert [] == [batch async for batch in rest]
        assert await noticed(lambda: bench.refresh_listeners(first) == 0)


async def _one_of(
    bench: MarketFeedBench, channel: int, cycle: AsyncIterator[PacketBatch]
) -> PacketBatch:
    """Have packets sent until one is heard: nobody tells when a group has been joined."""
    waiting = asyncio.ensure_future(anext(cycle))
    while not waiting.done():
        await bench.send_refresh(channel, numbered(1, mark=9, count=0))
        await asyncio.wait([waiting], timeout=0.02)
    return waiting.result()


async def _heard(cycle: AsyncIterator[PacketBatch], count: int) -> list[PacketBatch]:
    """Batches until ``count`` packets with a message came; the heartbeats before are left out."""
    heard: list[PacketBatch] = []
    async for batch in cycle:
        packets = [packet for packet in batch.packets if packet[2]]
        if packets:
            heard.append(batch._replace(packets=packets))
            count -= len(packets)
        if count <= 0:
            break
    return heard
