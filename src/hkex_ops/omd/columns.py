"""Captures read for a subscription by numpy: the same answers as the plain way, as columns.

A slice of the file at a time, a megabyte or so, in three steps: find the records, merge the lines,
walk the new packets. Where that does not do, because a frame, a packet or a gap is not plain,
nothing of the slice is believed and the plain way reads it, so that both always agree. Wants the
extra ``data``. Called by the replay of `hkex_ops.flows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hkex_ops.errors import WireError
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.lanes import NotPlain, deliver
from hkex_ops.omd.messages import SequenceReset, Trade
from hkex_ops.omd.packet import PACKET_HEADER_BYTES
from hkex_ops.omd.scanning import CaptureSubscription
from hkex_ops.omd.shapes import FRAME_BYTES, LONGEST_RECORD, Shape
from hkex_ops.omd.slices import Ints, Known, PlainRecords, plain_records
from hkex_ops.omd.streaming import (
    TRADE_FIELDS,
    ChannelStood,
    Mark,
    Piece,
    Subscription,
    Unsound,
)
from hkex_ops.omd.strides import Walked, walk_in_step

__all__ = ["ColumnPiece", "ColumnSubscription", "TradeColumns", "columns_of"]

ATTEMPTS = 8
"""How often a slice is tried again behind a record that is not plain."""

WORTHWHILE_BYTES = 65_536
"""Fewer bytes than that are read the plain way."""


class TradeColumns(NamedTuple):
    """Trades in the order of delivery: what a :data:`TradeRow` says, a column each."""

    securities: Ints
    trade_ids: Ints
    prices_3dp: Ints
    types: Ints


class ColumnPiece(NamedTuple):
    """What was wanted of a slice; see :class:`Piece`. ``channels`` has that of every trade."""

    trades: TradeColumns
    marks: list[Mark]
    channels: Ints


class _Passed(NamedTuple):
    """When what came last was sent, by slot, the highest time of all, and which channels stood:
    until which packet, and how far others came meanwhile."""

    passed: list[int]
    newest_ns: int
    stood: list[tuple[int, int, ChannelStood]]


class ColumnSubscription(CaptureSubscription):
    """A subscription to the channels of a capture, read by numpy where it can be."""

    def __init__(
        self, subscription: Subscription, *, streams: CaptureStreams | None = None
    ) -> None:
        super().__init__(subscription, streams=streams)
        self._parts: list[ColumnPiece] = []
        self._known = Known(0, (), {})
        self._heard = np.frombuffer(subscription.heard, np.uint8)
        message = subscription.layout.message(Trade.TYPE)
        fields = {field.field: field for field in message.fields}
        self._trade_bytes = message.size_bytes
        self._trade = np.dtype(
            {
                "names": list(TRADE_FIELDS),
                "formats": [f"<{fields[name].type.code}" for name in TRADE_FIELDS],
                "offsets": [fields[name].offset for name in TRADE_FIELDS],
                "itemsize": message.size_bytes,
            }
        )

    def feed_columns(self, data: bytes) -> ColumnPiece:
        """As :meth:`feed`, in columns."""
        return self._gathered(self.feed(data))

    def scan_columns(self, data: bytes) -> ColumnPiece:
        """As :meth:`scan`, in columns."""
        return self._gathered(self.scan(data))

    def close_columns(self, data: bytes = b"") -> tuple[ColumnPiece, WireError | None]:
        """As :meth:`close`, in columns."""
        piece, error = self.close(data)
        return self._gathered(piece), error

    def end_columns(self, data: bytes = b"") -> tuple[ColumnPiece, WireError | None]:
        """As :meth:`end`, in columns."""
        piece, error = self.end(data)
        return self._gathered(piece), error

    def last_look_columns(self) -> ColumnPiece:
        """As :meth:`last_look`, in columns."""
        return self._gathered(self.last_look())

    def give_up_columns(self) -> ColumnPiece:
        """As :meth:`give_up`, in columns."""
        return self._gathered(self.give_up())

    def _gathered(self, last: Piece) -> ColumnPiece:
        """Everything since the last time, in one."""
        self._put(last)
        parts, self._parts = self._parts, []
        if len(parts) == 1:
            return parts[0]
        marks: list[Mark] = []
        rows = 0
        for part in parts:
            marks += [mark._replace(row=mark.row + rows) for mark in part.marks]
            rows += len(part.trades.types)
        columns = zip(*(part.trades for part in parts), strict=True)
        if not parts:
            return ColumnPiece(_NO_TRADES, marks, _NO_CHANNELS)
        channels = np.concatenate([part.channels for part in parts])
        return ColumnPiece(TradeColumns(*map(np.concatenate, columns)), marks, channels)

    def _put(self, piece: Piece) -> None:
        """Put rows behind what there is, if there are any."""
        if piece.rows or piece.marks:
            self._parts.append(columns_of(piece))

    def _records(self, data: bytes, at: int) -> None:
        last = len(data) - LONGEST_RECORD
        attempts = ATTEMPTS
        while 0 <= at <= last:
            if attempts and last - at > WORTHWHILE_BYTES:
                attempts -= 1
                at = self._vectorised(data, at)
            at = self._plain(data, at)
            at = self._one(data, at)

    def _vectorised(self, data: bytes, at: int) -> int:
        """Read as many plain records as there are; where the first begins that is not."""
        shape = self._shape
        if shape is None or not self._slots or not self._merger.plain:
            return at
        if len(self._known.keys) != len(self._slots) or len(self._known.hops) != len(self._hops):
            self._known = Known(self._link, self._hops, self._slots)
        self._flush(data, at)
        records = plain_records(data, at, shape, self._known)
        expected = self._merger.expected[:]
        records = self._that_say_something(records, expected)
        if not len(records.at):
            return at
        try:
            part = self._read(data, shape, records, expected)
        except (NotPlain, Unsound, WireError):
            return at
        self._merger.expected[:] = expected
        self._put(self._piece)
        self._parts.append(part)
        self._piece = Piece.empty()
        self._note(records.end)
        return records.end

    def _that_say_something(self, records: PlainRecords, expected: Sequence[int]) -> PlainRecords:
        """All but heartbeats of channels of which nothing came since their Sequence Reset."""
        pairs = enumerate(zip(expected, self._merger.perhaps_reset, strict=True))
        for idle in [slot for slot, (number, perhaps) in pairs if number == perhaps]:
            own = records.slot == idle
            empty = (records.messages == 0) & (records.number == expected[idle])
            if (own <= (empty & (records.size == PACKET_HEADER_BYTES))).all():
                records = records._replace(
                    **{name: getattr(records, name)[~own] for name in PlainRecords._fields[1:]}
                )
        return records

    def _read(
        self, data: bytes, shape: Shape, records: PlainRecords, expected: list[int]
    ) -> ColumnPiece:
        """What the records bring; raises one of three where the plain way must look."""
        if ((records.first == SequenceReset.TYPE) & (records.messages > 0)).any():
            raise NotPlain
        assert self._framing is not None, "there are plain records"
        time_ns, wait_ns = self._framing.time_ns, self._merger.limits.gap_wait_ns

        def waits(earlier: int, later: int) -> bool:
            since = time_ns(data, int(records.at[earlier]))
            return time_ns(data, int(records.at[later])) - since >= wait_ns

        delivered = deliver(records, expected, waits)
        for one in delivered.passed_over:
            packet_at = int(records.at[one]) + shape.frame_at + FRAME_BYTES
            self._merger.check(data[packet_at : packet_at + int(records.size[one])])
        record = delivered.record
        sent = records.sent[record]
        if not len(sent):
            return columns_of(Piece.empty())
        if sent.min() < self._merger.floor_ns:
            raise NotPlain
        passed = self._passed(records.slot[record], sent)
        wanted = np.array(self._merger.wanted, bool)[records.slot[record]]
        begins = records.at[record] + (shape.frame_at + FRAME_BYTES + PACKET_HEADER_BYTES)
        ends = begins + np.where(wanted, records.size[record] - PACKET_HEADER_BYTES, 0)
        counts = records.messages[record] * wanted
        octets = np.frombuffer(data, np.uint8)
        walked = walk_in_step(octets, begins, ends, counts, delivered.skip, self._heard)
        is_trade = walked.type == Trade.TYPE
        if (walked.size[is_trade] < self._trade_bytes).any():
            raise NotPlain
        channels = np.array(self._merger.numbers, np.int64)[records.slot[record]]
        marks = self._marks(data, sent, walked, is_trade, channels, passed.stood)
        self._subscription.passed[:] = passed.passed
        self._subscription.newest_ns = passed.newest_ns
        trades = self._trades(data, walked.at[is_trade])
        return ColumnPiece(trades, marks, channels[walked.packet[is_trade]])

    def _passed(self, slots: Ints, sent: Ints) -> _Passed:
        """How far channels come, and where one stood before."""
        subscription = self._subscription
        numbers = self._merger.numbers
        passed = subscription.passed + [0] * (len(numbers) - len(subscription.passed))
        if not subscription.quiet_ns:
            return _Passed(passed, subscription.newest_ns, [])
        newest = np.maximum(np.maximum.accumulate(sent), subscription.newest_ns)
        order = np.argsort(slots.astype(np.int16), kind="stable")
        slot, at = slots[order], sent[order]
        change = slot[1:] != slot[:-1]
        since = np.append(0, at[:-1])
        firsts = np.flatnonzero(np.append(True, change))
        since[firsts] = np.array(passed, np.int64)[slot[firsts]]
        stood: list[tuple[int, int, ChannelStood]] = []
        for place in np.flatnonzero(newest[order] - since > subscription.quiet_ns).tolist():
            packet = int(order[place])
            until_ns = int(newest[packet - 1]) if packet else subscription.newest_ns
            channel = numbers[int(slot[place])]
            stood.append((packet, until_ns, ChannelStood(channel, max(int(since[place]), 0))))
        lasts = np.flatnonzero(np.append(change, True))
        for one, sent_ns in zip(slot[lasts].tolist(), at[lasts].tolist(), strict=True):
            passed[int(one)] = max(passed[int(one)], int(sent_ns))
        return _Passed(passed, int(newest[-1]), stood)

    def _trades(self, data: bytes, at: Ints) -> TradeColumns:
        windows = np.ndarray(
            (len(data) - self._trade_bytes + 1, self._trade_bytes), np.uint8, data, strides=(1, 1)
        )
        rows = windows[at].view(self._trade).reshape(-1)
        return TradeColumns(*(rows[name].astype(np.int64) for name in TRADE_FIELDS))

    def _marks(
        self,
        data: bytes,
        sent: Ints,
        walked: Walked,
        is_trade: NDArray[np.bool_],
        channels: Ints,
        stood: Sequence[tuple[int, int, ChannelStood]],
    ) -> list[Mark]:
        """Marks of time and of rare messages, in order; `Unsound` or `WireError` if one is none."""
        subscription = self._subscription
        step_ns = subscription.step_ns
        intervals = sent // step_ns
        changes = np.flatnonzero(np.diff(intervals, prepend=subscription.interval[0] // step_ns))
        trades_of = walked.packet[is_trade]
        rows = np.searchsorted(trades_of, changes)
        marks = list(map(Mark, rows.tolist(), sent[changes].tolist()))
        low = int(intervals[-1]) * step_ns
        if is_trade.all() and not stood:
            subscription.interval = (low, low + step_ns)
            return marks
        placed = [(packet, -1, mark) for packet, mark in zip(changes.tolist(), marks, strict=True)]
        rows = np.searchsorted(trades_of, [packet for packet, _, _ in stood])
        for row, (packet, until_ns, channel_stood) in zip(rows.tolist(), stood, strict=True):
            placed.append((packet, -2, Mark(row, until_ns, channel_stood)))
        before = np.cumsum(is_trade)
        for place in np.flatnonzero(~is_trade).tolist():
            packet, step, at, size, _ = (int(column[place]) for column in walked)
            message = subscription.rare_message(data, at, size, at + size, plain=True)
            channel = int(channels[packet])
            mark = Mark(int(before[place]), int(sent[packet]), message, channel)
            placed.append((packet, step, mark))
        subscription.interval = (low, low + step_ns)
        return [mark for _, _, mark in sorted(placed, key=lambda one: one[:2])]


def columns_of(piece: Piece) -> ColumnPiece:
    """Rows as columns."""
    rows = np.array(piece.rows, np.int64).reshape(-1, len(TRADE_FIELDS))
    begins, numbers = np.array(piece.channels, np.int64).reshape(-1, 2).T
    channels = np.repeat(numbers, np.diff(begins, append=len(rows)))
    return ColumnPiece(TradeColumns(*np.ascontiguousarray(rows.T)), piece.marks, channels)


_NO_CHANNELS = np.empty(0, np.int64)
_NO_TRADES = TradeColumns(*(np.empty(0, np.int64) for _ in TRADE_FIELDS))
