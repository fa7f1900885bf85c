"""Ticks of a recalculation as columns, and told one by one as an engine tells them.

A day has a quarter of a million ticks, and whoever compares or stores them wants no object for
each. Recalculations fill the columns; flows and whoever analyses read them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP
from typing import NamedTuple

from hkex_ops.index.basket import Basket
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexStatus

__all__ = ["Extremes", "TickColumns", "TickTeller", "no_ticks"]


class TickColumns(NamedTuple):
    """Ticks of all indexes at several moments.

    There is one time and one status for each moment; ``values`` has a row for each, in units of the
    last published decimal and in the order of the baskets, `None` where an index lacks a previous
    close. Highs and lows of the day are what :class:`Extremes` makes of them.
    """

    times_ns: list[int]
    statuses: list[IndexStatus]
    values: list[list[int | None]]


def no_ticks() -> TickColumns:
    """Columns without a row."""
    return TickColumns([], [], [])


class Extremes:
    """The highest and the lowest value of each index so far."""

    def __init__(self, indexes: int) -> None:
        self._highs: list[int | None] = [None] * indexes
        self._lows: list[int | None] = [None] * indexes

    def pass_by(self, values: Sequence[int | None]) -> tuple[list[int | None], list[int | None]]:
        """The highs and lows at a moment, which come after those of the moments before it."""
        highs, lows = self._highs, self._lows
        for place, value in enumerate(values):
            if value is not None:
                high, low = highs[place], lows[place]
                if high is None or value > high:
                    highs[place] = value
                if low is None or value < low:
                    lows[place] = value
        return highs[:], lows[:]


class TickTeller:
    """Makes rows of columns; remembers the day's opening and closing values between slices, and
    its extremes."""

    def __init__(self, baskets: Sequence[Basket], rules: IndexRules) -> None:
        self._indexes = [basket.index for basket in baskets]
        self._extremes = Extremes(len(baskets))
        self._openings: list[int | None] = [None] * len(baskets)
        self._closings: list[int | None] = [None] * len(baskets)
        self._previous = [
            int(basket.previous_close.scaleb(rules.decimals).to_integral_value(ROUND_HALF_UP))
            for basket in baskets
        ]

    def moments(self, columns: TickColumns) -> Iterator[list[TickComputed]]:
        """The ticks of each moment, of every index that has a value."""
        for time_ns, status, values in zip(*columns, strict=True):
            highs, lows = self._extremes.pass_by(values)
            if status is IndexStatus.OPENING:
                self._openings = values
            elif status is IndexStatus.CLOSING:
                self._closings = values
            rows = zip(
                self._indexes,
                values,
                highs,
                lows,
                self._openings,
                self._closings,
                self._previous,
                strict=True,
            )
            yield [
                TickComputed(
                    index, time_ns, value, high, low, status, (), (), opening, closing, previous
                )
                for index, value, high, low, opening, closing, previous in rows
                if value is not None
            ]
