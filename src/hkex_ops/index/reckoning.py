"""The arithmetic of a day that is computed again: trades in, values out, in plain integers.

The values are the engine's, to the last cent. No journal is kept, no volume, no high or low of a
stock; only trades that came out of sequence are listed. One step at a time; :mod:`~.recalculation`
drives it with slices as the subscriptions of `hkex_ops.omd` read them, and its faster sisters
:mod:`hkex_ops.index.vector` and :mod:`hkex_ops.index.accelerated` do rare things by it too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from operator import floordiv, itemgetter  # pyright: ignore[reportUnknownVariableType]
from typing import NamedTuple, TypeAlias, cast

from hkex_ops.index.basket import RATE_DECIMALS, Basket
from hkex_ops.index.records import (
    ClosingPriceRecord,
    CurrencyRateRecord,
    TradeCancelRecord,
)
from hkex_ops.index.rules import IndexRules, Rounding
from hkex_ops.index.stocks import CANCELS_HELD, TRAIL
from hkex_ops.index.tick_columns import TickColumns
from hkex_ops.index.timeline import Due, Pricing
from hkex_ops.index.totals import Totals
from hkex_ops.model import IndexStatus

__all__ = [
    "BEGINNING",
    "LATE_KEPT",
    "Fallen",
    "LateTrade",
    "Numerators",
    "Reckoning",
    "TradeRow",
    "TradeRows",
]

LATE_KEPT = 1_000
"""How many trades out of sequence are listed; all are counted."""

TradeRow: TypeAlias = tuple[int, int, int, int]
"""Security, trade number, price in thousandths and type of a trade."""

TradeRows: TypeAlias = Sequence[TradeRow]
"""Trades in delivery order."""

_QUOTIENT = cast("Callable[[int, int], int]", floordiv)
_RATE_PLACES = 4
_NO_TRADE = 0
_CLOSING = IndexStatus.CLOSING
BEGINNING: TradeRow = (0, _NO_TRADE, 0, 0)
"""In a stock's trail, the state before its first trade."""


class LateTrade(NamedTuple):
    """A trade that came after a newer one of its stock, and so never was the last."""

    security: int
    trade_id: int
    newest: int


class Fallen(NamedTuple):
    """A stock whose last trade was cancelled; ``forgotten``: the one before it is not known."""

    security: int
    forgotten: bool


class Numerators:
    """The sums of totals with multiplier and half taken in, so that a value is one division.

    ``moves`` are as in :class:`~hkex_ops.index.totals.Totals`, with each weight multiplied.
    """

    def __init__(self, totals: Totals) -> None:
        """`totals` are complete, and stay as they are until :meth:`give_back`."""
        rows = zip(totals.sums, totals.multipliers, totals.halves, strict=True)
        self.numerators: list[int] = [total * multiplier + half for total, multiplier, half in rows]
        self.divisors: list[int] = list(totals.divisors)
        self.moves: list[list[tuple[int, int]]] = [
            [(place, weight * totals.multipliers[place]) for place, weight in moves]
            for moves in totals.moves
        ]

    def values(self) -> list[int | None]:
        """As the totals would give them."""
        return list(map(_QUOTIENT, self.numerators, self.divisors))

    def give_back(self, totals: Totals) -> None:
        """Bring the sums of the totals up to date; their prices are."""
        rows = zip(self.numerators, totals.halves, totals.multipliers, strict=True)
        totals.sums[:] = [(numerator - half) // multiplier for numerator, half, multiplier in rows]


class Reckoning:
    """Prices and sums of one day, moved by trades and rare records, and the values at moments.

    ``late`` lists trades out of sequence, ``late_count`` counts them; ``undone`` are stocks whose
    last trade was cancelled when the one before it was no longer remembered: they keep the price.
    ``newest`` are the numbers of the trades that set the prices, by slot; ``fast`` are the slots of
    stocks with nothing to be minded. The lists are public for sisters that keep them as arrays.
    """

    def __init__(self, baskets: Sequence[Basket], rules: IndexRules | None = None) -> None:
        self.rules: IndexRules = rules or IndexRules()
        self.totals: Totals = Totals(
            baskets, decimals=self.rules.decimals, rounding=self.rules.rounding
        )
        self.late: list[LateTrade] = []
        self.late_count: int = 0
        self.undone: set[int] = set()
        self.taken_back: set[tuple[int, int]] = set()
        stocks = len(self.totals.prices)
        self.newest: list[int] = [_NO_TRADE] * stocks
        self.closing_prices: dict[int, int] = {}
        self.fast: dict[int, int] = {}
        self._types = frozenset(self.rules.trade_types)
        self._straight = self.rules.rounding is not Rounding.HALF_EVEN
        self._scaled: Numerators | None = None
        self._trails = [deque([BEGINNING], TRAIL + 1) for _ in range(stocks)]
        self._cancelled: dict[int, set[int]] = {}
        self._sort_out()

    # -- trades -----------------------------------------------------------------------------------

    def trades(self, rows: TradeRows) -> None:
        """Work trades in order. The loop that a day's time goes into."""
        scaled = self._scaled or self._scale()
        if scaled is None:
            for row in rows:
                if row[0] in self.totals.slots:
                    self._unusual(row)
            return
        slot_of, newest, types = self.fast.get, self.newest, self._types
        prices, trails = self.totals.prices, self._trails
        numerators, moves = scaled.numerators, scaled.moves
        for row in rows:
            security, trade_id, price, kind = row
            slot = slot_of(security)
            if slot is None or kind not in types or price <= 0:
                if slot is None and security in self.totals.slots:
                    self._unusual(row)
                continue
            trails[slot].append(row)
            if trade_id <= newest[slot]:
                self.came_late(security, trade_id, newest[slot])
                continue
            newest[slot] = trade_id
            change = price - prices[slot]
            if change:
                prices[slot] = price
                for place, step in moves[slot]:
                    numerators[place] += change * step

    def came_late(self, security: int, trade_id: int, newest: int) -> None:
        """Note a trade that came after ``newest`` of its stock."""
        self.late_count += 1
        if len(self.late) < LATE_KEPT:
            self.late.append(LateTrade(security, trade_id, newest))

    def _unusual(self, row: TradeRow) -> None:
        """A trade of a stock without a previous close yet, or with cancelled trades to come."""
        security, trade_id, price, kind = row
        slot = self.totals.slots[security]
        cancelled = self._cancelled.get(slot, set())
        if trade_id in cancelled:
            cancelled.discard(trade_id)
            self.taken_back.add((slot, trade_id))
            self._sort_out()
        elif kind in self._types and price > 0:
            self._trails[slot].append(row)
            if trade_id <= self.newest[slot]:
                self.came_late(security, trade_id, self.newest[slot])
            else:
                self.newest[slot] = trade_id
                self._move(slot, price)

    def _move(self, slot: int, price: int) -> None:
        scaled, totals = self._scaled, self.totals
        if scaled is None:
            totals.move(slot, price)
            return
        change = price - totals.prices[slot]
        totals.prices[slot] = price
        for place, step in scaled.moves[slot]:
            scaled.numerators[place] += change * step

    def _scale(self) -> Numerators | None:
        """Go over to numerators, if every index has a value that is a division rounded down."""
        if self._straight and self.totals.complete:
            self._scaled = Numerators(self.totals)
        return self._scaled

    def settle(self) -> None:
        """Have it all in the totals again, for whoever changes or takes over what is in them."""
        if self._scaled is not None:
            self._scaled.give_back(self.totals)
            self._scaled = None

    def _sort_out(self) -> None:
        """Which stocks have nothing to be minded."""
        self.fast = {
            security: slot
            for security, slot in self.totals.slots.items()
            if self.totals.previous[slot] and not self._cancelled.get(slot)
        }

    # -- moments ----------------------------------------------------------------------------------

    def due(self, due: Due, columns: TickColumns) -> None:
        """The values of all indexes at a moment, added to ``columns``."""
        if due.status is _CLOSING:
            for slot, price in self.closing_prices.items():
                self._move(slot, price)
        scaled = self._scaled or self._scale()
        columns.times_ns.append(due.time_ns)
        columns.statuses.append(due.status)
        columns.values.append(self.totals.values() if scaled is None else scaled.values())

    # -- rare records -----------------------------------------------------------------------------

    def record(self, record: Pricing) -> Fallen | None:
        """Work a record that changes a price or a weight; the stock whose last trade it cancels."""
        if isinstance(record, CurrencyRateRecord):
            places = RATE_DECIMALS - _RATE_PLACES - record.factor
            if self.rules.rates_from_feed and record.rate_4dp > 0 and places >= 0:
                self.settle()
                self.totals.set_rate(record.currency.strip(), record.rate_4dp * 10**places)
            return None
        slot = self.totals.slots.get(record.security)
        if slot is None:
            return None
        if isinstance(record, TradeCancelRecord):
            return self._cancel(slot, record.trade_id)
        if record.price_3dp > 0:
            if isinstance(record, ClosingPriceRecord):
                self.closing_prices[slot] = record.price_3dp
            elif not self.totals.previous[slot]:
                self.totals.set_previous(slot, record.price_3dp)
                self._sort_out()
        return None

    def refuses(self, security: int, trade_id: int) -> bool:
        """Whether a trade was cancelled before it came."""
        return trade_id in self._cancelled.get(self.totals.slots[security], ())

    def trail(self, slot: int) -> deque[TradeRow]:
        """The trades of a stock that can be taken back, in the order in which they came.

        The first entry stands for the previous close; when it is gone, some were forgotten.
        """
        return self._trails[slot]

    def _cancel(self, slot: int, trade_id: int) -> Fallen | None:
        """A cancelled trade counts for nothing; the newest that stands is the last one again."""
        trail = self.trail(slot)
        trade = next((one for one in trail if one[1] == trade_id), None)
        if trade is None and trade_id == self.newest[slot]:
            self.undone.add(self.totals.securities[slot])
            return None
        if trade is None:
            # It may yet come. If it came and is of no account, or forgotten, nothing follows.
            cancelled = self._cancelled.setdefault(slot, set())
            cancelled.add(trade_id)
            if len(cancelled) > CANCELS_HELD:
                cancelled.discard(min(cancelled))
            self._sort_out()
            return None
        trail.remove(trade)
        self.taken_back.add((slot, trade_id))
        if trade_id != self.newest[slot]:
            return None
        security = self.totals.securities[slot]
        if not trail:
            self.undone.add(security)
            return Fallen(security, forgotten=True)
        _, before, price, _ = max(trail, key=itemgetter(1))
        self.newest[slot] = before
        self._move(slot, price or self.totals.previous[slot])
        return Fallen(security, forgotten=False)
