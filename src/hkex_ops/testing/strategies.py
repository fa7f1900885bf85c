"""Hypothesis strategies for every value of the model: :func:`values_of` builds one from its class.

What is drawn keeps to what the class itself demands: aware datetimes of Hong Kong's zone, finite
decimals, texts that can be printed. Nothing of Hypothesis's own registry is changed, so that two
projects which use it in one test run do not disturb each other.

>>> from hkex_ops.model import Endpoint
>>> isinstance(values_of(Endpoint).example(), Endpoint)  # doctest: +SKIP
True
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import reject, strategies as st
from hypothesis.strategies import SearchStrategy

from hkex_ops.model import HONG_KONG

__all__ = ["aware_datetimes", "decimals", "texts", "values_of"]

T = TypeVar("T")

FEW = 3
"""How many members a drawn collection has at most: values within values grow fast."""

DEEPEST = 4
"""How deep values hold values before optional ones are left out and collections are empty."""


def texts() -> SearchStrategy[str]:
    """Texts of a line that say something: letters, digits and signs, Chinese among them."""
    letters = st.characters(codec="utf-8", categories=["L", "N", "P"])
    return st.text(letters, min_size=1, max_size=12)


def decimals() -> SearchStrategy[Decimal]:
    """Finite decimals with at most four places, as prices and values have."""
    return st.decimals(-10_000_000, 10_000_000, allow_nan=False, allow_infinity=False, places=4)


def aware_datetimes() -> SearchStrategy[datetime]:
    """Instants between 2009 and 2028 on the exchange's clock."""
    return st.datetimes(
        datetime(2009, 1, 1),  # noqa: DTZ001 - the zone comes beside it
        datetime(2028, 1, 1),  # noqa: DTZ001
        timezones=st.just(HONG_KONG),
    )


_PLAIN: Mapping[object, Callable[[], SearchStrategy[object]]] = {
    str: texts,
    int: lambda: st.integers(1, 1_000_000),
    bool: st.booleans,
    bytes: lambda: st.binary(max_size=40),
    float: lambda: st.floats(0, 1000, allow_nan=False),
    Decimal: decimals,
    date: lambda: st.dates(date(2009, 1, 1), date(2027, 12, 31)),
    time: st.times,
    timedelta: lambda: st.timedeltas(timedelta(0), timedelta(days=30)),
    datetime: aware_datetimes,
    type(None): st.none,
    object: lambda: st.one_of(st.none(), st.integers(), texts()),
}


def values_of(kind: type[T]) -> SearchStrategy[T]:
    """Values of ``kind``, which is a class of the model or any other attrs class of such parts.

    Combinations that the class refuses with `ValueError` are not drawn. Raises `TypeError` for a
    class with a field of which nothing is known.
    """
    return typing.cast("SearchStrategy[T]", _strategy(kind, 0))


def _strategy(annotation: object, depth: int) -> SearchStrategy[object]:
    known = _PLAIN.get(annotation)
    if known is not None:
        return known()
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _strategy(arguments[0], depth)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return _of_union(arguments, depth)
    if origin is not None:
        return _of_collection(origin, arguments, depth)
    if isinstance(annotation, TypeVar):
        return texts()
    if isinstance(annotation, type):
        return _of_class(annotation, depth)
    raise TypeError(f"nothing is known of {annotation!r}: build its values yourself")


def _of_union(arguments: Sequence[object], depth: int) -> SearchStrategy[object]:
    if depth >= DEEPEST and type(None) in arguments:
        return st.none()
    members = [one for one in arguments if depth < DEEPEST or one in _PLAIN] or arguments[:1]
    return st.one_of([_strategy(one, depth) for one in members])


def _of_collection(
    origin: object, arguments: Sequence[object], depth: int
) -> SearchStrategy[object]:
    most = FEW if depth < DEEPEST else 0
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        return st.tuples(*(_strategy(one, depth + 1) for one in arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        keys, members = (_strategy(one, depth + 1) for one in arguments)
        return st.dictionaries(keys, members, max_size=most)
    members = _strategy(arguments[0], depth + 1)
    if origin in (set, frozenset):
        return st.frozensets(members, max_size=most)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return st.lists(members, max_size=most).map(tuple)
    raise TypeError(f"nothing is known of {origin!r}: build its values yourself")


def _of_class(kind: type[object], depth: int) -> SearchStrategy[object]:
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    if issubclass(kind, PurePath):
        return texts().map(kind)
    named: Sequence[str] | None = getattr(kind, "_fields", None)
    if named is not None:
        names = {name: name for name in named}
    elif attrs.has(kind):
        names = {one.name: one.alias or one.name for one in attrs.fields(kind) if one.init}
    else:
        raise TypeError(f"nothing is known of {kind.__name__}: build its values yourself")
    return st.deferred(lambda: _built(kind, names, depth))


def _built(kind: type[object], names: Mapping[str, str], depth: int) -> SearchStrategy[object]:
    hints = get_type_hints(kind, include_extras=True)
    parts = {alias: _strategy(hints[name], depth + 1) for name, alias in names.items()}

    @st.composite
    def build(draw: st.DrawFn) -> object:
        given = {alias: draw(part) for alias, part in parts.items()}
        try:
            return kind(**given)
        except ValueError:
            reject()

    return build()
