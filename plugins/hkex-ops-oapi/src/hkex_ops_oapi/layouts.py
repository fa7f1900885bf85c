"""Layouts of messages: what a licensee's own header says, as values. Holds no vendor's layout.

A layout has records; a record has fields at offsets, and may be followed by items. Everything is
packed, as the library packs it. Files of layouts are read and written by
:mod:`hkex_ops_oapi.layout_files`; bytes are read and written by :mod:`hkex_ops_oapi.codec`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from attrs import Factory, frozen

from hkex_ops.config.structuring import nearest
from hkex_ops.errors import UsageError
from hkex_ops.model import TransactionType

__all__ = [
    "LAYOUT_VERSION",
    "MESSAGE_BYTES_MOST",
    "TYPE_BYTES",
    "Body",
    "FieldKind",
    "Items",
    "LayoutField",
    "Layouts",
    "Record",
    "faults_of",
]

LAYOUT_VERSION = 1
"""The form of a layout file that this code reads."""

MESSAGE_BYTES_MOST = 64_000
"""The longest request and the longest answer that the library carries (fact sheet, 1.4)."""

TYPE_BYTES = 4
"""A message begins with its type: module, kind of server, number."""

_INTEGER_BYTES = (1, 2, 4, 8)
_ENCODINGS = ("ascii", "latin-1", "utf-8", "big5", "big5hkscs")


class FieldKind(StrEnum):
    """What the bytes of a field are."""

    INT = "int"  # whole number with a sign
    UINT = "uint"  # whole number without one
    TEXT = "text"  # of fixed width, padded with spaces or NULs; several lines where stated
    CHARACTER = "character"  # one byte that is a letter, or a number shown by its digits
    BYTES = "bytes"  # shown as hexadecimal digits
    FILLER = "filler"  # of no meaning


class Body(StrEnum):
    """What follows the fields of a record."""

    NONE = "none"
    ITEMS = "items"  # a counted list of items, all of one size
    HEADED_ITEMS = "headed_items"  # a counted list of items, each of sub-items (VIM answers)
    SUB_ITEMS = "sub_items"  # a counted list of sub-items (VIM broadcasts)


@frozen
class LayoutField:
    """One field. ``size_bytes`` is that of one line, of which ``lines`` follow one another.

    ``decimals`` turns a whole number into a decimal one: how many, or the field that says it.
    """

    name: str
    offset: int
    size_bytes: int
    kind: FieldKind
    lines: int = 1
    decimals: int = 0
    decimals_field: str = ""

    @property
    def end(self) -> int:
        """The first offset after it."""
        return self.offset + self.size_bytes * self.lines


@frozen
class Items:
    """The items after a record: ``count`` is the field that counts them, ``most`` the room."""

    count: str
    size_bytes: int
    fields: tuple[LayoutField, ...]
    most: int = 0


@frozen
class Record:
    """One record. ``codes`` are the messages that it is, ``named_struct`` the sub-item it is."""

    size_bytes: int
    fields: tuple[LayoutField, ...]
    codes: tuple[str, ...] = ()
    named_struct: int = 0
    body: Body = Body.NONE
    count: str = ""
    items: Items | None = None


@frozen
class Layouts:
    """The layouts of one exchange's release. ``source`` says what they were made from."""

    version: int
    records: Mapping[str, Record] = Factory(dict[str, Record])
    source: str = ""
    encoding: str = "latin-1"

    def of(self, code: str) -> tuple[str, Record]:
        """Name and record of the message ``code``; `UsageError` names the nearest."""
        found = self.find(code)
        if found is None:
            raise UsageError(
                f"the layouts have no record of {code}: {nearest(code, sorted(self._codes()))}; "
                "add it to the layout file, or convert the header of this release"
            )
        return found

    def find(self, code: str) -> tuple[str, Record] | None:
        """Name and record of the message ``code``, if the layouts have it."""
        for name, record in self.records.items():
            if code in record.codes:
                return name, record
        return None

    def named_structs(self) -> Mapping[int, tuple[str, Record]]:
        """The records that are sub-items, by their number."""
        return {
            record.named_struct: (name, record)
            for name, record in self.records.items()
            if record.named_struct
        }

    def _codes(self) -> set[str]:
        return {code for record in self.records.values() for code in record.codes}


def faults_of(layouts: Layouts) -> list[tuple[str, str]]:
    """Everything wrong in ``layouts``, each with where it stands in the file."""
    faults: list[tuple[str, str]] = []
    if layouts.version != LAYOUT_VERSION:
        faults.append(("version", f"is {layouts.version}, and this program reads {LAYOUT_VERSION}"))
    if layouts.encoding not in _ENCODINGS:
        near = nearest(layouts.encoding, _ENCODINGS)
        faults.append(("encoding", f"unknown encoding {layouts.encoding!r}; {near}"))
    if not layouts.records:
        faults.append(("records", "has no record: convert a header, or write one"))
    for name, record in layouts.records.items():
        at = f"records.{name}"
        faults += [(f"{at}{where}", message) for where, message in _record_faults(record)]
    faults += _twice(layouts)
    return faults


def _twice(layouts: Layouts) -> Iterator[tuple[str, str]]:
    """Codes and named structures that two records claim."""
    codes: dict[str, str] = {}
    numbers: dict[int, str] = {}
    for name, record in layouts.records.items():
        for place, code in enumerate(record.codes):
            if codes.setdefault(code, name) != name or record.codes.index(code) != place:
                yield f"records.{name}.codes[{place}]", f"{code} is already {codes[code]}"
        number = record.named_struct
        if number and numbers.setdefault(number, name) != name:
            yield f"records.{name}.named_struct", f"{number} is already {numbers[number]}"


def _record_faults(record: Record) -> Iterator[tuple[str, str]]:
    if not 0 <= record.size_bytes <= MESSAGE_BYTES_MOST:
        yield (
            ".size_bytes",
            f"is {record.size_bytes}: from 0 to {MESSAGE_BYTES_MOST} can be carried",
        )
    for place, code in enumerate(record.codes):
        try:
            TransactionType.parse(code)
        except UsageError as error:
            yield f".codes[{place}]", str(error)
    if record.codes and record.size_bytes < TYPE_BYTES:
        yield ".size_bytes", f"is {record.size_bytes}: a message has {TYPE_BYTES} bytes of type"
    if not 0 <= record.named_struct <= 0xFFFF:
        yield ".named_struct", f"is {record.named_struct}: it is a number of two bytes"
    yield from _field_faults(record.fields, record.size_bytes, ".fields")
    yield from _body_faults(record)


def _body_faults(record: Record) -> Iterator[tuple[str, str]]:
    counters = {one.name for one in record.fields if one.kind is FieldKind.UINT}
    if record.body is Body.ITEMS:
        if record.items is None:
            yield ".items", "is missing: body says that items follow"
            return
        items = record.items
        if items.count not in counters:
            yield ".items.count", f"is {items.count!r}, which is no field of kind uint before them"
        if items.size_bytes < 1:
            yield ".items.size_bytes", f"is {items.size_bytes} and must be at least 1"
        elif record.size_bytes + items.most * items.size_bytes > MESSAGE_BYTES_MOST:
            yield ".items.most", f"is {items.most}: more than {MESSAGE_BYTES_MOST} bytes together"
        if items.most < 0:
            yield ".items.most", f"is {items.most}: 0 means that the room alone bounds them"
        yield from _field_faults(items.fields, items.size_bytes, ".items.fields")
        return
    if record.items is not None:
        yield ".items", f"is there, and body says {record.body.value!r}: write body = 'items'"
    if record.body is not Body.NONE and record.count not in counters:
        yield ".count", f"is {record.count!r}, which is no field of kind uint of the record"


def _field_faults(
    fields: Sequence[LayoutField], size_bytes: int, at: str
) -> Iterator[tuple[str, str]]:
    names: set[str] = set()
    whole = {one.name for one in fields if one.kind in (FieldKind.INT, FieldKind.UINT)}
    end = 0
    for place, one in enumerate(fields):
        where = f"{at}[{place}]"
        if not one.name or one.name in names:
            yield f"{where}.name", f"{one.name!r} is blank, or a name that a field before it has"
        names.add(one.name)
        if one.size_bytes < 1 or one.lines < 1:
            yield f"{where}.size_bytes", "a field has at least one byte and one line"
            continue
        if one.offset < end:
            yield f"{where}.offset", f"is {one.offset}, and the field before it ends at {end}"
        end = max(end, one.end)
        if one.end > size_bytes:
            yield (
                f"{where}.offset",
                f"it ends at {one.end}, after the record, which has {size_bytes}",
            )
        yield from _kind_faults(one, whole, where)


def _kind_faults(one: LayoutField, whole: set[str], where: str) -> Iterator[tuple[str, str]]:
    is_whole = one.kind in (FieldKind.INT, FieldKind.UINT)
    if is_whole and one.size_bytes not in _INTEGER_BYTES:
        yield f"{where}.size_bytes", f"is {one.size_bytes}: a whole number has 1, 2, 4 or 8 bytes"
    if one.kind is FieldKind.CHARACTER and one.size_bytes != 1:
        yield f"{where}.size_bytes", f"is {one.size_bytes}: a character has 1 byte"
    if one.lines > 1 and one.kind is not FieldKind.TEXT:
        yield f"{where}.lines", f"is {one.lines}: only a text has lines"
    if (one.decimals or one.decimals_field) and not is_whole:
        yield f"{where}.decimals", f"a field of kind {one.kind.value} has no decimals"
    if not 0 <= one.decimals <= 18:
        yield f"{where}.decimals", f"is {one.decimals}: from 0 to 18"
    if one.decimals_field and one.decimals_field not in whole:
        yield f"{where}.decimals_field", f"{one.decimals_field!r} is no whole number beside it"
