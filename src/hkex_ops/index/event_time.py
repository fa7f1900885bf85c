"""The order by event time, in which engines that capture for themselves agree tick by tick.

What is worked before a moment is what was sent before it, on every channel; so a moment waits for
channels, and records wait for moments. Knows no price. :mod:`hkex_ops.index.sequencing` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import cast

from hkex_ops.index.orders import HELD_RECORDS, Believer, Moment, Sequenced, Untimely
from hkex_ops.index.records import IndexRecord, RecordsLost, record_of, row_of
from hkex_ops.index.untimed import Untimed
from hkex_ops.model import Json, JsonObject

__all__ = ["EventTimeOrder"]


class EventTimeOrder:
    """Tick T holds exactly the records sent before T on every channel, whatever came first.

    A record sent at or after the next moment waits until the moment closes: when every channel has
    passed it, or ``settle`` after the first one did.
    """

    def __init__(
        self, step_ns: int, settle: timedelta, channels: Iterable[int] = (), first_ns: int = 0
    ) -> None:
        self.since: int = 1
        self.until: int = first_ns
        self.gate: Callable[[int], bool] | None = None
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
        self._believer = Believer(first_ns)
        self._hold_until = 0
        self._free()

    @property
    def next_moment(self) -> int:
        """See :attr:`Sequencer.next_moment`."""
        return self._moment

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
        """Close every moment that has settled, or that the gate kept open."""
        if self._moment >= self._frontier:
            return ()
        if not self._passings:  # restored: it begins to settle anew
            self._passings.append((self._moment, now))
        return self._close(now) if self._may_close(now) else ()

    def meet(self, channel: int) -> None:
        """See :meth:`Sequencer.meet`. It is waited for until it has passed the next moment."""
        self._clocks.setdefault(channel, 0)

    def replace(self, change: Callable[[IndexRecord], IndexRecord]) -> None:
        """See :meth:`Sequencer.replace`."""
        self._held = [change(record) for record in self._held]
        self._later = [(sent, change(record)) for sent, record in self._later]
        self._untimed.replace(change)

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
        if isinstance(record, RecordsLost):
            return self._lost(record)
        if not self._untimed.waits(record):
            return (record,)
        done: list[Sequenced] = []
        if len(self._untimed) >= HELD_RECORDS:
            for channel in self._untimed.channels():
                self._settle_untimed(channel, self._frontier, done)
        self._untimed.add(record)
        self._free()
        return done

    def _lost(self, record: RecordsLost) -> Sequence[Sequenced]:
        """What was lost was sent after all that came of its channel.

        It is told at once, since nobody knows what else is doubtful, but counts for no number; and
        again behind what is held, which came before it and must not pass for newer.
        """
        clock = self._clocks.get(record.channel, 0)
        if clock < self._moment:
            return (record,)
        self._place(clock, record._replace(send_time_ns=clock), [])
        return (record._replace(begin=0, sequence=0),)

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
        if len(self._held) > HELD_RECORDS or len(self._later) > HELD_RECORDS:
            return True
        settled = len(self._past) == len(self._clocks) or (
            bool(self._passings) and now - self._passings[0][1] >= self._settle
        )
        return settled and (self.gate is None or self.gate(self._moment))

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
        self._believer = Believer(self._moment)
        self._free()
