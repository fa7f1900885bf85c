"""The way from a captured frame to the datagram in it, and back to a frame that tools can read.

Ethernet with any VLAN tags, Linux "cooked" captures and bare IP; IPv4; UDP. Knows no capture file
and no packet of the exchange. Checksums are not verified: a sender's own capture has them unset.
"""

from __future__ import annotations

from enum import StrEnum
from struct import Struct
from typing import NamedTuple

from hkex_ops.omd.packet import Octets

__all__ = [
    "ETHERNET",
    "LINKS",
    "Datagram",
    "Passed",
    "address_of",
    "address_text",
    "datagram_in",
    "frame_of",
]

ETHERNET = 1
"""LINKTYPE_ETHERNET (the registry of link-layer types at tcpdump.org)."""

VLAN_TAGS = 4
"""Tags in a row that are looked behind; providers stack two."""

# Where a link layer says what it carries, and where that begins.
LINKS: dict[int, tuple[int | None, int]] = {
    ETHERNET: (12, 14),
    101: (None, 0),  # bare IP
    113: (14, 16),  # Linux cooked
    228: (None, 0),  # bare IPv4
    276: (0, 20),  # Linux cooked, second form
}
"""The link layers that are understood, by their numbers in the registry."""

_IPV4 = 0x0800
_TAGS = {0x8100, 0x88A8, 0x9100}
_TAG_BYTES = 4
_UDP = 17
_UDP_BYTES = 8
_IPV4_BYTES = 20
_PLAIN_BYTES = 42  # Ethernet, IP and UDP with nothing extra
_NOT_FIRST_OR_MORE = 0x3FFF  # fragment offset, and the bit that says more will come

_kind = Struct(">H").unpack_from
_ip = Struct(">BxHxxHxBxxxxxxI").unpack_from  # version and length, total, fragment, protocol, to
_udp = Struct(">xxHH").unpack_from  # destination port, length
_plain = Struct(">12xHBxHxxHxBxxxxxxIxxHH").unpack_from  # all of these of a frame without tags

_ETHERNET_HEAD = Struct(">6s6sH")
_IP_HEAD = Struct(">BBHHHBBHII")
_UDP_HEAD = Struct(">HHHH")
_MULTICAST = 0xE0000000
_SOURCE_MAC = bytes.fromhex("020000000000")  # locally administered: nobody's
_HOPS = 16
_DO_NOT_FRAGMENT = 0x4000


class Passed(StrEnum):
    """Why a captured frame holds no datagram to be read."""

    NOT_UDP = "not UDP over IPv4"
    FRAGMENT = "a fragment of a datagram"
    CUT = "cut short when it was captured"
    MALFORMED = "headers that contradict each other"


class Datagram(NamedTuple):
    """Where a UDP payload lies: to which address and port, from where to where."""

    group: int
    port: int
    begin: int
    end: int


def datagram_in(data: Octets, begin: int, end: int, link: int) -> Datagram | Passed:
    """The datagram of the frame that lies from ``begin`` to ``end``; ``link`` is one of `LINKS`."""
    if link == ETHERNET and begin + _PLAIN_BYTES <= end:
        kind, version, total, fragment, protocol, group, port, length = _plain(data, begin)
        if (
            (kind, version, protocol) == (_IPV4, 0x45, _UDP)
            and not fragment & _NOT_FIRST_OR_MORE
            and _UDP_BYTES <= length <= total - _IPV4_BYTES
            and begin + _PLAIN_BYTES - _UDP_BYTES + length <= end
        ):
            at = begin + _PLAIN_BYTES
            return Datagram(group, port, at, at - _UDP_BYTES + length)
    kind_at, payload_at = LINKS[link]
    at = begin + payload_at
    if kind_at is not None:
        if at > end:
            return Passed.CUT
        (kind,) = _kind(data, begin + kind_at)
        for _ in range(VLAN_TAGS if link == ETHERNET else 0):
            if kind not in _TAGS:
                break
            at += _TAG_BYTES
            if at > end:
                return Passed.CUT
            (kind,) = _kind(data, at - 2)
        if kind != _IPV4:
            return Passed.NOT_UDP
    return _in_ip(data, at, end)


def _in_ip(data: Octets, at: int, end: int) -> Datagram | Passed:
    if at + _IPV4_BYTES > end:
        return Passed.CUT
    version, total, fragment, protocol, group = _ip(data, at)
    if version >> 4 != 4 or protocol != _UDP:
        return Passed.NOT_UDP
    if fragment & _NOT_FIRST_OR_MORE:
        return Passed.FRAGMENT
    udp = at + (version & 0xF) * 4
    if udp < at + _IPV4_BYTES or udp + _UDP_BYTES > at + total:
        return Passed.MALFORMED
    if udp + _UDP_BYTES > end:
        return Passed.CUT
    port, length = _udp(data, udp)
    if not _UDP_BYTES <= length <= at + total - udp:
        return Passed.MALFORMED
    if udp + length > end:
        return Passed.CUT
    return Datagram(group, port, udp + _UDP_BYTES, udp + length)


def frame_of(group: int, port: int, payload: bytes) -> bytes:
    """An Ethernet frame with ``payload`` to a multicast group, from nobody in particular.

    Headers below the payload are made up: what the network had there is not kept.
    """
    if group & 0xF0000000 == _MULTICAST:
        mac = bytes.fromhex("01005e") + (group & 0x7FFFFF).to_bytes(3, "big")
    else:
        mac = bytes(6)
    length = _UDP_BYTES + len(payload)
    fields = (0x45, 0, _IPV4_BYTES + length, 0, _DO_NOT_FRAGMENT, _HOPS, _UDP)
    bare = _IP_HEAD.pack(*fields, 0, 0, group)
    return b"".join(
        (
            _ETHERNET_HEAD.pack(mac, _SOURCE_MAC, _IPV4),
            _IP_HEAD.pack(*fields, _checksum(bare), 0, group),
            _UDP_HEAD.pack(0, port, length, 0),
            payload,
        )
    )


def _checksum(header: bytes) -> int:
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, len(header), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address_text(group: int) -> str:
    """An IPv4 address as people write it."""
    return ".".join(map(str, group.to_bytes(4, "big")))


def address_of(text: str) -> int:
    """The IPv4 address that ``text`` spells; `ValueError` when it spells none."""
    octets = [int(part) if part.isdecimal() else 256 for part in text.split(".")]
    if len(octets) != 4 or max(octets) > 255:
        raise ValueError(f"{text!r} is no IPv4 address such as 239.1.1.24")
    return int.from_bytes(octets, "big")
