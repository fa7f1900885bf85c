"""Many channels arbitrated for a fast reader: what is plain it does itself, the rest is done here.

Nearly every packet is simply the next one of its channel, or a copy of what is known. A reader
finds that out with one look at :attr:`Merger.expected` and two comparisons, and comes here with
anything else. A packet that overtook another waits here while nobody would be told of a gap yet;
whatever is stranger goes to a real :class:`~hkex_ops.omd.line.Arbiter`, and its answers are these.
Called by the streaming, vectorised and accelerated readers of this room.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from heapq import heappop, heappush
from struct import Struct
from typing import TypeAlias, cast

from hkex_ops.errors import WireError
from hkex_ops.model import JsonObject
from hkex_ops.omd.codec import Codec
from hkex_ops.omd.events import (
    GapLost,
    HealthEvent,
    LineEvent,
    LineReturned,
    LineSilent,
    MessagesArrived,
    PacketRefused,
    SequenceRestarted,
)
from hkex_ops.omd.line import Arbiter
from hkex_ops.omd.ordering import LineLimits
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, Octets, packet_header

__all__ = ["IN_CARE", "POLL_NS", "Delivered", "Merger", "Settled", "next_poll_ns", "time_alone"]

POLL_NS = 100_000_000
"""On the grid of this it is seen, by the time of a capture, what has waited long enough."""
IN_CARE = -1
"""What stands in the place of a number while a channel is not plain: no number equals it."""

Delivered: TypeAlias = tuple[Octets, int, int, int, int, int]
"""Messages to be read: bytes, where the first begins, where the packet ends, how many they are,
when they were sent, and the slot of their channel."""

Settled: TypeAlias = Delivered | GapLost
"""What comes of a packet that is not plain: something to be read, or that it will never come."""


def time_alone(sent_ns: int, slot: int) -> Delivered:
    """What a packet delivers that moves time and nothing else, such as a heartbeat."""
    return b"", 0, 0, 0, sent_ns, slot


def next_poll_ns(time_ns: int) -> int:
    """The first place on the grid of :data:`POLL_NS` behind ``time_ns``."""
    return (time_ns // POLL_NS + 1) * POLL_NS


_Early: TypeAlias = tuple[int, int, bytes, int, str, int, int]
"""A packet that came too early: number, order of arrival, bytes, count, line, time, send time."""

_size_of = Struct("<H").unpack_from
_header_of = packet_header.unpack_from
_RESET = b"\x08\x00\x64\x00"  # size and type of a Sequence Reset
_FIRST_TYPE = slice(PACKET_HEADER_BYTES + 2, PACKET_HEADER_BYTES + 4)


class _Lane:
    """One channel while it is not plain: what waits, and the arbiter that has it in hand."""

    __slots__ = (
        "arbiter",
        "arbitrated",
        "channel",
        "early",
        "floor_ns",
        "next",
        "waits_until_ns",
        "watched_until_ns",
    )

    def __init__(self, channel: int, codec: Codec, limits: LineLimits) -> None:
        self.channel = channel
        self.next = 1
        self.early: list[_Early] = []
        self.floor_ns = 0  # what was sent before has numbers that are void
        self.waits_until_ns = 0
        self.arbiter = Arbiter(channel, codec, limits=limits)
        self.arbitrated = False
        self.watched_until_ns = 0

    def is_due(self, at_ns: int) -> bool:
        """Whether what waits has waited long enough."""
        if self.arbitrated:
            return self.arbiter.is_due(at_ns)
        return bool(self.early) and at_ns >= self.waits_until_ns

    def knows(self, begin: int, end: int) -> bool:
        """Whether every message from ``begin`` up to ``end`` was delivered, or waits."""
        begin = max(begin, self.next)
        for sequence, _, _, count, _, _, _ in sorted(self.early):
            if begin < sequence:
                break
            begin = max(begin, sequence + count)
        return begin >= end


class Merger:
    """The lines of all channels made one each.

    Readers keep to this contract. A packet of the channel in ``slot`` that begins with number
    ``expected[slot]``, was sent at ``floor_ns`` or later and carries ``n > 0`` well-formed
    messages, none of them a Sequence Reset, is delivered by the reader, who then adds ``n`` there.
    One whose last number is below ``expected[slot]``, and that does not begin with a Sequence
    Reset, is a copy and is dropped; if it is a heartbeat, its time has passed. A heartbeat of
    nothing but a header that names ``expected[slot]`` says nothing while ``perhaps_reset[slot]`` is
    that number too: a Sequence Reset's own, or the next message's. Every other packet goes to
    :meth:`take`. ``health`` collects what is told of gaps, refused packets and resets; whoever
    reads it empties it. ``limits`` are those of the arbiters; ``numbers`` are the channels by slot.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        channels: Collection[int] | None = None,
        limits: LineLimits | None = None,
    ) -> None:
        """``channels`` are those whose messages are wanted, all where none are named."""
        self.expected: list[int] = []
        self.perhaps_reset: list[int] = []
        self.wanted: list[bool] = []
        self.numbers: list[int] = []
        self.floor_ns: int = 0
        self.health: list[HealthEvent] = []
        self._codec = codec
        self.limits: LineLimits = limits or LineLimits()
        self._channels = channels
        self._lanes: list[_Lane] = []
        self._slots: dict[int, int] = {}
        self._arrivals = 0

    def slot(self, channel: int) -> int:
        """The place of ``channel`` in :attr:`expected` and :attr:`wanted`."""
        slot = self._slots.get(channel)
        if slot is None:
            slot = self._slots[channel] = len(self._lanes)
            self._lanes.append(_Lane(channel, self._codec, self.limits))
            self.expected.append(1)
            self.perhaps_reset.append(0)
            self.numbers.append(channel)
            self.wanted.append(self._channels is None or channel in self._channels)
        return slot

    def check(self, packet: bytes) -> None:
        """`WireError` where a packet is none, as an arbiter finds it."""
        self._codec.check(packet)

    @property
    def plain(self) -> bool:
        """Whether nothing waits and no arbiter is at work: all that is known is in `expected`."""
        return IN_CARE not in self.expected

    def take(self, slot: int, packet: bytes, line: str, at_ns: int) -> Sequence[Settled]:
        """A packet that is not plain; what is to be read now, in order."""
        lane = self._lanes[slot]
        found = self._look_into(slot, lane, packet, line, at_ns)
        if len(packet) != PACKET_HEADER_BYTES:
            return found
        _, count, _, sequence, sent_ns = _header_of(packet)
        following = self.expected[slot]
        if following == IN_CARE:
            following = lane.arbiter.next_sequence if lane.arbitrated else lane.next
        return found if count or sequence >= following else (*found, time_alone(sent_ns, slot))

    def _look_into(
        self, slot: int, lane: _Lane, packet: bytes, line: str, at_ns: int
    ) -> Sequence[Settled]:
        if lane.arbitrated:
            return self._arbitrate(slot, lane, packet, line, at_ns)
        self._enter(slot, lane)
        if self.perhaps_reset[slot] == lane.next:
            return self._arbitrate(slot, lane, packet, line, at_ns)
        early = lane.early
        if early and (at_ns >= lane.waits_until_ns or len(early) >= self.limits.held_packets):
            return self._arbitrate(slot, lane, packet, line, at_ns)
        try:
            if len(packet) < PACKET_HEADER_BYTES:
                self._codec.check(packet)
            size, count, _, sequence, sent_ns = _header_of(packet)
            marked = packet[_FIRST_TYPE] == _RESET[2:] or _RESET in packet
            strange = marked and self._codec.check(packet) >= 0
            if not strange:
                if size != len(packet):
                    self._codec.check(packet)
                known = count and lane.knows(sequence, sequence + count)
                if known or sent_ns < lane.floor_ns:
                    return self._drain(slot, lane)
                strange = self._codec.check(packet) >= 0 or not count
        except WireError as error:
            return self._refuse(slot, lane, line, at_ns, str(error), packet)
        if strange or sequence - lane.next > self.limits.leap:
            return self._arbitrate(slot, lane, packet, line, at_ns)
        if not early:
            lane.waits_until_ns = at_ns + self.limits.gap_wait_ns
        self._arrivals += 1
        heappush(early, (sequence, self._arrivals, packet, count, line, at_ns, sent_ns))
        return self._drain(slot, lane)

    def is_due(self, at_ns: int) -> bool:
        """Whether anything has waited long enough by now."""
        for slot, number in enumerate(self.expected):
            if number == IN_CARE and self._lanes[slot].is_due(at_ns):
                return True
        return False

    def poll(self, at_ns: int) -> Sequence[Settled]:
        """What has waited long enough by now. Only where :attr:`plain` is false anything waits."""
        found: list[Settled] = []
        for slot, lane in enumerate(self._lanes):
            if self.expected[slot] == IN_CARE and lane.is_due(at_ns):
                arbiter, events = self._arbiter(slot, lane)
                events += arbiter.poll(at_ns)
                self._release(slot, lane, at_ns)
                found += self._told(lane, events)
        return found

    def close(self, at_ns: int) -> Sequence[Settled]:
        """Nothing more will come: every gap is told and given up, and what was behind it is read.

        The merger is of no further use afterwards.
        """
        found: list[Settled] = []
        told_ns = at_ns + self.limits.gap_wait_ns
        for slot, lane in enumerate(self._lanes):
            if self.expected[slot] != IN_CARE:
                continue
            arbiter, events = self._arbiter(slot, lane)
            events += (*arbiter.poll(told_ns), *arbiter.poll(told_ns + self.limits.give_up_ns))
            found += self._told(lane, events)
        return found

    # -- a packet that overtook another -----------------------------------------------------------

    def _enter(self, slot: int, lane: _Lane) -> None:
        expected = self.expected[slot]
        if expected != IN_CARE:
            lane.next = expected
            self.expected[slot] = IN_CARE

    def _drain(self, slot: int, lane: _Lane) -> Sequence[Delivered]:
        found: list[Delivered] = []
        early = lane.early
        while early and early[0][0] <= lane.next:
            sequence, _, packet, count, _, _, sent_ns = heappop(early)
            seen = lane.next - sequence
            if seen < count:
                if self.wanted[slot]:
                    found.append((*_behind(packet, seen, count - seen), sent_ns, slot))
                else:
                    found.append(time_alone(sent_ns, slot))
                lane.next = sequence + count
        if not early:
            self.expected[slot] = lane.next
        return found

    def _refuse(
        self, slot: int, lane: _Lane, line: str, at_ns: int, reason: str, packet: bytes
    ) -> Sequence[Delivered]:
        self.health.append(PacketRefused(lane.channel, line, at_ns, reason, packet))
        return self._drain(slot, lane)

    # -- all that is stranger ---------------------------------------------------------------------

    def _arbitrate(
        self, slot: int, lane: _Lane, packet: bytes, line: str, at_ns: int
    ) -> Sequence[Settled]:
        arbiter, events = self._arbiter(slot, lane)
        before = arbiter.next_sequence
        events += arbiter.handle(packet, line, at_ns)
        for event in events:
            if isinstance(event, SequenceRestarted):
                lane.floor_ns = _reset_sent_ns(arbiter)
                self.floor_ns = max(self.floor_ns, lane.floor_ns)
                # What was sent under the old numbers may still come, unless there was nothing.
                lane.watched_until_ns = at_ns + self.limits.reset_window_ns * (before > 1)
        self._release(slot, lane, at_ns)
        return self._told(lane, events)

    def _release(self, slot: int, lane: _Lane, at_ns: int) -> None:
        """Take a channel back from its arbiter, if that waits for nothing."""
        arbiter = lane.arbiter
        if not arbiter.missing and at_ns >= lane.watched_until_ns:
            lane.arbitrated = False
            self.expected[slot] = arbiter.next_sequence
            self.perhaps_reset[slot] = cast("int", arbiter.snapshot()["perhaps_reset"])

    def _arbiter(self, slot: int, lane: _Lane) -> tuple[Arbiter, tuple[LineEvent, ...]]:
        """The arbiter of a channel, which knows all that has come; what it said to what waited."""
        arbiter = lane.arbiter
        events: tuple[LineEvent, ...] = ()
        if not lane.arbitrated:
            lane.arbitrated = True
            idle = self.perhaps_reset[slot] == lane.next
            arbiter.restore(
                {
                    **arbiter.snapshot(),
                    "next_sequence": lane.next,
                    "perhaps_reset": lane.next if idle else 0,
                }
            )
            for _, _, packet, _, line, at_ns, _ in sorted(lane.early, key=lambda one: one[1]):
                events += arbiter.handle(packet, line, at_ns)
            lane.early = []
        return arbiter, events

    def _told(self, lane: _Lane, events: Iterable[LineEvent]) -> Sequence[Settled]:
        found: list[Settled] = []
        slot = self._slots[lane.channel]
        wanted = self.wanted[slot]
        for event in events:
            if isinstance(event, GapLost) and wanted:
                found.append(event)
            if isinstance(event, MessagesArrived):
                sent_ns = _header_of(event.packet)[4]
                if wanted:
                    behind = _behind(event.packet, event.skip, event.message_count)
                    found.append((*behind, sent_ns, slot))
                else:
                    found.append(time_alone(sent_ns, slot))
            elif not isinstance(event, SequenceRestarted | LineSilent | LineReturned):
                self.health.append(event)
        return found


def _reset_sent_ns(arbiter: Arbiter) -> int:
    """When the last Sequence Reset was sent."""
    return cast("int", cast("JsonObject", arbiter.snapshot()["restarts"])["sent_ns"])


def _behind(packet: bytes, skip: int, count: int) -> tuple[bytes, int, int, int]:
    """``count`` messages of a sound packet, after the first ``skip``."""
    begin = PACKET_HEADER_BYTES
    for _ in range(skip):
        begin += _size_of(packet, begin)[0]
    return packet, begin, len(packet), count
