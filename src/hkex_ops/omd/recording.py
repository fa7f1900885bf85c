"""Packets written as a pcapng capture, so that Wireshark and every other tool opens what is kept.

Bytes only; who has the file writes them. Of a packet that came by a socket nobody knows the frame
any more, so one is made up around it: the addressee is true, the sender is nobody.
"""

from __future__ import annotations

from struct import Struct

from hkex_ops.omd.capture import CapturedPacket
from hkex_ops.omd.frames import ETHERNET, address_of, frame_of

__all__ = ["capture_header", "capture_record"]

_SECTION, _INTERFACE, _ENHANCED = 0x0A0D0D0A, 1, 6
_ORDER_MAGIC = 0x1A2B3C4D
_UNKNOWN_LENGTH = -1
_NANOSECONDS = bytes([9])

# Options of any block, of a section and of an interface (pcapng specification, 3.5, 4.1 and 4.2).
_END, _COMMENT, _APPLICATION, _NAME, _TIME_RESOLUTION = 0, 1, 4, 2, 9

_LONGEST_OPTION = 0xFFFF


def capture_header(remark: str = "", *, interface: str = "") -> bytes:
    """The beginning of a pcapng file: one section with one interface, times in nanoseconds.

    ``remark`` is what Wireshark shows as the file's comment, ``interface`` as the interface's name.
    """
    section = Struct("<IHHq").pack(_ORDER_MAGIC, 1, 0, _UNKNOWN_LENGTH)
    section += _text(_COMMENT, remark) + _text(_APPLICATION, "hkex-ops") + _option(_END, b"")
    described = Struct("<HHI").pack(ETHERNET, 0, 0) + _text(_NAME, interface)
    described += _option(_TIME_RESOLUTION, _NANOSECONDS) + _option(_END, b"")
    return _block(_SECTION, section) + _block(_INTERFACE, described)


def capture_record(packet: CapturedPacket) -> bytes:
    """One packet as a block of the file that :func:`capture_header` began.

    `ValueError` for a group that is no IPv4 address.
    """
    frame = frame_of(address_of(packet.group), packet.port, packet.payload)
    size = len(frame)
    high, low = packet.time_ns >> 32, packet.time_ns & 0xFFFFFFFF
    fields = Struct("<IIIII").pack(0, high, low, size, size)
    return _block(_ENHANCED, fields + frame + bytes(-size % 4))


def _text(code: int, text: str) -> bytes:
    return _option(code, text.encode()[:_LONGEST_OPTION]) if text else b""


def _option(code: int, value: bytes) -> bytes:
    return Struct("<HH").pack(code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    length = Struct("<I").pack(12 + len(body))
    return Struct("<I").pack(kind) + length + body + length
