"""How the reports of business dates stand: the catalogue's word against the ledger.

Opens nothing and connects to nothing; the archive may be open for reading only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from hkex_ops.calendars import Calendar
from hkex_ops.flows.store import Archive
from hkex_ops.reports import (
    Catalogue,
    DayStanding,
    HeldReport,
    NameReading,
    expected_reports,
    obligations_of,
    stand,
)

__all__ = ["days_to_look_at", "held_reports", "stand_at"]


def stand_at(
    archive: Archive,
    catalogue: Catalogue,
    calendar: Calendar,
    service: str,
    business_date: date,
    now: datetime,
    *,
    dated_folder: bool = False,
) -> DayStanding:
    """How the reports of ``service`` for one business date stand at ``now``.

    ``dated_folder`` says that names have no date because the folder has.
    """
    folder_date = business_date if dated_folder else None
    held = held_reports(archive, catalogue, service, business_date, folder_date)
    listing = archive.last_listing(service, business_date)
    listed: list[NameReading] = []
    for entry in () if listing is None else listing.reports:
        reading = catalogue.read(service, entry.name, folder_date)
        if reading is not None and reading.identity.business_date == business_date:
            listed.append(reading)
    expected = expected_reports(catalogue, calendar, service, business_date)
    return DayStanding(
        service,
        business_date,
        now,
        stand(expected, held, catalogue, now, listed=listed),
        obligations_of(held, calendar),
        None if listing is None else listing.taken_at,
    )


def held_reports(
    archive: Archive,
    catalogue: Catalogue,
    service: str,
    business_date: date,
    folder_date: date | None,
) -> tuple[HeldReport, ...]:
    """What the ledger says is held, one for each version of each file.

    A name that the catalogue no longer knows is left out: what it meant then, the row says.
    """
    found: dict[str, HeldReport] = {}
    for row in archive.recorded(service=service, business_date=business_date):
        reading = catalogue.read(service, row.name, folder_date)
        if reading is not None:
            found[row.path] = HeldReport(row.name, reading, row.version, row.sha256, row.fetched_at)
    return tuple(found.values())


def days_to_look_at(
    archive: Archive, calendar: Calendar, services: Sequence[str], last: date, days: int
) -> tuple[date, ...]:
    """The last ``days`` business dates up to ``last``, none before the first that is held."""
    first = min(
        (day for service in services if (day := archive.first_business_date(service)) is not None),
        default=last,
    )
    found = [last]
    while len(found) < days and found[0] > first:
        found.insert(0, calendar.previous_business_day(found[0]))
    return tuple(found)
