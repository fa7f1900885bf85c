"""The three quick ways from a slice of a capture to ticks: a reader joined with a recalculation.

All three read the same and compute the same; they differ in what does the work. What an extra
brings is imported when a way is chosen, and a missing extra is said in one sentence.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hkex_ops.errors import ConfigError, WireError
from hkex_ops.flows.index.compiling import Compiler, default_cache
from hkex_ops.flows.index.translate import record_of_message
from hkex_ops.index.basket import Basket
from hkex_ops.index.recalculation import Recalculation, Reckoning
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.tick_columns import TickColumns
from hkex_ops.index.timeline import Between
from hkex_ops.omd import (
    ClosingPrice,
    CurrencyRate,
    SecurityDefinition,
    TradeCancel,
    TradingSessionStatus,
)
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.scanning import CaptureSubscription
from hkex_ops.omd.streaming import Mark, Subscription

if TYPE_CHECKING:
    from hkex_ops.index.vector import VectorRecalculation
    from hkex_ops.omd.columns import ColumnSubscription

__all__ = ["QuickWay", "compiled_way", "plain_way", "rare_types", "vector_way"]

PLAIN_SLICE_BYTES = 256 * 1024
VECTOR_SLICE_BYTES = 1024 * 1024
"""How much of a file each way is given at once: found by trying; little depends on it."""


class QuickWay(Protocol):
    """A reader joined with a recalculation."""

    slice_bytes: int

    @property
    def reader(self) -> CaptureSubscription:
        """Who reads; its ``offset`` says where in the file the next slice must begin."""
        ...

    @property
    def reckoning(self) -> Reckoning:
        """Who counted trades out of sequence."""
        ...

    def work(self, data: bytes) -> TickColumns:
        """The ticks that the slice at the reader's offset completes; `WireError` for damage."""
        ...

    def close(self, data: bytes) -> tuple[list[TickColumns], WireError | None]:
        """The last ticks, from the last bytes, and what is wrong with the end of the file."""
        ...


class _PlainWay:
    """Pure Python."""

    slice_bytes = PLAIN_SLICE_BYTES

    def __init__(self, reader: CaptureSubscription, day: Recalculation) -> None:
        self.reader = reader
        self.reckoning = day.reckoning
        self._day = day

    def work(self, data: bytes) -> TickColumns:
        rows, marks = self.reader.scan(data)
        return self._day.feed(rows, _between(marks))

    def close(self, data: bytes) -> tuple[list[TickColumns], WireError | None]:
        (rows, marks), error = self.reader.close(data)
        return [self._day.feed(rows, _between(marks)), self._day.close()], error


class _ColumnWay:
    """Arrays, whoever fills them."""

    slice_bytes = VECTOR_SLICE_BYTES

    def __init__(self, reader: ColumnSubscription, day: VectorRecalculation) -> None:
        self.reader = reader
        self.reckoning = day.reckoning
        self._day = day

    def work(self, data: bytes) -> TickColumns:
        trades, marks = self.reader.scan_columns(data)
        return self._day.feed(trades, _between(marks))

    def close(self, data: bytes) -> tuple[list[TickColumns], WireError | None]:
        (trades, marks), error = self.reader.close_columns(data)
        return [self._day.feed(trades, _between(marks)), self._day.close()], error


def plain_way(
    subscription: Subscription,
    streams: CaptureStreams,
    baskets: Sequence[Basket],
    rules: IndexRules,
    first_ns: int | None,
) -> QuickWay:
    """In pure Python."""
    reader = CaptureSubscription(subscription, streams=streams)
    return _PlainWay(reader, Recalculation(baskets, rules, first_ns=first_ns))


def vector_way(
    subscription: Subscription,
    streams: CaptureStreams,
    baskets: Sequence[Basket],
    rules: IndexRules,
    first_ns: int | None,
) -> QuickWay:
    """By numpy; `ConfigError` where it is not installed."""
    with _wanting("numpy", "data"):
        from hkex_ops.index.vector import VectorRecalculation
        from hkex_ops.omd.columns import ColumnSubscription
    reader = ColumnSubscription(subscription, streams=streams)
    return _ColumnWay(reader, VectorRecalculation(baskets, rules, first_ns=first_ns))


def compiled_way(
    subscription: Subscription,
    streams: CaptureStreams,
    baskets: Sequence[Basket],
    rules: IndexRules,
    first_ns: int | None,
    cache: Path | None,
) -> QuickWay:
    """By code that numba compiles; `ConfigError` where it is not installed, `StoreError` where
    nothing can be kept in ``cache``."""
    compiler = Compiler(cache or default_cache())
    from hkex_ops.index.accelerated import AcceleratedRecalculation, compiled_work
    from hkex_ops.omd.accelerated import AcceleratedSubscription, compiled_scan

    reader = AcceleratedSubscription(subscription, compiled_scan(compiler), streams=streams)
    day = AcceleratedRecalculation(baskets, rules, work=compiled_work(compiler), first_ns=first_ns)
    return _ColumnWay(reader, day)


@contextmanager
def _wanting(package: str, extra: str) -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ConfigError(
            f"this way of replaying wants {package}: install hkex-ops[{extra}], or choose another"
        ) from None


def rare_types(rules: IndexRules, *, sessions: bool, closes: bool) -> frozenset[int]:
    """The message types beside trades on which values depend."""
    types = {TradeCancel.TYPE, ClosingPrice.TYPE}
    if sessions:
        types.add(TradingSessionStatus.TYPE)
    if closes:
        types.add(SecurityDefinition.TYPE)
    if rules.rates_from_feed:
        types.add(CurrencyRate.TYPE)
    return frozenset(types)


def _between(marks: Iterable[Mark]) -> list[Between]:
    found: list[Between] = []
    for row, sent_ns, message in marks:
        if message is None:
            found.append((row, sent_ns, None))
            continue
        record = record_of_message(message, 0, 0, sent_ns)
        if record is not None:
            found.append((row, sent_ns, record))
    return found
