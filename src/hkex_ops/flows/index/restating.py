"""A restatement as files: CSV, JSON lines or Parquet by the ending of the name, and the page.

All of them are written whole or none is, and none over another. JSON lines are ticks as everywhere
else, so that ``--ticks`` and ``--shown`` read them again; what was shown stands beside them.
Parquet is made from the CSV by DuckDB, with exact decimals and times with their zone: it is one
package without others, typed and kept, where pyarrow is twice its size and has no types.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from attrs import frozen

from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.flows.outputs import new_file
from hkex_ops.index.restatement import Restatement, SideBySide
from hkex_ops.model import IndexStatus, IndexTick, JsonObject, TickKind, tick_document
from hkex_ops.render.chart import ChartEvent, Level, Shade
from hkex_ops.render.index_page import IndexPage, index_page

__all__ = ["ENDINGS", "PageWords", "page_of", "side_by_side", "write_restatement"]

_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "index": "VARCHAR",
        "time": "TIMESTAMPTZ",
        "value": "DECIMAL(18,4)",
        "high": "DECIMAL(18,4)",
        "low": "DECIMAL(18,4)",
        "kind": "VARCHAR",
        "published": "DECIMAL(18,4)",
        "contingency": "DECIMAL(18,4)",
        "difference": "DECIMAL(18,4)",
    }
)
"""Columns of the table, and the type of each in Parquet."""

# Everything that DuckDB needs is in it: it must not look for more of itself, here or elsewhere.
_ALONE = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "threads": "1",
}

_AROUND = 2  # how much of what was shown the page has, in lengths of the stretch to either side
_LEAST_AROUND = timedelta(minutes=5)


def side_by_side(found: Restatement) -> Iterator[tuple[IndexTick, SideBySide]]:
    """Every recalculated tick with its row."""
    return zip(found.ticks, found.rows, strict=True)


# -- files ---------------------------------------------------------------------------------------


def write_restatement(found: Restatement, out: Sequence[Path], pages: Mapping[Path, str]) -> None:
    """Write ``found`` to every file of ``out``, and ``pages`` beside them; all of them or none.

    Raises `UsageError` for an ending that is unknown, `ConfigError` where a library is missing, and
    `StoreError` for a name that is taken or a disk that is full.
    """
    made = [(path, _maker(path)(found)) for path in out]
    made += [(path, text.encode()) for path, text in pages.items()]
    names = [path.absolute() for path, _ in made]
    for path in names:
        if names.count(path) > 1:
            raise UsageError(f"{path.name} is named twice: give every file a name of its own")
    with ExitStack() as stack:
        for path, data in made:
            stack.enter_context(new_file(path, data))


def _maker(path: Path) -> Callable[[Restatement], bytes]:
    maker = ENDINGS.get(path.suffix.lower())
    if maker is None:
        raise UsageError(f"{path.name} must end in one of {', '.join(ENDINGS)}: that is its format")
    return maker


def _csv(found: Restatement) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    # Many indexes share a moment, and to spell one takes longer than all the rest of a row.
    spelt = {tick.at: tick.at.isoformat() for tick in found.ticks}
    rows.writerow(_COLUMNS)
    rows.writerows(
        (
            tick.index,
            spelt[tick.at],
            tick.value,
            tick.high,
            tick.low,
            tick.kind.value,
            row.published,
            row.contingency,
            row.difference,
        )
        for tick, row in side_by_side(found)
    )
    return text.getvalue().encode()


def _json_lines(found: Restatement) -> bytes:
    return "".join(
        json.dumps({**tick_document(tick), **_shown(row)}, separators=(",", ":")) + "\n"
        for tick, row in side_by_side(found)
    ).encode()


def _shown(row: SideBySide) -> JsonObject:
    return {
        "published": _text(row.published),
        "contingency": _text(row.contingency),
        "difference": _text(row.difference),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _parquet(found: Restatement) -> bytes:
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        raise ConfigError(
            "Parquet is written by DuckDB, which is not installed: install hkex-ops[data], or name "
            "a file that ends in .csv or .jsonl"
        ) from None
    with TemporaryDirectory(prefix="hkex-ops-") as folder:
        table, made = Path(folder, "table.csv"), Path(folder, "table.parquet")
        table.write_bytes(_csv(found))
        try:
            with duckdb.connect(config=_ALONE) as connection:
                rows = connection.read_csv(str(table), header=True, columns=dict(_COLUMNS))
                rows.write_parquet(str(made))
        except duckdb.Error as error:
            reason = f"DuckDB cannot write Parquet: {' '.join(str(error).split())}"
            raise StoreError(reason, path=folder) from error
        return made.read_bytes()


ENDINGS: Mapping[str, Callable[[Restatement], bytes]] = MappingProxyType(
    {".csv": _csv, ".jsonl": _json_lines, ".parquet": _parquet}
)
"""What makes the file, by the ending of its name."""


# -- the page ------------------------------------------------------------------------------------


@frozen
class PageWords:
    """What the page says beside the figures."""

    title: str
    notice: str
    levels: tuple[Level, ...] = ()
    events: tuple[ChartEvent, ...] = ()


def page_of(found: Restatement, index: str, shown: Iterable[IndexTick], words: PageWords) -> str:
    """The page of one index: what was shown around the stretch, and what should have been."""
    ticks = tuple(one for one in found.ticks if one.index == index)
    rows = tuple(one for one in found.rows if one.index == index)
    around = max((found.until - found.start) * _AROUND, _LEAST_AROUND)
    begin, end = found.start - around, found.until + around
    beside = [
        one
        for one in shown
        if one.index == index
        and begin <= one.at <= end
        and one.kind is not TickKind.RECALCULATED
        and one.status is IndexStatus.REAL_TIME
    ]
    return index_page(
        IndexPage(
            title=words.title,
            index=index,
            notice=words.notice,
            ticks=(*beside, *ticks),
            rows=rows,
            extremes=tuple(one for one in found.extremes if one.index == index),
            shades=tuple(_shades(rows)) if beside else (),
            levels=words.levels,
            events=tuple(one for one in words.events if begin <= one.at <= end),
        )
    )


def _shades(rows: Sequence[SideBySide]) -> Iterator[Shade]:
    """The stretches in which nothing was published."""
    begin: datetime | None = None
    last: datetime | None = None
    for row in rows:
        if row.published is None:
            begin, last = begin or row.at, row.at
        elif begin is not None and last is not None:
            yield Shade(begin, last, "not published")
            begin = None
    if begin is not None and last is not None:
        yield Shade(begin, last, "not published")
