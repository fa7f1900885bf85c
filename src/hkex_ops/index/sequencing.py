"""One order for everything: records and moments of ticks in the single sequence that is worked.

All that an engine does is done by one writer in this order, the matching indicator like any other
record, so that there is no second process for it to clash with. Two orders are on offer, see
:class:`~hkex_ops.index.rules.TickOrder`. Knows no price and no index; the engine calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeAlias, cast

from hkex_ops.index.records import IndexRecord, record_of, row_of
from hkex_ops.index.rules import NS_PER_S, IndexRules, TickOrder
from hkex_ops.index.untimed import Untimed
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

    def snapshot(self) -> JsonObject:
        """Where it stands, as plain data."""
        ...

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood."""
        ...


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


class _Believer:
    """Takes no single record's word for a leap in time; two that agree are believed.

    That holds for the first record of all too: only a second one near it makes a beginning.
    """

    def __init__(self, newest_ns: int) -> None:
        self.certain = newest_ns > 0
        self._newest = newest_ns
        self._doubted = 0

    def begins(self, sent_ns: int) -> bool:
        """Whether the order begins, or begins anew, at ``sent_ns``; not once it is certain."""
        if self._newest and sent_ns + _LEAP_NS >= self._newest:
            self.certain = sent_ns <= self._newest + _LEAP_NS
            return False
        self._newest = sent_ns
        return True

    def doubts(self, sent_ns: int) -> bool:
        """Whether ``sent_ns`` is to be ignored. Learns from every time that it is shown."""
        if sent_ns > self._newest + _LEAP_NS:
            if not self._doubted or abs(sent_ns - self._doubted) > _LEAP_NS:
                self._doubted = sent_ns
                return True
            self._doubted = 0
        self._newest = max(self._newest, sent_ns)
        return False

    def skip(self, moment: int, step_ns: int) -> int:
        """The first moment to close: after a leap, those of the time leapt over are not made up."""
        return max(moment, (self._newest - _LEAP_NS) // step_ns * step_ns)


class EventTimeOrder:
    """Tick T holds exactly the records sent before T on every channel, whatever came first.

    A record sent at or after the next moment waits until the moment closes: when every channel has
    passed it, or ``settle`` after the first one did.
    """

    def __init__(
        self, step_ns: int, settle: timedelta, channels: Iterable[int] = (), first_ns: int = 0
    ) -> None:
        self.since = 1
        self.until = first_ns
        self._moment = first_ns  # the next one to close
        self._step = step_ns
        self._settle = settle
        self._clocks: dict[int, int] = dict.fromkeys(channels, 0)
        self._past: set[int] = set()  # the channels that have passed the moment
        self._held: list[IndexRecord] = []  # records of the interval after the moment
        self._later: list[tuple[int, IndexRecord]] = []  # records of intervals after that
        self._passings: list[tuple[int, datetime]] = []  # when moments were first passed
        self._frontier = first_ns  # the first moment that no channel has passed
        self._untimed = Untimed()
        self._doubtful: dict[int, set[int]] = {}
        self._believer = _Believer(first_ns)
        self._hold_until = 0
        self._free()

    @property
    def moment(self) -> int:
        """See :attr:`Sequencer.moment`."""
        return self.until

    def arrive(self, record: IndexRecord, now: datetime) -> Sequence[Sequenced]:
        """See :meth:`Sequencer.arrive`."""
        sent = record.send_time_ns
        channel = record.channel
        # While one channel is waited for, most records come this way.
        if channel in self._past and self._moment <= sent < self._hold_until:
            self._held.append(record)
            return () if len(self._held) <= HELD_RECORDS else self._close(now)
        if not sent:
            return self._recovered(record)
        if not self._believer.certain:
            self._begin(sent)
        if sent >= self._frontier:
            if self._believer.doubts(sent):
                return (Untimely(record, late=False),)
            self._passings.append((self._frontier, now))
            self._frontier = sent // self._step * self._step + self._step
        done: list[Sequenced] = []
        if channel in self._untimed:
            self._settle_untimed(channel, sent, done)
        if sent > self._clocks.get(channel, -1):
            self._clocks[channel] = sent
        self._place(sent, record, done)
        if sent < self._moment:
            return done
        self._past.add(channel)
        if len(self._past) == len(self._clocks) or len(self._later) > HELD_RECORDS:
            done += self._close(now)
        return done

    def poll(self, now: datetime) -> Sequence[Sequenced]:
        """Close every moment that has settled."""
        if self._moment >= self._frontier:
            return ()
        if not self._passings:  # restored: it begins to settle anew
            self._passings.append((self._moment, now))
        return self._close(now) if now - self._passings[0][1] >= self._settle else ()

    def meet(self, channel: int) -> None:
        """See :meth:`Sequencer.meet`. It is waited for until it has passed the next moment."""
        self._clocks.setdefault(channel, 0)

    def _begin(self, sent: int) -> None:
        """The first records, until it is certain that their times are no accident."""
        if self._believer.begins(sent):
            self._clocks = dict.fromkeys(self._clocks, 0)
            self._past.clear()
            self._moment = self._frontier = sent // self._step * self._step + self._step
        self._free()

    def _free(self) -> None:
        """While records wait for a time none may be worked, or held, before them."""
        free = not len(self._untimed) and self._believer.certain
        self.until = self._moment if free else 0
        self._hold_until = self._moment + self._step if free else 0

    def _place(self, sent: int, record: IndexRecord, done: list[Sequenced]) -> None:
        """Work it now, or hold it until its moment has closed."""
        if sent < self.since:
            done.append(Untimely(record, late=True))
        elif sent < self._moment:
            done.append(record)
        elif sent < self._moment + self._step:
            self._held.append(record)
        else:
            self._later.append((sent, record))

    def _recovered(self, record: IndexRecord) -> Sequence[Sequenced]:
        """It has no event time: it waits for the next record of its channel that has one."""
        if not self._untimed.waits(record):
            return (record,)
        done: list[Sequenced] = []
        if len(self._untimed) >= HELD_RECORDS:
            for channel in self._untimed.channels():
                self._settle_untimed(channel, self._frontier, done)
        self._untimed.add(record)
        self._free()
        return done

    def _settle_untimed(self, channel: int, latest: int, done: list[Sequenced]) -> None:
        earliest = max(self._clocks.get(channel, 0), min(self.since, latest))
        for one in self._untimed.settle(channel, earliest, latest):
            first = max(self._moment, one.earliest_ns // self._step * self._step + self._step)
            for moment in range(first, latest + 1, self._step):
                self._doubtful.setdefault(moment, set()).add(one.stock)
            self._place(one.earliest_ns, one.record, done)
        self._free()

    def _close(self, now: datetime) -> Sequence[Sequenced]:
        done: list[Sequenced] = []
        while self._moment < self._frontier and self._may_close(now):
            behind = self._clocks.keys() - self._past
            doubtful = self._doubtful.pop(self._moment, ())
            done.append(Moment(self._moment, tuple(sorted(behind)), tuple(doubtful)))
            self.since = self._moment
            self._moment = self._believer.skip(self._moment + self._step, self._step)
            while self._passings and self._next_passing() <= self._moment:
                del self._passings[0]
            done += self._held
            self._held = []
            later, self._later = self._later, []
            for sent, record in later:
                self._place(sent, record, done)
            moment = self._moment
            self._past = {one for one, clock in self._clocks.items() if clock >= moment}
        self._free()
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
        held = [*self._held, *(record for _, record in self._later)]
        return {
            "since": self.since,
            "moment": self._moment,
            "frontier": self._frontier,
            "clocks": [list(pair) for pair in sorted(self._clocks.items())],
            "held": [row_of(record) for record in held],
            "untimed": self._untimed.snapshot(),
            "doubtful": [[moment, *sorted(one)] for moment, one in self._doubtful.items()],
        }

    def restore(self, snapshot: JsonObject) -> None:
        """See :meth:`Sequencer.restore`."""
        self.since = cast("int", snapshot["since"])
        self._moment = cast("int", snapshot["moment"])
        self._frontier = cast("int", snapshot["frontier"])
        self._clocks = dict(cast("Sequence[tuple[int, int]]", snapshot["clocks"]))
        self._past = {one for one, clock in self._clocks.items() if clock >= self._moment}
        self._held, self._later, self._passings = [], [], []
        for row in cast("Sequence[Sequence[Json]]", snapshot["held"]):
            record = record_of(row)
            self._place(record.send_time_ns, record, [])
        self._untimed.restore(cast("Sequence[Json]", snapshot["untimed"]))
        rows = cast("Sequence[Sequence[int]]", snapshot["doubtful"])
        self._doubtful = {moment: set(stocks) for moment, *stocks in rows}
        self._believer = _Believer(self._moment)
        self._free()


class ArrivalOrder:
    """Tick T holds what was delivered before the first record sent at or after T.

    The clock is the highest send time delivered so far, on whatever channel.
    """

    def __init__(self, step_ns: int, first_ns: int = 0) -> None:
        self.since = 1
        self.until = first_ns
        self._moment = first_ns
        self._step = step_ns
        self._believer = _Believer(first_ns)

    @property
    def moment(self) -> int:
        """See :attr:`Sequencer.moment`."""
        return self.until

    def arrive(self, record: IndexRecord, now: datetime) -> Sequence[Sequenced]:
        """See :meth:`Sequencer.arrive`."""
        sent = record.send_time_ns
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

    def snapshot(self) -> JsonObject:
        """See :meth:`Sequencer.snapshot`."""
        return {"moment": self._moment}

    def restore(self, snapshot: JsonObject) -> None:
        """See :meth:`Sequencer.restore`."""
        self.until = self._moment = cast("int", snapshot["moment"])
        self._believer = _Believer(self._moment)
