"""The arithmetic of the engine: one running sum for each index, in exact integers.

An index is ``sum(price x weight) / divisor x previous close`` with weight = issued shares x
freefloat factor x cap factor, and the divisor the same sum over previous closes. A trade moves the
sums of its stock's indexes by ``(new - old price) x weight``; nothing is ever summed again.

The arrays are public on purpose: a loop that recomputes a day inlines them. Knows no record, no
order and no session. The snapshot computation shares nothing with this module; keep it so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import gcd

from hkex_ops.index.basket import HOME_CURRENCY, RATE_DECIMALS, Basket
from hkex_ops.index.rules import Rounding

__all__ = ["Totals"]

_RATE_SCALE = 10**RATE_DECIMALS


class Totals:
    """Sums of all indexes of one business date.

    A stock has a *slot*, its place in ``securities`` and ``prices``; an index has its place in
    ``indexes``, ``sums``, ``multipliers``, ``halves`` and ``divisors``. The value of index ``k``,
    in units of the last published decimal, is
    ``(sums[k] * multipliers[k] + halves[k]) // divisors[k]`` while it is in ``complete``.
    """

    def __init__(
        self, baskets: Sequence[Basket], *, decimals: int = 2, rounding: Rounding = Rounding.HALF_UP
    ) -> None:
        """Previous closes that the baskets state are set; the others await :meth:`set_previous`."""
        self.indexes: tuple[str, ...] = tuple(basket.index for basket in baskets)
        self.securities: list[int] = sorted(
            {stock.security for basket in baskets for stock in basket.constituents}
        )
        self.slots: dict[int, int] = {code: slot for slot, code in enumerate(self.securities)}
        self.prices: list[int] = [0] * len(self.securities)
        self.previous: list[int] = [0] * len(self.securities)
        self.moves: list[list[tuple[int, int]]] = [[] for _ in self.securities]
        self.members: list[tuple[int, ...]] = []
        self.sums: list[int] = [0] * len(baskets)
        self.bases: list[int] = [0] * len(baskets)
        self.unpriced: list[int] = []
        self._rounding = rounding
        self._foreign: dict[str, list[tuple[int, int, int]]] = {}
        self.rates: dict[str, int] = {}
        self._closes: list[tuple[int, int]] = []
        for place, basket in enumerate(baskets):
            self._add(place, basket, decimals)
        self.multipliers: list[int] = [0] * len(baskets)
        self.halves: list[int] = [0] * len(baskets)
        self.divisors: list[int] = [1] * len(baskets)
        for basket in baskets:
            for stock in basket.constituents:
                if stock.previous_close_3dp is not None:
                    self.set_previous(self.slots[stock.security], stock.previous_close_3dp)

    def _add(self, place: int, basket: Basket, decimals: int) -> None:
        rates = {rate.currency: _scaled(rate.rate, RATE_DECIMALS) for rate in basket.rates}
        foreign = any(stock.currency != basket.currency for stock in basket.constituents)
        slots: list[int] = []
        for stock in basket.constituents:
            slot = self.slots[stock.security]
            bare = stock.issued_shares * stock.freefloat_factor * stock.cap_factor
            rate = 1
            if foreign:
                rate = rates[stock.currency] if stock.currency != basket.currency else _RATE_SCALE
                if basket.currency == HOME_CURRENCY != stock.currency:
                    self._foreign.setdefault(stock.currency, []).append((slot, place, bare))
            self.moves[slot].append((place, bare * rate))
            slots.append(slot)
        self.members.append(tuple(slots))
        self.unpriced.append(len(slots))
        exponent = basket.previous_close.as_tuple().exponent
        # A previous close of more decimals than are published keeps them.
        more = max(0, -decimals - exponent if isinstance(exponent, int) else 0)
        self._closes.append((_scaled(basket.previous_close, decimals + more), 10**more))

    def set_previous(self, slot: int, price_3dp: int) -> bool:
        """State a stock's previous close, once; whether it was the first time.

        The stock stands at it until its first trade. The last of a basket completes the index.
        """
        if self.previous[slot]:
            return False
        self.previous[slot] = price_3dp
        price = self.prices[slot] or price_3dp
        self.prices[slot] = price
        for place, weight in self.moves[slot]:
            self.sums[place] += price * weight
            self.bases[place] += price_3dp * weight
            self.unpriced[place] -= 1
            if not self.unpriced[place]:
                self._complete(place)
        return True

    def _complete(self, place: int) -> None:
        close, scale = self._closes[place]
        base = self.bases[place] * scale
        # What the numbers have in common changes no value, and small numbers divide faster.
        common = gcd(2 * close, base)
        self.multipliers[place] = 2 * close // common
        self.divisors[place] = 2 * base // common
        self.halves[place] = 0 if self._rounding is Rounding.DOWN else base // common

    def move(self, slot: int, price_3dp: int) -> None:
        """A stock has a new price."""
        change = price_3dp - self.prices[slot]
        self.prices[slot] = price_3dp
        if change and self.previous[slot]:
            sums = self.sums
            for place, weight in self.moves[slot]:
                sums[place] += change * weight

    def set_rate(self, currency: str, rate_8dp: int) -> None:
        """A currency has a new rate; previous closes stay at the rate that they were taken at."""
        if currency in self._foreign:
            self.rates[currency] = rate_8dp
        for slot, place, bare in self._foreign.get(currency, ()):
            weight = bare * rate_8dp
            moves = self.moves[slot]
            at = next(i for i, (index, _) in enumerate(moves) if index == place)
            if self.previous[slot]:
                self.sums[place] += self.prices[slot] * (weight - moves[at][1])
            moves[at] = (place, weight)

    @property
    def currencies(self) -> frozenset[str]:
        """The currencies whose rates move an index."""
        return frozenset(self._foreign)

    def priced_in(self, currency: str) -> set[int]:
        """The securities that a rate of ``currency`` concerns."""
        return {self.securities[slot] for slot, _, _ in self._foreign.get(currency, ())}

    @property
    def complete(self) -> bool:
        """Whether every index has every previous close, and so a value."""
        return not any(self.unpriced)

    def values(self) -> list[int | None]:
        """Every index in units of its last published decimal; `None` while it lacks a close."""
        rows = zip(self.sums, self.multipliers, self.halves, self.divisors, strict=True)
        if self._rounding is Rounding.HALF_EVEN:
            found: list[int | None] = [
                _half_even(s * multiplier, divisor) for s, multiplier, _, divisor in rows
            ]
        else:
            found = [(s * multiplier + half) // divisor for s, multiplier, half, divisor in rows]
        if any(self.unpriced):
            return [
                None if open else value for open, value in zip(self.unpriced, found, strict=True)
            ]
        return found

    def restore(
        self, prices: Sequence[int], previous: Sequence[int], rates: Mapping[str, int]
    ) -> None:
        """Stand at ``prices`` and ``previous`` closes, by slot; the sums are computed anew."""
        for currency, rate in rates.items():
            self.set_rate(currency, rate)
        for slot, close, price in zip(range(len(self.prices)), previous, prices, strict=True):
            if close:
                self.set_previous(slot, close)
            if price:
                self.move(slot, price)


def _scaled(value: Decimal, places: int) -> int:
    return int(value.scaleb(places))


def _half_even(numerator: int, divisor: int) -> int:
    whole, rest = divmod(numerator, divisor)
    twice = 2 * rest
    return whole + (twice > divisor or (twice == divisor and whole % 2 == 1))
