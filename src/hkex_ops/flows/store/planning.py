"""What is to become of each report that arrived, decided by the ledger and a look at the disk."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date, datetime

from attrs import frozen

from hkex_ops.errors import StoreError
from hkex_ops.evidence import Record, canonical
from hkex_ops.flows.store import layout
from hkex_ops.flows.store.disk import EntryKind, Folder
from hkex_ops.flows.store.names import HIGHEST_VERSION
from hkex_ops.flows.store.reading import Intent, LedgerReader
from hkex_ops.flows.store.rows import (
    Arrival,
    FileRecord,
    Outcome,
    Placed,
    file_body,
    file_record,
    path_of,
)
from hkex_ops.model import JsonObject

__all__ = ["Plan", "Planner"]

PLANNED = 0
"""The sequence of a row that is not written yet."""


@frozen
class Plan:
    """What is to become of one arrival. ``body`` is the row that will say so, if one is due."""

    arrival: Arrival
    placed: Placed
    body: JsonObject | None
    spelt: bytes | None = None
    """The body as it is written, once for all who write it."""

    @property
    def links(self) -> bool:
        """Whether a file is to appear."""
        return self.placed.outcome is not Outcome.SAME

    @property
    def intent(self) -> Intent:
        """What to write down before the file appears."""
        return Intent(self.placed.path, self.placed.outcome, self.body or {}, self.spelt)


class Planner:
    """Plans one batch: an arrival counts as known to those after it."""

    def __init__(self, root: Folder, ledger: LedgerReader) -> None:
        self._root = root
        self._ledger = ledger
        self._known: dict[tuple[str, date, str], list[FileRecord]] = {}
        self._planned: dict[tuple[str, date, str], list[Record]] = {}
        self._parents: dict[tuple[str, ...], Folder] = {}

    def plan(self, arrivals: Sequence[Arrival], at: datetime) -> list[Plan]:
        """A plan for each arrival, in order. Raises `StoreError`; `UsageError` for a bad name."""
        plans: list[Plan] = []
        self._learn(arrivals)
        with ExitStack() as closing:
            for arrival in arrivals:
                known = self._rows(arrival)
                plan = self._plan(arrival, known, at, closing)
                if plan.body is not None:
                    row = Record(PLANNED, "", "", plan.placed.outcome, plan.body, "")
                    self._planned.setdefault(_key(arrival), []).append(row)
                plans.append(plan)
            self._parents.clear()
        return plans

    def _is_taken(self, names: Sequence[str], closing: ExitStack) -> bool:
        """Whether anything lies there. The folders of one batch are few, so they stay open."""
        *parents, name = names
        place = tuple(parents)
        if place not in self._parents:
            found = self._root.look(*parents)
            if found is None or found.kind is not EntryKind.FOLDER:
                return False
            self._parents[place] = closing.enter_context(self._root.folder(*parents))
        return self._parents[place].has(name)

    def _learn(self, arrivals: Sequence[Arrival]) -> None:
        """Ask the ledger about the names of a batch at once."""
        names: dict[str, set[str]] = {}
        for arrival in arrivals:
            layout.require_name(arrival.listed.name, "a report")
            layout.require_name(arrival.identity.service, "a service")
            self._known.setdefault(_key(arrival), [])
            names.setdefault(arrival.identity.service, set()).add(arrival.listed.name)
        for service, some in names.items():
            for row in layout.file_records(self._ledger, service, *some):
                known = self._known.get((service, row.identity.business_date, row.name))
                if known is not None:
                    known.append(row)

    def _rows(self, arrival: Arrival) -> list[FileRecord]:
        """What is known of this name on this business date."""
        known = self._known[_key(arrival)]
        known += map(file_record, self._planned.pop(_key(arrival), ()))
        return known

    def _plan(
        self, arrival: Arrival, known: Sequence[FileRecord], at: datetime, closing: ExitStack
    ) -> Plan:
        sha256 = arrival.file.sha256
        alike = [row for row in known if row.sha256 == sha256]
        for row in reversed(alike):
            if row.sequence == PLANNED or layout.lies_there(self._root, row):
                seen = (arrival.file.size_bytes, arrival.listed.modified)
                news = seen not in [(one.size_bytes, one.modified) for one in alike]
                return _plan(arrival, Outcome.SAME, row.version, at, with_row=news)
            if layout.is_free(self._root, row):
                return _plan(arrival, Outcome.RESTORED, row.version, at)
        first = max((row.version for row in known), default=0) + 1
        for version in range(first, HIGHEST_VERSION + 1):
            # Something that no row knows may lie there; verification reports it, and it stays.
            if not self._is_taken(path_of(arrival.identity, arrival.listed.name, version), closing):
                outcome = Outcome.ARCHIVED if version == 1 else Outcome.SECOND_VERSION
                return _plan(arrival, outcome, version, at)
        raise StoreError(
            f"{HIGHEST_VERSION} versions of {arrival.listed.name} are held: find out why the "
            "server keeps changing it",
            path=str(self._root.path),
        )


def _plan(
    arrival: Arrival, outcome: Outcome, version: int, at: datetime, *, with_row: bool = True
) -> Plan:
    file, name = arrival.file, arrival.listed.name
    path = "/".join(path_of(arrival.identity, name, version))
    placed = Placed(outcome, arrival.identity, name, path, file.size_bytes, file.sha256, version)
    if not with_row:
        return Plan(arrival, placed, None)
    body = file_body(arrival, path, version, at)
    return Plan(arrival, placed, body, canonical(body))


def _key(arrival: Arrival) -> tuple[str, date, str]:
    return arrival.identity.service, arrival.identity.business_date, arrival.listed.name
