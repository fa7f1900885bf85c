"""A recorded day in the one order: rows of trades in stretches, moments between them, rare records.

A recalculation has all trades of a slice at once and wants to work through them in stretches, not
one by one. This puts stretches into the order that :mod:`hkex_ops.index.sequencing` defines, and
asks :class:`~hkex_ops.index.day.TradingDay` which moments have a value. Knows no price. Called by
the recalculations of this room, whichever way they compute.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeAlias, TypeVar, cast

from hkex_ops.index.day import TradingDay
from hkex_ops.index.records import (
    ClosingPriceRecord,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    SessionRecord,
    TimePassed,
    TradeCancelRecord,
)
from hkex_ops.index.rules import NS_PER_MS, IndexRules, TickOrder
from hkex_ops.index.sequencing import Moment, Sequenced, Untimely, make_sequencer
from hkex_ops.index.ticks import moment_of
from hkex_ops.model import IndexStatus

__all__ = ["Between", "Due", "Pricing", "Step", "Stretch", "Timeline"]

R = TypeVar("R")

Pricing: TypeAlias = (
    TradeCancelRecord | PreviousCloseRecord | ClosingPriceRecord | CurrencyRateRecord
)
"""The rare records that change a price or a weight."""

Between: TypeAlias = tuple[int, int, IndexRecord | None]
"""What stands before the row whose number comes first: a record, with the time at which it was
sent; or none, and the rows from there on were sent in the interval of that time."""

_NOBODY = -1  # a channel that is never heard: moments then close when they have settled
_EVERYBODY = 0


class Stretch(NamedTuple, Generic[R]):
    """Rows ``begin`` to ``end`` (exclusive) of a slice, to be worked one after the other.

    The first two fields make it a record to whoever puts records in order.
    """

    channel: int
    send_time_ns: int
    rows: R
    begin: int
    end: int


class Due(NamedTuple):
    """A moment that has a value; everything that belongs before it has been worked."""

    time_ns: int
    status: IndexStatus


Step: TypeAlias = Stretch[R] | Due | Pricing

_WORKED = (
    Stretch,
    TradeCancelRecord,
    PreviousCloseRecord,
    ClosingPriceRecord,
    CurrencyRateRecord,
)


class Timeline(Generic[R]):
    """The order of one day. ``R`` is whatever holds the rows of a slice."""

    def __init__(self, rules: IndexRules, first_ns: int | None = None) -> None:
        """With ``first_ns`` there is a value at every moment from then on, whatever the session."""
        self._order = make_sequencer(rules, (_NOBODY, _EVERYBODY), first_ns)
        self._day = TradingDay(rules, first_ns)
        self._settle_ns = rules.settle_ms * NS_PER_MS
        self._sent_ns = 0
        self._newest_ns = 0
        self._settles = rules.order is TickOrder.EVENT_TIME
        self._now = moment_of(0)

    def take(self, rows: R, count: int, marks: Iterable[Between]) -> list[Step[R]]:
        """The next ``count`` rows, and what stands between them."""
        steps: list[Step[R]] = []
        order = self._order
        at = 0
        for place, sent_ns, record in marks:
            if place > at:
                self._stretch(rows, at, place, steps)
                at = place
            if record is not None:
                self._arrive(record, steps)
                continue
            self._sent_ns = sent_ns
            if not order.since <= sent_ns < order.moment:
                self._arrive(TimePassed(_EVERYBODY, 0, sent_ns), steps)
        if count > at:
            self._stretch(rows, at, count, steps)
        return steps

    def close(self) -> list[Step[R]]:
        """Nothing more will come; what waits is worked."""
        steps: list[Step[R]] = []
        for one in self._order.poll(moment_of(self._newest_ns + self._settle_ns)):
            self._tell(one, steps)
        return steps

    def _stretch(self, rows: R, begin: int, end: int, steps: list[Step[R]]) -> None:
        order, sent_ns = self._order, self._sent_ns
        stretch = Stretch(_EVERYBODY, sent_ns, rows, begin, end)
        if order.since <= sent_ns < order.moment:
            steps.append(stretch)
        else:
            self._arrive(cast("IndexRecord", stretch), steps)

    def _arrive(self, record: IndexRecord, steps: list[Step[R]]) -> None:
        for one in self._order.arrive(record, self._now):
            if type(one) is not TimePassed:
                self._tell(one, steps)
        if self._settles and record.send_time_ns > self._newest_ns:
            self._newest_ns = record.send_time_ns
            self._now = moment_of(self._newest_ns)
            for one in self._order.poll(self._now):
                self._tell(one, steps)

    def _tell(self, one: Sequenced, steps: list[Step[R]]) -> None:
        if type(one) is Moment:
            status = self._day.status_at(one.time_ns)
            if status is not None:
                steps.append(Due(one.time_ns, status))
            return
        if isinstance(one, Untimely):
            one = one.record
        if isinstance(one, SessionRecord):
            self._day.handle(one, one.send_time_ns)
        elif isinstance(one, _WORKED):
            steps.append(cast("Step[R]", one))
