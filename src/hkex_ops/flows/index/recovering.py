"""Gaps filled: what the arbiters miss is asked for again, or a refresh is waited for.

Joins the recovery machine of each channel with what the feed can do. Works beside the pump, one
request after the other as the service wants it; what comes goes the way of every other packet.
A service that is not there is tried again a few times; then the next rung of the ladder is taken,
and at its end the messages are lost and said to be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from attrs import frozen

from hkex_ops.errors import HkexOpsError, TransientError
from hkex_ops.flows.index.drawing import drawing
from hkex_ops.flows.index.pipeline import MarketHealth, Pipeline, Taken
from hkex_ops.flows.index.translate import Translator
from hkex_ops.omd import Codec
from hkex_ops.omd.events import GapClosed, GapOpened, SequenceRestarted
from hkex_ops.omd.recovery import (
    Failed,
    Needed,
    Recovery,
    RecoveryEvent,
    RecoveryImpossible,
    RefreshWanted,
    RetransmissionWanted,
)
from hkex_ops.omd.refresh import RefreshGivenUp, RefreshLimits, RefreshRecovery, RefreshTaken
from hkex_ops.ports import MarketFeed, PacketBatch, SupportsRefresh, SupportsRetransmission

__all__ = ["RECOVERING", "Recoverer", "RecoveryLimits"]


@frozen
class RecoveryLimits:
    """How patient recovery is.

    A request is tried ``attempts`` times, ``wait_ms`` apart and longer each time, and answered
    within ``answer_s``. A refresh cycle comes within ``refresh_s``; how long one takes is not in
    the specification. ``range`` and ``requests`` are what one request and one day may ask (OMD-C
    specification, section 4.2). Meanwhile gaps are not given up for ``hold_s``.
    """

    attempts: int = 3
    wait_ms: int = 200
    answer_s: int = 10
    refresh_s: int = 60
    range: int = 10_000
    requests: int = 1_000
    hold_s: int = 60


RECOVERING: RecoveryLimits = RecoveryLimits()
"""The limits that hold unless said otherwise."""

_NS_PER_S = 1_000_000_000


class Recoverer:
    """The recovery of all channels of one feed. :meth:`run` it as a task of its own.

    ``receive`` takes a batch as the pump does; ``tell`` takes what came of a change that recovery
    made itself; ``now_ns`` is the feed's time.
    """

    def __init__(
        self,
        feed: MarketFeed,
        pipeline: Pipeline,
        codec: Codec,
        *,
        receive: Callable[[PacketBatch], None],
        tell: Callable[[Taken], None],
        now_ns: Callable[[], int],
        limits: RecoveryLimits = RECOVERING,
    ) -> None:
        self._feed = feed
        self._pipeline = pipeline
        self._codec = codec
        self._translate = Translator(codec).records
        self._receive = receive
        self._tell = tell
        self._now_ns = now_ns
        self._limits = limits
        self._machines: dict[int, Recovery] = {}
        self._wanted: asyncio.Queue[RecoveryEvent] = asyncio.Queue()
        self._requests = 0

    def observe(self, health: Sequence[MarketHealth]) -> None:
        """Hear how the channels fare; what follows is done by :meth:`run`."""
        for event in health:
            now_ns = self._now_ns()
            match event:
                case GapOpened(channel, _, end):
                    left = self._limits.requests - self._requests
                    self._ask(channel, Needed(event, end, left), now_ns)
                case GapClosed(channel) | SequenceRestarted(channel):
                    self._ask(channel, event, now_ns)
                case _:
                    pass

    async def run(self) -> None:
        """Do what is wanted, for as long as the task lives."""
        while True:
            wanted = await self._wanted.get()
            match wanted:
                case RetransmissionWanted(channel, begin, end):
                    if not await self._retransmit(channel, begin, end):
                        self._ask(channel, Failed(), self._now_ns())
                case RefreshWanted(channel, needed):
                    if not await self._refresh(channel, needed):
                        self._ask(channel, Failed(), self._now_ns())
                case RecoveryImpossible(channel, begin, end):
                    self._abandon(channel, begin, end)

    def _ask(
        self,
        channel: int,
        given: Needed | GapClosed | SequenceRestarted | Failed,
        now_ns: int,
    ) -> None:
        machine = self._machines.get(channel)
        if machine is None:
            machine = self._machines[channel] = Recovery(
                channel,
                can_retransmit=isinstance(self._feed, SupportsRetransmission),
                can_refresh=isinstance(self._feed, SupportsRefresh),
            )
        for wanted in machine.handle(given, now_ns):
            self._wanted.put_nowait(wanted)

    def _abandon(self, channel: int, begin: int, end: int) -> None:
        at_ns = self._now_ns()
        self._tell(self._pipeline.abandon(channel, begin, end, at_ns))

    async def _retransmit(self, channel: int, begin: int, end: int) -> bool:
        """Ask for messages again, in as many requests as they need; whether all were asked for."""
        assert isinstance(self._feed, SupportsRetransmission), "the machine was told so"
        self._pipeline.put_off(channel, self._now_ns() + self._limits.hold_s * _NS_PER_S)
        for first in range(begin, end + 1, self._limits.range):
            last = min(first + self._limits.range - 1, end)
            if not await self._request(self._feed, channel, first, last):
                return False
        return True

    async def _request(
        self, feed: SupportsRetransmission, channel: int, first: int, last: int
    ) -> bool:
        for attempt in range(self._limits.attempts):
            if self._requests >= self._limits.requests:
                return False
            self._requests += 1
            try:
                async with asyncio.timeout(self._limits.answer_s):
                    async with drawing(feed.retransmit(channel, first, last)) as sent_again:
                        async for batch in sent_again:
                            self._receive(batch)
            except (TransientError, TimeoutError):
                await asyncio.sleep(self._limits.wait_ms * 2**attempt / 1000)
            except HkexOpsError:
                return False
            else:
                return True
        return False

    async def _refresh(self, channel: int, needed: int) -> bool:
        """Wait for a full cycle that holds good as of ``needed``, and stand where it stands."""
        assert isinstance(self._feed, SupportsRefresh), "the machine was told so"
        hold_ns = self._limits.hold_s * _NS_PER_S
        patience = RefreshLimits(patience_ns=self._limits.refresh_s * _NS_PER_S)
        recovery = RefreshRecovery(channel, self._codec, needed=needed, limits=patience)
        try:
            async with (
                asyncio.timeout(self._limits.refresh_s),
                drawing(self._feed.refresh(channel)) as shown,
            ):
                async for batch in shown:
                    self._pipeline.put_off(channel, self._now_ns() + hold_ns)
                    for packet in batch.packets:
                        for event in recovery.handle(packet, str(batch.line), batch.received_ns):
                            if isinstance(event, RefreshTaken):
                                self._take(event)
                                return True
                            if isinstance(event, RefreshGivenUp):
                                return False
        except (HkexOpsError, TimeoutError):
            return False
        return False

    def _take(self, taken: RefreshTaken) -> None:
        """Hand over what the cycle showed, each message without a number of its own."""
        records = [
            record._replace(sequence=0)
            for part in taken.parts
            for record in self._translate(
                part.packet,
                channel=taken.channel,
                sequence=1,
                skip=part.skip,
                count=part.message_count,
                sent_ns=0,
            )
        ]
        last = taken.last_sequence
        self._tell(self._pipeline.resume(taken.channel, records, last, self._now_ns()))
