"""Tables of records: there whole or not at all, as CSV or Parquet, without a digit lost."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops import HONG_KONG
from hkex_ops.clearing.columns import record_of, row_of
from hkex_ops.clearing.lines import Placed
from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.flows.clearing.book_files import book_file
from hkex_ops.flows.clearing.joining import Way, way_for
from hkex_ops.flows.clearing.reconciling import Book, Comparison, reconcile
from hkex_ops.flows.clearing.tables import record_table
from hkex_ops.model import ClearingTrade, RecordKind
from tests.clearing.books import DAY, generated
from tests.clearing.test_reconciling import RULES

TRADES = RecordKind.TRADES
MOMENT = datetime(2019, 5, 3, 23, 59, 59, 123456, tzinfo=HONG_KONG)
BOOK = [
    evolve(generated(3, 1)[0], price=Decimal("28500.000000001"), traded_at=MOMENT, sequence=7),
    evolve(generated(4, 1)[0], price=Decimal(-3), quantity=2**62, account="戶,口"),
]


def written(path: Path, book: Sequence[ClearingTrade] = BOOK) -> Path:
    with record_table(path, TRADES) as take:
        for one in book:
            take(Placed(row_of(one), ""))
    return path


def half_written(path: Path) -> None:
    with record_table(path, TRADES) as take:
        take(Placed(row_of(BOOK[0]), ""))
        raise UsageError("half of it")


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_what_is_written_is_read_back(ending: str, tmp_path: Path) -> None:
    """As one side of a comparison, whatever form it is in."""
    if ending == ".parquet":
        pytest.importorskip("duckdb", reason="DuckDB comes with the extra data")
    path = written(tmp_path / f"trades{ending}")
    file = book_file(path, TRADES, None)
    assert BOOK == [record_of(TRADES, one.row) for one in file.records()]
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_that_is_not_whole_is_not_there(ending: str, tmp_path: Path) -> None:
    if ending == ".parquet":
        pytest.importorskip("duckdb", reason="DuckDB comes with the extra data")
    path = tmp_path / f"trades{ending}"
    with pytest.raises(UsageError, match="half"):
        half_written(path)
    assert [] == list(tmp_path.iterdir())
    path.write_text("mine")
    with pytest.raises(StoreError):
        written(path)
    assert "mine" == path.read_text()


def test_a_name_that_says_no_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.csv or \.parquet"):
        written(tmp_path / "trades.xlsx")


def test_parquet_of_other_things_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("duckdb", reason="DuckDB comes with the extra data")
    path = written(tmp_path / "trades.parquet")
    with pytest.raises(ConfigError, match="has no column long, short of positions"):
        book_file(path, RecordKind.POSITIONS, None)
    path = tmp_path / "text.parquet"
    path.write_text("a,b\n")
    with pytest.raises(ConfigError, match="is no Parquet"):
        book_file(path, TRADES, None)
    with pytest.raises(ConfigError, match="there is no file of trades"):
        book_file(tmp_path / "none.parquet", TRADES, None)


def test_without_duckdb_everything_plain_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what needs it says what to install, before a gateway is asked."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert Way.PLAIN is way_for(Way.AUTO, 10**9)
    with pytest.raises(ConfigError, match=r"install hkex-ops\[data\], or name a file"):
        written(tmp_path / "trades.parquet", [])
    sides = Book([], {}), Book([], {})
    with pytest.raises(ConfigError, match=r"install hkex-ops\[data\], or compare with --way plain"):
        reconcile(RULES, *sides, Comparison(DAY, way=Way.DUCKDB))
    assert 0 == reconcile(RULES, *sides, Comparison(DAY)).tally.breaks
