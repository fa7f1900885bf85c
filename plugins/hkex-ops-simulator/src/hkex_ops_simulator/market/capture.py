"""A simulated day as a capture file, so that anything that reads captures can read it.

Ethernet, IPv4 and UDP around each packet, as a machine on the exchange's network would record it;
the addresses are invented. A pcap is written here, apart from what reads one; a pcapng by the
recorder of live feeds. Takes what arrives, gives bytes, knows nothing of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address
from struct import Struct

from hkex_ops.omd.capture import CapturedPacket
from hkex_ops.omd.recording import capture_header, capture_record
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.market.channels import BASE_PORT, GROUPS, port_of
from hkex_ops_simulator.market.lines import Delivery

__all__ = ["SUFFIXES", "pcap", "pcapng"]

# What a capture file may be called.
SUFFIXES = (".pcap", ".pcapng")

_FILE_HEADER = Struct("<IHHiIII")
_RECORD = Struct("<IIII")
_NANOSECONDS_MAGIC = 0xA1B23C4D
_ETHERNET = 1
_SNAP_BYTES = 65_535

_IP = Struct(">BBHHHBBH4s4s")
_UDP = Struct(">HHHH")
_TTL = 16
_UDP_PROTOCOL = 17
_DO_NOT_FRAGMENT = 0x4000
_SOURCE_PORT = 40_000
_SOURCE_MAC = bytes.fromhex("020000000001")
_IPV4 = b"\x08\x00"

# Documentation addresses (RFC 5737): nobody's machine.
_SOURCES = {
    FeedLine.A: "192.0.2.1",
    FeedLine.B: "198.51.100.1",
    FeedLine.REFRESH: "192.0.2.2",
}


def pcap(deliveries: Iterable[Delivery], base_port: int = BASE_PORT) -> Iterator[bytes]:
    """A pcap file with nanoseconds, piece by piece: its header, then each packet as it arrived."""
    yield _FILE_HEADER.pack(_NANOSECONDS_MAGIC, 2, 4, 0, 0, _SNAP_BYTES, _ETHERNET)
    for one in deliveries:
        seconds, rest_ns = divmod(one.time_ns, 1_000_000_000)
        data = _frame(one, base_port)
        yield _RECORD.pack(seconds, rest_ns, len(data), len(data)) + data


def pcapng(
    deliveries: Iterable[Delivery], remark: str, base_port: int = BASE_PORT
) -> Iterator[bytes]:
    """A pcapng file, piece by piece; ``remark`` is the comment that Wireshark shows."""
    yield capture_header(remark)
    for one in deliveries:
        port = port_of(one.channel, base_port)
        yield capture_record(CapturedPacket(one.time_ns, GROUPS[one.line], port, one.packet))


def _frame(one: Delivery, base_port: int) -> bytes:
    """The Ethernet frame around a packet that arrived."""
    group = IPv4Address(GROUPS[one.line]).packed
    source = IPv4Address(_SOURCES[one.line]).packed
    size = len(one.packet)
    fields = (0x45, 0, size + 28, 0, _DO_NOT_FRAGMENT, _TTL, _UDP_PROTOCOL)
    unsummed = _IP.pack(*fields, 0, source, group)
    ip = _IP.pack(*fields, _checksum(unsummed), source, group)
    udp = _UDP.pack(_SOURCE_PORT, port_of(one.channel, base_port), size + 8, 0)
    mac = bytes((0x01, 0x00, 0x5E, group[1] & 0x7F, group[2], group[3]))
    return mac + _SOURCE_MAC + _IPV4 + ip + udp + one.packet


def _checksum(header: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
