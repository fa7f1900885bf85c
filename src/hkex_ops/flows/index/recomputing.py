"""Captures of a market feed computed again: files in, the index values of that day out.

For whoever asks afterwards what an index would have been: recalculation, settlement and calls. The
computing is :mod:`~hkex_ops.flows.index.replay`, which is told here to take whole captures of the
right day only, and no half of one; where they tell no session the calendar does. What the captures
themselves lack is told beside the ticks, and marked on them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from attrs import evolve, field, frozen

from hkex_ops.calendars import BusinessDay
from hkex_ops.errors import ConfigError
from hkex_ops.flows.index.replay import Progress, Replay, ReplayPlan, ReplayWay
from hkex_ops.index.basket import Basket
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.ticks import index_tick, moment_of, time_ns_of
from hkex_ops.model import Bound, IndexStatus, IndexTick, TickKind
from hkex_ops.omd import Codec, GapLost, PacketRefused
from hkex_ops.omd.capture import CaptureStreams

__all__ = ["CaptureReading", "Lacking", "Recomputed", "recompute"]

WORTHWHILE_BYTES = 8 << 20
"""With less than that to read, numpy is not even imported."""

_CONTINUOUS = ("morning", "afternoon")

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
    watch: Progress = lambda path, read, size_bytes: None,
) -> Recomputed:
    """The ticks of ``day`` from ``start`` to ``until``, both included, as ``captures`` give them.

    The captures are one day's in order of time. Where they tell no trading session by the time at
    which trading begins, the calendar's hours are taken. ``watch`` is told which file is being read
    and how far. Raises `ConfigError` for a file that is no capture, is cut off, or is of another
    day or market; nothing is computed then.
    """
    for path in captures:
        if not path.is_file():
            raise ConfigError(f"there is no capture at {path}: name another")
    hours = [
        (_instant(one.window.start), _instant(one.window.until))
        for one in day.securities
        if one.name in _CONTINUOUS
    ]
    plan = ReplayPlan(
        baskets,
        reading.rules,
        _way_for(captures),
        codec=reading.codec,
        streams=reading.streams,
        until_ns=None if until is None else time_ns_of(until),
        whole=True,
    )
    run = _Run(captures, day, plan, start, until, statuses, watch)
    with suppress(_NoSession):
        return run.recomputed(told_by=hours[0][0] + _SESSIONS_WITHIN)
    first = hours[0][0] + timedelta(seconds=reading.rules.interval_s)
    found = evolve(run, plan=evolve(plan, first_ns=time_ns_of(first))).recomputed()
    ticks = tuple(one for one in found.ticks if any(begin < one.at <= end for begin, end in hours))
    return evolve(found, ticks=ticks)


def _way_for(captures: Sequence[Path]) -> ReplayWay:
    """The faster way for so much to read, of those that are installed."""
    size_bytes = sum(path.stat().st_size for path in captures)
    worthwhile = size_bytes >= WORTHWHILE_BYTES and find_spec("numpy") is not None
    return ReplayWay.VECTOR if worthwhile else ReplayWay.PLAIN


def _instant(bound: Bound) -> datetime:
    assert bound.at is not None, "hours have both ends"
    return bound.at


class _NoSession(Exception):
    """Trading should have begun, and no session was told."""


@frozen
class _Run:
    """One reading of the captures."""

    captures: Sequence[Path]
    day: BusinessDay
    plan: ReplayPlan
    start: datetime | None
    until: datetime | None
    statuses: Collection[IndexStatus]
    watch: Progress

    def recomputed(self, told_by: datetime | None = None) -> Recomputed:
        """The whole answer; `_NoSession` when none was told by then."""
        replay = Replay(self.plan)
        noted = replay.noted
        told_by_ns = None if told_by is None else time_ns_of(told_by)

        def progress(path: Path, read: int, size_bytes: int) -> None:
            self._require_day(noted.first_ns)
            if told_by_ns is not None and noted.last_ns > told_by_ns and not noted.sessions_told:
                raise _NoSession
            self.watch(path, read, size_bytes)

        decimals = self.plan.rules.decimals
        ticks = tuple(
            index_tick(tick, kind=TickKind.RECALCULATED, decimals=decimals)
            for moment in replay.moments(*self.captures, progress=progress, wanted=self._wanted())
            for tick in moment
        )
        if not noted.first_ns:
            raise ConfigError(_nothing(replay.strangers), document=str(self.captures[0]))
        self._require_day(noted.first_ns)
        if told_by is not None and not noted.sessions_told:
            raise _NoSession
        health = replay.health
        return Recomputed(
            ticks,
            moment_of(noted.first_ns),
            moment_of(noted.last_ns),
            tuple(
                Lacking(one.channel, one.begin, one.end)
                for one in health
                if isinstance(one, GapLost)
            ),
            sum(isinstance(one, PacketRefused) for one in health),
            told_by is not None,
        )

    def _wanted(self) -> Callable[[int, IndexStatus], bool]:
        begin_ns = None if self.start is None else time_ns_of(self.start)
        end_ns, statuses = self.plan.until_ns, self.statuses

        def wanted(time_ns: int, status: IndexStatus) -> bool:
            within = begin_ns is None or time_ns >= begin_ns
            return within and (end_ns is None or time_ns <= end_ns) and status in statuses

        return wanted

    def _require_day(self, sent_ns: int) -> None:
        date = moment_of(sent_ns).date()
        if sent_ns and date != self.day.date:
            raise ConfigError(
                f"is of {date}, and what is asked for is of {self.day.date}: name the capture and "
                "the baskets of one day",
                document=str(self.captures[0]),
            )


def _nothing(strangers: int) -> str:
    if strangers:
        return (
            f"holds {strangers} datagrams, and none is of a channel: say with --base-port and "
            "--line-b what its addresses stand for"
        )
    return "holds no market data: name the capture of the day"
