"""A market on loopback for the tests: lines by multicast, written without this distribution."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from hkex_ops.ports import FeedLine
from hkex_ops.testing import Sent
from hkex_ops_omd import MulticastOptions
from hkex_ops_omd.options import ChannelLines, MulticastLine, RecoveryLines

LOOPBACK = "127.0.0.1"

# Groups of their own for every market of every process, so that tests can run side by side.
_numbers = itertools.count(1)


def fresh_group() -> str:
    """A group that no other test of this run uses."""
    return f"239.77.{os.getpid() % 254}.{next(_numbers) % 254 + 1}"


def free_udp_port() -> int:
    """A port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        tried.bind((LOOPBACK, 0))
        port: int = tried.getsockname()[1]
        return port


def members_of(group: str) -> int:
    """How many sockets of this machine have joined ``group``, as the kernel tells."""
    wanted = socket.inet_aton(group)[::-1].hex().upper()
    for line in Path("/proc/net/igmp").read_text().splitlines():
        words = line.split()
        if words[0] == wanted:
            return int(words[1])
    return 0


def dropped_at(group: str, port: int) -> int:
    """How many packets to ``group`` the kernel dropped for want of room, as its own table tells."""
    wanted = f"{socket.inet_aton(group)[::-1].hex().upper()}:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[12]) for row in rows if row[1] == wanted)


class Multicaster:
    """Sends to groups through loopback."""

    def __init__(self, interface: str = LOOPBACK) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(
            socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface)
        )
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)

    def send(self, line: MulticastLine, packet: bytes) -> None:
        """One packet by ``line``."""
        self._socket.sendto(packet, (line.group, line.port))

    def close(self) -> None:
        """Send no more."""
        self._socket.close()


class Market:
    """Two channels and the recovery channel, each on lines of its own."""

    channels = (31, 30)
    recovery = 1

    def __init__(self) -> None:
        self.port = free_udp_port()
        self.sender = Multicaster()
        self.lines = {
            channel: ChannelLines(channel, self._line(), self._line(), self._line(), self._line())
            for channel in self.channels
        }
        self.recovery_lines = RecoveryLines(self.recovery, self._line(), self._line())
        self.elsewhere = self._line()

    def _line(self) -> MulticastLine:
        return MulticastLine(fresh_group(), self.port)

    def close(self) -> None:
        """Send no more."""
        self.sender.close()

    def options(self) -> MulticastOptions:
        """All lines, without retransmission."""
        return MulticastOptions(
            interface=LOOPBACK,
            channels=tuple(self.lines.values()),
            recovery=self.recovery_lines,
        )

    def where(self, channel: int, line: FeedLine) -> MulticastLine:
        """The line by which a channel's packets go."""
        if line is FeedLine.RECOVERY:
            return self.recovery_lines.line_a
        lines = self.lines[channel]
        found = {
            FeedLine.A: lines.line_a,
            FeedLine.B: lines.line_b,
            FeedLine.REFRESH: lines.refresh_a,
        }[line]
        assert found is not None
        return found

    def send(self, sent: Sequence[Sent]) -> None:
        """Send each packet by its line."""
        for one in sent:
            self.sender.send(self.where(one.channel, one.line), one.packet)

    def groups(self) -> list[str]:
        """Every group of this market."""
        named = [line for one in self.lines.values() for _, line in one.named_lines()]
        named += [line for _, line in self.recovery_lines.named_lines()]
        return [line.group for line in named]

    def members(self) -> int:
        """How many sockets have joined any of its groups."""
        return sum(map(members_of, self.groups()))
