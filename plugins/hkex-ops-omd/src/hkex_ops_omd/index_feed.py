"""The port ``IndexFeed`` by UDP multicast: Index Data heard by lines A and B, each value once.

Lines are made one by :class:`hkex_ops.omd.line.Arbiter`. An index feed has no retransmission here:
what both lines lost is waited for shortly and is then over, for the next value is near. Whoever
comes in the midst of a day begins with the packet that comes first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from hkex_ops.clock import Clock
from hkex_ops.errors import UsageError, WireError
from hkex_ops.model import IndexTick
from hkex_ops.omd import Codec, IndexData
from hkex_ops.omd.events import LineEvent, MessagesArrived
from hkex_ops.omd.line import Arbiter
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.omd.packet import packet_header
from hkex_ops.ports import FeedLine, LineHealth
from hkex_ops_omd.figures import tick_of
from hkex_ops_omd.hearing import Heard, Hearing
from hkex_ops_omd.index_options import IndexFeedOptions

__all__ = ["MulticastIndexFeed"]

# The channel is not in the packets, and of index channels one is heard at a time.
_CHANNEL = 0

# How long after the wait for the other line a loss is over: nothing else can make it up.
GIVE_UP_NS = 450_000_000
"""With the arbiter's own wait, half a second."""


class MulticastIndexFeed:
    """The index channel, joined; :meth:`close` leaves it."""

    def __init__(self, options: IndexFeedOptions, codec: Codec, clock: Clock) -> None:
        self._codec = codec
        self._asked = False
        self._begun = False
        lines = [
            Heard(where, _CHANNEL, line)
            for where, line in ((options.line_a, FeedLine.A), (options.line_b, FeedLine.B))
            if where is not None
        ]
        self._arbiter = Arbiter(
            _CHANNEL,
            codec,
            lines=[str(one.line) for one in lines],
            limits=LineLimits(give_up_ns=GIVE_UP_NS),
        )
        self._hearing = Hearing(
            lines,
            interface=options.interface,
            buffer_bytes=options.receive_buffer_bytes,
            pending_limit_packets=options.pending_limit_packets,
            clock=clock,
        )

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        """Yield ticks as they come; see the port. A message without a value is none."""
        if self._asked:
            raise UsageError("the ticks of a feed may be iterated once: open another feed")
        self._asked = True
        async for batch in self._hearing.batches():
            for packet in batch.packets:
                for event in self._arbitrated(packet, str(batch.line), batch.received_ns):
                    if isinstance(event, MessagesArrived):
                        for tick in self._ticks_in(event):
                            yield tick

    def health(self) -> Sequence[LineHealth]:
        """Both lines as they are now."""
        return self._hearing.health()

    async def close(self) -> None:
        """Leave the groups."""
        self._hearing.close()

    def _arbitrated(self, packet: bytes, line: str, now_ns: int) -> tuple[LineEvent, ...]:
        if not self._begun:
            self._begin(packet, now_ns)
        return self._arbiter.handle(packet, line, now_ns)

    def _begin(self, packet: bytes, now_ns: int) -> None:
        """What was sent before the first packet is not missing: nobody was there to hear it."""
        try:
            self._codec.check(packet)
        except WireError:
            return
        self._begun = True
        _, count, _, sequence, _ = packet_header.unpack_from(packet)
        self._arbiter.resume(sequence - 1 if count else sequence, now_ns)

    def _ticks_in(self, arrived: MessagesArrived) -> list[IndexTick]:
        messages = self._codec.decode_packet(arrived.packet, skip=arrived.skip).messages
        data = [one for one in messages[: arrived.message_count] if isinstance(one, IndexData)]
        return [tick for one in data if (tick := tick_of(one)) is not None]
