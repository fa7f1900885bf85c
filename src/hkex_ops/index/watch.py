"""The watch: what people noticed by eye on 22 January 2010, as events with thresholds.

It hears ticks as users hear them, prices as the snapshot's table heard them, and lines as the feed
reports them; it never asks an engine about itself. :data:`NOTICED_2010` says for each event what
the papers tell of that morning. Knows no price level and takes no action; a flow routes its events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import TypeAlias, cast

from attrs import frozen

from hkex_ops.index.records import SecurityStatusRecord, SessionRecord, TradeRecord
from hkex_ops.index.rules import IndexRules, WatchRules
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, JsonObject

__all__ = [
    "LINES",
    "NOTICED_2010",
    "FeedOnBothLines",
    "FeedOnOneLine",
    "IndexMovedAgain",
    "IndexUnchanged",
    "LineHeard",
    "OpeningCame",
    "OpeningLate",
    "StockStopped",
    "StockTradesAgain",
    "StocksMoved",
    "Watch",
    "WatchEvent",
    "WatchInput",
]


@frozen
class StocksMoved:
    """How often prices of an index's stocks have changed so far today, as another path heard it."""

    index: str
    changes: int


@frozen
class LineHeard:
    """A channel was heard on a line, ``A`` or ``B``."""

    channel: int
    line: str


WatchInput: TypeAlias = (
    IndexTick | TradeRecord | SecurityStatusRecord | SessionRecord | StocksMoved | LineHeard
)


@frozen
class OpeningLate:
    """The opening index of ``indexes`` has not come by ``due``."""

    at: datetime
    due: datetime
    indexes: tuple[str, ...]


@frozen
class OpeningCame:
    """The opening index that was late has come, ``late_s`` seconds after it was due."""

    at: datetime
    index: str
    late_s: int


@frozen
class IndexUnchanged:
    """No other value since ``since``, though prices of its stocks changed ``moves`` times.

    ``ticks`` is how many ticks came with the one value; with 0 none came at all.
    """

    at: datetime
    index: str
    since: datetime
    ticks: int
    moves: int


@frozen
class IndexMovedAgain:
    """An index that was stuck has another value."""

    at: datetime
    index: str


@frozen
class StockStopped:
    """A stock that trades often has not traded for ``silent_s`` seconds and is not suspended."""

    at: datetime
    security: int
    last: datetime
    silent_s: int


@frozen
class StockTradesAgain:
    """A stock that had stopped trades again."""

    at: datetime
    security: int


@frozen
class FeedOnOneLine:
    """A channel comes on ``line`` only; nothing came on the other since ``since``."""

    at: datetime
    channel: int
    line: str
    since: datetime


@frozen
class FeedOnBothLines:
    """A channel comes on both lines again."""

    at: datetime
    channel: int


WatchEvent: TypeAlias = (
    OpeningLate
    | OpeningCame
    | IndexUnchanged
    | IndexMovedAgain
    | StockStopped
    | StockTradesAgain
    | FeedOnOneLine
    | FeedOnBothLines
)

NOTICED_2010: Mapping[type[WatchEvent], str] = MappingProxyType(
    {
        OpeningLate: (
            "HKEx noted that the opening indexes from HSIL were received at 9:52, later than the "
            "normal time of 9:50:30 (HKEx report, Appendix I, 9:50 – 9:55)"
        ),
        IndexUnchanged: (
            "HKEx noted that there was no movement of HSI on the AMS/3 (HKEx report, Appendix I, "
            "10:00 – 10:30)"
        ),
        StockStopped: (
            "the process that updates prices clashed with another “and the system stopped” (HSIL "
            "report, section 4 a ii); prices that no longer moved would have shown it"
        ),
        FeedOnOneLine: (
            "communication with HKEx to check status of MDF (HSIL report, Appendix 2, 09:52 – "
            "10:02): whether the feed was whole had to be asked by telephone"
        ),
    }
)
"""What the events stand for, in the papers' words where they have any."""


LINES = ("A", "B")
"""On which a channel comes (OMD-C specification, section 2.2)."""


class _Index:
    """An index as it was told."""

    def __init__(self) -> None:
        self.value: object = None
        self.since: datetime | None = None
        self.ticks = 0
        self.changes = 0
        self.changes_then = 0
        self.stuck = False


class Watch:
    """Watches the indexes named, on one business day."""

    def __init__(
        self,
        indexes: Iterable[str],
        rules: WatchRules | None = None,
        index_rules: IndexRules | None = None,
    ) -> None:
        self._rules = rules or WatchRules()
        self._index_rules = index_rules or IndexRules()
        self._indexes = {index: _Index() for index in indexes}
        self._opened: set[str] = set()
        self._due: datetime | None = None
        self._late = False
        self._trading = False
        self._trading_since: datetime | None = None
        self._trades: dict[int, tuple[int, datetime]] = {}
        self._suspended: set[int] = set()
        self._stopped: set[int] = set()
        self._lines: dict[int, dict[str, datetime]] = {}
        self._on_one: set[int] = set()

    def handle(self, given: WatchInput, now: datetime) -> tuple[WatchEvent, ...]:
        """Take one input."""
        match given:
            case IndexTick():
                events = self._tick(given, now)
            case TradeRecord():
                events = self._trade(given, now)
            case SecurityStatusRecord():
                add = self._suspended.add if given.suspended else self._suspended.discard
                add(given.security)
                return ()
            case SessionRecord():
                events = self._session(given, now)
            case StocksMoved(index, changes):
                if index in self._indexes:
                    self._indexes[index].changes = changes
                return ()
            case LineHeard(channel, line):
                events = self._line(channel, line, now)
        return tuple(events)

    def poll(self, now: datetime) -> tuple[WatchEvent, ...]:
        """What has not happened by ``now`` though it should have."""
        if self._trading and self._trading_since is None:  # restored
            self._trading_since = now
        return (*self._opening(now), *self._unchanged(now), *self._stops(now), *self._ones(now))

    def snapshot(self) -> JsonObject:
        """What was told, and what decides that nothing is, as plain data."""
        return {
            "opened": sorted(self._opened),
            "late": self._late,
            "trading": self._trading,
            "suspended": sorted(self._suspended),
            "stopped": sorted(self._stopped),
            "on_one": sorted(self._on_one),
            "stuck": sorted(code for code, index in self._indexes.items() if index.stuck),
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Tell nothing anew of what ``snapshot`` had told; every silence is counted anew."""
        self._opened = set(cast("Sequence[str]", snapshot["opened"]))
        self._late = bool(snapshot["late"])
        self._trading = bool(snapshot["trading"])
        self._suspended = set(cast("Sequence[int]", snapshot["suspended"]))
        self._stopped = set(cast("Sequence[int]", snapshot["stopped"]))
        self._on_one = set(cast("Sequence[int]", snapshot["on_one"]))
        for code in cast("Sequence[str]", snapshot["stuck"]):
            if code in self._indexes:
                self._indexes[code].stuck = True

    # -- the opening -------------------------------------------------------------------------

    def _opening(self, now: datetime) -> Iterator[WatchEvent]:
        due = self._due = self._due or self._due_on(now)
        waiting = tuple(index for index in self._indexes if index not in self._opened)
        if self._late or not waiting or now < due:
            return
        self._late = True
        yield OpeningLate(now, due, waiting)

    def _due_on(self, now: datetime) -> datetime:
        day = now.astimezone(HONG_KONG).date()
        return datetime.combine(day, time.fromisoformat(self._rules.opening_due), HONG_KONG)

    # -- indexes -----------------------------------------------------------------------------

    def _tick(self, tick: IndexTick, now: datetime) -> Iterator[WatchEvent]:
        index = self._indexes.get(tick.index)
        if index is None:
            return
        if tick.index not in self._opened and tick.opening is not None:
            self._opened.add(tick.index)
            if self._late and self._due is not None:
                late_s = int((now - self._due).total_seconds())
                yield OpeningCame(now, tick.index, late_s)
        if tick.status is IndexStatus.REAL_TIME and tick.value == index.value:
            index.ticks += 1
            return
        if index.stuck:
            index.stuck = False
            yield IndexMovedAgain(now, tick.index)
        index.value, index.since, index.ticks = tick.value, now, 1
        index.changes_then = index.changes

    def _unchanged(self, now: datetime) -> Iterator[WatchEvent]:
        if not self._trading or self._trading_since is None:
            return
        longest = timedelta(seconds=self._rules.unchanged_s)
        for code, index in self._indexes.items():
            since = max(index.since or self._trading_since, self._trading_since)
            moves = index.changes - index.changes_then
            if not index.stuck and now - since >= longest and moves >= self._rules.unchanged_moves:
                index.stuck = True
                yield IndexUnchanged(now, code, since, index.ticks, moves)

    # -- stocks ------------------------------------------------------------------------------

    def _session(self, record: SessionRecord, now: datetime) -> Iterator[WatchEvent]:
        if record.market.strip() == self._index_rules.session_market:
            trading = record.session in self._index_rules.realtime_sessions
            if trading and not self._trading:
                self._trading_since = now
            self._trading = trading
        return iter(())

    def _trade(self, record: TradeRecord, now: datetime) -> Iterator[WatchEvent]:
        times, _ = self._trades.get(record.security, (0, now))
        self._trades[record.security] = (times + 1, now)
        if record.security in self._stopped:
            self._stopped.discard(record.security)
            yield StockTradesAgain(now, record.security)

    def _stops(self, now: datetime) -> Iterator[WatchEvent]:
        if not self._trading or self._trading_since is None:
            return
        longest = timedelta(seconds=self._rules.stock_silent_s)
        for security, (times, last) in self._trades.items():
            if security in self._stopped or security in self._suspended:
                continue
            silent = now - max(last, self._trading_since)
            if times >= self._rules.stock_trades and silent >= longest:
                self._stopped.add(security)
                yield StockStopped(now, security, last, int(silent.total_seconds()))

    # -- lines -------------------------------------------------------------------------------

    def _line(self, channel: int, line: str, now: datetime) -> Iterator[WatchEvent]:
        # A line never heard counts as silent since the channel was first heard at all.
        lines = self._lines.setdefault(channel, dict.fromkeys(LINES, now))
        lines[line] = now
        if channel in self._on_one and not self._silent_lines(lines, now):
            self._on_one.discard(channel)
            yield FeedOnBothLines(now, channel)

    def _silent_lines(self, lines: Mapping[str, datetime], now: datetime) -> list[str]:
        longest = timedelta(seconds=self._rules.one_line_s)
        return [line for line, heard in lines.items() if now - heard >= longest]

    def _ones(self, now: datetime) -> Iterator[WatchEvent]:
        for channel, lines in self._lines.items():
            silent = self._silent_lines(lines, now)
            if channel in self._on_one or len(silent) != 1:
                continue
            self._on_one.add(channel)
            [other] = [line for line in lines if line not in silent]
            yield FeedOnOneLine(now, channel, other, lines[silent[0]])
