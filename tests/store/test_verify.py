"""Whatever is touched is found, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hkex_ops import ManualClock, StoreError
from hkex_ops.evidence import FindingKind
from hkex_ops.flows.store import Archive
from tests.store.reports import FRIDAY, SERVICE, listing, place, seen

HOME = f"reports/{SERVICE}/2023-04-14"
FIRST = f"{HOME}/TP001.csv"

CHANGED, MISSING = FindingKind.CHANGED, FindingKind.MISSING
ADDED, UNREADABLE = FindingKind.ADDED, FindingKind.UNREADABLE


@pytest.fixture
def kept(folder: Path, clock: ManualClock) -> Path:
    """An archive of three reports, one with a second version, and two listings: rows 1 to 6."""
    with Archive.open(folder, clock=clock) as archive:
        for name in ("TP001.csv", "TP002.csv", "RP008.csv"):
            place(archive, name, name.encode())
        archive.keep_listing(listing(seen("TP001.csv", b"x")))
        place(archive, "TP002.csv", b"corrected")
        archive.keep_listing(listing(seen("TP001.csv", b"x"), seen("TP002.csv", b"y")))
    return folder


def found(folder: Path, clock: ManualClock, *, deep: bool = True) -> set[tuple[FindingKind, str]]:
    with Archive.open(folder, clock=clock, read_only=True) as archive:
        return {(one.kind, one.where) for one in archive.verify(deep=deep)}


@contextmanager
def tampering(folder: Path) -> Generator[sqlite3.Connection]:
    """The ledger, with the triggers out of the way and put back after."""
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as connection, connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)


def test_an_untouched_archive_has_no_finding(kept: Path, clock: ManualClock) -> None:
    assert set() == found(kept, clock)


# -- files -------------------------------------------------------------------------------------


def test_a_changed_file_is_found(kept: Path, clock: ManualClock) -> None:
    (kept / FIRST).write_bytes(b"TP001.cs!")
    assert {(CHANGED, FIRST)} == found(kept, clock)


def test_without_depth_only_presence_and_size_are_looked_at(kept: Path, clock: ManualClock) -> None:
    (kept / FIRST).write_bytes(b"TP001.cs!")
    assert set() == found(kept, clock, deep=False)
    (kept / FIRST).write_bytes(b"TP001.csv and more")
    assert {(CHANGED, FIRST)} == found(kept, clock, deep=False)


def test_a_missing_file_is_found(kept: Path, clock: ManualClock) -> None:
    (kept / f"{HOME}/TP002.csv.v2").unlink()
    assert {(MISSING, f"{HOME}/TP002.csv.v2")} == found(kept, clock)


def test_a_missing_folder_is_every_file_of_it(kept: Path, clock: ManualClock) -> None:
    (kept / "reports").rename(kept.parent / "reports")
    names = ("RP008.csv", "TP001.csv", "TP002.csv", "TP002.csv.v2")
    assert {(MISSING, f"{HOME}/{name}") for name in names} == found(kept, clock)


@pytest.mark.parametrize(
    "name",
    [
        f"{HOME}/TP003.csv",
        f"{HOME}/.hidden",
        f"{HOME}/deeper/still/TP003.csv",
        "reports/loose",
        "loose",
        "elsewhere/loose",
    ],
)
def test_an_added_file_is_found_wherever_it_lies(kept: Path, clock: ManualClock, name: str) -> None:
    (kept / name).parent.mkdir(parents=True, exist_ok=True)
    (kept / name).write_bytes(b"")
    assert {(ADDED, name)} == found(kept, clock)


def test_a_renamed_file_is_missing_here_and_added_there(kept: Path, clock: ManualClock) -> None:
    (kept / FIRST).rename(kept / HOME / "TP009.csv")
    assert {(MISSING, FIRST), (ADDED, f"{HOME}/TP009.csv")} == found(kept, clock)


def test_a_file_replaced_by_a_link_is_found_even_if_it_leads_to_the_same(
    kept: Path, clock: ManualClock, tmp_path: Path
) -> None:
    (kept / FIRST).rename(tmp_path / "copy")
    (kept / FIRST).symlink_to(tmp_path / "copy")
    assert {(CHANGED, FIRST)} == found(kept, clock)


def test_a_folder_replaced_by_a_link_is_found_even_if_it_leads_to_the_same(
    kept: Path, clock: ManualClock, tmp_path: Path
) -> None:
    (kept / "reports").rename(tmp_path / "copy")
    (kept / "reports").symlink_to(tmp_path / "copy")
    assert {(ADDED, "reports"), (MISSING, FIRST)} <= found(kept, clock)


def test_what_an_interrupted_transfer_left_is_no_finding(kept: Path, clock: ManualClock) -> None:
    (kept / ".staging/00000001.part").write_bytes(b"half")
    assert set() == found(kept, clock)


# -- rows --------------------------------------------------------------------------------------

Tamper = Callable[[sqlite3.Connection], object]


def sql(*statements: str) -> Tamper:
    def tamper(connection: sqlite3.Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    return tamper


@pytest.mark.parametrize("row", range(1, 7), ids=lambda row: f"row {row}")
@pytest.mark.parametrize(
    "change",
    [
        "at = '2023-04-15T00:00:00+08:00'",
        "kind = 'restored'",
        "previous = printf('%064d', 1)",
        "digest = printf('%064d', 1)",
        "body = replace(body, '127.0.121.1', '127.0.121.2')",
        "body = replace(body, ':', ': ')",
        "body = '{}'",
    ],
)
def test_a_changed_row_is_found(kept: Path, clock: ManualClock, row: int, change: str) -> None:
    with tampering(kept) as connection:
        assert 1 == connection.execute(f"UPDATE chain SET {change} WHERE sequence = {row}").rowcount
    assert (CHANGED, f"record {row}") in found(kept, clock)


@pytest.mark.parametrize("row", range(1, 7))
def test_a_removed_row_is_found_the_last_one_too(kept: Path, clock: ManualClock, row: int) -> None:
    with tampering(kept) as connection:
        connection.execute(f"DELETE FROM chain WHERE sequence = {row}")
    assert (MISSING, f"record {row}") in found(kept, clock)


def test_cut_off_rows_are_found_though_their_files_and_listings_went_too(
    kept: Path, clock: ManualClock
) -> None:
    with tampering(kept) as connection:
        connection.execute("DELETE FROM chain WHERE sequence > 4")
        connection.execute("DELETE FROM contents WHERE id > 1")
    (kept / f"{HOME}/TP002.csv.v2").unlink()
    assert {(MISSING, "records 5 to 6")} == found(kept, clock)


def test_swapped_rows_are_found(kept: Path, clock: ManualClock) -> None:
    with tampering(kept) as connection:
        for old, new in ((2, 100), (3, 2), (100, 3)):
            connection.execute(f"UPDATE chain SET sequence = {new} WHERE sequence = {old}")
    assert {(CHANGED, "record 2"), (CHANGED, "record 3")} <= found(kept, clock)


@pytest.mark.parametrize("sequence", [-5, 0, 7, 2**62])
def test_an_inserted_row_is_found(kept: Path, clock: ManualClock, sequence: int) -> None:
    with tampering(kept) as connection:
        connection.execute(
            f"INSERT INTO chain SELECT {sequence}, previous, at, kind, body, digest "
            "FROM chain WHERE sequence = 1"
        )
    assert f"record {sequence}" in {where for _, where in found(kept, clock)}


def test_an_emptied_ledger_is_found(kept: Path, clock: ManualClock) -> None:
    with tampering(kept) as connection:
        connection.execute("DELETE FROM chain")
    assert (MISSING, "records 1 to 6") in found(kept, clock)


def test_a_changed_listing_is_found(kept: Path, clock: ManualClock) -> None:
    with tampering(kept) as connection:
        connection.execute(
            "UPDATE contents SET body = replace(body, 'TP001', 'TP003') WHERE id = 1"
        )
    assert {(CHANGED, "content 1")} == found(kept, clock)


def test_a_changed_listing_is_not_given_out(kept: Path, clock: ManualClock) -> None:
    with tampering(kept) as connection:
        connection.execute("UPDATE contents SET body = replace(body, 'TP001', 'TP003')")
    with (
        Archive.open(kept, clock=clock, read_only=True) as archive,
        pytest.raises(StoreError, match="missing or changed"),
    ):
        archive.last_listing(SERVICE, FRIDAY)


def test_a_removed_listing_is_found(kept: Path, clock: ManualClock) -> None:
    with tampering(kept) as connection:
        connection.execute("DELETE FROM contents WHERE id = 1")
    assert {(MISSING, "record 4")} == found(kept, clock)


def test_an_added_listing_is_found(kept: Path, clock: ManualClock) -> None:
    with tampering(kept) as connection:
        connection.execute(
            "INSERT INTO contents SELECT 9, upper(digest), body FROM contents LIMIT 1"
        )
    assert (ADDED, "content 9") in found(kept, clock)


# -- head and database -------------------------------------------------------------------------


def test_a_missing_head_is_found(kept: Path, clock: ManualClock) -> None:
    (kept / "ledger.head").unlink()
    assert {(MISSING, str(kept / "ledger.head"))} == found(kept, clock)


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"digest":"x","sequence":"1"}', "\xff"])
def test_an_unreadable_head_is_found(kept: Path, clock: ManualClock, text: str) -> None:
    (kept / "ledger.head").write_text(text, encoding="latin-1")
    assert {(UNREADABLE, str(kept / "ledger.head"))} == found(kept, clock)


def test_a_head_of_an_earlier_day_is_found(kept: Path, clock: ManualClock) -> None:
    before = (kept / "ledger.head").read_bytes()
    with Archive.open(kept, clock=clock) as archive:
        place(archive, "TP005.csv", b"new")
    (kept / "ledger.head").write_bytes(before)
    assert {(ADDED, "record 7")} == found(kept, clock)


@pytest.mark.parametrize("content", [b"", b"not a database" * 1000, None])
def test_a_ledger_that_is_none_is_a_finding(
    kept: Path, clock: ManualClock, content: bytes | None
) -> None:
    (kept / "ledger.sqlite3").unlink()
    if content is not None:
        (kept / "ledger.sqlite3").write_bytes(content)
    assert {(UNREADABLE, "ledger.sqlite3")} == found(kept, clock)
    with (
        Archive.open(kept, clock=clock, read_only=True) as archive,
        pytest.raises(StoreError, match=r"ledger\.sqlite3"),
    ):
        archive.held(SERVICE)


def test_every_overwritten_page_of_the_database_is_found(kept: Path, clock: ManualClock) -> None:
    ledger = kept / "ledger.sqlite3"
    sound = ledger.read_bytes()
    for start in range(0, len(sound), 4096):
        ledger.write_bytes(sound[:start] + b"\xa5" * 4096 + sound[start + 4096 :])
        assert found(kept, clock), f"page at {start}"
    ledger.write_bytes(sound)
    assert set() == found(kept, clock)
