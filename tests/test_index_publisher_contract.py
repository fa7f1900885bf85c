"""The contract of index publishers passes what is right and fails what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from attrs import evolve

from hkex_ops.errors import HkexOpsError, PermanentError, TransientError
from hkex_ops.model import HONG_KONG, IndexTick, JsonObject, TickKind, tick_identity
from hkex_ops.testing import (
    FakeIndexPublisher,
    FakeIndexPublisherBench,
    FakeTape,
    IndexPublisherBench,
    IndexPublisherContract,
)


class TestFakeIndexPublisher(IndexPublisherContract):
    """The fake of the kit keeps the contract in every clause."""

    @pytest.fixture
    def bench(self) -> FakeIndexPublisherBench:
        return FakeIndexPublisherBench()


class Forgetting(FakeIndexPublisher):
    """Loses the last tick of every call."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        await super().publish(ticks[:-1])


class Rounding(FakeIndexPublisher):
    """Publishes a figure, not its digits."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        await super().publish([evolve(tick, value=tick.value.normalize()) for tick in ticks])


class Backwards(FakeIndexPublisher):
    """Puts the newest moment first."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        self.tape.ticks[:0] = ticks


class Insisting(FakeIndexPublisher):
    """What it is given again it publishes with another value."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        known = len(self.tape.ticks)
        self.tape.ticks += [evolve(tick, value=tick.value + known) for tick in ticks]


class Levelling(FakeIndexPublisher):
    """Knows one kind of value only."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        await super().publish([evolve(tick, kind=TickKind.REAL_TIME) for tick in ticks])


class Inventing(FakeIndexPublisher):
    """Has always something to say."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        self.tape.ticks.append(UNASKED)
        await super().publish(ticks)


class Mixing(FakeIndexPublisher):
    """Callers at once disturb each other."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        for tick in reversed(ticks):
            await asyncio.sleep(0)
            self.tape.take(tick)


class Believing(FakeIndexPublisher):
    """Takes any failure for a success."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        try:
            await super().publish(ticks)
        except HkexOpsError:
            return


class Despairing(FakeIndexPublisher):
    """Once something failed, everything fails for good."""

    failed = False

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        if self.failed:
            raise PermanentError("it failed before")
        try:
            await super().publish(ticks)
        except TransientError:
            self.failed = True
            raise


class Stubborn(FakeIndexPublisher):
    """Never tells anybody not to try again."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        try:
            await super().publish(ticks)
        except HkexOpsError as error:
            raise TransientError(str(error)) from error


class Chattering(FakeIndexPublisher):
    """Says in its error what nobody may read."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        try:
            await super().publish(ticks)
        except HkexOpsError as error:
            raise type(error)(f"{error} (open sesame)") from error


class Trusting(FakeIndexPublisher):
    """Believes that what it has begun is out, though it was given up."""

    def __init__(self, tape: FakeTape) -> None:
        super().__init__(tape)
        self.begun: set[str] = set()

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        for tick in ticks:
            if tick_identity(tick) not in self.begun:
                self.begun.add(tick_identity(tick))
                await asyncio.sleep(0)
                self.tape.take(tick)


class Mumbling(FakeIndexPublisher):
    """Tells the name of an event and nothing else."""

    async def publish_event(self, event: JsonObject) -> None:
        await super().publish_event({"event": event["event"], "at": event["at"]})


class Closed(FakeIndexPublisher):
    """Has no news for those who come late."""

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        return


class Overwriting(FakeIndexPublisher):
    """Takes every snapshot for the newest."""

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        self.tape.ticks = list(ticks)


class LingeringBench(FakeIndexPublisherBench):
    """Its adapter never hangs up."""

    def visitors(self) -> int:
        return self.tape.visitors + 1


class OpenHouseBench(FakeIndexPublisherBench):
    """Its adapter lets anybody in."""

    def options_unknown(self) -> object:
        return self.options()


UNASKED = IndexTick("9999999", datetime(2010, 1, 22, tzinfo=HONG_KONG), Decimal(1))

Clause = Callable[[IndexPublisherBench], Awaitable[None]]

clauses = IndexPublisherContract()


@pytest.mark.parametrize(
    ("bench", "clause"),
    [
        (FakeIndexPublisherBench(Forgetting), clauses.test_i01_what_was_published_comes_out),
        (FakeIndexPublisherBench(Rounding), clauses.test_i02_every_digit_and_word_comes_out),
        (FakeIndexPublisherBench(Backwards), clauses.test_i03_moments_keep_their_order),
        (FakeIndexPublisherBench(Insisting), clauses.test_i04_publishing_again_does_no_harm),
        (FakeIndexPublisherBench(Levelling), clauses.test_i05_kinds_of_one_moment_are_told_apart),
        (FakeIndexPublisherBench(Inventing), clauses.test_i06_nothing_to_publish_is_nothing),
        (FakeIndexPublisherBench(Mixing), clauses.test_i07_callers_at_once_do_not_mix),
        (
            FakeIndexPublisherBench(Believing),
            clauses.test_i08_a_far_side_that_is_down_is_told_in_time,
        ),
        (
            FakeIndexPublisherBench(Chattering),
            clauses.test_i08_a_far_side_that_is_down_is_told_in_time,
        ),
        (FakeIndexPublisherBench(Believing), clauses.test_i10_silence_ends_in_time),
        (FakeIndexPublisherBench(Believing), clauses.test_i11_no_room_is_told_and_is_no_end),
        (FakeIndexPublisherBench(Stubborn), clauses.test_i12_a_refusal_is_told_without_secrets),
        (OpenHouseBench(), clauses.test_i13_an_unknown_user_is_told_without_secrets),
        (FakeIndexPublisherBench(Trusting), clauses.test_i14_what_was_given_up_can_be_done_again),
        (LingeringBench(), clauses.test_i15_nothing_stays_open),
        (FakeIndexPublisherBench(Mumbling), clauses.test_i16_events_come_out),
        (FakeIndexPublisherBench(Closed), clauses.test_i17_a_late_comer_is_told_the_state),
        (FakeIndexPublisherBench(Overwriting), clauses.test_i18_an_old_snapshot_hides_nothing_new),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_broken_publisher_fails_its_clause(
    bench: IndexPublisherBench, clause: Clause, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hkex_ops.testing.index_publisher_contract.NOTICE_TIMEOUT_S", 0.05)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        await clause(bench)


async def test_a_publisher_that_never_recovers_fails_its_clause() -> None:
    with pytest.raises(PermanentError):
        await clauses.test_i09_a_far_side_that_is_back_is_used_again(
            FakeIndexPublisherBench(Despairing)
        )


class Slow(FakeIndexPublisher):
    """Waits for an answer as long as it takes."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        if self.tape.is_silent:
            await asyncio.sleep(3600)
        await super().publish(ticks)


async def test_a_publisher_that_waits_for_ever_fails_its_clause() -> None:
    bench = FakeIndexPublisherBench(Slow)
    bench.time_limit_s = 0
    with pytest.raises(TimeoutError):
        await clauses.test_i10_silence_ends_in_time(bench)


class Bare:
    """Can do nothing but publish."""

    def __init__(self, tape: FakeTape) -> None:
        self._whole = FakeIndexPublisher(tape)

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        await self._whole.publish(ticks)


@pytest.mark.parametrize(
    ("clause", "reason"),
    [
        (clauses.test_i16_events_come_out, "carries no events"),
        (clauses.test_i17_a_late_comer_is_told_the_state, "nothing for a late-comer"),
        (clauses.test_i18_an_old_snapshot_hides_nothing_new, "nothing for a late-comer"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_what_a_publisher_cannot_do_is_skipped_with_its_reason(
    clause: Clause, reason: str
) -> None:
    with pytest.raises(pytest.skip.Exception, match=reason):
        await clause(FakeIndexPublisherBench(Bare))


class BareBench(FakeIndexPublisherBench):
    """A bench that can only be up."""

    take_down = IndexPublisherBench.take_down
    fall_silent = IndexPublisherBench.fall_silent
    fill_up = IndexPublisherBench.fill_up
    refuse = IndexPublisherBench.refuse
    options_unknown = IndexPublisherBench.options_unknown  # type: ignore[assignment]
    visitors = IndexPublisherBench.visitors


@pytest.mark.parametrize(
    ("clause", "reason"),
    [
        (clauses.test_i08_a_far_side_that_is_down_is_told_in_time, "cannot take the far side down"),
        (clauses.test_i10_silence_ends_in_time, "no answer to wait for"),
        (clauses.test_i11_no_room_is_told_and_is_no_end, "cannot fill"),
        (clauses.test_i12_a_refusal_is_told_without_secrets, "cannot make the far side refuse"),
        (clauses.test_i13_an_unknown_user_is_told_without_secrets, "knows no users"),
        (clauses.test_i15_nothing_stays_open, "cannot count"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_clause_the_bench_cannot_stage_is_skipped_with_its_reason(
    clause: Clause, reason: str
) -> None:
    with pytest.raises(pytest.skip.Exception, match=reason):
        await clause(BareBench())
