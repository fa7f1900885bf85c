"""The last messages of each channel, as a retransmission server keeps them.

Takes packets as they are sent, gives back ranges of messages with their own numbers, packed anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from hkex_ops_simulator.market.packing import (
    HEADER_BYTES,
    MOST_MESSAGES,
    MOST_PACKET_BYTES,
    Packed,
    packet_bytes,
)

__all__ = ["STORED_MESSAGES", "Store"]

# Source: OMD-C interface specification, section 4.2.
STORED_MESSAGES = 50_000


class Store:
    """The last ``limit`` messages of every channel that was ever sent on."""

    def __init__(self, limit: int = STORED_MESSAGES) -> None:
        self._limit = limit
        self._bodies: dict[int, deque[bytes]] = {}
        self._next: dict[int, int] = {}

    def take(self, packet: Packed) -> None:
        """Keep what a packet carries. A channel that numbers anew is forgotten first."""
        channel, sequence = packet.channel, packet.sequence
        if not packet.bodies:
            return
        if sequence != self._next.get(channel):
            self._bodies[channel] = deque(maxlen=self._limit)
        self._bodies[channel].extend(packet.bodies)
        self._next[channel] = sequence + len(packet.bodies)

    def knows(self, channel: int) -> bool:
        """Whether anything was ever sent on ``channel``."""
        return channel in self._bodies

    def holds(self, channel: int, begin: int, end: int) -> bool:
        """Whether every message from ``begin`` to ``end`` is still there."""
        last = self._next[channel] - 1
        first = last - len(self._bodies[channel]) + 1
        return first <= begin <= end <= last

    def bodies(self, channel: int, begin: int, end: int) -> tuple[bytes, ...]:
        """The messages ``begin`` to ``end``, which it holds."""
        kept = self._bodies[channel]
        first = self._next[channel] - len(kept)
        return tuple(kept[number - first] for number in range(begin, end + 1))

    def packets(self, channel: int, begin: int, end: int, time_ns: int) -> Iterator[bytes]:
        """The messages ``begin`` to ``end``, which it holds, in as few packets as there can be."""
        bodies: list[bytes] = []
        size, sequence = HEADER_BYTES, begin
        for number, body in enumerate(self.bodies(channel, begin, end), start=begin):
            if bodies and (size + len(body) > MOST_PACKET_BYTES or len(bodies) == MOST_MESSAGES):
                yield packet_bytes(bodies, sequence, time_ns)
                bodies, size, sequence = [], HEADER_BYTES, number
            bodies.append(body)
            size += len(body)
        yield packet_bytes(bodies, sequence, time_ns)
