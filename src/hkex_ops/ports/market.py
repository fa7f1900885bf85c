"""The port of market data: packets of a feed as they were received, and losses made up.

An adapter gives bytes and where they came from; it decodes nothing. What the bytes mean is
:mod:`hkex_ops.omd`'s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from attrs import frozen

__all__ = [
    "FeedLine",
    "LineHealth",
    "MarketFeed",
    "PacketBatch",
    "SupportsHealth",
    "SupportsPause",
    "SupportsRefresh",
    "SupportsRetransmission",
]


class FeedLine(StrEnum):
    """The way by which a packet came."""

    A = "A"
    B = "B"
    RETRANSMISSION = "retransmission"
    REFRESH = "refresh"
    RECOVERY = "recovery"  # the disaster recovery channel, which carries signal 105


class PacketBatch(NamedTuple):
    """Packets of one channel that came by one line together, in the order they came.

    ``received_ns`` is when they were taken, in nanoseconds since 1970 UTC: the machine's own time
    on a live feed, the recorded one from a capture. ``packets`` are whole packets with their
    16-byte header, at least one. Cheap on purpose: a busy second is tens of thousands.
    """

    channel: int
    line: FeedLine
    received_ns: int
    packets: Sequence[bytes]


@frozen
class LineHealth:
    """How one line is received, counted since the feed was opened.

    ``dropped_packets`` came to this machine and found no room: ``None`` where it does not tell.
    ``buffer_bytes`` is the room it gave, ``wanted_buffer_bytes`` what was asked for. ``pauses``
    is how often nothing was taken from it, because too much waited to be asked for already.
    """

    channel: int
    line: FeedLine
    received_packets: int
    dropped_packets: int | None
    buffer_bytes: int
    wanted_buffer_bytes: int
    pauses: int = 0

    @property
    def findings(self) -> tuple[str, ...]:
        """What a person should know of it, a sentence each; empty when all is well."""
        told: list[str] = []
        if self.buffer_bytes < self.wanted_buffer_bytes:
            told.append(
                f"channel {self.channel} line {self.line}: this machine gives a buffer of "
                f"{self.buffer_bytes} bytes where {self.wanted_buffer_bytes} are wanted: raise "
                "net.core.rmem_max, or grant CAP_NET_ADMIN"
            )
        if self.dropped_packets:
            told.append(
                f"channel {self.channel} line {self.line}: this machine dropped "
                f"{self.dropped_packets} packets that it had no room for"
            )
        return tuple(told)


class MarketFeed(Protocol):
    """Market data of some channels, subscribed to."""

    @property
    def channels(self) -> Sequence[int]:
        """The real-time channels that this feed carries, ascending."""
        ...

    def packets(self) -> AsyncIterator[PacketBatch]:
        """Yield what comes, line A and line B alike, duplicates too; heartbeats are packets.

        Ends when the feed ends, as a capture does; a live one goes on until it is closed. May be
        iterated once. Raises `RemoteError` when the feed itself fails (a socket, a file cut short
        mid-packet); a malformed packet is not the adapter's affair.
        """
        ...


@runtime_checkable
class SupportsRetransmission(Protocol):
    """A feed that can ask for packets again (OMD-C interface specification, section 4.2)."""

    def retransmit(self, channel: int, begin: int, end: int) -> AsyncIterator[PacketBatch]:
        """Yield the messages ``begin`` to ``end`` inclusive of ``channel``, packed as they come.

        Raises `UsageError` for a range beyond what one request may name, `Rejected` when the
        server refuses (unknown channel, no longer stored, daily limit), `TransientError` when it
        is not there or does not answer.
        """
        ...


@runtime_checkable
class SupportsRefresh(Protocol):
    """A feed that can show the state of a channel as a whole (specification, section 4.3)."""

    def refresh(self, channel: int) -> AsyncIterator[PacketBatch]:
        """Yield the packets of ``channel``'s refresh from now on, one cycle after another.

        The caller looks for Refresh Complete (203) and stops when it has a full cycle.
        """
        ...


@runtime_checkable
class SupportsHealth(Protocol):
    """A feed that knows how well its lines are received."""

    def health(self) -> Sequence[LineHealth]:
        """Every line as it is now, by channel and line."""
        ...


@runtime_checkable
class SupportsPause(Protocol):
    """A feed that may let its reader take its time, as a record can that is not played live."""

    @property
    def waits_for_reader(self) -> bool:
        """Whether nothing is lost and nothing runs ahead, however late the next packet is drawn.

        Several readers may then go at the pace of the slowest, and the time of the feed stands
        still between two packets. The same for as long as the feed is open.
        """
        ...
