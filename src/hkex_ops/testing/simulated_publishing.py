"""Business days on which index values are published, by a way whose far side has a bad day.

The publisher of a bench and the library's lane are the real ones. The far side goes away, is full,
is silent or refuses, and the connection is lost when a part of a moment is out. Whatever was
offered comes out in its order and as it was, however often, or is said to have been given up.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import TypeAlias

import pytest
from attrs import define, field

from hkex_ops.flows.index.publishing import (
    LaneEvent,
    PublisherFailed,
    PublisherLane,
    PublishLimits,
    TicksGivenUp,
)
from hkex_ops.model import IndexTick, SiteRole, tick_identity
from hkex_ops.ports import IndexPublisher
from hkex_ops.testing.faulty import faulty
from hkex_ops.testing.index_publisher_bench import IndexPublisherBench
from hkex_ops.testing.index_publisher_faults import (
    Disconnecting,
    Duplicating,
    Faulty,
    Refusing,
)
from hkex_ops.testing.market_feed_heard import noticed
from hkex_ops.testing.simulated import Chronicle, Part
from hkex_ops.testing.simulated_house import at_time
from hkex_ops.testing.simulated_troubles import Troubles

__all__ = ["PublishingDesk"]

BEGIN, END, STEP = time(9, 30), time(16), timedelta(minutes=15)
INDEXES = ("0000100", "0001400", "0208300")

# In how many moments of a hundred the far side has its troubles, and of the others a fault.
TROUBLED, DISTURBED = 35, 25

Between: TypeAlias = Callable[[IndexPublisher], IndexPublisher]

FAULTS: Sequence[tuple[str, Between]] = (
    ("the line is cut when one value is out", partial(Disconnecting, after=0)),
    ("the far side refuses these values for good", Refusing),
    ("the values go out twice", Duplicating),
)

# A lane that is waiting looks again after so long at most, and is looked at as often.
LONGEST_WAIT_MS = 4
LOOK_S = 0.002


class _Between(Faulty):
    """Whatever the desk has put in the way of the next moment, once."""

    def __init__(self, publisher: IndexPublisher, faults: list[Between]) -> None:
        super().__init__(publisher)
        self._faults = faults

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        fault = self._faults.pop() if self._faults else Faulty
        await fault(self._publisher).publish(ticks)


@define
class PublishingDesk:
    """The lane of one simulation behind one bench."""

    bench: IndexPublisherBench
    chronicle: Chronicle
    offered: list[IndexTick] = field(factory=list[IndexTick])
    given_up: set[datetime] = field(factory=set[datetime])
    _failures: int = 0
    _faults: list[Between] = field(factory=list[Between])

    async def live(self, day: date) -> None:
        """One business date, from the first moment to the last that has gone out."""
        offer = faulty(self.bench.offer, lambda publisher: _Between(publisher, self._faults))
        limits = PublishLimits(
            answer_s=math.ceil(self.bench.time_limit_s) + 1,
            first_wait_ms=1,
            longest_wait_ms=LONGEST_WAIT_MS,
        )
        lane = PublisherLane(
            "way",
            lambda: offer.open(self.bench.options(), SiteRole.PRIMARY),
            self.chronicle.clock,
            self._observe,
            limits,
        )
        troubles = Troubles(self.bench, self.chronicle)
        running = asyncio.create_task(lane.run())
        try:
            at, end = at_time(day, BEGIN), at_time(day, END)
            while at < end:
                self.chronicle.clock.turn_to(at)
                await self._moment(lane, troubles, self.chronicle.chance(day, at))
                at += STEP
            await troubles.end()
            await self._drained(lane)
            lane.end()
            await running
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        await self._judge()

    async def _moment(self, lane: PublisherLane, troubles: Troubles, chance: Random) -> None:
        """The values of one moment are offered, with whatever is in their way."""
        clock = self.chronicle.clock
        await troubles.end()
        await self._drained(lane)
        # A far side that has nothing yet may have nothing to be full of.
        if chance.randrange(100) < TROUBLED and self.offered:
            await troubles.begin(chance)
        elif chance.randrange(100) < DISTURBED:
            said, fault = chance.choice(FAULTS)
            self._faults.append(fault)
            self.chronicle.tell(Part.FAULT, said)
        value = Decimal(chance.randrange(2_000_000, 2_100_000)).scaleb(-2)
        ticks = [IndexTick(index, clock.now(), value, engine="simulated") for index in INDEXES]
        self.offered += ticks
        failures = self._failures
        lane.offer(ticks)
        await self._until(lambda: not lane.waiting or self._failures > failures)

    def _observe(self, event: LaneEvent) -> None:
        tell, events = self.chronicle.tell, self.chronicle.events
        if isinstance(event, PublisherFailed):
            self._failures += 1
            # How often it is tried while the far side stays as it is, is a matter of milliseconds.
            if not events or events[-1].part is not Part.DESK:
                tell(Part.DESK, f"fails, and tries again: {event.reason}")
        elif isinstance(event, TicksGivenUp):
            self.given_up.add(event.moment)
            tell(Part.DESK, f"gives up the values of {event.moment:%H:%M}")

    async def _drained(self, lane: PublisherLane) -> None:
        """Where nothing is in the way, everything goes out."""
        gone = await self._until(lambda: not lane.waiting)
        self.chronicle.require(gone, f"nothing is in the way, and {lane.waiting} moments wait")

    async def _until(self, holds: Callable[[], bool]) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(3 * self.bench.time_limit_s):
                while not holds():  # noqa: ASYNC110 - a lane tells nobody when it is done
                    await asyncio.sleep(LOOK_S)
        return holds()

    # -- promises ------------------------------------------------------------------------------

    async def _judge(self) -> None:
        require, carried = self.chronicle.require, self.bench.carried
        offered = {tick_identity(tick): carried(tick) for tick in self.offered}
        sure = [carried(tick) for tick in self.offered if tick.at not in self.given_up]
        out: dict[str, IndexTick] = {}
        for _ in range(int(self.bench.time_limit_s / LOOK_S)):
            for tick in await self.bench.published():
                one = tick_identity(tick)
                require(offered.get(one) == tick, f"published, and was not offered so: {tick}")
                out.setdefault(one, tick)
            if len(out) >= len(sure):
                break
            await asyncio.sleep(LOOK_S)  # whoever listens may hear it a little later
        kept = [tick for tick in out.values() if tick.at not in self.given_up]
        lacking = sorted(tick_identity(tick) for tick in sure if tick not in kept)
        require(not lacking, f"neither published nor given up: {lacking}")
        require(sure == kept, "published in another order than offered")
        try:
            self.bench.visitors()
        except pytest.skip.Exception:
            return
        require(await noticed(lambda: self.bench.visitors() == 0), "a connection was left open")
