"""An intent is completed when its very file stands, and otherwise forgotten."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hkex_ops import ManualClock
from hkex_ops.evidence import FindingKind, canonical, digest
from hkex_ops.flows.store import Archive, Outcome
from tests.store.reports import SERVICE, place

HOME = f"reports/{SERVICE}/2023-04-14"
PATH = f"{HOME}/TP002.csv"


@pytest.fixture
def body(folder: Path, clock: ManualClock) -> dict[str, Any]:
    """The row that ``TP002.csv`` would have; the archive holds ``TP001.csv`` and is closed."""
    with Archive.open(folder, clock=clock) as archive:
        place(archive, "TP001.csv", b"one")
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as ledger:
        [(text,)] = ledger.execute("SELECT body FROM chain")
    row: dict[str, Any] = json.loads(text)
    return {**row, "name": "TP002.csv", "path": PATH, "size_bytes": 3, "sha256": digest(b"two")}


def intend(folder: Path, path: str, text: str) -> None:
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as ledger, ledger:
        ledger.execute("INSERT INTO intents VALUES (?, 'archived', ?)", (path, text))


def rows_after_opening(folder: Path, clock: ManualClock) -> list[tuple[Outcome, str]]:
    with Archive.open(folder, clock=clock) as archive:
        rows = [(row.outcome, row.name) for row in archive.recorded()]
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as ledger:
        assert [(0,)] == ledger.execute("SELECT count(*) FROM intents").fetchall()
    return rows


def findings(folder: Path, clock: ManualClock) -> list[tuple[FindingKind, str]]:
    with Archive.open(folder, clock=clock, read_only=True) as archive:
        return [(one.kind, one.where) for one in archive.verify()]


def test_a_file_that_stands_gets_its_row(
    folder: Path, clock: ManualClock, body: dict[str, Any]
) -> None:
    (folder / PATH).write_bytes(b"two")
    intend(folder, PATH, canonical(body).decode())
    assert [] == findings(folder, clock)
    expected = [(Outcome.ARCHIVED, "TP001.csv"), (Outcome.ARCHIVED, "TP002.csv")]
    assert expected == rows_after_opening(folder, clock)
    assert [] == findings(folder, clock)


def test_a_file_that_never_came_gets_none(
    folder: Path, clock: ManualClock, body: dict[str, Any]
) -> None:
    intend(folder, PATH, canonical(body).decode())
    assert [] == findings(folder, clock)
    assert [(Outcome.ARCHIVED, "TP001.csv")] == rows_after_opening(folder, clock)


@pytest.mark.parametrize("content", [b"owt", b"more than two"])
def test_another_file_in_its_place_is_not_taken_for_it(
    folder: Path, clock: ManualClock, body: dict[str, Any], content: bytes
) -> None:
    (folder / PATH).write_bytes(content)
    intend(folder, PATH, canonical(body).decode())
    assert [(Outcome.ARCHIVED, "TP001.csv")] == rows_after_opening(folder, clock)
    assert [(FindingKind.ADDED, PATH)] == findings(folder, clock)


@pytest.mark.parametrize(
    "forged",
    [
        {"name": "../../../../outside", "path": f"{HOME}/../../../../outside"},
        {"service": "../..", "path": "reports/../../2023-04-14/TP002.csv"},
        {"path": "outside"},
        {"version": 2},
        {"sha256": None},
    ],
)
def test_an_intent_that_leads_astray_is_forgotten(
    folder: Path, clock: ManualClock, body: dict[str, Any], forged: dict[str, Any]
) -> None:
    (folder / PATH).write_bytes(b"two")
    (folder.parent / "outside").write_bytes(b"two")
    (folder.parent / "2023-04-14").mkdir()
    (folder.parent / "2023-04-14" / "TP002.csv").write_bytes(b"two")
    intend(folder, PATH, canonical({**body, **forged}).decode())
    assert [(Outcome.ARCHIVED, "TP001.csv")] == rows_after_opening(folder, clock)


@pytest.mark.parametrize("text", ["{}", "not json", ""])
def test_an_unreadable_intent_is_forgotten(
    folder: Path, clock: ManualClock, body: dict[str, Any], text: str
) -> None:
    assert body
    intend(folder, PATH, text)
    assert [(Outcome.ARCHIVED, "TP001.csv")] == rows_after_opening(folder, clock)
