"""A run of real processes: killed, hung, poisoned, resumed, and never wrong without saying so."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from hkex_ops.clock import SystemClock
from hkex_ops.model import TickKind
from tests.cli.program import Ended, require_refused
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


@pytest.mark.parametrize("how", ["raise", pytest.param("hang", marks=pytest.mark.long)])
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
        # On a machine that is very busy the watchdog may end another one: not of the message.
        bench.wait_for("its return", lambda: 3 == len(bench.pids()))
        ended = [one.body["process"] for one in bench.journal("process-died")]
        assert (True, 1) == (entry.body["process"] in ended, bench.bitten)

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
        # Contingency may have come in between on a machine that is very busy: a finding.
        assert bench.finish(None) in (0, 1)
        assert (1, 1) == (len(bench.journal("message-quarantined")), bench.bitten)
        assert "the feed has ended" == bench.journal("run-stopped")[0].body["reason"]
        bench.require_right(bench.ticks())
        bench.require_once()
    finally:
        bench.close()


CONTINGENCY_S = 2

MAIL = """\
[index_publishers.letters]
adapter = "mail"
[index_publishers.letters.options]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "index@example.com"
recipients = ["desk@example.com"]
[index.contingency]
interval_s = {interval_s}
"""


def test_contingency_declared_by_a_person_reaches_every_publisher_and_mail_too(
    home: Path,
) -> None:
    """Values of the second computation, every so many seconds, and no others until the word was
    taken back and the engines were proven right."""
    pytest.importorskip("hkex_ops_mail", reason="hkex-ops-mail is not installed")
    smtp = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed")
    letters: list[str] = []

    class Mailbox:
        async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
            letters.append(BytesParser().parsebytes(envelope.content)["Subject"])
            return "250 taken"

    server = smtp.Controller(Mailbox(), hostname="127.0.0.1", port=_free_port())
    server.start()
    more = MAIL.format(port=server.port, interval_s=CONTINGENCY_S)
    bench = RunBench(
        home,
        engines=1,
        more=more,
        publish=("lines", "letters"),
        plugins=frozenset({"hkex-ops-mail"}),
    )
    try:
        begun(bench)
        assert ("ordered", "ordered") == stands(bench.order("declare", "values look wrong"))
        declared = SystemClock().now()
        bench.wait_for("three values", lambda: len(bench.ticks(TickKind.CONTINGENCY)) >= 3 * 2)
        took = SystemClock().now() - declared
        # The first at once, then one for each interval; settled for three seconds, and slack.
        assert took <= timedelta(seconds=2 * CONTINGENCY_S + 3 + 5)
        bench.wait_for("three letters", lambda: len(letters) >= 3)
        assert all("CONTINGENCY" in one for one in letters)
        status = bench.ask("status")
        assert (1, "ordered", False) == (
            status.code,
            status.document["mode"],
            status.document["well"],
        )
        assert [
            "contingency is ordered",
            "the gateway is ordered: no real-time values go out",
        ] == status.document["findings"]
        real = bench.ticks(TickKind.REAL_TIME)
        require_refused(bench.order("declare", "again"), 2, "UsageError", "cannot be ordered")
        assert ("active", "held") == stands(bench.order("stand-down", "seen"))
        bench.wait_for("resumption", lambda: bool(bench.journal("publication-resumed")))
        bench.wait_for("ticks", lambda: len(bench.ticks(TickKind.REAL_TIME)) > len(real))
        assert "standby" == bench.ask("status").document["mode"]
        sent = len(letters)
        assert 1 == bench.finish()
        assert sent == len(letters)
        bench.require_right(bench.ticks())
        bench.require_once()
    finally:
        bench.close()
        server.stop()


def stands(answer: Ended) -> tuple[str, str]:
    """How contingency path and gateway stand after a person's word."""
    assert 0 == answer.code
    return answer.document["mode"], answer.document["gateway"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


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
