"""Captures read without touching a file: pieces of it go in, the datagrams in them come out.

pcap and pcapng, both byte orders, times in micro- or nanoseconds. What a datagram says is not
looked at here; :class:`CaptureStreams` tells to which channel and line it belongs. Feeds that play
a capture use this; whoever recomputes a whole day uses :mod:`hkex_ops.omd.streaming`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from attrs import field, frozen

from hkex_ops.errors import UsageError, WireError
from hkex_ops.omd.frames import Passed, address_text, datagram_in
from hkex_ops.omd.framing import HEAD_BYTES, Framing, framing_of

__all__ = ["CaptureReader", "CaptureStreams", "CapturedPacket", "Stream"]

_GROUPS_KEPT = 4_096
_group_text = lru_cache(maxsize=_GROUPS_KEPT)(address_text)


class CapturedPacket(NamedTuple):
    """A datagram: when it was captured (since 1970 UTC), to which group and port, and its bytes."""

    time_ns: int
    group: str
    port: int
    payload: bytes


class Stream(NamedTuple):
    """What the datagrams of one group and port are: a channel, by line ``A`` or ``B``."""

    channel: int
    line: str


@frozen
class CaptureStreams:
    """Which channel and line the datagrams of a group and port belong to.

    ``named`` states it outright. For all others the channel is the port less ``base_port``, and the
    line is B for groups that begin with ``line_b``, else A. The defaults are those of the synthetic
    captures here; the real addresses are in no public paper, so name the streams of a real capture.
    """

    base_port: int = 51_000
    line_b: str = "239.1.127."
    named: Mapping[tuple[str, int], Stream] = field(factory=dict[tuple[str, int], Stream])

    def of(self, group: str, port: int) -> Stream | None:
        """The stream of a group and port, or none: then its datagrams are not market data."""
        stream = self.named.get((group, port))
        if stream is not None:
            return stream
        channel = port - self.base_port
        if channel < 0:
            return None
        return Stream(channel, "B" if group.startswith(self.line_b) else "A")

    def where(self, channel: int, line: str) -> tuple[str, int]:
        """A group and port by which :meth:`of` finds ``channel`` and ``line`` again.

        For recording what came without an address. `UsageError` when there is none.
        """
        for place, stream in self.named.items():
            if stream == (channel, line):
                return place
        port = self.base_port + channel
        group = f"{self.line_b}1" if line == "B" else "239.1.1.1"
        if port > 0xFFFF or self.of(group, port) != (channel, line):
            raise UsageError(f"no group and port stands for channel {channel}, line {line}")
        return group, port


class CaptureReader:
    """Reads one capture, piece by piece.

    ``passed`` counts the frames that were passed over, by reason. After a `WireError` the reader
    is of no further use: nothing in a damaged capture tells where the next record would begin.
    """

    def __init__(self) -> None:
        self.passed: Counter[Passed] = Counter()
        self._framing: Framing | None = None
        self._rest: bytes = b""
        self._offset: int = 0
        self._found: list[CapturedPacket] = []

    @property
    def format(self) -> str:
        """``pcap`` or ``pcapng``; empty as long as too little has come to tell."""
        return self._framing.name if self._framing else ""

    @property
    def offset(self) -> int:
        """Where in the file the first record begins that has not come as a whole."""
        return self._offset

    def feed(self, data: bytes) -> list[CapturedPacket]:
        """Take the next piece of the file; the datagrams that it completes.

        `WireError` with the place in the file when this is no capture, or a damaged one.
        """
        data = self._rest + data if self._rest else data
        at = 0
        if self._framing is None:
            if len(data) < HEAD_BYTES:
                self._rest = data
                return []
            self._framing, at = framing_of(data)
            self._offset = at
        take = self._framing.take
        while (following := take(self, data, at)) >= 0:
            self._offset += following - at
            at = following
        self._rest = data[at:]
        return self.salvage()

    def salvage(self) -> list[CapturedPacket]:
        """After a `WireError`: the datagrams that came whole before the damage."""
        found, self._found = self._found, []
        return found

    def close(self) -> None:
        """The file has ended; `WireError` when it ends before a record does, or holds nothing."""
        if self._framing is None:
            what = f"holds {len(self._rest)} bytes" if self._rest else "is empty"
            raise WireError(f"the file {what}: that is no capture", offset=0)
        if self._rest:
            raise self.fault(
                f"the capture is cut off: of its last record only {len(self._rest)} bytes are there"
            )

    def fault(self, message: str) -> WireError:
        """An error at the record that is being read."""
        return WireError(message, offset=self._offset, spec=self.format)

    def frame(self, data: bytes, begin: int, end: int, link: int, time_ns: int) -> None:
        """Take the datagram out of a captured frame."""
        found = datagram_in(data, begin, end, link)
        if isinstance(found, Passed):
            self.passed[found] += 1
            return
        group, port, begin, end = found
        self._found.append(CapturedPacket(time_ns, _group_text(group), port, data[begin:end]))
