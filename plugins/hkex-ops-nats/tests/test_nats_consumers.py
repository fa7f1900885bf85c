"""Settlement and mandatory calls on what NATS stores: the same answers as from a file."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from nats_benches import FeedBench

from hkex_ops.clock import SystemClock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.flows.index.adapters import Configured
from hkex_ops.flows.index.consuming import consume, follow
from hkex_ops.index.calls import CallEvent, Calls
from hkex_ops.index.marks import settlement_marks
from hkex_ops.index.products import CallableProduct, Category, Direction
from hkex_ops.index.settlement import Settlement, SettlementEvent
from hkex_ops.model import IndexTick, SiteRole
from hkex_ops.ports import IndexFeed

HSI = "0000100"
FRIDAY = load_calendar().day(date(2010, 1, 22))
BULL = CallableProduct(
    "61001", HSI, Direction.BULL, Category.R, Decimal(20300), Decimal(20500), Decimal(10_000)
)
TICKS = [
    IndexTick(HSI, mark.instant + timedelta(seconds=late), Decimal(20_600 - 10 * place))
    for place, mark in enumerate(settlement_marks(FRIDAY)[:20])
    for late in (0, 15)
]
Told: TypeAlias = "SettlementEvent | CallEvent"


def machines() -> tuple[Settlement, Calls]:
    return Settlement(HSI, FRIDAY), Calls([BULL], FRIDAY)


async def test_a_stored_feed_gives_the_answers_that_a_file_gives(tmp_path: Path) -> None:
    bench = FeedBench(tmp_path, durable=False)
    clock = SystemClock()
    settlement, calls = machines()
    events: list[Told] = []
    async with bench.running():
        await bench.put(TICKS)
        feed: Configured[IndexFeed] = Configured(
            "nats", SiteRole.PRIMARY, bench.offer, bench.options_to_the_end()
        )
        taken = await follow(
            (settlement, calls), feed, clock, events.append, wanted=lambda tick: tick.index == HSI
        )
    known_settlement, known_calls = machines()
    told: list[Told] = []
    consume((known_settlement, known_calls), TICKS, clock.now(), told.append)
    assert len(TICKS) == taken
    assert told == events
    assert known_settlement.answer() == settlement.answer()
    assert known_calls.calls == calls.calls
    assert [TICKS[20].at] == [call.time for call in calls.calls]
