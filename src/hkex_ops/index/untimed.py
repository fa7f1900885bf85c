"""Records without an event time, as a retransmission brings them: when were they sent?

Their packet was sent later and says nothing. But a channel is in order, so each was sent after the
one before it and not after the first that has a time again, and a trade not before its trade time.
Where a moment lies between these bounds nobody can say on which side the record was; the moment's
tick then bears its stock as a mark. Called by the event-time order alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, cast

from hkex_ops.index.records import (
    ChannelRestarted,
    IndexRecord,
    QuarantinedRecord,
    RecordsLost,
    SessionRecord,
    TradeRecord,
    record_of,
    row_of,
)
from hkex_ops.model import Json

__all__ = ["EVERY_STOCK", "Bounded", "Untimed"]

EVERY_STOCK = 0
"""Stands where a code would for all of them: no security has it."""


class Bounded(NamedTuple):
    """A record that was sent at ``earliest_ns`` or later, and not after ``latest_ns``.

    ``record`` bears the earliest time from now on. ``stock`` is whose price it moves, or
    :data:`EVERY_STOCK`.
    """

    earliest_ns: int
    latest_ns: int
    record: IndexRecord
    stock: int


class Untimed:
    """Records that wait for the next one of their channel that has a time."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[IndexRecord]] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._count

    def __contains__(self, channel: object) -> bool:
        """Whether any of ``channel`` waits."""
        return channel in self._waiting

    @staticmethod
    def waits(record: IndexRecord) -> bool:
        """Whether the record needs a time at all: it is numbered and moves something."""
        exempt = isinstance(record, RecordsLost | QuarantinedRecord | ChannelRestarted)
        return record.sequence > 0 and not exempt

    def add(self, record: IndexRecord) -> None:
        """Let it wait."""
        self._waiting.setdefault(record.channel, []).append(record)
        self._count += 1

    def settle(self, channel: int, earliest_ns: int, latest_ns: int) -> Iterator[Bounded]:
        """Those of ``channel``, in its order: all were sent between the two times."""
        waiting = self._waiting.pop(channel, [])
        self._count -= len(waiting)
        for record in waiting:
            if isinstance(record, TradeRecord):
                earliest_ns = max(earliest_ns, min(record.trade_time_ns, latest_ns))
            timed = record._replace(send_time_ns=earliest_ns)
            stock = EVERY_STOCK if isinstance(record, SessionRecord) else _stock_of(record)
            yield Bounded(earliest_ns, latest_ns, timed, stock)

    def replace(self, change: Callable[[IndexRecord], IndexRecord]) -> None:
        """Let ``change`` put another record in the place of any that waits."""
        for channel, waiting in self._waiting.items():
            self._waiting[channel] = [change(record) for record in waiting]

    def channels(self) -> tuple[int, ...]:
        """The channels of which something waits."""
        return tuple(self._waiting)

    def snapshot(self) -> Sequence[Json]:
        """What waits, as plain data."""
        return [row_of(record) for waiting in self._waiting.values() for record in waiting]

    def restore(self, rows: Sequence[Json]) -> None:
        """Let wait what ``rows`` tell of."""
        self._waiting, self._count = {}, 0
        for row in rows:
            self.add(record_of(cast("Sequence[Json]", row)))


def _stock_of(record: IndexRecord) -> int:
    return getattr(record, "security", EVERY_STOCK)
