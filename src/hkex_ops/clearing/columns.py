"""The columns that records of each kind have, and the one spelling of what stands in them.

Whatever a record came from, an answer of the gateway or a file of the back office, it becomes a
row of texts, each in its one canonical spelling: two values are the same exactly when their texts
are. So a million rows are compared, sorted and joined as texts, without a number losing a digit,
and become values of the model where somebody wants to hold one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.model import (
    HONG_KONG,
    ClearingPosition,
    ClearingRecord,
    ClearingSide,
    ClearingTrade,
    ClearingTransaction,
    Json,
    RecordKind,
)

__all__ = [
    "COLUMNS",
    "Column",
    "ColumnType",
    "Row",
    "column_named",
    "names_of",
    "record_of",
    "row_of",
    "spell_decimal",
    "spell_instant",
    "told",
    "value_of",
]

Row: TypeAlias = tuple[str, ...]
"""The texts of one record, in the order of its kind's columns; blank is not stated."""


class ColumnType(StrEnum):
    """What stands in a column."""

    TEXT = "text"
    WHOLE = "whole number"
    DECIMAL = "number"
    DATE = "date"
    INSTANT = "time"
    SIDE = "side"


@frozen
class Column:
    """One column. ``needed``: a record without it is none."""

    name: str
    type: ColumnType
    needed: bool = True


def _columns(*stated: tuple[str, ColumnType], needed: bool = True) -> tuple[Column, ...]:
    return tuple(Column(name, type_, needed) for name, type_ in stated)


_TEXT, _WHOLE, _DECIMAL = ColumnType.TEXT, ColumnType.WHOLE, ColumnType.DECIMAL
_DATE, _INSTANT, _SIDE = ColumnType.DATE, ColumnType.INSTANT, ColumnType.SIDE

COLUMNS: Mapping[RecordKind, tuple[Column, ...]] = MappingProxyType(
    {
        RecordKind.TRADES: _columns(
            ("trade_number", _WHOLE),
            ("series", _TEXT),
            ("side", _SIDE),
            ("quantity", _WHOLE),
            ("price", _DECIMAL),
            ("account", _TEXT),
            ("business_date", _DATE),
        )
        + _columns(
            ("instrument_group", _TEXT),
            ("sequence", _WHOLE),
            ("traded_at", _INSTANT),
            needed=False,
        ),
        RecordKind.POSITIONS: _columns(
            ("account", _TEXT),
            ("series", _TEXT),
            ("business_date", _DATE),
            ("long", _WHOLE),
            ("short", _WHOLE),
        )
        + _columns(
            ("instrument_group", _TEXT),
            needed=False,
        ),
        RecordKind.TRANSACTIONS: _columns(
            ("reference", _TEXT),
            ("type", _TEXT),
            ("business_date", _DATE),
            ("entered_at", _INSTANT),
        )
        + _columns(
            ("entered_by", _TEXT),
            ("account", _TEXT),
            ("series", _TEXT),
            ("side", _SIDE),
            ("quantity", _WHOLE),
            ("price", _DECIMAL),
            ("trade_number", _WHOLE),
            ("counter_account", _TEXT),
            needed=False,
        ),
    }
)
"""The columns of each kind, in the order of the model's fields."""

_MODELS: Mapping[RecordKind, type[ClearingRecord]] = MappingProxyType(
    {
        RecordKind.TRADES: ClearingTrade,
        RecordKind.POSITIONS: ClearingPosition,
        RecordKind.TRANSACTIONS: ClearingTransaction,
    }
)


def names_of(kind: RecordKind) -> tuple[str, ...]:
    """The names of the columns of ``kind``."""
    return tuple(one.name for one in COLUMNS[kind])


def column_named(kind: RecordKind, name: str) -> Column | None:
    """The column of ``kind`` called ``name``, if it has one."""
    return next((one for one in COLUMNS[kind] if one.name == name), None)


def spell_decimal(number: Decimal) -> str:
    """The one spelling of a number: no exponent, no zero that says nothing.

    >>> from decimal import Decimal
    >>> spell_decimal(Decimal("20500.00")), spell_decimal(Decimal("1E+3"))
    ('20500', '1000')
    """
    if not number:
        return "0"
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def spell_instant(at: datetime) -> str:
    """The one spelling of an instant: Hong Kong time; one without a zone is Hong Kong's."""
    known = at.replace(tzinfo=HONG_KONG) if at.tzinfo is None else at.astimezone(HONG_KONG)
    return known.isoformat()


def value_of(text: str, type_: ColumnType) -> str | int | Decimal | date | datetime | None:
    """What a canonical text spells; nothing for a blank one that is no text's."""
    if type_ is ColumnType.TEXT:
        return text
    if not text:
        return None
    match type_:
        case ColumnType.WHOLE:
            return int(text)
        case ColumnType.DECIMAL:
            return Decimal(text)
        case ColumnType.DATE:
            return date.fromisoformat(text)
        case ColumnType.INSTANT:
            return datetime.fromisoformat(text).astimezone(HONG_KONG)
        case ColumnType.SIDE:
            return ClearingSide(text)


def told(text: str, type_: ColumnType) -> Json:
    """A canonical text as a document says it: whole numbers as numbers, blank as null."""
    if type_ is ColumnType.WHOLE and text:
        return int(text)
    return text or None


def record_of(kind: RecordKind, row: Sequence[str]) -> ClearingRecord:
    """The row as a value of the model."""
    columns = COLUMNS[kind]
    values = {
        one.name: value_of(text, one.type)
        for one, text in zip(columns, row, strict=False)
        if text or one.type is ColumnType.TEXT
    }
    return _MODELS[kind](**values)  # type: ignore[arg-type]


def row_of(record: ClearingRecord) -> Row:
    """A value of the model as a row."""
    kind = next(kind for kind, model in _MODELS.items() if model is type(record))
    return tuple(_spell(getattr(record, one.name)) for one in COLUMNS[kind])


def _spell(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return spell_decimal(value)
        case datetime():
            return spell_instant(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)
