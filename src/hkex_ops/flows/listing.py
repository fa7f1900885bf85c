"""Look into a report folder and say what each entry is; transfers nothing."""

from __future__ import annotations

from datetime import date

from hkex_ops.clock import Clock
from hkex_ops.flows.sources import ConfiguredSource, Observe, take_listing
from hkex_ops.flows.store import Archive
from hkex_ops.model import SiteRole
from hkex_ops.reports import Catalogue, PlannedReport, judge
from hkex_ops.reports.events import FolderListed, LoggedIn, LoggedOut

__all__ = ["list_reports"]


async def list_reports(
    configured: ConfiguredSource,
    archive: Archive,
    catalogue: Catalogue,
    clock: Clock,
    *,
    site: SiteRole,
    business_date: date | None,
    observe: Observe,
    keep: bool = True,
) -> tuple[PlannedReport, ...]:
    """Every entry with its state; the listing is kept as a snapshot of the day it was taken.

    Not where ``keep`` says so: then the archive may be open for reading only.
    """
    configured = configured.of_date(business_date or clock.now().date())
    async with configured.open(site) as source:
        observe(LoggedIn(configured.service, site, source.endpoint))
        listing = await take_listing(source, configured, site, clock, clock.now().date())
        endpoint = source.endpoint
    observe(LoggedOut(endpoint))
    if keep:
        archive.keep_listing(listing)
    observe(FolderListed(listing))
    held = archive.held(configured.service, configured.folder_date)
    held.look_up(listing.reports)
    return judge(
        listing,
        catalogue,
        business_date,
        held.__contains__,
        folder_date=configured.folder_date,
    )
