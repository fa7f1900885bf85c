"""Two lines made one: each message of a channel once and in order, and every gap told once.

Lines A and B carry the same messages under the same numbers, packed as each pleases, so what
counts is the message: whichever line brings it first. A packet is looked into only where it is new.
Numbers that come by no line within a named wait are a gap; messages behind it are held until it is
filled by whatever line, covered by a refresh, or given up. Pure: packets and times go in, events
come out. Called by the flow of the index and by whoever records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from struct import error as StructError
from typing import cast

from hkex_ops.errors import UsageError, WireError
from hkex_ops.model import Json, JsonObject
from hkex_ops.omd.codec import Codec
from hkex_ops.omd.events import (
    LineEvent,
    Losing,
    MessagesArrived,
    PacketRefused,
    Run,
    SequenceRestarted,
)
from hkex_ops.omd.messages import SequenceReset
from hkex_ops.omd.ordering import Held, LineLimits, Ordering
from hkex_ops.omd.packet import PacketHeader, packet_header, read_header, walk
from hkex_ops.omd.plans import new
from hkex_ops.omd.restarts import Restarts
from hkex_ops.omd.silence import LineWatch

__all__ = ["Arbiter"]

_NEVER_NS = 2**63
_RESET = b"\x08\x00\x64\x00"  # size and type of a Sequence Reset

_header_of = packet_header.unpack_from


class Arbiter:
    """The lines of one channel, made one."""

    def __init__(
        self,
        channel: int,
        codec: Codec,
        *,
        lines: Sequence[str] = ("A", "B"),
        limits: LineLimits | None = None,
        next_sequence: int = 1,
    ) -> None:
        """``lines`` are those that must be heard; packets of others, such as a retransmission,
        are welcome. ``next_sequence`` is the first number wanted."""
        self._channel = channel
        self._codec = codec
        self._lines = tuple(lines)
        self._limits = limits or LineLimits()
        self._watch = LineWatch(channel, lines, self._limits.silent_ns)
        self._ordering = Ordering(channel, self._limits, next_sequence)
        self._restarts = Restarts(self._limits.reset_window_ns)
        self._arrivals = count()
        self._due_ns = 0
        self._begun = False
        self._doubted = 0

    @property
    def next_sequence(self) -> int:
        """The number of the next message to be delivered."""
        return self._ordering.next

    @property
    def newest(self) -> int:
        """The highest number that is known to have been sent."""
        return self._ordering.high

    @property
    def missing(self) -> tuple[Run, ...]:
        """The numbers that are waited for, ascending."""
        return self._ordering.holes.runs

    def is_due(self, now_ns: int) -> bool:
        """Whether :meth:`poll` has anything to look at."""
        return now_ns >= self._due_ns

    def handle(self, packet: bytes, line: str, now_ns: int) -> tuple[LineEvent, ...]:
        """A packet came by ``line``; nothing comes of it when all of it is known."""
        events = self.poll(now_ns) if now_ns >= self._due_ns else ()
        watch = self._watch
        if line in watch.silent:
            events = (*events, *watch.returned(line, now_ns))
        watch.heard_ns[line] = now_ns
        ordering = self._ordering
        try:
            header = _header_of(packet)
            size, count, _, sequence, sent_ns = header
            begin = ordering.next
            if (
                sequence <= begin < sequence + count
                and not ordering.holes
                and size == len(packet)
                and sent_ns >= self._restarts.sent_ns
                and self._codec.check(packet) < 0
            ):
                ordering.next = sequence + count
                ordering.high = sequence + count - 1
                self._begun = True
                skip = begin - sequence
                arrived = new(
                    MessagesArrived,
                    (self._channel, begin, packet, skip, count - skip, line, now_ns),
                )
                return (*events, arrived) if events else (arrived,)
            others = self._examine(packet, line, now_ns, PacketHeader._make(header))
        except StructError:
            return (*events, self._short(packet, line, now_ns))
        except WireError as error:
            return (*events, PacketRefused(self._channel, line, now_ns, str(error), packet))
        return (*events, *others) if others else events

    def handle_all(self, packets: Iterable[bytes], line: str, now_ns: int) -> tuple[LineEvent, ...]:
        """Packets that came by one line together, in the order in which they came."""
        events: list[LineEvent] = []
        for packet in packets:
            events += self.handle(packet, line, now_ns)
        return tuple(events)

    def poll(self, now_ns: int) -> tuple[LineEvent, ...]:
        """What has come of waiting by now: gaps told, gaps given up, lines fallen silent."""
        events = self._ordering.due(now_ns) if self._ordering.holes else []
        events += self._watch.poll(now_ns)
        return self._told(events)

    def has_come(self, last: int) -> bool:
        """Whether a heartbeat that names ``last`` names nothing that is missing. Right behind a
        Sequence Reset it names the reset, as far as anybody can tell."""
        ordering = self._ordering
        return last < ordering.next or last == ordering.perhaps_reset == ordering.next

    def resume(self, last_sequence: int, now_ns: int) -> tuple[LineEvent, ...]:
        """A refresh shows the state as of message ``last_sequence``: go on behind it.

        What is held of messages up to there is dropped, the rest is delivered.
        """
        self._begun = True
        return self._told(self._ordering.resume(last_sequence, now_ns))

    def abandon(self, begin: int, end: int, now_ns: int) -> tuple[LineEvent, ...]:
        """Messages ``begin`` to ``end`` will not come: what is missing of them is lost."""
        return self._told(self._ordering.lose(begin, end, now_ns, Losing.REFUSED))

    def put_off(self, until_ns: int) -> None:
        """Recovery is under way: no gap that was told is given up before ``until_ns``."""
        self._ordering.holes.put_off(until_ns)
        self._told([])

    def snapshot(self) -> JsonObject:
        """Where the channel stands, as plain data, to be kept and given to :meth:`restore`.

        What is held behind a gap is not in it: it will be missing, and come again.
        """
        return {
            "channel": self._channel,
            "next_sequence": self._ordering.next,
            "perhaps_reset": self._ordering.perhaps_reset,
            "restarts": self._restarts.snapshot(),
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; `UsageError` when it is of no channel or another one."""
        match snapshot:
            case {
                "channel": self._channel,
                "next_sequence": int(next_sequence),
                "perhaps_reset": int(perhaps_reset),
                "restarts": Mapping(),
            }:
                self._restarts.restore(cast("Mapping[str, Json]", snapshot["restarts"]))
            case _:
                raise UsageError(f"the snapshot is not of channel {self._channel}")
        self._ordering = Ordering(self._channel, self._limits, next_sequence)
        self._ordering.perhaps_reset = perhaps_reset
        self._begun = next_sequence > 1 or perhaps_reset > 0
        self._due_ns = 0

    def _examine(
        self, packet: bytes, line: str, now_ns: int, header: PacketHeader
    ) -> tuple[LineEvent, ...]:
        """A packet that is not simply the next one; `WireError` when it is none at all."""
        _, count, _, sequence, sent_ns = header
        ordering, check = self._ordering, self._codec.check
        # What the number of a Sequence Reset says is nothing: it is looked for in every packet.
        marked = packet[18:20] == _RESET[2:] or _RESET in packet
        if marked and check(packet) >= 0:
            return self._reset(packet, line, now_ns, sent_ns)
        if len(packet) != header.size_bytes:
            check(packet)
        last = sequence + count - 1 if count else sequence
        if sent_ns < self._restarts.sent_ns or not ordering.is_news(sequence, last):
            return ()
        if check(packet) >= 0:
            return self._reset(packet, line, now_ns, sent_ns)
        if last - ordering.high > self._limits.leap and self._doubts(last):
            reason = f"leaps from number {ordering.high} to {last}, and no other packet agrees yet"
            refused = PacketRefused(self._channel, line, now_ns, reason, packet)
            return (refused,) if self._begun else ()
        if count:
            held = Held(sequence, next(self._arrivals), packet, 0, count, line, now_ns, sent_ns)
            return self._told(ordering.arrive(held))
        ordering.expect(last, now_ns)
        return self._told([])

    def _reset(self, packet: bytes, line: str, now_ns: int, sent_ns: int) -> tuple[LineEvent, ...]:
        """A packet with a Sequence Reset in it, which may be a copy of one that is known.

        With messages behind it in its packet a reset has a number, as any message there has.
        Alone it may: the next message has that number, or the one after.
        """
        walked = list(walk(packet, spec=self._codec.spec))
        resets = [index for index, one in enumerate(walked) if one.type == SequenceReset.TYPE]
        first, last = resets[0], resets[-1]
        reset = cast("SequenceReset", self._codec.decode_message(packet, walked[last].offset))
        begin = reset.new_sequence
        behind = Held(
            begin + 1,
            next(self._arrivals),
            packet,
            last + 1,
            len(walked) - last - 1,
            line,
            now_ns,
            sent_ns,
        )
        ordering = self._ordering
        if line not in self._lines:
            # Asked for again by its number: it has one, and fills it.
            events = ordering.fill(begin, now_ns)
            return self._told(events + self._arrive(behind))
        if self._restarts.is_copy(line, sent_ns):
            current = sent_ns >= self._restarts.sent_ns
            return self._told(self._arrive(behind) if current else [])
        kept = [] if self._begun else ordering.take_held(sent_ns)
        before = behind._replace(sequence=walked[0].sequence, skip=0, message_count=first)
        events = self._arrive(before)
        events += ordering.lose(0, ordering.high, now_ns, Losing.RESTART)
        self._restarts.begin(line, sent_ns)
        known = self._begun or any(isinstance(one, MessagesArrived) for one in events)
        self._begun = True
        previous = ordering.next if known else 1
        ordering.begin_anew(begin + 1 if behind.message_count else begin)
        ordering.perhaps_reset = 0 if behind.message_count else begin
        events.append(SequenceRestarted(self._channel, begin, now_ns, previous))
        events.append(
            MessagesArrived(self._channel, begin, packet, first, last + 1 - first, line, now_ns)
        )
        for held in (behind, *kept):
            events += self._arrive(held)
        return self._told(events)

    def _arrive(self, held: Held) -> list[LineEvent]:
        news = held.message_count > 0 and self._ordering.is_news(held.sequence, held.end)
        return self._ordering.arrive(held) if news else []

    def _short(self, packet: bytes, line: str, now_ns: int) -> PacketRefused:
        try:
            reason = f"{read_header(packet, spec=self._codec.spec)} is no header"
        except WireError as error:
            reason = str(error)
        return PacketRefused(self._channel, line, now_ns, reason, packet)

    def _doubts(self, last: int) -> bool:
        """Whether a leap to ``last`` stands alone so far."""
        alone = abs(last - self._doubted) > self._limits.leap
        self._doubted = last
        return alone

    def _told(self, events: Sequence[LineEvent]) -> tuple[LineEvent, ...]:
        """The events, after the next moment at which waiting ends was set."""
        holes_ns, lines_ns = self._ordering.holes.due_ns, self._watch.due_ns()
        self._due_ns = min(
            _NEVER_NS if holes_ns is None else holes_ns,
            _NEVER_NS if lines_ns is None else lines_ns,
        )
        return tuple(events)
