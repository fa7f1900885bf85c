"""The three quick ways from a slice of a capture to ticks: a reader joined with a recalculation.

All three read the same and compute the same; they differ in what does the work. What an extra
brings is imported when a way is chosen, and a missing extra is said in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from attrs import frozen

from hkex_ops.errors import ConfigError, UsageError, WireError
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
    Piece,
    Subscription,
    TimeReached,
)

if TYPE_CHECKING:
    from hkex_ops.index.accelerated import Work
    from hkex_ops.index.vector import VectorRecalculation
    from hkex_ops.omd.accelerated import Scan
    from hkex_ops.omd.columns import ColumnPiece, ColumnSubscription

__all__ = [
    "Noted",
    "QuickWay",
    "compiled_way",
    "plain_way",
    "quiet_ns",
    "rare_types",
    "vector_way",
]

P = TypeVar("P")

PLAIN_SLICE_BYTES = 256 * 1024
VECTOR_SLICE_BYTES = 1024 * 1024
COMPILED_SLICE_BYTES = 4 * 1024 * 1024
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
        """The ticks that the slice at the reader's offset completes; `WireError` for damage,
        `ConfigError` where only the way of an engine can go on."""
        ...

    def end(self, data: bytes) -> tuple[TickColumns, WireError | None]:
        """The ticks from the last bytes of a file, and what is wrong with its end."""
        ...

    def close(self) -> Iterator[TickColumns]:
        """No other file follows: the last ticks."""
        ...


@frozen
class _Reading(Generic[P]):
    """One file being read: by whom, and how pieces of it come."""

    reader: CaptureSubscription
    scan: Callable[[bytes], P]
    end: Callable[[bytes], tuple[P, WireError | None]]
    last_look: Callable[[], P]
    give_up: Callable[[], P]


class _Way(Generic[P]):
    """Rows or arrays, whoever makes them. ``feed`` works a piece, ``settle`` whatever waits."""

    def __init__(
        self,
        subscription: Subscription,
        slice_bytes: int,
        open_file: Callable[[], _Reading[P]],
        reckoning: Reckoning,
        feed: Callable[[P, Noted], TickColumns],
        settle: Callable[[Iterable[Between]], TickColumns],
    ) -> None:
        self.slice_bytes = slice_bytes
        self.reckoning = reckoning
        self.noted = Noted(reckoning.rules)
        self._subscription = subscription
        self._open_file = open_file
        self._feed = feed
        self._settle = settle
        self._reading = open_file()

    @property
    def reader(self) -> CaptureSubscription:
        return self._reading.reader

    def begin(self) -> None:
        self._reading = self._open_file()

    def work(self, data: bytes) -> TickColumns:
        return self._fed(self._reading.scan(data))

    def end(self, data: bytes) -> tuple[TickColumns, WireError | None]:
        piece, error = self._reading.end(data)
        return self._fed(piece), error

    def close(self) -> Iterator[TickColumns]:
        # What waited settles before gaps are given up, as it would have on the day.
        for last in (self._reading.last_look, self._reading.give_up):
            yield self._fed(last())
            yield self._settle(self._standing())

    def _fed(self, piece: P) -> TickColumns:
        try:
            return self._feed(piece, self.noted)
        except UsageError as error:
            raise ConfigError(f"{error}: replay by the way `engine`") from error

    def _standing(self) -> list[Between]:
        """Where every channel stands."""
        if not self._subscription.quiet_ns:
            return []
        return self.noted.between(self._subscription.standing(0, longer_than_ns=0))


def plain_way(
    subscription: Subscription,
    streams: CaptureStreams,
    baskets: Sequence[Basket],
    rules: IndexRules,
    first_ns: int | None,
) -> QuickWay:
    """In pure Python."""
    day = Recalculation(baskets, rules, first_ns=first_ns)

    def open_file() -> _Reading[Piece]:
        reader = CaptureSubscription(subscription, streams=streams)
        return _Reading(reader, reader.scan, reader.end, reader.last_look, reader.give_up)

    def feed(piece: Piece, noted: Noted) -> TickColumns:
        return day.feed(piece.rows, noted.between(piece.marks), piece.channels)

    return _Way(subscription, PLAIN_SLICE_BYTES, open_file, day.reckoning, feed, day.close)


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
    return _column_way(
        subscription,
        lambda: ColumnSubscription(subscription, streams=streams),
        VectorRecalculation(baskets, rules, first_ns=first_ns),
        VECTOR_SLICE_BYTES,
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
    place = cache or default_cache()
    Compiler(place)  # says what is missing, whether or not anything is left to be compiled
    from hkex_ops.index.accelerated import AcceleratedRecalculation
    from hkex_ops.omd.accelerated import AcceleratedSubscription

    scan, work = _loops(place)
    return _column_way(
        subscription,
        lambda: AcceleratedSubscription(subscription, scan, streams=streams),
        AcceleratedRecalculation(baskets, rules, work=work, first_ns=first_ns),
        COMPILED_SLICE_BYTES,
    )


@lru_cache(maxsize=1)
def _loops(cache: Path) -> tuple[Scan, Work]:
    """The compiled loops, which are loaded once in a process."""
    from hkex_ops.index.accelerated import compiled_work
    from hkex_ops.omd.accelerated import compiled_scan

    compiler = Compiler(cache)
    return compiled_scan(compiler), compiled_work(compiler)


def _column_way(
    subscription: Subscription,
    make_reader: Callable[[], ColumnSubscription],
    day: VectorRecalculation,
    slice_bytes: int,
) -> QuickWay:
    def open_file() -> _Reading[ColumnPiece]:
        one = make_reader()
        look, give_up = one.last_look_columns, one.give_up_columns
        return _Reading(one, one.scan_columns, one.end_columns, look, give_up)

    def feed(piece: ColumnPiece, noted: Noted) -> TickColumns:
        return day.feed(piece.trades, noted.between(piece.marks), piece.channels)

    return _Way(subscription, slice_bytes, open_file, day.reckoning, feed, day.close)


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
