"""One engine's process, turned here without a process: what it says when it is about to die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, field

from hkex_ops.clock import SystemClock
from hkex_ops.config.index import IndexSettings, RunSettings
from hkex_ops.config.settings import Settings
from hkex_ops.flows.index import engine_process
from hkex_ops.flows.index.board import BOARD_NAME, Board, InHand
from hkex_ops.flows.index.engine_process import EngineWork
from hkex_ops.flows.index.holdback import HoldBack
from hkex_ops.flows.index.process import Brief, Task, together
from hkex_ops.flows.store.disk import Folder
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import IndexRecord
from hkex_ops.index.ticks import EngineEvent
from hkex_ops.model import JsonObject, SiteRole
from hkex_ops.ports import PacketBatch
from tests.flows.index_market import BASKETS, CHANNELS, TRADES, Market

POISON_3DP = 66_666


@define
class Wire:
    """The engine's end of a link: what it says is kept, and nobody says anything to it."""

    said: list[JsonObject] = field(factory=list[JsonObject])

    def send(self, line: JsonObject) -> None:
        """Keep it."""
        self.said.append(line)

    async def lines(self) -> AsyncGenerator[JsonObject]:
        """Nothing, for ever."""
        await asyncio.Event().wait()
        yield {}

    async def drain(self) -> None:
        """All of it was read."""

    def kinds(self) -> list[object]:
        """The kinds of the events that were told about the process itself."""
        return [line["kind"] for line in self.said if str(line.get("kind")).startswith("check")]


@define
class Feed:
    """A feed that gives what it has, one batch at a time, and rests in between."""

    batches: Sequence[PacketBatch]
    more: asyncio.Event = field(factory=asyncio.Event)
    closed: bool = False

    @property
    def channels(self) -> Sequence[int]:
        """Those of the market."""
        return CHANNELS

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        """All there is, and then nothing until ``more`` is set."""
        try:
            for batch in self.batches:
                yield batch
                await asyncio.sleep(0)
            await self.more.wait()
        finally:
            self.closed = True


def work_of(path: Path, feed: Feed, wire: Wire, *, checkpoint_s: int = 60) -> EngineWork:
    """The work of engine 1 of three in ``path``, first in rank."""
    board = Board.create(path / BOARD_NAME, processes=3, run=1)
    board.row(0).rank_as(0)
    settings = Settings(path=path, index=IndexSettings(run=RunSettings(checkpoint_s=checkpoint_s)))
    brief = Brief("engine-1", 0, SiteRole.PRIMARY, "tape", path, path, path)
    task = Task(brief, settings, None, BASKETS)  # type: ignore[arg-type]
    return EngineWork(task, wire, feed, board, Folder.open(path))  # type: ignore[arg-type]


async def test_once_one_task_has_failed_no_other_takes_a_step() -> None:
    """Even one that was about to: both were woken by the same turn of the loop."""
    steps: list[str] = []
    woken = asyncio.Event()

    async def fails() -> None:
        await woken.wait()
        raise ZeroDivisionError

    async def goes_on() -> None:
        await woken.wait()
        steps.append("on")

    async def wakes() -> None:
        woken.set()
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup):
        await together((fails(), goes_on()), (wakes(),))
    assert [] == steps


async def test_all_of_it_ends_when_one_that_ends_it_is_done() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def ends() -> None:
        await asyncio.sleep(0)

    await together((ends(), waits()), (waits(),))
    assert ["waits", "waits"] == ended


async def test_an_engine_that_dies_of_a_message_never_says_that_it_has_passed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its other task, which beats its heart, wakes in every turn of the loop."""
    handle = Engine.handle

    def mortal(self: Engine, record: IndexRecord, now: object) -> tuple[EngineEvent, ...]:
        if getattr(record, "price_3dp", 0) == POISON_3DP:
            raise ZeroDivisionError("this engine cannot bear that record")
        return handle(self, record, now)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "handle", mortal)
    monkeypatch.setattr(engine_process, "BEAT_S", 0)
    market = Market(now=SystemClock().now())
    batches = [*market.begin(), market.send(market.trade(5, POISON_3DP))]
    number = int.from_bytes(batches[-1].packets[0][4:8], "little")
    feed = Feed(batches)
    work = work_of(tmp_path, feed, Wire())
    with pytest.raises(ExceptionGroup):
        await work.run()
    row = Board.open(tmp_path / BOARD_NAME).row(0)
    assert InHand(TRADES, number, number, 5) == row.in_hand
    assert number > (row.has_passed(TRADES) or 0)
    assert not (tmp_path / "checkpoints").exists()
    assert feed.closed


async def test_a_moment_that_waits_for_another_engine_is_closed_when_the_feed_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A capture's last values, the closing ones, come out as all others did."""
    monkeypatch.setattr(engine_process, "BEAT_S", 0.001)
    asked: list[int] = []

    def may_close(self: HoldBack, moment_ns: int) -> bool:
        asked.extend([moment_ns] if feed.closed else [])
        self.keeps_open = len(asked) < 3
        return not self.keeps_open

    monkeypatch.setattr(HoldBack, "may_close", may_close)
    market, wire = Market(now=SystemClock().now() - timedelta(days=1)), Wire()
    batches = market.begin()
    for _ in range(3):
        market.wait(2)
        batches += market.heartbeats()
    feed = Feed(batches)
    feed.more.set()
    await work_of(tmp_path, feed, wire).run()
    said = [line["say"] for line in wire.said]
    assert (True, "ended") == ("ticks" in said, said[-1])


async def test_an_engine_outlives_that_its_checkpoint_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is met by every engine in the same second, and must end none; it is told once."""
    monkeypatch.setattr(engine_process, "BEAT_S", 0.001)
    in_the_way = tmp_path / "checkpoints"
    in_the_way.write_text("no folder")
    market, wire = Market(now=SystemClock().now()), Wire()
    feed = Feed(market.begin())
    work = work_of(tmp_path, feed, wire, checkpoint_s=0)

    async def told(*kinds: str) -> None:
        async with asyncio.timeout(10):
            while list(kinds) != wire.kinds():  # noqa: ASYNC110 - the process tells when it does
                await asyncio.sleep(0.001)

    running = asyncio.create_task(work.run())
    await told("checkpoint-failed")
    in_the_way.unlink()
    await told("checkpoint-failed", "checkpoint-written")
    feed.more.set()
    await running
    assert "ended" == wire.said[-1]["say"]
    assert (in_the_way / "engine-1.json").exists()
