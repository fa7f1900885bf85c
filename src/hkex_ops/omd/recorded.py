"""The addresses under which a recording keeps what came, so that channel and line come back.

A feed says which channel and which line a packet came by, not to which address it was sent. So a
recording gives every line an address of its own: A and B where readers of captures look for them,
messages that were sent again where such a reader takes them for one more copy, and what must never
be mixed with the lines, refresh and recovery, below the ports of all channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from attrs import field, frozen

from hkex_ops.errors import UsageError
from hkex_ops.omd.capture import CaptureStreams, Stream

__all__ = ["RecordedStreams"]

_AGAIN = "retransmission"

# Invented, administratively scoped groups, and the port from which their channels are counted: for
# what is sent again the one of lines A and B, for the others one below.
_GROUPS: Mapping[str, str] = MappingProxyType(
    {_AGAIN: "239.1.251.1", "refresh": "239.1.252.1", "recovery": "239.1.253.1"}
)
_BASE_PORTS: Mapping[str, int] = MappingProxyType({"refresh": 20_000, "recovery": 35_000})

_LAST_PORT = 0xFFFF
_ROOM = 15_000  # channels that have a port of their own


@frozen
class RecordedStreams:
    """Which channel and line an address stands for, and back; ``lines`` rules over A and B."""

    lines: CaptureStreams = field(factory=CaptureStreams)

    def of(self, group: str, port: int) -> Stream | None:
        """The stream of a group and port, or none: then its datagrams are not market data."""
        if (group, port) not in self.lines.named:
            for line, other in _GROUPS.items():
                if group == other:
                    channel = port - self._base_port(line)
                    return Stream(channel, line) if 0 <= channel < _ROOM else None
        return self.lines.of(group, port)

    def where(self, channel: int, line: str) -> tuple[str, int]:
        """A group and port by which :meth:`of` finds ``channel`` and ``line`` again.

        `UsageError` when there is none.
        """
        for place, stream in self.lines.named.items():
            if stream == (channel, line):
                return place
        if line not in _GROUPS:
            return self.lines.where(channel, line)
        place = _GROUPS[line], self._base_port(line) + channel
        if place[1] > _LAST_PORT or self.of(*place) != (channel, line):
            raise UsageError(f"no group and port stands for channel {channel}, line {line}")
        return place

    def _base_port(self, line: str) -> int:
        return _BASE_PORTS.get(line, self.lines.base_port)
