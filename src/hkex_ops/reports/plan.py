"""What a fetch must do: a listing judged against the catalogue and against what is held.

Pure: the flow that fetches asks here what to fetch, the command that lists asks the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum

from attrs import frozen

from hkex_ops.model import ListedReport, Listing, ReportIdentity, ReportKind
from hkex_ops.reports.catalogue import Catalogue

__all__ = ["FetchPlan", "ListedState", "PlannedReport", "judge", "plan_fetch"]


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
    identity: ReportIdentity | None = None


@frozen
class FetchPlan:
    """A listing sorted for one business date."""

    business_date: date
    entries: tuple[PlannedReport, ...]

    def of(self, state: ListedState) -> tuple[PlannedReport, ...]:
        """The entries in ``state``, in the listing's order."""
        return tuple(entry for entry in self.entries if entry.state is state)


def judge(
    listing: Listing,
    catalogue: Catalogue,
    business_date: date | None,
    held: Callable[[ListedReport], bool],
) -> tuple[PlannedReport, ...]:
    """Every entry of ``listing`` with its state; without a business date every date counts."""
    return tuple(
        _judged(listed, listing.service, catalogue, business_date, held)
        for listed in listing.reports
    )


def plan_fetch(
    listing: Listing,
    catalogue: Catalogue,
    business_date: date,
    held: Callable[[ListedReport], bool],
) -> FetchPlan:
    """What to fetch of ``listing`` for ``business_date``; ``held`` knows what is kept already."""
    return FetchPlan(business_date, judge(listing, catalogue, business_date, held))


def _judged(
    listed: ListedReport,
    service: str,
    catalogue: Catalogue,
    business_date: date | None,
    held: Callable[[ListedReport], bool],
) -> PlannedReport:
    if catalogue.ignores(listed.name):
        return PlannedReport(listed, ListedState.IGNORED)
    identity = catalogue.identify(service, listed.name)
    if identity is None or listed.kind is not ReportKind.FILE:
        return PlannedReport(listed, ListedState.UNRECOGNISED)
    if business_date is not None and identity.business_date != business_date:
        return PlannedReport(listed, ListedState.OTHER_DATE, identity)
    state = ListedState.HELD if held(listed) else ListedState.NEW
    return PlannedReport(listed, state, identity)
