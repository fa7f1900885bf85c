"""Captures of a market feed computed again: files in, the index values of that day out.

For whoever asks afterwards what an index would have been: recalculation, settlement and calls. A
capture is read in slices, so memory does not grow with it beyond the ticks that are wanted; and to
its very end, since one that is cut off or damaged gives nothing at all. What the capture itself
lacks is told beside the ticks. The arithmetic is :mod:`hkex_ops.index.recalculation`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from io import FileIO
from pathlib import Path

from attrs import Factory, define, field, frozen

from hkex_ops.calendars import BusinessDay
from hkex_ops.errors import ConfigError, WireError
from hkex_ops.flows.index.recomputing_ways import Way, way_for
from hkex_ops.flows.index.translate import record_of_message
from hkex_ops.index.basket import Basket
from hkex_ops.index.records import SessionRecord
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.tick_columns import Extremes, TickColumns
from hkex_ops.index.ticks import moment_of, time_ns_of
from hkex_ops.index.timeline import Between
from hkex_ops.model import Bound, IndexStatus, IndexTick, TickKind
from hkex_ops.omd import (
    ClosingPrice,
    Codec,
    CurrencyRate,
    GapLost,
    PacketRefused,
    SecurityDefinition,
    TradeCancel,
    TradingSessionStatus,
)
from hkex_ops.omd.capture import CaptureReader, CaptureStreams
from hkex_ops.omd.framing import HEAD_BYTES
from hkex_ops.omd.merging import Merger
from hkex_ops.omd.outline import CaptureOutline
from hkex_ops.omd.streaming import Mark, Subscription

__all__ = ["SLICE_BYTES", "CaptureReading", "Lacking", "Recomputed", "recompute"]

SLICE_BYTES = 1 << 20
"""How much of a file is in memory at once; the piece at which reading is fastest."""

_ALSO = tuple(
    kind.TYPE
    for kind in (TradingSessionStatus, SecurityDefinition, CurrencyRate, TradeCancel, ClosingPrice)
)
_CONTINUOUS = ("morning", "afternoon")
_FOREVER = 1 << 63

# The session in which trading begins is told at its very beginning.
_SESSIONS_WITHIN = timedelta(seconds=30)


@frozen
class CaptureReading:
    """How a capture is understood: the version of its messages, the rules of the index, and which
    addresses stand for which channels."""

    codec: Codec
    rules: IndexRules = field(factory=IndexRules)
    streams: CaptureStreams = field(factory=CaptureStreams)


@frozen
class Lacking:
    """Messages ``begin`` to ``end`` of ``channel``, which are on no line of the capture."""

    channel: int
    begin: int
    end: int


@frozen
class Recomputed:
    """What came of it. ``ticks`` are recalculated ones, marked so, in order of time.

    ``start`` and ``until`` are the send times of the first and last interval of the captures.
    ``lacking`` is what they do not hold, ``refused`` how many packets were none. ``told_sessions``
    says whether the sessions of the day were in them; else the calendar's hours were taken.
    """

    ticks: tuple[IndexTick, ...]
    start: datetime
    until: datetime
    lacking: tuple[Lacking, ...]
    refused: int
    told_sessions: bool

    @property
    def whole(self) -> bool:
        """Whether nothing was missing that the values may depend on."""
        return not self.lacking and not self.refused


def recompute(
    captures: Sequence[Path],
    baskets: Sequence[Basket],
    day: BusinessDay,
    reading: CaptureReading,
    *,
    start: datetime | None = None,
    until: datetime | None = None,
    statuses: Collection[IndexStatus] = frozenset(IndexStatus),
    watch: Callable[[Path, int], None] = lambda path, size_bytes: None,
) -> Recomputed:
    """The ticks of ``day`` from ``start`` to ``until``, both included, as ``captures`` give them.

    The captures are one day's in order of time. Where they tell no trading session by the time at
    which trading begins, the calendar's hours are taken. ``watch`` is told which file is being read
    and how far. Raises `ConfigError` for a file that is no capture, is cut off, or is of another
    day or market; nothing is computed then.
    """
    hours = [
        (_instant(one.window.start), _instant(one.window.until))
        for one in day.securities
        if one.name in _CONTINUOUS
    ]
    stretch = (
        0 if start is None else time_ns_of(start),
        _FOREVER if until is None else time_ns_of(until),
    )
    told_by = time_ns_of(hours[0][0] + _SESSIONS_WITHIN)
    run = _Run(captures, baskets, day, reading, statuses, watch, stretch)
    ticks = run.ticks(None, told_by)
    if ticks is not None:
        return run.recomputed(ticks)
    run = _Run(captures, baskets, day, reading, statuses, watch, stretch)
    first = hours[0][0] + timedelta(seconds=reading.rules.interval_s)
    ticks = run.ticks(time_ns_of(first), _FOREVER) or ()
    return run.recomputed(
        tuple(tick for tick in ticks if any(begin < tick.at <= end for begin, end in hours)),
        by_calendar=True,
    )


def _instant(bound: Bound) -> datetime:
    assert bound.at is not None, "hours have both ends"
    return bound.at


@define
class _Run:
    """One reading of the captures. ``stretch`` is what is wanted, both ends included."""

    captures: Sequence[Path]
    baskets: Sequence[Basket]
    day: BusinessDay
    reading: CaptureReading
    statuses: Collection[IndexStatus]
    watch: Callable[[Path, int], None]
    stretch: tuple[int, int]
    told_sessions: bool = False
    first_ns: int | None = None
    last_ns: int = 0
    done: bool = False
    strangers: int = 0
    lacking: list[Lacking] = field(factory=list[Lacking])
    refused: int = 0
    extremes: Extremes = field(
        default=Factory(lambda run: Extremes(len(run.baskets)), takes_self=True), init=False
    )

    def ticks(self, first_ns: int | None, told_by_ns: int) -> tuple[IndexTick, ...] | None:
        """The ticks of the stretch; none at all when no session was told by then."""
        rules = self.reading.rules
        way = way_for(self._size_bytes(), self.baskets, rules, first_ns)
        merger = Merger(self.reading.codec)
        subscription = Subscription(
            self.reading.codec, step_ns=rules.interval_ns, also=_ALSO, merger=merger
        )
        found: list[IndexTick] = []
        for path in self.captures:
            way.begin(subscription, self.reading.streams)
            for columns in self._file(path, way):
                found += self._rows(columns)
                if self.last_ns > told_by_ns and not self.told_sessions:
                    return None
            self.strangers += way.capture.strangers
            self._note(merger)
        if self.first_ns is None:
            raise ConfigError(self._nothing(), document=str(self.captures[0]))
        if not self.done:
            found += self._rows(way.close())
        if first_ns is None and not self.told_sessions:
            return None
        return tuple(found)

    def recomputed(self, ticks: tuple[IndexTick, ...], *, by_calendar: bool = False) -> Recomputed:
        """The whole answer."""
        assert self.first_ns is not None, "a capture without a packet was refused"
        return Recomputed(
            ticks,
            moment_of(self.first_ns),
            moment_of(self.last_ns),
            tuple(self.lacking),
            self.refused,
            not by_calendar,
        )

    # -- files ------------------------------------------------------------------------------------

    def _size_bytes(self) -> int:
        """How much there is to read; 0 where that cannot be told."""
        with suppress(OSError):
            return sum(path.stat().st_size for path in self.captures)
        return 0

    def _file(self, path: Path, way: Way) -> Iterator[TickColumns]:
        """One capture to its end; once the stretch is done, only whether the rest is whole."""
        error: WireError | None = None
        try:
            with path.open("rb", buffering=0) as file:
                size_bytes = 0
                while not self.done and (data := file.read(SLICE_BYTES)):
                    yield way.feed(data, self._between)
                    size_bytes += len(data)
                    self.watch(path, size_bytes)
                if self.done:
                    _require_whole(file, way.capture.offset)
                else:
                    columns, error = way.end(self._between)
                    yield columns
        except FileNotFoundError:
            raise ConfigError(f"there is no capture at {path}: name another") from None
        except OSError as reason:
            raise ConfigError(f"the capture {path} cannot be read: {reason.strerror}") from reason
        except WireError as damage:
            error = damage
        if error is not None:
            fault = f"{error}; nothing was computed: bring the whole capture"
            raise ConfigError(fault, document=str(path))

    def _nothing(self) -> str:
        if self.strangers:
            return (
                f"holds {self.strangers} datagrams, and none is of a channel: say with --base-port "
                "and --line-b what its addresses stand for"
            )
        return "holds no market data: name the capture of the day"

    def _note(self, merger: Merger) -> None:
        """What the capture lacks."""
        for event in merger.health:
            if isinstance(event, GapLost):
                self.lacking.append(Lacking(event.channel, event.begin, event.end))
            elif isinstance(event, PacketRefused):
                self.refused += 1
        merger.health.clear()

    # -- what is in them --------------------------------------------------------------------------

    def _between(self, marks: Sequence[Mark]) -> list[Between]:
        found: list[Between] = []
        for row, sent_ns, message in marks:
            if self.first_ns is None:
                self._require_day(sent_ns)
                self.first_ns = sent_ns
            self.last_ns = max(self.last_ns, sent_ns)
            if message is None:
                found.append((row, sent_ns, None))
                continue
            record = record_of_message(message, 0, 0, sent_ns)
            if isinstance(record, SessionRecord):
                market = record.market.strip()
                self.told_sessions |= market == self.reading.rules.session_market
            if record is not None:
                found.append((row, sent_ns, record))
        return found

    def _require_day(self, sent_ns: int) -> None:
        date = moment_of(sent_ns).date()
        if date != self.day.date:
            raise ConfigError(
                f"is of {date}, and what is asked for is of {self.day.date}: name the capture and "
                "the baskets of one day",
                document=str(self.captures[0]),
            )

    def _rows(self, columns: TickColumns) -> Iterator[IndexTick]:
        """The ticks that are wanted; a later one says that the stretch is done."""
        begin_ns, end_ns = self.stretch
        extremes = self.extremes
        decimals = self.reading.rules.decimals
        names = [basket.index for basket in self.baskets]
        for time_ns, status, values in zip(*columns, strict=True):
            highs, lows = extremes.pass_by(values)
            self.done |= time_ns > end_ns
            if not begin_ns <= time_ns <= end_ns or status not in self.statuses:
                continue
            at = moment_of(time_ns)
            for index, value, high, low in zip(names, values, highs, lows, strict=True):
                if value is not None:
                    yield IndexTick(
                        index,
                        at,
                        Decimal(value).scaleb(-decimals),
                        high=_points(high, decimals),
                        low=_points(low, decimals),
                        status=status,
                        kind=TickKind.RECALCULATED,
                    )


def _require_whole(file: FileIO, offset: int) -> None:
    """`WireError` when the capture is not whole from ``offset``, where a record begins."""
    file.seek(0)
    outline = CaptureOutline(file.read(HEAD_BYTES))
    file.seek(offset)
    while data := file.read(SLICE_BYTES):
        outline.feed(data)
    if outline.whole:
        return
    # It is damaged, or of a kind that lengths do not tell of: whoever reads it all knows.
    file.seek(0)
    reader = CaptureReader()
    while data := file.read(SLICE_BYTES):
        reader.feed(data)
    reader.close()


def _points(units: int | None, decimals: int) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-decimals)
