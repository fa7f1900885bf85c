"""The contract of index feeds passes what is right and fails what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from decimal import Decimal

import pytest
from attrs import evolve

from hkex_ops.errors import AuthRefused, Rejected
from hkex_ops.model import IndexTick
from hkex_ops.testing import (
    FakeIndexFeed,
    FakeIndexFeedBench,
    FakeIndexFeedOptions,
    IndexFeedBench,
    IndexFeedContract,
)


class TestFakeIndexFeed(IndexFeedContract):
    """The fake of the kit keeps the contract in every clause."""

    @pytest.fixture
    def bench(self) -> FakeIndexFeedBench:
        return FakeIndexFeedBench()


class Skipping(FakeIndexFeed):
    """Leaves every other tick out."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        wanted = True
        async for tick in super().ticks():
            if wanted:
                yield tick
            wanted = not wanted


class Rounding(FakeIndexFeed):
    """Gives a figure, not its digits."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        async for tick in super().ticks():
            yield evolve(tick, value=tick.value.normalize())


class Hasty(FakeIndexFeed):
    """Keeps ten ticks for a reader and drops what else comes."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        async for tick in super().ticks():
            self.place = max(self.place, len(self.options.tape.ticks) - 10)
            yield tick


class Taking(FakeIndexFeed):
    """Takes away what it has given."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        async for tick in super().ticks():
            self.options.tape.ticks.remove(tick)
            self.place -= 1
            yield tick


class Deaf(FakeIndexFeed):
    """Hears only what comes after it."""

    def __init__(self, options: FakeIndexFeedOptions) -> None:
        super().__init__(evolve(options, start=None))


class Endless(FakeIndexFeed):
    """Never ends."""

    def __init__(self, options: FakeIndexFeedOptions) -> None:
        super().__init__(evolve(options, follows=True))


class Early(FakeIndexFeed):
    """Starts at the beginning, whatever it was asked."""

    def __init__(self, options: FakeIndexFeedOptions) -> None:
        super().__init__(evolve(options, start=0))


class Careless(FakeIndexFeed):
    """Ticks a thing off before anybody has done it: what lies ready counts as done."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        async for tick in super().ticks():
            if self.options.bookmark is not None:
                self.options.bookmark[:] = [self.place + 3]
            yield tick
            if self.options.bookmark is not None:
                self.options.bookmark[:] = [self.place + 3]


class Repeating(FakeIndexFeed):
    """Tells everything again when the line was cut."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        given: list[IndexTick] = []
        async for tick in super().ticks():
            if len(given) == 4:
                for old in given:
                    yield old
            given.append(tick)
            yield tick


class Credulous(FakeIndexFeed):
    """Takes anything for a tick."""

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        try:
            async for tick in super().ticks():
                yield tick
        except Rejected:
            yield IndexTick("0000100", datetime.fromisoformat("2010-01-22T10:00Z"), Decimal(0))


class Finite(FakeIndexFeed):
    """Ends when there is nothing just now."""

    def __init__(self, options: FakeIndexFeedOptions) -> None:
        super().__init__(evolve(options, follows=False))


class LingeringBench(FakeIndexFeedBench):
    """Its adapter never hangs up."""

    def visitors(self) -> int:
        return self.tape.visitors + 1


class OpenHouseBench(FakeIndexFeedBench):
    """Its adapter lets anybody in, and down is not down."""

    time_limit_s = 0

    def options_unknown(self) -> FakeIndexFeedOptions:
        return self.options()

    async def take_down(self) -> None:
        return


Clause = Callable[[IndexFeedBench], Awaitable[None]]

clauses = IndexFeedContract()


def impatient(make: type[FakeIndexFeed]) -> FakeIndexFeedBench:
    """A bench that does not wait long for a tick that never comes."""
    bench = FakeIndexFeedBench(make)
    bench.time_limit_s = 0.2
    return bench


@pytest.mark.parametrize(
    ("bench", "clause"),
    [
        (impatient(Skipping), clauses.test_f01_what_is_put_is_heard),
        (impatient(Rounding), clauses.test_f02_every_digit_and_word_is_heard),
        (impatient(Hasty), clauses.test_f03_a_slow_reader_loses_nothing),
        (impatient(Taking), clauses.test_f04_every_feed_hears_for_itself),
        (impatient(Deaf), clauses.test_f05_what_is_kept_comes_first),
        (impatient(Endless), clauses.test_f06_a_feed_to_the_end_ends),
        (impatient(Endless), clauses.test_f07_where_nothing_is_kept_the_end_is_at_once),
        (impatient(Early), clauses.test_f08_a_feed_can_start_at_a_moment),
        (impatient(Careless), clauses.test_f09_a_reader_that_is_remembered_goes_on),
        (impatient(Repeating), clauses.test_f10_a_line_that_was_cut_loses_nothing),
        (OpenHouseBench(), clauses.test_f11_a_publishing_side_that_is_down_is_told),
        (impatient(Credulous), clauses.test_f12_nonsense_is_told_and_not_passed_on),
        (OpenHouseBench(), clauses.test_f13_an_unknown_user_is_told_without_secrets),
        (LingeringBench(), clauses.test_f14_a_reader_that_leaves_leaves_nothing),
        (impatient(Finite), clauses.test_f15_a_reader_can_be_cancelled_while_it_waits),
        (LingeringBench(), clauses.test_f15_a_reader_can_be_cancelled_while_it_waits),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_broken_feed_fails_its_clause(
    bench: IndexFeedBench, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hkex_ops.testing.index_feed_contract.NOTICE_TIMEOUT_S", 0.05)
    with pytest.raises((AssertionError, pytest.fail.Exception, TimeoutError)):
        await clause(bench)


class TalkativeBench(FakeIndexFeedBench):
    """Its adapter says in its error what nobody may read."""

    def secrets(self) -> tuple[str, ...]:
        return ("check the secret",)


async def test_a_feed_that_tells_a_secret_fails_its_clause() -> None:
    with pytest.raises(AssertionError, match="repeats a secret"):
        await clauses.test_f13_an_unknown_user_is_told_without_secrets(TalkativeBench())


async def test_an_unknown_user_really_is_unknown_to_the_fake() -> None:
    bench = FakeIndexFeedBench()
    with pytest.raises(AuthRefused):
        async with asyncio.timeout(1), bench.offer.open(bench.options_unknown(), "primary"):  # type: ignore[arg-type]
            pass


class BareBench(FakeIndexFeedBench):
    """A bench that can only be listened to."""

    options_to_the_end = IndexFeedBench.options_to_the_end  # type: ignore[assignment]
    options_from_the_start = IndexFeedBench.options_from_the_start  # type: ignore[assignment]
    options_from = IndexFeedBench.options_from  # type: ignore[assignment]
    options_resuming = IndexFeedBench.options_resuming  # type: ignore[assignment]
    options_unknown = IndexFeedBench.options_unknown  # type: ignore[assignment]
    put_nonsense = IndexFeedBench.put_nonsense
    take_down = IndexFeedBench.take_down
    visitors = IndexFeedBench.visitors


@pytest.mark.parametrize(
    ("clause", "reason"),
    [
        (clauses.test_f05_what_is_kept_comes_first, "keeps nothing"),
        (clauses.test_f06_a_feed_to_the_end_ends, "without an end"),
        (clauses.test_f08_a_feed_can_start_at_a_moment, "no way to start at a moment"),
        (clauses.test_f09_a_reader_that_is_remembered_goes_on, "remembers nobody"),
        (clauses.test_f10_a_line_that_was_cut_loses_nothing, "cannot take the publishing side"),
        (clauses.test_f12_nonsense_is_told_and_not_passed_on, "cannot put nonsense"),
        (clauses.test_f13_an_unknown_user_is_told_without_secrets, "knows no users"),
        (clauses.test_f14_a_reader_that_leaves_leaves_nothing, "cannot count"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_clause_the_bench_cannot_stage_is_skipped_with_its_reason(
    clause: Clause, reason: str
) -> None:
    with pytest.raises(pytest.skip.Exception, match=reason):
        await clause(BareBench())
