"""Messages put into packets: numbered by channel, packed together, heartbeats where it is quiet.

Knows what a sequence reset does to the numbers, and nothing else of what messages say. Called by
captures and by the live market; :mod:`~hkex_ops_simulator.market.lines` takes it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import count
from struct import Struct
from typing import NamedTuple

from hkex_ops.omd.messages import Message, SequenceReset
from hkex_ops_simulator.market.timetable import NS

__all__ = ["HEARTBEAT_NS", "Packed", "Packer", "Sent", "packet_bytes"]

# A channel that has been silent for this long says so.
# Source: OMD-C interface specification, section 3.2: about every two seconds.
HEARTBEAT_NS = 2 * NS

# A packet and the IP and UDP headers before it are 1500 bytes at most; the count is what fits.
MOST_PACKET_BYTES = 1472
MOST_MESSAGES = 121
HEADER_BYTES = 16

FIRST_SEQUENCE = 1

_HEADER = Struct("<HBBIQ")
_MS_NS = 1_000_000


class Sent(NamedTuple):
    """A message as the exchange sends it: at ``time_ns``, nanoseconds since 1970 UTC."""

    time_ns: int
    channel: int
    message: Message


class Packed(NamedTuple):
    """A packet before it is on a line: its messages, and their ``bodies`` as bytes.

    Without any it is a heartbeat.
    """

    time_ns: int
    channel: int
    sequence: int
    messages: tuple[Message, ...]
    bodies: tuple[bytes, ...]
    filler: int

    def encoded(self, start: int = 0, until: int | None = None) -> bytes:
        """The packet, or that with the messages from ``start`` to before ``until`` alone."""
        return packet_bytes(
            self.bodies[start:until], self.sequence + start, self.time_ns, self.filler
        )


def packet_bytes(bodies: Sequence[bytes], sequence: int, time_ns: int, filler: int = 0) -> bytes:
    """A packet of encoded messages; ``time_ns`` is cut to whole milliseconds, as theirs is."""
    body = b"".join(bodies)
    send_time = time_ns - time_ns % _MS_NS
    return _HEADER.pack(HEADER_BYTES + len(body), len(bodies), filler, sequence, send_time) + body


class Packer:
    """Packs a stream, all at once or piece by piece; it remembers where each channel stands.

    A channel is numbered from 1, and from 1 again after a sequence reset, which is number 1
    itself. A heartbeat's number is that of the last message sent.
    """

    def __init__(self, encode: Callable[[Message], bytes]) -> None:
        self._encode = encode
        self._next: dict[int, int] = {}
        self._last_ns: dict[int, int] = {}
        self._quiet: list[tuple[int, int]] = []
        self._fillers = count(11, 37)

    def last_sequence(self, channel: int) -> int:
        """The number of the last message packed; 0 before the first."""
        return self._next.get(channel, FIRST_SEQUENCE) - 1

    def whole(self, stream: Iterable[Sent]) -> Iterator[Packed]:
        """The packets of a stream that ends, and a last heartbeat or two of each channel.

        So that whoever waits for every channel to have passed the last message need not wait.
        """
        last_ns = 0
        for packet in self.packets(stream):
            last_ns = packet.time_ns
            yield packet
        yield from self.heartbeats(last_ns + 2 * HEARTBEAT_NS)

    def packets(self, stream: Iterable[Sent]) -> Iterator[Packed]:
        """The packets of ``stream``, which is in order of time, and heartbeats between them.

        Messages that follow each other with one time and one channel go together as far as they
        fit. After the last message nothing is said.
        """
        waiting: list[tuple[Message, bytes]] = []
        size, at = HEADER_BYTES, (0, 0)
        for time_ns, channel, message in stream:
            body = self._encode(message)
            fits = size + len(body) <= MOST_PACKET_BYTES and len(waiting) < MOST_MESSAGES
            resets = isinstance(message, SequenceReset)
            if waiting and (at != (time_ns, channel) or not fits or resets):
                yield self._packed(*at, waiting)
                waiting, size = [], HEADER_BYTES
            if at != (time_ns, channel):
                yield from self.heartbeats(time_ns)
                at = time_ns, channel
            if resets:
                self._next[channel] = FIRST_SEQUENCE
            waiting.append((message, body))
            size += len(body)
        if waiting:
            yield self._packed(*at, waiting)

    def heartbeats(self, until_ns: int) -> Iterator[Packed]:
        """The heartbeats that are due by ``until_ns``, in order of time."""
        while self._quiet and self._quiet[0][0] <= until_ns:
            expected_ns, channel = heappop(self._quiet)
            due_ns = self._last_ns[channel] + HEARTBEAT_NS
            if due_ns == expected_ns:
                self._last_ns[channel] = due_ns
                yield Packed(due_ns, channel, self.last_sequence(channel), (), (), self._filler())
                due_ns += HEARTBEAT_NS
            heappush(self._quiet, (due_ns, channel))

    def skip_to(self, time_ns: int) -> None:
        """Time passed of which nobody is told: no heartbeat is due before ``time_ns``."""
        self._last_ns = {
            channel: max(last_ns, time_ns) for channel, last_ns in self._last_ns.items()
        }
        self._quiet = [
            (last_ns + HEARTBEAT_NS, channel) for channel, last_ns in self._last_ns.items()
        ]
        heapify(self._quiet)

    def forget(self, channels: Iterable[int]) -> None:
        """Whoever sent on ``channels`` is gone: they are silent until somebody begins anew."""
        for channel in channels:
            self._next.pop(channel, None)
            self._last_ns.pop(channel, None)
        self._quiet = [one for one in self._quiet if one[1] in self._last_ns]
        heapify(self._quiet)

    def _packed(self, time_ns: int, channel: int, together: list[tuple[Message, bytes]]) -> Packed:
        messages, bodies = zip(*together, strict=True)
        sequence = self._next.get(channel, FIRST_SEQUENCE)
        self._next[channel] = sequence + len(bodies)
        if channel not in self._last_ns:
            heappush(self._quiet, (time_ns + HEARTBEAT_NS, channel))
        self._last_ns[channel] = time_ns
        return Packed(time_ns, channel, sequence, messages, bodies, self._filler())

    def _filler(self) -> int:
        """Whatever lies in the unused byte of the header: real packets carry anything there."""
        return next(self._fillers) & 0xFF
