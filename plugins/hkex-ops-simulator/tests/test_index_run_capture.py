"""A run on a capture that waits for its reader: nothing is lost, however slow a process is.

Real processes on a day of which both lines lack packets, so that ticks bear marks. What is
published is held against the same capture replayed by one engine, value by value and mark by mark.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hkex_ops import HONG_KONG
from hkex_ops.config.baskets import load_baskets
from hkex_ops.flows.index.replay import Replay, ReplayPlan, ReplayWay
from hkex_ops.index.ticks import index_tick
from hkex_ops.model import IndexTick
from hkex_ops.model.ticks import parse_published
from hkex_ops.plugins import MARKET_FEEDS, Plugins
from hkex_ops_simulator.market.day import MarketDay
from hkex_ops_simulator.market.shape import Faults, Shape
from hkex_ops_simulator.market.timetable import Timetable
from hkex_ops_simulator.market.writing import write_market

pytestmark = pytest.mark.skipif(
    "omd-capture" not in Plugins.load().offers(MARKET_FEEDS), reason="hkex-ops-omd is not there"
)

START = datetime(2026, 11, 17, 9, tzinfo=HONG_KONG)
# More moments than a gateway remembers.
SHAPE = Shape(messages=6_000, minutes=10, securities=20, groups=1, indexes=2)
BOTH_LOSE = Faults(both_ppm=2_000)

CONFIGURATION = """
[market_feeds.day]
adapter = "omd-capture"
[market_feeds.day.options]
files = ["day.pcapng"]
[index_publishers.file]
adapter = "json-lines"
[index_publishers.file.options]
file = "ticks.jsonl"
[index]
baskets = "day.baskets.toml"
folder = "runs"
feed = "day"
publish = ["file"]
[index.run]
engine_sites = ["primary", "secondary"]
contingency_sites = ["secondary"]
restart_ms = 200
watchdog_ms = 4000
hold_back_ms = 6000
"""

RUN = "import sys; from hkex_ops.cli.main import run; sys.exit(run(sys.argv[1:]))"

Row = tuple[str, datetime, Decimal, tuple[int, ...]]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a capture, its baskets and a configuration."""
    folder = tmp_path_factory.mktemp("day")
    written = write_market(
        MarketDay(SHAPE, Timetable.trial(START, SHAPE.minutes)), BOTH_LOSE, folder / "day.pcapng"
    )
    assert folder / "day.baskets.toml" == written.baskets
    (folder / "config.toml").write_text(CONFIGURATION, "utf-8")
    return folder


@pytest.fixture(scope="module")
def replayed(day: Path) -> list[Row]:
    """Every tick of the capture, by one engine that nobody disturbs."""
    replay = Replay(ReplayPlan(load_baskets(day / "day.baskets.toml"), way=ReplayWay.ENGINE))
    found = [
        rows(index_tick(one)) for moment in replay.moments(day / "day.pcapng") for one in moment
    ]
    assert any(stale for *_, stale in found)
    return found


def rows(tick: IndexTick) -> Row:
    return tick.index, tick.at, tick.value, tick.stale


def begun(day: Path, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, "-c", RUN, "index", "run", "--config", str(day / "config.toml")),
            *("--business-date", "2026-11-17", "--folder", str(folder), "--json"),
        ],
        cwd=day,
        stdout=subprocess.PIPE,
    )


def said(process: subprocess.Popen[bytes]) -> Iterator[IndexTick | dict[str, object]]:
    """What a run prints, as it comes."""
    assert process.stdout is not None
    for line in process.stdout:
        told = parse_published(line)
        yield told if isinstance(told, IndexTick) else json.loads(line)


def test_a_run_publishes_what_a_replay_computes_with_the_same_marks(
    day: Path, replayed: list[Row], tmp_path: Path
) -> None:
    """Engines used to hold back by the clock, while a minute of the day took a hundredth second:
    under load all but the first values were lost, and nobody was told."""
    with begun(day, tmp_path) as process:
        told = list(said(process))
    assert replayed == [rows(one) for one in told if isinstance(one, IndexTick)]
    happened = [one["event"] for one in told if not isinstance(one, IndexTick)]
    assert {"moment-missed", "mode-changed", "process-died"}.isdisjoint(happened)
    # Losses of both lines, and moments that closed without the channel that lacked something.
    assert 1 == process.returncode


def test_an_engine_that_is_killed_costs_no_tick_and_no_wrong_one_is_unmarked(
    day: Path, replayed: list[Row], tmp_path: Path
) -> None:
    ticks: list[Row] = []
    engines: dict[object, int] = {}
    with begun(day, tmp_path) as process:
        for one in said(process):
            if isinstance(one, IndexTick):
                ticks.append(rows(one))
                if len(ticks) == len(replayed) // 3:
                    os.kill(engines["engine-1"], signal.SIGKILL)
            elif one["event"] == "process-ready":
                engines[one["process"]] = int(str(one["pid"]))
    assert [row[:2] for row in replayed] == [row[:2] for row in ticks]
    right = {row[:2]: row[2] for row in replayed}
    assert [] == [row for row in ticks if not row[3] and row[2] != right[row[:2]]]
