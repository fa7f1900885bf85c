"""Ticks of a recalculation as columns, and told one by one as an engine tells them.

A day has a quarter of a million ticks, and whoever compares or stores them wants no object for
each. Recalculations fill the columns; flows and whoever analyses read them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_HALF_UP
from typing import NamedTuple, TypeAlias

from hkex_ops.index.basket import Basket
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexStatus

__all__ = ["Doubt", "Extremes", "TickColumns", "TickTeller", "no_ticks"]


class Doubt(NamedTuple):
    """What cannot be relied upon at a moment.

    ``marked`` and ``healed`` are stocks that are marked, or no longer marked, from this moment on;
    ``doubtful`` ones are in doubt at this moment only, as are the ``missing`` channels, which had
    not passed it.
    """

    missing: tuple[int, ...]
    doubtful: frozenset[int]
    marked: tuple[int, ...]
    healed: tuple[int, ...]


class TickColumns(NamedTuple):
    """Ticks of all indexes at several moments.

    There is one time and one status for each moment; ``values`` has a row for each, in units of the
    last published decimal and in the order of the baskets, `None` where an index lacks a previous
    close. ``doubts`` tells of each moment what cannot be relied upon, where that is other than
    before it. Highs and lows of the day are what :class:`Extremes` makes of what can be.
    """

    times_ns: list[int]
    statuses: list[IndexStatus]
    values: list[list[int | None]]
    doubts: list[Doubt | None]


def no_ticks() -> TickColumns:
    """Columns without a row."""
    return TickColumns([], [], [], [])


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


_Marks: TypeAlias = Sequence[tuple[int, ...]]


class _Marking:
    """The marks on each index, as moments change them."""

    def __init__(self, baskets: Sequence[Basket]) -> None:
        self._members = [
            frozenset(stock.security for stock in basket.constituents) for basket in baskets
        ]
        self._indexes_of: dict[int, list[int]] = {}
        for place, members in enumerate(self._members):
            for security in members:
                self._indexes_of.setdefault(security, []).append(place)
        self._sorted: list[list[int]] = [[] for _ in baskets]
        self._told: list[tuple[int, ...]] = [()] * len(baskets)

    def at(self, doubt: Doubt | None) -> _Marks:
        """The marks of a moment on each index."""
        if doubt is None:
            return self._told
        changed: set[int] = set()
        for stocks, marked in ((doubt.marked, True), (doubt.healed, False)):
            for security in stocks:
                for place in self._indexes_of[security]:
                    _set(self._sorted[place], security, there=marked)
                    changed.add(place)
        for place in changed:
            self._told[place] = tuple(self._sorted[place])
        if not doubt.doubtful:
            return self._told
        return [
            tuple(sorted({*marks, *(doubt.doubtful & members)}))
            for marks, members in zip(self._told, self._members, strict=True)
        ]


def _set(ordered: list[int], one: int, *, there: bool) -> None:
    """Let ``one`` be in a list that is in order, or not."""
    place = bisect_left(ordered, one)
    known = ordered[place : place + 1] == [one]
    if there and not known:
        ordered.insert(place, one)
    elif known and not there:
        del ordered[place]


class TickTeller:
    """Makes rows of columns; remembers the day's opening and closing values between slices, its
    extremes, and which stocks are marked."""

    def __init__(self, baskets: Sequence[Basket], rules: IndexRules) -> None:
        self._indexes = [basket.index for basket in baskets]
        self._extremes = Extremes(len(baskets))
        self._marking = _Marking(baskets)
        self._openings: list[int | None] = [None] * len(baskets)
        self._closings: list[int | None] = [None] * len(baskets)
        self._previous = [
            int(basket.previous_close.scaleb(rules.decimals).to_integral_value(ROUND_HALF_UP))
            for basket in baskets
        ]

    def moments(
        self,
        columns: TickColumns,
        wanted: Callable[[int, IndexStatus], bool] = lambda time_ns, status: True,
    ) -> Iterator[list[TickComputed]]:
        """The ticks of each moment that is ``wanted``, of every index that has a value."""
        for time_ns, status, values, doubt in zip(*columns, strict=True):
            marks = self._marking.at(doubt)
            sure = values
            if any(marks):
                pairs = zip(values, marks, strict=True)
                sure = [None if stale else value for value, stale in pairs]
            highs, lows = self._extremes.pass_by(sure)
            if status is IndexStatus.OPENING:
                self._openings = values
            elif status is IndexStatus.CLOSING:
                self._closings = values
            if not wanted(time_ns, status):
                continue
            missing = () if doubt is None else doubt.missing
            rows = zip(
                self._indexes,
                values,
                highs,
                lows,
                marks,
                self._openings,
                self._closings,
                self._previous,
                strict=True,
            )
            yield [
                TickComputed(
                    *(index, time_ns, value, high, low, status, stale, missing),
                    *(opening, closing, previous),
                )
                for index, value, high, low, stale, opening, closing, previous in rows
                if value is not None
            ]
