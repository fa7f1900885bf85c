"""A run of real processes: killed, hung, poisoned, resumed, and never wrong without saying so."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hkex_ops.model import TickKind
from tests.cli.program import require_refused
from tests.flows.index_bench import INTERVAL_S, POISON_3DP, RunBench, is_gone

SEED = 20100122
SLACK_S = 0.5  # the supervisor looks twenty times a second, on a machine that does much else


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def bench(home: Path) -> Iterator[RunBench]:
    bench = RunBench(home)
    yield bench
    bench.close()


def begun(bench: RunBench, moments: int = 2) -> None:
    """The market and the run have begun, and ticks of some moments are out."""
    bench.start()
    bench.begin()
    bench.wait_for("the first ticks", lambda: len(bench.ticks()) >= 2 * moments)


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.long)])
def test_no_tick_is_missing_or_wrong_while_one_engine_lives(bench: RunBench, kills: int) -> None:
    """Engines are killed and stopped at random moments, one after the other, never the last two;
    then all at once, and the contingency systems take over until the engines are proven right."""
    begun(bench)
    bench.wait_for("every engine", lambda: 3 == len(bench.pids()))
    chance = random.Random(SEED)
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 1.5))
        victim = chance.choice(bench.pids())
        os.kill(victim, chance.choice([signal.SIGKILL, signal.SIGSTOP]))
        bench.wait_for("its end", lambda pid=victim: is_gone(pid) or pid not in bench.pids())
        bench.wait_for("its return", lambda: 3 == len(bench.pids()))
    ticks = bench.ticks(TickKind.REAL_TIME)
    assert [] == bench.missing(ticks)
    bench.require_right(ticks)
    assert [] == bench.ticks(TickKind.CONTINGENCY)

    bench.wait_for("contingency", lambda: _all_killed(bench), longest_s=30)
    first = bench.journal("mode-changed")[0]
    assert ("standby", "active") == (first.body["before"], first.body["after"])
    last = bench.ticks(TickKind.REAL_TIME)[-1].at
    # Counted from when the supervisor last heard an engine, as the event itself says.
    heard = datetime.fromisoformat(str(first.body["reason"]).rpartition(" ")[2])
    took = datetime.fromisoformat(first.at) - heard
    assert took <= timedelta(seconds=2 * INTERVAL_S + SLACK_S)
    bench.wait_for("resumption", lambda: bool(bench.journal("publication-resumed")))
    bench.wait_for("ticks", lambda: bench.ticks(TickKind.REAL_TIME)[-1].at > last)
    pids = [*bench.pids(), *bench.pids("contingency")]
    assert 1 == bench.finish()
    bench.require_right(bench.ticks())
    bench.require_once()
    assert [True] * 4 == [is_gone(pid) for pid in pids]


def _all_killed(bench: RunBench) -> bool:
    """Kill whatever engine is there; whether the contingency systems publish."""
    for pid in bench.pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(bench.ticks(TickKind.CONTINGENCY))


@pytest.mark.parametrize("how", ["raise", "hang"])
def test_a_poison_record_takes_one_engine_and_a_restart_of_everything_knows_it(
    home: Path, how: str
) -> None:
    bench = RunBench(home, f'poison = "{how}"\npoison_3dp = {POISON_3DP}')
    try:
        begun(bench)
        bench.poison()
        # Written down first, and then told.
        bench.wait_for("quarantine", lambda: bool(bench.told("message-quarantined")))
        [entry] = bench.journal("message-quarantined")
        assert (5, 30, entry.body["first"]) == (
            entry.body["security"],
            entry.body["channel"],
            entry.body["last"],
        )
        [event] = bench.told("message-quarantined")
        assert "a record of 5" in event["incident"]
        bench.wait_for("its return", lambda: 4 == len(bench.journal("process-ready")) - 1)
        ended = [one.body["process"] for one in bench.journal("process-died")]
        assert [entry.body["process"]] == ended

        # The supervisor goes too, and with it every process; another one takes over.
        assert bench.process is not None
        pids = [*bench.pids(), *bench.pids("contingency")]
        bench.process.kill()
        bench.process.wait()
        bench.process = None
        bench.wait_for("their end", lambda: all(is_gone(pid) for pid in pids), longest_s=10)
        before = len(bench.ticks())
        bench.start()
        bench.wait_for("ticks again", lambda: len(bench.ticks()) > before + 2)
        [resumed] = bench.journal("run-resumed")
        assert 1 == resumed.body["quarantined"]
        bench.end_market()
        assert 0 == bench.finish(None)
        assert 1 == len(bench.journal("message-quarantined"))
        assert "the feed has ended" == bench.journal("run-stopped")[0].body["reason"]
        bench.require_right(bench.ticks())
        bench.require_once()
    finally:
        bench.close()


def test_a_second_run_in_the_same_folder_is_refused(bench: RunBench) -> None:
    bench.engines = 1
    begun(bench, moments=1)
    ended = bench.ask("run", "--engines", "1")
    require_refused(ended, 6, "StoreInUse", "the index run is in use by pid", "wait until")
    document = bench.ask("status").document
    assert (True, "standby", "publishing") == (
        document["well"],
        document["mode"],
        document["gateway"],
    )
    (bench.home / "fails").touch()
    bench.wait_for("its failure", lambda: bool(bench.told("publisher-failed")))
    known = len(bench.ticks())
    (bench.home / "fails").unlink()
    bench.wait_for("what it missed", lambda: len(bench.ticks()) > known + 2)
    assert 0 == bench.finish()
    assert [] == bench.missing(bench.ticks())
    bench.require_right(bench.ticks())
