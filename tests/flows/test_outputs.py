"""A file that a person asked for: whole or not at all, and nothing left beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hkex_ops.errors import StoreError
from hkex_ops.flows.outputs import LEFT_AFTER_S, require_place, write_over_file


def test_what_a_killed_run_left_unfinished_is_swept_by_a_later_one(tmp_path: Path) -> None:
    """Only of the same file, and only what nobody can be writing any more."""
    old, young, other = (
        tmp_path / name
        for name in (".day.prom.17.part", ".day.prom.18.part", ".night.prom.17.part")
    )
    for path in (old, young, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (0, tmp_path.stat().st_mtime - LEFT_AFTER_S - 1))
    write_over_file(tmp_path / "day.prom", b"whole")
    assert {young, other, tmp_path / "day.prom"} == set(tmp_path.iterdir())
    assert b"whole" == (tmp_path / "day.prom").read_bytes()


def test_a_place_that_will_do_is_left_as_it_was(tmp_path: Path) -> None:
    """Asked before the work whose outcome is to be written there."""
    (tmp_path / "day.prom").write_bytes(b"before")
    require_place(tmp_path / "day.prom")
    require_place(tmp_path / "new.prom")
    assert [("day.prom", b"before")] == [(one.name, one.read_bytes()) for one in tmp_path.iterdir()]


def test_what_goes_wrong_is_said_of_the_file_that_was_named(tmp_path: Path) -> None:
    """And not of a temporary one that nobody knows."""
    path = tmp_path / ("n" * 250)
    with pytest.raises(StoreError) as refused:
        write_over_file(path, b"whole")
    assert str(refused.value).startswith(f"{path}: cannot write the file: File name too long")


@pytest.mark.parametrize(
    ("place", "said"),
    [("nowhere/day.prom", "it is not there"), ("folder", "Is a directory")],
)
def test_a_place_that_will_not_do_is_refused(tmp_path: Path, place: str, said: str) -> None:
    """With the reason that writing there would have had."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match=said):
        require_place(tmp_path / place)
    assert [tmp_path / "folder"] == list(tmp_path.iterdir())
