"""Two ways to bring equal keys of two books together; what they mean is judged elsewhere.

The plain way sorts both sides and walks along them. DuckDB (extra ``data``) joins them and hands
over only the keys whose records do not agree to the letter. No number is computed in either way:
lines are texts, so both give the same groups, and the same judgement follows.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from attrs import frozen

from hkex_ops.clearing.lines import PART
from hkex_ops.clearing.matching import Group, merged_groups
from hkex_ops.errors import ConfigError, StoreError
from hkex_ops.flows.clearing.spool import sorted_lines, written_lines

__all__ = ["JOINS", "MANY_ROWS", "Joined", "Way", "join_plainly", "join_with_duckdb", "way_for"]

MANY_ROWS = 300_000
"""Rows of both sides beyond which DuckDB is used where it is there: below it nobody waits."""

MEMORY_LIMIT = "768MB"
"""What DuckDB may hold; beyond it, it goes on in the folder of temporary files."""

FETCHED_ROWS = 10_000

Groups: TypeAlias = Iterator[Group]


class Way(StrEnum):
    """How equal keys are brought together."""

    AUTO = "auto"
    PLAIN = "plain"
    DUCKDB = "duckdb"


@frozen
class Joined:
    """Groups of lines with one key; ``agreeing`` records were found equal and are left out."""

    groups: Groups
    agreeing: int = 0


def way_for(way: Way, rows: int) -> Way:
    """The way to go for so many rows; DuckDB by itself only where it is worth it and is there."""
    if way is not Way.AUTO:
        return way
    there = importlib.util.find_spec("duckdb") is not None
    return Way.DUCKDB if there and rows > MANY_ROWS else Way.PLAIN


def join_plainly(ours: Path, theirs: Path, folder: Path) -> Joined:
    """Sort both sides and walk along them."""
    left = sorted_lines(written_lines(ours), folder, "ours")
    right = sorted_lines(written_lines(theirs), folder, "theirs")
    return Joined(merged_groups(left, right))


def join_with_duckdb(ours: Path, theirs: Path, folder: Path) -> Joined:
    """Join both sides in DuckDB; groups that agree to the letter are counted there.

    Raises `ConfigError` when it is not installed.
    """
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        raise ConfigError(
            "DuckDB is not installed: install hkex-ops[data], or compare with --way plain"
        ) from None
    try:
        connection = duckdb.connect(config=_config(folder))
        for name, path in (("ours", ours), ("theirs", theirs)):
            connection.execute(_LOAD.format(name=name), [str(path)])
        connection.execute(_BREAKING)
        agreeing = connection.execute(_AGREEING).fetchone()[0]
    except duckdb.Error as error:
        raise _failed(error, folder) from error
    return Joined(_groups(connection, duckdb.Error, folder), int(agreeing))


def _config(folder: Path) -> dict[str, Any]:
    return {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(folder / "duckdb"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }


# Cells are texts and nothing else: nothing is quoted, and a blank part is no NULL.
_LOAD = (
    "CREATE TABLE {name} AS SELECT coalesce(key, '') AS key, coalesce(agree, '') AS agree, "
    f"coalesce(rest, '') AS rest FROM read_csv(?, delim='{PART}', header=false, quote='', "
    "escape='', new_line='\\n', auto_detect=false, strict_mode=true, columns="
    "{{'key': 'VARCHAR', 'agree': 'VARCHAR', 'rest': 'VARCHAR'}})"
)
_BREAKING = """
CREATE TABLE breaking AS SELECT key FROM
  (SELECT key, count(*) AS count, min(agree) AS agree FROM ours GROUP BY key) AS here
  FULL JOIN
  (SELECT key, count(*) AS count, min(agree) AS agree FROM theirs GROUP BY key) AS there
  USING (key)
  WHERE here.count IS DISTINCT FROM 1 OR there.count IS DISTINCT FROM 1
    OR here.agree IS DISTINCT FROM there.agree
"""
_AGREEING = """
SELECT count(*) FROM ours WHERE key NOT IN (SELECT key FROM breaking)
"""
_LINES = """
SELECT key, side, agree, rest FROM (
  SELECT key, 0 AS side, agree, rest FROM ours SEMI JOIN breaking USING (key)
  UNION ALL
  SELECT key, 1 AS side, agree, rest FROM theirs SEMI JOIN breaking USING (key)
) ORDER BY key, side, agree, rest
"""

_Line: TypeAlias = tuple[str, int, str, str]


def _groups(connection: Any, failure: type[Exception], folder: Path) -> Groups:
    try:
        cursor = connection.execute(_LINES)

        def rows() -> Iterator[_Line]:
            while many := cursor.fetchmany(FETCHED_ROWS):
                yield from many

        for _, group in groupby(rows(), key=itemgetter(0)):
            sides: tuple[list[str], list[str]] = ([], [])
            for key, side, agree, rest in group:
                sides[side].append(f"{key}{PART}{agree}{PART}{rest}\n")
            yield sides
    except failure as error:
        raise _failed(error, folder) from error
    finally:
        connection.close()


def _failed(error: Exception, folder: Path) -> StoreError:
    return StoreError(
        f"DuckDB cannot compare: {' '.join(str(error).split())}; the plain way needs no DuckDB "
        "(--way plain)",
        path=str(folder),
    )


JOINS: dict[Way, Callable[[Path, Path, Path], Joined]] = {
    Way.PLAIN: join_plainly,
    Way.DUCKDB: join_with_duckdb,
}
"""The ways there are."""
