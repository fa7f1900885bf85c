"""Captures driven through a whole engine: slow, with everything that an engine tells.

For whoever wants its journal, and as the measure of the quick ways. Packets take the way of a live
feed, one by one, at the times at which they were captured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from hkex_ops.flows.index.pipeline import Pipeline, Taken
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import TimePassed
from hkex_ops.index.rules import NS_PER_MS
from hkex_ops.index.ticks import RecordJournalled, TickComputed, moment_of
from hkex_ops.omd import Codec
from hkex_ops.omd.capture import CapturedPacket, CaptureReader, CaptureStreams
from hkex_ops.omd.events import GapClosed, GapLost, HealthEvent, PacketRefused
from hkex_ops.omd.merging import POLL_NS
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, packet_header
from hkex_ops.ports import FeedLine, PacketBatch

__all__ = ["EngineWay"]

SLICE_BYTES = 1024 * 1024
JOURNAL_KEPT = 1_000
"""How many journalled records are listed; all are counted."""


_TOLD = (GapClosed, GapLost, PacketRefused)


class EngineWay:
    """An engine behind captures."""

    slice_bytes = SLICE_BYTES

    def __init__(
        self, engine: Engine, codec: Codec, streams: CaptureStreams, channels: frozenset[int] | None
    ) -> None:
        self.engine = engine
        self.reader: CaptureReader = CaptureReader()
        self.strangers: int = 0
        self.health: list[HealthEvent] = []
        self.journal: list[RecordJournalled] = []
        self.journalled: int = 0
        self._pipeline = Pipeline(engine, codec, channels or ())
        self._channels = channels
        self._streams = streams
        self._last_ns = 0
        self._polled = 0

    def begin(self) -> None:
        """Another file begins."""
        self.reader = CaptureReader()

    def feed(self, data: bytes) -> Iterator[list[TickComputed]]:
        """The ticks that the next piece of the file completes; `WireError` if it is damaged."""
        for packet in self.reader.feed(data):
            yield from self._packet(packet)

    def close(self) -> Iterator[list[TickComputed]]:
        """Whatever waits is settled; the last ticks."""
        limits = LineLimits()
        waits_ns = self._last_ns
        # The last time for what was held behind gaps, and has to settle in its turn.
        settle_ns = self.engine.rules.settle_ms * NS_PER_MS
        for wait_ns in (limits.gap_wait_ns, limits.give_up_ns, settle_ns):
            waits_ns += wait_ns
            settled = moment_of(waits_ns + settle_ns)
            yield from self._told(self._pipeline.poll(settled, at_ns=waits_ns))

    def _packet(self, packet: CapturedPacket) -> Iterator[list[TickComputed]]:
        stream = self._streams.of(packet.group, packet.port)
        if stream is None:
            self.strangers += 1
            return
        channel, line = stream
        now = moment_of(packet.time_ns)
        self._last_ns = max(self._last_ns, packet.time_ns)
        if self._channels is not None and channel not in self._channels:
            yield from self._time_alone(channel, packet.payload, now)
        else:
            batch = PacketBatch(channel, FeedLine(line), packet.time_ns, (packet.payload,))
            yield from self._told(self._pipeline.take(batch, now))
        if packet.time_ns // POLL_NS > self._polled:
            self._polled = packet.time_ns // POLL_NS
            yield from self._told(self._pipeline.poll(now, at_ns=self._last_ns))

    def _time_alone(
        self, channel: int, packet: bytes, now: datetime
    ) -> Iterator[list[TickComputed]]:
        """A packet of a channel that is not wanted: its time has passed, and no more."""
        if len(packet) < PACKET_HEADER_BYTES:
            return
        sent_ns = packet_header.unpack_from(packet)[4]
        if sent_ns >= self.engine.sequencer.moment:
            yield from self._ticks(self.engine.handle(TimePassed(channel, 0, sent_ns), now))

    def _told(self, taken: Taken) -> Iterator[list[TickComputed]]:
        self.health += (event for event in taken.health if isinstance(event, _TOLD))
        return self._ticks(taken.data)

    def _ticks(self, events: Iterable[object]) -> Iterator[list[TickComputed]]:
        ticks: list[TickComputed] = []
        for event in events:
            if isinstance(event, TickComputed):
                ticks.append(event)
            elif isinstance(event, RecordJournalled):
                self.journalled += 1
                if len(self.journal) < JOURNAL_KEPT:
                    self.journal.append(event)
        for _, moment in groupby(ticks, key=attrgetter("time_ns")):
            yield list(moment)
