"""Follow a business date's reports until its last cut-off: look, fetch, log out, wait.

Each look is a login of its own that fetches what is new and logs out, and the archive is open only
for as long, so that nothing is held while nothing is done. Waiting goes by the clock that is
handed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.clock import Clock
from hkex_ops.errors import StoreInUse, TransientError
from hkex_ops.flows.fetch import FetchResult, fetch_reports
from hkex_ops.flows.sources import ConfiguredSource, Observe, Sleep
from hkex_ops.flows.store import Archive
from hkex_ops.model import SiteRole
from hkex_ops.reports import Catalogue, expected_reports, first_cut_off, last_cut_off
from hkex_ops.reports.events import RunInterrupted
from hkex_ops.reports.watch import LookFailed, LookTaken, ReportWatch, WatchEnded, spans_of

__all__ = ["Watched", "watch_reports"]


@frozen
class Watched:
    """How a watch ended, and what its looks came to."""

    ended: WatchEnded
    results: tuple[FetchResult, ...]


async def watch_reports(
    configured: ConfiguredSource,
    open_archive: Callable[[], AbstractContextManager[Archive]],
    catalogue: Catalogue,
    calendar: Calendar,
    clock: Clock,
    *,
    site: SiteRole,
    business_date: date,
    observe: Observe,
    looked: Callable[[Archive, FetchResult], None] = lambda archive, result: None,
    sleep: Sleep = asyncio.sleep,
) -> Watched:
    """Look until the last cut-off of ``business_date`` has passed.

    ``looked`` is called after each look that came to its end, the archive still open. A site that
    cannot be reached, or an archive that another run works in, is tried again at the next look;
    what trying again would not mend is raised (`PermanentError`, `StoreError`).
    """
    expected = expected_reports(catalogue, calendar, configured.service, business_date)
    manners = configured.manners
    watch = ReportWatch(
        business_date,
        clock.now(),
        last_cut_off(expected),
        every=timedelta(seconds=manners.poll_s),
        failures=manners.failures,
        spans=spans_of(calendar.day(business_date), expected),
    )
    results: list[FetchResult] = []
    while True:
        if not watch.poll(clock.now()):
            await sleep((watch.next_at - clock.now()).total_seconds())
            continue
        outcome: LookTaken | LookFailed = LookTaken()
        try:
            with open_archive() as archive:
                result = await fetch_reports(
                    configured,
                    archive,
                    catalogue,
                    clock,
                    site=site,
                    business_date=business_date,
                    observe=observe,
                    sleep=sleep,
                    first_due=first_cut_off(expected),
                )
                results.append(result)
                looked(archive, result)
        except (TransientError, StoreInUse) as error:
            observe(RunInterrupted(str(error)))
            outcome = LookFailed(str(error))
        for event in watch.handle(outcome, clock.now()):
            if isinstance(event, WatchEnded):
                return Watched(event, tuple(results))
