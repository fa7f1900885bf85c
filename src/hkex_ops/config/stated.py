"""How the files of this project spell dates, moments, windows, times of day and sources.

Hooks on a cattrs converter, one for each spelling; every one raises ValueError with a sentence,
which :mod:`hkex_ops.config.structuring` turns into a fault with its path.
"""

from __future__ import annotations

from datetime import date, datetime

from attrs import frozen
from cattrs import Converter

from hkex_ops.calendars import Calendar, TimeOfDay
from hkex_ops.model import Bound, Source, Window
from hkex_ops.rollouts import parse_bound, parse_date

__all__ = ["add_dates", "add_moments", "add_sources"]


def add_dates(converter: Converter) -> None:
    """Dates are TOML dates or texts with an optional weekday; times of day are texts."""
    converter.register_structure_hook(date, lambda value, _: _date(value))
    converter.register_structure_hook(TimeOfDay, lambda value, _: TimeOfDay.parse(_text(value)))


def add_moments(converter: Converter, calendar: Calendar) -> None:
    """Bounds and windows, business events resolved by ``calendar``."""

    @frozen
    class Stated:
        """A window as a file writes it."""

        from_: str
        to: str
        business_date: date | None = None

    def window(value: object, _: object) -> Window:
        stated = converter.structure(value, Stated)
        return Window(
            parse_bound(stated.from_, calendar, ends=False),
            parse_bound(stated.to, calendar, ends=True),
            stated.business_date,
        )

    def bound(value: object, _: object) -> Bound:
        # A bound that stands alone is a deadline, and the day of a deadline counts whole.
        return parse_bound(_text(value), calendar, ends=True)

    converter.register_structure_hook(Window, window)
    converter.register_structure_hook(Bound, bound)


def add_sources(converter: Converter, circular: str) -> None:
    """A source is a place in ``circular``, or a table that names another circular too."""

    @frozen
    class Stated:
        """A source as a file writes it."""

        circular: str
        place: str

    def source(value: object, _: object) -> Source:
        if isinstance(value, str):
            if not value.strip():
                raise ValueError("says no place in the paper")
            return Source(circular, value)
        stated = converter.structure(value, Stated)
        return Source(stated.circular, stated.place)

    converter.register_structure_hook(Source, source)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {type(value).__name__}")
    return value


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return parse_date(_text(value))
