"""Captures read for a subscription by compiled code: the same answers again, an order faster.

The plain way of :mod:`hkex_ops.omd.scanning` as one loop over bytes, made for a compiler; what is
not plain goes to the plain reader, record by record, as there. Who compiles is the caller's affair
(`hkex_ops.flows` does, by numba of the extra ``fast``): this module is never on the default path
and imports no compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np

from hkex_ops.errors import UsageError
from hkex_ops.omd import kernels
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.columns import ColumnPiece, ColumnSubscription, TradeColumns
from hkex_ops.omd.framing import Framing
from hkex_ops.omd.kernels import (
    AT,
    EARLY,
    FULL,
    HIGH,
    LOW,
    MARK,
    NEWEST,
    ROW,
    STATE,
    Early,
    File,
    Looks,
    Octets,
    Wanted,
)
from hkex_ops.omd.messages import Trade
from hkex_ops.omd.shapes import FRAME_BYTES, LONGEST_RECORD
from hkex_ops.omd.streaming import TRADE_FIELDS, Mark, Piece, Subscription

__all__ = ["AcceleratedSubscription", "Compile", "Scan", "compiled_scan"]

F = TypeVar("F", bound=Callable[..., Any])
Scan = Callable[..., int]

ROWS, MARKS = 65_536, 4_096
"""Room for what one call of the loop may bring; a call that fills it is followed by another."""

_TRADE_CODES = "IIih"
_PARTS = (
    *("step_of", "time_ns", "channel_of", "walk", "deliver"),
    *("stands", "drain", "hold", "overdue", "scan", "enter"),
)


class Compile(Protocol):
    """Turns a function of arrays into a fast one that gives the same."""

    def __call__(self, function: F, /) -> F:
        """The fast one."""
        ...


def compiled_scan(compile: Compile) -> Scan:
    """The loop, compiled, with all that it calls."""
    known: dict[str, Any] = dict(vars(kernels))
    for name in _PARTS:
        plain = cast("FunctionType", known[name])
        known[name] = compile(FunctionType(plain.__code__, known, name))
    return cast("Scan", known["enter"])


class _Arrays(NamedTuple):
    """What the loop writes to."""

    expected: Any
    early: Early
    state: Any
    rows: Any
    marks: Any


class AcceleratedSubscription(ColumnSubscription):
    """A subscription to the channels of a capture, read by a compiled loop where it can be."""

    def __init__(
        self, subscription: Subscription, scan: Scan, *, streams: CaptureStreams | None = None
    ) -> None:
        """`UsageError` when a Trade of this version has other numbers than the loop can read."""
        super().__init__(subscription, streams=streams)
        fields = {field.field: field for field in subscription.layout.message(Trade.TYPE).fields}
        codes = "".join(fields[name].type.code for name in TRADE_FIELDS)
        if codes != _TRADE_CODES:
            raise UsageError(f"the compiled way reads trades of {_TRADE_CODES}, not of {codes}")
        self._scan = scan
        self._trade_at = np.array([fields[name].offset for name in TRADE_FIELDS], np.int64)
        self._arrays = _arrays(0)
        self._looks: Looks | None = None

    def _records(self, data: bytes, at: int) -> None:
        last = len(data) - LONGEST_RECORD
        octets = _octets(data)
        while 0 <= at <= last:
            # While a channel is in care, records that are not plain follow each other closely.
            if not self.merger.plain:
                at = self._plain(data, at, only_care=True)
                if self.merger.plain:
                    continue
            elif (at := self._compiled(data, octets, at)) > last:
                break
            at = self._one(data, at)
            self._flush(data, self._at)

    def _compiled(self, data: bytes, octets: Octets, at: int) -> int:
        """Read plain records in one go; where the first begins that is not."""
        file = self._file()
        if file is None or not self._slots:
            return at
        merger = self.merger
        arrays = self._arrays
        if len(arrays.expected) != len(merger.expected):
            arrays = self._arrays = _arrays(len(merger.expected))
        arrays.expected[:] = merger.expected
        subscription = self._subscription
        low, high = subscription.interval
        newest_ns = subscription.newest_ns
        arrays.state[:] = (at, len(data) - LONGEST_RECORD, 0, 0, low, high, newest_ns, 0)
        passed = np.zeros(len(merger.expected), np.int64)
        passed[: len(subscription.passed)] = subscription.passed
        wanted = Wanted(
            np.array(merger.wanted, np.uint8),
            self._heard,
            self._trade_at,
            self._trade_bytes,
            subscription.step_ns,
            merger.floor_ns,
            subscription.quiet_ns,
            passed,
            np.array(merger.perhaps_reset, np.int64),
        )
        self._put(self._piece)
        self._piece = Piece.empty()
        reason = FULL
        while reason == FULL:
            reason = self._scan(
                tuple(octets),
                tuple(file),
                tuple(self._known_looks()),
                tuple(wanted),
                arrays.expected,
                tuple(arrays.early),
                arrays.state,
                arrays.rows,
                arrays.marks,
            )
            if arrays.state[ROW] or arrays.state[MARK]:
                self._parts.append(_taken(arrays, merger.numbers))
            arrays.state[ROW] = arrays.state[MARK] = 0
        merger.expected[:] = arrays.expected.tolist()
        subscription.interval = (int(arrays.state[LOW]), int(arrays.state[HIGH]))
        if subscription.quiet_ns:
            subscription.passed[:] = passed.tolist()
            subscription.newest_ns = int(arrays.state[NEWEST])
        self._hand_over(data, file)
        self._at = int(arrays.state[AT])
        self._note(self._at)
        return self._at

    def _hand_over(self, data: bytes, file: File) -> None:
        """Packets that still wait are given to the merger, in the order in which they came."""
        many, _, places = self._arrays.early
        waiting = sorted(
            int(places[slot, place])
            for slot in np.flatnonzero(many).tolist()
            for place in range(int(many[slot]))
        )
        many[:] = 0
        assert self._framing is not None or not waiting, "what waits was read from a file"
        for at in waiting:
            frame = at + file.frame_at
            packet = frame + FRAME_BYTES
            stream = self._plain_streams[int.from_bytes(data[frame + 30 : frame + 38], "little")]
            size = int.from_bytes(data[packet : packet + 2], "little")
            try:
                captured_ns = cast("Framing", self._framing).time_ns(data, at)
            except LookupError:
                self._one(data, at)  # says what is wrong with the record
                continue
            self._take(stream, data[packet : packet + size], captured_ns)

    def _file(self) -> File | None:
        """How the records lie, if they can be plain."""
        framing, shape = self._framing, self._shape
        if framing is None or shape is None or not framing.unit_ns:
            return None
        limits = self.merger.limits
        blocks = bool(shape.heads)
        return File(shape.frame_at, blocks, framing.unit_ns, limits.gap_wait_ns, limits.leap)

    def _known_looks(self) -> Looks:
        looks = self._looks
        if (
            looks is None
            or len(looks.keys) != len(self._slots)
            or len(looks.hops) != len(self._hops)
        ):
            looks = self._looks = Looks(
                self._link,
                np.array(sorted(self._hops), np.uint32),
                np.array(list(self._slots), np.uint64),
                np.array(list(self._slots.values()), np.int64),
            )
        return looks


def _octets(data: bytes) -> Octets:
    def numbers(code: str) -> Any:
        many = len(data) - np.dtype(code).itemsize + 1
        return np.ndarray((many,), code, data, strides=(1,))

    return Octets(*map(numbers, ("u1", "<u2", "<u4", "<u8", "<i2", "<i4", "<i8")))


def _arrays(channels: int) -> _Arrays:
    return _Arrays(
        np.zeros(channels, np.int64),
        Early(
            np.zeros(channels, np.int64),
            np.zeros(channels, np.int64),
            np.zeros((channels, EARLY), np.int64),
        ),
        np.zeros(STATE, np.int64),
        np.zeros((len(_TRADE_CODES) + 1, ROWS), np.int64),
        np.zeros((2, MARKS), np.int64),
    )


def _taken(arrays: _Arrays, numbers: Sequence[int]) -> ColumnPiece:
    """What the loop brought, as columns of its own."""
    rows, marks = int(arrays.state[ROW]), int(arrays.state[MARK])
    places, times = arrays.marks[:, :marks].tolist()
    *trades, slots = arrays.rows
    return ColumnPiece(
        TradeColumns(*(column[:rows].copy() for column in trades)),
        list(map(Mark, places, times)),
        np.array(numbers, np.int64)[slots[:rows]],
    )
