"""Small tools of the market feed's contract: packets to send, and what was heard of them.

Packets are made by hand here and not with :mod:`hkex_ops.omd`, so that a fault of the codec is no
fault of a feed.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from hkex_ops.model import SiteRole
from hkex_ops.ports import FeedLine, MarketFeed, PacketBatch
from hkex_ops.testing.market_feed_bench import MarketFeedBench, Sent

__all__ = [
    "heard_of",
    "left_in_order",
    "lines_of",
    "messages_of",
    "noticed",
    "numbered",
    "opened",
    "sent_of",
    "take",
    "to_the_end",
]

_HEADER = struct.Struct("<HBBIQ")
_TRADE_CANCEL = struct.Struct("<HHII")
_TRADE_CANCEL_TYPE = 51

# A far side notices a farewell a little later than the visitor says it.
NOTICE_TIMEOUT_S = 5
NOTICE_INTERVAL_S = 0.01

_ByLine = dict[tuple[int, FeedLine], list[bytes]]


def numbered(sequence: int, mark: int = 0, *, count: int = 1) -> bytes:
    """A packet of ``count`` small messages from number ``sequence`` on, told apart by ``mark``."""
    messages = b"".join(
        _TRADE_CANCEL.pack(_TRADE_CANCEL.size, _TRADE_CANCEL_TYPE, mark, number)
        for number in range(sequence, sequence + count)
    )
    return _HEADER.pack(_HEADER.size + len(messages), count, 0, sequence, 0) + messages


def messages_of(packets: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Every message of ``packets`` with its number, however they are packed."""
    found: list[tuple[int, bytes]] = []
    for packet in packets:
        _, count, _, sequence, _ = _HEADER.unpack_from(packet)
        at = _HEADER.size
        for number in range(sequence, sequence + count):
            size = int.from_bytes(packet[at : at + 2], "little")
            found.append((number, packet[at : at + size]))
            at += size
    return found


def sent_of(sent: Sequence[Sent]) -> _ByLine:
    """What was sent, line by line."""
    lines: _ByLine = {}
    for one in sent:
        lines.setdefault((one.channel, one.line), []).append(one.packet)
    return lines


def heard_of(batches: Sequence[PacketBatch]) -> _ByLine:
    """What was heard, line by line."""
    lines: _ByLine = {}
    for batch in batches:
        lines.setdefault((batch.channel, batch.line), []).extend(batch.packets)
    return lines


@asynccontextmanager
async def opened(bench: MarketFeedBench, sent: Sequence[Sent] = ()) -> AsyncGenerator[MarketFeed]:
    """The feed, opened at the primary site for as long as a clause may take.

    Where it is a record, ``sent`` is recorded before.
    """
    if not bench.is_live and sent:
        await bench.send(sent)
    async with (
        asyncio.timeout(2 * bench.time_limit_s),
        bench.offer.open(bench.options(), SiteRole.PRIMARY) as feed,
    ):
        yield feed


async def lines_of(
    bench: MarketFeedBench,
    feed: MarketFeed,
    sent: Sequence[Sent],
    *,
    send: bool = True,
    pause_s: float = 0,
) -> list[PacketBatch]:
    """Send by a live feed's lines, and hear as many packets as were sent, or fewer in vain."""
    if bench.is_live and send:
        for some in [sent] if not pause_s else [[one] for one in sent]:
            await bench.send(some)
            await asyncio.sleep(pause_s)
    heard: list[PacketBatch] = []
    missing = len(sent)
    with suppress(TimeoutError):
        async with asyncio.timeout(bench.time_limit_s), left_in_order(feed.packets()) as batches:
            async for batch in batches:
                heard.append(batch)
                missing -= len(batch.packets)
                if missing <= 0:
                    break
    return heard


async def take(
    bench: MarketFeedBench, sent: Sequence[Sent], *, pause_s: float = 0
) -> list[PacketBatch]:
    """Open, send, hear as many packets as were sent, leave."""
    async with opened(bench, sent) as feed:
        return await lines_of(bench, feed, sent, pause_s=pause_s)


async def to_the_end(feed: MarketFeed) -> list[PacketBatch]:
    """Everything that a feed gives until it ends."""
    return [batch async for batch in feed.packets()]


async def noticed(fact: Callable[[], bool]) -> bool:
    """Whether the far side comes to show ``fact`` within a short while."""
    for _ in range(int(NOTICE_TIMEOUT_S / NOTICE_INTERVAL_S)):
        if fact():
            return True
        await asyncio.sleep(NOTICE_INTERVAL_S)
    return False


@asynccontextmanager
async def left_in_order(
    batches: AsyncIterator[PacketBatch],
) -> AsyncGenerator[AsyncIterator[PacketBatch]]:
    """The port promises an iterator; where it is a generator, leaving it closes it."""
    try:
        yield batches
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()
