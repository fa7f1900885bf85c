"""The values of all indexes as they are told: highs, lows, opening and closing, marks, ticks.

Asked by the engine at each moment. Highs and lows are those of computed ticks: between two ticks
no index has a value, and so engines that agree on ticks agree on these too. A marked value is no
record of the day, since nobody can rely upon it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import repeat
from typing import cast

from hkex_ops.index.basket import Basket
from hkex_ops.index.orders import Moment
from hkex_ops.index.stocks import UNKNOWN_CHANNEL, Stock
from hkex_ops.index.ticks import EngineEvent, IndexIncomplete, MomentIncomplete, TickComputed
from hkex_ops.index.totals import Totals
from hkex_ops.index.untimed import EVERY_STOCK
from hkex_ops.model import IndexStatus, JsonObject

__all__ = ["Board"]


class Board:
    """What has been told of each index today; places are those of the totals."""

    def __init__(self, baskets: Sequence[Basket], totals: Totals, decimals: int) -> None:
        self._totals = totals
        self._highs: list[int | None] = [None] * len(baskets)
        self._lows: list[int | None] = [None] * len(baskets)
        self._openings: list[int | None] = [None] * len(baskets)
        self._closings: list[int | None] = [None] * len(baskets)
        self._previous: list[int] = [_units(basket.previous_close, decimals) for basket in baskets]
        self._members = [
            frozenset(stock.security for stock in basket.constituents) for basket in baskets
        ]
        self._incomplete: set[str] = set()
        self.closing_prices: dict[int, int] = {}
        self.closing_lost: bool = False  # whether a closing price may be among what was lost

    def without_close(self, moment: Moment) -> tuple[int, ...]:
        """Stocks whose closing price may be on its way or lost: they have none, and on which
        channel it comes nobody knows."""
        if not self.closing_lost and not moment.missing:
            return ()
        slots = enumerate(self._totals.securities)
        return tuple(code for slot, code in slots if slot not in self.closing_prices)

    def close(self) -> Iterable[int]:
        """Closing prices take the place of last ones; where there is none the last one stays.

        The slots of the stocks that have one.
        """
        for slot, price in self.closing_prices.items():
            self._totals.move(slot, price)
        return tuple(self.closing_prices)

    def ticks(
        self, moment: Moment, status: IndexStatus, stocks: Mapping[int, Stock], marked: set[int]
    ) -> list[EngineEvent]:
        """One tick for each index that has a value, and what is wrong with the others."""
        time_ns, missing, doubtful = moment
        events: list[EngineEvent] = []
        stale: frozenset[int] | set[int] = marked
        if missing:
            events.append(MomentIncomplete(time_ns, missing))
            stale = stale | _unheard(stocks.items(), missing)
        if doubtful:
            stale = stale | (set(stocks) if EVERY_STOCK in doubtful else set(doubtful))
        values = self._totals.values()
        doubted: Iterable[tuple[int, ...]] = repeat((), len(values))
        if stale:
            doubted = [tuple(sorted(stale & members)) for members in self._members]
            pairs = zip(values, doubted, strict=True)
            self._note([None if marks else value for value, marks in pairs], values, status)
        else:
            self._note(values, values, status)
        rows = zip(
            self._totals.indexes,
            repeat(time_ns),
            values,
            self._highs,
            self._lows,
            repeat(status),
            doubted,
            repeat(missing),
            self._openings,
            self._closings,
            self._previous,
            strict=False,
        )
        if self._totals.complete:
            events += map(TickComputed._make, rows)
            return events
        for place, row in enumerate(rows):
            if row[2] is None:
                events += self._lacking(place, time_ns)
            else:
                events.append(TickComputed._make(row))
        return events

    def _note(
        self, sure: Sequence[int | None], values: Sequence[int | None], status: IndexStatus
    ) -> None:
        """Take the moment's values into opening or closing, and the ``sure`` ones into highs and
        lows."""
        self._highs = [
            high if value is None or (high is not None and high >= value) else value
            for value, high in zip(sure, self._highs, strict=True)
        ]
        self._lows = [
            low if value is None or (low is not None and low <= value) else value
            for value, low in zip(sure, self._lows, strict=True)
        ]
        if status is IndexStatus.OPENING:
            self._openings = list(values)
        elif status is IndexStatus.CLOSING:
            self._closings = list(values)

    def snapshot(self) -> JsonObject:
        """What was told, as plain data."""
        return {
            "highs": list(self._highs),
            "lows": list(self._lows),
            "openings": list(self._openings),
            "closings": list(self._closings),
            "closing_prices": [list(pair) for pair in sorted(self.closing_prices.items())],
            "closing_lost": self.closing_lost,
            "incomplete": sorted(self._incomplete),
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood."""
        self._highs = list(cast("list[int | None]", snapshot["highs"]))
        self._lows = list(cast("list[int | None]", snapshot["lows"]))
        self._openings = list(cast("list[int | None]", snapshot["openings"]))
        self._closings = list(cast("list[int | None]", snapshot["closings"]))
        pairs = cast("list[tuple[int, int]]", snapshot["closing_prices"])
        self.closing_prices = dict(pairs)
        self.closing_lost = bool(snapshot["closing_lost"])
        self._incomplete = set(cast("list[str]", snapshot["incomplete"]))

    def _lacking(self, place: int, time_ns: int) -> Iterable[EngineEvent]:
        """Told once for each index, at the first moment that it misses."""
        totals = self._totals
        index = totals.indexes[place]
        if index in self._incomplete:
            return
        self._incomplete.add(index)
        lacking = (slot for slot in totals.members[place] if not totals.previous[slot])
        yield IndexIncomplete(
            index, time_ns, tuple(sorted(totals.securities[slot] for slot in lacking))
        )


def _unheard(stocks: Iterable[tuple[int, Stock]], missing: tuple[int, ...]) -> set[int]:
    """Stocks of channels that did not come in time; before its first trade any may be one."""
    doubtful = {UNKNOWN_CHANNEL, *missing}
    return {security for security, stock in stocks if stock.channel in doubtful}


def _units(value: Decimal, decimals: int) -> int:
    return int(value.scaleb(decimals).to_integral_value(ROUND_HALF_UP))
