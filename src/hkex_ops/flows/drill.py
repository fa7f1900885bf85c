"""The drill that the circular prescribes, step by step, as a read-only operation.

Log in, compare the folder with the last business date's snapshot, download the named reports,
log out (CD/OEC/HKCC/073/2023, Attachment). Nothing is written on the server and nothing enters
the archive but the listing. Each step gives an outcome; none raises for what the far side does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import date
from hashlib import sha256

import structlog

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.errors import RemoteError, UsageError
from hkex_ops.flows.sources import ConfiguredSource, Observe, take_listing
from hkex_ops.flows.store import Archive
from hkex_ops.model import JsonObject, ListedReport, Listing, SiteRole, StepAction
from hkex_ops.ports import ReportChunk, ReportEnd, ReportFailed, ReportSource
from hkex_ops.reports import Catalogue, FolderOutcome, compare_folders
from hkex_ops.reports.events import (
    BytesReceived,
    FolderListed,
    LoggedIn,
    LoggedOut,
    ReportDownloaded,
)
from hkex_ops.rundown import StepResult, StepState

__all__ = ["DRILL_ACTIONS", "Drill", "run_drill"]

DRILL_ACTIONS = (
    StepAction.LOG_IN,
    StepAction.COMPARE_LISTING,
    StepAction.DOWNLOAD,
    StepAction.LOG_OUT,
)
_NOT_LOGGED_IN = StepResult(StepState.SKIPPED, "not logged in")

_log = structlog.get_logger()


class Drill:
    """One drill at one site, a step at a time; steps after a failed login are skipped.

    ``listing`` is the folder as the drill saw it, once it did.
    """

    def __init__(
        self,
        configured: ConfiguredSource,
        archive: Archive,
        catalogue: Catalogue,
        clock: Clock,
        *,
        site: SiteRole,
        last_business_date: date,
        observe: Observe,
    ) -> None:
        self.configured = configured
        self.archive = archive
        self.catalogue = catalogue
        self.clock = clock
        self.site = site
        self.last_business_date = last_business_date
        self.observe = observe
        self._session = AsyncExitStack()
        self._source: ReportSource | None = None
        self.listing: Listing | None = None

    async def step(self, action: StepAction, reports: Sequence[str]) -> StepResult:
        """Do one of `DRILL_ACTIONS`; ``reports`` are the codes that ``download`` takes."""
        try:
            match action:
                case StepAction.LOG_IN:
                    done = await self._log_in()
                case StepAction.COMPARE_LISTING:
                    done = await self._compare()
                case StepAction.DOWNLOAD:
                    done = await self._download(reports)
                case StepAction.LOG_OUT:
                    done = await self._log_out()
                case _:
                    raise UsageError(f"{action} is no step of a drill")
        except RemoteError as error:
            facts = {"error": type(error).__name__}
            done = StepResult(StepState.FAILED, str(error), facts)
        _log.info(log.DRILL_STEP, step=action.value, state=done.state.value, found=done.found)
        return done

    async def close(self) -> None:
        """End the session if one is open, whatever came before."""
        self._source = None
        await self._session.aclose()

    async def _log_in(self) -> StepResult:
        source = await self._session.enter_async_context(self.configured.open(self.site))
        self._source = source
        self.observe(LoggedIn(self.configured.service, self.site, source.endpoint))
        facts = {
            "site": self.site.value,
            "address": str(source.endpoint),
            "host_key": source.endpoint.host_key,
        }
        return StepResult(StepState.PASSED, f"at {source.endpoint}", facts)

    async def _compare(self) -> StepResult:
        if self._source is None:
            return _NOT_LOGGED_IN
        then = self.archive.last_listing(self.configured.service, self.last_business_date)
        now = await self._take_listing(self._source)
        compared = compare_folders(now, then)
        state = {
            FolderOutcome.UNCHANGED: StepState.PASSED,
            FolderOutcome.CHANGED: StepState.FAILED,
            FolderOutcome.UNKNOWN: StepState.UNKNOWN,
        }[compared.outcome]
        facts: JsonObject = {
            "last_business_date": self.last_business_date.isoformat(),
            "counted_now": compared.counted_now,
            "counted_then": compared.counted_then,
            "appeared": compared.appeared,
            "vanished": compared.vanished,
            "resized": [list(change) for change in compared.resized],
            "changed_kind": [
                [name, before.value, after.value] for name, before, after in compared.changed_kind
            ],
        }
        return StepResult(state, str(compared), facts)

    async def _download(self, codes: Sequence[str]) -> StepResult:
        if self._source is None:
            return _NOT_LOGGED_IN
        chosen = self._latest(self.listing or await self._take_listing(self._source), codes)
        absent = [code for code in codes if code not in chosen]
        downloaded, failures = await self._read(self._source, list(chosen.values()))
        failures += [f"no {code} is in the folder" for code in absent]
        facts: JsonObject = {
            "downloaded": [
                {"name": one.name, "size_bytes": one.size_bytes, "sha256": one.sha256}
                for one in downloaded
            ]
        }
        if failures:
            return StepResult(StepState.FAILED, "; ".join(failures), facts)
        names = ", ".join(one.name for one in downloaded)
        return StepResult(StepState.PASSED, names, facts)

    async def _log_out(self) -> StepResult:
        if self._source is None:
            return _NOT_LOGGED_IN
        endpoint = self._source.endpoint
        await self.close()
        self.observe(LoggedOut(endpoint))
        return StepResult(StepState.PASSED, f"of {endpoint}", {})

    async def _take_listing(self, source: ReportSource) -> Listing:
        """The folder now, kept as a snapshot of the day of the drill: never of the business date
        it is compared with, or the next drill would compare with this one."""
        today = self.clock.now().date()
        listing = await take_listing(source, self.configured, self.site, self.clock, today)
        self.archive.keep_listing(listing)
        self.listing = listing
        self.observe(FolderListed(listing))
        return listing

    def _latest(self, listing: Listing, codes: Sequence[str]) -> dict[str, ListedReport]:
        """For each code the listed report of the latest business date, first name first."""
        latest: dict[str, tuple[date, ListedReport]] = {}
        for listed in listing.reports:
            identity = self.catalogue.identify(listing.service, listed.name)
            if identity is None or identity.code not in codes:
                continue
            known = latest.get(identity.code)
            if known is None or identity.business_date > known[0]:
                latest[identity.code] = (identity.business_date, listed)
        return {code: latest[code][1] for code in codes if code in latest}

    async def _read(
        self, source: ReportSource, chosen: Sequence[ListedReport]
    ) -> tuple[list[ReportDownloaded], list[str]]:
        """Transfer reports, hash them, keep nothing; compare with what the archive knows."""
        hashes = {listed.name: sha256() for listed in chosen}
        sizes = dict.fromkeys(hashes, 0)
        downloaded: list[ReportDownloaded] = []
        failures: list[str] = []
        async for delivery in source.fetch(chosen):
            name = delivery.report.name
            match delivery:
                case ReportChunk(_, _, data):
                    hashes[name].update(data)
                    sizes[name] += len(data)
                    self.observe(BytesReceived(name, len(data)))
                case ReportEnd(report, size_bytes, _):
                    if not sizes[name] == size_bytes == report.size_bytes:
                        failures.append(
                            f"{name} is listed with {report.size_bytes} bytes, {sizes[name]} came"
                        )
                        continue
                    one = ReportDownloaded(name, size_bytes, hashes[name].hexdigest())
                    downloaded.append(one)
                    self.observe(one)
                    failures += self._differs(one)
                case ReportFailed(_, error):
                    failures.append(f"{name}: {error}")
        downloaded.sort(key=lambda one: one.name)
        return downloaded, failures

    def _differs(self, one: ReportDownloaded) -> list[str]:
        kept = {
            record.sha256
            for record in self.archive.recorded(service=self.configured.service)
            if record.name == one.name
        }
        if kept and one.sha256 not in kept:
            return [f"{one.name} has other content than the copy in the archive"]
        return []


async def run_drill(
    drill: Drill, reports: Sequence[str]
) -> tuple[tuple[StepAction, StepResult], ...]:
    """The whole drill, in the circular's order; always ends logged out."""
    drill.catalogue.require_codes(drill.configured.service, reports)
    try:
        return tuple([(action, await drill.step(action, reports)) for action in DRILL_ACTIONS])
    finally:
        await drill.close()
