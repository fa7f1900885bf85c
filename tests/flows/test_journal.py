"""The journal keeps every entry through whatever happens to the process that writes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.journal import Journal, done_in, read_journal
from hkex_ops.model import HONG_KONG

NOON = datetime(2023, 4, 17, 12, tzinfo=HONG_KONG)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def opened(work: Path, clock: ManualClock) -> Journal:
    return Journal.open(work, "rrs-2023", clock=clock)


def file_of(work: Path) -> Path:
    return work / "rrs-2023" / "journal.jsonl"


def kinds(work: Path) -> list[str]:
    return [entry.kind for entry in read_journal(work, "rrs-2023")]


def test_entries_are_there_for_the_next_process(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path / "a" / "work", clock) as journal:
        journal.record("first", {"by": "陳大文"})
        clock.advance(timedelta(minutes=1))
        journal.record("second", {})
    entries = read_journal(tmp_path / "a" / "work", "rrs-2023")
    assert [("first", {"by": "陳大文"}), ("second", {})] == [(e.kind, e.body) for e in entries]
    assert ["2023-04-17T12:00:00+08:00", "2023-04-17T12:01:00+08:00"] == [e.at for e in entries]


def test_what_was_never_kept_reads_as_nothing_and_makes_nothing(tmp_path: Path) -> None:
    assert () == read_journal(tmp_path / "work", "rrs-2023")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("kept", [1, 30, 100])
def test_a_torn_last_line_is_dropped_and_told_and_no_other_lost(
    tmp_path: Path, clock: ManualClock, kept: int
) -> None:
    with opened(tmp_path, clock) as journal:
        journal.record("first", {})
        journal.record("second", {})
    path = file_of(tmp_path)
    whole, torn = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(whole + torn[:kept])
    assert ["first"] == kinds(tmp_path)
    with opened(tmp_path, clock) as journal:
        assert kept == journal.dropped_bytes
        journal.record("third", {})
    assert ["first", "torn-line-dropped", "third"] == kinds(tmp_path)
    assert {"size_bytes": kept} == read_journal(tmp_path, "rrs-2023")[1].body
    with opened(tmp_path, clock) as journal:
        assert 0 == journal.dropped_bytes


def test_a_line_torn_by_another_process_is_dropped_too(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        journal.record("first", {})
        with file_of(tmp_path).open("ab") as file:
            file.write(b'{"sequence":2')
        journal.record("second", {})
    assert ["first", "torn-line-dropped", "second"] == kinds(tmp_path)


def test_two_writers_take_turns(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as one, opened(tmp_path, clock) as other:
        one.record("a", {})
        other.record("b", {})
        one.record("c", {})
        assert ["a", "b", "c"] == [entry.kind for entry in other.entries()]
    assert ["a", "b", "c"] == kinds(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b'"first"', b'"other"'),
        lambda data: data.split(b"\n", 1)[1],
        lambda data: data + b"{}\n",
        lambda data: b"\n" + data,
    ],
    ids=["changed", "cut", "added", "blank"],
)
def test_a_journal_changed_from_outside_is_refused(
    tmp_path: Path, clock: ManualClock, change: object
) -> None:
    assert callable(change)
    with opened(tmp_path, clock) as journal:
        journal.record("first", {})
        journal.record("second", {})
    path = file_of(tmp_path)
    data = change(path.read_bytes())
    path.write_bytes(data)
    for look in (lambda: read_journal(tmp_path, "rrs-2023"), lambda: opened(tmp_path, clock)):
        with pytest.raises(StoreError, match=r"damaged after entry [02]"):
            look()
    assert data == path.read_bytes()


def test_a_journal_that_shrinks_under_its_writer_is_refused(
    tmp_path: Path, clock: ManualClock
) -> None:
    with opened(tmp_path, clock) as journal:
        journal.record("first", {})
        file_of(tmp_path).write_bytes(b"")
        with pytest.raises(StoreError, match="damaged after entry 1"):
            journal.record("second", {})


def test_a_full_disk_leaves_the_entries_before_it(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def half(descriptor: int, data: memoryview) -> int:
        real(descriptor, data[:10])
        raise OSError(28, "No space left on device")

    with opened(tmp_path, clock) as journal:
        journal.record("first", {})
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(StoreError, match="disk is full"):
            journal.record("second", {})
        monkeypatch.setattr(os, "write", real)
        journal.record("third", {})
    assert ["first", "third"] == kinds(tmp_path)


def test_an_entry_is_durable_before_anybody_is_told(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(file_of(tmp_path).read_bytes())
        real(descriptor)

    with opened(tmp_path, clock) as journal:
        monkeypatch.setattr(os, "fsync", fsync)
        journal.record("first", {})
    assert [file_of(tmp_path).read_bytes()] == synced


def test_the_lock_of_a_session_says_who_holds_it(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        lock = journal.working("session-1", NOON)
        journal.working("session-2", NOON).release()
        with pytest.raises(StoreError, match=r"by pid \d+ on .* since 2023-04-17T12:00:00"):
            journal.working("session-1", NOON)
        lock.release()
        journal.working("session-1", NOON).release()


def test_a_kept_file_is_read_back_and_its_digest_given(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        sealed = journal.keep("session-1/1/a.json", b"old")
        assert sealed != journal.keep("session-1/1/a.json", b"{}")
        assert b"{}" == journal.kept("session-1/1/a.json")


@pytest.mark.parametrize("path", ["../a", "a/../b", "/etc/passwd", "a//b", ".hidden"])
def test_no_kept_file_leaves_the_work_folder(tmp_path: Path, clock: ManualClock, path: str) -> None:
    with opened(tmp_path / "work", clock) as journal, pytest.raises(UsageError, match="cannot be"):
        journal.keep(path, b"")


def test_a_rollout_whose_name_is_a_path_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    for look in (
        lambda: Journal.open(tmp_path, "../up", clock=clock),
        lambda: read_journal(tmp_path, "../up"),
    ):
        with pytest.raises(UsageError, match="cannot be the name of a rollout"):
            look()


def test_a_work_folder_that_is_a_file_is_refused(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "work").write_text("")
    with pytest.raises(StoreError, match="cannot make the work folder"):
        opened(tmp_path / "work", clock)


def test_what_is_done_is_told_by_the_last_word(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        journal.record("session-concluded", {"session": "session-1", "done": True})
        journal.record("session-concluded", {"session": "session-2", "done": False})
        journal.record("item-answered", {"number": 14, "answer": "yes"})
        journal.record("item-answered", {"number": 15, "answer": "yes"})
        journal.record("item-answered", {"number": 15, "answer": "no"})
        day = "rrs-2023/obligation/daily-download-and-back-up/2023-04-17"
        journal.record("agenda-item-done", {"item": day, "done": True})
    expected = {"rrs-2023/session/session-1", "rrs-2023/checklist/14", day}
    assert expected == done_in(tmp_path, ["rrs-2023", "hkats-dcass-2019"])


WRITER = """\
import sys
from datetime import datetime
from pathlib import Path
from hkex_ops.clock import SystemClock
from hkex_ops.flows.journal import Journal
with Journal.open(Path(sys.argv[1]), "rrs-2023", clock=SystemClock()) as journal:
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[3])):
        journal.record("entry", {"writer": sys.argv[2], "number": number})
"""


def test_four_processes_write_at_one_time_and_the_chain_holds(tmp_path: Path) -> None:
    count = 25
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), name, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "abcd"
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert "ready\n" == writer.stdout.readline()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert 0 == writer.returncode
    entries = read_journal(tmp_path, "rrs-2023")
    for name in "abcd":
        own = [entry.body["number"] for entry in entries if entry.body["writer"] == name]
        assert list(range(count)) == own


def test_every_line_is_plain_json_that_any_tool_reads(tmp_path: Path, clock: ManualClock) -> None:
    with opened(tmp_path, clock) as journal:
        journal.record("first", {"by": "陳大文"})
    (line,) = file_of(tmp_path).read_text(encoding="utf-8").splitlines()
    assert "陳大文" == json.loads(line)["body"]["by"]
