"""Reading the fields of one record: unpacked all at once, then the texts among them decoded.

A page has hundreds of items of a dozen fields; taking them one by one costs five times as much.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Literal, TypeAlias, cast

from hkex_ops.errors import WireError
from hkex_ops.model import FieldValue
from hkex_ops_oapi.layouts import FieldKind, LayoutField

__all__ = ["FieldReader"]

DECIMALS_MOST = 18

_SIGNED = {1: "b", 2: "h", 4: "i", 8: "q"}

_Unpacked: TypeAlias = "int | bytes"
_Converter: TypeAlias = Callable[[bytes], FieldValue]


class FieldReader:
    """Reads ``fields`` in one order of bytes, those before ``skip`` and fillers left out."""

    def __init__(
        self,
        fields: Sequence[LayoutField],
        order: Literal["little", "big"],
        encoding: str,
        *,
        skip: int = 0,
    ) -> None:
        self._fields = [
            one for one in fields if one.offset >= skip and one.kind is not FieldKind.FILLER
        ]
        self._encoding = encoding
        self._names = [one.name for one in self._fields]
        self._convert = [self._converter(one) for one in self._fields]
        self._scaled = [one for one in self._fields if one.decimals or one.decimals_field]
        format, end = "<" if order == "little" else ">", 0
        for one in self._fields:
            format += f"{one.offset - end}x{_code(one)}"
            end = one.end
        self._struct = struct.Struct(format)

    def read(self, data: bytes, start: int) -> dict[str, FieldValue]:
        """The fields of the record that begins at ``start`` and is there in full."""
        unpacked = cast("tuple[_Unpacked, ...]", self._struct.unpack_from(data, start))
        found: dict[str, FieldValue] = {
            name: cast("int", value) if convert is None else convert(cast("bytes", value))
            for name, convert, value in zip(self._names, self._convert, unpacked, strict=True)
        }
        for one in self._scaled:
            places = found.get(one.decimals_field, one.decimals)
            if not isinstance(places, int) or not 0 <= places <= DECIMALS_MOST:
                raise WireError(f"{one.name} says {places} decimals", offset=start + one.offset)
            found[one.name] = Decimal(str(found[one.name])).scaleb(-places)
        return found

    def _converter(self, one: LayoutField) -> _Converter | None:
        match one.kind:
            case FieldKind.INT | FieldKind.UINT:
                return None
            case FieldKind.CHARACTER:
                return _character
            case FieldKind.TEXT if one.lines == 1:
                return lambda data: self._text(one, data)
            case FieldKind.TEXT:
                return lambda data: self._lines(one, data)
            case _:
                return bytes.hex

    def _text(self, one: LayoutField, data: bytes) -> str:
        """A text without its padding; a NUL ends it, whatever lies behind."""
        try:
            return data.partition(b"\0")[0].rstrip(b" ").decode(self._encoding)
        except UnicodeDecodeError:
            raise WireError(
                f"{one.name} is no text in {self._encoding}: state the encoding in the layouts",
                offset=one.offset,
            ) from None

    def _lines(self, one: LayoutField, data: bytes) -> str:
        starts = range(0, len(data), one.size_bytes)
        lines = [self._text(one, data[start : start + one.size_bytes]) for start in starts]
        return "\n".join(lines).rstrip("\n")


def _code(one: LayoutField) -> str:
    """A field as :mod:`struct` spells it."""
    if one.kind is FieldKind.INT:
        return _SIGNED[one.size_bytes]
    if one.kind is FieldKind.UINT:
        return _SIGNED[one.size_bytes].upper()
    return f"{one.size_bytes * one.lines}s"


def _character(data: bytes) -> str:
    """A letter as itself; a number by its digits, since many single bytes are numbers."""
    byte = data[0]
    if byte in (0x00, 0x20):
        return ""
    return chr(byte) if 0x20 < byte < 0x7F else str(byte)
