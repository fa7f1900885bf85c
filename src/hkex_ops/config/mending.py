"""A faulty document made whole enough to be judged further, so that every fault comes out at once.

The shape of a file is structured first and its sense checked on the value, so a wrong weekday
would hide a deadline that is too late. Here each faulty place is filled with something harmless of
the right kind: a moment keeps its date and loses its wrong weekday, a misspelt word becomes the
nearest one, what cannot be read becomes unknown. What comes out is only ever judged, never used;
whoever judges it leaves out what is said about a mended place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from types import UnionType
from typing import Union, cast, get_args, get_origin, get_type_hints

import attrs

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import Bound, Source, Window
from hkex_ops.reports import CutOff
from hkex_ops.rollouts import parse_date

__all__ = ["mended", "touches"]

_STEP = re.compile(r"\[(?P<index>\d+)\]|(?P<key>[^.\[\]]+)")
_WEEKDAY = re.compile(r"\s*\([^()]*\)")
_MOMENT = re.compile(r"(?:.* )?(?P<date>\d{4}-\d{2}-\d{2})(?: ~?\d{2}:\d{2})?")
_TABLES = (dict, Mapping)
_ANY_DATE = "2000-01-01"
_ANY_TIME = "00:00"
_UNKNOWN = "unknown"
_TEXT = "?"


def mended(
    table: Mapping[str, object], kind: type[object], paths: Iterable[str]
) -> dict[str, object]:
    """A copy of ``table`` in which every place named in ``paths`` is fit for a ``kind``."""
    copy: object = deepcopy(dict(table))
    for path in paths:
        steps = [
            int(found["index"]) if found["index"] else found["key"]
            for found in _STEP.finditer(path)
        ]
        if steps:
            copy = _mended(copy, kind, steps)
    return cast("dict[str, object]", copy)


def touches(path: str, places: Iterable[str]) -> bool:
    """Whether ``path`` lies at, in or around one of ``places``."""
    return any(_within(path, place) or _within(place, path) for place in places)


def _within(path: str, place: str) -> bool:
    return path == place or path.startswith((f"{place}.", f"{place}["))


def _mended(value: object, kind: object, steps: Sequence[int | str]) -> object:
    if not steps:
        return _stand_in(kind, value)
    step, *rest = steps
    kind = _required(kind)
    if isinstance(step, int) and isinstance(value, list):
        members = cast("list[object]", value)
        if step < len(members) and get_args(kind):
            members[step] = _mended(members[step], get_args(kind)[0], rest)
        return members
    if isinstance(step, str) and isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        inner = get_args(kind)[1] if get_origin(kind) in _TABLES else _kinds(kind).get(step)
        if inner is None:
            fields.pop(step, None)
        else:
            fields[step] = _mended(fields.get(step), inner, rest)
        return fields
    return _stand_in(kind, value)


def _kinds(kind: object) -> Mapping[str, object]:
    """What the keys of a table hold, as a file spells them."""
    if kind is Window:
        return {"from": Bound, "to": Bound, "business_date": date}
    if not isinstance(kind, type) or not attrs.has(kind):
        return {}
    return {name.rstrip("_"): inner for name, inner in get_type_hints(kind).items()}


def _required(kind: object) -> object:
    """``X`` where the kind is ``X | None``."""
    if get_origin(kind) in (Union, UnionType):
        return next(one for one in get_args(kind) if one is not type(None))
    return kind


def _stand_in(kind: object, value: object) -> object:
    kind = _required(kind)
    if get_origin(kind) is tuple:
        if get_args(kind)[0] is not str:
            return []
        # A text where a list is wanted means a list of it.
        return [value if isinstance(value, str) else _TEXT]
    if get_origin(kind) in _TABLES:
        return {}
    if kind is CutOff or kind is TimeOfDay:
        return _ANY_TIME
    if kind is Bound:
        return _moment(value)
    if kind is Window:
        return {"from": _UNKNOWN, "to": _UNKNOWN}
    if kind is date:
        found = _moment(value)
        return _ANY_DATE if found == _UNKNOWN else found
    if kind is int or kind is float:
        return 1
    if kind is bool:
        return False
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        words = [member.value for member in kind]
        return next(iter(get_close_matches(str(value), words, n=1)), words[0])
    if isinstance(kind, type) and attrs.has(kind) and kind is not Source:
        kinds = _kinds(kind)
        return {
            name: _stand_in(kinds[name], None)
            for attribute in attrs.fields(kind)
            if attribute.default is attrs.NOTHING
            for name in [attribute.name.rstrip("_")]
        }
    return _TEXT


def _moment(value: object) -> str:
    """The moment without its weekday, if that is all that was wrong with it."""
    if not isinstance(value, str):
        return _UNKNOWN
    bare = _WEEKDAY.sub("", value)
    found = _MOMENT.fullmatch(bare)
    try:
        parse_date(found["date"] if found else "")
    except ValueError:
        return _UNKNOWN
    return bare
