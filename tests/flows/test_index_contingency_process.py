"""One contingency system's process, turned here without a process, by a clock of the test's own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, field

from hkex_ops.clock import ManualClock
from hkex_ops.config.index import IndexSettings
from hkex_ops.config.settings import Settings
from hkex_ops.flows.index import contingency_process
from hkex_ops.flows.index.board import BOARD_NAME, Board
from hkex_ops.flows.index.contingency_process import ContingencyWork
from hkex_ops.flows.index.process import Brief, Task
from hkex_ops.model import JsonObject, SiteRole
from tests.flows.index_market import BASKETS, CHANNELS, SESSIONS, TEN, TRADES, Market, at_ns

SETTLE_S = 3


@define
class Wire:
    """What the process tells."""

    said: list[JsonObject] = field(factory=list[JsonObject])

    def send(self, line: JsonObject) -> None:
        """Keep it."""
        self.said.append(line)


@define
class Bench:
    """A contingency system at 10:00, and the market it hears."""

    path: Path
    wire: Wire = field(factory=Wire)
    market: Market = field(factory=Market)
    clock: ManualClock = field(init=False)
    work: ContingencyWork = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.clock = ManualClock(self.market.now)
        board = Board.create(self.path / BOARD_NAME, processes=1, run=1)
        settings = Settings(path=self.path, index=IndexSettings())
        brief = Brief("contingency-1", 0, SiteRole.PRIMARY, "", self.path, self.path, self.path)
        task = Task(brief, settings, None, BASKETS)  # type: ignore[arg-type]
        feed = type("Feed", (), {"channels": CHANNELS})()
        self.work = ContingencyWork(task, self.wire, feed, board)  # type: ignore[arg-type]

    def wait(self, seconds: int) -> None:
        """Let time pass here and at the exchange."""
        self.clock.advance(timedelta(seconds=seconds))
        self.market.wait(seconds)

    def beat(self, *channels: int) -> None:
        """Heartbeats of these channels come, and whatever is due is told."""
        for batch in self.market.heartbeats():
            if batch.channel in channels:
                self.work._take(batch)

    def told(self) -> list[tuple[int, list[int]]]:
        """The moments that were told, in seconds after ten, with the channels that were silent."""
        ten_ns = at_ns(TEN)
        found = [
            ((int(str(one["time_ns"])) - ten_ns) // 1_000_000_000, list(one["silent"]))  # type: ignore[arg-type]
            for one in self.wire.said
        ]
        self.wire.said.clear()
        return found


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    clock: list[ManualClock] = []
    monkeypatch.setattr(contingency_process, "SystemClock", lambda: clock[0])
    market = Market()
    clock.append(ManualClock(market.now))
    bench = Bench(tmp_path, market=market)
    bench.clock = clock[0]
    for batch in bench.market.begin():
        bench.work._take(batch)
    # Whether the Sequence Reset used up its number is known a moment later.
    bench.clock.advance(timedelta(milliseconds=500))
    bench.work._look_at_holes(None)  # type: ignore[arg-type]
    return bench


def test_a_moment_is_told_as_soon_as_every_channel_has_passed_it(bench: Bench) -> None:
    bench.wait(2)
    bench.beat(SESSIONS)
    assert [] == bench.told()
    bench.beat(TRADES)
    assert [(2, [])] == bench.told()


def test_a_silent_channel_puts_no_moment_further_behind_than_the_one_before(bench: Bench) -> None:
    """It says nothing any more; every moment waits for it as long as the first did, no longer."""
    behind: list[int] = []
    for number in range(1, 400):
        bench.wait(1)
        bench.beat(TRADES)
        bench.work._tell_moments()
        behind += [number - moment for moment, silent in bench.told() if silent == [SESSIONS]]
    assert {SETTLE_S} == set(behind)
    assert 198 == len(behind)


def test_a_stretch_that_comes_at_once_is_told_at_once_when_it_has_settled(bench: Bench) -> None:
    """As after a pause, or of a day that is sent many times as fast as it was."""
    for _ in range(10):
        bench.market.wait(2)
        bench.beat(TRADES)
    assert [] == bench.told()
    bench.clock.advance(timedelta(seconds=SETTLE_S))
    bench.work._tell_moments()
    assert [(2 * number, [SESSIONS]) for number in range(1, 11)] == bench.told()
