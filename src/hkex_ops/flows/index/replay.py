"""A day computed again from its capture, at full speed, by any of four ways.

The file is read in slices, lines are merged, trades worked and ticks told, slice by slice, so that
a capture of any size takes the same memory. Three ways recalculate, and keep nothing but what
values need: in plain Python, by numpy (extra ``data``) and compiled (extra ``fast``). The fourth
drives a whole engine, and is the one that marks what losses make doubtful. Whatever is amiss with
the capture comes out as findings; the ticks that there are come out all the same. Called by
``hkex-ops index replay``, and by whoever analyses days in a program.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import UsageError, WireError
from hkex_ops.flows.index.replay_engine import EngineWay
from hkex_ops.flows.index.replay_findings import (
    ReplayFinding,
    capture_findings,
    day_findings,
    engine_findings,
)
from hkex_ops.flows.index.replay_ways import (
    QuickWay,
    compiled_way,
    plain_way,
    rare_types,
    vector_way,
)
from hkex_ops.flows.store.disk import translating
from hkex_ops.index.basket import Basket
from hkex_ops.index.engine import Engine
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.tick_columns import TickColumns, TickTeller
from hkex_ops.index.ticks import TickComputed
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.framing import MAX_RECORD_BYTES
from hkex_ops.omd.merging import Merger
from hkex_ops.omd.streaming import Subscription

__all__ = ["Progress", "Replay", "ReplayPlan", "ReplayWay"]

Progress = Callable[[int, int], None]
"""Told after each slice how many bytes of how many have been read."""


class ReplayWay(StrEnum):
    """How a capture is computed; all give the same values."""

    PLAIN = "plain"  # pure Python
    VECTOR = "vector"  # numpy
    COMPILED = "compiled"  # numba; compiled once, and kept in the user's cache
    ENGINE = "engine"  # a whole engine, with journal and marks; slow


@frozen
class ReplayPlan:
    """What is to be computed, and how.

    ``specification`` is that of the feed. ``streams`` tells which group and port is which channel.
    ``channels`` are those that carry what values depend on: trades, sessions, definitions, closing
    prices; of others only the time is read. All, where none are named. With ``first_ns`` there is a
    value at every moment from then on, whatever the session. ``cache`` is where compiled code is
    kept, instead of the user's own cache.
    """

    baskets: Sequence[Basket]
    rules: IndexRules = field(factory=IndexRules)
    way: ReplayWay = ReplayWay.PLAIN
    specification: str = "omd-c-1.45"
    streams: CaptureStreams = field(factory=CaptureStreams)
    channels: frozenset[int] | None = None
    first_ns: int | None = None
    cache: Path | None = None


class Replay:
    """One capture, computed once. ``findings`` is complete when the last tick has been told."""

    def __init__(self, plan: ReplayPlan) -> None:
        """`ConfigError` when the way wants an extra that is not installed, `StoreError` when there
        is no room for compiled code."""
        self.plan = plan
        self.findings: tuple[ReplayFinding, ...] = ()
        self._codec = load_codec(plan.specification)
        self._quick = None if plan.way is ReplayWay.ENGINE else self._quick_way()

    def columns(self, path: Path, progress: Progress | None = None) -> Iterator[TickColumns]:
        """The ticks of the capture at ``path`` as columns, slice by slice.

        Raises `StoreError` when the file cannot be read, and `UsageError` for the way of an engine,
        which has more to tell than columns hold.
        """
        if self._quick is None:
            raise UsageError("an engine tells ticks one by one: ask for moments, not for columns")
        return self._columns(self._quick, path, progress)

    def _columns(
        self, way: QuickWay, path: Path, progress: Progress | None
    ) -> Iterator[TickColumns]:
        damage: WireError | None = None
        rest = b""
        with _OpenFile(path) as file:
            try:
                size = way.slice_bytes
                while True:
                    offset = way.reader.offset
                    data = file.read(size, offset)
                    yield way.work(data)
                    read = way.reader.offset
                    if progress is not None:
                        progress(read, file.size_bytes)
                    if offset + len(data) >= file.size_bytes or not data:
                        rest = data[read - offset :]
                        break
                    # A record longer than a slice wants more at once.
                    size = way.slice_bytes if read > offset else 2 * MAX_RECORD_BYTES
            except WireError as error:
                damage = error
        ticks, end = way.close(rest)
        yield from ticks
        reader = way.reader
        self.findings = (
            *capture_findings(damage or end, reader.passed, reader.strangers, reader.merger.health),
            *day_findings(way.reckoning),
        )

    def moments(
        self, path: Path, progress: Progress | None = None
    ) -> Iterator[Sequence[TickComputed]]:
        """The ticks of the capture at ``path``, all indexes of one moment at a time.

        Raises `StoreError` when the file cannot be read.
        """
        if self._quick is None:
            return self._by_engine(path, progress)
        teller = TickTeller(self.plan.baskets, self.plan.rules)
        return (
            moment for columns in self.columns(path, progress) for moment in teller.moments(columns)
        )

    def _by_engine(self, path: Path, progress: Progress | None) -> Iterator[Sequence[TickComputed]]:
        plan = self.plan
        engine = Engine(plan.baskets, plan.rules, name="replay", first_ns=plan.first_ns)
        way = EngineWay(engine, self._codec, plan.streams, plan.channels)
        damage: WireError | None = None
        with _OpenFile(path) as file:
            try:
                offset = 0
                while data := file.read(way.slice_bytes, offset):
                    yield from way.feed(data)
                    offset += len(data)
                    if progress is not None:
                        progress(offset, file.size_bytes)
                way.reader.close()
            except WireError as error:
                damage = error
        yield from way.close()
        self.findings = (
            *capture_findings(damage, way.reader.passed, way.strangers, way.health),
            *engine_findings(way.journal, way.journalled, engine.totals),
        )

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
        )
        given = (subscription, plan.streams, plan.baskets, plan.rules, plan.first_ns)
        if plan.way is ReplayWay.COMPILED:
            return compiled_way(*given, plan.cache)
        return plain_way(*given) if plan.way is ReplayWay.PLAIN else vector_way(*given)


class _OpenFile:
    """A file that is read at any place; errors are said as the operator needs them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> _OpenFile:
        with translating(self._path, "open the capture"):
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            self.size_bytes = os.fstat(self._descriptor).st_size
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset`` on; fewer only at the end."""
        with translating(self._path, "read the capture"):
            return os.pread(self._descriptor, size, offset)
