"""How the files of this project spell dates, moments, windows, unknown numbers and sources.

Hooks on a cattrs converter, one for each spelling; every one raises ValueError with a sentence,
which :mod:`hkex_ops.config.structuring` turns into a fault with its path.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import NewType, cast

from attrs import frozen
from cattrs import Converter

from hkex_ops.calendars import Calendar, TimeOfDay
from hkex_ops.config.structuring import said
from hkex_ops.model import Bound, Source, Window
from hkex_ops.rollouts import parse_bound, parse_date

__all__ = ["add_dates", "add_moments", "add_sources", "add_unknowns"]

_Start = NewType("_Start", Bound)
_End = NewType("_End", Bound)


@frozen
class _StatedWindow:
    """A window as a file writes it."""

    from_: _Start
    to: _End
    business_date: date | None = None


@frozen
class _StatedSource:
    """A source as a file writes it."""

    circular: str
    place: str


def add_dates(converter: Converter) -> None:
    """Dates are TOML dates or texts with an optional weekday; times of day are texts."""
    converter.register_structure_hook(date, lambda value, _: _date(value))
    converter.register_structure_hook(TimeOfDay, lambda value, _: TimeOfDay.parse(_text(value)))


def add_moments(converter: Converter, calendar: Calendar) -> None:
    """Bounds and windows, business events resolved by ``calendar``."""

    def window(value: object, _: object) -> Window:
        stated = converter.structure(value, _StatedWindow)
        return Window(stated.from_, stated.to, stated.business_date)

    def start(value: object, _: object) -> Bound:
        return parse_bound(_text(value), calendar, ends=False)

    def bound(value: object, _: object) -> Bound:
        # A bound that stands alone is a deadline, and the day of a deadline counts whole.
        return parse_bound(_text(value), calendar, ends=True)

    converter.register_structure_hook(Window, window)
    converter.register_structure_hook(Bound, bound)
    converter.register_structure_hook(_Start, start)
    converter.register_structure_hook(_End, bound)


def add_unknowns(converter: Converter) -> None:
    """A number that a paper does not give is written ``"unknown"``; leaving it out is a fault."""

    def number(value: object, _: object) -> int | None:
        if value == "unknown":
            return None
        return converter.structure(value, int)

    # typing: cattrs knows a hook for a union, its signature does not.
    converter.register_structure_hook(cast("type[int]", int | None), number)


def add_sources(converter: Converter, circular: Callable[[], str]) -> None:
    """A source is a place in ``circular``, or a table that names another circular too.

    ``circular`` is asked for each source, so that one converter serves many documents.
    """

    def source(value: object, _: object) -> Source:
        stated = (
            _StatedSource(circular(), value)
            if isinstance(value, str)
            else converter.structure(value, _StatedSource)
        )
        if not stated.circular.strip():
            raise ValueError("names no circular")
        if not stated.place.strip():
            raise ValueError("says no place in the paper")
        return Source(stated.circular, stated.place)

    converter.register_structure_hook(Source, source)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {said(value)}")
    return value


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return parse_date(_text(value))
