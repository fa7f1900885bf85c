"""The contract of ``MarketFeed``: numbered clauses that every adapter of the port must pass.

Inherit the class in a test module and give it a fixture ``bench``::

    class TestMyFeed(MarketFeedContract):
        @pytest.fixture
        async def bench(self, tmp_path):
            async with MyBench(tmp_path) as bench:
                yield bench

A clause states its prerequisite, its action and when it passes. Numbers are never reused. What a
feed can do besides giving packets is :mod:`hkex_ops.testing.market_feed_recovery`'s.
"""

from __future__ import annotations

import asyncio

import pytest

from hkex_ops.clock import SystemClock
from hkex_ops.errors import RemoteError, UsageError
from hkex_ops.ports import FeedLine, SupportsHealth, SupportsPause
from hkex_ops.testing.market_feed_bench import MarketFeedBench, Sent
from hkex_ops.testing.market_feed_heard import (
    heard_of,
    lines_of,
    noticed,
    numbered,
    opened,
    sent_of,
    take,
    to_the_end,
)
from hkex_ops.testing.market_feed_recovery import RefreshClauses, RetransmissionClauses

__all__ = ["MarketFeedContract"]

A = FeedLine.A
B = FeedLine.B

# The largest packet that the specification lets through (1,500 bytes with its headers).
LARGEST_BYTES = 1472

# As many as a busy line brings while somebody looks away for a moment.
MANY = 500

# A reader that takes its time: how often it pauses, and for how long.
PAUSE_EVERY = 500
PAUSE_S = 0.02

# What disobeys the specification is still what was received.
MALFORMED = (
    b"\x00",
    b"\xff" * 15,
    (0xFFFF).to_bytes(2, "little") + b"\x01" * 20,
    bytes(16) + b"\x00\x00\x00\x00",
)


class MarketFeedContract(RetransmissionClauses, RefreshClauses):
    """Inherit and provide a fixture ``bench`` that yields a fresh `MarketFeedBench`."""

    pytestmark: pytest.MarkDecorator = pytest.mark.asyncio

    # -- what is heard -----------------------------------------------------------------------

    async def test_m01_what_is_sent_is_heard(self, bench: MarketFeedBench) -> None:
        """M1. Action: send packets by line A. Pass: the same bytes are heard, in their order."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(number), number) for number in range(1, 11)]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m02_both_lines_are_heard_apart(self, bench: MarketFeedBench) -> None:
        """M2. Action: send the same packets by A and by B. Pass: all are heard, each by its own."""
        first, *_ = bench.channels
        sent = [
            Sent(first, line, numbered(number), number)
            for number in range(1, 11)
            for line in (A, B)
        ]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m03_channels_are_heard_apart(self, bench: MarketFeedBench) -> None:
        """M3. Action: send by two channels in turn. Pass: each packet comes as its channel's."""
        first, second, *_ = bench.channels
        sent = [
            Sent(channel, A, numbered(number, channel), number)
            for number in range(1, 11)
            for channel in (first, second)
        ]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m04_the_channels_are_told(self, bench: MarketFeedBench) -> None:
        """M4. Action: open. Pass: the channels of the options, ascending."""
        if not bench.is_live:
            await bench.send([Sent(channel, A, numbered(1)) for channel in bench.channels])
        async with opened(bench) as feed:
            assert sorted(bench.channels) == [*feed.channels]

    async def test_m05_a_heartbeat_is_a_packet(self, bench: MarketFeedBench) -> None:
        """M5. Action: send a header without a message. Pass: it is heard."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(7, count=0))]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m06_the_largest_packet_is_whole(self, bench: MarketFeedBench) -> None:
        """M6. Action: send a packet of the greatest length. Pass: every byte is heard."""
        first, *_ = bench.channels
        packet = numbered(1, count=(LARGEST_BYTES - 16) // 12)
        sent = [Sent(first, A, packet + bytes(LARGEST_BYTES - len(packet)))]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m07_what_is_malformed_is_handed_on(self, bench: MarketFeedBench) -> None:
        """M7. Action: send what is no packet, then one. Pass: all are heard, as they were."""
        first, *_ = bench.channels
        packets = [*MALFORMED, numbered(1)]
        sent = [Sent(first, A, packet, number) for number, packet in enumerate(packets)]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m08_no_batch_is_empty(self, bench: MarketFeedBench) -> None:
        """M8. Action: send a packet now and then. Pass: each batch holds one at least."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(number), number) for number in range(1, 11)]
        assert all(batch.packets for batch in await take(bench, sent, pause_s=0.001))

    async def test_m09_the_time_of_taking_is_told(self, bench: MarketFeedBench) -> None:
        """M9. Action: send. Pass: the machine's time when it was heard, or the recorded one."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(number), number * 1000) for number in range(1, 11)]
        before = SystemClock().now()
        batches = await take(bench, sent)
        after = SystemClock().now()
        times_ns = [batch.received_ns for batch in batches for _ in batch.packets]
        if bench.is_live:
            # One second more at each end: how the seconds of the clock are made is not the point.
            low_ns = (int(before.timestamp()) - 1) * 10**9
            high_ns = (int(after.timestamp()) + 1) * 10**9
            assert low_ns <= min(times_ns) <= max(times_ns) <= high_ns
            assert sorted(times_ns) == times_ns
        else:
            assert [one.at_ns for one in sent] == times_ns

    async def test_m10_recorded_order_is_kept(self, bench: MarketFeedBench) -> None:
        """M10. Prerequisite: a record. Pass: packets of all lines come in the recorded order."""
        if bench.is_live:
            pytest.skip("between live lines there is no order")
        sent = [
            Sent(channel, line, numbered(number, channel), number)
            for number in range(1, 6)
            for channel in bench.channels
            for line in (B, A)
        ]
        heard = [
            (batch.channel, batch.line, packet)
            for batch in await take(bench, sent)
            for packet in batch.packets
        ]
        assert [(one.channel, one.line, one.packet) for one in sent] == heard

    async def test_m11_other_lines_are_not_heard(self, bench: MarketFeedBench) -> None:
        """M11. Action: send by a line not asked for, then by A. Pass: only A's is heard."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(2))]
        if not bench.is_live:
            await bench.send_elsewhere(numbered(1))
        async with opened(bench, sent) as feed:
            if bench.is_live:
                await bench.send_elsewhere(numbered(1))
            assert sent_of(sent) == heard_of(await lines_of(bench, feed, sent))

    async def test_m12_the_recovery_channel_is_heard_as_such(self, bench: MarketFeedBench) -> None:
        """M12. Prerequisite: a recovery channel. Pass: its packets bear its number and line."""
        sent = [Sent(bench.recovery_channel, FeedLine.RECOVERY, numbered(1))]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m13_the_recovery_channel_is_none_of_the_channels(
        self, bench: MarketFeedBench
    ) -> None:
        """M13. Prerequisite: a recovery channel. Pass: the real-time channels leave it out."""
        recovery = bench.recovery_channel
        async with opened(bench) as feed:
            assert recovery not in feed.channels

    # -- manners -----------------------------------------------------------------------------

    async def test_m14_looking_away_loses_nothing(self, bench: MarketFeedBench) -> None:
        """M14. Action: send many before any is asked for. Pass: all are heard, in order."""
        first, *_ = bench.channels
        many = min(MANY, bench.capacity_packets)
        sent = [Sent(first, A, numbered(number), number) for number in range(1, many + 1)]
        assert sent_of(sent) == heard_of(await take(bench, sent))

    async def test_m15_packets_are_iterated_once(self, bench: MarketFeedBench) -> None:
        """M15. Action: ask for the packets a second time. Pass: UsageError."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(1))]
        async with opened(bench, sent) as feed:
            await lines_of(bench, feed, sent)
            with pytest.raises(UsageError):
                async for _ in feed.packets():
                    break

    async def test_m16_a_feed_ends(self, bench: MarketFeedBench) -> None:
        """M16. Action: close while somebody waits, or read to the end. Pass: it ends in time."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(1))]
        async with asyncio.timeout(bench.time_limit_s):
            async with opened(bench, sent) as feed:
                waiting = asyncio.create_task(to_the_end(feed))
                if bench.is_live:
                    await bench.send(sent)
                    await asyncio.sleep(0.1)
                else:
                    await waiting
            assert [numbered(1)] == [packet for batch in await waiting for packet in batch.packets]

    async def test_m17_nothing_is_held_open(self, bench: MarketFeedBench) -> None:
        """M17. Action: listen, leave. Pass: the market has no listener any more."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(1))]
        async with opened(bench, sent) as feed:
            await lines_of(bench, feed, sent)
        assert await noticed(lambda: bench.listeners() == 0)

    async def test_m18_a_feed_that_fails_says_so(self, bench: MarketFeedBench) -> None:
        """M18. Prerequisite: the feed fails after some packets. Pass: these, then RemoteError."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(number), number) for number in range(1, 4)]
        await bench.send(sent)
        await bench.break_off()
        heard: list[bytes] = []
        async with opened(bench) as feed:
            with pytest.raises(RemoteError):
                async for batch in feed.packets():
                    heard.extend(batch.packets)
        assert [one.packet for one in sent] == heard

    async def test_m19_two_feeds_hear_the_same(self, bench: MarketFeedBench) -> None:
        """M19. Action: open two feeds, send once. Pass: both hear everything."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(number), number) for number in range(1, 11)]
        async with opened(bench, sent) as one, opened(bench) as other:
            if bench.is_live:
                await bench.send(sent)
            both = [await lines_of(bench, feed, sent, send=False) for feed in (one, other)]
        assert [sent_of(sent)] * 2 == [heard_of(heard) for heard in both]

    async def test_m35_health_counts_what_was_taken(self, bench: MarketFeedBench) -> None:
        """M35. Prerequisite: `SupportsHealth`. Action: send by A. Pass: counted there, no loss."""
        first, *_ = bench.channels
        sent = [Sent(first, A, numbered(number), number) for number in range(1, 11)]
        async with opened(bench, sent) as feed:
            if not isinstance(feed, SupportsHealth):
                pytest.skip("this feed tells nothing of its lines")
            await lines_of(bench, feed, sent)
            told = {(one.channel, one.line): one for one in feed.health()}
        assert len(sent) == told[first, A].received_packets
        assert sum(one.received_packets for one in told.values()) == len(sent)
        assert not any(one.dropped_packets for one in told.values())
        assert all(finding.isprintable() for one in told.values() for finding in one.findings)

    async def test_m36_a_feed_that_waits_for_its_reader_loses_nothing_meanwhile(
        self, bench: MarketFeedBench
    ) -> None:
        """M36. Prerequisite: `SupportsPause`, and it waits. Action: draw one packet at a time, far
        more than may wait elsewhere, and pause in between. Pass: everything, in its order."""
        first, *_ = bench.channels
        many = 2 * bench.capacity_packets
        sent = [Sent(first, A, numbered(number), number) for number in range(1, many + 1)]
        async with opened(bench, () if bench.is_live else sent) as feed:
            if not isinstance(feed, SupportsPause) or not feed.waits_for_reader:
                pytest.skip("this feed goes on whether anybody draws or not")
            if bench.is_live:
                await bench.send(sent)
            heard: list[bytes] = []
            async for batch in feed.packets():
                heard += batch.packets
                if len(heard) % PAUSE_EVERY == 0:
                    await asyncio.sleep(PAUSE_S)
                if len(heard) >= many:
                    break
        assert [one.packet for one in sent] == heard
