"""Layouts of messages as values: what a table in ``data/`` says, one table per spec version.

They know no bytes: :mod:`hkex_ops.omd.codec` compiles them, :mod:`hkex_ops.omd.page` prints them,
:mod:`hkex_ops.config.layouts` reads them from the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from struct import calcsize

import attrs
from attrs import frozen

from hkex_ops.errors import UsageError

__all__ = [
    "HEADER_BYTES",
    "FieldLayout",
    "GroupLayout",
    "Layout",
    "MessageLayout",
    "WireType",
    "faults_of",
]

HEADER_BYTES = 4
"""MsgSize and MsgType, which every message begins with."""


class WireType(StrEnum):
    """How a field lies on the wire. Numbers are little-endian and not aligned."""

    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    ASCII = "ascii"  # left aligned, padded with spaces, sometimes with NUL
    UTF16LE = "utf16le"
    TEXT = "text"  # one of the two, as another field says
    FILLER = "filler"  # anything at all

    @property
    def code(self) -> str:
        """The letter of :mod:`struct`; of bytes, ``s``."""
        return _CODES.get(self, "s")

    @property
    def length_bytes(self) -> int | None:
        """How long a number is; ``None`` for bytes, whose length the table gives."""
        return _LENGTHS.get(self)


_CODES: Mapping[WireType, str] = {
    WireType.UINT8: "B",
    WireType.UINT16: "H",
    WireType.UINT32: "I",
    WireType.UINT64: "Q",
    WireType.INT16: "h",
    WireType.INT32: "i",
    WireType.INT64: "q",
}

_LENGTHS: Mapping[WireType, int] = {kind: calcsize(f"<{code}") for kind, code in _CODES.items()}


@frozen
class FieldLayout:
    """One field: where it lies, and what it means.

    ``offset`` counts from the start of the message, or of the group's item, as if every group
    before it were empty. ``name`` is the specification's, ``field`` that of the message's tuple;
    the counts of groups have none, because the group itself knows. ``terms`` says what values
    mean; values that are not there occur and are no fault. ``none`` is a value that stands for
    none or unknown, ``null`` the null of the specification.
    """

    offset: int
    length_bytes: int
    type: WireType
    name: str
    field: str = ""
    decimals: int | None = None
    decimals_from: str = ""
    unit: str = ""
    precision: str = ""
    range: str = ""
    none: int | None = None
    null: int | None = None
    pad: str = "space"
    note: str = ""
    spec_name: str = ""
    terms: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.offset + self.length_bytes

    def term(self, value: int | bytes) -> str:
        """What a value of this field means; empty when the specification does not say."""
        if isinstance(value, int):
            return self.terms.get(str(value), "")
        text = value.rstrip(b" \0").decode("ascii", "replace")
        return self.terms.get(text, "") or self.terms.get(text or " ", "")


@frozen
class GroupLayout:
    """Fields that repeat: as often as the field ``count`` says, from ``start`` on.

    ``start`` counts as if every group before it were empty. ``kind`` names the tuple of an item;
    without it the group is of one field, and its values stand for themselves.
    """

    name: str
    field: str
    count: str
    start: int
    stride_bytes: int
    fields: tuple[FieldLayout, ...]
    kind: str = ""
    range: str = ""


@frozen
class MessageLayout:
    """One message: its type and the tuple it becomes (``kind``).

    ``size_bytes`` is what it takes with every group empty. A message may be longer on the wire,
    never shorter.
    """

    type: int
    name: str
    kind: str
    size_bytes: int
    fields: tuple[FieldLayout, ...]
    category: str = ""
    feeds: tuple[str, ...] = ()
    groups: tuple[GroupLayout, ...] = ()
    notes: str = ""

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of the tuple in order; a group comes before what lies behind it."""
        places = [(one.offset, 1, one.field) for one in self.fields if one.field]
        places += [(group.start, 0, group.field) for group in self.groups]
        return tuple(name for _, _, name in sorted(places))


@frozen
class Layout:
    """Every message of one version of a specification.

    ``first_day`` and ``last_day`` are the days on which the wire looked like this, as far as known.
    """

    spec: str
    title: str
    first_day: date | None
    last_day: date | None
    remark: str
    messages: tuple[MessageLayout, ...]

    def message(self, type: int) -> MessageLayout:
        """The layout of a message type; `UsageError` when this version has none."""
        for message in self.messages:
            if message.type == type:
                return message
        raise UsageError(f"{self.spec} has no message of type {type}")


def faults_of(layout: Layout) -> Iterator[tuple[str, str]]:
    """What is wrong with a table, each fault with its path.

    Fields follow each other without gap or overlap and fill the size; a number has the length of
    its type; a group counts by a field before it; names are unique.
    """
    seen: set[int] = set()
    for index, message in enumerate(layout.messages):
        path = f"messages[{index}]"
        if message.type in seen:
            yield f"{path}.type", f"{message.type} is there already"
        seen.add(message.type)
        yield from _field_faults(f"{path}.fields", message.fields, HEADER_BYTES, message.size_bytes)
        names = message.field_names
        if len(set(names)) != len(names):
            yield f"{path}.fields", "two fields of the tuple bear one name"
        counts = {one.name: one for one in message.fields if not one.field}
        if set(counts) != {group.count for group in message.groups}:
            yield f"{path}.fields", "a field without a name of ours must be the count of a group"
        bounds = {one.offset for one in message.fields} | {message.size_bytes}
        for number, group in enumerate(message.groups):
            where = f"{path}.groups[{number}]"
            count = counts.get(group.count)
            if count is None or count.end > group.start:
                yield f"{where}.count", "must name a field that lies before the group"
            if group.start not in bounds:
                yield f"{where}.start", "must lie between two fields, or behind them all"
            if not group.kind and len(group.fields) != 1:
                yield f"{where}.kind", "is missing: a group of several fields needs a tuple"
            yield from _field_faults(f"{where}.fields", group.fields, 0, group.stride_bytes)


def _field_faults(
    path: str, fields: tuple[FieldLayout, ...], start: int, end: int
) -> Iterator[tuple[str, str]]:
    offset = start
    for index, one in enumerate(fields):
        where = f"{path}[{index}]"
        if one.offset != offset:
            yield f"{where}.offset", f"must be {offset}, where the field before it ends"
        offset = one.end
        if one.type.length_bytes not in (None, one.length_bytes):
            yield f"{where}.length_bytes", f"must be {one.type.length_bytes}, as {one.type} is"
    if offset != end:
        yield path, f"end at {offset}, and the size is {end}"
