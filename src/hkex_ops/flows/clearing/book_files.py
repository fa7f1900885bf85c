"""Files of records as one side of a comparison, whatever form they are in.

CSV is read as a mapping of columns says, or in this library's own form; Parquet as this library
writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

from attrs import frozen

from hkex_ops.clearing.columns import names_of
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.rules import MatchRules
from hkex_ops.config.record_files import fitted, read_records
from hkex_ops.config.record_forms import FileForm, load_file_forms
from hkex_ops.errors import ConfigError
from hkex_ops.flows.clearing.reconciling import Book
from hkex_ops.flows.clearing.spool import sha256_of
from hkex_ops.flows.clearing.tables import read_parquet
from hkex_ops.model import JsonObject, RecordKind

__all__ = ["BookFile", "book_file", "of_day"]


@frozen
class BookFile:
    """A file of records of one kind, ready to be read."""

    path: Path
    kind: RecordKind
    columns: tuple[str, ...]
    form: FileForm | None

    def records(self) -> Iterable[Placed]:
        """Its records; `ConfigError` tells what is wrong with it, at the latest at its end."""
        if self.form is None:
            return read_parquet(self.path, self.kind)[1]
        return read_records(self.path, self.form)

    def book(self, rules: MatchRules, day: date | None) -> Book:
        """The same as one side of a comparison, of ``day`` alone where one is stated."""
        told: JsonObject = {
            "from": "file",
            "file": str(self.path),
            "sha256": sha256_of(self.path),
            "business_date": None if day is None else day.isoformat(),
        }
        return Book(of_day(self.records(), rules, day), told)


def book_file(path: Path, kind: RecordKind, columns: Path | None) -> BookFile:
    """The file at ``path``, its columns as ``columns`` says; `ConfigError` where that has none."""
    if path.suffix.lower() == ".parquet":
        stated, rows = read_parquet(path, kind)
        rows.close()
        return BookFile(path, kind, stated, None)
    forms = load_file_forms(columns)
    if kind not in forms:
        raise ConfigError(f"maps no {kind}: write a table [{kind}]", document=str(columns))
    form = fitted(path, forms[kind])
    # The headings are looked at now, so that nobody is asked for the sake of a file that is none.
    with closing(read_records(path, form)) as records:
        next(records, None)
    return BookFile(path, kind, form.records.stated, form)


def of_day(records: Iterable[Placed], rules: MatchRules, day: date | None) -> Iterable[Placed]:
    """Only the records of business date ``day``; all of them where none is stated."""
    if day is None:
        return records
    place, text = names_of(rules.kind).index("business_date"), day.isoformat()
    return _only(records, place, text)


def _only(records: Iterable[Placed], place: int, text: str) -> Iterator[Placed]:
    for one in records:
        if one.row[place] == text:
            yield one
