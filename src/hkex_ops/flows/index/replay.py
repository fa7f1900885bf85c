"""A day computed again from its captures, at full speed, by any of four ways.

Files are read in slices, lines are merged, trades worked and ticks told, slice by slice, so that
captures of any size take the same memory. Three ways recalculate, and keep nothing but what values
and marks need: in plain Python, by numpy (extra ``data``) and compiled (extra ``fast``). The fourth
drives a whole engine, with its journal. Whatever is amiss with a capture comes out as findings, and
the ticks that there are come out all the same; unless it has to be whole. Called by ``hkex-ops
index replay``, by :mod:`~hkex_ops.flows.index.recomputing`, and by whoever analyses days in a
program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import ConfigError, UsageError, WireError
from hkex_ops.flows.index.capture_files import OpenCapture, require_whole
from hkex_ops.flows.index.replay_engine import EngineWay
from hkex_ops.flows.index.replay_findings import (
    ReplayFinding,
    capture_findings,
    day_findings,
    engine_findings,
)
from hkex_ops.flows.index.replay_ways import (
    Noted,
    QuickWay,
    compiled_way,
    plain_way,
    quiet_ns,
    rare_types,
    vector_way,
)
from hkex_ops.index.basket import Basket
from hkex_ops.index.engine import Engine
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.tick_columns import TickColumns, TickTeller
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexStatus
from hkex_ops.omd import Codec
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.events import HealthEvent
from hkex_ops.omd.frames import Passed
from hkex_ops.omd.framing import MAX_RECORD_BYTES
from hkex_ops.omd.merging import Merger
from hkex_ops.omd.streaming import Subscription

__all__ = ["Progress", "Replay", "ReplayPlan", "ReplayWay"]

Progress = Callable[[Path, int, int], None]
"""Told after each slice how many bytes of a file have been read, and how many there are."""


class ReplayWay(StrEnum):
    """How a capture is computed; all give the same values and the same marks."""

    PLAIN = "plain"  # pure Python
    VECTOR = "vector"  # numpy
    COMPILED = "compiled"  # numba; compiled once, and kept in the user's cache
    ENGINE = "engine"  # a whole engine, with its journal; slow


@frozen
class ReplayPlan:
    """What is to be computed, and how.

    ``specification`` is that of the feed, unless its ``codec`` is given. ``streams`` tells which
    group and port is which channel. ``channels`` are those that carry what values depend on:
    trades, sessions, definitions, closing prices; of others only the time is read. All, where none
    are named. With ``first_ns`` there is a value at every moment from then on, whatever the
    session. Behind ``until_ns`` nothing is computed any more. Captures that must be ``whole`` and
    are not are refused, behind ``until_ns`` too. ``cache`` is where compiled code is kept, instead
    of the user's own cache.
    """

    baskets: Sequence[Basket]
    rules: IndexRules = field(factory=IndexRules)
    way: ReplayWay = ReplayWay.PLAIN
    specification: str = "omd-c-1.45"
    streams: CaptureStreams = field(factory=CaptureStreams)
    channels: frozenset[int] | None = None
    first_ns: int | None = None
    until_ns: int | None = None
    whole: bool = False
    cache: Path | None = None
    codec: Codec | None = None


class Replay:
    """Captures of one day, in order of time, computed once as one.

    ``findings``, and ``health`` as the lines were found, are complete when the last tick has been
    told; so is ``strangers``, how many datagrams are of no channel. ``noted`` is what the quick
    ways see in passing.
    """

    def __init__(self, plan: ReplayPlan) -> None:
        """`ConfigError` when the way wants an extra that is not installed, `StoreError` when there
        is no room for compiled code."""
        self.plan = plan
        self.findings: tuple[ReplayFinding, ...] = ()
        self.health: Sequence[HealthEvent] = ()
        self.strangers: int = 0
        self._codec = plan.codec or load_codec(plan.specification)
        self._passed: Counter[Passed] = Counter()
        self._damage: list[WireError] = []
        self._done = False
        self._quick = None if plan.way is ReplayWay.ENGINE else self._quick_way()
        self.noted: Noted = self._quick.noted if self._quick else Noted(plan.rules)

    def columns(self, *captures: Path, progress: Progress | None = None) -> Iterator[TickColumns]:
        """The ticks of the captures as columns, slice by slice.

        Raises `StoreError` when a file cannot be read, `ConfigError` for one that is not whole and
        must be, or with packets without a send time where event time orders them, and `UsageError`
        for the way of an engine, which has more to tell than columns hold.
        """
        if self._quick is None:
            raise UsageError("an engine tells ticks one by one: ask for moments, not for columns")
        return self._columns(self._quick, captures, progress)

    def moments(
        self,
        *captures: Path,
        progress: Progress | None = None,
        wanted: Callable[[int, IndexStatus], bool] = lambda time_ns, status: True,
    ) -> Iterator[Sequence[TickComputed]]:
        """The ticks of the captures, all indexes of one moment at a time, of ``wanted`` moments.

        Raises as :meth:`columns`.
        """
        if self._quick is None:
            return self._by_engine(captures, progress, wanted)
        teller = TickTeller(self.plan.baskets, self.plan.rules)
        return (
            moment
            for columns in self.columns(*captures, progress=progress)
            for moment in teller.moments(columns, wanted)
        )

    # -- the quick ways ---------------------------------------------------------------------------

    def _columns(
        self, way: QuickWay, captures: Sequence[Path], progress: Progress | None
    ) -> Iterator[TickColumns]:
        for place, path in enumerate(captures):
            if place:
                way.begin()
            yield from self._file(way, path, progress)
            self._passed += way.reader.passed
            self.strangers += way.reader.strangers
        if not self._done:
            yield from way.close()
        self.health = way.reader.merger.health
        self.findings = (
            *capture_findings(self._damage, self._passed, self.strangers, self.health),
            *day_findings(way.reckoning),
        )

    def _file(self, way: QuickWay, path: Path, progress: Progress | None) -> Iterator[TickColumns]:
        """One capture to its end; once all is computed, only whether the rest is whole."""
        with OpenCapture(path) as file:
            rest, damaged = b"", False
            size = way.slice_bytes
            try:
                while not self._done:
                    offset = way.reader.offset
                    data = file.read(size, offset)
                    yield self._until(way.work(data))
                    read = way.reader.offset
                    if progress is not None:
                        progress(path, offset + len(data), file.size_bytes)
                    if offset + len(data) >= file.size_bytes or not data:
                        rest = data[read - offset :]
                        break
                    # A record longer than a slice wants more at once.
                    size = way.slice_bytes if read > offset else 2 * MAX_RECORD_BYTES
            except WireError as error:
                self._damaged(path, error)
                damaged = True
            if self._done:
                self._require_rest(path, file, way.reader.offset)
                return
        columns, fault = way.end(rest)
        yield self._until(columns)
        if fault is not None and not damaged:
            self._damaged(path, fault)

    def _until(self, columns: TickColumns) -> TickColumns:
        """``columns``; notes whether they reach behind what is wanted."""
        until_ns, times = self.plan.until_ns, columns.times_ns
        self._done = self._done or bool(until_ns is not None and times and times[-1] > until_ns)
        return columns

    def _quick_way(self) -> QuickWay:
        plan = self.plan
        stated = all(
            stock.previous_close_3dp is not None
            for basket in plan.baskets
            for stock in basket.constituents
        )
        rare = rare_types(plan.rules, sessions=plan.first_ns is None, closes=not stated)
        subscription = Subscription(
            self._codec,
            step_ns=plan.rules.interval_ns,
            also=rare,
            merger=Merger(self._codec, channels=plan.channels),
            quiet_ns=quiet_ns(plan.rules),
        )
        given = (subscription, plan.streams, plan.baskets, plan.rules, plan.first_ns)
        if plan.way is ReplayWay.COMPILED:
            return compiled_way(*given, plan.cache)
        return plain_way(*given) if plan.way is ReplayWay.PLAIN else vector_way(*given)

    # -- an engine --------------------------------------------------------------------------------

    def _by_engine(
        self,
        captures: Sequence[Path],
        progress: Progress | None,
        wanted: Callable[[int, IndexStatus], bool],
    ) -> Iterator[Sequence[TickComputed]]:
        plan = self.plan
        engine = Engine(plan.baskets, plan.rules, name="replay", first_ns=plan.first_ns)
        way = EngineWay(engine, self._codec, plan.streams, plan.channels)
        for path in captures:
            way.begin()
            for moment in self._engine_file(way, path, progress):
                if wanted(moment[0].time_ns, moment[0].status):
                    yield moment
            self._passed += way.reader.passed
        if not self._done:
            yield from (one for one in way.close() if wanted(one[0].time_ns, one[0].status))
        self.health, self.strangers = way.health, way.strangers
        self.findings = (
            *capture_findings(self._damage, self._passed, way.strangers, way.health),
            *engine_findings(way.journal, way.journalled, engine.totals),
        )

    def _engine_file(
        self, way: EngineWay, path: Path, progress: Progress | None
    ) -> Iterator[Sequence[TickComputed]]:
        until_ns = self.plan.until_ns
        with OpenCapture(path) as file:
            try:
                offset = 0
                while not self._done and (data := file.read(way.slice_bytes, offset)):
                    for moment in way.feed(data):
                        self._done |= until_ns is not None and moment[0].time_ns > until_ns
                        yield moment
                    offset += len(data)
                    if progress is not None:
                        progress(path, offset, file.size_bytes)
                if not self._done:
                    way.reader.close()
            except WireError as error:
                self._damaged(path, error)
            if self._done:
                self._require_rest(path, file, 0)

    # -- files that are not whole -----------------------------------------------------------------

    def _damaged(self, path: Path, error: WireError) -> None:
        if self.plan.whole:
            fault = f"{error}; nothing was computed: bring the whole capture"
            raise ConfigError(fault, document=str(path)) from error
        self._damage.append(error)

    def _require_rest(self, path: Path, file: OpenCapture, offset: int) -> None:
        """What is behind the last value, where the capture must be whole."""
        if self.plan.whole:
            try:
                require_whole(file, offset)
            except WireError as error:
                self._damaged(path, error)
