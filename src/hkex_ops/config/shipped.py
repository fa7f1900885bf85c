"""The data that ships with the library, and a user's own files of the same form, as values.

The one place that opens the data folders of the pure rooms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from hkex_ops.calendars import Calendar, CalendarTables
from hkex_ops.config.stated import add_dates, add_moments, add_sources
from hkex_ops.config.structuring import document_of, make_converter, nearest, read_text, structure
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.model import Rollout
from hkex_ops.rollouts import faults_of

__all__ = [
    "load_calendar",
    "load_rollout",
    "load_rollouts",
    "rollout_named",
    "structure_rollout",
]


def load_calendar(override: Path | None = None) -> Calendar:
    """Hong Kong's calendar as shipped, with the days of the file ``override`` laid over it."""
    if override is None:
        return Calendar(_shipped_tables())
    text = read_text(override, what="calendar file")
    own = _tables(text, str(override), base=_shipped_tables())
    return Calendar(_shipped_tables().overridden_by(own))


def load_rollouts(calendar: Calendar) -> Mapping[str, Rollout]:
    """The rollouts that ship with the library, by id."""
    shipped = files("hkex_ops.rollouts").joinpath("data")
    texts = sorted(
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in shipped.iterdir()
        if entry.name.endswith(".toml")
    )
    loaded = [structure_rollout(text, calendar, document=name) for name, text in texts]
    return {rollout.id: rollout for rollout in loaded}


def load_rollout(path: Path, calendar: Calendar) -> Rollout:
    """The rollout in a file that a person wrote; `ConfigError` lists every fault in it."""
    return structure_rollout(read_text(path, what="rollout file"), calendar, document=str(path))


def structure_rollout(text: str, calendar: Calendar, *, document: str) -> Rollout:
    """The rollout that a TOML text spells, its moments resolved by ``calendar``."""
    table = document_of(text, document=document)
    converter = make_converter()
    add_dates(converter)
    add_moments(converter, calendar)
    add_sources(converter, _first_circular(table))
    rollout = structure(table, Rollout, document=document, converter=converter)
    _refuse(faults_of(rollout), document)
    return rollout


def rollout_named(id: str, rollouts: Mapping[str, Rollout]) -> Rollout:
    """The rollout called ``id``; `UsageError` names the nearest when there is none."""
    try:
        return rollouts[id]
    except KeyError:
        raise UsageError(f"there is no rollout {id!r}; {nearest(id, list(rollouts))}") from None


@cache
def _shipped_tables() -> CalendarTables:
    shipped = files("hkex_ops.calendars").joinpath("data", "hong-kong.toml")
    return _tables(shipped.read_text(encoding="utf-8"), "hong-kong.toml")


def _tables(text: str, document: str, *, base: CalendarTables | None = None) -> CalendarTables:
    table = document_of(text, document=document)
    if base is not None:
        # A user's file may give nothing but days: what it leaves out is as shipped.
        shipped = {"zone": base.zone, "first_day": base.first_day, "last_day": base.last_day}
        table = {**shipped, **table}
    converter = make_converter()
    add_dates(converter)
    tables = structure(table, CalendarTables, document=document, converter=converter)
    _refuse(tables.faults(base=base), document)
    return tables


def _first_circular(table: Mapping[str, object]) -> str:
    """What sources cite when they name no circular; the shape of the table is judged later."""
    match cast("Sequence[object] | None", table.get("circulars")):
        case [{"reference": str(reference)}, *_]:
            return reference
        case [{"title": str(title)}, *_]:
            return title
        case _:
            return "(no circular named)"


def _refuse(faults: Iterable[tuple[str, str]], document: str) -> None:
    found = [Fault(path, message) for path, message in faults]
    if found:
        raise ConfigError(found, document=document)
