"""Lines heard: sockets drained as they become readable, batches kept until they are asked for.

The event loop's own datagram endpoint costs several times a plain drain and loses most of what
comes at full rate, so readiness alone is taken from the loop. What waits is bounded: beyond the
limit nothing is taken and the kernel's buffer fills. Knows no message; called by the feeds.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from datetime import UTC, datetime

from attrs import define, field

from hkex_ops.clock import Clock
from hkex_ops.errors import HkexOpsError
from hkex_ops.ports import FeedLine, LineHealth, PacketBatch
from hkex_ops_omd.options import MulticastLine
from hkex_ops_omd.sockets import arrived_ns, given_buffer_bytes, receiving_socket, state_of
from hkex_ops_omd.translation import translated

__all__ = ["DATAGRAM_BYTES", "DRAIN_LIMIT_PACKETS", "Heard", "Hearing", "nanoseconds"]

# How many packets one wake-up takes from one line before the others have their turn.
DRAIN_LIMIT_PACKETS = 64

# How many more turns one wake-up gives to a line that is behind its sister. Lines split packets
# differently; without this a flood would leave the one with more of them ever further behind, and
# every packet that the other lost would wait for it.
MORE_TURNS = 4

# A packet has at most 1,472 bytes; what is longer is none, and is cut here.
DATAGRAM_BYTES = 2048

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_A_DAY = 86_400
_NS_PER_S = 1_000_000_000


def nanoseconds(instant: datetime) -> int:
    """``instant`` in nanoseconds since 1970 UTC, exactly."""
    since = instant - _EPOCH
    return (since.days * _SECONDS_A_DAY + since.seconds) * _NS_PER_S + since.microseconds * 1000


@define
class Heard:
    """One line to hear: where, and as what its packets are handed on."""

    where: MulticastLine
    channel: int
    line: FeedLine


@define(eq=False)
class _Ear:
    """One socket and what was taken from it."""

    socket: socket.socket
    heard: Heard
    received_packets: int = 0
    pauses: int = 0
    dropped_packets: int | None = None
    buffer_bytes: int = field(init=False)
    sisters: list[_Ear] = field(factory=list["_Ear"])
    reached_ns: int | None = 0  # when what was taken last had come; none: nothing waits

    def __attrs_post_init__(self) -> None:
        self.buffer_bytes = given_buffer_bytes(self.socket)
        # The kernel notes when packets come from the first question on.
        arrived_ns(self.socket)

    def look(self) -> None:
        """Ask the kernel what it dropped; the last answer stays when the socket is closed."""
        if self.socket.fileno() >= 0:
            state = state_of(self.socket)
            self.dropped_packets = None if state is None else state.dropped_packets

    def is_behind(self) -> bool:
        """Whether more waits here than on another line of the channel."""
        mine = self.reached_ns
        if mine is None:
            return False
        return any(one.reached_ns is None or one.reached_ns > mine for one in self.sisters)


def _are_sisters(one: Heard, other: Heard) -> bool:
    return one.channel == other.channel and {one.line, other.line} == {FeedLine.A, FeedLine.B}


class Hearing:
    """Some lines, joined when this is made and left by :meth:`close`.

    Raises `ConfigError` when one cannot be joined; none is then.
    """

    def __init__(
        self,
        lines: Iterable[Heard],
        *,
        interface: str,
        buffer_bytes: int,
        pending_limit_packets: int,
        clock: Clock,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._wanted_bytes = buffer_bytes
        self._limit = pending_limit_packets
        self._batches: deque[PacketBatch] = deque()
        self._pending = 0
        self._paused = False
        self._waiting: asyncio.Future[None] | None = None
        self._failure: HkexOpsError | None = None
        self._closed = False
        self._ears: list[_Ear] = []
        try:
            for heard in lines:
                made = receiving_socket(heard.where, interface, buffer_bytes)
                self._ears.append(_Ear(made, heard))
        except HkexOpsError:
            self.close()
            raise
        for ear in self._ears:
            ear.sisters += [one for one in self._ears if _are_sisters(ear.heard, one.heard)]
        self._listen()

    def close(self) -> None:
        """Leave every group; what was taken until now is still given. Again does nothing."""
        if self._closed:
            return
        self._closed = True
        if not self._paused:
            self._deafen()
        for ear in self._ears:
            ear.look()
            ear.socket.close()
        self._wake()

    async def batches(self) -> AsyncGenerator[PacketBatch]:
        """What is heard, until this is closed; raises what a socket fails with."""
        while True:
            while self._batches:
                batch = self._batches.popleft()
                self._pending -= len(batch.packets)
                if self._paused and self._pending <= self._limit // 2:
                    self._paused = False
                    self._listen()
                yield batch
            if self._failure is not None:
                raise self._failure
            if self._closed:
                return
            self._waiting = self._loop.create_future()
            await self._waiting

    def health(self) -> tuple[LineHealth, ...]:
        """Every line, in the order given."""
        return tuple(self._health_of(ear) for ear in self._ears)

    def _health_of(self, ear: _Ear) -> LineHealth:
        ear.look()
        return LineHealth(
            channel=ear.heard.channel,
            line=ear.heard.line,
            received_packets=ear.received_packets,
            dropped_packets=ear.dropped_packets,
            buffer_bytes=ear.buffer_bytes,
            wanted_buffer_bytes=self._wanted_bytes,
            pauses=ear.pauses,
        )

    # -- taking ------------------------------------------------------------------------------

    def _listen(self) -> None:
        if not self._closed and self._failure is None:
            for ear in self._ears:
                self._loop.add_reader(ear.socket, self._drain, ear)

    def _deafen(self) -> None:
        for ear in self._ears:
            self._loop.remove_reader(ear.socket)

    def _drain(self, ear: _Ear) -> None:
        """Give one socket its turn, and more of them while it is behind. Called by the event
        loop."""
        for _ in range(1 + MORE_TURNS):
            full = self._take(ear) == DRAIN_LIMIT_PACKETS
            ear.reached_ns = arrived_ns(ear.socket) if full and ear.sisters else None
            if self._paused or not ear.is_behind():
                return

    def _take(self, ear: _Ear) -> int:
        """Take what waits in one socket, up to the limit of a turn; how many packets there were."""
        receive = ear.socket.recv
        packets: list[bytes] = []
        try:
            for _ in range(DRAIN_LIMIT_PACKETS):
                packets.append(receive(DATAGRAM_BYTES))
        except BlockingIOError:
            pass
        except OSError as error:
            self._failure = translated(error, f"hearing {ear.heard.where}")
            self._deafen()
            self._wake()
        if packets:
            taken_ns = nanoseconds(self._clock.now())
            self._batches.append(PacketBatch(ear.heard.channel, ear.heard.line, taken_ns, packets))
            ear.received_packets += len(packets)
            self._pending += len(packets)
            if self._pending >= self._limit:
                self._pause()
            self._wake()
        return len(packets)

    def _pause(self) -> None:
        self._paused = True
        for ear in self._ears:
            ear.pauses += 1
        self._deafen()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
