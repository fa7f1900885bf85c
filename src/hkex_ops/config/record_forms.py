"""Files that say how clearing records are written: the back office's columns, the gateway's fields.

Both are TOML that the operator writes, since every back office has files of its own and the
clearing house's layouts are not public. Every fault of such a file comes out at once, with its
place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import NewType, cast

from attrs import Factory, frozen
from cattrs import Converter

from hkex_ops.clearing.answers import AnswerMapping, ForEach
from hkex_ops.clearing.cells import ColumnMapping, Spelling, Take
from hkex_ops.clearing.mapping import OWN_MAPPINGS, RecordMapping, mapping_faults
from hkex_ops.config.structuring import (
    document_of,
    in_order,
    make_converter,
    read_text,
    said,
    structure,
)
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.model import FieldValue, RecordKind, TransactionType

__all__ = ["FileForm", "load_answers", "load_file_forms"]

_Names = NewType("_Names", tuple[str, ...])
_Value = NewType("_Value", object)

# What a mapping of a file and one of answers call the same thing.
_KINDS = tuple(kind.value for kind in RecordKind)


# -- the back office's files -------------------------------------------------------------------


@frozen
class _StatedColumn:
    from_: _Names | None = None
    constant: str | None = None
    join: str = " "
    default: str | None = None
    format: str = ""
    words: dict[str, str] = Factory(dict[str, str])
    decimals: int = 0
    decimals_from: str = ""
    take: Take | None = None

    def mapping(self) -> ColumnMapping:
        """The same as the mapping has it."""
        return ColumnMapping(
            () if self.from_ is None else tuple(cast("tuple[str, ...]", self.from_)),
            self.constant,
            self.join,
            self.default,
            self.format,
            self.words,
            self.decimals,
            self.take,
            self.decimals_from,
        )


@frozen
class _StatedFile:
    columns: dict[str, _StatedColumn]
    keep: dict[str, tuple[str, ...]] = Factory(dict[str, tuple[str, ...]])
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = 0
    date_format: str = ""
    time_format: str = ""
    decimal_point: str = "."
    thousands: str = ""


@frozen
class _StatedFiles:
    trades: _StatedFile | None = None
    positions: _StatedFile | None = None
    transactions: _StatedFile | None = None


@frozen
class FileForm:
    """How a file of records is written: its cells, and what they are."""

    records: RecordMapping
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    skip_lines: int = 0


def load_file_forms(path: Path | None) -> Mapping[RecordKind, FileForm]:
    """How the files of each kind are written; without a ``path``, as this library writes them.

    Raises `ConfigError` with every fault of the file.
    """
    if path is None:
        return {kind: FileForm(OWN_MAPPINGS[kind]) for kind in RecordKind}
    table = document_of(read_text(path, what="mapping of columns"), document=str(path))
    stated = structure(table, _StatedFiles, document=str(path), converter=_converter())
    forms: dict[RecordKind, FileForm] = {}
    faults: list[Fault] = []
    for kind in RecordKind:
        one: _StatedFile | None = getattr(stated, kind.value)
        if one is not None:
            forms[kind] = _form(kind, one)
            faults += _under(kind.value, _file_faults(forms[kind]))
    if not forms and not faults:
        faults.append(Fault("", f"maps nothing: write a table [{'], ['.join(_KINDS)}]"))
    if faults:
        raise ConfigError(in_order(faults), document=str(path))
    return forms


def _form(kind: RecordKind, stated: _StatedFile) -> FileForm:
    spelling = Spelling(
        stated.date_format, stated.time_format, stated.decimal_point, stated.thousands
    )
    columns = {name: one.mapping() for name, one in stated.columns.items()}
    return FileForm(
        RecordMapping(kind, columns, spelling, stated.keep),
        stated.delimiter,
        stated.quote,
        stated.encoding,
        stated.skip_lines,
    )


def _file_faults(form: FileForm) -> Iterator[tuple[str, str]]:
    yield from mapping_faults(form.records)
    for path, sign in (("delimiter", form.delimiter), ("quote", form.quote)):
        if len(sign) != 1 or sign.isalnum() or sign in "\r\n ":
            yield path, f"{sign!r} must be one sign"
    if form.delimiter == form.quote:
        yield "quote", "is the delimiter too"
    try:
        "".encode(form.encoding)
    except LookupError:
        yield "encoding", f"unknown encoding {form.encoding!r}; write it as utf-8, big5 or cp1252"
    if not 0 <= form.skip_lines <= 1000:
        yield "skip_lines", "must be from 0 to 1000"


# -- the gateway's answers ---------------------------------------------------------------------


@frozen
class _StatedForEach:
    enquiry: str
    parameters: dict[str, str]
    answer: str = ""


@frozen
class _StatedAnswer:
    enquiry: str
    columns: dict[str, _StatedColumn]
    keep: dict[str, tuple[str, ...]] = Factory(dict[str, tuple[str, ...]])
    answer: str = ""
    parameters: dict[str, _Value] = Factory(dict[str, _Value])
    for_each: _StatedForEach | None = None
    date_format: str = ""
    time_format: str = ""


@frozen
class _StatedAnswers:
    trades: tuple[_StatedAnswer, ...] = ()
    positions: tuple[_StatedAnswer, ...] = ()
    transactions: tuple[_StatedAnswer, ...] = ()


def load_answers(path: Path) -> Mapping[RecordKind, tuple[AnswerMapping, ...]]:
    """Which enquiries bring records of each kind, and in which fields they stand.

    Raises `ConfigError` with every fault of the file.
    """
    table = document_of(read_text(path, what="mapping of answers"), document=str(path))
    stated = structure(table, _StatedAnswers, document=str(path), converter=_converter())
    mappings: dict[RecordKind, tuple[AnswerMapping, ...]] = {}
    faults: list[Fault] = []
    for kind in RecordKind:
        many: tuple[_StatedAnswer, ...] = getattr(stated, kind.value)
        mappings[kind] = tuple(_answer(kind, one) for one in many)
        for place, mapping in enumerate(mappings[kind]):
            faults += _under(f"{kind}[{place}]", _answer_faults(mapping))
    if faults:
        raise ConfigError(in_order(faults), document=str(path))
    return mappings


def _answer(kind: RecordKind, stated: _StatedAnswer) -> AnswerMapping:
    columns = {name: one.mapping() for name, one in stated.columns.items()}
    each = stated.for_each
    return AnswerMapping(
        stated.enquiry,
        RecordMapping(kind, columns, Spelling(stated.date_format, stated.time_format), stated.keep),
        stated.answer,
        cast("dict[str, FieldValue]", stated.parameters),
        None if each is None else ForEach(each.enquiry, each.parameters, each.answer),
    )


_HOLDER = re.compile(r"\{(?:business_date|since)(?::[^{}]*)?\}|\{|\}")


def _answer_faults(mapping: AnswerMapping) -> Iterator[tuple[str, str]]:
    yield from mapping_faults(mapping.records)
    each = mapping.for_each
    codes = [("enquiry", mapping.enquiry), ("answer", mapping.answer)]
    if each is not None:
        codes += [("for_each.enquiry", each.enquiry), ("for_each.answer", each.answer)]
    for path, code in codes:
        try:
            if code or path.endswith("enquiry"):
                TransactionType.parse(code)
        except UsageError as error:
            yield path, str(error)
    for name, value in mapping.parameters.items():
        if isinstance(value, str) and any(len(one[0]) == 1 for one in _HOLDER.finditer(value)):
            yield (
                f"parameters.{name}",
                f"{value!r} can hold {{business_date}} and {{since}} alone, with a format such as "
                "{business_date:%Y%m%d}",
            )


# -- both --------------------------------------------------------------------------------------


def _under(path: str, faults: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    for below, sentence in faults:
        yield Fault(f"{path}.{below}", sentence)


def _converter() -> Converter:
    converter = make_converter()
    structure_column = converter.get_structure_hook(_StatedColumn)

    def column(value: object, kind: type[_StatedColumn]) -> _StatedColumn:
        # The short form: the heading alone.
        table: object = value
        if isinstance(value, str | list):
            table = {"from": cast("object", value)}
        return cast("_StatedColumn", structure_column(table, kind))

    def names(value: object, _: object) -> tuple[str, ...]:
        many = cast("list[object]", value) if isinstance(value, list) else [value]
        if not many or not all(isinstance(one, str) and one for one in many):
            raise ValueError("must be a heading or a field, or a list of them, as texts")
        return tuple(str(one) for one in many)

    def parameter(value: object, _: object) -> FieldValue:
        if type(value) not in (int, str, date):
            raise ValueError(f"must be a whole number, a text or a date, not {said(value)}")
        return cast("FieldValue", value)

    converter.register_structure_hook(_StatedColumn, column)
    converter.register_structure_hook(_Names, names)
    converter.register_structure_hook(_Value, parameter)
    return converter
