"""Answers of a gateway as rows: which enquiries are put, and which field is which column.

The layouts of the clearing house are not public and belong to the licensee, so everything that
names a field is declared by the operator. A field that an answer does not have, and one whose value
spells nothing of its column, are told by name with the page and the item: nothing is left out
quietly, since an incomplete answer must never look like a complete one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from attrs import frozen

from hkex_ops.clearing.columns import COLUMNS, ColumnType
from hkex_ops.clearing.lines import Placed
from hkex_ops.clearing.mapping import RecordMapping, RowReader
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.model import Enquiry, EnquiryPage, Fields, FieldValue

__all__ = ["MOST_FAULTS", "AnswerMapping", "AnswerReader", "ForEach", "enquiries_for"]

MOST_FAULTS = 100
"""Faults of one source that are told; what is wrong with a hundred is wrong with the mapping."""

_NO_PARAMETERS: Mapping[str, FieldValue] = MappingProxyType({})


@frozen
class ForEach:
    """The enquiry is put once for every item of another one's answer, such as for each group.

    ``parameters`` are fields of the enquiry, each with the field of the item that it is taken of.
    """

    enquiry: str
    parameters: Mapping[str, str]
    answer: str = ""


@frozen
class AnswerMapping:
    """One enquiry whose answer holds records of one kind, and how they stand in it.

    A text in ``parameters`` may hold ``{business_date}`` and ``{since}``, with a format as
    ``{business_date:%Y%m%d}``. Where an ``answer`` is stated, any other one is refused.
    """

    enquiry: str
    records: RecordMapping
    answer: str = ""
    parameters: Mapping[str, FieldValue] = _NO_PARAMETERS
    for_each: ForEach | None = None


def enquiries_for(
    mapping: AnswerMapping,
    business_date: date,
    items: Sequence[Fields] | None = None,
    since: date | None = None,
) -> Iterator[Enquiry]:
    """The enquiries to put for ``business_date``; ``items`` are those it is put for each of.

    ``since`` is the first date of a stretch, where one is asked about; else the same date.
    """
    days = {"business_date": business_date, "since": since or business_date}
    stated = {
        name: value.format(**days) if isinstance(value, str) else value
        for name, value in mapping.parameters.items()
    }
    if mapping.for_each is None:
        yield Enquiry(mapping.enquiry, stated)
        return
    for place, item in enumerate(items or (), start=1):
        absent = [one for one in mapping.for_each.parameters.values() if one not in item]
        if absent:
            asked = mapping.for_each.enquiry
            raise ConfigError(
                f"item {place} of the answer to {asked} has no field {', '.join(absent)}; it has "
                f"{', '.join(item)}"
            )
        taken = {name: item[one] for name, one in mapping.for_each.parameters.items()}
        yield Enquiry(mapping.enquiry, {**stated, **taken})


class AnswerReader:
    """Reads the pages of the answers to one mapping's enquiries."""

    def __init__(self, mapping: AnswerMapping) -> None:
        self._mapping = mapping
        self._sources = mapping.records.sources
        self._reader = RowReader(mapping.records, self._sources)
        self._formats = _date_formats(mapping.records)

    def rows(self, page: EnquiryPage) -> tuple[Placed, ...]:
        """The rows of a page; `ConfigError` names every field that is absent or unreadable."""
        wanted = self._mapping.answer
        if wanted and page.answer_code != wanted:
            raise ConfigError(
                f"was answered by {page.answer_code}, and {wanted} is declared for it",
                document=f"enquiry {page.enquiry.code}",
            )
        rows: list[Placed] = []
        faults: list[Fault] = []
        told: set[str] = set()  # what one item lacks, all do as a rule: it is told once
        for number, item in enumerate(page.items, start=1):
            place = f"page {page.number} item {number}"
            fields = {**page.header, **item}
            absent = [name for name in self._sources if name not in fields]
            if absent:
                faults += [_absent(place, name, fields) for name in absent if name not in told]
                told.update(absent)
            else:
                cells = [self._text(name, fields[name]) for name in self._sources]
                if self._reader.keeps(cells):
                    self._read(cells, place, rows, faults)
            if len(faults) >= MOST_FAULTS:
                break
        if faults:
            raise ConfigError(
                faults[:MOST_FAULTS], document=f"{page.answer_code}, answer to {page.enquiry.code}"
            )
        return tuple(rows)

    def _read(
        self, cells: Sequence[str], place: str, rows: list[Placed], faults: list[Fault]
    ) -> None:
        try:
            rows.append(Placed(self._reader.read(cells), place))
        except ValueError:
            for name, sentence in self._reader.faults(cells):
                faults.append(Fault(f"{place}, field {name}", sentence))

    def _text(self, name: str, value: FieldValue) -> str:
        match value:
            case Decimal():
                return f"{value:f}"
            case date():
                pattern = self._formats.get(name, "")
                return value.strftime(pattern) if pattern else value.isoformat()
            case _:
                return str(value)


def _absent(place: str, name: str, fields: Fields) -> Fault:
    return Fault(f"{place}, field {name}", f"is not in the answer; it has {', '.join(fields)}")


def _date_formats(mapping: RecordMapping) -> Mapping[str, str]:
    """How the dates of each field are written: an adapter may hand over a date as a date."""
    types = {one.name: one.type for one in COLUMNS[mapping.kind]}
    return {
        source: one.format or mapping.spelling.date_format
        for name, one in mapping.columns.items()
        if types.get(name) is ColumnType.DATE
        for source in one.sources
    }
