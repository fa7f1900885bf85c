"""The ledger grows at its end only, and knows tampering from an interrupted write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hkex_ops import ManualClock, StoreError
from hkex_ops.evidence import GENESIS, Head
from hkex_ops.flows.store.head import HeadFile, HeadState
from hkex_ops.flows.store.ledger import Entry, Ledger
from hkex_ops.flows.store.reading import LedgerReader

ENTRY = Entry("archived", {"service": "s", "name": "n"})


@pytest.fixture
def head_file(tmp_path: Path) -> HeadFile:
    return HeadFile(tmp_path / "ledger.head")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def heads(path: Path, head_file: HeadFile, clock: ManualClock) -> list[Head]:
    """The heads of a closed ledger of three rows, genesis first."""
    with Ledger.open(path, head_file) as ledger:
        rows = [row for _ in range(3) for row in ledger.append([ENTRY], clock.now())]
    return [GENESIS, *(row.head for row in rows)]


@pytest.fixture
def database(path: Path, heads: list[Head]) -> Iterator[sqlite3.Connection]:
    assert 4 == len(heads)
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE chain SET kind = 'x'", "append-only"),
        ("DELETE FROM chain WHERE sequence = 3", "append-only"),
        ("INSERT OR REPLACE INTO chain VALUES (2, 'p', 'a', 'k', '{}', 'd')", "only at its end"),
        ("INSERT INTO chain VALUES (9, 'p', 'a', 'k', '{}', 'd')", "only at its end"),
        ("UPDATE contents SET body = ''", "append-only"),
        ("DELETE FROM contents", "append-only"),
    ],
)
def test_the_database_itself_refuses_to_rewrite(
    database: sqlite3.Connection, statement: str, said: str
) -> None:
    database.execute("INSERT INTO contents (digest, body) VALUES ('d', '{}')")
    with pytest.raises(sqlite3.IntegrityError, match=said):
        database.execute(statement)


def test_many_rows_are_one_commit(path: Path, head_file: HeadFile, clock: ManualClock) -> None:
    with Ledger.open(path, head_file) as ledger:
        rows = ledger.append([ENTRY] * 5, clock.now())
        assert [1, 2, 3, 4, 5] == [row.sequence for row in rows]
        assert rows == tuple(ledger.records())
    assert HeadState(rows[-1].head) == head_file.read()


def test_the_head_names_the_next_before_the_commit_and_not_after(
    path: Path, head_file: HeadFile, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[HeadState] = []
    write = HeadFile.write

    def writing(self: HeadFile, state: HeadState) -> None:
        written.append(state)
        write(self, state)

    with Ledger.open(path, head_file) as ledger:
        monkeypatch.setattr(HeadFile, "write", writing)
        [row] = ledger.append([ENTRY], clock.now())
    assert [HeadState(GENESIS, row.head), HeadState(row.head)] == written


def test_a_run_killed_before_the_commit_is_undone(
    path: Path, head_file: HeadFile, heads: list[Head], clock: ManualClock
) -> None:
    head_file.write(HeadState(heads[3], Head(4, "e" * 64)))
    with Ledger.open(path, head_file) as ledger:
        assert HeadState(heads[3]) == head_file.read()
        assert [4] == [row.sequence for row in ledger.append([ENTRY], clock.now())]


def test_a_run_killed_after_the_commit_is_finished(
    path: Path, head_file: HeadFile, heads: list[Head], clock: ManualClock
) -> None:
    head_file.write(HeadState(heads[2], heads[3]))
    with Ledger.open(path, head_file) as ledger:
        assert HeadState(heads[3]) == head_file.read()
        assert [4] == [row.sequence for row in ledger.append([ENTRY], clock.now())]


def test_a_reader_takes_both_for_sound(path: Path, head_file: HeadFile, heads: list[Head]) -> None:
    for state in (HeadState(heads[3], Head(4, "e" * 64)), HeadState(heads[2], heads[3])):
        head_file.write(state)
        with LedgerReader.open(path, head_file) as reader:
            assert () == reader.check(reader.snapshot())
        assert state == head_file.read()


@pytest.mark.parametrize("stated", [(2, None), (1, 2), (4, None), (3, None)])
def test_any_other_disagreement_is_damage(
    path: Path, head_file: HeadFile, heads: list[Head], stated: tuple[int, int | None]
) -> None:
    known = [*heads, Head(4, "e" * 64)]
    if stated == (3, None):
        known[3] = Head(3, "f" * 64)
    head, following = stated
    state = HeadState(known[head], None if following is None else known[following])
    head_file.write(state)
    with pytest.raises(StoreError, match="ends at row 3, which is not the end"):
        Ledger.open(path, head_file)
    assert state == head_file.read()


def test_a_missing_head_is_not_made_up(path: Path, head_file: HeadFile, heads: list[Head]) -> None:
    assert heads
    head_file.path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        Ledger.open(path, head_file)
    assert not head_file.path.exists()


def test_a_missing_ledger_is_not_begun_anew(
    path: Path, head_file: HeadFile, heads: list[Head]
) -> None:
    assert heads
    path.unlink()
    with pytest.raises(StoreError, match="says that it held 3 rows"):
        Ledger.open(path, head_file)
    assert not path.exists()


def test_a_ledger_cut_off_while_a_head_was_killed_is_still_damage(
    path: Path, head_file: HeadFile, heads: list[Head], database: sqlite3.Connection
) -> None:
    head_file.write(HeadState(heads[2], heads[3]))
    database.execute("DROP TRIGGER chain_delete_never")
    database.execute("DELETE FROM chain WHERE sequence > 1")
    database.commit()
    with pytest.raises(StoreError, match="ends at row 1"):
        Ledger.open(path, head_file)


def test_after_a_failed_write_nothing_more_is_written(
    path: Path, head_file: HeadFile, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a fresh opening can tell whether the row is there."""

    def fails(_: HeadFile, state: HeadState) -> None:
        if state.next is None:
            raise StoreError("the disk is full", path=str(head_file.path))
        write(head_file, state)

    write = HeadFile.write
    with Ledger.open(path, head_file) as ledger:
        monkeypatch.setattr(HeadFile, "write", fails)
        for said in ("the disk is full", "an earlier write to the ledger failed"):
            with pytest.raises(StoreError, match=said):
                ledger.append([ENTRY], clock.now())
    monkeypatch.undo()
    with Ledger.open(path, head_file) as ledger:
        assert 1 == len(list(ledger.records()))


def test_another_kind_of_database_is_left_alone(path: Path, head_file: HeadFile) -> None:
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("CREATE TABLE chain (mine)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="no ledger of hkex-ops"):
        Ledger.open(path, head_file)
    assert before == path.read_bytes()


def test_a_ledger_of_a_later_format_is_left_alone(
    path: Path, head_file: HeadFile, database: sqlite3.Connection
) -> None:
    database.execute("PRAGMA user_version = 2")
    with pytest.raises(StoreError, match="format 2, and this hkex-ops knows format 1"):
        Ledger.open(path, head_file)


def test_a_path_with_odd_characters_is_the_same_file(tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "a?mode=ro#100% of 報告"
    folder.mkdir()
    with Ledger.open(folder / "l.sqlite3", HeadFile(folder / "h")) as ledger:
        ledger.append([ENTRY], clock.now())
    assert ["h", "l.sqlite3"] == sorted(path.name for path in folder.iterdir())
