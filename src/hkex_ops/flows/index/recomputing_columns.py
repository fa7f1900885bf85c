"""A capture computed again by numpy; see :mod:`hkex_ops.flows.index.recomputing_ways`.

A module of its own so that numpy is imported where it is used, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

from hkex_ops.errors import WireError
from hkex_ops.flows.index.recomputing_ways import Translate
from hkex_ops.index.basket import Basket
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.tick_columns import TickColumns
from hkex_ops.index.vector import VectorRecalculation
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.columns import ColumnSubscription
from hkex_ops.omd.streaming import Subscription

__all__ = ["ColumnWay"]


class ColumnWay:
    """By numpy."""

    capture: ColumnSubscription

    def __init__(self, baskets: Sequence[Basket], rules: IndexRules, first_ns: int | None) -> None:
        self._machine = VectorRecalculation(baskets, rules, first_ns=first_ns)

    def begin(self, subscription: Subscription, streams: CaptureStreams) -> None:
        """See :meth:`Way.begin`."""
        self.capture = ColumnSubscription(subscription, streams=streams)

    def feed(self, data: bytes, translate: Translate) -> TickColumns:
        """See :meth:`Way.feed`."""
        piece = self.capture.feed_columns(data)
        return self._machine.feed(piece.trades, translate(piece.marks))

    def end(self, translate: Translate) -> tuple[TickColumns, WireError | None]:
        """See :meth:`Way.end`."""
        piece, error = self.capture.close_columns()
        return self._machine.feed(piece.trades, translate(piece.marks)), error

    def close(self) -> TickColumns:
        """See :meth:`Way.close`."""
        return self._machine.close()
