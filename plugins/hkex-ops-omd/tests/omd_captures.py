"""Capture files for the tests, written by hand so that what reads them is not its own witness."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Address", "pcap", "pcapng"]


class Address(NamedTuple):
    """A datagram: when it was captured, to which group and port, and its bytes."""

    at_ns: int
    group: str
    port: int
    payload: bytes


def frame(one: Address) -> bytes:
    """Ethernet, IPv4 and UDP around a datagram."""
    group = socket.inet_aton(one.group)
    ethernet = b"\x01\x00\x5e" + bytes([group[1] & 0x7F]) + group[2:] + bytes(6) + b"\x08\x00"
    total = 28 + len(one.payload)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 1, 17, 0, bytes(4), group)
    return ethernet + ip + struct.pack(">HHHH", 1, one.port, total - 20, 0) + one.payload


def pcap(records: Sequence[Address]) -> bytes:
    """The classic format, big-endian, times in nanoseconds."""
    file = struct.pack(">IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    for one in records:
        data = frame(one)
        file += struct.pack(">IIII", *divmod(one.at_ns, 10**9), len(data), len(data)) + data
    return file


def pcapng(records: Sequence[Address]) -> bytes:
    """The newer format, little-endian, one interface with times in nanoseconds."""
    file = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    file += _block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHB3xHH", 9, 1, 9, 0, 0))
    for one in records:
        data = frame(one)
        head = struct.pack("<IIIII", 0, one.at_ns >> 32, one.at_ns & 0xFFFFFFFF, *[len(data)] * 2)
        file += _block(6, head + data + bytes(-len(data) % 4))
    return file


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
