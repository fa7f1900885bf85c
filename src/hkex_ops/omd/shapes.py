"""How a plain record of a capture lies: the one kind of frame that the quick readers know.

Little-endian, Ethernet without tags, IPv4 without options, UDP, one packet and nothing else. Called
by :mod:`hkex_ops.omd.scanning` and its faster sisters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from struct import Struct
from typing import NamedTuple, TypeAlias, cast

from hkex_ops.omd.frames import ETHERNET
from hkex_ops.omd.framing import Framing, Pcap
from hkex_ops.omd.packet import MAX_PACKET_BYTES

__all__ = [
    "FRAME_BYTES",
    "LONGEST_RECORD",
    "STREAMS_KEPT",
    "PlainRecord",
    "Shape",
    "Stream",
    "shape_of",
]

STREAMS_KEPT = 65_536
"""Pairs of group and port that are remembered; a capture with more is of no market's data."""

LONGEST_RECORD = 2_048
"""No plain record is longer; fewer bytes than that wait for the next piece of the file."""

PlainRecord: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, int]
"""What :attr:`Shape.record` unpacks."""


class Stream(NamedTuple):
    """Where the packets of one group and port belong."""

    slot: int
    line: str


FRAME_BYTES = 42
"""Ethernet, IP and UDP with nothing extra: so far lies a packet behind the start of its frame."""

_FRAME_CODES = "12xI4xI6xQ4xHBxIQHH"


class Shape(NamedTuple):
    """How a plain record of one file format lies.

    ``record`` unpacks the head of the block, where there is one, and the length of the frame, as it
    was kept and as it was, in one number; of the frame: link type with IP version, fragment with
    protocol, addressee; of the packet: size, count, number, send time, size and type of the first
    message.
    By the size of the packet, ``heads`` and ``lengths`` are what the first two must then be, and
    ``steps`` is how far the next record lies.
    """

    record: Struct
    frame_at: int
    length_at: int
    heads: Sequence[int]
    lengths: Sequence[int]
    steps: Sequence[int]

    @property
    def unpack(self) -> Callable[[bytes, int], PlainRecord]:
        """Reads a plain record that begins at a place."""
        return cast("Callable[[bytes, int], PlainRecord]", self.record.unpack_from)


_FRAMES = [FRAME_BYTES + size for size in range(MAX_PACKET_BYTES + 1)]
_BLOCKS = [32 + (length + 3) // 4 * 4 for length in _FRAMES]
_LENGTHS = [length | length << 32 for length in _FRAMES]
_ENHANCED_PACKET = 6
_PCAP = Shape(
    Struct(f"<7xBQ{_FRAME_CODES}"), 16, 8, (), _LENGTHS, [16 + length for length in _FRAMES]
)
_PCAPNG = Shape(
    Struct(f"<Q12xQ{_FRAME_CODES}"),
    28,
    20,
    [_ENHANCED_PACKET | length << 32 for length in _BLOCKS],
    _LENGTHS,
    _BLOCKS,
)


def shape_of(framing: Framing | None) -> Shape | None:
    """The shape of plain records of this file, if it can have any."""
    if framing is None or framing.order != "<" or framing.links != frozenset({ETHERNET}):
        return None
    return _PCAP if isinstance(framing, Pcap) else _PCAPNG
