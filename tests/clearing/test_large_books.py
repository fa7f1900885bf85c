"""The bench of large books, run: what is found is what was put in, in bounded memory."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wheel import CHECKOUT

BENCH = CHECKOUT / "bench" / "clearing" / "books.py"
LIMIT_MIB = 2048
HAS_DUCKDB = importlib.util.find_spec("duckdb") is not None


@pytest.mark.parametrize(
    "way",
    [
        "plain",
        pytest.param(
            "duckdb",
            marks=pytest.mark.skipif(not HAS_DUCKDB, reason="DuckDB comes with the extra data"),
        ),
    ],
)
@pytest.mark.parametrize("rows", [20_000, pytest.param(1_000_000, marks=pytest.mark.long)])
def test_large_books_are_compared_in_bounded_memory(way: str, rows: int, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, BENCH, tmp_path / "books", "--rows", str(rows), "--way", way],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == ended.returncode, ended.stderr
    found = json.loads(ended.stdout)
    assert (True, way) == (found["as_put_in"], found["way"])
    assert found["peak_mib"] < LIMIT_MIB
