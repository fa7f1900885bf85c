"""What a gateway tells: heard once, never made up, and asked for when it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from oapi_benches import StandInBench, needs_compiler, open_bench
from oapi_desk import RECOVERY, desk_options

from hkex_ops.errors import RemoteError, TransientError, UsageError
from hkex_ops.model import (
    BroadcastReceived,
    ClearingMessageReceived,
    EventsLost,
    EventsRecovered,
    GatewayEvent,
    LinkLost,
    LinkRestored,
    LogoutImminent,
    SiteRole,
)
from hkex_ops_oapi.options import RecoveryOptions
from hkex_ops_simulator.oapi.faults import Scripted

pytestmark = [pytest.mark.asyncio, needs_compiler]


class Heard:
    """Events of a gateway, taken in a task of their own."""

    def __init__(self, events: AsyncIterator[GatewayEvent]) -> None:
        self._events = events
        self.events: list[GatewayEvent] = []
        self.task = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        async for event in self._events:
            self.events.append(event)

    async def until(self, fits: Callable[[GatewayEvent], bool]) -> list[GatewayEvent]:
        """Everything heard, once an event that fits is among it."""
        async with asyncio.timeout(10):
            while not any(fits(event) for event in self.events):
                if self.task.done():
                    self.task.result()
                    raise AssertionError("the events ended")
                await asyncio.sleep(0.005)
        return self.events

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def hearing(bench: StandInBench, **options: object) -> AsyncIterator[Heard]:
    """A gateway that is heard, from the moment on at which all is subscribed to."""
    stated = desk_options(bench.stand_in, bench.folder, **bench.stated, **options)
    async with bench.offer.open(stated, SiteRole.PRIMARY) as gateway:
        heard = Heard(gateway.events())
        async with asyncio.timeout(10):
            while not any(len(queue.subscribed) >= 7 for queue in bench.stand_in.house.queues):
                if heard.task.done():
                    break
                await asyncio.sleep(0.005)
        try:
            yield heard
        finally:
            heard.task.cancel()
            await asyncio.gather(heard.task, return_exceptions=True)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[StandInBench]:
    async with open_bench(tmp_path) as bench:
        yield bench


def is_text(text: str) -> Callable[[GatewayEvent], bool]:
    return lambda event: isinstance(event, ClearingMessageReceived) and event.text == text


def is_code(code: str) -> Callable[[GatewayEvent], bool]:
    return lambda event: isinstance(event, BroadcastReceived) and event.code == code


@pytest.mark.parametrize("handles", [False, True], ids=["by-length", "by-handle"])
async def test_events_of_every_kind_are_heard_in_either_framing(
    bench: StandInBench, handles: bool
) -> None:
    bench.stand_in.faults.handles = handles
    house = bench.stand_in.house
    async with hearing(bench) as heard:
        trade = house.tell_trade()
        house.tell_change(trade.number, account="HOUSE")
        house.tell_signal(901, "SYNTHETIC")
        house.tell_heartbeat()
        house.tell_text("first line", "second line")
        await heard.until(is_text("first line\nsecond line"))
    codes = [event.code for event in heard.of(BroadcastReceived)]
    assert ["BD6", "BD39", "BD40", "BI7", "BI9"] == list(dict.fromkeys(codes))
    (told,) = [event for event in heard.events if is_code("BD6")(event)]
    assert isinstance(told, BroadcastReceived)
    assert trade.number == told.items[0]["trade_base.trade_number_i"]


async def test_an_event_that_no_layout_knows_is_told_as_it_came(bench: StandInBench) -> None:
    async with hearing(bench) as heard:
        bench.stand_in.house.tell_garbage(b"BI\x29\x00new in this release")
        bench.stand_in.house.tell_text("after")
        await heard.until(is_text("after"))
    data = b"BI\x29\x00new in this release".hex()
    assert [BroadcastReceived("BI41", {}, data=data)] == heard.of(BroadcastReceived)


@pytest.mark.parametrize(
    "garbage", [b"\x00", b"BI\x1b\x00short", b"no event at all", bytes(5), b"\xff" * 40]
)
async def test_garbage_among_events_is_taken_for_a_loss(
    bench: StandInBench, garbage: bytes
) -> None:
    """Nothing crashes, what follows is heard, and what may have been lost is asked for."""
    house = bench.stand_in.house
    async with hearing(bench) as heard:
        house.tell_garbage(garbage)
        await heard.until(lambda event: isinstance(event, EventsLost))
        house.tell_text("after")
        await heard.until(is_text("after"))
    assert heard.of(EventsLost)


async def test_an_overflow_is_told_and_every_lost_event_is_recovered_once(
    bench: StandInBench,
) -> None:
    """More events than the gateway has room for: each trade is told once, by either way."""
    house = bench.stand_in.house
    async with hearing(bench) as heard:
        bench.stand_in.faults.event_room = 5
        trades = []
        with house.lock:
            for _ in range(30):
                trades.append(house.tell_trade())
        house.tell_text("after")
        await heard.until(lambda event: isinstance(event, EventsRecovered) and event.code == "BI7")
        await heard.until(is_text("after"))
    told = [event.items[0] for event in heard.events if is_code("BD6")(event)]  # type: ignore[union-attr]
    made_up = [
        one for event in heard.of(EventsRecovered) if event.code == "BD6" for one in event.items
    ]
    numbers = [one["trade_base.trade_number_i"] for one in (*told, *made_up)]
    assert heard.of(EventsLost)
    assert {trade.number for trade in trades} <= set(numbers)
    assert len(set(numbers)) == len(numbers)
    assert heard.events.index(heard.of(EventsLost)[0]) < heard.events.index(
        heard.of(EventsRecovered)[0]
    )


async def test_what_was_recovered_is_not_told_again_when_it_comes(bench: StandInBench) -> None:
    house = bench.stand_in.house
    async with hearing(bench) as heard:
        house.lose_events()
        await heard.until(lambda event: isinstance(event, EventsRecovered) and event.code == "BI7")
        house.tell(_again(bench))
        house.tell_text("after")
        await heard.until(is_text("after"))
    texts = [event.text for event in heard.of(ClearingMessageReceived)]
    assert len(set(texts)) == len(texts)


def _again(bench: StandInBench) -> Any:
    """The house's first text once more, as it was sent."""
    from hkex_ops_simulator.oapi import answers
    from hkex_ops_simulator.oapi.events import GENERAL, Event

    text = bench.stand_in.house.texts[0]
    return Event(GENERAL, lambda order: answers.text_event(order, text))


async def test_a_recovery_that_is_not_whole_says_so(bench: StandInBench) -> None:
    """What it brought is told, and that something may still be missing."""
    bench.stand_in.faults.script("CQ10", Scripted(0, whole=True), Scripted(-2044))
    async with hearing(bench) as heard:
        bench.stand_in.house.lose_events()
        await heard.until(lambda event: isinstance(event, EventsRecovered) and event.code == "BD6")
    (found,) = [event for event in heard.of(EventsRecovered) if event.code == "BD6"]
    assert (False, True) == (found.complete, bool(found.items))
    assert "would not be whole" in found.fault


@pytest.mark.parametrize(
    ("number", "status", "expected"),
    [
        (1, -208002, [EventsLost]),
        (1, -208004, [LinkLost, EventsLost]),
        (1, -208006, [EventsLost]),
        (1, -208008, [EventsLost]),
        (4, -4001, [LinkLost]),
        (4, 4001, [LinkRestored]),
        (4, -4002, [LinkLost]),
        (4, 4002, [LinkRestored, EventsLost]),
        (4, 4004, [LogoutImminent]),
        (4, -4003, [BroadcastReceived]),
        (4, -3001, [BroadcastReceived]),
    ],
)
async def test_what_the_network_tells_is_told(
    bench: StandInBench, number: int, status: int, expected: list[type[Any]]
) -> None:
    """No loss is overlooked: data, link and sender of broadcasts, and a path that is back."""
    async with hearing(bench, recovery={}) as heard:
        bench.stand_in.house.tell_network(number, status, "SYNTHETIC")
        bench.stand_in.house.tell_text("after")
        await heard.until(is_text("after"))
    found = [type(event) for event in heard.events if not is_text("after")(event)]
    assert sorted(expected, key=str) == sorted(found, key=str)
    assert all(getattr(event, "status", status) == status for event in heard.events)


async def test_the_list_of_events_may_be_longer_than_the_buffer(bench: StandInBench) -> None:
    bench.stand_in.faults.show_length = 3000
    async with hearing(bench) as heard:
        bench.stand_in.house.tell_text("heard")
        await heard.until(is_text("heard"))


async def test_what_is_subscribed_already_is_fine(bench: StandInBench) -> None:
    bench.stand_in.faults.script("subscribe", Scripted(1))
    async with hearing(bench) as heard:
        bench.stand_in.house.tell_heartbeat()
        bench.stand_in.faults.script("poll", Scripted(-5))
        with pytest.raises(TransientError):
            await heard.task


async def test_a_refused_subscription_is_said(bench: StandInBench) -> None:
    bench.stand_in.faults.script("subscribe", Scripted(-39))
    async with hearing(bench) as heard:
        with pytest.raises(RemoteError, match="may not subscribe to it"):
            await heard.task


async def test_somebody_elses_forced_log_in_ends_the_events(bench: StandInBench) -> None:
    async with hearing(bench) as heard:
        for queue in list(bench.stand_in.house.queues):
            bench.stand_in.house.queues.remove(queue)
        bench.stand_in.faults.script("poll", *[Scripted(-5)] * 3)
        with pytest.raises(TransientError, match="nobody is logged in any more"):
            await heard.task


async def test_events_are_heard_once(bench: StandInBench) -> None:
    async with bench.offer.open(bench.options(), SiteRole.PRIMARY) as gateway:
        events = gateway.events()
        bench.stand_in.house.tell_heartbeat()
        first = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.02)
        with pytest.raises(UsageError, match="heard once"):
            await anext(gateway.events())
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_what_cannot_be_read_fast_enough_ends_and_says_so(
    bench: StandInBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loss for each loss made up for, without an end: given up after a few."""
    monkeypatch.setattr("hkex_ops_oapi.hearing.RECOVERIES_MOST", 2)
    recovery = {"BI27": RECOVERY["BI27"]}
    bench.stand_in.faults.script("poll", *[Scripted(3)] * 50)
    async with hearing(bench, recovery=recovery) as heard:
        with pytest.raises(RemoteError, match="faster than it is read"):
            await heard.task
    assert 3 == len(heard.of(EventsLost))


async def test_a_key_that_events_lack_tells_all_of_them(bench: StandInBench) -> None:
    recovery = {"BI27": RecoveryOptions("UQ13", ("no_such_field",))}
    async with hearing(bench, recovery=recovery) as heard:
        bench.stand_in.house.tell_text("same")
        bench.stand_in.house.tell_text("same")
        bench.stand_in.house.tell_text("after")
        await heard.until(is_text("after"))
    assert ["same", "same", "after"] == [one.text for one in heard.of(ClearingMessageReceived)]


async def test_a_number_that_is_left_out_is_a_loss(bench: StandInBench) -> None:
    """The gateway says nothing, and the sequence of the trades does."""
    house = bench.stand_in.house
    async with hearing(bench) as heard:
        first = house.tell_trade()
        await heard.until(is_code("BD6"))
        queues, house.queues = house.queues, []
        unheard = house.tell_trade()
        house.queues = queues
        house.tell_trade()
        await heard.until(lambda event: isinstance(event, EventsRecovered) and event.code == "BD6")
    (lost,) = heard.of(EventsLost)
    assert f"BD6 number {first.sequence + 1} to {first.sequence + 1} did not come" == lost.reason
    made_up = [item for one in heard.of(EventsRecovered) for item in one.items]
    assert unheard.number in [one.get("trade_base.trade_number_i") for one in made_up]


async def test_a_library_that_connected_again_is_subscribed_again(bench: StandInBench) -> None:
    """A new connection has no subscriptions, and what came in between is lost."""
    async with hearing(bench) as heard:
        with bench.stand_in.house.lock:
            for queue in bench.stand_in.house.queues:
                queue.subscribed.clear()
            bench.stand_in.faults.script("poll", Scripted(2000))
        await heard.until(lambda event: isinstance(event, EventsLost))
        bench.stand_in.house.tell_text("after")
        await heard.until(is_text("after"))
