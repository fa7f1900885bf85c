"""Files of layouts, TOML or JSON by their name: read with every fault at once, and written.

A file is the licensee's own, like the header it was made from; it holds names and sizes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import attrs

from hkex_ops.config.structuring import document_of, in_order, read_text, structure
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.model import Json, plain
from hkex_ops_oapi.headers import Codes
from hkex_ops_oapi.layouts import Body, Items, LayoutField, Layouts, Record, faults_of

__all__ = ["format_layouts", "load_layouts", "parse_layouts", "read_codes"]

JSON_SUFFIX = ".json"
TOML_SUFFIX = ".toml"


def load_layouts(path: Path) -> Layouts:
    """The layouts in ``path``; `ConfigError` lists every fault of the file."""
    text = read_text(path, what="layout file")
    return parse_layouts(text, document=str(path), is_json=path.suffix == JSON_SUFFIX)


def parse_layouts(text: str, *, document: str, is_json: bool = False) -> Layouts:
    """The layouts that ``text`` spells; `ConfigError` lists every fault, each with its place."""
    table = _json_document(text, document) if is_json else document_of(text, document=document)
    layouts = structure(table, Layouts, document=document)
    faults = [Fault(path, message) for path, message in faults_of(layouts)]
    if faults:
        raise ConfigError(in_order(faults), document=document)
    return layouts


def read_codes(path: Path) -> Codes:
    """A licensee's file of what the header does not say; `ConfigError` lists every fault."""
    text = read_text(path, what="file of codes")
    stated = structure(document_of(text, document=str(path)), _StatedCodes, document=str(path))
    return Codes(stated.codes, stated.named_structs)


@attrs.frozen
class _StatedCodes:
    codes: Mapping[str, str] = attrs.Factory(dict[str, str])
    named_structs: Mapping[str, str] = attrs.Factory(dict[str, str])


def format_layouts(layouts: Layouts, *, as_json: bool = False) -> str:
    """The text of a layout file, which :func:`parse_layouts` reads back to the same."""
    if as_json:
        document = {
            "version": layouts.version,
            "source": layouts.source,
            "encoding": layouts.encoding,
            "records": {name: _stated(one) for name, one in layouts.records.items()},
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    return "\n".join(_toml(layouts)) + "\n"


def _json_document(text: str, document: str) -> Mapping[str, object]:
    try:
        table: object = json.loads(text)
    # RecursionError: lists within lists without an end.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is not JSON: {error}", document=document) from None
    if not isinstance(table, dict):
        raise ConfigError("must be a table with the records of a release", document=document)
    return cast("Mapping[str, object]", table)


def _stated(value: Record | Items | LayoutField) -> dict[str, Json]:
    """What of a value is not as it is anyway."""
    found: dict[str, Json] = {}
    for one in attrs.fields(type(value)):
        inner: object = getattr(value, one.name)
        if inner is None or (one.default is not attrs.NOTHING and inner == one.default):
            continue
        if isinstance(inner, Items):
            found[one.name] = _stated(inner)
        elif one.name == "fields":
            fields = cast("tuple[LayoutField, ...]", inner)
            found[one.name] = [_stated(field) for field in fields]
        else:
            found[one.name] = plain(inner)
    return found


def _toml(layouts: Layouts) -> Iterator[str]:
    yield "# Layouts of messages, made from a licensee's own header. Keep them as you keep that."
    yield f"version = {layouts.version}"
    yield f"source = {_text(layouts.source)}"
    yield f"encoding = {_text(layouts.encoding)}"
    for name, record in layouts.records.items():
        yield ""
        yield f"[records.{_key(name)}]"
        if record.codes:
            yield f"codes = [{', '.join(_text(code) for code in record.codes)}]"
        if record.named_struct:
            yield f"named_struct = {record.named_struct}"
        yield f"size_bytes = {record.size_bytes}"
        if record.body is not Body.NONE:
            yield f"body = {_text(record.body.value)}"
        if record.count:
            yield f"count = {_text(record.count)}"
        yield from _toml_fields(record.fields)
        if record.items is not None:
            yield ""
            yield f"[records.{_key(name)}.items]"
            yield f"count = {_text(record.items.count)}"
            yield f"most = {record.items.most}"
            yield f"size_bytes = {record.items.size_bytes}"
            yield from _toml_fields(record.items.fields)


def _toml_fields(fields: tuple[LayoutField, ...]) -> Iterator[str]:
    yield "fields = ["
    for one in fields:
        pairs = ", ".join(f"{key} = {_value(value)}" for key, value in _stated(one).items())
        yield f"  {{ {pairs} }},"
    yield "]"


def _value(value: Json) -> str:
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    # A basic string of TOML escapes as JSON does, DEL apart, which no name has.
    return json.dumps(text, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else _text(name)
