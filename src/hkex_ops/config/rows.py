"""CSV files with checked columns: every fault at once, each with its line and its column.

One attrs class says what the columns are; a column that the class does not know, one that is
missing, a cell that spells nothing of its type and a row of another length are all told, and
nothing is read from a file with a fault. The first line names the columns, in any order and case.
Cells: exact decimals (``20500.00``), dates and ISO times as texts, words of an enumeration.
"""

from __future__ import annotations

import csv
import io
import types
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar, get_args, get_type_hints

import attrs
from attrs import AttrsInstance, frozen

from hkex_ops.config.structuring import nearest, read_text
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.model import HONG_KONG

__all__ = ["Row", "read_rows"]

A = TypeVar("A", bound=AttrsInstance)

Check = Callable[[A], Iterator[tuple[str, str]]]
"""What a row must hold beyond its types: gives (column, sentence) pairs."""

LONGEST_FILE_ROWS = 5_000_000
"""More rows than any day of one product class has; a file beyond it is taken for another's."""


@frozen
class Row(Generic[A]):
    """A value and the line of the file that it stands on, counted from 1."""

    line: int
    value: A


def read_rows(
    path: Path,
    kind: type[A],
    *,
    what: str,
    day: date | None = None,
    check: Check[A] | None = None,
    key: str = "",
) -> tuple[Row[A], ...]:
    """Every row of the CSV file ``path`` as a ``kind``.

    ``day`` completes a bare time of day; ``key`` names a column that no two rows may share.
    Raises `ConfigError` with every fault, its path written ``line 7, column price``.
    """
    text = read_text(path, what=what).removeprefix("\ufeff")
    try:
        lines = list(_lines(text))
    except csv.Error as error:
        raise ConfigError(f"is no CSV file: {error}", document=str(path)) from None
    if not lines:
        columns = ", ".join(_columns(kind))
        raise ConfigError(f"is empty: write the columns {columns}", document=str(path))
    reader = _Reader(kind, day)
    reader.head(*lines[0])
    for number, cells in lines[1:]:
        reader.row(number, cells, check)
    if key:
        reader.require_unique(key)
    if reader.faults:
        raise ConfigError(reader.faults, document=str(path))
    return tuple(reader.rows)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    rows = csv.reader(io.StringIO(text), strict=True)
    for count, cells in enumerate(rows):
        if count > LONGEST_FILE_ROWS:
            raise csv.Error(f"it has more than {LONGEST_FILE_ROWS} rows")
        if any(cell.strip() for cell in cells):
            yield rows.line_num, cells


def _columns(kind: type[AttrsInstance]) -> list[str]:
    return [one.name.rstrip("_") for one in attrs.fields(kind)]


class _Reader(Generic[A]):
    """The rows and the faults of one file."""

    def __init__(self, kind: type[A], day: date | None) -> None:
        self.rows: list[Row[A]] = []
        self.faults: list[Fault] = []
        self._kind = kind
        self._day = day
        self._types = get_type_hints(kind)
        self._fields = {one.name.rstrip("_"): one for one in attrs.fields(kind)}
        self._order: list[str] = []

    def head(self, line: int, cells: Sequence[str]) -> None:
        """The line that names the columns."""
        self._order = [cell.strip().casefold() for cell in cells]
        for place, name in enumerate(self._order):
            if name not in self._fields:
                sentence = f"unknown column; {nearest(name, list(self._fields))}"
                self._fault(line, name or f"number {place + 1}", sentence)
            elif self._order.index(name) != place:
                self._fault(line, name, "is there twice")
        for name, one in self._fields.items():
            if one.default is attrs.NOTHING and name not in self._order:
                self._fault(line, name, "is missing")

    def row(self, line: int, cells: Sequence[str], check: Check[A] | None) -> None:
        """One line of data; its value is kept where every cell is right."""
        if len(cells) != len(self._order):
            sentence = f"has {len(cells)} cells, and there are {len(self._order)} columns"
            self.faults.append(Fault(f"line {line}", sentence))
            return
        before = len(self.faults)
        values = {
            self._fields[name].name: value
            for name, cell in zip(self._order, cells, strict=True)
            if name in self._fields
            for value in self._cell(line, name, cell.strip())
        }
        if len(self.faults) > before or not self._complete(values):
            return
        value = self._kind(**values)
        for column, sentence in check(value) if check else ():
            self._fault(line, column, sentence)
        self.rows.append(Row(line, value))

    def require_unique(self, column: str) -> None:
        """Tell every row whose ``column`` an earlier one has already."""
        first: dict[object, int] = {}
        for row in self.rows:
            value = getattr(row.value, column)
            earlier = first.setdefault(value, row.line)
            if earlier != row.line:
                self._fault(row.line, column, f"{value} is on line {earlier} already")

    def _complete(self, values: dict[str, object]) -> bool:
        needed = {one.name for one in self._fields.values() if one.default is attrs.NOTHING}
        return needed <= values.keys()

    def _cell(self, line: int, name: str, text: str) -> Iterator[object]:
        """The value of one cell; nothing for an empty one that may be, or for a faulty one."""
        one = self._fields[name]
        if not text:
            if one.default is attrs.NOTHING:
                self._fault(line, name, "is empty")
            return
        try:
            yield _parsed(text, self._types[one.name], self._day)
        except ValueError as error:
            self._fault(line, name, str(error))

    def _fault(self, line: int, column: str, sentence: str) -> None:
        self.faults.append(Fault(f"line {line}, column {column}", sentence))


def _parsed(text: str, kind: object, day: date | None) -> object:
    """``text`` as a ``kind``; ValueError with a sentence where it spells none."""
    if isinstance(kind, types.UnionType):
        [kind] = [one for one in get_args(kind) if one is not type(None)]
    if kind is str:
        return text
    if kind is int:
        if not text.lstrip("+-").isdecimal():
            raise ValueError(f"{text!r} is no whole number")
        return int(text)
    if kind is Decimal:
        return _decimal(text)
    if kind is datetime:
        return _instant(text, day)
    if kind is date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no date; write it as 2010-01-22") from None
    assert isinstance(kind, type) and issubclass(kind, StrEnum), f"no cell spells a {kind}"
    words = [one.value for one in kind]
    known = {word.casefold(): word for word in words}
    if text.casefold() not in known:
        raise ValueError(f"unknown word {text!r}; {nearest(text, words)}")
    return kind(known[text.casefold()])


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number; write it as 20500.00") from None
    if not number.is_finite():
        raise ValueError(f"{text!r} is no number; write it as 20500.00")
    return number


def _instant(text: str, day: date | None) -> datetime:
    """An ISO time with its date, or a time of day that ``day`` completes; else Hong Kong's."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None and day is not None:
        try:
            at = datetime.combine(day, time.fromisoformat(text))
        except ValueError:
            at = None
    if at is None:
        raise ValueError(f"{text!r} is no time; write it as 2010-01-22T10:30:30")
    return at.replace(tzinfo=HONG_KONG) if at.tzinfo is None else at.astimezone(HONG_KONG)
