"""A recorded day computed again by numpy: the same ticks, a slice of trades at a time.

Which trade is its stock's last, which moment holds which: all of a slice at once, by sorting and
running maxima; sums and values as :mod:`hkex_ops.index.limbs` has them, exact. Whatever is rare
goes through the plain :class:`~hkex_ops.index.recalculation.Reckoning`. Wants the extra ``data``.
Called by the replay of `hkex_ops.flows`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hkex_ops.index.basket import Basket
from hkex_ops.index.doubts import Doubts
from hkex_ops.index.limbs import Ints, Limbs
from hkex_ops.index.reckoning import BEGINNING, Reckoning, TradeRow
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.stocks import TRAIL
from hkex_ops.index.tick_columns import TickColumns, no_ticks
from hkex_ops.index.timeline import Between, Due, Step, Stretch, Timeline
from hkex_ops.model import IndexStatus

__all__ = ["HISTORY_ROWS", "Arrays", "Batch", "TradeArrays", "Trades", "VectorRecalculation"]

TradeArrays: TypeAlias = tuple[Ints, Ints, Ints, Ints]
"""Securities, trade numbers, prices in thousandths and types, in delivery order."""

_Rows: TypeAlias = tuple[TradeArrays, Ints]

HISTORY_ROWS = 2_000_000
"""How many trades are kept so that a cancel can be undone; the oldest are forgotten."""

_NUMBERS = 1 << 32  # a trade number is below
_ANY_TYPE = 0xFFFF  # a trade's type has 16 bits
_CLOSING = IndexStatus.CLOSING


class _Kept(NamedTuple):
    """Trades that may be taken back."""

    slot: NDArray[np.int32]
    trade_id: NDArray[np.uint32]
    price: NDArray[np.int32]


class _Remembering(Reckoning):
    """A reckoning that looks up a stock's trades in what was worked as arrays."""

    history: list[_Kept]
    forgot = False

    def trail(self, slot: int) -> deque[TradeRow]:
        """See :meth:`Reckoning.trail`."""
        found: deque[TradeRow] = deque([] if self.forgot else [BEGINNING], TRAIL + 1)
        for kept in self.history:
            for at in np.flatnonzero(kept.slot == slot).tolist():
                trade_id = int(kept.trade_id[at])
                if (slot, trade_id) not in self.taken_back:
                    found.append((0, trade_id, int(kept.price[at]), 0))
        return found


class Arrays:
    """What a reckoning knows, as arrays; good while every index has a value."""

    def __init__(self, reckoning: Reckoning) -> None:
        reckoning.settle()
        totals = reckoning.totals
        self.limbs: Limbs = Limbs(totals, reckoning.rules.rounding)
        self.prices: Ints = np.array(totals.prices, np.int64)
        self.newest: Ints = np.array(reckoning.newest, np.int64)
        every = frozenset(range(len(totals.prices)))
        self.minded: frozenset[int] = every.difference(reckoning.fast.values())

    def give_back(self, reckoning: Reckoning) -> None:
        """Let the reckoning know what these arrays know."""
        totals = reckoning.totals
        totals.prices[:] = self.prices.tolist()
        totals.sums[:] = self.limbs.whole(self.limbs.sums)
        reckoning.newest[:] = self.newest.tolist()


class Batch:
    """Stretches and moments with nothing else between them."""

    def __init__(self) -> None:
        self.stretches: list[
            tuple[TradeArrays, int, int]
        ] = []  # rows of which, from where to where
        self.moments: list[int] = []  # of each stretch, how many are due before it
        self.dues: list[Due] = []

    def rows(self) -> tuple[Ints, TradeArrays]:
        """All trades, and for each how many moments are due before it."""
        lengths = [end - begin for _, begin, end in self.stretches]
        moment = np.repeat(np.array(self.moments, np.int64), lengths)
        pieces: list[tuple[TradeArrays, int, int]] = []
        for rows, begin, end in self.stretches:
            if pieces and pieces[-1][0] is rows and pieces[-1][2] == begin:
                pieces[-1] = (rows, pieces[-1][1], end)
            else:
                pieces.append((rows, begin, end))
        securities, trade_ids, prices, kinds = (
            np.concatenate([rows[column][begin:end] for rows, begin, end in pieces])
            if len(pieces) != 1
            else pieces[0][0][column][pieces[0][1] : pieces[0][2]]
            for column in range(4)
        )
        return moment, (securities, trade_ids, prices, kinds)


class Trades(NamedTuple):
    """Trades that set prices, or would if they were not late, in delivery order.

    ``moment`` is how many moments are due before each.
    """

    moment: Ints
    slot: Ints
    trade_id: Ints
    price: Ints


_NO_TRADES = Trades(*(np.empty(0, np.int64) for _ in range(4)))


class VectorRecalculation:
    """One day, as :class:`~hkex_ops.index.recalculation.Recalculation`, from arrays of trades."""

    def __init__(
        self,
        baskets: Sequence[Basket],
        rules: IndexRules | None = None,
        *,
        first_ns: int | None = None,
    ) -> None:
        """``first_ns`` as with the engine: values from then on, whatever the session."""
        self._remembering = _Remembering(baskets, rules)
        self._remembering.history = []
        self.reckoning: Reckoning = self._remembering
        self._doubts = Doubts(self.reckoning)
        self._timeline: Timeline[_Rows] = Timeline(self.reckoning.rules, first_ns)
        self._taken = np.zeros(_ANY_TYPE + 1, bool)
        self._taken[[kind & _ANY_TYPE for kind in self.reckoning.rules.trade_types]] = True
        self._arrays: Arrays | None = None
        self._kept = 0
        totals = self.reckoning.totals
        self._slots: Ints = np.full(max(totals.securities) + 2, -1, np.int64)
        self._slots[totals.securities] = np.arange(len(totals.securities))
        self._watched = np.zeros(len(self._slots), bool)
        self._watched[totals.securities] = True
        self._seen: tuple[TradeArrays | None, int, list[int]] = (None, 0, [])

    def feed(
        self, trades: TradeArrays, marks: Iterable[Between], channels: Ints | None = None
    ) -> TickColumns:
        """The next trades in delivery order, and what stood between them; the ticks due.

        ``channels`` has that of every trade.
        """
        if channels is None:
            channels = np.zeros(len(trades[0]), np.int64)
        return self._work(self._timeline.take((trades, channels), len(trades[0]), marks))

    def close(self, marks: Iterable[Between] = ()) -> TickColumns:
        """Nothing more will come; the ticks that waited. ``marks`` say where channels stand."""
        return self._work(self._timeline.close(marks))

    def _work(self, steps: Iterable[Step[_Rows]]) -> TickColumns:
        columns = no_ticks()
        batch = Batch()
        doubts = self._doubts
        for step in steps:
            if isinstance(step, Stretch):
                _, _, (trades, channels), begin, end = step
                if doubts.watched:
                    self._watch(trades, channels, begin, end)
                batch.stretches.append((trades, begin, end))
                batch.moments.append(len(batch.dues))
            elif isinstance(step, Due) and step.status is not _CLOSING:
                columns.doubts.append(doubts.due(step))
                batch.dues.append(step)
            else:
                self._batch(batch, columns)
                batch = Batch()
                reckoning = self._plain()
                if isinstance(step, Due):
                    columns.doubts.append(doubts.due(step))
                    reckoning.due(step, columns)
                else:
                    doubts.rare(step)
        self._batch(batch, columns)
        return columns

    def _watch(self, trades: TradeArrays, channels: Ints, begin: int, end: int) -> None:
        """Tell of the trades of watched stocks."""
        doubts = self._doubts
        known, grown, places = self._seen
        if known is not trades or grown != doubts.grown:
            self._watched[doubts.settled] = False
            doubts.settled.clear()
            if grown != doubts.grown:
                self._watched[list(doubts.watched)] = True
            codes = np.minimum(trades[0], len(self._watched) - 1)
            places = np.flatnonzero(self._watched[codes]).tolist()
            self._seen = (trades, doubts.grown, places)
        securities, trade_ids, prices, kinds = trades
        for place in places[bisect_left(places, begin) : bisect_left(places, end)]:
            security = int(securities[place])
            if security in doubts.watched:
                row = (security, int(trade_ids[place]), int(prices[place]), int(kinds[place]))
                doubts.trade(int(channels[place]), row)

    # -- the plain way ----------------------------------------------------------------------------

    def _plain(self) -> Reckoning:
        """The reckoning, up to date and to be used; the arrays are void."""
        if self._arrays is not None:
            self._arrays.give_back(self.reckoning)
            self._arrays = None
        return self.reckoning

    def _plainly(self, batch: Batch, columns: TickColumns) -> None:
        reckoning = self._plain()
        at = 0
        for moment in range(len(batch.dues) + 1):
            while at < len(batch.stretches) and batch.moments[at] == moment:
                rows, begin, end = batch.stretches[at]
                lists = (column[begin:end].tolist() for column in rows)
                reckoning.trades(list(zip(*lists, strict=True)))
                at += 1
            if moment < len(batch.dues):
                reckoning.due(batch.dues[moment], columns)

    # -- all at once ------------------------------------------------------------------------------

    def _batch(self, batch: Batch, columns: TickColumns) -> None:
        if not batch.dues and not batch.stretches:
            return
        trades = self._that_count(batch) if batch.stretches else _NO_TRADES
        self._remember(trades)
        if self._arrays is None and self.reckoning.totals.complete:
            self._arrays = Arrays(self.reckoning)
        arrays = self._arrays
        if arrays is None or (arrays.minded and arrays.minded.intersection(trades.slot.tolist())):
            self._plainly(batch, columns)
            return
        sums = self._moved(arrays, len(batch.dues), trades)
        if batch.dues:
            self._tell(arrays, batch.dues, sums, columns)

    def _that_count(self, batch: Batch) -> Trades:
        moment, (securities, trade_ids, prices, kinds) = batch.rows()
        slot = self._slots[np.minimum(securities, len(self._slots) - 1)]
        good = np.flatnonzero((slot >= 0) & (prices > 0) & self._taken[kinds & _ANY_TYPE])
        return Trades(moment[good], slot[good], trade_ids[good], prices[good])

    def _moved(self, arrays: Arrays, moments: int, trades: Trades) -> Ints:
        """Work the trades of a batch; the sums at its moments."""
        by_stock = np.argsort(trades.slot.astype(np.int16), kind="stable")
        slot = trades.slot[by_stock]
        # A stock's number and the trade's in one: a trade is its stock's last if it exceeds all
        # before it, and those of other stocks before it are lower in any case.
        key = slot * _NUMBERS + trades.trade_id[by_stock]
        before = slot * _NUMBERS + arrays.newest[slot]
        highest = np.maximum.accumulate(np.maximum(key, before))
        before[1:] = np.maximum(before[1:], highest[:-1])
        newer = key > before
        if not newer.all():
            self._late(trades, by_stock[~newer], before[~newer])
            slot, by_stock = slot[newer], by_stock[newer]
        if not len(slot):
            return arrays.limbs.move(moments, slot, slot, slot)
        price = trades.price[by_stock]
        same = slot[1:] == slot[:-1]
        previous = arrays.prices[slot]
        previous[1:][same] = price[:-1][same]
        last = np.append(~same, True)
        arrays.prices[slot[last]] = price[last]
        arrays.newest[slot[last]] = trades.trade_id[by_stock[last]]
        change = price - previous
        moved = np.flatnonzero(change)
        moment = trades.moment[by_stock[moved]]
        return arrays.limbs.move(moments, moment, slot[moved], change[moved])

    def _late(self, trades: Trades, places: Ints, known: Ints) -> None:
        """Tell of trades out of sequence, in the order in which they came."""
        for place, newest in sorted(zip(places.tolist(), known.tolist(), strict=True)):
            self._came_late(trades, place, newest % _NUMBERS)

    def _came_late(self, trades: Trades, place: int, newest: int) -> None:
        security = self.reckoning.totals.securities[int(trades.slot[place])]
        self.reckoning.came_late(security, int(trades.trade_id[place]), newest)

    def _tell(self, arrays: Arrays, dues: Sequence[Due], sums: Ints, columns: TickColumns) -> None:
        columns.times_ns.extend(due.time_ns for due in dues)
        columns.statuses.extend(due.status for due in dues)
        columns.values.extend(arrays.limbs.values(sums).tolist())

    def _remember(self, trades: Trades) -> None:
        """Keep what a cancel would need."""
        history = self._remembering.history
        history.append(
            _Kept(
                trades.slot.astype(np.int32),
                trades.trade_id.astype(np.uint32),
                trades.price.astype(np.int32),
            )
        )
        self._kept += len(trades.slot)
        while self._kept > HISTORY_ROWS:
            self._kept -= len(history.pop(0).slot)
            self._remembering.forgot = True
