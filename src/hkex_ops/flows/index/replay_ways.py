"""The three quick ways from a slice of a capture to ticks: a reader joined with a recalculation.

All three read the same and compute the same; they differ in what does the work. What an extra
brings is imported when a way is chosen, and a missing extra is said in one sentence.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hkex_ops.errors import ConfigError, WireError
from hkex_ops.flows.index.compiling import Compiler, default_cache
from hkex_ops.flows.index.translate import record_of_message
from hkex_ops.index.basket import Basket
from hkex_ops.index.recalculation import Recalculation
from hkex_ops.index.reckoning import Reckoning
from hkex_ops.index.records import RecordsLost, SessionRecord
from hkex_ops.index.rules import NS_PER_MS, IndexRules, TickOrder
from hkex_ops.index.tick_columns import TickColumns
from hkex_ops.index.timeline import Between, Passed, Reached, Standing
from hkex_ops.omd import (
    ClosingPrice,
    CurrencyRate,
    GapLost,
    SecurityDefinition,
    TradeCancel,
    TradingSessionStatus,
)
from hkex_ops.omd.capture import CaptureStreams
from hkex_ops.omd.scanning import CaptureSubscription
from hkex_ops.omd.streaming import (
    ChannelPassed,
    ChannelStood,
    Mark,
    Subscription,
    TimeReached,
)

if TYPE_CHECKING:
    from hkex_ops.index.vector import VectorRecalculation
    from hkex_ops.omd.columns import ColumnSubscription

__all__ = [
    "Noted",
    "QuickWay",
    "compiled_way",
    "plain_way",
    "quiet_ns",
    "rare_types",
    "vector_way",
]

PLAIN_SLICE_BYTES = 256 * 1024
VECTOR_SLICE_BYTES = 1024 * 1024
"""How much of a file each way is given at once: found by trying; little depends on it."""


class Noted:
    """Marks of a reader as records between rows; and what was noted in passing.

    ``first_ns`` and ``last_ns`` are the times of the first interval of the captures and of the last
    so far, 0 before there was one; ``sessions_told`` says whether a session of the market came.
    """

    def __init__(self, rules: IndexRules) -> None:
        self.first_ns: int = 0
        self.last_ns: int = 0
        self.sessions_told: bool = False
        self._market = rules.session_market

    def between(self, marks: Iterable[Mark]) -> list[Between]:
        """What stands between the rows."""
        found: list[Between] = []
        for row, sent_ns, message, _ in marks:
            if message is None:
                self.first_ns = self.first_ns or sent_ns
                self.last_ns = max(self.last_ns, sent_ns)
                found.append((row, sent_ns, None))
            elif isinstance(message, ChannelStood):
                found.append((row, sent_ns, Standing(*message)))
            elif isinstance(message, ChannelPassed):
                found.append((row, sent_ns, Passed(*message)))
            elif isinstance(message, TimeReached):
                found.append((row, sent_ns, Reached(*message)))
            elif isinstance(message, GapLost):
                lost = RecordsLost(message.channel, message.begin, message.end, 0)
                found.append((row, sent_ns, lost))
            elif (record := record_of_message(message, 0, 0, sent_ns)) is not None:
                if isinstance(record, SessionRecord):
                    self.sessions_told |= record.market.strip() == self._market
                found.append((row, sent_ns, record))
        return found


class QuickWay(Protocol):
    """A reader joined with a recalculation, file after file."""

    slice_bytes: int
    noted: Noted

    @property
    def reader(self) -> CaptureSubscription:
        """Who reads; its ``offset`` says where in the file the next slice must begin."""
        ...

    @property
    def reckoning(self) -> Reckoning:
        """Who counted trades out of sequence."""
        ...

    def begin(self) -> None:
        """Another file begins."""
        ...

    def work(self, data: bytes) -> TickColumns:
        """The ticks that the slice at the reader's offset completes; `WireError` for damage."""
        ...

    def end(self, data: bytes) -> tuple[TickColumns, WireError | None]:
        """The ticks from the last bytes of a file, and what is wrong with its end."""
        ...

    def close(self) -> Iterator[TickColumns]:
        """No other file follows: the last ticks."""
        ...


class _PlainWay:
    """Pure Python."""

    slice_bytes = PLAIN_SLICE_BYTES

    def __init__(
        self, subscription: Subscription, streams: CaptureStreams, day: Recalculation
    ) -> None:
        self.reckoning = day.reckoning
        self.noted = Noted(day.reckoning.rules)
        self._subscription = subscription
        self._streams = streams
        self._day = day
        self.begin()

    def begin(self) -> None:
        self.reader = CaptureSubscription(self._subscription, streams=self._streams)

    def work(self, data: bytes) -> TickColumns:
        rows, marks, channels = self.reader.scan(data)
        return self._day.feed(rows, self.noted.between(marks), channels)

    def end(self, data: bytes) -> tuple[TickColumns, WireError | None]:
        (rows, marks, channels), error = self.reader.end(data)
        return self._day.feed(rows, self.noted.between(marks), channels), error

    def close(self) -> Iterator[TickColumns]:
        # What waited settles before gaps are given up, as it would have on the day.
        for last in (self.reader.last_look, self.reader.give_up):
            rows, marks, channels = last()
            yield self._day.feed(rows, self.noted.between(marks), channels)
            yield self._day.close(_standing(self._subscription, self.noted))


class _ColumnWay:
    """Arrays, whoever fills them."""

    slice_bytes = VECTOR_SLICE_BYTES

    def __init__(
        self, subscription: Subscription, readers: _Readers, day: VectorRecalculation
    ) -> None:
        self.reckoning = day.reckoning
        self.noted = Noted(day.reckoning.rules)
        self._subscription = subscription
        self._readers = readers
        self._day = day
        self.begin()

    def begin(self) -> None:
        self.reader = self._readers()

    def work(self, data: bytes) -> TickColumns:
        trades, marks, channels = self.reader.scan_columns(data)
        return self._day.feed(trades, self.noted.between(marks), channels)

    def end(self, data: bytes) -> tuple[TickColumns, WireError | None]:
        (trades, marks, channels), error = self.reader.end_columns(data)
        return self._day.feed(trades, self.noted.between(marks), channels), error

    def close(self) -> Iterator[TickColumns]:
        for last in (self.reader.last_look_columns, self.reader.give_up_columns):
            trades, marks, channels = last()
            yield self._day.feed(trades, self.noted.between(marks), channels)
            yield self._day.close(_standing(self._subscription, self.noted))


class _Readers(Protocol):
    """Makes a reader of arrays."""

    def __call__(self) -> ColumnSubscription: ...


def _standing(subscription: Subscription, noted: Noted) -> list[Between]:
    """Where every channel stands."""
    if not subscription.quiet_ns:
        return []
    return noted.between(subscription.standing(0, longer_than_ns=0))


def plain_way(
    subscription: Subscription,
    streams: CaptureStreams,
    baskets: Sequence[Basket],
    rules: IndexRules,
    first_ns: int | None,
) -> QuickWay:
    """In pure Python."""
    return _PlainWay(subscription, streams, Recalculation(baskets, rules, first_ns=first_ns))


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
    return _ColumnWay(
        subscription,
        lambda: ColumnSubscription(subscription, streams=streams),
        VectorRecalculation(baskets, rules, first_ns=first_ns),
    )


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

    scan = compiled_scan(compiler)
    return _ColumnWay(
        subscription,
        lambda: AcceleratedSubscription(subscription, scan, streams=streams),
        AcceleratedRecalculation(baskets, rules, work=compiled_work(compiler), first_ns=first_ns),
    )


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


def quiet_ns(rules: IndexRules) -> int:
    """For how long a channel may be behind the others without a word of it; 0 where it never
    matters. Less than a moment waits for it, and more than the two seconds of a heartbeat."""
    return rules.settle_ms * NS_PER_MS * 3 // 4 if rules.order is TickOrder.EVENT_TIME else 0
