"""A recorded day in the one order: rows of trades in stretches, moments between them, rare records.

A recalculation has all trades of a slice at once and wants to work through them in stretches, not
one by one. This puts stretches into the order that :mod:`hkex_ops.index.sequencing` defines, and
asks :class:`~hkex_ops.index.day.TradingDay` which moments have a value. Knows no price. Called by
the recalculations of this room, whichever way they compute.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Generic, NamedTuple, TypeAlias, TypeVar, cast

from hkex_ops.errors import UsageError
from hkex_ops.index.day import TradingDay
from hkex_ops.index.records import (
    ClosingPriceRecord,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    RecordsLost,
    SessionRecord,
    TimePassed,
    TradeCancelRecord,
)
from hkex_ops.index.rules import NS_PER_MS, IndexRules, TickOrder
from hkex_ops.index.sequencing import (
    ArrivalOrder,
    Moment,
    Sequenced,
    Untimely,
    make_sequencer,
)
from hkex_ops.model import IndexStatus

__all__ = [
    "Between",
    "Due",
    "Passed",
    "Pricing",
    "Rare",
    "Reached",
    "Standing",
    "Step",
    "Stretch",
    "Timeline",
]

R = TypeVar("R")

Pricing: TypeAlias = (
    TradeCancelRecord | PreviousCloseRecord | ClosingPriceRecord | CurrencyRateRecord
)
"""The rare records that change a price or a weight."""

Rare: TypeAlias = Pricing | RecordsLost
"""What else is worked beside trades."""


class Standing(NamedTuple):
    """Until here nothing came of ``channel`` since what was sent at ``since_ns``; 0 when nothing
    ever came, and nobody knew of it."""

    channel: int
    since_ns: int


class Passed(NamedTuple):
    """Everything of ``channel`` that was sent before ``at_ns`` has come."""

    channel: int
    at_ns: int


class Reached(NamedTuple):
    """It is ``at_ns``; where ``asked``, whatever settles by then settles."""

    at_ns: int
    asked: bool


Between: TypeAlias = tuple[int, int, IndexRecord | Standing | Passed | Reached | None]
"""What stands before the row whose number comes first: a record, with the time at which it was
sent; or none, and the rows from there on were sent in the interval of that time."""

_NOBODY = -1  # the slowest channel; unheard, while none is waited for: moments then settle
_EVERYBODY = 0

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ASKED_NS = 100_000_000
"""On the grid of this a live engine is asked what has settled."""


class Stretch(NamedTuple, Generic[R]):
    """Rows ``begin`` to ``end`` (exclusive) of a slice, to be worked one after the other.

    The first two fields make it a record to whoever puts records in order.
    """

    channel: int
    send_time_ns: int
    rows: R
    begin: int
    end: int


class _Lost(NamedTuple):
    """What was lost, at its place in the order; the first two fields make it a record too."""

    channel: int
    send_time_ns: int
    record: RecordsLost


class Due(NamedTuple):
    """A moment that has a value; everything that belongs before it has been worked.

    ``missing`` are the channels of which that is not known, because they had not passed the moment
    when it was closed. ``closing_lost``: a closing price may be among what was lost.
    """

    time_ns: int
    status: IndexStatus
    missing: tuple[int, ...] = ()
    closing_lost: bool = False


Step: TypeAlias = Stretch[R] | Due | Rare

_WORKED = (
    Stretch,
    TradeCancelRecord,
    PreviousCloseRecord,
    ClosingPriceRecord,
    CurrencyRateRecord,
    RecordsLost,
)


class Timeline(Generic[R]):
    """The order of one day. ``R`` is whatever holds the rows of a slice."""

    def __init__(self, rules: IndexRules, first_ns: int | None = None) -> None:
        """With ``first_ns`` there is a value at every moment from then on, whatever the session."""
        self._order = make_sequencer(rules, (_NOBODY, _EVERYBODY), first_ns)
        self._arrival = self._order if isinstance(self._order, ArrivalOrder) else None
        self._day = TradingDay(rules, first_ns)
        self._settle_ns = rules.settle_ms * NS_PER_MS
        self._sent_ns = 0
        self._newest_ns = 0
        self._settles = rules.order is TickOrder.EVENT_TIME
        self._now = _instant(0)
        self._standing: dict[int, deque[int]] = {}
        self._clocks: dict[int, int] = {}  # of channels, while messages are waited for
        self._closing_lost = False

    def take(self, rows: R, count: int, marks: Iterable[Between]) -> list[Step[R]]:
        """The next ``count`` rows, and what stands between them.

        Whoever reads says of every channel that is behind at the end of a slice that it stands.
        `UsageError` when event time orders them and something was sent at time 0, which is none:
        an engine bounds such a record by those before and behind it, and rows are not that much.
        """
        steps: list[Step[R]] = []
        order, arrival = self._order, self._arrival
        since, moment = order.since, order.moment
        at = 0
        for place, sent_ns, record in self._foresee(marks):
            if place > at:
                self._stretch(Stretch(_EVERYBODY, self._sent_ns, rows, at, place), steps)
                at = place
            if record is None:
                self._sent_ns = sent_ns
                if since <= sent_ns < moment:
                    continue
                if arrival is not None and arrival.step_on(sent_ns):
                    self._due(moment, steps)
                else:
                    self._arrive(TimePassed(_EVERYBODY, 0, sent_ns), steps)
            elif isinstance(record, Standing):
                # Whatever settles by then settles without what the channel has to say.
                self._settle(sent_ns // ASKED_NS * ASKED_NS, steps)
                self._standing[record.channel].popleft()
            elif isinstance(record, Passed):
                self._channel_passed(record, steps)
            elif isinstance(record, Reached):
                self._note_time(record.at_ns)
                if record.asked:
                    self._settle(record.at_ns, steps)
            elif isinstance(record, RecordsLost):
                self._lost(record, sent_ns, steps)
            else:
                self._require_time(sent_ns)
                self._arrive(record, steps)
            since, moment = order.since, order.moment
        if count > at:
            self._stretch(Stretch(_EVERYBODY, self._sent_ns, rows, at, count), steps)
        return steps

    def close(self, marks: Iterable[Between] = ()) -> list[Step[R]]:
        """Nothing more will come, or not for a long while: what waits is worked.

        ``marks`` say of every channel where it stands.
        """
        steps: list[Step[R]] = []
        self._foresee(marks)
        for one in self._order.poll(_instant(self._newest_ns + self._settle_ns)):
            self._tell(one, steps)
        return steps

    def _foresee(self, marks: Iterable[Between]) -> list[Between]:
        """``marks``; from here on it is known for how long each channel will stand."""
        self._standing.clear()
        found = list(marks)
        for _, _, record in found:
            if isinstance(record, Standing):
                self._standing.setdefault(record.channel, deque()).append(record.since_ns)
        return found

    def _missing(self, time_ns: int) -> tuple[int, ...]:
        """The channels that have not passed a moment that closes now."""
        if not self._settles:
            return ()
        standing = self._standing.items()
        return tuple(sorted(one for one, since in standing if since and 0 < since[0] < time_ns))

    def _stretch(self, stretch: Stretch[R], steps: list[Step[R]]) -> None:
        order = self._order
        if order.since <= stretch.send_time_ns < order.moment:
            steps.append(stretch)
        else:
            self._require_time(stretch.send_time_ns)
            self._arrive(cast("IndexRecord", stretch), steps)

    def _require_time(self, sent_ns: int) -> None:
        if self._settles and not sent_ns:
            raise UsageError(
                "a packet without a send time has no place in the order of event time here"
            )

    def _arrive(self, record: IndexRecord, steps: list[Step[R]]) -> None:
        # What has settled by the time of whatever came before, as an engine that is asked after it.
        if self._settles and record.send_time_ns > self._newest_ns:
            self._settle(self._newest_ns // ASKED_NS * ASKED_NS, steps)
            self._note_time(record.send_time_ns)
        for one in self._order.arrive(record, self._now):
            if type(one) is not TimePassed:
                self._tell(one, steps)

    def _lost(self, record: RecordsLost, sent_ns: int, steps: list[Step[R]]) -> None:
        """What was lost behind something that was sent at ``sent_ns`` is told at once, and again
        behind what is held and came before it."""
        self._tell(record, steps)
        if self._settles and sent_ns >= self._order.moment:
            self._arrive(cast("IndexRecord", _Lost(_EVERYBODY, sent_ns, record)), steps)

    def _channel_passed(self, passed: Passed, steps: list[Step[R]]) -> None:
        """Where all channels have passed a moment it closes, as on the day."""
        self._clocks[passed.channel] = passed.at_ns
        slowest_ns = min(self._clocks.values())
        if slowest_ns >= self._order.moment:
            self._arrive(TimePassed(_NOBODY, 0, slowest_ns), steps)

    def _note_time(self, time_ns: int) -> None:
        if self._settles and time_ns > self._newest_ns:
            self._newest_ns = time_ns
            self._now = _instant(time_ns)

    def _settle(self, time_ns: int, steps: list[Step[R]]) -> None:
        """Let settle what has waited long enough by then."""
        if self._settles:
            for one in self._order.poll(_instant(time_ns)):
                self._tell(one, steps)

    def _due(self, time_ns: int, steps: list[Step[R]]) -> None:
        status = self._day.status_at(time_ns)
        if status is not None:
            missing = self._missing(time_ns) if self._standing else ()
            steps.append(Due(time_ns, status, missing, self._closing_lost))

    def _tell(self, one: Sequenced, steps: list[Step[R]]) -> None:
        if type(one) is Moment:
            self._due(one.time_ns, steps)
            return
        if isinstance(one, Untimely):
            one = one.record
        lost = cast("object", one)
        if isinstance(lost, _Lost):
            one = lost.record
        if isinstance(one, SessionRecord):
            self._day.handle(one, one.send_time_ns)
            self._closing_lost = self._closing_lost and not self._day.trading
        elif isinstance(one, _WORKED):
            if type(one) is RecordsLost:
                self._closing_lost = self._closing_lost or not self._day.trading
            steps.append(cast("Step[R]", one))


def _instant(time_ns: int) -> datetime:
    """For whoever settles, and only compares: in no zone that would have to be looked up."""
    return _EPOCH + timedelta(microseconds=time_ns // 1_000)
