"""Index values heard: each once whatever a line loses, from the midst of a day, over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from omd_index import IndexLines, packet_of

from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
from hkex_ops.ports import SupportsHealth
from hkex_ops_omd import IndexFeedOptions, open_index_feed, open_publisher

AT = datetime(2010, 1, 22, 10, tzinfo=HONG_KONG)
PRIMARY = SiteRole.PRIMARY


def ticks(moment: int, count: int = 3) -> list[IndexTick]:
    at = AT + timedelta(seconds=2 * moment)
    return [
        IndexTick(f"{number:07}", at, Decimal(100 * moment + number).quantize(Decimal("1.00")))
        for number in range(count)
    ]


@pytest.fixture
def lines() -> Iterator[IndexLines]:
    lines = IndexLines()
    yield lines
    lines.close()


class Reader:
    """The ticks of a feed of the lines."""

    def __init__(self, ticks: AsyncIterator[IndexTick]) -> None:
        self._ticks = ticks

    async def take(self, count: int) -> list[IndexTick]:
        async with asyncio.timeout(10):
            return [await anext(self._ticks) for _ in range(count)]


@pytest.fixture
async def reader(lines: IndexLines) -> AsyncIterator[Reader]:
    async with open_index_feed(lines.feed_options(), PRIMARY) as feed:
        yield Reader(feed.ticks())


async def test_each_value_comes_once_though_two_lines_bring_it(
    lines: IndexLines, reader: Reader
) -> None:
    for moment in range(10):
        lines.put(ticks(moment))
    expected = [one for moment in range(10) for one in ticks(moment)]
    assert expected == await reader.take(30)


@pytest.mark.parametrize("left", ["line_a", "line_b"])
async def test_what_one_line_lost_the_other_brings(
    lines: IndexLines, reader: Reader, left: str
) -> None:
    for moment in range(10):
        lines.put(ticks(moment), *(() if moment % 3 else (left,)))
    expected = [one for moment in range(10) for one in ticks(moment)]
    assert expected == await reader.take(30)


async def test_what_both_lines_lost_is_soon_over(lines: IndexLines, reader: Reader) -> None:
    """There is no retransmission; the next values are given half a second later."""
    lines.put(ticks(0))
    lines.next += 3
    lines.put(ticks(2))
    assert ticks(0) == await reader.take(3)

    async def go_on() -> None:
        for _ in range(20):
            await asyncio.sleep(0.05)
            lines.put([])
            beat = packet_of([], lines.next - 1)
            lines.sender.send(lines.lines["line_a"], beat)

    going = asyncio.create_task(go_on())
    assert ticks(2) == await reader.take(3)
    going.cancel()


async def test_a_late_comer_begins_with_what_comes_first(lines: IndexLines, reader: Reader) -> None:
    """At number 50,001, without waiting for what was before."""
    lines.next = 50_001
    lines.put(ticks(0))
    async with asyncio.timeout(0.4):
        assert ticks(0) == await reader.take(3)


async def test_a_late_comer_may_hear_a_heartbeat_first(lines: IndexLines, reader: Reader) -> None:
    lines.next = 50_001
    lines.sender.send(lines.lines["line_b"], packet_of([], 50_000))
    lines.put(ticks(0))
    async with asyncio.timeout(0.4):
        assert ticks(0) == await reader.take(3)


async def test_what_is_malformed_is_passed_over(lines: IndexLines, reader: Reader) -> None:
    """Also as the very first packet, with a number from nowhere."""
    noise = b"\xff" * 40
    lines.sender.send(lines.lines["line_a"], noise)
    lines.put(ticks(0))
    lines.sender.send(lines.lines["line_a"], noise)
    lines.sender.send(lines.lines["line_b"], b"")
    lines.put(ticks(1))
    assert [*ticks(0), *ticks(1)] == await reader.take(6)


async def test_a_publisher_that_was_started_again_is_heard(
    lines: IndexLines, reader: Reader
) -> None:
    """Its numbers begin anew, and nothing is taken for a copy."""
    for moment in range(2):
        async with open_publisher(lines.publisher_options(), PRIMARY) as publisher:
            for step in range(5):
                await publisher.publish(ticks(10 * moment + step))
    expected = [one for moment in (0, 10) for step in range(5) for one in ticks(moment + step)]
    assert expected == await reader.take(30)


async def test_two_publishers_of_the_same_are_heard_as_one_value_each_time(
    lines: IndexLines,
) -> None:
    """Every publication of a value is given; who reads tells by index and time."""
    async with AsyncExitStack() as stack:
        feed = await stack.enter_async_context(open_index_feed(lines.feed_options(), PRIMARY))
        publisher = await stack.enter_async_context(
            open_publisher(lines.publisher_options(), PRIMARY)
        )
        await publisher.publish(ticks(0))
        await publisher.publish(ticks(0))
        assert ticks(0) * 2 == await Reader(feed.ticks()).take(6)


async def test_ticks_are_iterated_once(lines: IndexLines) -> None:
    async with open_index_feed(lines.feed_options(), PRIMARY) as feed:
        lines.put(ticks(0))
        await Reader(feed.ticks()).take(1)
        with pytest.raises(UsageError, match="may be iterated once"):
            await anext(feed.ticks())


async def test_the_health_of_both_lines_is_told(lines: IndexLines) -> None:
    async with open_index_feed(lines.feed_options(), PRIMARY) as feed:
        assert isinstance(feed, SupportsHealth)
        lines.put(ticks(0), "line_b")
        await Reader(feed.ticks()).take(3)
        assert [("A", 0), ("B", 1)] == [(one.line, one.received_packets) for one in feed.health()]


async def test_a_feed_that_is_closed_ends(lines: IndexLines) -> None:
    async with open_index_feed(lines.feed_options(), PRIMARY) as feed:
        waiting = asyncio.create_task(anext(feed.ticks(), None))
        await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        assert await waiting is None


async def test_a_line_that_cannot_be_joined_is_a_fault_of_the_configuration(
    lines: IndexLines,
) -> None:
    options = IndexFeedOptions(interface="192.0.2.1", line_a=lines.lines["line_a"])
    with pytest.raises(ConfigError, match="set interface to the address of a local interface"):
        async with open_index_feed(options, PRIMARY):
            pass
