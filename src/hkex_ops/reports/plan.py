"""What a fetch must do: a listing judged against the catalogue and against what is held.

Pure: the flow that fetches asks here what to fetch, the command that lists asks the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import StrEnum

from attrs import frozen

from hkex_ops.model import ListedReport, Listing, ReportIdentity, ReportKind
from hkex_ops.reports.catalogue import Catalogue, NameReading

__all__ = ["Choice", "FetchPlan", "ListedState", "PlannedReport", "choose", "judge", "plan_fetch"]


class ListedState(StrEnum):
    """What a folder entry is to a run for one business date."""

    NEW = "new"
    HELD = "held"
    OTHER_DATE = "other-date"
    UNRECOGNISED = "unrecognised"
    IGNORED = "ignored"


@frozen
class PlannedReport:
    """An entry with what its name means (if anything) and what is to be done about it."""

    listed: ListedReport
    state: ListedState
    reading: NameReading | None = None

    @property
    def identity(self) -> ReportIdentity | None:
        """Which report it is, where a rule knows its name."""
        return None if self.reading is None else self.reading.identity


@frozen
class FetchPlan:
    """A listing sorted for one business date."""

    business_date: date
    entries: tuple[PlannedReport, ...]

    def of(self, state: ListedState) -> tuple[PlannedReport, ...]:
        """The entries in ``state``, in the listing's order."""
        return tuple(entry for entry in self.entries if entry.state is state)


@frozen
class Choice:
    """What to transfer, and the files whose sets are not whole on the server, with what lacks."""

    wanted: Mapping[ListedReport, NameReading]
    incomplete: tuple[tuple[ListedReport, tuple[str, ...]], ...] = ()


def choose(new: Iterable[PlannedReport], held: Iterable[PlannedReport]) -> Choice:
    """Of ``new``, what can be accepted: single files, and sets of which every part is there.

    A set of which anything is new is wanted whole, the parts that are ``held`` too, because it is
    judged by all of its files.
    """
    wanted: dict[ListedReport, NameReading] = {}
    sets: dict[ReportIdentity, list[tuple[ListedReport, NameReading]]] = {}
    changed: set[ReportIdentity] = set()
    for is_new, entries in ((True, new), (False, held)):
        for entry in entries:
            reading = entry.reading
            if reading is None:
                continue
            if reading.part is not None:
                sets.setdefault(reading.identity, []).append((entry.listed, reading))
                if is_new:
                    changed.add(reading.identity)
            elif is_new:
                wanted[entry.listed] = reading
    incomplete: list[tuple[ListedReport, tuple[str, ...]]] = []
    for identity, files in sets.items():
        if identity not in changed:
            continue
        there = {reading.part for _, reading in files}
        absent = tuple(part for part in files[0][1].rule.parts if part not in there)
        if absent:
            incomplete += ((listed, absent) for listed, _ in files)
        else:
            wanted.update(files)
    return Choice(wanted, tuple(incomplete))


def judge(
    listing: Listing,
    catalogue: Catalogue,
    business_date: date | None,
    held: Callable[[ListedReport], bool],
    *,
    folder_date: date | None = None,
) -> tuple[PlannedReport, ...]:
    """Every entry of ``listing`` with its state; without a business date every date counts.

    ``folder_date`` is the business date of the folder, where names have none.
    """
    return tuple(
        _judged(listed, listing.service, catalogue, business_date, folder_date, held)
        for listed in listing.reports
    )


def plan_fetch(
    listing: Listing,
    catalogue: Catalogue,
    business_date: date,
    held: Callable[[ListedReport], bool],
    *,
    folder_date: date | None = None,
) -> FetchPlan:
    """What to fetch of ``listing`` for ``business_date``; ``held`` knows what is kept already."""
    judged = judge(listing, catalogue, business_date, held, folder_date=folder_date)
    return FetchPlan(business_date, judged)


def _judged(
    listed: ListedReport,
    service: str,
    catalogue: Catalogue,
    business_date: date | None,
    folder_date: date | None,
    held: Callable[[ListedReport], bool],
) -> PlannedReport:
    name = listed.name
    if catalogue.ignores(name):
        return PlannedReport(listed, ListedState.IGNORED)
    reading = catalogue.read(service, name, folder_date)
    if reading is None or listed.kind is not ReportKind.FILE:
        return PlannedReport(listed, ListedState.UNRECOGNISED)
    if business_date is not None and reading.identity.business_date != business_date:
        return PlannedReport(listed, ListedState.OTHER_DATE, reading)
    state = ListedState.HELD if held(listed) else ListedState.NEW
    return PlannedReport(listed, state, reading)
