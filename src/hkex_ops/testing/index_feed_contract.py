"""The contract of ``IndexFeed``: numbered clauses that every adapter of the port must pass.

Inherit the class in a test module and give it a fixture ``bench``::

    class TestMyFeed(IndexFeedContract):
        @pytest.fixture
        async def bench(self, tmp_path):
            async with MyBench(tmp_path) as bench:
                yield bench

A clause states its prerequisite, its action and when it passes. Numbers are never reused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain

import pytest
from attrs import evolve

from hkex_ops.errors import AuthRefused, HkexOpsError, Rejected, TransientError
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, SiteRole, TickKind
from hkex_ops.testing.index_feed_bench import IndexFeedBench

__all__ = ["IndexFeedContract"]

PRIMARY = SiteRole.PRIMARY

INDEXES = ("0000100", "0001400", "0208300")

MANY = 40

# A reader that stands still now and then, for so long each time.
SLOW_EVERY = 50
SLOW_S = 0.02

# Servers notice a farewell a little later than the reader says it.
NOTICE_TIMEOUT_S = 5
NOTICE_INTERVAL_S = 0.01

# How long a reader that is about to be cancelled has been waiting.
WAITED_S = 0.05

_OPENED = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)


def _ticks(moment: int) -> list[IndexTick]:
    """One tick of each index at the ``moment``-th interval; no two values are alike."""
    return [
        IndexTick(
            index,
            _OPENED + timedelta(seconds=15 * moment),
            Decimal(2_000_000 + 1_000 * place + moment).scaleb(-2),
            engine="conformance",
            site=PRIMARY,
        )
        for place, index in enumerate(INDEXES)
    ]


def _every_kind() -> list[IndexTick]:
    """Ticks of moments of their own that between them use every field, status and kind."""
    full = evolve(
        _ticks(0)[0],
        value=Decimal("20726.10"),
        high=Decimal("20800.00"),
        low=Decimal("20700.01"),
        opening=Decimal("20750.00"),
        closing=Decimal("20726.10"),
        previous_close=Decimal("20862.67"),
        stale=(5, 388, 99999),
    )
    ticks = [evolve(full, status=status) for status in IndexStatus]
    ticks += [evolve(full, kind=kind) for kind in TickKind if kind is not full.kind]
    return [
        evolve(tick, at=_OPENED + timedelta(seconds=15 * moment))
        for moment, tick in enumerate(ticks)
    ]


@asynccontextmanager
async def _hearing(bench: IndexFeedBench, options: object) -> AsyncGenerator[_Reader]:
    """The adapter opened with ``options``, and its ticks."""
    async with bench.offer.open(options, PRIMARY) as feed:
        ticks = feed.ticks()
        try:
            yield _Reader(ticks, bench.time_limit_s)
        finally:
            if isinstance(ticks, AsyncGenerator):
                await ticks.aclose()


class _Reader:
    """Takes ticks, each within the bench's time."""

    def __init__(self, ticks: AsyncIterator[IndexTick], time_limit_s: float) -> None:
        self._ticks = ticks
        self._time_limit_s = time_limit_s

    async def take(self, count: int) -> list[IndexTick]:
        """The next ``count`` ticks; fewer when the feed ends."""
        taken: list[IndexTick] = []
        while len(taken) < count and (tick := await self.next()) is not None:
            taken.append(tick)
        return taken

    async def next(self) -> IndexTick | None:
        """The next tick; ``None`` at the end of the feed."""
        async with asyncio.timeout(self._time_limit_s):
            return await anext(self._ticks, None)


async def _noticed(fact: Callable[[], bool]) -> bool:
    """Whether the far side comes to show ``fact`` within a short while."""
    for _ in range(int(NOTICE_TIMEOUT_S / NOTICE_INTERVAL_S)):
        if fact():
            return True
        await asyncio.sleep(NOTICE_INTERVAL_S)
    return False


async def _put(bench: IndexFeedBench, *moments: Sequence[IndexTick]) -> list[IndexTick]:
    """Put one moment after the other; what a feed should give of them."""
    for ticks in moments:
        await bench.put(ticks)
    return [bench.carried(tick) for tick in chain.from_iterable(moments)]


async def _hear_for_ever(bench: IndexFeedBench) -> None:
    async with bench.offer.open(bench.options(), PRIMARY) as feed:
        async for _ in feed.ticks():
            pass


def _judged(bench: IndexFeedBench, error: HkexOpsError) -> None:
    """An error is one printable sentence and repeats no secret."""
    text = str(error)
    assert text.isprintable(), "the error is not one printable sentence"
    for secret in bench.secrets():
        assert secret not in text, "the error repeats a secret"


class IndexFeedContract:
    """Inherit and provide a fixture ``bench`` that yields a fresh `IndexFeedBench`."""

    pytestmark: pytest.MarkDecorator = pytest.mark.asyncio

    # -- what is heard -----------------------------------------------------------------------

    async def test_f01_what_is_put_is_heard(self, bench: IndexFeedBench) -> None:
        """F1. Prerequisite: open. Action: put two moments. Pass: their ticks, in order."""
        async with _hearing(bench, bench.options()) as reader:
            expected = await _put(bench, _ticks(0), _ticks(1))
            assert expected == await reader.take(len(expected))

    async def test_f02_every_digit_and_word_is_heard(self, bench: IndexFeedBench) -> None:
        """F2. Action: every field, status and kind. Pass: the same, to the last zero."""
        async with _hearing(bench, bench.options()) as reader:
            expected = await _put(bench, *([tick] for tick in _every_kind()))
            heard = await reader.take(len(expected))
        assert expected == heard
        assert [str(tick.value) for tick in expected] == [str(tick.value) for tick in heard]

    async def test_f03_a_slow_reader_loses_nothing(self, bench: IndexFeedBench) -> None:
        """F3. Action: put many at once, read slowly. Pass: all of them, in order."""
        heard: list[IndexTick] = []
        async with _hearing(bench, bench.options()) as reader:
            expected = await _put(bench, *map(_ticks, range(MANY)))
            while len(heard) < len(expected):
                heard += await reader.take(min(SLOW_EVERY, len(expected) - len(heard)))
                await asyncio.sleep(SLOW_S)
        assert expected == heard

    async def test_f04_every_feed_hears_for_itself(self, bench: IndexFeedBench) -> None:
        """F4. Prerequisite: two feeds. Action: put, read one, then the other. Pass: both, all."""
        async with (
            _hearing(bench, bench.options()) as one,
            _hearing(bench, bench.options()) as other,
        ):
            expected = await _put(bench, _ticks(0), _ticks(1))
            assert expected == await one.take(len(expected))
            assert expected == await other.take(len(expected))

    # -- what is kept ------------------------------------------------------------------------

    async def test_f05_what_is_kept_comes_first(self, bench: IndexFeedBench) -> None:
        """F5. Prerequisite: a moment was put. Action: open, put another. Pass: both, in order."""
        options = bench.options_from_the_start()
        kept = await _put(bench, _ticks(0))
        async with _hearing(bench, options) as reader:
            assert kept == await reader.take(len(kept))
            expected = await _put(bench, _ticks(1))
            assert expected == await reader.take(len(expected))

    async def test_f06_a_feed_to_the_end_ends(self, bench: IndexFeedBench) -> None:
        """F6. Prerequisite: two moments were put. Action: read. Pass: both, and then the end."""
        options = bench.options_to_the_end()
        expected = await _put(bench, _ticks(0), _ticks(1))
        for _ in range(2):
            async with _hearing(bench, options) as reader:
                assert expected == await reader.take(len(expected) + 1)

    async def test_f07_where_nothing_is_kept_the_end_is_at_once(
        self, bench: IndexFeedBench
    ) -> None:
        """F7. Prerequisite: nothing was put. Action: read to the end. Pass: the end."""
        async with _hearing(bench, bench.options_to_the_end()) as reader:
            assert [] == await reader.take(1)

    async def test_f08_a_feed_can_start_at_a_moment(self, bench: IndexFeedBench) -> None:
        """F8. Prerequisite: many were put. Action: read from one of them. Pass: it, and on."""
        start = _ticks(MANY // 2)[0].at
        options = bench.options_from(start)
        put = await _put(bench, *map(_ticks, range(MANY)))
        expected = [tick for tick in put if tick.at >= start]
        async with _hearing(bench, options) as reader:
            assert expected == await reader.take(len(expected))

    async def test_f09_a_reader_that_is_remembered_goes_on(self, bench: IndexFeedBench) -> None:
        """F9. Action: read some, leave, again. Pass: none lost; only the one in hand comes again.

        A tick counts as done when the next one is asked for.
        """
        options = bench.options_resuming()
        expected = await _put(bench, *map(_ticks, range(4)))
        heard: list[IndexTick] = []
        while len(heard) < len(expected):
            async with _hearing(bench, options) as reader:
                first = await reader.take(1)
                heard += [] if first == heard[-1:] else first
                heard += await reader.take(min(4, len(expected) - len(heard)))
        assert expected == heard

    # -- when it fails -----------------------------------------------------------------------

    async def test_f10_a_line_that_was_cut_loses_nothing(self, bench: IndexFeedBench) -> None:
        """F10. Action: read, down and up again, put, read. Pass: all, none of them twice."""
        async with _hearing(bench, bench.options()) as reader:
            before = await _put(bench, _ticks(0), _ticks(1))
            assert before[:4] == await reader.take(4)
            await bench.take_down()
            await bench.bring_up()
            after = await _put(bench, _ticks(2))
            assert [*before[4:], *after] == await reader.take(len(before) - 4 + len(after))

    async def test_f11_a_publishing_side_that_is_down_is_told(self, bench: IndexFeedBench) -> None:
        """F11. Prerequisite: down. Action: open, read. Pass: `TransientError`, in time."""
        options = bench.options()
        await bench.take_down()
        with pytest.raises(TransientError) as caught:
            async with _hearing(bench, options) as reader:
                await reader.take(1)
        _judged(bench, caught.value)

    async def test_f12_nonsense_is_told_and_not_passed_on(self, bench: IndexFeedBench) -> None:
        """F12. Action: put a moment, nonsense, read. Pass: the moment, then `Rejected`."""
        async with _hearing(bench, bench.options()) as reader:
            expected = await _put(bench, _ticks(0))
            await bench.put_nonsense()
            assert expected == await reader.take(len(expected))
            with pytest.raises(Rejected) as caught:
                await reader.take(1)
        _judged(bench, caught.value)

    async def test_f13_an_unknown_user_is_told_without_secrets(self, bench: IndexFeedBench) -> None:
        """F13. Prerequisite: another secret. Action: open, read. Pass: `AuthRefused`."""
        options = bench.options_unknown()
        with pytest.raises(AuthRefused) as caught:
            async with _hearing(bench, options) as reader:
                await reader.take(1)
        _judged(bench, caught.value)

    # -- manners -----------------------------------------------------------------------------

    async def test_f14_a_reader_that_leaves_leaves_nothing(self, bench: IndexFeedBench) -> None:
        """F14. Action: read one of many, leave. Pass: nothing of this process is open there."""
        async with _hearing(bench, bench.options()) as reader:
            await _put(bench, *map(_ticks, range(MANY)))
            await reader.take(1)
        assert await _noticed(lambda: bench.visitors() == 0)

    async def test_f15_a_reader_can_be_cancelled_while_it_waits(
        self, bench: IndexFeedBench
    ) -> None:
        """F15. Action: wait for a tick, be cancelled. Pass: cancelled, and nothing stays open."""
        waiting = asyncio.create_task(_hear_for_ever(bench))
        done, _ = await asyncio.wait([waiting], timeout=WAITED_S)
        assert not done, "a feed without ticks ended"
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(bench.time_limit_s):
                await waiting
        assert await _noticed(lambda: bench.visitors() == 0)
