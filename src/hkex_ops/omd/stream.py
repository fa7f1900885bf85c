"""Packets out of a byte stream that splits them anywhere: the retransmission service is TCP."""

from __future__ import annotations

from collections.abc import Iterator

from hkex_ops.omd.packet import PACKET_HEADER_BYTES, Octets, read_header

__all__ = ["PacketStream"]


class PacketStream:
    """Puts packets together. Holds less than one packet, so it needs no other limit."""

    def __init__(self, *, spec: str = "") -> None:
        self._spec = spec
        self._held = bytearray()

    @property
    def held_bytes(self) -> int:
        """How much of a packet has come whose rest is awaited."""
        return len(self._held)

    def feed(self, data: Octets) -> Iterator[bytes]:
        """Take in what came and yield the packets that are whole, in order; exhaust it.

        `WireError` when what begins is no packet. Where the next one would begin nobody knows
        then: the connection is of no more use.
        """
        self._held += data
        held, offset = bytes(self._held), 0
        try:
            while len(held) - offset >= PACKET_HEADER_BYTES:
                end = offset + read_header(held, offset, spec=self._spec).size_bytes
                if end > len(held):
                    break
                yield held[offset:end]
                offset = end
        finally:
            self._held = bytearray(held[offset:])
