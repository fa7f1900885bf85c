"""A licensee's own header of messages turned into layouts, on the licensee's own machine.

The parser of C is pycparser; what is made of its tree are offsets and kinds, by the types and by
the suffixes that the interface uses for names. Which record is which message stands in comments of
the header, or in a file of codes that the licensee writes. Nothing of the header but names and
sizes goes into the layouts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Protocol, cast

from attrs import frozen

from hkex_ops.errors import ConfigError, Fault
from hkex_ops_oapi.layouts import (
    LAYOUT_VERSION,
    Body,
    FieldKind,
    Items,
    LayoutField,
    Layouts,
    Record,
)
from hkex_ops_oapi.preprocessing import Comment, Prepared, prepare
from hkex_ops_oapi.structures import (
    Structures,
    Unfit,
    dimension,
    fields_of,
    fields_of_type,
    kind_of,
    part,
)

__all__ = ["Codes", "Converted", "convert_header"]

# What the kit's other headers define and a header of messages uses (fact sheet, 1.2 and 1.4).
_KNOWN_TYPES = """
typedef char int8; typedef unsigned char uint8; typedef short int16; typedef unsigned short uint16;
typedef int int32; typedef unsigned int uint32; typedef long long int64;
typedef unsigned long long uint64; typedef signed char int8_t; typedef unsigned char uint8_t;
typedef short int16_t; typedef unsigned short uint16_t; typedef int int32_t;
typedef unsigned int uint32_t; typedef long long int64_t; typedef unsigned long long uint64_t;
"""

_SUFFIX_BYTES = {"_c": (1,), "_n": (2,), "_i": (4, 8), "_u": (4, 8), "_q": (8,)}

# A comment that is no longer than this is a title; in a longer one a code is only mentioned.
TITLE_MOST = 40

_CODE = re.compile(r"\b[A-Z]{2}[0-9]{1,5}\b")
_BEGINS_WITH_CODE = re.compile(r"\W*[A-Z]{2}[0-9]{1,5}\b")
_NAMED_STRUCT = re.compile(r"named[ _]struct\w*\W{0,3}([0-9]+)\b", re.IGNORECASE)


@frozen
class Codes:
    """What a header does not say: which record is which message, which sub-item."""

    codes: Mapping[str, str]
    named_structs: Mapping[str, str]


@frozen
class Converted:
    """The layouts of a header, and what a person should look at: a sentence each."""

    layouts: Layouts
    notes: tuple[str, ...]


class _Node(Protocol):
    """A node of the parser's tree, as far as it is looked at here."""

    @property
    def coord(self) -> object: ...


class _Parser(Protocol):
    def parse(self, text: str, filename: str) -> _Node: ...


def convert_header(
    text: str, *, document: str, source: str = "", codes: Codes | None = None
) -> Converted:
    """The layouts that ``text``, a header, spells. `ConfigError` lists every fault of it."""
    prepared = prepare(text, document=document)
    tree = _parse(prepared.text, document)
    structures = Structures(tree)
    notes = _Notes(prepared)
    faults: list[Fault] = []
    records: dict[str, Record] = {}
    told = _told_codes(structures, prepared, codes or Codes({}, {}), document)
    for name in structures.names:
        try:
            record = _record(structures, name, told.get(name, _Told()), notes)
        except Unfit as error:
            faults.append(Fault(f"record {name}", str(error)))
        else:
            if record is not None:
                records[name] = record
    if not faults and not any(record.codes for record in records.values()):
        faults.append(
            Fault("", "no record says which message it is: state that in a file of --codes")
        )
    if faults:
        raise ConfigError(faults, document=document)
    kept = {name: one for name, one in records.items() if one.codes or one.named_struct}
    return Converted(Layouts(LAYOUT_VERSION, kept, source), notes.all())


@frozen
class _Told:
    codes: tuple[str, ...] = ()
    named_struct: int = 0


class _Notes:
    """What a person should look at, collected."""

    def __init__(self, prepared: Prepared) -> None:
        self._notes: dict[str, None] = {}
        if not prepared.is_packed:
            self.add("the header states no #pragma pack(1): its records were taken as packed")

    def add(self, note: str) -> None:
        self._notes[note] = None

    def all(self) -> tuple[str, ...]:
        return tuple(self._notes)


def _parse(text: str, document: str) -> _Node:
    """The tree of a header without directives. The known types come first, on the line before."""
    make = cast("type[_Parser]", import_module("pycparser.c_parser").CParser)
    # A header for C++ too says so with a bracket that no C has.
    known = " ".join(_KNOWN_TYPES.split())
    try:
        return make().parse(f"{known}\n{text}", document)
    # The parser's own error is a plain Exception; deep nesting ends in a RecursionError.
    except Exception as error:
        said = str(error).removeprefix(document).strip(": ")
        line, _, rest = said.partition(":")
        where = f"line {int(line) - 1}" if line.isdigit() else ""
        message = rest.partition(":")[2].strip() or said or type(error).__name__
        raise ConfigError(
            Fault(where, f"is no C that can be read: {message}; name the header of the messages"),
            document=document,
        ) from None


def _record(structures: Structures, name: str, told: _Told, notes: _Notes) -> Record | None:
    decls = structures.fields(name)
    tail = decls[-1]
    repeated: object | None = None
    inner = part(tail, "type")
    if kind_of(inner) == "ArrayDecl" and kind_of(_element(structures, inner)) == "Struct":
        repeated, decls = inner, decls[:-1]
    fields = tuple(fields_of(structures, decls, "", 0))
    size = max((one.end for one in fields), default=0)
    for one in fields:
        _look_at(f"{name}.{one.name}", one, notes)
    if repeated is None:
        body, count = _variable(told, fields)
        if body is not Body.NONE:
            notes.add(f"{name} was taken to be followed by {body.value}: look it up in the manual")
        return Record(size, fields, told.codes, told.named_struct, body, count)
    counter = _counter(fields)
    if counter is None:
        if not told.codes:
            return None
        raise Unfit("no field called items_n says how many items follow")
    item = tuple(fields_of_type(structures, _element(structures, repeated), "", 0))
    for one in item:
        _look_at(f"{name}.{part(tail, 'name')}.{one.name}", one, notes)
    most = _most(part(repeated, "dim"))
    if most == 0:
        notes.add(f"{name} has a list without a length: {counter} alone is taken to say it")
    items = Items(counter, max(one.end for one in item), item, most)
    return Record(size, fields, told.codes, told.named_struct, Body.ITEMS, "", items)


def _most(length: object) -> int:
    """The room for items; nought where the header leaves it open, by no length or by one."""
    most = 0 if length is None else dimension(length)
    return 0 if most == 1 else most


def _element(structures: Structures, array: object) -> object:
    element = part(array, "type")
    return element if kind_of(element) == "ArrayDecl" else structures.resolve(element)


def _counter(fields: Sequence[LayoutField]) -> str | None:
    counters = [
        one.name
        for one in fields
        if one.kind is FieldKind.UINT and one.name.rpartition(".")[2] == "items_n"
    ]
    return counters[-1] if counters else None


def _variable(told: _Told, fields: Sequence[LayoutField]) -> tuple[Body, str]:
    """Variable messages have a counter and no list: what follows them no header says."""
    count = _counter(fields)
    if count is None or not told.codes:
        return Body.NONE, ""
    code = told.codes[0]
    if code[1] == "A":
        return Body.HEADED_ITEMS, count
    return (Body.SUB_ITEMS, count) if code[0] == "B" else (Body.NONE, "")


def _look_at(path: str, one: LayoutField, notes: _Notes) -> None:
    """Whether a name's suffix and its type agree: where not, a person should know."""
    expected = _SUFFIX_BYTES.get(one.name[-2:])
    if expected is None or one.kind is FieldKind.FILLER or one.size_bytes in expected:
        return
    notes.add(f"{path} has {one.size_bytes} bytes, and its name lets expect {expected[0]}")


def _told_codes(
    structures: Structures, prepared: Prepared, codes: Codes, document: str
) -> dict[str, _Told]:
    """Which messages each record is, by the comment right before it and by the file of codes."""
    found: dict[str, tuple[list[str], int]] = {}
    for name in structures.names:
        comment = _comment_before(prepared, structures.line(name))
        text = "" if comment is None else comment.text
        listed = _codes_in(text)
        numbered = _NAMED_STRUCT.match(text)
        found[name] = (listed, int(numbered[1]) if numbered else 0)
    faults: list[Fault] = []
    for code, word in codes.codes.items():
        record = structures.named(word)
        if record is None:
            faults.append(Fault(f"codes.{code}", f"there is no record {word!r} in {document}"))
            continue
        for listed, _ in found.values():
            listed[:] = [one for one in listed if one != code]
        found[record][0].append(code)
    for number, word in codes.named_structs.items():
        record = structures.named(word)
        if record is None or not number.isdigit():
            faults.append(Fault(f"named_structs.{number}", f"no number, or no record {word!r}"))
            continue
        found[record] = (found[record][0], int(number))
    if faults:
        raise ConfigError(faults, document="codes")
    return {
        name: _Told(tuple(dict.fromkeys(listed)), number)
        for name, (listed, number) in found.items()
    }


def _codes_in(text: str) -> list[str]:
    """The codes that a comment is about: those it begins with, or the only one that it has."""
    if _BEGINS_WITH_CODE.match(text):
        return _CODE.findall(re.split(r"[:.;]", text)[0])
    every = dict.fromkeys(_CODE.findall(text))
    return list(every) if len(every) == 1 and len(text) <= TITLE_MOST else []


def _comment_before(prepared: Prepared, line: int) -> Comment | None:
    """The comment that ends right before, with nothing but blank lines and rules between."""
    lines = prepared.text.split("\n")
    before = line - 1
    while before > 0 and not lines[before - 1].strip():
        for comment in reversed(prepared.comments):
            if comment.first_line <= before <= comment.last_line and comment.text:
                return comment
        before -= 1
    return None
