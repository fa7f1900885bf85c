"""Trades and little else of many channels, in plain Python: lines merged, nothing else unpacked.

In two passes over what came together. The first merges the lines by looking at packet headers; the
second walks the packets that are new and unpacks trades. Rare types come as marks between the rows.
What is not plain, be it a packet or its place in the order, is taken aside, so that the plain way
is short. Called by live engines with batches of packets; for captures there is
:class:`hkex_ops.omd.scanning.CaptureSubscription` in front.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import repeat
from struct import Struct, error as StructError
from typing import NamedTuple, TypeAlias, cast

from hkex_ops.errors import WireError
from hkex_ops.omd.codec import Codec
from hkex_ops.omd.layout import HEADER_BYTES, Layout
from hkex_ops.omd.merging import Delivered, Merger, time_alone
from hkex_ops.omd.messages import Message, SequenceReset, Trade
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, Octets, message_header, packet_header

__all__ = ["Mark", "Piece", "Subscription", "TradeRow", "Unsound", "trade_struct"]

TradeRow: TypeAlias = tuple[int, int, int, int]
"""Security, trade number, price in thousandths and type of a trade."""

TRADE_FIELDS = ("security_code", "trade_id", "price_3dp", "trade_type")
"""What a row is made of, in the order of the wire."""

RESET_AT = PACKET_HEADER_BYTES + 2
"""Where a packet has the type of its first message."""

_header_of = packet_header.unpack_from
_size_and_type = message_header.unpack_from
_TRADE = Trade.TYPE
_reset_type = SequenceReset.TYPE.to_bytes(2, "little")


class Mark(NamedTuple):
    """Something between two rows of a piece: it stands before row number ``row``.

    Either a message of a rare type, sent at ``sent_ns``; or, without one, the word that rows from
    here on were sent in the interval in which ``sent_ns`` lies.
    """

    row: int
    sent_ns: int
    message: Message | None = None


class Piece(NamedTuple):
    """What was wanted of packets that came together, in the order of delivery."""

    rows: list[TradeRow]
    marks: list[Mark]


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
    in the merger's ``health``.
    """

    def __init__(
        self,
        codec: Codec,
        *,
        step_ns: int,
        also: Collection[int] = (),
        merger: Merger | None = None,
    ) -> None:
        self.merger: Merger = merger or Merger(codec)
        self.layout: Layout = codec.layout
        self.step_ns = step_ns
        # One byte for each type there can be: whether it is looked into.
        heard = bytearray(1 << 16)
        for type in (Trade.TYPE, SequenceReset.TYPE, *also):
            heard[type] = 1
        self.heard: bytes = bytes(heard)
        self._decode = codec.decode_message
        self.interval: tuple[int, int] = (0, 0)
        trade, self._trade_bytes = trade_struct(codec.layout)
        self._trade_of = cast("Callable[[Octets, int], TradeRow]", trade.unpack_from)

    def feed(self, channel: int, line: str, packets: Sequence[bytes], at_ns: int) -> Piece:
        """Packets of one channel that came by one line together, at ``at_ns``."""
        piece = Piece([], [])
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
                found.append((packet, PACKET_HEADER_BYTES, size, count, sent_ns))
                expected[slot] = following + count
            elif (
                sequence + count > following
                or sequence == following
                or size != len(packet)
                or packet[RESET_AT : RESET_AT + 2] == _reset_type
            ):
                self._catch_up(piece, found, slot, before, packets[first:place], line, at_ns)
                self.read(merger.take(slot, packet, line, at_ns), piece, plain=False)
                found, before, first = [], expected[slot], place + 1
            elif not count:
                found.append(time_alone(sent_ns))
        self._catch_up(piece, found, slot, before, packets[first:], line, at_ns)
        return piece

    def close(self, at_ns: int) -> Piece:
        """Nothing more will come; what was held back behind gaps is read."""
        piece = Piece([], [])
        self.read(self.merger.close(at_ns), piece, plain=False)
        return piece

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
            self.read(merger.take(slot, packet, line, at_ns), piece, plain=False)

    def read(self, found: Iterable[Delivered], piece: Piece, *, plain: bool = True) -> bool:
        """Walk what was delivered and add it to ``piece``: all of it, or nothing if one is unsound.

        Not plain is what the merger gave out: it is sound, and may hold Sequence Resets.
        """
        rows, marks = piece
        begin = len(rows), len(marks)
        low, high = self.interval
        step, heard, least, trade_of = self.step_ns, self.heard, self._trade_bytes, self._trade_of
        add, header_of = rows.append, _size_and_type
        try:
            for data, at, end, count, sent_ns in found:
                if not low <= sent_ns < high:
                    low = sent_ns // step * step
                    high = low + step
                    marks.append(Mark(len(rows), sent_ns))
                for _ in repeat(None, count):
                    size, kind = header_of(data, at)
                    if heard[kind]:
                        if kind == _TRADE and size >= least:
                            add(trade_of(data, at))
                        else:
                            message = self.rare_message(data, at, size, end, plain=plain)
                            marks.append(Mark(len(rows), sent_ns, message))
                    elif size < HEADER_BYTES:
                        raise Unsound
                    at += size
                if at != end:
                    raise Unsound
        except (StructError, WireError, Unsound):
            del rows[begin[0] :], marks[begin[1] :]
            return False
        self.interval = (low, high)
        return True

    def rare_message(self, data: Octets, at: int, size: int, end: int, *, plain: bool) -> Message:
        """A message of a rare type; `Unsound` or `WireError` when it is not one that is plain."""
        if size < HEADER_BYTES or at + size > end:
            raise Unsound
        message = self._decode(bytes(data[at : at + size]))
        if plain and isinstance(message, SequenceReset):
            raise Unsound
        return message
