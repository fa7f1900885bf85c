"""How capture files are cut into records: pcap, and pcapng with its sections and interfaces.

:class:`hkex_ops.omd.capture.CaptureReader` drives these and nobody else does. They know byte
orders, units of time and lengths; what a frame holds is its reader's affair.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple, Protocol, cast

from hkex_ops.errors import WireError
from hkex_ops.omd.frames import LINKS

__all__ = ["HEAD_BYTES", "Framing", "Pcap", "Pcapng", "Taker", "framing_of"]

HEAD_BYTES = 24
"""What of a file must be there to tell its format: the header of a pcap file."""

MAX_RECORD_BYTES = 262_144
"""The longest record of a capture that is believed: the largest snap length of libpcap."""

MAX_INTERFACES = 1_024
"""Interfaces that one section of a pcapng file may describe."""

NS_PER_S = 1_000_000_000

_RECORD_BYTES = 16
_MAGICS = {0xA1B2C3D4: 1_000, 0xA1B23C4D: 1}  # nanoseconds in the unit of a time
_LINK_BITS = 0x0FFFFFFF  # the bits above tell of frame check sequences
_SECTION_MAGIC = b"\n\r\r\n"


class Taker(Protocol):
    """Who is told of frames, and of where the file stands when it is damaged."""

    def frame(self, data: bytes, begin: int, end: int, link: int, time_ns: int) -> None:
        """Take a frame as it was captured."""
        ...

    def fault(self, message: str) -> WireError:
        """An error at the record that is being read."""
        ...


class Framing(Protocol):
    """How one file format is cut into records.

    ``order`` is the byte order as :mod:`struct` writes it, ``links`` are the link layers of the
    frames to come. ``unit_ns`` is what times are counted in, 0 if that is not one whole number of
    nanoseconds.
    """

    @property
    def name(self) -> str:
        """What a person calls the format."""
        ...

    @property
    def order(self) -> str:
        """The byte order, as struct writes it."""
        ...

    @property
    def links(self) -> frozenset[int]:
        """The link layers of the frames to come."""
        ...

    @property
    def unit_ns(self) -> int:
        """What times are counted in, in nanoseconds; 0 where that is no whole number."""
        ...

    def take(self, taker: Taker, data: bytes, at: int) -> int:
        """Handle the record at ``at``; where the next one begins, or -1 if it is not all there."""
        ...

    def time_ns(self, data: bytes, at: int) -> int:
        """When the packet of the record at ``at`` was captured, which is known to hold one."""
        ...


def framing_of(data: bytes) -> tuple[Framing, int]:
    """The format of a file by its first `HEAD_BYTES`, and where its first record begins.

    `WireError` when it is none that is understood.
    """
    if data.startswith(_SECTION_MAGIC):
        return Pcapng(), 0
    for order in "<>":
        magic, link = Struct(f"{order}I16xI").unpack_from(data)
        if magic in _MAGICS:
            return Pcap(order, _MAGICS[magic], link & _LINK_BITS), HEAD_BYTES
    raise WireError("the file begins as no pcap or pcapng capture does", offset=0)


class Pcap:
    """The classic format: one header, then records of one link layer."""

    name = "pcap"

    def __init__(self, order: str, unit_ns: int, link: int) -> None:
        """`WireError` for a link layer that is not understood."""
        self.order = order
        self.links: frozenset[int] = frozenset({_known(link, self.name, HEAD_BYTES - 4)})
        self._record = Struct(f"{order}IIII").unpack_from
        self.unit_ns = unit_ns
        self._link = link

    def take(self, taker: Taker, data: bytes, at: int) -> int:
        """See :meth:`Framing.take`."""
        begin = at + _RECORD_BYTES
        if len(data) < begin:
            return -1
        seconds, fraction, length, _ = self._record(data, at)
        if length > MAX_RECORD_BYTES:
            raise taker.fault(f"a record of {length} bytes: the capture is damaged here")
        end: int = begin + length
        if len(data) < end:
            return -1
        time_ns = seconds * NS_PER_S + fraction * self.unit_ns
        taker.frame(data, begin, end, self._link, time_ns)
        return end

    def time_ns(self, data: bytes, at: int) -> int:
        """See :meth:`Framing.time_ns`."""
        seconds, fraction, _, _ = self._record(data, at)
        return cast("int", seconds * NS_PER_S + fraction * self.unit_ns)


def _known(link: int, spec: str, offset: int) -> int:
    if link not in LINKS:
        raise WireError(
            f"frames of link-layer type {link} are not understood, only those of "
            f"{', '.join(map(str, LINKS))}",
            offset=offset,
            spec=spec,
        )
    return link


_INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 1, 2, 3, 6
_ORDER_MAGIC = 0x1A2B3C4D
_BLOCK_BYTES = 12  # of a block with nothing in it: type, length, and the length again
_TIME_RESOLUTION, _TIME_OFFSET = 9, 14  # options of an interface
_PACKET_FIELDS = {_ENHANCED: "IIIII", _PACKET: "HxxIIII"}
_PACKET_BYTES = 20


class _Interface(NamedTuple):
    """What a capture says of one interface: link layer, ticks in a second, where it counts from."""

    link: int
    ticks: int
    offset_s: int
    snap_bytes: int

    def time_ns(self, high: int, low: int) -> int:
        """A time that this interface counted, since 1970."""
        return (high << 32 | low) * NS_PER_S // self.ticks + self.offset_s * NS_PER_S


class Pcapng:
    """The newer format: blocks of many kinds, of which sections, interfaces and packets count."""

    name = "pcapng"

    def __init__(self) -> None:
        self.order: str = "<"
        self._interfaces: list[_Interface] = []

    @property
    def links(self) -> frozenset[int]:
        """The link layers of the section's interfaces so far."""
        return frozenset(interface.link for interface in self._interfaces)

    @property
    def unit_ns(self) -> int:
        """What all interfaces count in, if that is one number of nanoseconds."""
        ticks = {interface.ticks for interface in self._interfaces}
        return NS_PER_S // ticks.pop() if len(ticks) == 1 and not NS_PER_S % min(ticks) else 0

    def take(self, taker: Taker, data: bytes, at: int) -> int:
        """See :meth:`Framing.take`."""
        if len(data) - at < _BLOCK_BYTES:
            return -1
        begins = data.startswith(_SECTION_MAGIC, at)
        order = self._order_of(taker, data, at) if begins else self.order
        kind, length = Struct(f"{order}II").unpack_from(data, at)
        if length < _BLOCK_BYTES or length % 4 or length > MAX_RECORD_BYTES:
            raise taker.fault(f"a block of {length} bytes: the capture is damaged here")
        end: int = at + length
        if len(data) < end:
            return -1
        if Struct(f"{order}I").unpack_from(data, end - 4) != (length,):
            raise taker.fault("a block whose two lengths differ: the capture is damaged here")
        if begins:
            self.order, self._interfaces = order, []
        elif kind == _INTERFACE:
            self._interface(taker, data, at + 8, end - 4)
        elif kind in _PACKET_FIELDS:
            self._packet(taker, data, at + 8, end - 4, _PACKET_FIELDS[kind])
        elif kind == _SIMPLE:
            self._simple(taker, data, at + 8, end - 4)
        return end

    def _unpack(self, codes: str, data: bytes, at: int) -> tuple[int, ...]:
        return Struct(self.order + codes).unpack_from(data, at)

    def _order_of(self, taker: Taker, data: bytes, at: int) -> str:
        for order in "<>":
            if Struct(f"{order}I").unpack_from(data, at + 8) == (_ORDER_MAGIC,):
                return order
        raise taker.fault("a section that does not say its byte order: the capture is damaged")

    def _interface(self, taker: Taker, data: bytes, at: int, end: int) -> None:
        if end - at < 8 or len(self._interfaces) == MAX_INTERFACES:
            raise taker.fault("an interface that cannot be: its block too short, or one too many")
        link, snap_bytes = self._unpack("HxxI", data, at)
        ticks, offset_s = 1_000_000, 0
        at += 8
        while end - at >= 4:
            code, length = self._unpack("HH", data, at)
            at += 4
            if not code or length > end - at:
                break
            if code == _TIME_RESOLUTION and length == 1:
                power = data[at] & 0x7F
                ticks = 1 << power if data[at] & 0x80 else 10**power
            elif code == _TIME_OFFSET and length == 8:
                (offset_s,) = self._unpack("q", data, at)
            at += length + -length % 4
        known = _known(link, self.name, taker.fault("").offset)
        self._interfaces.append(_Interface(known, ticks, offset_s, snap_bytes))

    def _packet(self, taker: Taker, data: bytes, at: int, end: int, codes: str) -> None:
        if end - at < _PACKET_BYTES:
            raise taker.fault("a packet block without room for its own fields")
        number, high, low, length, _ = self._unpack(codes, data, at)
        interface = self._numbered(taker, number)
        begin = at + _PACKET_BYTES
        if length > end - begin:
            raise taker.fault(f"a packet of {length} bytes in a block that has no room for it")
        taker.frame(data, begin, begin + length, interface.link, interface.time_ns(high, low))

    def time_ns(self, data: bytes, at: int) -> int:
        """See :meth:`Framing.time_ns`."""
        number, high, low = self._unpack("III", data, at + 8)
        return self._interfaces[number].time_ns(high, low)

    def _simple(self, taker: Taker, data: bytes, at: int, end: int) -> None:
        """A packet without a time; it is told as of 1970."""
        if end - at < 4:
            raise taker.fault("a packet block without room for its own fields")
        interface = self._numbered(taker, 0)
        (length,) = self._unpack("I", data, at)
        if interface.snap_bytes:
            length = min(length, interface.snap_bytes)
        taker.frame(data, at + 4, min(at + 4 + length, end), interface.link, 0)

    def _numbered(self, taker: Taker, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise taker.fault(
                f"a packet of interface {number}, which the capture does not describe"
            )
        return self._interfaces[number]
