"""Index values out of a live market: real multicast, real processes, real kills.

Both lines lose packets, and now and then the same one, so that values hang on retransmission. What
is published is held against the same day recalculated from a capture that lacks nothing.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

from hkex_ops import HONG_KONG
from hkex_ops.config.baskets import load_baskets
from hkex_ops.config.layouts import load_codec
from hkex_ops.flows.index.replay import Replay, ReplayPlan
from hkex_ops.index.ticks import index_tick
from hkex_ops.model import IndexTick
from hkex_ops.model.ticks import parse_published
from hkex_ops.plugins import MARKET_FEEDS, Plugins
from hkex_ops_simulator.market.baskets import baskets_text
from hkex_ops_simulator.market.channels import channels_of
from hkex_ops_simulator.market.configuration import feed_text
from hkex_ops_simulator.market.day import MarketDay
from hkex_ops_simulator.market.live import LiveMarket, LiveOptions
from hkex_ops_simulator.market.shape import CALM, Faults, Shape
from hkex_ops_simulator.market.timetable import Timetable
from hkex_ops_simulator.market.writing import write_market

pytestmark = pytest.mark.skipif(
    "omd-multicast" not in Plugins.load().offers(MARKET_FEEDS), reason="hkex-ops-omd is not there"
)

START = datetime(2026, 11, 17, 9, tzinfo=HONG_KONG)
SHAPE = Shape(messages=2_000, minutes=2, securities=20, groups=1, indexes=2)
BOTH_LOSE = Faults(both_ppm=15_000)
SPEED = 15
LONGEST_S = 60

PUBLISHER = """
[index_publishers.file]
adapter = "json-lines"
[index_publishers.file.options]
file = "ticks.jsonl"
[index]
baskets = "baskets.toml"
folder = "runs"
publish = ["file"]
[index.run]
engine_sites = ["primary", "primary", "secondary"]
contingency_sites = ["secondary"]
restart_ms = 200
"""

Moment = tuple[str, datetime]


@define
class Run:
    """``hkex-ops index run`` as a process, and everything that it prints."""

    process: asyncio.subprocess.Process
    ticks: list[IndexTick] = field(factory=list[IndexTick])
    events: list[dict[str, Any]] = field(factory=list[dict[str, Any]])

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            told = parse_published(line)
            if isinstance(told, IndexTick):
                self.ticks.append(told)
            else:
                self.events.append(dict(told))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["event"] == event]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LONGEST_S):
            while not holds():
                assert self.process.returncode is None
                await asyncio.sleep(0.02)

    def engines(self) -> list[int]:
        """Processes of engines that are ready and have not ended since."""
        alive: dict[str, int] = {}
        for one in self.events:
            if one["event"] == "process-ready" and one["process"].startswith("engine"):
                alive[one["process"]] = one["pid"]
            elif one["event"] == "process-died":
                alive.pop(one["process"], None)
        return sorted(alive.values())


@asynccontextmanager
async def running(folder: Path, engines: int) -> AsyncIterator[Run]:
    code = "import sys; from hkex_ops.cli.main import run; sys.exit(run(sys.argv[1:]))"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, "index", "run", "--config", "config.toml", "--json"),
        *("--engines", str(engines), "--business-date", str(START.date())),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
    )
    run = Run(process)
    reading = asyncio.create_task(run.read())
    try:
        yield run
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


def true_values(day: MarketDay, folder: Path) -> dict[Moment, Decimal]:
    """Every value of the day, from a capture on which both lines carry everything."""
    capture = folder / "calm.pcapng"
    written = write_market(day, CALM, capture)
    replay = Replay(ReplayPlan(load_baskets(written.baskets)))
    ticks = [index_tick(one) for moment in replay.moments(capture) for one in moment]
    assert () == replay.findings
    return {(tick.index, tick.at): tick.value for tick in ticks}


@pytest.mark.parametrize(
    ("shape", "kills"),
    [
        (SHAPE, 2),
        pytest.param(evolve(SHAPE, minutes=30, messages=30_000), 30, marks=pytest.mark.long),
    ],
    ids=["short", "long"],
)
async def test_no_value_of_a_live_market_is_missing_or_wrong_while_engines_are_killed(
    tmp_path: Path, shape: Shape, kills: int
) -> None:
    def day() -> MarketDay:
        return MarketDay(shape, Timetable.trial(START, shape.minutes))

    truth = true_values(day(), tmp_path)
    channels = channels_of(shape.feed, shape.groups)
    options = LiveOptions(faults=BOTH_LOSE, seed=7)
    async with LiveMarket(day().sent(), channels, load_codec(), options) as market:
        (tmp_path / "config.toml").write_text(feed_text(market) + PUBLISHER, "utf-8")
        text = baskets_text(day().universe, day().business_date)
        (tmp_path / "baskets.toml").write_text(text, "utf-8")
        async with running(tmp_path, engines=3) as run:
            await run.until(lambda: 4 == len(run.of("process-ready")))
            playing = asyncio.create_task(market.play(speed=SPEED))
            chance = random.Random(shape.seed)
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(2, 5))
                await run.until(lambda: 2 < len(run.engines()) or playing.done())
                os.kill(chance.choice(run.engines()), signal.SIGKILL)
            await playing
            last = max(at for _, at in truth)
            await run.until(lambda: run.ticks[-1].at == last)
            run.process.terminate()
            # Exit code 1: processes failed, which a person should look at.
            assert 1 == await run.process.wait()
    assert kills == len(run.of("process-died"))
    assert [] != run.of("gap-closed")

    published = {(tick.index, tick.at): tick for tick in run.ticks}
    assert len(run.ticks) == len(published)
    assert truth.keys() == published.keys()
    wrong = {
        moment: (tick.value, truth[moment])
        for moment, tick in published.items()
        if not tick.stale and tick.value != truth[moment]
    }
    assert {} == wrong
    stale = [tick for tick in run.ticks if tick.stale]
    assert len(stale) <= len(run.ticks) // 10
