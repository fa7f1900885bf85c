"""Checkpoints: the newest first, one's own after a death, none after two; damage passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hkex_ops.flows.index.checkpoint import (
    Beginning,
    Checkpoint,
    checkpoints,
    format_checkpoint,
    write_checkpoint,
)
from hkex_ops.flows.store.disk import Folder
from hkex_ops.model import HONG_KONG

NOON = datetime(2026, 11, 20, 12, tzinfo=HONG_KONG)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.open(tmp_path) as folder:
        yield folder


def written(folder: Folder, engine: str, seconds: int) -> Checkpoint:
    """A checkpoint of an engine, so many seconds after noon."""
    at = NOON + timedelta(seconds=seconds)
    checkpoint = Checkpoint(engine, at, {"engine": {"seconds": seconds}, "arbiters": []})
    write_checkpoint(folder, engine, format_checkpoint(checkpoint))
    return checkpoint


def test_without_any_there_is_none(folder: Folder) -> None:
    for beginning in Beginning:
        assert [] == list(checkpoints(folder, "engine-1", beginning))


def test_an_engine_begins_at_the_newest_of_any_then_at_its_own_then_afresh(folder: Folder) -> None:
    own, other = written(folder, "engine-1", 1), written(folder, "engine-2", 2)
    found = [list(checkpoints(folder, "engine-1", Beginning.after(deaths))) for deaths in range(4)]
    assert [[other, own], [own], [], []] == found


def test_of_several_that_write_their_first_at_once_each_has_it(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Engines begin together, and each finds that there is no folder for checkpoints yet."""
    mkdir = os.mkdir

    def too_late(name: str, *, dir_fd: int) -> None:
        mkdir(name, dir_fd=dir_fd)
        mkdir(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", too_late)
    own = written(folder, "engine-1", 1)
    assert [own] == list(checkpoints(folder, "engine-1", Beginning.NEWEST))


def test_a_later_one_takes_the_place_of_the_one_before(folder: Folder) -> None:
    written(folder, "engine-1", 1)
    later = written(folder, "engine-1", 5)
    assert [later] == list(checkpoints(folder, "engine-1", Beginning.NEWEST))


def test_a_damaged_one_is_passed_over_wherever_it_is_cut_or_changed(
    folder: Folder, tmp_path: Path
) -> None:
    whole = written(folder, "engine-1", 1)
    written(folder, "engine-2", 2)
    path = tmp_path / "checkpoints" / "engine-2.json"
    data = path.read_bytes()
    damaged = [data[:end] for end in range(len(data) - 1)]
    damaged += [
        data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        for place in range(len(data) - 1)
    ]
    damaged += [b"\xff" * 100, b"null", b"[]"]
    for one in damaged:
        path.write_bytes(one)
        assert [whole] == list(checkpoints(folder, "engine-1", Beginning.NEWEST)), one


def test_what_is_no_checkpoint_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    whole = written(folder, "engine-1", 1)
    (tmp_path / "checkpoints" / "notes.txt").write_text("mine", "utf-8")
    (tmp_path / "checkpoints" / "folder.json").mkdir()
    assert [whole] == list(checkpoints(folder, "engine-1", Beginning.NEWEST))
