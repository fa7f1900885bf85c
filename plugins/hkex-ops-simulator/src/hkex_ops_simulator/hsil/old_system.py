"""A toy of one of the three identical systems of 2010, run as a program of its own.

Its message-capturing module works in parallel, in two real processes that share a table of prices:
one updates prices, and puts the table in order when an older record of a stock comes after a newer
one; the other begins the opening calculation when the matching indicator comes. Of two messages
that follow each other the second is begun before the first is done. The opening calculation does
not expect to find the table in another's hands: then it stops, and the system with it.
Source: HSIL, Incident Report of 2 February 2010, section 4 a and Appendix 3. How the two clashed
inside is not told there; this is the simplest design that stops for that order and for no other.

Uses the standard library alone and nothing of this package, as another make would. Packets come on
standard input; what it computes goes to standard output, one JSON document a line.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import time
from collections.abc import Iterator, Mapping
from typing import BinaryIO, NoReturn, TypedDict

__all__ = ["CLASH", "Basket", "Settings", "main"]

CLASH = "the price table is in the hands of the out-of-sequence process"

# Of a packet and of messages, what this system needs. Source: OMD-C specification, chapter 3.
_HEADER, _MESSAGE = struct.Struct("<HBxIQ"), struct.Struct("<HH")
_TRADE, _STATUS = struct.Struct("<4xIIiIh"), struct.Struct("<4x4sxB")
_TRADE_TYPE, _STATUS_TYPE = 50, 20
_COUNTS = (0, 100, 103)
_MAIN_BOARD = b"MAIN"
_MATCHING, _TRADING, _CLOSED = 2, 3, 103

# The table of prices: who has it, then a row for each stock, number and price of its last trade.
_ROW = struct.Struct("<Ii")
_ROWS_FROM = 8
_NOBODY, _PRICE_UPDATE, _OPENING = 0, 1, 2

# What the capturing module says to its processes, and what they answer.
_ORDER = struct.Struct("<cxxxIIi")
_RECORD, _FINISH, _INDICATOR = b"R", b"F", b"M"
_DONE, _BEGUN = b"D", b"B"

_PAUSE_S = 0.000_05
_NS = 1_000_000_000
_SIZE_BYTES = 2


class _Stopped(Exception):
    """A process of the system is gone, and the system cannot go on."""


class _Worker:
    """One of the two processes, seen from the capturing module."""

    def __init__(self, work: _Work) -> None:
        orders, to_worker = os.pipe()
        answers, from_worker = os.pipe()
        self._id = os.fork()
        if self._id == 0:
            os.close(to_worker)
            os.close(answers)
            _run(work, orders, from_worker)
        os.close(orders)
        os.close(from_worker)
        self._to_worker, self._answers = to_worker, answers

    def order(self, kind: bytes, slot: int = 0, number: int = 0, price: int = 0) -> bytes:
        """Hand over an order and hear the first answer; `_Stopped` when nobody answers."""
        try:
            os.write(self._to_worker, _ORDER.pack(kind, slot, number, price))
        except BrokenPipeError:
            raise _Stopped from None
        return self.answer()

    def answer(self) -> bytes:
        """The next answer."""
        answer = os.read(self._answers, 1)
        if not answer:
            raise _Stopped
        return answer

    def end(self) -> None:
        """Let the process go, and wait until it has gone."""
        os.close(self._to_worker)
        os.close(self._answers)
        os.waitpid(self._id, 0)


class _Work:
    """What a process does, order by order."""

    def __init__(self, table: mmap.mmap) -> None:
        self.table = table

    def work(self, order: tuple[bytes, int, int, int]) -> Iterator[bytes]:
        """The answers to an order."""
        raise NotImplementedError


class _PriceUpdate(_Work):
    """Keeps the last price of every stock; an older record starts the out-of-sequence process."""

    def work(self, order: tuple[bytes, int, int, int]) -> Iterator[bytes]:
        kind, slot, number, price = order
        if kind == _FINISH:
            self.table[0] = _NOBODY
            yield _DONE
            return
        row = _ROWS_FROM + slot * _ROW.size
        if number > _ROW.unpack_from(self.table, row)[0]:
            _ROW.pack_into(self.table, row, number, price)
            yield _DONE
            return
        while self.table[0] != _NOBODY:
            time.sleep(_PAUSE_S)
        self.table[0] = _PRICE_UPDATE
        yield _BEGUN


class _OpeningCalculation(_Work):
    """Goes through the whole table when the indicator comes, and never waits for it."""

    def work(self, order: tuple[bytes, int, int, int]) -> Iterator[bytes]:
        if self.table[0] != _NOBODY:
            raise _Stopped
        self.table[0] = _OPENING
        yield _BEGUN
        for row in range(_ROWS_FROM, len(self.table) - _ROW.size + 1, _ROW.size):
            _ROW.unpack_from(self.table, row)
        self.table[0] = _NOBODY
        yield _DONE


def _run(work: _Work, orders: int, answers: int) -> NoReturn:
    try:
        while order := os.read(orders, _ORDER.size):
            for answer in work.work(_ORDER.unpack(order)):
                os.write(answers, answer)
    except (_Stopped, OSError):
        os._exit(1)
    os._exit(0)


class Basket(TypedDict):
    """An index: its previous close in cents, and the weight of each stock by its code."""

    previous_cents: int
    weights: dict[str, int]


class Settings(TypedDict):
    """What a system is told when it starts; times in seconds."""

    baskets: dict[str, Basket]
    closes_3dp: dict[str, int]
    interval_s: int
    opening_delay_s: int


class _System:
    """The three modules: capturing in two processes, calculation, broadcasting."""

    def __init__(self, settings: Settings) -> None:
        closes = settings["closes_3dp"]
        self._slots = {int(code): slot for slot, code in enumerate(closes)}
        self._closes = list(closes.values())
        self._baskets = [
            (
                index,
                basket["previous_cents"],
                [(self._slots[int(code)], weight) for code, weight in basket["weights"].items()],
            )
            for index, basket in settings["baskets"].items()
        ]
        self._table = mmap.mmap(-1, _ROWS_FROM + len(closes) * _ROW.size)
        for slot, close in enumerate(self._closes):
            _ROW.pack_into(self._table, _ROWS_FROM + slot * _ROW.size, 0, close)
        self._prices = _Worker(_PriceUpdate(self._table))
        self._opening = _Worker(_OpeningCalculation(self._table))
        self._under_way: _Worker | None = None
        self._interval_ns = settings["interval_s"] * _NS
        self._delay_ns = settings["opening_delay_s"] * _NS
        self._moment_ns = self._opening_ns = self._trading_ns = 0
        self.records = self.out_of_sequence = 0

    # -- capturing ---------------------------------------------------------------------------

    def take(self, packet: bytes) -> None:
        """Broadcast what is due, then hand what the indexes need of a packet to a process."""
        _, count, _, sent_ns = _HEADER.unpack_from(packet)
        self._pass_time(sent_ns)
        offset = _HEADER.size
        for _ in range(count):
            size, kind = _MESSAGE.unpack_from(packet, offset)
            if kind == _TRADE_TYPE:
                code, number, price, _, trade_type = _TRADE.unpack_from(packet, offset)
                if code in self._slots and trade_type in _COUNTS:
                    self._record(self._slots[code], number, price)
            elif kind == _STATUS_TYPE:
                board, state = _STATUS.unpack_from(packet, offset)
                if board == _MAIN_BOARD:
                    self._state(state, sent_ns)
            offset += size

    def _record(self, slot: int, number: int, price: int) -> None:
        self.records += 1
        if self._dispatch(self._prices, _RECORD, slot, number, price) == _BEGUN:
            self.out_of_sequence += 1

    def _state(self, state: int, sent_ns: int) -> None:
        if state == _MATCHING:
            self._dispatch(self._opening, _INDICATOR)
            self._opening_ns = self._next_moment(sent_ns + self._delay_ns)
        elif state == _TRADING:
            self._trading_ns = sent_ns
        elif state == _CLOSED:
            self._trading_ns = 0

    def _dispatch(
        self, worker: _Worker, kind: bytes, slot: int = 0, number: int = 0, price: int = 0
    ) -> bytes:
        """Begin a message before the one before it is done, unless one process has both."""
        before = self._under_way
        if before is worker:
            self._complete()
        answer = worker.order(kind, slot, number, price)
        if before is not None and before is not worker:
            self._complete()
        self._under_way = worker if answer == _BEGUN else None
        return answer

    def _complete(self) -> None:
        """Wait until the message that is under way is done."""
        worker, self._under_way = self._under_way, None
        if worker is self._prices:
            self._prices.order(_FINISH)
        elif worker is not None:
            worker.answer()

    # -- calculation and broadcasting --------------------------------------------------------

    def _pass_time(self, sent_ns: int) -> None:
        moment_ns = self._moment_ns or self._next_moment(sent_ns)
        while moment_ns <= sent_ns:
            if moment_ns == self._opening_ns:
                self._broadcast(moment_ns, "O")
            elif self._trading_ns and moment_ns > self._trading_ns:
                self._broadcast(moment_ns, "T")
            moment_ns += self._interval_ns
        self._moment_ns = moment_ns

    def _next_moment(self, after_ns: int) -> int:
        return (after_ns // self._interval_ns + 1) * self._interval_ns

    def _broadcast(self, moment_ns: int, status: str) -> None:
        self._complete()
        for index, previous, weights in self._baskets:
            now = before = 0
            for slot, weight in weights:
                _, price = _ROW.unpack_from(self._table, _ROWS_FROM + slot * _ROW.size)
                now += price * weight
                before += self._closes[slot] * weight
            cents = (2 * now * previous + before) // (2 * before)
            _say({"tick": [index, moment_ns, cents, status]})

    def end(self) -> None:
        """Let both processes go; the later one first, for it has inherited the other's pipes."""
        self._opening.end()
        self._prices.end()


def _packets(stream: BinaryIO) -> Iterator[bytes]:
    while head := stream.read(_SIZE_BYTES):
        yield head + stream.read(int.from_bytes(head, "little") - _SIZE_BYTES)


def _say(document: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def main(settings: Settings, stream: BinaryIO) -> int:
    """Work from the first packet to the last, or until the system stops: then 1."""
    system = _System(settings)
    told: dict[str, object] = {"stopped": None}
    packets = 0
    try:
        for packet in _packets(stream):
            packets += 1
            system.take(packet)
    except _Stopped:
        told = {"stopped": CLASH}
    system.end()
    counts = {"records": system.records, "out_of_sequence": system.out_of_sequence}
    _say({**told, "packets": packets, **counts})
    sys.stdout.flush()
    return 1 if told["stopped"] else 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), sys.stdin.buffer))
