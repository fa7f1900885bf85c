"""Trades and little else of many channels, in plain Python: lines merged, nothing else unpacked.

In two passes over what came together. The first merges the lines by looking at packet headers; the
second walks the packets that are new and unpacks trades. Rare types come as marks between the rows.
What is not plain, be it a packet or its place in the order, is taken aside, so that the plain way
is short. Called by live engines with batches of packets; for captures there is
:class:`hkex_ops.omd.scanning.CaptureSubscription` in front.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from struct import Struct, error as StructError
from typing import NamedTuple, TypeAlias, cast

from hkex_ops.errors import WireError
from hkex_ops.omd.codec import Codec
from hkex_ops.omd.events import GapLost
from hkex_ops.omd.layout import HEADER_BYTES, Layout
from hkex_ops.omd.merging import Delivered, Merger, Settled, time_alone
from hkex_ops.omd.messages import Message, SequenceReset, Trade
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, Octets, message_header, packet_header

__all__ = [
    "ChannelPassed",
    "ChannelStood",
    "Mark",
    "Piece",
    "Subscription",
    "TimeReached",
    "TradeRow",
    "Unsound",
    "trade_struct",
]

TradeRow: TypeAlias = tuple[int, int, int, int]
"""Security, trade number, price in thousandths and type of a trade."""

TRADE_FIELDS = ("security_code", "trade_id", "price_3dp", "trade_type")
"""What a row is made of, in the order of the wire."""

RESET_AT = PACKET_HEADER_BYTES + 2
"""Where a packet has the type of its first message."""

_header_of = packet_header.unpack_from
_size_and_type = message_header.unpack_from
_TRADE = Trade.TYPE
_NO_SLOT = -1
_TIMES = [(None,) * count for count in range(256)]  # sooner walked than a new range or repeat
_NEVER_BEHIND_NS = -1
_reset_type = SequenceReset.TYPE.to_bytes(2, "little")


class ChannelStood(NamedTuple):
    """Of ``channel`` nothing was delivered up to here since what was sent at ``since_ns``; 0 when
    it was nothing at all."""

    channel: int
    since_ns: int


class ChannelPassed(NamedTuple):
    """Something of ``channel`` was sent at ``at_ns``, and everything before it has come. Told while
    messages are waited for, when a channel enters another interval."""

    channel: int
    at_ns: int


class TimeReached(NamedTuple):
    """It was ``at_ns`` by the times at which packets came, while messages were waited for;
    ``asked``: a live engine would have been asked what had settled."""

    at_ns: int
    asked: bool


class Mark(NamedTuple):
    """Something between two rows of a piece: it stands before row number ``row``.

    Either a message of a rare type, sent at ``sent_ns`` on ``channel``; or that messages were lost
    behind one that was sent then, if there was one and it is known; or that a channel stood still
    while others came as far as ``sent_ns``; or how far one came, or which time it was, while
    something was waited for. Or, without any, the word that rows from here on were sent in the
    interval in which ``sent_ns`` lies.
    """

    row: int
    sent_ns: int
    message: Message | GapLost | ChannelStood | ChannelPassed | TimeReached | None = None
    channel: int = 0


class Piece(NamedTuple):
    """What was wanted of packets that came together, in the order of delivery.

    ``channels`` tells from which row on rows are of which channel.
    """

    rows: list[TradeRow]
    marks: list[Mark]
    channels: list[tuple[int, int]]

    @classmethod
    def empty(cls) -> Piece:
        """One that holds nothing."""
        return cls([], [], [])


class Unsound(Exception):
    """A packet that was taken for plain is not."""


def trade_struct(layout: Layout) -> tuple[Struct, int]:
    """What unpacks a :data:`TradeRow` from where a Trade begins, and the least size of one.

    `UsageError` when the version has no such message.
    """
    message = layout.message(Trade.TYPE)
    codes: list[str] = []
    at = 0
    for one in message.fields:
        if one.field in TRADE_FIELDS:
            codes.append(f"{one.offset - at}x{one.type.code}")
            at = one.end
    return Struct("<" + "".join(codes)), message.size_bytes


class Subscription:
    """Trades of the channels of ``merger``, and marks between them.

    ``also`` are the rare types that are wanted; each message of one becomes a mark. Time is marked
    whenever the send time of a packet leaves the interval of ``step_ns`` in which the one before
    it lay; ``interval`` is the last of these. What became of gaps and of packets that are none is
    in the merger's ``health``; what was lost is a mark too, at its place. With ``quiet_ns`` it is
    marked when a channel, of which something had come, was behind the others for longer than that;
    ``passed`` are the send times of what came last, by slot, and ``newest_ns`` is the highest. A
    time below 0 is that of something which brought nothing: nobody waits for such a channel yet.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        step_ns: int,
        also: Collection[int] = (),
        merger: Merger | None = None,
        quiet_ns: int = 0,
    ) -> None:
        self.merger: Merger = merger or Merger(codec)
        self.quiet_ns = quiet_ns
        self.passed: list[int] = []
        self.newest_ns: int = 0
        self._caring = False
        self.layout: Layout = codec.layout
        self.step_ns = step_ns
        # For each type there can be, whether it is looked into: once as bytes, for arrays, and once
        # as a list, where looking takes a plain loop half the time.
        heard = bytearray(1 << 16)
        for type in (Trade.TYPE, SequenceReset.TYPE, *also):
            heard[type] = 1
        self.heard: bytes = bytes(heard)
        self.looks_into: Sequence[bool] = list(map(bool, heard))
        self._decode = codec.decode_message
        self.interval: tuple[int, int] = (0, 0)
        trade, self._trade_bytes = trade_struct(codec.layout)
        self._trade_of = cast("Callable[[Octets, int], TradeRow]", trade.unpack_from)

    def feed(self, channel: int, line: str, packets: Sequence[bytes], at_ns: int) -> Piece:
        """Packets of one channel that came by one line together, at ``at_ns``."""
        piece = Piece.empty()
        merger = self.merger
        slot = merger.slot(channel)
        expected = merger.expected
        before, first = expected[slot], 0
        found: list[Delivered] = []
        for place, packet in enumerate(packets):
            try:
                size, count, _, sequence, sent_ns = _header_of(packet)
            except StructError:
                size, count, sequence, sent_ns = -1, 0, 0, 0
            following = expected[slot]
            if (
                sequence == following
                and count
                and size == len(packet)
                and sent_ns >= merger.floor_ns
            ):
                found.append((packet, PACKET_HEADER_BYTES, size, count, sent_ns, slot))
                expected[slot] = following + count
            elif (
                sequence + count > following
                or sequence == following
                or size != len(packet)
                or packet[RESET_AT : RESET_AT + 2] == _reset_type
            ):
                self._catch_up(piece, found, slot, before, packets[first:place], line, at_ns)
                self.read_settled(merger.take(slot, packet, line, at_ns), piece)
                found, before, first = [], expected[slot], place + 1
            elif not count:
                found.append(time_alone(sent_ns, slot))
        self._catch_up(piece, found, slot, before, packets[first:], line, at_ns)
        return piece

    def close(self, at_ns: int) -> Piece:
        """Nothing more will come; what was held back behind gaps is read."""
        piece = Piece.empty()
        self.read_settled(self.merger.close(at_ns), piece)
        return piece

    def care(self, piece: Piece, *, caring: bool) -> None:
        """Whether messages are waited for from here on: then it is told how far channels come."""
        if caring and not self._caring and self.quiet_ns:
            numbers = self.merger.numbers
            piece.marks.extend(
                Mark(len(piece.rows), at_ns, ChannelPassed(numbers[slot], at_ns))
                for slot, at_ns in enumerate(self.passed)
                if at_ns > 0
            )
        self._caring = caring

    def reach(self, piece: Piece, time_ns: int, *, asked: bool) -> None:
        """Mark which time it is while messages are waited for, where that matters."""
        if self.quiet_ns:
            piece.marks.append(Mark(len(piece.rows), time_ns, TimeReached(time_ns, asked)))

    def standing(self, row: int, *, longer_than_ns: int) -> list[Mark]:
        """Marks before ``row`` of the channels that are behind for ``longer_than_ns`` now."""
        limit_ns = self.newest_ns - longer_than_ns
        numbers = self.merger.numbers
        return [
            Mark(row, since_ns, ChannelStood(numbers[slot], since_ns))
            for slot, since_ns in enumerate(self.passed)
            if 0 < since_ns < limit_ns
        ]

    def _catch_up(
        self,
        piece: Piece,
        found: Sequence[Delivered],
        slot: int,
        before: int,
        packets: Sequence[bytes],
        line: str,
        at_ns: int,
    ) -> None:
        """Read what was taken for plain; if one is not, each of ``packets`` is looked into."""
        if not found or self.read(found, piece):
            return
        merger = self.merger
        merger.expected[slot] = before
        for packet in packets:
            self.read_settled(merger.take(slot, packet, line, at_ns), piece)

    def read_settled(self, found: Iterable[Settled], piece: Piece) -> None:
        """Add what the merger gave out to ``piece``; what was lost is marked at its place."""
        for one in found:
            if isinstance(one, GapLost):
                slot = self.merger.slot(one.channel)
                sent_ns = self.passed[slot] if slot < len(self.passed) else 0
                piece.marks.append(Mark(len(piece.rows), sent_ns, one))
            else:
                self.read((one,), piece, plain=False)

    def read(self, found: Iterable[Delivered], piece: Piece, *, plain: bool = True) -> bool:
        """Walk what was delivered and add it to ``piece``: all of it, or nothing if one is unsound.

        Not plain is what the merger gave out: it is sound, and may hold Sequence Resets.
        """
        rows, marks, channels = piece
        begin = len(rows), len(marks), len(channels)
        low, high = self.interval
        numbers, passed = self.merger.numbers, self.passed
        current = self.merger.slot(channels[-1][1]) if channels else _NO_SLOT
        quiet_ns, newest_ns, before = self.quiet_ns, self.newest_ns, passed[:]
        # While messages are waited for every packet is looked at, else those of who was behind.
        looked_at_ns = _NEVER_BEHIND_NS if self._caring else quiet_ns
        told: tuple[int, int] | None = None
        if len(passed) < len(numbers):
            passed += [0] * (len(numbers) - len(passed))
        step, least, trade_of, heard = (
            self.step_ns,
            self._trade_bytes,
            self._trade_of,
            self.looks_into,
        )
        add, header_of = rows.append, _size_and_type
        try:
            for data, at, end, count, sent_ns, slot in found:
                if quiet_ns:
                    since_ns, until_ns = passed[slot], newest_ns
                    if sent_ns > newest_ns:
                        newest_ns = sent_ns
                    if newest_ns - since_ns > looked_at_ns or since_ns <= 0:
                        met = self._passes(slot, sent_ns, until_ns, piece)
                        told = None if met else (len(rows), len(marks))
                    elif sent_ns > since_ns:
                        passed[slot] = sent_ns
                if not low <= sent_ns < high:
                    low = sent_ns // step * step
                    high = low + step
                    marks.append(Mark(len(rows), sent_ns))
                for _ in _TIMES[count]:
                    size, kind = header_of(data, at)
                    if heard[kind]:
                        if kind == _TRADE and size >= least:
                            if slot != current:
                                current = slot
                                channels.append((len(rows), numbers[slot]))
                            add(trade_of(data, at))
                        else:
                            message = self.rare_message(data, at, size, end, plain=plain)
                            marks.append(Mark(len(rows), sent_ns, message, numbers[slot]))
                    elif size < HEADER_BYTES:
                        raise Unsound
                    at += size
                if at != end:
                    raise Unsound
                if told:
                    if len(rows) > told[0] or _brings(marks[told[1] :]):
                        passed[slot] = sent_ns
                    told = None
        except (StructError, WireError, Unsound):
            del rows[begin[0] :], marks[begin[1] :], channels[begin[2] :]
            passed[: len(before)] = before
            return False
        self.interval = (low, high)
        self.newest_ns = newest_ns
        return True

    def _passes(self, slot: int, sent_ns: int, until_ns: int, piece: Piece) -> bool:
        """How far a channel comes that was behind, or that nobody knows; whether it is known.

        Others had come as far as ``until_ns`` before.
        """
        rows, marks, _ = piece
        number, since_ns = self.merger.numbers[slot], self.passed[slot]
        if max(until_ns, sent_ns) - since_ns > self.quiet_ns:
            stood = ChannelStood(number, max(since_ns, 0))
            marks.append(Mark(len(rows), 0 if self._caring else until_ns, stood))
        later = sent_ns // self.step_ns > abs(since_ns) // self.step_ns
        met = since_ns > 0 or (since_ns < 0 and later)
        if self._caring and met and later:
            marks.append(Mark(len(rows), sent_ns, ChannelPassed(number, sent_ns)))
        self.passed[slot] = max(since_ns, sent_ns) if met else since_ns or -sent_ns
        return met

    def rare_message(self, data: Octets, at: int, size: int, end: int, *, plain: bool) -> Message:
        """A message of a rare type; `Unsound` or `WireError` when it is not one that is plain."""
        if size < HEADER_BYTES or at + size > end:
            raise Unsound
        message = self._decode(bytes(data[at : at + size]))
        if plain and isinstance(message, SequenceReset):
            raise Unsound
        return message


def _brings(marks: Sequence[Mark]) -> bool:
    """Whether the last of a packet's marks is of a message that is no Sequence Reset."""
    last = marks[-1].message if marks else None
    return not (last is None or isinstance(last, SequenceReset))
