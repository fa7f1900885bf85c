"""One value, one spelling: canonical JSON and its SHA-256.

Keys sorted, no space, UTF-8 unescaped, no floats: two programs that hold the same value write the
same bytes, so a digest of the bytes is a digest of the value. Everything that is chained or stored
by digest passes through here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import chain
from typing import NoReturn, cast

from hkex_ops.model import Json, JsonObject

__all__ = ["DEEPEST", "canonical", "digest", "parse_object"]

DEEPEST = 64
"""Levels of nesting accepted; records are flat, and a hostile text must not exhaust the stack."""

_SCALARS = frozenset({str, int, bool, type(None)})
_TEXT = frozenset({str})
_ROWS = frozenset({dict})

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical(value: Json) -> bytes:
    """The one spelling of ``value``.

    Raises `TypeError` for a float or any other thing that is not plain data, and `ValueError` for
    text that has no UTF-8 form (a lone surrogate) or nesting beyond `DEEPEST`.
    """
    return _ENCODER.encode(_plain(value, DEEPEST)).encode()


def digest(data: bytes) -> str:
    """The SHA-256 of ``data``, 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def parse_object(text: str | bytes) -> JsonObject:
    """The object that a canonical text spells; `ValueError` for any other text.

    Strict, so that a text cannot be altered and still mean the same: another order of keys, a
    space, a doubled key or a float are all refused.
    """
    data = text.encode() if isinstance(text, str) else text
    try:
        value: object = json.loads(data, parse_float=_refuse, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    found = cast("JsonObject", value)
    if canonical(found) != data:
        raise ValueError("is not spelt canonically")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"holds {text}, and floats decide nothing here")


def _plain(value: object, levels: int) -> object:
    """``value`` in dicts and lists only, every key a text."""
    if type(value) in _SCALARS:
        return value
    # Nothing has to be made plain in most of what is spelt: rows of a table, and lists of them.
    if type(value) is dict and levels:
        row = cast("dict[object, object]", value)
        if _TEXT.issuperset(map(type, row)) and _SCALARS.issuperset(map(type, row.values())):
            return row
    if isinstance(value, list) and levels > 1:
        rows = cast("list[dict[object, object]]", value)
        if _ROWS.issuperset(map(type, rows)):
            items = chain.from_iterable(row.values() for row in rows)
            if _TEXT.issuperset(map(type, chain.from_iterable(rows))) and _SCALARS.issuperset(
                map(type, items)
            ):
                return rows
    if isinstance(value, str | int):
        return value
    if levels == 0:
        raise ValueError(f"is nested more than {DEEPEST} levels deep")
    if isinstance(value, Mapping):
        mapping = cast("Mapping[object, object]", value)
        return {_key(key): _plain(item, levels - 1) for key, item in mapping.items()}
    if isinstance(value, list | tuple):
        members = cast("list[object]", value)
        return [_plain(item, levels - 1) for item in members]
    raise TypeError(f"{type(value).__name__} is not plain data")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is {type(key).__name__}, and only text can be one")
    return key
