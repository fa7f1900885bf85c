"""A declared mapping: which heading of a file, or which field of an answer, is which column.

The clearing house's layouts are not public, and every back office writes files of its own; so
both are mapped by a file that the operator writes. :class:`RowReader` is such a mapping made ready
for one order of cells. A mapping that makes no sense is told column by column, before anything is
read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from attrs import Factory, frozen

from hkex_ops.clearing.cells import (
    DECIMALS_SIGN,
    MOST_DECIMALS,
    CellMemory,
    ColumnMapping,
    Spelling,
    Take,
    reader_of,
)
from hkex_ops.clearing.columns import COLUMNS, Column, ColumnType, Row, names_of
from hkex_ops.model import ClearingSide, RecordKind

__all__ = ["OWN_MAPPINGS", "RecordMapping", "RowReader", "mapping_faults"]


@frozen
class RecordMapping:
    """How records of one kind stand in one kind of source.

    ``keep`` names sources with the texts that a record has there; any other row is none of them,
    such as a trade that was cancelled.
    """

    kind: RecordKind
    columns: Mapping[str, ColumnMapping]
    spelling: Spelling = Factory(Spelling)
    keep: Mapping[str, tuple[str, ...]] = Factory(dict[str, tuple[str, ...]])

    @property
    def stated(self) -> tuple[str, ...]:
        """The columns that the source has, in the kind's order."""
        return tuple(name for name in names_of(self.kind) if name in self.columns)

    @property
    def sources(self) -> tuple[str, ...]:
        """Every heading or field that is read, each once."""
        every = [name for one in self.columns.values() for name in one.sources]
        every += [one.decimals_from for one in self.columns.values() if one.decimals_from]
        return tuple(dict.fromkeys((*every, *self.keep)))


OWN_MAPPINGS: Mapping[RecordKind, RecordMapping] = {
    kind: RecordMapping(kind, {name: ColumnMapping((name,)) for name in names_of(kind)})
    for kind in RecordKind
}
"""The files that this library writes: every column under its own name."""


class RowReader:
    """Reads rows of cells whose headings stand in a known order.

    ``headings`` must hold every source that the mapping names. Columns that are not mapped are
    blank.
    """

    def __init__(self, mapping: RecordMapping, headings: Sequence[str]) -> None:
        self._plan: list[tuple[Callable[[Sequence[str]], str], CellMemory]] = []
        self._names: list[str] = []
        for column in COLUMNS[mapping.kind]:
            one = mapping.columns.get(column.name)
            self._plan.append(_step(column, one, mapping.spelling, headings))
            self._names.append(" and ".join(one.sources) if one and one.sources else column.name)

        self._keep = [(headings.index(name), set(texts)) for name, texts in mapping.keep.items()]

    def keeps(self, cells: Sequence[str]) -> bool:
        """Whether the row is one of the records that are wanted."""
        return all(cells[place].strip() in texts for place, texts in self._keep)

    def read(self, cells: Sequence[str]) -> Row:
        """The row that ``cells`` spell; ValueError when one of them spells nothing.

        :meth:`faults` then says which, and why.
        """
        return tuple([memory[get(cells)] for get, memory in self._plan])

    def faults(self, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Every cell that spells nothing, once: its heading, and the end of a sentence about it."""
        told: set[tuple[str, str]] = set()
        for (get, memory), name in zip(self._plan, self._names, strict=True):
            try:
                memory[get(cells)]
            except ValueError as error:
                fault = name, str(error)
                if fault not in told:
                    told.add(fault)
                    yield fault


def _step(
    column: Column, mapping: ColumnMapping | None, spelling: Spelling, headings: Sequence[str]
) -> tuple[Callable[[Sequence[str]], str], CellMemory]:
    """How the raw text of a column is got out of the cells, and what reads it."""
    if mapping is None:
        return _blank, CellMemory(lambda _: "")
    if mapping.constant is not None:
        # A constant is the operator's word and no cell: it is written in the canonical spelling.
        read = reader_of(column, ColumnMapping(), Spelling())
        value = read(mapping.constant) if mapping.constant else ""
        return _blank, CellMemory(lambda _: value)
    memory = CellMemory(reader_of(column, mapping, spelling))
    places = [headings.index(one) for one in mapping.sources]
    if mapping.decimals_from:
        number, decimals = itemgetter(places[0]), itemgetter(headings.index(mapping.decimals_from))
        return lambda cells: f"{number(cells)}{DECIMALS_SIGN}{decimals(cells)}", memory
    if len(places) == 1:
        return itemgetter(places[0]), memory

    def joined(cells: Sequence[str]) -> str:
        parts = [text for place in places if (text := cells[place].strip())]
        return mapping.join.join(parts)

    return joined, memory


def _blank(_: Sequence[str]) -> str:
    return ""


def mapping_faults(mapping: RecordMapping) -> Iterator[tuple[str, str]]:
    """What is wrong with a mapping: pairs of a path below it and a sentence."""
    yield from _spelling_faults(mapping.spelling)
    known = {one.name: one for one in COLUMNS[mapping.kind]}
    for name, one in mapping.columns.items():
        if name in known:
            for key, sentence in _column_faults(known[name], one):
                yield f"columns.{name}{key}", sentence
        else:
            yield f"columns.{name}", f"unknown column; {mapping.kind} have {', '.join(known)}"
    for name, texts in mapping.keep.items():
        if not texts:
            yield f"keep.{name}", "names no text: no record would ever be kept"
    for name, column in known.items():
        if column.needed and name not in mapping.columns:
            yield f"columns.{name}", "is missing: say where it stands, or give a constant"


def _spelling_faults(spelling: Spelling) -> Iterator[tuple[str, str]]:
    for key, sign in (("decimal_point", spelling.decimal_point), ("thousands", spelling.thousands)):
        if len(sign) > 1 or (sign and (sign.isalnum() or sign in "+-")):
            yield key, f"{sign!r} must be one sign"
    if not spelling.decimal_point:
        yield "decimal_point", "must be one sign"
    elif spelling.decimal_point == spelling.thousands:
        yield "thousands", "is the decimal point too: a number would mean two things"
    yield from _format_faults("date_format", spelling.date_format)
    yield from _format_faults("time_format", spelling.time_format)


def _column_faults(column: Column, mapping: ColumnMapping) -> Iterator[tuple[str, str]]:
    numbers = (ColumnType.WHOLE, ColumnType.DECIMAL)
    if mapping.constant is not None and mapping.sources:
        yield "", "has both a constant and a place: give one of them"
    elif mapping.constant is None and not mapping.sources:
        yield "", "says neither where it stands (from) nor what it always is (constant)"
    elif mapping.constant is not None:
        yield from _constant_faults(column, mapping.constant)
    if mapping.decimals and column.type not in numbers:
        yield ".decimals", f"is for numbers, and {column.name} is a {column.type}"
    if not 0 <= mapping.decimals <= MOST_DECIMALS:
        yield ".decimals", f"must be from 0 to {MOST_DECIMALS}"
    if mapping.decimals_from and (mapping.decimals or len(mapping.sources) != 1):
        yield ".decimals_from", "goes with one number, and with no decimals stated beside it"
    elif mapping.decimals_from and column.type not in numbers:
        yield ".decimals_from", f"is for numbers, and {column.name} is a {column.type}"
    if mapping.take is Take.SIGN and column.type is not ColumnType.SIDE:
        yield ".take", "the sign tells a side, and is for that column"
    elif mapping.take not in (None, Take.SIGN) and column.type not in numbers:
        yield ".take", f"is for numbers, and {column.name} is a {column.type}"
    if mapping.format and column.type not in (ColumnType.DATE, ColumnType.INSTANT):
        yield ".format", f"is for dates and times, and {column.name} is a {column.type}"
    yield from _format_faults(".format", mapping.format)
    if column.type is ColumnType.SIDE:
        sides = [one.value for one in ClearingSide]
        for word, side in mapping.words.items():
            if side not in sides:
                yield f".words.{word}", f"{side!r} is no side; it is buy or sell"
    elif mapping.words and column.type is not ColumnType.TEXT:
        yield ".words", f"are for texts and sides, and {column.name} is a {column.type}"


def _constant_faults(column: Column, constant: str) -> Iterator[tuple[str, str]]:
    try:
        if constant:
            reader_of(column, ColumnMapping(), Spelling())(constant)
    except ValueError as error:
        yield ".constant", str(error)


def _format_faults(path: str, pattern: str) -> Iterator[tuple[str, str]]:
    if not pattern:
        return
    sample = datetime(2019, 5, 3, 13, 14, 15, 16)  # noqa: DTZ001 - only to try the pattern
    try:
        read = datetime.strptime(sample.strftime(pattern), pattern)  # noqa: DTZ007
    except ValueError:
        yield path, f"{pattern!r} is no format of dates and times, such as %d/%m/%Y %H:%M:%S"
        return
    if read.date() != sample.date():
        yield path, f"{pattern!r} does not tell the day, the month and the year"
