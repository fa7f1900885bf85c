"""Bytes to fields and back, by the licensee's layouts. Pure: no library, no network.

Every step is bounded by the bytes that are there. What a layout does not explain is a `WireError`,
never a guess: an answer that is longer or shorter than its layout is of another release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeAlias

from attrs import field, frozen

from hkex_ops.config.structuring import nearest
from hkex_ops.errors import UsageError, WireError
from hkex_ops.model import Fields, FieldValue, TransactionType
from hkex_ops_oapi.fields import FieldReader
from hkex_ops_oapi.layouts import (
    MESSAGE_BYTES_MOST,
    TYPE_BYTES,
    Body,
    FieldKind,
    LayoutField,
    Layouts,
    Record,
)

__all__ = ["ByteOrder", "Codec", "Decoded", "format_type", "parse_type"]

ByteOrder: TypeAlias = Literal["little", "big"]

_HEADER_BYTES = 4  # of an item and of a sub-item: two numbers of two bytes
_PADDING_MOST = 3  # an answer may be filled up to a multiple of four


@frozen
class Decoded:
    """A message read: its code, its own fields and those of its items.

    ``unknown_structs`` counts sub-items that no record describes, by their number.
    """

    code: str
    fields: dict[str, FieldValue]
    items: tuple[dict[str, FieldValue], ...]
    raw: Mapping[str, bytes] = field(factory=dict[str, bytes], repr=False)
    unknown_structs: Mapping[int, int] = field(factory=dict[int, int])


def format_type(code: TransactionType, order: ByteOrder) -> bytes:
    """The four bytes with which a message of this type begins."""
    letters = (code.module + code.server).encode("ascii")
    return letters + code.number.to_bytes(2, order)


def parse_type(data: bytes, order: ByteOrder) -> TransactionType:
    """The type with which ``data`` begins; `WireError` where it has none."""
    letters = data[:2]
    if len(data) < TYPE_BYTES or not all(0x41 <= byte <= 0x5A for byte in letters):
        raise WireError("a message does not begin with a type, two capital letters", offset=0)
    number = int.from_bytes(data[2:TYPE_BYTES], order)
    return TransactionType(chr(letters[0]), chr(letters[1]), number)


class Codec:
    """What reads and writes the messages of some layouts, in one order of bytes."""

    def __init__(self, layouts: Layouts, order: ByteOrder) -> None:
        self.layouts: Layouts = layouts
        self.order: ByteOrder = order
        self._named = layouts.named_structs()
        self._encoding = layouts.encoding
        self._readers: dict[str, FieldReader] = {}

    # -- writing -----------------------------------------------------------------------------

    def encode(self, code: str, parameters: Fields) -> bytes:
        """The message ``code`` with ``parameters``; what is not stated is blank or zero.

        Raises `UsageError` for a field that the record does not have, and for a value that does
        not fit it.
        """
        name, record = self.layouts.of(code)
        data = bytearray(record.size_bytes)
        known = {one.name: one for one in record.fields}
        for one in record.fields:
            if one.kind is FieldKind.TEXT:
                data[one.offset : one.end] = b" " * (one.end - one.offset)
        data[:TYPE_BYTES] = format_type(TransactionType.parse(code), self.order)
        for parameter, value in parameters.items():
            place = known.get(parameter)
            if place is None or place.offset < TYPE_BYTES or place.kind is FieldKind.FILLER:
                settable = [other for other, it in known.items() if it.offset >= TYPE_BYTES]
                raise UsageError(
                    f"{code} has no field {parameter!r} to set ({name}); "
                    f"{nearest(parameter, settable)}"
                )
            data[place.offset : place.end] = self._encoded(code, place, value)
        return bytes(data)

    def _encoded(self, code: str, one: LayoutField, value: FieldValue) -> bytes:
        try:
            data = self._bytes_of(one, value)
        except (ValueError, OverflowError, InvalidOperation):
            data = b""
        if len(data) != one.end - one.offset:
            lines = f" and {one.lines} lines" if one.lines > 1 else ""
            raise UsageError(
                f"{one.name} of {code} cannot be {value!r}: it is {one.kind.value} of "
                f"{one.size_bytes} bytes{lines}"
            )
        return data

    def _bytes_of(self, one: LayoutField, value: FieldValue) -> bytes:
        match one.kind:
            case FieldKind.INT | FieldKind.UINT:
                signed = one.kind is FieldKind.INT
                return self._unscaled(one, value).to_bytes(
                    one.size_bytes, self.order, signed=signed
                )
            case FieldKind.TEXT:
                return self._encoded_text(one, value)
            case FieldKind.CHARACTER:
                return _encoded_character(value)
            case _:
                return bytes.fromhex(str(value))

    def _encoded_text(self, one: LayoutField, value: FieldValue) -> bytes:
        text = value.strftime("%Y%m%d") if isinstance(value, date) else str(value)
        lines = text.split("\n")
        if len(lines) > one.lines:
            raise ValueError("more lines than there is room for")
        data = b""
        for line in lines:
            encoded = line.encode(self._encoding)
            if len(encoded) > one.size_bytes:
                raise ValueError("longer than its field")
            data += encoded.ljust(one.size_bytes)
        return data.ljust(one.size_bytes * one.lines)

    def _unscaled(self, one: LayoutField, value: FieldValue) -> int:
        if isinstance(value, date):
            raise ValueError("a day is no number")
        scaled = Decimal(value).scaleb(one.decimals)
        if scaled != int(scaled):
            raise ValueError("more decimals than the field has")
        return int(scaled)

    # -- reading -----------------------------------------------------------------------------

    def decode(self, data: bytes) -> Decoded:
        """The message that ``data`` is. `UsageError` where no record is of its code."""
        if len(data) > MESSAGE_BYTES_MOST:
            raise WireError(f"{len(data)} bytes are more than a message can have", offset=0)
        code = str(parse_type(data, self.order))
        name, record = self.layouts.of(code)
        self._require(data, 0, record.size_bytes, f"{code} ({name})")
        fields = self._reader(name, record.fields, TYPE_BYTES).read(data, 0)
        raw = _structures(record, data)
        items: tuple[dict[str, FieldValue], ...] = ()
        unknown: dict[int, int] = {}
        match record.body:
            case Body.NONE:
                end = record.size_bytes
            case Body.ITEMS:
                items, end = self._items(code, name, record, data)
            case Body.HEADED_ITEMS:
                items, end = self._headed_items(code, record, data, unknown)
            case Body.SUB_ITEMS:
                merged, end = self._sub_items(
                    code, self._count(record.count, record, data), data, record.size_bytes, unknown
                )
                items = (merged,) if merged else ()
        self._require_end(code, record, data, end)
        return Decoded(code, fields, items, raw, unknown)

    def _items(
        self, code: str, name: str, record: Record, data: bytes
    ) -> tuple[tuple[dict[str, FieldValue], ...], int]:
        layout = record.items
        assert layout is not None, "checked with the layouts"
        count = self._count(layout.count, record, data)
        if layout.most and count > layout.most:
            raise WireError(
                f"{code} says {count} items, and the layout has room for {layout.most}",
                offset=record.size_bytes,
            )
        end = record.size_bytes + count * layout.size_bytes
        self._require(data, record.size_bytes, end, f"{code} with {count} items")
        starts = range(record.size_bytes, end, layout.size_bytes)
        read = self._reader(f"{name}.", layout.fields).read
        return tuple(read(data, start) for start in starts), end

    def _headed_items(
        self, code: str, record: Record, data: bytes, unknown: dict[int, int]
    ) -> tuple[tuple[dict[str, FieldValue], ...], int]:
        items: list[dict[str, FieldValue]] = []
        at = record.size_bytes
        for number in range(self._count(record.count, record, data)):
            what = f"{code}, item {number + 1}"
            self._require(data, at, at + _HEADER_BYTES, what)
            count, size = self._two(data, at)
            if size < _HEADER_BYTES:
                raise WireError(f"{what} says a size of {size}", offset=at)
            self._require(data, at, at + size, what)
            item, end = self._sub_items(what, count, data[: at + size], at + _HEADER_BYTES, unknown)
            if end != at + size:
                raise WireError(
                    f"{what} has {at + size - end} bytes that nothing explains", offset=end
                )
            items.append(item)
            at = end
        return tuple(items), at

    def _sub_items(
        self, what: str, count: int, data: bytes, at: int, unknown: dict[int, int]
    ) -> tuple[dict[str, FieldValue], int]:
        merged: dict[str, FieldValue] = {}
        for _ in range(count):
            self._require(data, at, at + _HEADER_BYTES, what)
            number, size = self._two(data, at)
            if size < _HEADER_BYTES:
                raise WireError(f"{what}: sub-item {number} says a size of {size}", offset=at)
            self._require(data, at, at + size, f"{what}, sub-item {number}")
            if number not in self._named:
                unknown[number] = unknown.get(number, 0) + 1
            else:
                name, record = self._named[number]
                if size - _HEADER_BYTES != record.size_bytes:
                    raise WireError(
                        f"{what}: sub-item {number} ({name}) has {size - _HEADER_BYTES} bytes, its "
                        f"layout {record.size_bytes}: the layouts are of another release",
                        offset=at,
                    )
                inner = self._reader(f".{name}", record.fields).read(data, at + _HEADER_BYTES)
                merged |= {f"{name}.{key}": value for key, value in inner.items()}
            at += size
        return merged, at

    def _two(self, data: bytes, at: int) -> tuple[int, int]:
        first = int.from_bytes(data[at : at + 2], self.order)
        return first, int.from_bytes(data[at + 2 : at + _HEADER_BYTES], self.order)

    def _count(self, name: str, record: Record, data: bytes) -> int:
        one = next(one for one in record.fields if one.name == name)
        return int.from_bytes(data[one.offset : one.end], self.order)

    def _reader(self, key: str, fields: Sequence[LayoutField], skip: int = 0) -> FieldReader:
        """What reads ``fields``, made once for each record."""
        reader = self._readers.get(key)
        if reader is None:
            reader = FieldReader(fields, self.order, self._encoding, skip=skip)
            self._readers[key] = reader
        return reader

    def _require(self, data: bytes, start: int, end: int, what: str) -> None:
        if end > len(data):
            raise WireError(
                f"{what} needs {end} bytes and {len(data)} came: it was cut short, or the layouts "
                "are of another release",
                offset=start,
            )

    def _require_end(self, code: str, record: Record, data: bytes, end: int) -> None:
        left = data[end:]
        if len(left) <= _PADDING_MOST and not any(left):
            return
        if record.items is not None and record.items.most:
            whole = record.size_bytes + record.items.most * record.items.size_bytes
            if len(data) == whole:  # the room of all items, of which some are used
                return
        raise WireError(
            f"{code} came with {len(data)} bytes, and its layout explains {end}: the layouts are "
            "of another release, or too short for this answer",
            offset=end,
        )


def _encoded_character(value: FieldValue) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(1, "little")
    data = str(value).encode("ascii")
    return data or b"\0"


def _structures(record: Record, data: bytes) -> dict[str, bytes]:
    """The bytes of each structure within the record, by its name: ranges are compared as bytes."""
    found: dict[str, bytes] = {}
    for one in record.fields:
        name, dot, _ = one.name.rpartition(".")
        if dot:
            found[name] = found.get(name, b"") + data[one.offset : one.end]
    return found
