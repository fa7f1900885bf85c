"""A publisher that fails, hangs or refuses costs nobody else anything, and nothing goes unsaid."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from attrs import define, field

from hkex_ops.clock import ManualClock
from hkex_ops.errors import Rejected, Unreachable
from hkex_ops.flows.index.publishing import (
    ANSWER_S,
    EventGivenUp,
    LaneEvent,
    PublisherFailed,
    PublisherLane,
    PublisherOpened,
    PublishLimits,
    TicksGivenUp,
)
from hkex_ops.model import HONG_KONG, IndexTick, JsonObject
from hkex_ops.ports import IndexPublisher

TEN = datetime(2026, 11, 20, 10, tzinfo=HONG_KONG)
LIMITS = PublishLimits(answer_s=1, first_wait_ms=1, longest_wait_ms=4, moments=3, snapshot_s=60)


def moment(number: int) -> tuple[IndexTick, ...]:
    """The ticks of the moment so many intervals after ten o'clock."""
    at = TEN + timedelta(seconds=2 * number)
    return tuple(IndexTick(index, at, Decimal(f"{number}.00")) for index in ("0000100", "0001400"))


@define
class FarSide:
    """A publisher for tests, and what became of what it was given."""

    goes_wrong: Callable[[int], None] = lambda _: None
    opened: int = 0
    moments: list[datetime] = field(factory=list[datetime])
    calls: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[IndexPublisher]:
        self.opened += 1
        yield self

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        self.calls += 1
        self.goes_wrong(self.calls)
        self.moments.append(ticks[0].at)


@define
class Talkative(FarSide):
    """One that carries events and snapshots too."""

    events: list[JsonObject] = field(factory=list[JsonObject])
    snapshots: list[list[str]] = field(factory=list[list[str]])

    async def publish_event(self, event: JsonObject) -> None:
        self.events.append(event)

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        self.snapshots.append([tick.index for tick in ticks])


@define
class Bench:
    """A lane on a far side, with what it told."""

    far: FarSide
    limits: PublishLimits = LIMITS
    told: list[LaneEvent] = field(factory=list[LaneEvent])
    lane: PublisherLane = field(init=False)

    def __attrs_post_init__(self) -> None:
        clock = ManualClock(TEN)
        self.lane = PublisherLane("nats", self.far.open, clock, self.told.append, self.limits)

    async def run_dry(self) -> None:
        """Let the lane work until nothing waits."""
        running = asyncio.create_task(self.lane.run())
        await until(lambda: not self.lane.waiting)
        self.lane.end()
        await running


async def until(holds: Callable[[], bool]) -> None:
    """Let the lane work until ``holds``."""
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - a lane tells nobody when it is done
            await asyncio.sleep(0.001)


def ats(*numbers: int) -> list[datetime]:
    return [moment(number)[0].at for number in numbers]


async def test_moments_go_out_in_their_order() -> None:
    bench = Bench(FarSide())
    for number in range(3):
        bench.lane.offer(moment(number))
    await bench.run_dry()
    assert (ats(0, 1, 2), 3) == (bench.far.moments, bench.lane.published)
    assert [PublisherOpened(TEN, "nats", 3)] == bench.told


async def test_one_that_fails_is_opened_again_and_goes_on_where_it_stood() -> None:
    def twice(call: int) -> None:
        if call in (2, 3):
            raise Unreachable("nobody is there: try again")

    bench = Bench(FarSide(twice))
    for number in range(3):
        bench.lane.offer(moment(number))
    await bench.run_dry()
    assert ats(0, 1, 2) == bench.far.moments
    assert [
        PublisherOpened(TEN, "nats", 3),
        PublisherFailed(TEN, "nats", "nobody is there: try again", 1, 1),
        PublisherOpened(TEN, "nats", 2),
        PublisherFailed(TEN, "nats", "nobody is there: try again", 2, 2),
        PublisherOpened(TEN, "nats", 2),
    ] == bench.told


async def test_a_moment_refused_for_good_is_given_up_and_said() -> None:
    def second(call: int) -> None:
        if call == 2:
            raise Rejected("too large: raise the limit")

    bench = Bench(FarSide(second))
    for number in range(3):
        bench.lane.offer(moment(number))
    await bench.run_dry()
    assert ats(0, 2) == bench.far.moments
    assert TicksGivenUp(TEN, "nats", ats(1)[0], 2, "too large: raise the limit") in bench.told


async def test_an_adapter_that_breaks_its_contract_is_named_and_tried_again() -> None:
    def once(call: int) -> None:
        if call == 1:
            raise ZeroDivisionError("oops")

    bench = Bench(FarSide(once))
    bench.lane.offer(moment(0))
    await bench.run_dry()
    assert ats(0) == bench.far.moments
    [failed] = [one for one in bench.told if isinstance(one, PublisherFailed)]
    assert "ZeroDivisionError, which breaks its contract: oops" in failed.reason


async def test_one_that_never_answers_is_left_and_tried_again() -> None:
    class Silent(FarSide):
        async def publish(self, ticks: Sequence[IndexTick]) -> None:
            self.calls += 1
            if self.calls == 1:
                await asyncio.Event().wait()
            self.moments.append(ticks[0].at)

    bench = Bench(Silent())
    bench.lane.offer(moment(0))
    await bench.run_dry()
    assert ats(0) == bench.far.moments
    assert PublisherFailed(TEN, "nats", "it did not answer in time", 1, 1) in bench.told


async def test_the_oldest_of_a_full_queue_is_given_up_and_said() -> None:
    bench = Bench(FarSide())
    for number in range(5):
        bench.lane.offer(moment(number))
    await bench.run_dry()
    assert ats(2, 3, 4) == bench.far.moments
    reason = "too many moments wait for this publisher"
    assert [TicksGivenUp(TEN, "nats", at, 2, reason) for at in ats(0, 1)] == bench.told[:2]


async def test_an_end_waits_for_what_is_queued_and_not_for_one_that_fails() -> None:
    def always(_: int) -> None:
        raise Unreachable("nobody is there: try again")

    bench = Bench(FarSide(always))
    bench.lane.offer(moment(0))
    running = asyncio.create_task(bench.lane.run())
    await until(lambda: bool(bench.told))
    bench.lane.end()
    async with asyncio.timeout(2):
        await running
    assert ([], 1) == (bench.far.moments, bench.lane.waiting)


async def test_events_and_the_state_go_to_whoever_can_carry_them() -> None:
    far = Talkative()
    bench = Bench(far)
    bench.lane.offer(moment(0))
    bench.lane.tell({"event": "mode-changed", "at": TEN.isoformat()})
    await bench.run_dry()
    assert [["0000100", "0001400"]] == far.snapshots
    assert [{"event": "mode-changed", "at": TEN.isoformat()}] == far.events


async def test_late_comers_are_told_the_state_again_and_again() -> None:
    far = Talkative()
    bench = Bench(far, PublishLimits(snapshot_s=0))
    bench.lane.offer(moment(0))
    running = asyncio.create_task(bench.lane.run())
    await until(lambda: len(far.snapshots) >= 3)
    bench.lane.end()
    await running
    assert [["0000100", "0001400"]] * 3 == far.snapshots[:3]


async def test_an_event_refused_for_good_is_told_once_and_ticks_go_on() -> None:
    class Picky(Talkative):
        async def publish_event(self, event: JsonObject) -> None:
            if event["event"] == "unheard-of":
                raise Rejected("no such event: ask the operator")
            self.events.append(event)

    far = Picky()
    bench = Bench(far)
    for event in ("unheard-of", "mode-changed"):
        bench.lane.tell({"event": event, "at": TEN.isoformat()})
    for number in range(2):
        bench.lane.offer(moment(number))
    await bench.run_dry()
    assert (ats(0, 1), 1) == (far.moments, far.opened)
    assert ["mode-changed"] == [one["event"] for one in far.events]
    reason = "no such event: ask the operator"
    assert [
        PublisherOpened(TEN, "nats", 2),
        EventGivenUp(TEN, "nats", "unheard-of", reason),
    ] == bench.told


async def test_an_event_that_always_fails_is_given_up_after_a_few_times_and_ticks_go_on() -> None:
    class Deaf(Talkative):
        async def publish_event(self, event: JsonObject) -> None:
            raise Unreachable("nobody listens to events: try again")

    far = Deaf()
    bench = Bench(far)
    bench.lane.tell({"event": "mode-changed", "at": TEN.isoformat()})
    bench.lane.offer(moment(0))
    running = asyncio.create_task(bench.lane.run())
    await until(lambda: any(isinstance(one, EventGivenUp) for one in bench.told))
    bench.lane.offer(moment(1))
    await until(lambda: not bench.lane.waiting)
    bench.lane.end()
    await running
    assert ats(0, 1) == far.moments
    reason = "nobody listens to events: try again"
    assert EventGivenUp(TEN, "nats", "mode-changed", reason) in bench.told
    assert 3 == len([one for one in bench.told if isinstance(one, PublisherFailed)])


async def test_one_that_takes_its_time_holds_up_no_other() -> None:
    """A mail server may take seconds; the lane beside it has everything out meanwhile."""
    answers = asyncio.Event()

    class Slow(FarSide):
        async def publish(self, ticks: Sequence[IndexTick]) -> None:
            await answers.wait()
            self.moments.append(ticks[0].at)

    slow, quick = Bench(Slow(), PublishLimits()), Bench(FarSide())
    running = [asyncio.create_task(one.lane.run()) for one in (slow, quick)]
    for number in range(5):
        for one in (slow, quick):
            one.lane.offer(moment(number))
        await until(lambda: not quick.lane.waiting)
    assert (ats(0, 1, 2, 3, 4), []) == (quick.far.moments, slow.far.moments)
    answers.set()
    for one in (slow, quick):
        one.lane.end()
    await asyncio.gather(*running)
    assert ats(0, 1, 2, 3, 4) == slow.far.moments
    assert [PublisherOpened(TEN, "nats", 1)] == slow.told


def test_a_call_may_take_longer_than_any_adapters_own_limit() -> None:
    """Else a mail that is about to be taken would be cut off, and sent again."""
    mail = pytest.importorskip("hkex_ops_mail.options", reason="hkex-ops-mail is not installed")
    assert mail.TIMEOUT_S < ANSWER_S
    nats = pytest.importorskip("hkex_ops_nats.options", reason="hkex-ops-nats is not installed")
    assert nats.PUBLISH_TIMEOUT_S < ANSWER_S


async def test_what_still_waits_when_all_is_over_is_said() -> None:
    bench = Bench(FarSide())
    bench.lane.offer(moment(0))
    bench.lane.give_up("the run has ended")
    assert [TicksGivenUp(TEN, "nats", ats(0)[0], 2, "the run has ended")] == bench.told


async def test_one_that_cannot_carry_events_loses_none_of_its_ticks() -> None:
    bench = Bench(FarSide())
    bench.lane.tell({"event": "mode-changed", "at": TEN.isoformat()})
    bench.lane.offer(moment(0))
    await bench.run_dry()
    assert ats(0) == bench.far.moments
