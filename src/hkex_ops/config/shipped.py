"""The data that ships with the library, and a user's own files of the same form, as values.

The one place that opens the data folders of the pure rooms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import cast

from hkex_ops.calendars import Calendar, CalendarTables
from hkex_ops.config.mending import mended, touches
from hkex_ops.config.stated import add_dates, add_moments, add_sources, add_unknowns
from hkex_ops.config.structuring import (
    document_of,
    in_order,
    make_converter,
    nearest,
    read_text,
    structure,
)
from hkex_ops.config.told import add_figures, cite_tellers
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.incidents import faults_of as incident_faults_of
from hkex_ops.model import Incident, Rollout
from hkex_ops.rollouts import faults_of

__all__ = [
    "load_calendar",
    "load_incidents",
    "load_rollout",
    "load_rollouts",
    "rollout_named",
    "rollout_template",
    "structure_incident",
    "structure_rollout",
]

MENDING_ROUNDS = 4
"""How often a document is mended to look for more faults; one round finds nearly all of them."""

_UNTOLD = "(no teller named)"
_RESTRICTION_WINDOW = re.compile(r"restrictions\[\d+\]\.window")


def load_calendar(override: Path | None = None) -> Calendar:
    """Hong Kong's calendar as shipped, with the days of the file ``override`` laid over it."""
    if override is None:
        return Calendar(_shipped_tables())
    text = read_text(override, what="calendar file")
    own = _tables(text, str(override), base=_shipped_tables())
    return Calendar(_shipped_tables().overridden_by(own))


def rollout_template() -> str:
    """A commented rollout file to start from; it passes the check as it stands."""
    shipped = files("hkex_ops.rollouts").joinpath("data", "template", "rollout.toml")
    return shipped.read_text(encoding="utf-8")


def load_rollouts(calendar: Calendar) -> Mapping[str, Rollout]:
    """The rollouts that ship with the library, by id."""
    reader = _RolloutReader(calendar)
    loaded = [reader.read(text, name) for name, text in _shipped_texts("hkex_ops.rollouts")]
    return {rollout.id: rollout for rollout in loaded}


def load_incidents(calendar: Calendar) -> Mapping[str, Incident]:
    """The incidents that ship with the library, by id."""
    loaded = [
        structure_incident(text, calendar, document=name)
        for name, text in _shipped_texts("hkex_ops.incidents")
    ]
    return {incident.id: incident for incident in loaded}


def load_rollout(path: Path, calendar: Calendar) -> Rollout:
    """The rollout in a file that a person wrote; `ConfigError` lists every fault in it."""
    return structure_rollout(read_text(path, what="rollout file"), calendar, document=str(path))


def structure_rollout(text: str, calendar: Calendar, *, document: str) -> Rollout:
    """The rollout that a TOML text spells, its moments resolved by ``calendar``.

    Raises `ConfigError` with every fault at once, whether of shape or of sense.
    """
    return _RolloutReader(calendar).read(text, document)


class _RolloutReader:
    """Reads rollout files, their moments resolved by one calendar. Not for several threads.

    One converter serves every document: building it costs as much as reading three files.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._circular = ""
        self._converter = make_converter()
        add_dates(self._converter)
        add_moments(self._converter, calendar)
        add_unknowns(self._converter)
        add_sources(self._converter, lambda: self._circular)

    def read(self, text: str, document: str) -> Rollout:
        """The rollout that a TOML text spells.

        `ConfigError` lists every fault at once: what is wrong with the shape does not hide what
        is wrong with the sense.
        """
        table: Mapping[str, object] = document_of(text, document=document)
        found: list[Fault] = []
        for _ in range(MENDING_ROUNDS):
            mended_places = [fault.path for fault in found]
            # Asked anew: a mended title is what sources cite then.
            self._circular = _first_circular(table)
            try:
                rollout = structure(table, Rollout, document=document, converter=self._converter)
            except ConfigError as error:
                fresh = [one for one in error.faults if not touches(one.path, mended_places)]
                found += fresh
                table = mended(table, Rollout, [fault.path for fault in error.faults])
                continue
            sense = [Fault(path, message) for path, message in faults_of(rollout)]
            found += [one for one in sense if not touches(one.path, mended_places)]
            if not found:
                return rollout
            break
        raise ConfigError([_in_words(one) for one in in_order(found)], document=document)


def structure_incident(text: str, calendar: Calendar, *, document: str) -> Incident:
    """The incident that a TOML text spells; `ConfigError` lists every fault of its shape, or else
    every fault of its sense."""
    table = cite_tellers(document_of(text, document=document))
    converter = make_converter()
    add_dates(converter)
    add_moments(converter, calendar)
    add_figures(converter)
    add_sources(converter, lambda: _UNTOLD)
    incident = structure(table, Incident, document=document, converter=converter)
    _refuse(incident_faults_of(incident), document)
    return incident


def rollout_named(id: str, rollouts: Mapping[str, Rollout]) -> Rollout:
    """The rollout called ``id``; `UsageError` names the nearest when there is none."""
    try:
        return rollouts[id]
    except KeyError:
        raise UsageError(f"there is no rollout {id!r}; {nearest(id, list(rollouts))}") from None


def _in_words(fault: Fault) -> Fault:
    """The same fault, with the reason where a missing key alone would not tell it."""
    if _RESTRICTION_WINDOW.fullmatch(fault.path) and fault.message == "is missing":
        return Fault(fault.path, "is missing: a restriction has a period, and this one has none")
    return fault


def _shipped_texts(room: str) -> list[tuple[str, str]]:
    """The names and texts of the TOML files that lie in a room's data folder, by name."""
    return sorted(
        (entry.name, entry.read_text(encoding="utf-8"))
        for entry in files(room).joinpath("data").iterdir()
        if entry.name.endswith(".toml")
    )


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
        raise ConfigError(in_order(found), document=document)
