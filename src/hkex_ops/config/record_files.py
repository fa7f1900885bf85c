"""Files of clearing records, read line by line as their mapping says: a million rows are no list.

A row that cannot be read is told with its line and its column, and reading goes on so that every
fault is told at once; whoever reads to the end then gets the complaint and no end. So nothing may
be concluded from the rows before the last one has come.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from attrs import evolve

from hkex_ops.clearing.answers import MOST_FAULTS
from hkex_ops.clearing.columns import COLUMNS
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.mapping import OWN_MAPPINGS, RowReader
from hkex_ops.config.record_forms import FileForm
from hkex_ops.config.rows import LONGEST_FILE_ROWS
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import ConfigError, Fault

__all__ = ["fitted", "read_records"]


def fitted(path: Path, form: FileForm) -> FileForm:
    """The form without the columns that this file lacks and that a record need not have.

    Only for files in this library's own form: whoever maps a column says that it is there. Raises
    `ConfigError` for a file that cannot be opened.
    """
    with _opened(path, form, str(path)) as file:
        if form != FileForm(OWN_MAPPINGS[form.records.kind]):
            return form
        head = next(csv.reader(file), list[str]())
    found = {cell.strip().casefold() for cell in head}
    needed = {one.name for one in COLUMNS[form.records.kind] if one.needed}
    columns = {
        name: one
        for name, one in form.records.columns.items()
        if name in needed or name.casefold() in found
    }
    return evolve(form, records=evolve(form.records, columns=columns))


def read_records(path: Path, form: FileForm) -> Generator[Placed]:
    """Every record of the file, each with the line it stands on.

    Raises `ConfigError`: at once for a file that cannot be read or that lacks a column, and at the
    end for rows that are none, each with line and column; only the first `MOST_FAULTS` are told.
    """
    with _opened(path, form, str(path)) as file:
        yield from _records(file, form, str(path))


@contextmanager
def _opened(path: Path, form: FileForm, name: str) -> Generator[TextIO]:
    # A mark at the beginning is how some programs say that a file is UTF-8.
    encoding = "utf-8-sig" if form.encoding.replace("_", "-").lower() == "utf-8" else form.encoding
    try:
        with path.open(encoding=encoding, newline="") as file:
            yield file
    except FileNotFoundError:
        raise ConfigError(f"there is no file of {form.records.kind} at {path}: name one") from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder, and records are read from a file") from None
    except UnicodeError as error:
        raise ConfigError(f"is not {form.encoding}: {error}", document=name) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error}", document=name) from error
    except csv.Error as error:
        raise ConfigError(f"is no CSV file: {error}", document=name) from None


def _records(file: TextIO, form: FileForm, name: str) -> Iterator[Placed]:
    for _ in range(form.skip_lines):
        file.readline()
    rows = csv.reader(file, delimiter=form.delimiter, quotechar=form.quote, strict=True)
    reading = _Reading(form, name, lambda: rows.line_num + form.skip_lines)
    try:
        head = next((cells for cells in rows if any(cells)), None)
        reader, width = reading.begin(head), len(head or ())
        read, tell, picky = reader.read, reading.line, bool(form.records.keep)
        for cells in rows:
            if len(cells) != width:
                reading.other_length(cells)
                continue
            if picky and not reader.keeps(cells):
                continue
            try:
                row = read(cells)
            except ValueError:
                reading.unreadable(reader, cells)
                continue
            yield Placed(row, str(tell()))
            reading.count += 1
            if reading.count > LONGEST_FILE_ROWS:
                raise ConfigError(f"has more than {LONGEST_FILE_ROWS} rows", document=name)
    except csv.Error as error:
        where = Fault(f"line {reading.line()}", f"is no line of a CSV file: {error}")
        raise ConfigError([*reading.faults, where], document=name) from None
    reading.end()


class _Reading:
    """The faults of one file, and how far it was read."""

    def __init__(self, form: FileForm, name: str, line: Callable[[], int]) -> None:
        self.faults: list[Fault] = []
        self.count: int = 0
        self.line = line
        self._form = form
        self._name = name

    def begin(self, head: Sequence[str] | None) -> RowReader:
        """The line that names the columns; `ConfigError` when one that is wanted is not there."""
        wanted = self._form.records.sources
        if head is None:
            columns = self._form.delimiter.join(wanted)
            raise ConfigError(f"is empty: its first line must be {columns}", document=self._name)
        found = [cell.strip().casefold() for cell in head]
        order = list(head)
        for name in wanted:
            places = [place for place, cell in enumerate(found) if cell == name.casefold()]
            where = f"line {self.line()}, column {name}"
            if not places:
                hint = nearest(name, [cell.strip() for cell in head])
                self.faults.append(Fault(where, f"is missing; {hint}"))
            elif len(places) > 1:
                self.faults.append(Fault(where, "is there twice"))
            elif places:
                order[places[0]] = name
        if self.faults:
            raise ConfigError(self.faults, document=self._name)
        return RowReader(self._form.records, order)

    def other_length(self, cells: Sequence[str]) -> None:
        """A row that has not the cells of the first line; a blank line is none."""
        if any(cell.strip() for cell in cells):
            self._tell(Fault(f"line {self.line()}", f"has {len(cells)} cells, not as the first"))

    def unreadable(self, reader: RowReader, cells: Sequence[str]) -> None:
        """A row with cells that spell nothing; one without anything in it is none."""
        if not any(cell.strip() for cell in cells):
            return
        for column, sentence in reader.faults(cells):
            self._tell(Fault(f"line {self.line()}, column {column}", sentence))

    def end(self) -> None:
        """The file is read; `ConfigError` when anything in it was wrong."""
        if self.faults:
            raise ConfigError(self.faults, document=self._name)

    def _tell(self, fault: Fault) -> None:
        self.faults.append(fault)
        if len(self.faults) >= MOST_FAULTS:
            self.faults.append(
                Fault("", f"the first {MOST_FAULTS} faults are told; look no further")
            )
            self.end()
