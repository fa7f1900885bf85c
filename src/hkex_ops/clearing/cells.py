"""What one cell spells: numbers, dates, times and words as whoever wrote the file writes them.

Exact: a number is read digit by digit, with the decimal point and the thousands sign that were
stated, and nothing is ever guessed from a cell. Each reader gives the one canonical spelling, or
raises ValueError with the end of a sentence about the cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Context, Decimal
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import evolve, frozen

from hkex_ops.clearing.columns import Column, ColumnType, spell_decimal, spell_instant
from hkex_ops.model import ClearingSide

__all__ = [
    "DECIMALS_SIGN",
    "EXACT",
    "MOST_DECIMALS",
    "MOST_DIGITS",
    "CellMemory",
    "ColumnMapping",
    "Spelling",
    "Take",
    "reader_of",
]

MOST_DIGITS = 40
"""Digits of a number that are read; a price or a quantity with more is none."""

EXACT = Context(prec=2 * MOST_DIGITS + 10)
"""In which numbers are scaled and subtracted: wide enough that nothing is ever rounded."""

MOST_DECIMALS = 18
"""Implied decimals that a whole number may have."""

DECIMALS_SIGN = "\x1f"
"""Between a number and its decimals, where both were read: no cell holds it."""

REMEMBERED = 50_000
"""Cells of one column that are remembered: dates, accounts and series are few, and come often."""

ReadCell: TypeAlias = Callable[[str], str]

_NO_WORDS: Mapping[str, str] = MappingProxyType({})
_WORD_SHOWN = 40


class Take(StrEnum):
    """What is taken of a number: a signed quantity may stand for two columns."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    ABSOLUTE = "absolute"
    SIGN = "sign"


@frozen
class ColumnMapping:
    """Where one column's value stands, and how it is written there.

    ``sources`` are the headings or fields it is made of, several joined by ``join``; or it is
    the ``constant``. ``default`` is what a blank cell means, ``words`` what the words of the
    source stand for, ``decimals`` the implied decimals of a whole number, which may also stand in
    a source of their own, ``decimals_from``.
    """

    sources: tuple[str, ...] = ()
    constant: str | None = None
    join: str = " "
    default: str | None = None
    format: str = ""
    words: Mapping[str, str] = _NO_WORDS
    decimals: int = 0
    take: Take | None = None
    decimals_from: str = ""


@frozen
class Spelling:
    """How a whole file writes its numbers, dates and times; blank formats are ISO 8601."""

    date_format: str = ""
    time_format: str = ""
    decimal_point: str = "."
    thousands: str = ""


class CellMemory(dict[str, str]):
    """Cells that were read already, and a reader for those that were not.

    >>> from hkex_ops.clearing.columns import COLUMNS
    >>> from hkex_ops.model import RecordKind
    >>> price = COLUMNS[RecordKind.TRADES][4]
    >>> memory = CellMemory(reader_of(price, ColumnMapping(("Price",)), Spelling(thousands=",")))
    >>> memory["20,500.50"]
    '20500.5'
    """

    def __init__(self, read: ReadCell) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> str:
        value = self._read(text)
        if len(self) < REMEMBERED:
            self[text] = value
        return value


def reader_of(column: Column, mapping: ColumnMapping, spelling: Spelling) -> ReadCell:
    """Reads cells of ``column`` as ``mapping`` and ``spelling`` say they are written.

    With ``decimals_from`` a cell is the number, `DECIMALS_SIGN` and its decimals.
    """
    if mapping.decimals_from:
        return _with_decimals(column, mapping, spelling)
    parse = _parser(column, mapping, spelling)

    def read(cell: str) -> str:
        text = cell.strip()
        if not text and mapping.default is not None:
            text = mapping.default
        if not text:
            if column.needed:
                raise ValueError("is empty")
            return ""
        if not text.isprintable():
            raise ValueError(f"{_shown(text)} holds a sign that cannot be printed")
        return parse(text)

    return read


def _with_decimals(column: Column, mapping: ColumnMapping, spelling: Spelling) -> ReadCell:
    """Reads numbers whose decimals are told beside each; a reader for each count of decimals."""
    readers: dict[int, ReadCell] = {}

    def read(cell: str) -> str:
        text, _, told = (part.strip() for part in cell.partition(DECIMALS_SIGN))
        decimals = int(told) if told.isascii() and told.isdecimal() and len(told) < 3 else -1
        if text and not 0 <= decimals <= MOST_DECIMALS:
            raise ValueError(f"{_shown(text)} has {_shown(told)} for its decimals, no such number")
        if decimals not in readers:
            plain = evolve(mapping, decimals_from="", decimals=max(decimals, 0))
            readers[decimals] = reader_of(column, plain, spelling)
        return readers[decimals](text)

    return read


def _parser(column: Column, mapping: ColumnMapping, spelling: Spelling) -> ReadCell:
    match column.type:
        case ColumnType.TEXT:
            return lambda text: mapping.words.get(text, text)
        case ColumnType.SIDE:
            return _side(mapping, spelling)
        case ColumnType.DATE:
            pattern = mapping.format or spelling.date_format
            return lambda text: _date(text, pattern)
        case ColumnType.INSTANT:
            pattern = mapping.format or spelling.time_format
            return lambda text: _instant(text, pattern)
        case ColumnType.WHOLE:
            return _whole(mapping, spelling)
        case ColumnType.DECIMAL:
            number = _number(mapping, spelling)
            return lambda text: spell_decimal(number(text))


def _side(mapping: ColumnMapping, spelling: Spelling) -> ReadCell:
    words: Mapping[str, str] = mapping.words or {one.value: one.value for one in ClearingSide}
    number = _number(mapping, spelling) if mapping.take is Take.SIGN else None

    def read(text: str) -> str:
        if number is not None:
            figure = number(text)
            text = "0" if not figure else "-" if figure < 0 else "+"
        word = words.get(text)
        if word is None:
            near = get_close_matches(text, list(words), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(words)}"
            raise ValueError(f"unknown side {_shown(text)}; {hint}")
        return word

    return read


def _whole(mapping: ColumnMapping, spelling: Spelling) -> ReadCell:
    number = _number(mapping, spelling)
    plainly = not mapping.decimals and mapping.take is None

    def read(text: str) -> str:
        if plainly and len(text) <= MOST_DIGITS and text.isascii() and text.isdecimal():
            return text.lstrip("0") or "0"
        figure = number(text)
        if figure != int(figure):
            raise ValueError(f"{_shown(text)} is no whole number")
        return str(int(figure))

    return read


def _number(mapping: ColumnMapping, spelling: Spelling) -> Callable[[str], Decimal]:
    point, thousands = re.escape(spelling.decimal_point), re.escape(spelling.thousands)
    grouped = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|" if thousands else ""
    pattern = re.compile(rf"[+-]?(?:{grouped}\d+)(?:{point}\d+)?", re.ASCII)
    example = f"1{spelling.thousands}234{spelling.decimal_point}50"

    def read(text: str) -> Decimal:
        if not pattern.fullmatch(text):
            raise ValueError(f"{_shown(text)} is no number such as {example}")
        plain = text.replace(spelling.thousands, "") if thousands else text
        plain = plain.replace(spelling.decimal_point, ".")
        if len(plain) > MOST_DIGITS:
            raise ValueError(f"{_shown(text)} has more than {MOST_DIGITS} digits")
        figure = Decimal(plain).scaleb(-mapping.decimals, EXACT)
        return _taken(figure, mapping.take)

    return read


def _taken(figure: Decimal, take: Take | None) -> Decimal:
    match take:
        case Take.POSITIVE:
            return figure if figure > 0 else Decimal(0)
        case Take.NEGATIVE:
            return figure.copy_abs() if figure < 0 else Decimal(0)
        case Take.ABSOLUTE:
            return figure.copy_abs()
        case _:
            return figure


def _date(text: str, pattern: str) -> str:
    try:
        day = datetime.strptime(text, pattern).date() if pattern else date.fromisoformat(text)  # noqa: DTZ007 - a date alone
    except ValueError:
        raise ValueError(
            f"{_shown(text)} is no date written as {pattern or '2019-05-03'}"
        ) from None
    return day.isoformat()


def _instant(text: str, pattern: str) -> str:
    try:
        # Without a zone it is Hong Kong's.
        at = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007
        return spell_instant(at)
    # OverflowError: a year that no other zone can spell.
    except (ValueError, OverflowError):
        wanted = pattern or "2019-05-03T10:15:00"
        raise ValueError(f"{_shown(text)} is no time written as {wanted}") from None


def _shown(text: str) -> str:
    """A cell as a complaint repeats it: its beginning, on one line."""
    cut = text if len(text) <= _WORD_SHOWN else f"{text[:_WORD_SHOWN]}…"
    return ascii(cut) if not cut.isprintable() else repr(cut)
