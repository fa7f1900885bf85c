"""Tables of records on the disk: CSV as this library writes it, or Parquet by DuckDB.

A table is there whole or not at all, and never in the place of another file. What a table needs is
asked for before a gateway is asked for anything.
"""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hkex_ops.clearing.columns import COLUMNS, ColumnType, names_of, spell_decimal, spell_instant
from hkex_ops.clearing.lines import Placed
from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.flows.clearing.spool import scratch_folder
from hkex_ops.flows.outputs import growing_file, write_new_file
from hkex_ops.model import RecordKind

__all__ = ["TABLE_ENDINGS", "read_parquet", "record_table", "require_table_ending"]

TABLE_ENDINGS = (".csv", ".parquet")

WRITTEN_BYTES = 1 << 16

MOST_PARQUET_DIGITS = 38
"""Digits that a decimal of Parquet has."""

FETCHED_ROWS = 10_000

_ALONE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Take = Callable[[Placed], None]


def require_table_ending(path: Path) -> None:
    """`UsageError` for a name that does not say in which form a table is to be written."""
    if path.suffix.lower() not in TABLE_ENDINGS:
        known = " or ".join(TABLE_ENDINGS)
        raise UsageError(f"{path.name} must end in {known}: that is its format")


@contextmanager
def record_table(path: Path, kind: RecordKind) -> Generator[Take]:
    """Takes records one by one; the table is at ``path`` when the body has ended well.

    Raises `UsageError` for an ending that says nothing, `ConfigError` where DuckDB is wanted and
    missing, and `StoreError` when something of that name is there.
    """
    require_table_ending(path)
    if path.suffix.lower() == ".csv":
        with growing_file(path) as write:
            table = _Csv(kind, write)
            yield table.add
            table.end()
        return
    duckdb = _duckdb("Parquet is written by DuckDB")
    if path.exists():
        raise StoreError("is there already: name a new file", path=str(path))
    with scratch_folder() as folder:
        rows, made = folder / "table.csv", folder / "table.parquet"
        with growing_file(rows) as write:
            table = _Csv(kind, write)
            yield table.add
            table.end()
        columns = {one.name: _type(one.type, table.decimals) for one in COLUMNS[kind]}
        try:
            with duckdb.connect(config=_ALONE) as connection:
                found = connection.read_csv(str(rows), header=True, columns=columns)
                found.write_parquet(str(made))
        except duckdb.Error as error:
            raise _failed("write", path, error) from error
        write_new_file(path, made.read_bytes())


class _Csv:
    """Rows of a table as CSV, written in pieces; knows how many decimals a number had at most."""

    def __init__(self, kind: RecordKind, write: Callable[[bytes], None]) -> None:
        self.decimals: int = 0
        self._write = write
        self._text = io.StringIO()
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(names_of(kind))
        self._numbers = [
            place for place, one in enumerate(COLUMNS[kind]) if one.type is ColumnType.DECIMAL
        ]

    def add(self, placed: Placed) -> None:
        """One record."""
        for place in self._numbers:
            _, _, decimals = placed.row[place].partition(".")
            self.decimals = max(self.decimals, len(decimals))
        self._rows.writerow(placed.row)
        if self._text.tell() > WRITTEN_BYTES:
            self.end()

    def end(self) -> None:
        """Write what was gathered."""
        self._write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


def _type(type_: ColumnType, decimals: int) -> str:
    match type_:
        case ColumnType.WHOLE:
            return "BIGINT"
        case ColumnType.DECIMAL:
            # As many decimals as there are: with fewer, DuckDB would round without a word.
            return f"DECIMAL({MOST_PARQUET_DIGITS},{min(decimals, MOST_PARQUET_DIGITS)})"
        case ColumnType.DATE:
            return "DATE"
        case ColumnType.INSTANT:
            return "TIMESTAMPTZ"
        case ColumnType.TEXT | ColumnType.SIDE:
            return "VARCHAR"


def read_parquet(path: Path, kind: RecordKind) -> tuple[tuple[str, ...], Generator[Placed]]:
    """The columns that a table has, and its records, each with the number of its row.

    Raises `ConfigError` for a file that is none of ``kind``, and where DuckDB is missing.
    """
    duckdb = _duckdb("Parquet is read by DuckDB")
    if not path.is_file():
        raise ConfigError(f"there is no file of {kind} at {path}: name one")
    try:
        with duckdb.connect(config=_ALONE) as connection:
            columns = connection.read_parquet(str(path)).columns
    except duckdb.Error as error:
        raise ConfigError(f"is no Parquet: {_one_line(error)}", document=str(path)) from None
    lacking = [one.name for one in COLUMNS[kind] if one.needed and one.name not in columns]
    if lacking:
        raise ConfigError(f"has no column {', '.join(lacking)} of {kind}", document=str(path))
    stated = tuple(name for name in names_of(kind) if name in columns)
    return stated, _parquet_rows(path, kind, stated, duckdb)


def _parquet_rows(
    path: Path, kind: RecordKind, stated: tuple[str, ...], duckdb: Any
) -> Generator[Placed]:
    wanted = ", ".join(
        "''"
        if one.name not in stated
        else f"epoch_us({one.name})"
        if one.type is ColumnType.INSTANT
        else f'"{one.name}"'
        for one in COLUMNS[kind]
    )
    types = [one.type for one in COLUMNS[kind]]
    number = 0
    try:
        with duckdb.connect(config=_ALONE) as connection:
            found = connection.execute(f"SELECT {wanted} FROM read_parquet(?)", [str(path)])
            while many := found.fetchmany(FETCHED_ROWS):
                for cells in many:
                    number += 1
                    row = tuple(map(_spelt, cells, types))
                    yield Placed(row, str(number))
    except duckdb.Error as error:
        raise _failed("read", path, error) from error


def _spelt(cell: Any, type_: ColumnType) -> str:
    if cell is None or cell == "":
        return ""
    if type_ is ColumnType.DECIMAL:
        return spell_decimal(cell)
    if type_ is ColumnType.INSTANT:
        return spell_instant(_EPOCH + timedelta(microseconds=int(cell)))
    return str(cell)


def _duckdb(what: str) -> Any:
    try:
        return importlib.import_module("duckdb")
    except ImportError:
        raise ConfigError(
            f"{what}, which is not installed: install hkex-ops[data], or name a file that ends in "
            ".csv"
        ) from None


def _failed(doing: str, path: Path, error: Exception) -> StoreError:
    return StoreError(f"DuckDB cannot {doing} Parquet: {_one_line(error)}", path=str(path))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
