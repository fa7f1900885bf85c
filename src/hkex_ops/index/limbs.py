"""Exact sums in arrays of 64-bit integers: weights cut into limbs, and values taken back out.

A weight of 60 or 90 bits times a price has no room in a machine integer. Each weight is therefore
cut into limbs, and each index has one running sum for every limb; none can overflow, by the widths
that are chosen here. Knows no order, no session and no record. Shared by the vectorised and the
accelerated recalculation; wants the extra ``data``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hkex_ops.index.rules import Rounding
from hkex_ops.index.totals import Totals

__all__ = ["Floats", "Ints", "Limbs"]

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

_SUM_BITS = 62  # a sum of prices times limbs stays below
_PRICE_BITS = 31  # of a price on the wire
_DOUBT = 2.0**-48
"""Part of a value by which floating point may err here, many times over: it errs by some 2**-50."""


class Limbs:
    """The sums of :class:`~hkex_ops.index.totals.Totals` as arrays, while every index has a value.

    Stock ``slot`` moves the indexes ``places[offsets[slot]:offsets[slot + 1]]``; the limbs of its
    weights are the columns of ``weights``, lowest first. ``sums`` has a row for each limb.
    """

    def __init__(self, totals: Totals, rounding: Rounding) -> None:
        self._totals = totals
        self._rounding = rounding
        members = max(map(len, totals.members))
        self.bits: int = _SUM_BITS - _PRICE_BITS - members.bit_length()
        pairs = [pair for moves in totals.moves for pair in moves]
        widest = max(weight.bit_length() for _, weight in pairs)
        self.count: int = -(-widest // self.bits)
        self.offsets: Ints = np.cumsum([0, *map(len, totals.moves)], dtype=np.int64)
        self.places: Ints = np.array([place for place, _ in pairs], np.int64)
        self.weights: Ints = self._cut([weight for _, weight in pairs])
        self.sums: Ints = self._spread()
        rates = zip(totals.multipliers, totals.divisors, strict=True)
        self._rates: Floats = np.array([float(Fraction(*rate)) for rate in rates])

    def _cut(self, weights: Sequence[int]) -> Ints:
        """Numbers in limbs, a row for each limb; the highest takes what is left."""
        whole, low = np.array(weights, object), (1 << self.bits) - 1
        limbs = np.empty((self.count, len(weights)), np.int64)
        for limb in range(self.count - 1):
            limbs[limb] = whole & low
            whole >>= self.bits
        limbs[-1] = whole
        return limbs

    def _spread(self) -> Ints:
        """The sums as they follow from prices, each limb's own, and so none larger than it may."""
        prices = np.array(self._totals.prices, np.int64)
        stocks = np.repeat(np.arange(len(prices)), np.diff(self.offsets))
        sums = np.zeros((self.count, len(self._totals.sums)), np.int64)
        for limb in range(self.count):
            np.add.at(sums[limb], self.places, prices[stocks] * self.weights[limb])
        return sums

    def whole(self, sums: Ints) -> list[int]:
        """Exact sums out of a row for each limb."""
        found = [0] * sums.shape[1]
        for limb in reversed(range(self.count)):
            found = [
                (high << self.bits) + low
                for high, low in zip(found, sums[limb].tolist(), strict=True)
            ]
        return found

    def move(self, moments: int, moment: Ints, slot: Ints, change: Ints) -> Ints:
        """Prices change; the sums at each of ``moments`` moments, for each limb and index.

        A change with ``moment`` m is in the sums of moment m and later, and one with ``moments``
        in none of them yet; all are in :attr:`sums` afterwards.
        """
        indexes = self.sums.shape[1]
        many = np.diff(self.offsets)[slot]
        total = int(many.sum())
        change_of = np.repeat(np.arange(len(slot)), many)
        within = np.arange(total) - np.repeat(np.cumsum(many) - many, many)
        pair = self.offsets[slot][change_of] + within
        cell = moment[change_of] * indexes + self.places[pair]
        by = change[change_of]
        moved = np.zeros((self.count, (moments + 1) * indexes), np.int64)
        for limb in range(self.count):
            np.add.at(moved[limb], cell, by * self.weights[limb][pair])
        run: Ints = moved.reshape(self.count, moments + 1, indexes)
        run[:, 0] += self.sums
        np.cumsum(run, axis=1, out=run)
        self.sums = run[:, moments].copy()
        before: Ints = run[:, :moments]
        return before

    def values(self, sums: Ints) -> Ints:
        """The values of all indexes, a row for each moment, from what :meth:`move` gives."""
        total = sums[0].astype(np.float64)
        for limb in range(1, self.count):
            total += sums[limb] * float(1 << self.bits * limb)
        exact = total * self._rates
        half = 0.0 if self._rounding is Rounding.DOWN else 0.5
        raised = exact + half
        found: Ints = np.floor(raised).astype(np.int64)
        doubtful = np.abs(raised - np.rint(raised)) <= raised * _DOUBT
        for moment, place in np.argwhere(doubtful).tolist():
            found[moment, place] = self._exactly(sums[:, moment, place], place)
        return found

    def _exactly(self, limbs: Ints, place: int) -> int:
        """A value from plain integers, by the very rule of the totals."""
        total = 0
        for limb in reversed(limbs.tolist()):
            total = (total << self.bits) + limb
        numerator, divisor = total * self._totals.multipliers[place], self._totals.divisors[place]
        if self._rounding is not Rounding.HALF_EVEN:
            return (numerator + self._totals.halves[place]) // divisor
        whole, rest = divmod(numerator, divisor)
        return whole + (2 * rest > divisor or (2 * rest == divisor and whole % 2 == 1))
