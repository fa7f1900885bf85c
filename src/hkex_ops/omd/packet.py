"""The packet: a header of 16 bytes and messages back to back, none across two packets.

It knows where messages begin and of which type they are, and nothing of what they say; that is
:mod:`hkex_ops.omd.codec`. Offsets in errors count from the start of the packet.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple, TypeAlias

from hkex_ops.errors import WireError

__all__ = [
    "MAX_MESSAGES",
    "MAX_PACKET_BYTES",
    "PACKET_HEADER_BYTES",
    "Octets",
    "PacketHeader",
    "WalkedMessage",
    "message_header",
    "next_message",
    "packet_header",
    "read_header",
    "walk",
]

Octets: TypeAlias = bytes | bytearray | memoryview
"""Bytes to read from: a packet, or a buffer with packets in it."""

PACKET_HEADER_BYTES = 16
"""PktSize, MsgCount, a filler, SeqNum and SendTime (specification, section 3.2)."""

MAX_PACKET_BYTES = 1472
"""The largest packet: 1500 bytes with the headers of IP and UDP (specification, section 3.1)."""

MAX_MESSAGES = 255
"""The most that MsgCount can say. Of the messages there are, 121 fit."""

packet_header: Struct = Struct("<HBBIQ")
"""The header as :mod:`struct` sees it."""

message_header: Struct = Struct("<HH")
"""MsgSize and MsgType as :mod:`struct` sees them."""


class PacketHeader(NamedTuple):
    """What a packet says of itself.

    ``sequence`` is the number of its first message. With no message it is a heartbeat, and
    ``sequence`` that of the last message sent. ``filler`` means nothing and is kept.
    ``send_time_ns`` counts from 1970 UTC, in whole milliseconds.
    """

    size_bytes: int
    message_count: int
    filler: int
    sequence: int
    send_time_ns: int

    @property
    def is_heartbeat(self) -> bool:
        """Whether it carries no message."""
        return self.message_count == 0


class WalkedMessage(NamedTuple):
    """Where a message lies in its packet: its number, its type, its offset and its length."""

    sequence: int
    type: int
    offset: int
    size_bytes: int


def read_header(data: Octets, offset: int = 0, *, spec: str = "") -> PacketHeader:
    """The header of the packet that begins at ``offset``.

    `WireError` when there are no 16 bytes or the size is none that a packet can have. That the
    packet is there as a whole is not looked at.
    """
    if len(data) - offset < PACKET_HEADER_BYTES:
        raise WireError(
            f"a packet begins with {PACKET_HEADER_BYTES} bytes, and here are {len(data) - offset}",
            offset=offset,
            spec=spec,
        )
    header = PacketHeader._make(packet_header.unpack_from(data, offset))
    if not PACKET_HEADER_BYTES <= header.size_bytes <= MAX_PACKET_BYTES:
        raise WireError(
            f"a packet has {PACKET_HEADER_BYTES} to {MAX_PACKET_BYTES} bytes, and this one says "
            f"{header.size_bytes}",
            offset=offset,
            spec=spec,
        )
    return header


def walk(packet: Octets, *, spec: str = "") -> Iterator[WalkedMessage]:
    """The messages of a whole packet, by number, one after the other.

    `WireError` when the packet is longer or shorter than it says, or its messages do not fill it;
    those before the fault have been yielded by then.
    """
    header = read_header(packet, spec=spec)
    _whole(packet, header, spec=spec)
    offset, end = PACKET_HEADER_BYTES, header.size_bytes
    for index in range(header.message_count):
        size, type = next_message(packet, offset, end, spec=spec)
        yield WalkedMessage(header.sequence + index, type, offset, size)
        offset += size
    _filled(offset, end, spec=spec)


def _whole(packet: Octets, header: PacketHeader, *, spec: str) -> None:
    """`WireError` unless the packet has the bytes that its header says."""
    if len(packet) != header.size_bytes:
        raise WireError(
            f"the packet says {header.size_bytes} bytes, and {len(packet)} came",
            offset=0,
            spec=spec,
        )


def next_message(packet: Octets, offset: int, end: int, *, spec: str) -> tuple[int, int]:
    """Size and type of the message at ``offset``; `WireError` unless it ends by ``end``."""
    if end - offset < message_header.size:
        raise WireError(
            f"a message begins with {message_header.size} bytes, and {end - offset} are left",
            offset=offset,
            spec=spec,
        )
    size, type = message_header.unpack_from(packet, offset)
    if size < message_header.size or size > end - offset:
        raise WireError(
            f"the message says {size} bytes, and {end - offset} are left",
            offset=offset,
            message_type=type,
            spec=spec,
        )
    return size, type


def _filled(offset: int, end: int, *, spec: str) -> None:
    """`WireError` unless the messages of a packet end where it ends."""
    if offset != end:
        raise WireError(
            f"the last message ends here, and the packet {end - offset} bytes later",
            offset=offset,
            spec=spec,
        )
