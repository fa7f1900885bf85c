"""A process of a run: started, heard, killed, started again after a wait, ended when told."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field

from hkex_ops.flows.index.children import Child, ChildHooks, Ended, RestartLimits
from hkex_ops.model import JsonObject
from tests.wheel import CHECKOUT

LIMITS = RestartLimits(first_ms=20, longest_ms=80, proven_s=30, grace_s=1)


@define
class Bench:
    """A child, and everything that was told of it."""

    folder: Path
    brief: JsonObject
    limits: RestartLimits = LIMITS
    starts_wanted: int = 1
    pids: list[int] = field(factory=list[int])
    said: list[JsonObject] = field(factory=list[JsonObject])
    ended: list[Ended] = field(factory=list[Ended])
    at: list[float] = field(factory=list[float])
    child: Child = field(init=False)

    def __attrs_post_init__(self) -> None:
        hooks = ChildHooks(self._started, self._said, self._ended)
        self.child = Child(
            "engine-1",
            "tests.flows.index_child",
            lambda: self.brief,
            self.folder / "engine-1.log",
            hooks,
            self.limits,
        )

    def _started(self, child: Child, pid: int) -> None:
        assert child is self.child
        self.pids.append(pid)
        self.at.append(time.monotonic())

    def _said(self, _: Child, line: JsonObject) -> None:
        self.said.append(line)

    def _ended(self, _: Child, ended: Ended) -> bool:
        self.ended.append(ended)
        return len(self.ended) < self.starts_wanted

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while True:
                if holds():
                    return
                await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))


async def test_it_reads_its_brief_and_what_it_says_before_its_end_is_heard(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"do": "exit", "status": 3})
    await bench.child.run()
    [line] = bench.said
    assert ({"do": "exit", "status": 3}, bench.pids) == (line["brief"], [line["pid"]])
    assert [Ended(bench.pids[0], 3)] == bench.ended
    assert "exited with status 3" == bench.ended[0].how


async def test_one_that_dies_is_started_again_after_waits_that_grow(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"do": "die"}, starts_wanted=4)
    await bench.child.run()
    assert ["was killed by SIGKILL"] * 4 == [one.how for one in bench.ended]
    assert (4, 4) == (len(set(bench.pids)), bench.child.starts)
    waits = [after - before for before, after in zip(bench.at, bench.at[1:], strict=False)]
    assert all(wait >= least for wait, least in zip(waits, (0.02, 0.04, 0.08), strict=True))


async def test_told_to_end_it_ends_and_is_started_no_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"do": "wait"}, starts_wanted=99)
    running = asyncio.create_task(bench.child.run())
    await bench.until(lambda: bench.said)
    bench.child.end()
    await asyncio.wait_for(running, 10)
    assert [Ended(bench.pids[0], 0)] == bench.ended
    assert bench.child.pid is None


async def test_one_that_does_not_hear_is_killed_after_its_grace(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"do": "deaf"}, starts_wanted=99)
    running = asyncio.create_task(bench.child.run())
    await bench.until(lambda: bench.said)
    began = time.monotonic()
    bench.child.end()
    await asyncio.wait_for(running, 10)
    assert ["was killed by SIGKILL"] == [one.how for one in bench.ended]
    assert time.monotonic() - began >= LIMITS.grace_s


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGTERM], ids=["stopped", "ended"])
async def test_one_that_stands_still_can_be_killed_and_comes_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    bench = Bench(tmp_path, {"do": "wait"}, starts_wanted=99)
    running = asyncio.create_task(bench.child.run())
    await bench.until(lambda: bench.said)
    os.kill(bench.pids[0], number)
    bench.child.kill()
    await bench.until(lambda: 2 == len(bench.said))
    bench.child.end()
    await asyncio.wait_for(running, 10)
    assert 2 == len(bench.ended)


async def test_one_that_talks_nonsense_is_killed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"do": "rave"})
    await asyncio.wait_for(bench.child.run(), 20)
    assert ["was killed by SIGKILL"] == [one.how for one in bench.ended]


async def test_one_that_cannot_even_begin_leaves_its_reason_in_the_log(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"do": "exit"})
    await bench.child.run()
    assert "KeyError: 'status'" in (tmp_path / "engine-1.log").read_text("utf-8")
    assert ["exited with status 1"] == [one.how for one in bench.ended]


async def test_cancelling_leaves_no_process(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"do": "deaf"}, limits=evolve(LIMITS, grace_s=30))
    running = asyncio.create_task(bench.child.run())
    await bench.until(lambda: bench.said)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(bench.pids[0], 0)
