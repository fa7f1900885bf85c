"""Rows as lines that sort as their keys do: what is spooled, sorted, merged and joined.

A line is the key, what must agree, and the rest with the place the row came from; three parts
between two control characters that no cell can hold. Sorting lines as texts therefore brings
equal keys together, whoever sorts: a list, a merge of files, or a database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from operator import itemgetter
from typing import NamedTuple, TypeAlias, cast

from hkex_ops.clearing.columns import COLUMNS, ColumnType, Row, names_of
from hkex_ops.clearing.rules import MatchRules

__all__ = ["CELL", "PART", "LineForm", "Placed"]

PART = "\x1e"
"""Between the parts of a line. Less than `CELL`, and both less than whatever a cell holds."""

CELL = "\x1f"
"""Between the cells of a part."""

WIDTH = 20
"""Digits to which whole numbers of a key are filled up, so that 9 sorts before 10."""

Get: TypeAlias = Callable[[Sequence[str]], tuple[str, ...]]


class Placed(NamedTuple):
    """A row and where it stood: a line of a file, or a page and an item of an answer."""

    row: Row
    place: str


class LineForm:
    """How the rows of one comparison are written as lines, and read back."""

    def __init__(self, rules: MatchRules) -> None:
        names = names_of(rules.kind)
        rest = [name for name in names if name not in (*rules.key, *rules.compare)]
        types = {one.name: one.type for one in COLUMNS[rules.kind]}
        self._count = len(names)
        self._key = _getter([names.index(name) for name in rules.key])
        self._compared = _getter([names.index(name) for name in rules.compare])
        self._rest = _getter([names.index(name) for name in rest] + [self._count])
        self._filled = [
            place for place, name in enumerate(rules.key) if types[name] is ColumnType.WHOLE
        ]
        order = (*rules.key, *rules.compare, *rest)
        # A key may be all there is: an empty part is one empty cell.
        self._lacks_compared = not rules.compare
        self._places = [order.index(name) for name in names]
        self._late = rules.key.index(rules.late_by) if rules.late_by else -1

    def line(self, row: Row, place: str) -> str:
        """The line of a row that stood at ``place``."""
        cells = (*row, place)
        key = self._key(cells)
        if self._filled:
            filled = list(key)
            for one in self._filled:
                # A blank one is not nought, and sorts before every number.
                filled[one] = key[one] and key[one].zfill(WIDTH)
            key = tuple(filled)
        parts = (CELL.join(key), CELL.join(self._compared(cells)), CELL.join(self._rest(cells)))
        return PART.join(parts) + "\n"

    def placed(self, line: str) -> Placed:
        """The row and the place that a line was made of."""
        key, compared, rest = line[:-1].split(PART)
        cells = key.split(CELL)
        for one in self._filled:
            if cells[one]:
                cells[one] = str(int(cells[one]))
        if not self._lacks_compared:
            cells += compared.split(CELL)
        cells += rest.split(CELL)
        return Placed(tuple([cells[one] for one in self._places]), cells[self._count])

    def late_line(self, line: str, side: str) -> str:
        """A line of what is missing, sorted by the key without its date, then by that date."""
        key = line.partition(PART)[0].split(CELL)
        day = key.pop(self._late)
        return PART.join((CELL.join(key), day, side, line))

    @staticmethod
    def from_late(late: str) -> tuple[str, date, str, str]:
        """The key without its date, the date, the side and the line that a late line holds."""
        key, day, side, line = late.split(PART, 3)
        return key, date.fromisoformat(day), side, line


def _getter(places: Sequence[int]) -> Get:
    """Gets several cells as a tuple, however many they are."""
    if not places:
        return lambda cells: ()
    if len(places) == 1:
        [one] = places
        return lambda cells: (cells[one],)
    return cast("Get", itemgetter(*places))
