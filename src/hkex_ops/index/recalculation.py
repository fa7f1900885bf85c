"""A recorded day computed again: rows of trades in, ticks out as columns, in plain integers.

:class:`~.reckoning.Reckoning` is the arithmetic, :class:`~.doubts.Doubts` says what of it cannot be
relied upon; this drives both with slices as the subscriptions of `hkex_ops.omd` read them. The
plain way, and the measure of its faster sisters. Called by the replay of `hkex_ops.flows`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from hkex_ops.index.basket import Basket
from hkex_ops.index.doubts import Doubts
from hkex_ops.index.reckoning import Reckoning, TradeRows
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.tick_columns import TickColumns, no_ticks
from hkex_ops.index.timeline import Between, Due, Step, Stretch, Timeline

__all__ = ["ChannelRows", "Recalculation"]

ChannelRows: TypeAlias = Sequence[tuple[int, int]]
"""From which row on rows are of which channel."""

_Rows: TypeAlias = tuple[TradeRows, ChannelRows]
_ANY_CHANNEL = 1 << 16
_NOBODY_SAYS: ChannelRows = ((0, 0),)


class Recalculation:
    """One day, from its baskets and what was sent."""

    def __init__(
        self,
        baskets: Sequence[Basket],
        rules: IndexRules | None = None,
        *,
        first_ns: int | None = None,
    ) -> None:
        """``first_ns`` as with the engine: values from then on, whatever the session."""
        self.reckoning: Reckoning = Reckoning(baskets, rules)
        self._doubts = Doubts(self.reckoning)
        self._timeline: Timeline[_Rows] = Timeline(self.reckoning.rules, first_ns)

    def feed(
        self, rows: TradeRows, marks: Iterable[Between], channels: ChannelRows = ()
    ) -> TickColumns:
        """The next rows in delivery order, and what stood between them; the ticks that are due."""
        return self._work(self._timeline.take((rows, channels or _NOBODY_SAYS), len(rows), marks))

    def close(self, marks: Iterable[Between] = ()) -> TickColumns:
        """Nothing more will come; the ticks that waited. ``marks`` say where channels stand."""
        return self._work(self._timeline.close(marks))

    def _work(self, steps: Iterable[Step[_Rows]]) -> TickColumns:
        columns = no_ticks()
        reckoning, doubts = self.reckoning, self._doubts
        for step in steps:
            if isinstance(step, Stretch):
                _, _, (rows, channels), begin, end = step
                if doubts.watched:
                    self._watch(rows, channels, begin, end)
                reckoning.trades(rows[begin:end])
            elif isinstance(step, Due):
                columns.doubts.append(doubts.due(step))
                reckoning.due(step, columns)
            else:
                doubts.rare(step)
        return columns

    def _watch(self, rows: TradeRows, channels: ChannelRows, begin: int, end: int) -> None:
        """Tell of the trades of watched stocks."""
        doubts, watched = self._doubts, self._doubts.watched
        for place, row in enumerate(rows[begin:end], begin):
            if row[0] in watched:
                at = bisect_right(channels, (place, _ANY_CHANNEL)) - 1
                doubts.trade(channels[at][1], row)
