"""One order for everything: records and moments of ticks in the single sequence that is worked.

All that an engine does is done by one writer in this order, the matching indicator like any other
record, so that there is no second process for it to clash with. Two orders are on offer, see
:class:`~hkex_ops.index.rules.TickOrder`. Knows no price and no index; the engine calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import cast

from hkex_ops.index.event_time import EventTimeOrder
from hkex_ops.index.orders import Believer, Moment, Sequenced, Sequencer, Untimely
from hkex_ops.index.records import IndexRecord
from hkex_ops.index.rules import IndexRules, TickOrder
from hkex_ops.model import JsonObject

__all__ = [
    "ArrivalOrder",
    "EventTimeOrder",
    "Moment",
    "Sequenced",
    "Sequencer",
    "Untimely",
    "make_sequencer",
]


def make_sequencer(
    rules: IndexRules, channels: Iterable[int] = (), first_ns: int | None = None
) -> Sequencer:
    """The sequencer that the rules name.

    ``channels`` are waited for from the start. Its first moment is ``first_ns`` where that is
    given, and otherwise the next one after the first record.
    """
    step = rules.interval_ns
    first = 0 if first_ns is None else -(-first_ns // step) * step
    if rules.order is TickOrder.ARRIVAL:
        return ArrivalOrder(step, first)
    settle = timedelta(milliseconds=rules.settle_ms)
    return EventTimeOrder(step, settle, channels, first)


class ArrivalOrder:
    """Tick T holds what was delivered before the first record sent at or after T.

    The clock is the highest send time delivered so far, on whatever channel.
    """

    def __init__(self, step_ns: int, first_ns: int = 0) -> None:
        self.since = 1
        self.until: int = first_ns
        self.gate: Callable[[int], bool] | None = None  # never asked: no record waits
        self._moment = first_ns
        self._step = step_ns
        self._believer = Believer(first_ns)

    @property
    def next_moment(self) -> int:
        """See :attr:`Sequencer.next_moment`."""
        return self._moment

    @property
    def moment(self) -> int:
        """See :attr:`Sequencer.moment`."""
        return self.until

    def step_on(self, sent: int) -> bool:
        """Pass the next moment, if that is all that something sent then does; whether it was.

        So it is nearly always: the first of the next interval, too near to be doubted.
        """
        following = self._moment + self._step
        usual = self._moment <= sent < following and self._believer.certain
        if usual:
            self._believer.newest = sent
            self._moment = self.until = following
        return usual

    def arrive(self, record: IndexRecord, now: datetime) -> Sequence[Sequenced]:
        """See :meth:`Sequencer.arrive`."""
        sent = record.send_time_ns
        moment = self._moment
        if self.step_on(sent):
            return Moment(moment, ()), record
        if not sent:
            return (record,)
        if not self._believer.certain:
            if self._believer.begins(sent):
                self._moment = sent // self._step * self._step + self._step
            self.until = self._moment if self._believer.certain else 0
        if sent < self._moment:
            return (record,)
        if self._believer.doubts(sent):
            return (Untimely(record, late=False),)
        done: list[Sequenced] = []
        self._moment = self._believer.skip(self._moment, self._step)
        while self._moment <= sent:
            done.append(Moment(self._moment, ()))
            self._moment += self._step
        self.until = self._moment
        done.append(record)
        return done

    def poll(self, now: datetime) -> Sequence[Sequenced]:
        """Nothing: only records move this clock."""
        return ()

    def meet(self, channel: int) -> None:
        """No channel is waited for."""

    def replace(self, change: Callable[[IndexRecord], IndexRecord]) -> None:
        """Nothing: no record waits."""

    def snapshot(self) -> JsonObject:
        """See :meth:`Sequencer.snapshot`."""
        return {"moment": self._moment}

    def restore(self, snapshot: JsonObject) -> None:
        """See :meth:`Sequencer.restore`."""
        self.until = self._moment = cast("int", snapshot["moment"])
        self._believer = Believer(self._moment)
