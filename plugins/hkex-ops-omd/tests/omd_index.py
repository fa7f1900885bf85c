"""The index channel on loopback for the tests, Index Data packed and unpacked by hand.

Written from the table of message 71 in the specification with `struct` alone.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from attrs import evolve
from omd_market import LOOPBACK, Multicaster, free_udp_port, fresh_group

from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, TickKind
from hkex_ops_omd import IndexFeedOptions, PublisherOptions
from hkex_ops_omd.options import MulticastLine

__all__ = ["DEFINITION", "HEADER", "IndexLines", "carried", "index_data", "packet_of", "unpacked"]

HEADER = struct.Struct("<HBBIQ")
DATA = struct.Struct("<HH11sc11qic3s")
DEFINITION = struct.Struct("<HH11sc3sc")
NULL = -(2**63)

MARKS = {
    TickKind.REAL_TIME: b"   ",
    TickKind.CONTINGENCY: b"CTG",
    TickKind.RECALCULATED: b"RCL",
}


def carried(tick: IndexTick) -> IndexTick:
    """A tick without what Index Data has no place for: stale securities, engine, site."""
    return evolve(tick, stale=(), engine="", site=None)


def units(value: Decimal | None) -> int:
    """Index points as the wire has them."""
    return NULL if value is None else int(value * 10_000)


def index_data(tick: IndexTick) -> bytes:
    """Message 71 of a tick."""
    change = NULL if tick.previous_close is None else units(tick.value - tick.previous_close)
    return DATA.pack(
        *(112, 71, tick.index.encode().ljust(11), tick.status.value.encode() or b" "),
        *(int(tick.at.timestamp()) * 10**9, units(tick.value), change),
        *(units(tick.high), units(tick.low), NULL, NULL, units(tick.opening)),
        *(units(tick.closing), units(tick.previous_close), NULL),
        *(0, b" ", MARKS[tick.kind]),
    )


def packet_of(messages: Sequence[bytes], sequence: int) -> bytes:
    """A packet of these messages."""
    body = b"".join(messages)
    return HEADER.pack(16 + len(body), len(messages), 0x5C, sequence, 1) + body


def unpacked(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Every message of a packet: its number, its type, its bytes."""
    _, count, _, sequence, _ = HEADER.unpack_from(packet)
    at = 16
    for number in range(sequence, sequence + count):
        size, kind = struct.unpack_from("<HH", packet, at)
        yield number, kind, packet[at : at + size]
        at += size


def tick_in(message: bytes) -> IndexTick:
    """The tick of a message 71, two decimals as the contract's ticks have."""
    _, _, code, status, at_ns, *values, _, _, mark = DATA.unpack(message)
    value, _, high, low, _, _, opening, closing, previous, _ = (
        None if one == NULL else Decimal(one // 100).scaleb(-2) for one in values
    )
    assert value is not None
    return IndexTick(
        index=code.decode().rstrip(),
        at=datetime.fromtimestamp(at_ns // 10**9, UTC).astimezone(HONG_KONG),
        value=value,
        high=high,
        low=low,
        status=IndexStatus(status.decode().strip()),
        kind={mark: kind for kind, mark in MARKS.items()}[mark],
        opening=opening,
        closing=closing,
        previous_close=previous,
    )


class IndexLines:
    """Lines A and B and two of a refresh; heard by the test, and sent to by it."""

    def __init__(self) -> None:
        port = free_udp_port()
        self.lines = {
            name: MulticastLine(fresh_group(), port)
            for name in ("line_a", "line_b", "refresh_a", "refresh_b")
        }
        self.ears = {name: self._ear(line) for name, line in self.lines.items()}
        self.packets: dict[str, list[bytes]] = {name: [] for name in self.lines}
        self.sender = Multicaster()
        self.next = 1

    def _ear(self, line: MulticastLine) -> socket.socket:
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((line.group, line.port))
        membership = socket.inet_aton(line.group) + socket.inet_aton(LOOPBACK)
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        ear.setblocking(False)
        return ear

    def close(self) -> None:
        """Leave the groups, send no more."""
        for ear in self.ears.values():
            ear.close()
        self.sender.close()

    def publisher_options(self) -> PublisherOptions:
        """A publisher to these lines; nothing leaves the machine."""
        line_a, line_b, refresh_a, refresh_b = self.lines.values()
        return PublisherOptions(
            interface=LOOPBACK,
            line_a=line_a,
            line_b=line_b,
            refresh_a=refresh_a,
            refresh_b=refresh_b,
            ttl=0,
        )

    def feed_options(self) -> IndexFeedOptions:
        """A feed of these lines."""
        line_a, line_b, *_ = self.lines.values()
        return IndexFeedOptions(interface=LOOPBACK, line_a=line_a, line_b=line_b)

    def real_time_groups(self) -> list[str]:
        """The groups of lines A and B."""
        return [self.lines[name].group for name in ("line_a", "line_b")]

    # -- what the far side hears -------------------------------------------------------------

    def listen(self, name: str) -> list[bytes]:
        """Every packet that has come by a line so far."""
        packets = self.packets[name]
        while True:
            try:
                packets.append(self.ears[name].recv(2048))
            except BlockingIOError:
                return packets

    def heard(self, name: str) -> list[IndexTick]:
        """Every tick that has come by a line so far."""
        messages = [one for packet in self.listen(name) for one in unpacked(packet)]
        return [tick_in(message) for _, kind, message in messages if kind == 71]

    def last_cycle(self) -> list[IndexTick]:
        """The ticks of the last whole cycle of the refresh."""
        messages = [one for packet in self.listen("refresh_a") for one in unpacked(packet)]
        ends = [place for place, (_, kind, _) in enumerate(messages) if kind == 203]
        begin = ends[-2] + 1 if len(ends) > 1 else 0
        return [tick_in(one) for _, kind, one in messages[begin : ends[-1]] if kind == 71]

    # -- what the far side says --------------------------------------------------------------

    def put(self, ticks: Sequence[IndexTick], *names: str) -> None:
        """Index Data of ``ticks`` by both lines, or by those named."""
        for first in range(0, len(ticks), 13):
            messages = [index_data(tick) for tick in ticks[first : first + 13]]
            packet = packet_of(messages, self.next)
            self.next += len(messages)
            for name in names or ("line_a", "line_b"):
                self.sender.send(self.lines[name], packet)
