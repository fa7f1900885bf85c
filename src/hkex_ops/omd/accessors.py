"""Meanings read off the raw fields of a message: text, dates, values that may be unknown.

A message keeps what was on the wire, byte for byte, in fields whose names end with its form:
``_ascii``, ``_utf16``, ``_int64``, ``_yyyymmdd``. The accessor of the same name without that ending
gives what it means. Reading costs only him who reads, and never fails: market data is not checked
against the enumerations of its day.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar, cast, overload

__all__ = [
    "NULL_INT64",
    "Chinese",
    "Day",
    "Nullable",
    "Text",
    "ascii_text",
    "day_of",
    "scaled",
    "utf16_text",
]

NULL_INT64 = -(2**63)
"""What an Int64 field carries where nothing is known (specification, section 3.2)."""

_UNKNOWN_DAYS = (0, 19_000_101)

T = TypeVar("T")
Self = TypeVar("Self")


def ascii_text(raw: bytes) -> str:
    """The text of a padded field: spaces and NULs behind it stripped, what is not ASCII as ``�``.

    The specification pads with spaces, real captures also with NUL.
    """
    return raw.rstrip(b" \0").decode("ascii", "replace")


def utf16_text(raw: bytes) -> str:
    """The text of a UTF-16LE field, up to the first NUL, spaces behind it stripped."""
    return raw.decode("utf-16-le", "replace").partition("\0")[0].rstrip(" \u3000")


def day_of(yyyymmdd: int) -> date | None:
    """The date of a number such as 20261117; ``None`` for 0, for 19000101 and for no date."""
    if yyyymmdd in _UNKNOWN_DAYS:
        return None
    try:
        return date(yyyymmdd // 10_000, yyyymmdd // 100 % 100, yyyymmdd % 100)
    except (ValueError, OverflowError):
        return None


def scaled(units: int, decimals: int) -> Decimal:
    """Units of the last decimal as an exact number: 61850 at 3 decimals is 61.850."""
    return Decimal(units).scaleb(-decimals)


class _Accessor(Generic[T]):
    """Reads the field that is called as it is itself, with an ending."""

    ending = ""

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._field = name + self.ending

    @overload
    def __get__(self: Self, instance: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[object]) -> T: ...
    def __get__(self, instance: object | None, owner: type[object]) -> object:
        if instance is None:
            return self
        return self._meaning(getattr(instance, self._field))

    def _meaning(self, raw: object) -> T:
        raise NotImplementedError


class Text(_Accessor[str]):
    """The text of a field of ASCII."""

    ending = "_ascii"

    def _meaning(self, raw: object) -> str:
        return ascii_text(cast("bytes", raw))


class Chinese(_Accessor[str]):
    """The text of a field of UTF-16LE."""

    ending = "_utf16"

    def _meaning(self, raw: object) -> str:
        return utf16_text(cast("bytes", raw))


class Nullable(_Accessor[int | None]):
    """The value of an Int64 field, ``None`` where the wire says null."""

    ending = "_int64"

    def _meaning(self, raw: object) -> int | None:
        return None if raw == NULL_INT64 else cast("int", raw)


class Day(_Accessor[date | None]):
    """The date of a field of eight digits, ``None`` where it is unknown or none."""

    ending = "_yyyymmdd"

    def _meaning(self, raw: object) -> date | None:
        return day_of(cast("int", raw))
