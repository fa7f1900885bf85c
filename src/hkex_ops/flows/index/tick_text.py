"""Recalculated ticks spelt in bulk: as lines of JSON, each the same that ``format_tick`` gives, and
as rows of CSV.

A day has half a million ticks, and a value of the model for each would take longer than computing
them. All ticks of one moment are spelt together.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from hkex_ops.errors import UsageError
from hkex_ops.index.ticks import TickComputed, moment_of
from hkex_ops.model import TICK_VERSION, IndexStatus, TickKind

__all__ = ["TICK_ENDINGS", "SpellMoment", "csv_header", "csv_moment", "json_moment", "spelling_of"]

SpellMoment: TypeAlias = Callable[[Sequence[TickComputed], int], str]
"""Ticks of one moment, and how many decimals a value has, to lines with their ends."""

_COLUMNS = (
    "index",
    "time",
    "value",
    "high",
    "low",
    "status",
    "opening",
    "closing",
    "previous_close",
    "stale",
)


def json_moment(ticks: Sequence[TickComputed], decimals: int) -> str:
    """One line of JSON for every tick."""
    if not ticks:
        return ""
    at = moment_of(ticks[0].time_ns).isoformat()
    head, middle, tail = (
        f'{{"version":{TICK_VERSION},"index":"',
        f'","at":"{at}","value":',
        ',"engine":"","site":null}\n',
    )
    scale = 10**decimals
    lines: list[str] = []
    for index, _, *figures, status, stale, _, opening, closing, previous in ticks:
        value, high, low, first, last, before = (
            "null" if units is None else f'"{_points(units, scale, decimals)}"'
            for units in (*figures, opening, closing, previous)
        )
        marked = ",".join(map(str, stale))
        lines.append(
            f'{head}{index}{middle}{value},"high":{high},"low":{low},{_STATUS[status]}'
            f'"opening":{first},"closing":{last},"previous_close":{before},"stale":[{marked}]{tail}'
        )
    return "".join(lines)


def csv_header() -> str:
    """The first line of a table."""
    return ",".join(_COLUMNS) + "\n"


def csv_moment(ticks: Sequence[TickComputed], decimals: int) -> str:
    """One row of a table for every tick; the stocks that make it doubtful have spaces between."""
    if not ticks:
        return ""
    text = io.StringIO()
    at = moment_of(ticks[0].time_ns).isoformat()
    scale = 10**decimals
    rows = csv.writer(text, lineterminator="\n")
    for index, _, *figures, status, stale, _, opening, closing, previous in ticks:
        value, high, low, first, last, before = (
            "" if units is None else _points(units, scale, decimals)
            for units in (*figures, opening, closing, previous)
        )
        marked = " ".join(map(str, stale))
        rows.writerow((index, at, value, high, low, status.value, first, last, before, marked))
    return text.getvalue()


_STATUS = {
    status: f'"status":"{status.value}","kind":"{TickKind.RECALCULATED.value}",'
    for status in IndexStatus
}


def _points(units: int, scale: int, decimals: int) -> str:
    whole, part = divmod(abs(units), scale)
    sign = "-" if units < 0 else ""
    return f"{sign}{whole}.{part:0{decimals}}" if decimals else f"{sign}{whole}"


TICK_ENDINGS: Mapping[str, tuple[str, SpellMoment]] = MappingProxyType(
    {
        ".csv": (csv_header(), csv_moment),
        ".jsonl": ("", json_moment),
        ".ndjson": ("", json_moment),
    }
)
"""What a file of ticks begins with and how it is spelt, by the ending of its name."""


def spelling_of(path: Path) -> tuple[str, SpellMoment]:
    """How the file at ``path`` is spelt; `UsageError` for an ending that says nothing."""
    spelling = TICK_ENDINGS.get(path.suffix.lower())
    if spelling is None:
        known = ", ".join(TICK_ENDINGS)
        raise UsageError(f"{path.name} must end in one of {known}: that is its format")
    return spelling
