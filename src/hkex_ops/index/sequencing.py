"""One order for everything: records and moments of ticks in the single sequence that is worked.

All that an engine does is done by one writer in this order, the matching indicator like any other
record, so that there is no second process for it to clash with. Two orders are on offer, see
:class:`~hkex_ops.index.rules.TickOrder`. Knows no price and no index; the engine calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeAlias, cast

from hkex_ops.index.records import IndexRecord, TradeRecord, record_of, row_of
from hkex_ops.index.rules import NS_PER_S, IndexRules, TickOrder
from hkex_ops.model import Json, JsonObject

__all__ = [
    "HELD_RECORDS",
    "LEAP_S",
    "ArrivalOrder",
    "EventTimeOrder",
    "Moment",
    "Sequenced",
    "Sequencer",
    "Untimely",
    "make_sequencer",
]

HELD_RECORDS = 200_000
"""How many records may wait for a slow channel; with more the moment closes without it."""

LEAP_S = 4 * 3600
"""A record this far ahead of everything heard is not believed until a second one agrees."""


class Moment(NamedTuple):
    """A tick is due: everything that belongs before ``time_ns`` has been worked.

    ``missing`` are channels of which that is not known, because they had not passed the moment
    when it was closed all the same.
    """

    time_ns: int
    missing: tuple[int, ...]


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

    A record of a known channel may be worked at once, without asking, while
    ``sequencer.since <= record.send_time_ns < sequencer.moment``; ``moment`` is the next one to
    close. Everything else goes through :meth:`arrive`.
    """

    since: int
    moment: int

    def arrive(self, record: IndexRecord, now: datetime) -> Sequence[Sequenced]:
        """Take a record; what is to be worked now, in order."""
        ...

    def poll(self, now: datetime) -> Sequence[Sequenced]:
        """What is to be worked because time has passed."""
        ...

    def meet(self, channel: int) -> None:
        """Know that there is ``channel``, from a record that was worked without asking."""
        ...

    def snapshot(self) -> JsonObject:
        """Where it stands, as plain data."""
        ...

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood."""
        ...


def make_sequencer(rules: IndexRules, channels: Iterable[int] = ()) -> Sequencer:
    """The sequencer that the rules name; ``channels`` are to be waited for from the start."""
    if rules.order is TickOrder.ARRIVAL:
        return ArrivalOrder(rules.interval_ns)
    return EventTimeOrder(rules.interval_ns, timedelta(milliseconds=rules.settle_ms), channels)


class _Believer:
    """Takes no single record's word for a leap in time; two that agree are believed."""

    def __init__(self) -> None:
        self._newest = 0
        self._doubted = 0

    def doubts(self, sent_ns: int) -> bool:
        """Whether ``sent_ns`` is to be ignored. Learns from every time that it is shown."""
        limit = LEAP_S * NS_PER_S
        if self._newest and sent_ns > self._newest + limit:
            if not self._doubted or abs(sent_ns - self._doubted) > limit:
                self._doubted = sent_ns
                return True
            self._doubted = 0
        self._newest = max(self._newest, sent_ns)
        return False

    def skip(self, moment: int, step_ns: int) -> int:
        """The first moment to close: after a leap, those of the time leapt over are not made up."""
        return max(moment, (self._newest - LEAP_S * NS_PER_S) // step_ns * step_ns)


class EventTimeOrder:
    """Tick T holds exactly the records sent before T on every channel, whatever came first.

    A record sent at or after the next moment waits until the moment closes: when every channel has
    passed it, or ``settle`` after the first one did.
    """

    def __init__(self, step_ns: int, settle: timedelta, channels: Iterable[int] = ()) -> None:
        self.since = 1
        self.moment = 0
        self._step = step_ns
        self._settle = settle
        self._clocks: dict[int, int] = dict.fromkeys(channels, 0)
        self._past: set[int] = set()  # the channels that have passed the moment
        self._held: list[IndexRecord] = []  # records of the interval after the moment
        self._later: list[tuple[int, IndexRecord]] = []  # records of intervals after that
        self._passings: list[tuple[int, datetime]] = []  # when moments were first passed
        self._frontier = 0  # the first moment that no channel has passed
        self._believer = _Believer()

    def arrive(self, record: IndexRecord, now: datetime) -> Sequence[Sequenced]:
        """See :meth:`Sequencer.arrive`."""
        sent = record.send_time_ns
        channel = record.channel
        # While one channel is waited for, most records come this way.
        if channel in self._past and self.moment <= sent < self.moment + self._step:
            self._held.append(record)
            return () if len(self._held) <= HELD_RECORDS else self._close(now)
        if not sent:
            return self._recovered(record)
        if not self.moment:
            self._begin(sent)
        if sent >= self._frontier:
            if self._believer.doubts(sent):
                return (Untimely(record, late=False),)
            self._passings.append((self._frontier, now))
            self._frontier = sent // self._step * self._step + self._step
        if sent > self._clocks.get(channel, -1):
            self._clocks[channel] = sent
        if sent < self.moment:
            return (record,) if sent >= self.since else (Untimely(record, late=True),)
        self._hold(sent, record)
        self._past.add(channel)
        if len(self._past) < len(self._clocks) and len(self._later) <= HELD_RECORDS:
            return ()
        return self._close(now)

    def poll(self, now: datetime) -> Sequence[Sequenced]:
        """Close every moment that has settled."""
        if self.moment >= self._frontier:
            return ()
        if not self._passings:  # restored: it begins to settle anew
            self._passings.append((self.moment, now))
        return self._close(now) if now - self._passings[0][1] >= self._settle else ()

    def meet(self, channel: int) -> None:
        """See :meth:`Sequencer.meet`. It is waited for until it has passed the next moment."""
        self._clocks.setdefault(channel, 0)

    def _begin(self, sent: int) -> None:
        self._believer.doubts(sent)
        self.moment = self._frontier = sent // self._step * self._step + self._step

    def _hold(self, sent: int, record: IndexRecord) -> None:
        if sent < self.moment + self._step:
            self._held.append(record)
        else:
            self._later.append((sent, record))

    def _recovered(self, record: IndexRecord) -> Sequence[Sequenced]:
        """It has no event time; a trade counts at its trade time, all else at once."""
        if not isinstance(record, TradeRecord) or not self.moment:
            return (record,)
        if record.trade_time_ns >= self.moment:
            self._hold(record.trade_time_ns, record)
            return ()
        late = record.trade_time_ns < self.since
        return (Untimely(record, late=True),) if late else (record,)

    def _close(self, now: datetime) -> Sequence[Sequenced]:
        done: list[Sequenced] = []
        while self.moment < self._frontier and self._may_close(now):
            behind = self._clocks.keys() - self._past
            done.append(Moment(self.moment, tuple(sorted(behind))))
            self.since = self.moment
            self.moment = self._believer.skip(self.moment + self._step, self._step)
            while self._passings and self._next_passing() <= self.moment:
                del self._passings[0]
            done += self._held
            self._held = []
            later, self._later = self._later, []
            for sent, record in later:
                if sent < self.moment:
                    done.append(record)
                else:
                    self._hold(sent, record)
            moment = self.moment
            self._past = {one for one, clock in self._clocks.items() if clock >= moment}
        return done

    def _may_close(self, now: datetime) -> bool:
        if len(self._past) == len(self._clocks):
            return True
        if len(self._held) > HELD_RECORDS or len(self._later) > HELD_RECORDS:
            return True
        return bool(self._passings) and now - self._passings[0][1] >= self._settle

    def _next_passing(self) -> int:
        """Of which moment the note after the oldest tells."""
        return self._passings[1][0] if len(self._passings) > 1 else self._frontier

    def snapshot(self) -> JsonObject:
        """See :meth:`Sequencer.snapshot`. What settles begins to settle anew when restored."""
        held = [*((record.send_time_ns, record) for record in self._held), *self._later]
        return {
            "since": self.since,
            "moment": self.moment,
            "frontier": self._frontier,
            "clocks": [list(pair) for pair in sorted(self._clocks.items())],
            "held": [[sent, row_of(record)] for sent, record in held],
        }

    def restore(self, snapshot: JsonObject) -> None:
        """See :meth:`Sequencer.restore`."""
        self.since = cast("int", snapshot["since"])
        self.moment = cast("int", snapshot["moment"])
        self._frontier = cast("int", snapshot["frontier"])
        self._clocks = dict(cast("Sequence[tuple[int, int]]", snapshot["clocks"]))
        self._past = {one for one, clock in self._clocks.items() if clock >= self.moment}
        self._held, self._later = [], []
        for sent, row in cast("Sequence[tuple[int, Sequence[Json]]]", snapshot["held"]):
            self._hold(max(sent, self.moment), record_of(row))


class ArrivalOrder:
    """Tick T holds what was delivered before the first record sent at or after T.

    The clock is the highest send time delivered so far, on whatever channel.
    """

    def __init__(self, step_ns: int) -> None:
        self.since = 1
        self.moment = 0
        self._step = step_ns
        self._believer = _Believer()

    def arrive(self, record: IndexRecord, now: datetime) -> Sequence[Sequenced]:
        """See :meth:`Sequencer.arrive`."""
        sent = record.send_time_ns
        if not self.moment:
            if sent:
                self._believer.doubts(sent)
                self.moment = sent // self._step * self._step + self._step
            return (record,)
        if sent < self.moment:
            return (record,)
        if self._believer.doubts(sent):
            return (Untimely(record, late=False),)
        done: list[Sequenced] = []
        self.moment = self._believer.skip(self.moment, self._step)
        while self.moment <= sent:
            done.append(Moment(self.moment, ()))
            self.moment += self._step
        done.append(record)
        return done

    def poll(self, now: datetime) -> Sequence[Sequenced]:
        """Nothing: only records move this clock."""
        return ()

    def meet(self, channel: int) -> None:
        """No channel is waited for."""

    def snapshot(self) -> JsonObject:
        """See :meth:`Sequencer.snapshot`."""
        return {"moment": self.moment}

    def restore(self, snapshot: JsonObject) -> None:
        """See :meth:`Sequencer.restore`."""
        self.moment = cast("int", snapshot["moment"])
