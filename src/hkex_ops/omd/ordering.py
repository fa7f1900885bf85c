"""Numbers of one channel put in order: what is next, what is missing, what is held behind it.

The arbiter's inner half. It knows numbers, waits and limits; of packets only that they carry
messages ``sequence`` and onwards. Every number is delivered once, or told to be missing.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import NamedTuple

from attrs import frozen

from hkex_ops.omd.events import (
    Filling,
    GapClosed,
    GapLost,
    GapOpened,
    LineEvent,
    Losing,
    MessagesArrived,
    ResetCounted,
    Run,
)
from hkex_ops.omd.holes import Gap, Hole, Holes

__all__ = ["Held", "LineLimits", "Ordering"]

_MILLISECOND_NS = 1_000_000
_SECOND_NS = 1_000_000_000


@frozen
class LineLimits:
    """Named limits of an arbiter.

    ``gap_wait_ns`` is how long the other line, and packets that overtook each other, are waited
    for before a gap is told; ``give_up_ns`` how long a gap stays open after that. Held behind a
    gap are at most ``held_packets``, and missing at most ``missing_runs``; beyond either the
    oldest gap is given up. ``silent_ns`` is three heartbeats. A packet that leaps more than
    ``leap`` numbers is believed when a second one agrees. ``reset_window_ns`` is how far apart
    the lines may send one and the same Sequence Reset.
    """

    gap_wait_ns: int = 50 * _MILLISECOND_NS
    give_up_ns: int = 10 * _SECOND_NS
    held_packets: int = 20_000
    missing_runs: int = 1_000
    silent_ns: int = 6 * _SECOND_NS
    leap: int = 1_000_000
    reset_window_ns: int = 10 * _SECOND_NS


class Held(NamedTuple):
    """A packet that waits: ``message_count`` of its messages, behind ``skip`` others, are numbered
    from ``sequence`` on."""

    sequence: int
    order: int  # that of arrival, where two have one number
    packet: bytes
    skip: int
    message_count: int
    line: str
    at_ns: int
    sent_ns: int

    @property
    def end(self) -> int:
        """The number of its last message."""
        return self.sequence + self.message_count - 1


class Ordering:
    """What one channel has delivered, misses and holds.

    All numbers below ``next`` are delivered or lost, all up to ``high`` are known to exist. Either
    nothing is missing and ``next`` is the one after ``high``, or ``next`` is the first missing.
    """

    def __init__(self, channel: int, limits: LineLimits, next_sequence: int) -> None:
        self.next: int = next_sequence
        self.high: int = next_sequence - 1
        self.holes: Holes = Holes()
        self.perhaps_reset: int = 0
        """A number that is a Sequence Reset's own, or the next message's: nobody says which."""
        self._channel = channel
        self._limits = limits
        self._held: list[Held] = []

    def is_news(self, begin: int, end: int) -> bool:
        """Whether one of the numbers from ``begin`` to ``end`` has not been seen."""
        return end > self.high or any(
            hole.begin <= end and hole.end >= begin for hole in self.holes
        )

    def arrive(self, held: Held) -> list[LineEvent]:
        """Messages came, some of them new. Delivered at once or held."""
        events: list[LineEvent] = []
        end = held.end
        if end > self.high:
            self._expect(held.sequence - 1, held.at_ns)
            self.high = end
        events += self._fill(held.sequence, end, held.at_ns, Filling.MESSAGES)
        heappush(self._held, held)
        events += self.drain()
        while self.holes and (
            len(self._held) > self._limits.held_packets
            or len(self.holes) > self._limits.missing_runs
        ):
            first = self.holes.first
            events += self.lose(first.begin, first.end, held.at_ns, Losing.ROOM)
        return events

    def expect(self, last: int, at_ns: int) -> None:
        """Messages up to ``last`` were sent, a heartbeat says."""
        if not last == self.perhaps_reset == self.next:
            self._expect(last, at_ns)

    def due(self, now_ns: int) -> list[LineEvent]:
        """What waiting has come to by now."""
        events: list[LineEvent] = []
        for hole in self.holes:
            if hole.due_ns > now_ns:
                continue
            if hole.gap is not None:
                # What stands between two gaps is delivered before the second one is told.
                events += self._lose(hole, now_ns, Losing.TIME)
                events += self.drain()
            elif hole.begin == hole.end == self.perhaps_reset:
                self.holes.fill(hole.begin, hole.end)
                events.append(ResetCounted(self._channel, hole.begin, now_ns))
            else:
                events.append(self._tell(hole, now_ns)[1])
        return events + self.drain()

    def lose(self, begin: int, end: int, now_ns: int, why: Losing) -> list[LineEvent]:
        """What is missing from ``begin`` to ``end`` is given up; delivery goes on behind it."""
        events: list[LineEvent] = []
        for hole in self.holes:
            if hole.begin <= end and hole.end >= begin:
                events += self._lose(hole, now_ns, why)
                events += self.drain()
        return events + self.drain()

    def resume(self, last: int, now_ns: int) -> list[LineEvent]:
        """All up to ``last`` is known from elsewhere; what is held of it is dropped."""
        events = self._fill(0, last, now_ns, Filling.REFRESH)
        self.next = max(self.next, last + 1)
        self.high = max(self.high, last)
        return events + self.drain()

    def fill(self, number: int, at_ns: int) -> list[LineEvent]:
        """A number is accounted for without a message to deliver."""
        return self._fill(number, number, at_ns, Filling.MESSAGES) + self.drain()

    def begin_anew(self, next_sequence: int) -> None:
        """Numbers start at ``next_sequence``. Nothing may be missing or held any more."""
        self.next, self.high = next_sequence, next_sequence - 1
        self.perhaps_reset = 0

    def take_held(self, sent_ns: int) -> list[Held]:
        """Hand over what is held and was sent at ``sent_ns`` or later; it is held no more.

        When nothing else is held, nothing else is missing but what was told already.
        """
        taken = [one for one in self._held if one.sent_ns >= sent_ns]
        self._held = [one for one in self._held if one.sent_ns < sent_ns]
        heapify(self._held)
        if taken and not self._held:
            for hole in self.holes:
                if hole.gap is None:
                    self.holes.fill(hole.begin, hole.end)
        return sorted(taken)

    def drain(self) -> list[LineEvent]:
        """Deliver what is held and has nothing missing before it."""
        events: list[LineEvent] = []
        front = self.holes.first.begin if self.holes else self.high + 1
        held = self._held
        while held and held[0].sequence < front:
            one = heappop(held)
            seen = max(self.next - one.sequence, 0)
            if seen < one.message_count:
                self.next = one.sequence + one.message_count
                events.append(
                    MessagesArrived(
                        self._channel,
                        one.sequence + seen,
                        one.packet,
                        one.skip + seen,
                        one.message_count - seen,
                        one.line,
                        one.at_ns,
                    )
                )
        self.next = front
        return events

    def _expect(self, last: int, at_ns: int) -> None:
        if last > self.high:
            self.holes.add(self.high + 1, last, at_ns + self._limits.gap_wait_ns)
            self.high = last

    def _tell(self, hole: Hole, now_ns: int) -> tuple[Gap, GapOpened]:
        gap = hole.gap = Gap(hole.begin, hole.end, hole.size, [])
        hole.due_ns = now_ns + self._limits.give_up_ns
        return gap, GapOpened(self._channel, hole.begin, hole.end, now_ns)

    def _lose(self, hole: Hole, now_ns: int, why: Losing) -> list[LineEvent]:
        events: list[LineEvent] = []
        gap = hole.gap
        if gap is None:
            gap, opened = self._tell(hole, now_ns)
            events.append(opened)
        self.holes.fill(hole.begin, hole.end)
        gap.lost.append(Run(hole.begin, hole.end))
        events.append(GapLost(self._channel, hole.begin, hole.end, now_ns, why))
        return events + self._settle(hole, now_ns, Filling.NOTHING)

    def _fill(self, begin: int, end: int, now_ns: int, by: Filling) -> list[LineEvent]:
        events: list[LineEvent] = []
        for piece in self.holes.fill(begin, end):
            events += self._settle(piece, now_ns, by)
        return events

    def _settle(self, piece: Hole, now_ns: int, by: Filling) -> list[LineEvent]:
        """A piece is missing no more: its gap, if it was told, is over when it was the last."""
        gap = piece.gap
        if gap is None:
            return []
        gap.missing -= piece.size
        if gap.missing:
            return []
        lost = tuple(sorted(gap.lost))
        return [GapClosed(self._channel, gap.begin, gap.end, now_ns, by, lost)]
