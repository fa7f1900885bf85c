"""The daily fetch: list, judge, transfer what is new, check it, keep it, record it.

A size must stand over two looks: the listing's and the one at the end of the transfer, or, where
the manners say so, two listings some time apart. A set is kept whole or not at all.

Running it again transfers nothing. A connection lost half-way keeps what came whole and tries
again; a run killed at any moment leaves no half file, and the next one completes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from attrs import define, field, frozen

from hkex_ops import log
from hkex_ops.clock import Clock
from hkex_ops.errors import PluginError, TransientError
from hkex_ops.flows.accepting import Acceptance
from hkex_ops.flows.receiving import Receiving
from hkex_ops.flows.sources import ConfiguredSource, Observe, Sleep, take_listing
from hkex_ops.flows.store import Archive, Arrival, Outcome, StagedFile, refusal
from hkex_ops.model import ListedReport, Listing, SiteRole
from hkex_ops.ports import ReportChunk, ReportEnd, ReportFailed, ReportSource
from hkex_ops.reports import (
    Catalogue,
    FetchPlan,
    ListedState,
    NameReading,
    PlannedReport,
    choose,
    plan_fetch,
)
from hkex_ops.reports.events import (
    FetchPlanned,
    FindingKind,
    FolderListed,
    LoggedIn,
    LoggedOut,
    ReportFinding,
    ReportKept,
    RunInterrupted,
)

__all__ = ["FetchResult", "fetch_reports"]

# Reports are placed in batches so that they share their disk syncs; a batch is bounded in both.
BATCH_REPORTS = 64
BATCH_BYTES = 64 * 1024 * 1024

_log = log.Logger()


@frozen
class FetchResult:
    """What one run did. ``held`` counts the date's reports that needed no transfer."""

    # Not spelt out where a result is shown, as `asyncio.run` does unasked with what it returns:
    # twenty thousand names would cost more than it took to judge them.
    listing: Listing = field(repr=False)
    plan: FetchPlan = field(repr=False)
    kept: tuple[ReportKept, ...]
    findings: tuple[ReportFinding, ...]

    @property
    def held(self) -> int:
        """How many of the business date's listed reports were kept before this run."""
        kept = {one.name for one in self.kept}
        return sum(entry.listed.name not in kept for entry in self.plan.of(ListedState.HELD))


async def fetch_reports(
    configured: ConfiguredSource,
    archive: Archive,
    catalogue: Catalogue,
    clock: Clock,
    *,
    site: SiteRole,
    business_date: date,
    observe: Observe,
    sleep: Sleep = asyncio.sleep,
    first_due: datetime | None = None,
) -> FetchResult:
    """Fetch what is new of ``business_date`` at ``site`` and keep it.

    Until ``first_due`` a folder without any report of that date is as it should be. Raises
    `RemoteError` when the site cannot be worked with; what came whole before is kept.
    """
    configured = configured.of_date(business_date)
    manners = configured.manners
    run = _Run(
        configured, archive, catalogue, clock, site, business_date, observe, sleep, first_due
    )
    try:
        return await run.once()
    except TransientError as error:
        first = error
    # Here, because most runs need no second attempt: only now is what waits and tries again loaded.
    import stamina

    async for attempt in stamina.retry_context(
        on=TransientError,
        attempts=manners.attempts,
        timeout=None,
        wait_initial=manners.wait_s,
        wait_max=manners.wait_longest_s,
    ):
        with attempt:
            try:
                if attempt.num == 1:
                    raise first
                return await run.once()
            except TransientError as error:
                if attempt.num < manners.attempts:
                    observe(RunInterrupted(str(error)))
                raise
    raise AssertionError("a retry ends by returning or raising")


@define
class _Run:
    """One fetch over all its attempts: what was kept and found so far."""

    configured: ConfiguredSource
    archive: Archive
    catalogue: Catalogue
    clock: Clock
    site: SiteRole
    business_date: date
    observe: Observe
    sleep: Sleep
    first_due: datetime | None
    kept: dict[str, ReportKept] = field(factory=dict[str, ReportKept])
    findings: dict[tuple[FindingKind, str], ReportFinding] = field(
        factory=dict[tuple[FindingKind, str], ReportFinding]
    )

    async def once(self) -> FetchResult:
        """One login: list, plan, transfer. Whole reports are kept whatever happens after."""
        async with self.configured.open(self.site) as source:
            self.observe(LoggedIn(self.configured.service, self.site, source.endpoint))
            earlier = self._earlier()
            listing = await self._listing(source)
            held = self.archive.held(self.configured.service, self.configured.folder_date)
            held.look_up(listing.reports)
            plan = plan_fetch(
                listing,
                self.catalogue,
                self.business_date,
                held.__contains__,
                folder_date=self.configured.folder_date,
            )
            wanted = await self._settled(source, listing, self._wanted(plan), earlier)
            self.observe(
                FetchPlanned(
                    self.business_date,
                    new=len(wanted),
                    held=len(plan.of(ListedState.HELD)),
                    size_bytes=sum(listed.size_bytes for listed in wanted),
                )
            )
            self._findings_of(plan)
            await self._transfer(source, wanted)
            endpoint = source.endpoint
        self.observe(LoggedOut(endpoint))
        return FetchResult(listing, plan, tuple(self.kept.values()), tuple(self.findings.values()))

    async def _listing(self, source: ReportSource) -> Listing:
        listing = await take_listing(
            source, self.configured, self.site, self.clock, self.business_date
        )
        self.archive.keep_listing(listing)
        self.observe(FolderListed(listing))
        return listing

    def _earlier(self) -> Listing | None:
        """An earlier look that may count as the first of two."""
        if not self.configured.manners.look_apart_s:
            return None
        return self.archive.last_listing(self.configured.service, self.business_date)

    async def _settled(
        self,
        source: ReportSource,
        listing: Listing,
        wanted: dict[ListedReport, NameReading],
        earlier: Listing | None,
    ) -> dict[ListedReport, NameReading]:
        """Those of ``wanted`` whose size stands; where the manners say so, after a second look."""
        apart_s = self.configured.manners.look_apart_s
        seen: set[ListedReport] = set()
        if earlier is not None and listing.taken_at - earlier.taken_at >= timedelta(
            seconds=apart_s
        ):
            seen.update(earlier.reports)
        if not apart_s or seen.issuperset(wanted):
            return wanted
        await self.sleep(apart_s)
        seen.update((await self._listing(source)).reports)
        growing = [listed for listed in wanted if listed not in seen]
        lost = {wanted[listed].identity for listed in growing if wanted[listed].part is not None}
        for listed in growing:
            self._find(
                FindingKind.STILL_GROWING,
                listed.name,
                f"was another {apart_s:g} s later: not fetched, the next run looks again",
            )
        return {
            listed: reading
            for listed, reading in wanted.items()
            if listed in seen and reading.identity not in lost
        }

    def _wanted(self, plan: FetchPlan) -> dict[ListedReport, NameReading]:
        new, held = (
            [entry for entry in plan.of(state) if self._may_be_kept(entry)]
            for state in (ListedState.NEW, ListedState.HELD)
        )
        choice = choose(new, held)
        for listed, absent in choice.incomplete:
            self._find(
                FindingKind.INCOMPLETE_SET,
                listed.name,
                f"its {' and '.join(absent)} file is not there: fetched when the set is whole",
            )
        return dict(choice.wanted)

    def _may_be_kept(self, entry: PlannedReport) -> bool:
        reason = refusal(entry.listed.name)
        if reason is not None:
            self._find(FindingKind.REFUSED_NAME, entry.listed.name, reason)
        return reason is None

    def _findings_of(self, plan: FetchPlan) -> None:
        for entry in plan.of(ListedState.UNRECOGNISED):
            self._find(
                FindingKind.UNRECOGNISED,
                entry.listed.name,
                "the catalogue has no rule for this name: add one, or an ignore rule with a reason",
            )
        if self.first_due is not None and self.clock.now() < self.first_due:
            return
        if not plan.of(ListedState.NEW) and not plan.of(ListedState.HELD):
            self._find(
                FindingKind.NOTHING_LISTED,
                "",
                f"no report of business date {self.business_date} is in the folder",
            )

    async def _transfer(
        self, source: ReportSource, wanted: Mapping[ListedReport, NameReading]
    ) -> None:
        receiving = Receiving(
            self.archive,
            self.configured.service,
            find=self._find,
            broken=self._broken,
            observe=self.observe,
        )
        arrived: list[Arrival] = []
        accepting = Acceptance(wanted)
        try:
            async for delivery in receiving.deliveries(source, wanted):
                report = delivery.report
                if report not in wanted:
                    raise self._broken(f"delivered {report.name!r}, which was not asked for")
                match delivery:
                    case ReportChunk():
                        receiving.take(delivery)
                        continue
                    case ReportEnd():
                        file = receiving.end(delivery)
                        if file is not None:
                            await self._accept(report, file, accepting, arrived, source)
                        else:
                            self._drop(accepting.failed(report))
                    case ReportFailed(_, error):
                        receiving.drop(report)
                        self._find(FindingKind.NOT_FETCHED, report.name, str(error))
                        self._drop(accepting.failed(report))
                if _is_full(arrived):
                    self._place(arrived)
        finally:
            receiving.leave()
            for _, file in accepting.left():
                file.discard()
            self._place(arrived)

    async def _accept(
        self,
        report: ListedReport,
        file: StagedFile,
        accepting: Acceptance,
        arrived: list[Arrival],
        source: ReportSource,
    ) -> None:
        """Take what is whole; a set as one, so that its files are placed together."""
        verdict = await accepting.ended(report, file)
        for listed, one in verdict.files:
            if verdict.fault is None:
                identity = accepting.wanted[listed].identity
                arrived.append(Arrival(one, listed, identity, self.site, source.endpoint))
                continue
            one.discard()
            self._find(
                FindingKind.NOT_WHOLE,
                listed.name,
                f"{verdict.fault}: not kept, the next run fetches it again",
            )

    def _drop(self, files: Iterable[tuple[ListedReport, StagedFile]]) -> None:
        for listed, file in files:
            file.discard()
            self._find(
                FindingKind.NOT_WHOLE,
                listed.name,
                "another file of its set did not come whole: not kept, the next run fetches both",
            )

    def _place(self, arrived: list[Arrival]) -> None:
        if not arrived:
            return
        for placed in self.archive.place(arrived, self.clock.now()):
            kept = ReportKept(
                identity=placed.identity,
                name=placed.name,
                path=placed.path,
                outcome=placed.outcome.value,
                size_bytes=placed.size_bytes,
                sha256=placed.sha256,
                version=placed.version,
            )
            self.kept[placed.name] = kept
            self.observe(kept)
            _log.info(log.REPORT_KEPT, name=kept.name, outcome=kept.outcome, path=kept.path)
            if placed.outcome is Outcome.SECOND_VERSION:
                self._find(
                    FindingKind.SECOND_VERSION,
                    placed.name,
                    f"came again with other content: kept beside the first as {placed.path}",
                )
        arrived.clear()

    def _find(self, kind: FindingKind, name: str, message: str) -> None:
        if (kind, name) in self.findings:
            return
        finding = ReportFinding(kind, name, message)
        self.findings[kind, name] = finding
        self.observe(finding)
        _log.warning(log.REPORT_FINDING, kind=kind.value, name=name, message=message)

    def _broken(self, message: str) -> PluginError:
        return PluginError(
            message, distribution=self.configured.offer.name, hook="hkex_ops_report_sources"
        )


def _is_full(arrived: list[Arrival]) -> bool:
    if len(arrived) >= BATCH_REPORTS:
        return True
    return sum(arrival.file.size_bytes for arrival in arrived) >= BATCH_BYTES
