"""Plain data: what may go into a JSON document, a ledger row or an evidence record.

No floats: an index, a price or money travels as a decimal string. Times are ISO 8601 with their
offset, unknown is null, and a key that is a word of Python (``from_``) loses its underscore.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, cast

import attrs

from hkex_ops.model.moments import Bound, Window

__all__ = ["Json", "JsonObject", "plain"]

Json: TypeAlias = "bool | int | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = "Mapping[str, Json]"


def plain(value: object) -> Json:
    """``value`` as plain data, model values and all; `TypeError` for what has no such form."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | str():
            return value
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Window():
            return _window(value)
        case Bound():
            return _bound(value)
        case Mapping():
            pairs = cast("Mapping[object, object]", value)
            return {str(key): plain(inner) for key, inner in pairs.items()}
        case list() | tuple():
            return [plain(inner) for inner in cast("Sequence[object]", value)]
        case _:
            return _record(value)


def _record(value: object) -> Json:
    kind = type(value)
    if not attrs.has(kind):
        raise TypeError(f"{kind.__name__} has no plain form")
    return {
        field.name.rstrip("_"): plain(getattr(value, field.name)) for field in attrs.fields(kind)
    }


def _bound(bound: Bound) -> Json:
    return {
        "at": plain(bound.at),
        "certainty": bound.certainty.value,
        "stated": bound.stated or None,
    }


def _window(window: Window) -> Json:
    return {
        "from": plain(window.start.at),
        "from_certainty": window.start.certainty.value,
        "from_stated": window.start.stated or None,
        "until": plain(window.until.at),
        "until_certainty": window.until.certainty.value,
        "until_stated": window.until.stated or None,
        "business_date": plain(window.business_date),
    }
