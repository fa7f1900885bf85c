"""What an order of records is: moments, records that come at the wrong time, belief in a time.

The vocabulary that :mod:`hkex_ops.index.sequencing` and its two orders share. Decides nothing about
which record comes before which, and knows no price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from hkex_ops.index.records import (
    ChannelRestarted,
    IndexRecord,
    QuarantinedRecord,
    RecordsLost,
    TimePassed,
    TradeRecord,
)
from hkex_ops.index.rules import NS_PER_S
from hkex_ops.model import JsonObject

__all__ = [
    "HELD_RECORDS",
    "LEAP_S",
    "Believer",
    "Moment",
    "Sequenced",
    "Sequencer",
    "Untimely",
    "held_back",
]

HELD_RECORDS = 200_000
"""How many records may wait for a slow channel; with more the moment closes without it."""

LEAP_S = 4 * 3600
"""A record this far ahead of everything heard is not believed until a second one agrees."""

_LEAP_NS = LEAP_S * NS_PER_S


class Moment(NamedTuple):
    """A tick is due: everything that belongs before ``time_ns`` has been worked.

    ``missing`` are channels of which that is not known, because they had not passed the moment
    when it was closed all the same. ``doubtful`` are stocks of which a record came without a time
    and may belong before it or after it; :data:`~hkex_ops.index.untimed.EVERY_STOCK` is all.
    """

    time_ns: int
    missing: tuple[int, ...]
    doubtful: tuple[int, ...] = ()


class Untimely(NamedTuple):
    """A record that is worked where it stands, though its event time says otherwise.

    ``late``: it was sent before a moment that has closed. Otherwise it claims a time so far ahead
    of everything heard that nobody believes it.
    """

    record: IndexRecord
    late: bool


Sequenced: TypeAlias = "IndexRecord | Moment | Untimely"


class Sequencer(Protocol):
    """Puts what arrives into the one order.

    A record may be worked at once, without asking, while
    ``sequencer.since <= record.send_time_ns < sequencer.until``. Everything else goes through
    :meth:`arrive`.
    """

    since: int
    until: int
    gate: Callable[[int], bool] | None
    """Asked before a moment is closed on which records wait; while it says no, they go on waiting
    and :meth:`poll` asks again."""

    @property
    def next_moment(self) -> int:
        """The next moment to close."""
        ...

    @property
    def moment(self) -> int:
        """From this time on even the mere passing of time has to be told."""
        ...

    def arrive(self, record: IndexRecord, now: datetime) -> Sequence[Sequenced]:
        """Take a record; what is to be worked now, in order."""
        ...

    def poll(self, now: datetime) -> Sequence[Sequenced]:
        """What is to be worked because time has passed."""
        ...

    def meet(self, channel: int) -> None:
        """Know that there is ``channel``, from a record that was worked without asking."""
        ...

    def replace(self, change: Callable[[IndexRecord], IndexRecord]) -> None:
        """Let ``change`` put another record in the place of any that waits."""
        ...

    def snapshot(self) -> JsonObject:
        """Where it stands, as plain data."""
        ...

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood."""
        ...


class Believer:
    """Takes no single record's word for a leap in time; two that agree are believed.

    That holds for the first record of all too: only a second one near it makes a beginning.
    """

    def __init__(self, newest_ns: int) -> None:
        self.certain: bool = newest_ns > 0
        self.newest: int = newest_ns
        """The highest time that was believed."""
        self._doubted = 0

    def begins(self, sent_ns: int) -> bool:
        """Whether the order begins, or begins anew, at ``sent_ns``; not once it is certain."""
        if self.newest and sent_ns + _LEAP_NS >= self.newest:
            self.certain = sent_ns <= self.newest + _LEAP_NS
            return False
        self.newest = sent_ns
        return True

    def doubts(self, sent_ns: int) -> bool:
        """Whether ``sent_ns`` is to be ignored. Learns from every time that it is shown."""
        if sent_ns > self.newest + _LEAP_NS:
            if not self._doubted or abs(sent_ns - self._doubted) > _LEAP_NS:
                self._doubted = sent_ns
                return True
            self._doubted = 0
        self.newest = max(self.newest, sent_ns)
        return False

    def skip(self, moment: int, step_ns: int) -> int:
        """The first moment to close: after a leap, those of the time leapt over are not made up."""
        return max(moment, (self.newest - _LEAP_NS) // step_ns * step_ns)


def held_back(record: IndexRecord, reason: str) -> IndexRecord:
    """What takes the place of a record that must not be worked; of what says no more than that
    something is missing or past, itself."""
    if isinstance(record, RecordsLost | QuarantinedRecord | TimePassed | ChannelRestarted):
        return record
    return QuarantinedRecord(
        record.channel,
        record.sequence,
        getattr(record, "security", 0),
        record.trade_id if isinstance(record, TradeRecord) else 0,
        reason,
        record.send_time_ns,
    )
