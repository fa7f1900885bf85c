"""A client of market data for one session: hears by the configured feed, and takes note.

The feed is the operator's own adapter, opened from a configuration file at the site where the
client points. Every channel has an arbiter; time is that of the packets, so that a session of
minutes is heard in no time. What the exchange really sent is not known here.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from itertools import islice
from types import TracebackType
from typing import Self

from attrs import define, field

from hkex_ops.errors import TimedOut, UsageError
from hkex_ops.flows.index.adapters import Configured
from hkex_ops.model import SiteRole
from hkex_ops.omd import Codec
from hkex_ops.omd.disaster import DisasterEvent, DisasterWatch
from hkex_ops.omd.events import HealthEvent, LineEvent, MessagesArrived, SequenceRestarted
from hkex_ops.omd.line import Arbiter
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.omd.packet import read_header, walk
from hkex_ops.omd.refresh import RefreshRecovery, RefreshTaken
from hkex_ops.ports import (
    FeedLine,
    MarketFeed,
    PacketBatch,
    SupportsRefresh,
    SupportsRetransmission,
)

__all__ = ["MarketClient"]

# Time is the packets' own, and a minute of it passes at once: line A is heard for a while before
# line B is, and nobody gives up a gap while the next step is to ask for it.
_LIMITS = LineLimits(silent_ns=15 * 10**9, give_up_ns=3600 * 10**9)

# How long anything may take that the machine itself does: loopback, and a refresh cycle or two.
# What has not come when so many looks in a row found nothing new will not come.
_PATIENCE_S = 10
_LOOKS_EVERY_S = 0.005
_LOOKS_IN_VAIN = 200

_AGAIN = "retransmission"


@define
class MarketClient:
    """Hears ``configured`` at ``site`` from entry to exit of ``async with``.

    ``received`` are the messages of each channel as bytes, in order, each once; ``packets`` and
    ``heartbeats`` count by channel and line; ``health`` and ``signals`` are told as events.
    """

    configured: Configured[MarketFeed]
    site: SiteRole
    codec: Codec
    recovery: int
    received: dict[int, list[bytes]] = field(init=False)
    packets: Counter[tuple[int, str]] = field(factory=Counter[tuple[int, str]], init=False)
    heartbeats: Counter[tuple[int, str]] = field(factory=Counter[tuple[int, str]], init=False)
    health: list[HealthEvent | SequenceRestarted] = field(
        factory=list[HealthEvent | SequenceRestarted], init=False
    )
    signals: list[DisasterEvent] = field(factory=list[DisasterEvent], init=False)
    _arbiters: dict[int, Arbiter] = field(factory=dict[int, Arbiter], init=False)
    _watch: DisasterWatch = field(init=False)
    _feed: MarketFeed = field(init=False)
    _now_ns: Counter[int] = field(factory=Counter[int], init=False)
    _stack: AsyncExitStack = field(factory=AsyncExitStack, init=False)

    async def __aenter__(self) -> Self:
        self._feed = await self._stack.enter_async_context(self.configured.open(self.site))
        self._watch = DisasterWatch(self.recovery, self.codec)
        self._arbiters = {
            channel: Arbiter(channel, self.codec, limits=_LIMITS) for channel in self.channels
        }
        self.received = defaultdict(list)
        pumping = asyncio.create_task(self._pump())
        self._stack.push_async_callback(_end, pumping)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def channels(self) -> tuple[int, ...]:
        """The real-time channels, ascending."""
        return tuple(self._feed.channels)

    @property
    def missing(self) -> Mapping[int, tuple[tuple[int, int], ...]]:
        """What is waited for, by channel, as first and last number."""
        return {
            channel: tuple((run.begin, run.end) for run in arbiter.missing)
            for channel, arbiter in self._arbiters.items()
            if arbiter.missing
        }

    def next_sequence(self, channel: int) -> int:
        """The number of the next message wanted of a channel."""
        return self._arbiters[channel].next_sequence

    async def until(self, reached: Callable[[], bool]) -> bool:
        """Wait, a little, until something is so; whether it came to be."""
        known, looks = 0, 0
        while not reached() and looks < _LOOKS_IN_VAIN:
            await asyncio.sleep(_LOOKS_EVERY_S)
            heard = self.packets.total() + self.heartbeats.total()
            known, looks = heard, looks + 1 if heard == known else 0
        return reached()

    async def ask_again(self, channel: int, begin: int, end: int) -> int:
        """Have messages sent again; how many packets came. Raises what the feed raises."""
        if not isinstance(self._feed, SupportsRetransmission):
            raise UsageError("the configured feed has no retransmission servers")
        count = 0
        async with asyncio.timeout(_PATIENCE_S):
            async for batch in self._feed.retransmit(channel, begin, end):
                for packet in batch.packets:
                    self._told(
                        channel,
                        self._arbiters[channel].handle(packet, _AGAIN, self._now_ns[channel]),
                    )
                    count += 1
        return count

    async def refreshed(self, channel: int) -> tuple[int, list[bytes]]:
        """The state of a channel from one whole refresh cycle, and as of which message it holds.

        Raises `TimedOut` when no whole cycle comes.
        """
        if not isinstance(self._feed, SupportsRefresh):
            raise UsageError("the configured feed has no refresh")
        recovery = RefreshRecovery(channel, self.codec)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S), aclosing(self._cycles(channel)) as batches:
                async for batch in batches:
                    for packet in batch.packets:
                        for event in recovery.handle(packet, "A", batch.received_ns):
                            if isinstance(event, RefreshTaken):
                                return event.last_sequence, _state(event)
        raise TimedOut(f"no whole refresh cycle of channel {channel} came within {_PATIENCE_S} s")

    # -- inside ------------------------------------------------------------------------------

    async def _cycles(self, channel: int) -> AsyncGenerator[PacketBatch]:
        assert isinstance(self._feed, SupportsRefresh), "looked at before"
        async for batch in self._feed.refresh(channel):
            yield batch

    async def _pump(self) -> None:
        async for batch in self._feed.packets():
            if batch.line is FeedLine.RECOVERY:
                self._signalled(batch)
            else:
                self._heard(batch)

    def _signalled(self, batch: PacketBatch) -> None:
        for packet in batch.packets:
            self._count(batch, packet)
            self.signals += self._watch.handle(packet, batch.line, batch.received_ns)

    def _heard(self, batch: PacketBatch) -> None:
        channel, arbiter = batch.channel, self._arbiters[batch.channel]
        for packet in batch.packets:
            self._now_ns[channel] = max(self._now_ns[channel], self._count(batch, packet))
            self._told(channel, arbiter.handle(packet, batch.line, self._now_ns[channel]))

    def _count(self, batch: PacketBatch, packet: bytes) -> int:
        header = read_header(packet)
        key = batch.channel, batch.line.value
        (self.heartbeats if header.is_heartbeat else self.packets)[key] += 1
        return header.send_time_ns

    def _told(self, channel: int, events: tuple[LineEvent, ...]) -> None:
        for event in events:
            if isinstance(event, MessagesArrived):
                self.received[channel] += _bodies(event.packet, event.skip, event.message_count)
                continue
            if isinstance(event, SequenceRestarted):
                self.received[channel].clear()
            self.health.append(event)


def _state(taken: RefreshTaken) -> list[bytes]:
    """The messages of a whole refresh cycle, as bytes."""
    return [
        body for part in taken.parts for body in _bodies(part.packet, part.skip, part.message_count)
    ]


def _bodies(packet: bytes, skip: int, count: int) -> list[bytes]:
    """Some messages of a packet, as bytes."""
    chosen = islice(walk(packet), skip, skip + count)
    return [packet[one.offset : one.offset + one.size_bytes] for one in chosen]


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
