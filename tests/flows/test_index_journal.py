"""A run's journal names everything that left the house, whatever becomes of the process."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import Record
from hkex_ops.flows.index.journal import JOURNAL_NAME, RunJournal, read_run_journal
from hkex_ops.flows.store.disk import Folder
from hkex_ops.model import HONG_KONG

NOON = datetime(2026, 11, 20, 12, tzinfo=HONG_KONG)

# A process that writes entries until it is killed, telling the number of each that is kept.
WRITING = """
import sys
from pathlib import Path
from hkex_ops.clock import SystemClock
from hkex_ops.flows.index.journal import RunJournal
from hkex_ops.flows.store.disk import Folder
with Folder.open(Path(sys.argv[1])) as folder:
    journal = RunJournal.open(folder, SystemClock())
    while True:
        print(journal.record("ticks-published", {"rows": [["0000100", "1.00"]] * 40}).sequence)
"""


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(tmp_path) as folder:
        yield folder


def kinds(folder: Folder) -> list[str]:
    return [record.kind for record in read_run_journal(folder.path / JOURNAL_NAME)]


def test_the_next_process_is_told_every_entry_in_order(folder: Folder, clock: ManualClock) -> None:
    journal = RunJournal.open(folder, clock)
    journal.record("run-started", {"by": "陳大文"})
    clock.advance(timedelta(seconds=2))
    journal.record("ticks-published", {"rows": []}, durable=True)
    journal.close()
    told: list[Record] = []
    again = RunJournal.open(folder, clock, restore=told.append)
    assert [("run-started", {"by": "陳大文"}), ("ticks-published", {"rows": []})] == [
        (one.kind, one.body) for one in told
    ]
    assert 3 == again.record("run-resumed", {}).sequence
    assert ["run-started", "ticks-published", "run-resumed"] == kinds(folder)


def test_no_journal_reads_as_nothing_and_makes_nothing(tmp_path: Path) -> None:
    assert [] == list(read_run_journal(tmp_path / JOURNAL_NAME))
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", [1, 40, 120])
def test_a_torn_last_line_is_dropped_and_told(
    folder: Folder, clock: ManualClock, kept: int
) -> None:
    journal = RunJournal.open(folder, clock)
    journal.record("first", {})
    journal.record("second", {})
    journal.close()
    path = folder.path / JOURNAL_NAME
    whole, torn = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(whole + torn[:kept])
    assert ["first"] == kinds(folder)
    again = RunJournal.open(folder, clock)
    assert (kept, ["first", "torn-line-dropped"]) == (again.dropped_bytes, kinds(folder))


def test_a_line_that_was_changed_is_damage(folder: Folder, clock: ManualClock) -> None:
    journal = RunJournal.open(folder, clock)
    for value in ("1.00", "2.00", "3.00"):
        journal.record("ticks-published", {"value": value})
    journal.close()
    path = folder.path / JOURNAL_NAME
    path.write_bytes(path.read_bytes().replace(b'"2.00"', b'"2.50"'))
    with pytest.raises(StoreError, match=r"damaged after entry 1.*backup"):
        RunJournal.open(folder, clock)
    with pytest.raises(StoreError, match="damaged after entry 1"):
        list(read_run_journal(path))


def test_a_line_that_was_taken_out_is_damage(folder: Folder, clock: ManualClock) -> None:
    journal = RunJournal.open(folder, clock)
    for _ in range(3):
        journal.record("ticks-published", {})
    journal.close()
    path = folder.path / JOURNAL_NAME
    first, _, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + last)
    with pytest.raises(StoreError, match="damaged after entry 1"):
        RunJournal.open(folder, clock)


def test_a_full_disk_leaves_the_journal_whole(folder: Folder, clock: ManualClock) -> None:
    """The entry that did not fit is not there in part, and the next one finds its place."""
    journal = RunJournal.open(folder, clock)
    journal.record("first", {})
    size = (folder.path / JOURNAL_NAME).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
    try:
        with pytest.raises(StoreError, match="entries before it are whole"):
            journal.record("second", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    journal.record("third", {})
    assert ["first", "third"] == kinds(folder)


def test_a_closed_journal_takes_nothing(folder: Folder, clock: ManualClock) -> None:
    journal = RunJournal.open(folder, clock)
    journal.close()
    journal.close()
    with pytest.raises(UsageError, match="is closed"):
        journal.record("late", {})


def test_what_was_told_as_kept_survives_sigkill(folder: Folder, clock: ManualClock) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", WRITING, str(folder.path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout as said:
        for _ in range(200):
            said.readline()
        os.kill(process.pid, signal.SIGKILL)
        told = [*said.read().split()]
        process.wait(timeout=10)
    journal = RunJournal.open(folder, clock)
    kept = [record.sequence for record in read_run_journal(folder.path / JOURNAL_NAME)]
    assert list(range(1, len(kept) + 1)) == kept
    assert int(told[-1] if told else 200) <= journal.head.sequence


def test_every_line_is_json_that_any_tool_reads(folder: Folder, clock: ManualClock) -> None:
    journal = RunJournal.open(folder, clock)
    journal.record("mode-changed", {"mode": "contingency"})
    [line] = (folder.path / JOURNAL_NAME).read_text("utf-8").splitlines()
    assert ("mode-changed", "2026-11-20T12:00:00+08:00") == (
        json.loads(line)["kind"],
        json.loads(line)["at"],
    )
