"""What the commands of ``hkex-ops reports`` share: one configuration, its archive, its sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter

from hkex_ops.calendars import Calendar
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import config_path, parse_business_date, parse_site, system_clock
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.working import work_folder
from hkex_ops.clock import Clock
from hkex_ops.config.report_sources import has_dated_folder
from hkex_ops.config.settings import Settings, load_catalogue, load_settings
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import OutsideCalendar, StoreError
from hkex_ops.evidence import Finding, FindingKind as Kind
from hkex_ops.flows.fetch import FetchResult
from hkex_ops.flows.keeping import opened_copy
from hkex_ops.flows.outputs import require_place, write_over_file
from hkex_ops.flows.overrides import require
from hkex_ops.flows.plugged import load_plugins
from hkex_ops.flows.report_standing import stand_at
from hkex_ops.flows.sources import ConfiguredSource, configured_source
from hkex_ops.flows.store import Archive, CopyResult, copy_archive
from hkex_ops.model import JsonObject, SiteRole, plain
from hkex_ops.reports import (
    Catalogue,
    DayStanding,
    RunFacts,
    expected_reports,
    first_cut_off,
    metrics_text,
    working_date,
)
from hkex_ops.reports.events import FindingKind, ReportFinding
from hkex_ops.rollouts import directions, services_of

__all__ = [
    "Metrics",
    "ReportDesk",
    "ReportShelf",
    "WorkingDate",
    "copy_document",
    "copy_now",
    "copy_told",
    "open_archive",
    "report_desk",
    "report_shelf",
    "require_metrics_place",
    "run_facts",
    "write_metrics",
]

Metrics = Annotated[
    Path | None,
    Parameter(name="--metrics", help="File to write metrics to, for Prometheus; replaced whole."),
]
WorkingDate = Annotated[
    str | None,
    Parameter(
        name="--business-date",
        help="The one being worked, if left out: until the next T session begins, the last.",
    ),
]


@frozen
class ReportShelf:
    """What answers about reports need: settings, calendar, catalogue, and whose reports."""

    settings: Settings
    calendar: Calendar
    catalogue: Catalogue
    clock: Clock
    services: tuple[str, ...]
    dated: frozenset[str]

    def day(self, text: str | None, at: datetime) -> date:
        """The business date that ``text`` names, or the one being worked at ``at``."""
        if text is None:
            return working_date(self.calendar, at)
        return parse_business_date(text, self.calendar, self.clock)

    def stand(self, archive: Archive, service: str, day: date, at: datetime) -> DayStanding:
        """How the reports of one service and date stand."""
        return stand_at(
            archive,
            self.catalogue,
            self.calendar,
            service,
            day,
            at,
            dated_folder=service in self.dated,
        )

    def first_due(self, service: str, day: date) -> datetime | None:
        """When the first report of one service and date is due; nothing where that is not known.

        A cut-off beyond the calendar's tables must not keep a report from being fetched.
        """
        try:
            return first_cut_off(expected_reports(self.catalogue, self.calendar, service, day))
        except OutsideCalendar:
            return None


def report_shelf(config: Path | None, source: str | None) -> ReportShelf:
    """The shelf of one source, or of all that the configuration has; loads no plug-in."""
    settings = load_settings(config_path(config))
    if source is not None or not settings.report_sources:
        sources = [settings.source(source)[1]]
    else:
        sources = list(settings.report_sources.values())
    return ReportShelf(
        settings=settings,
        calendar=load_calendar(settings.calendar.file),
        catalogue=load_catalogue(settings),
        clock=system_clock(),
        services=tuple(dict.fromkeys(one.service for one in sources)),
        dated=frozenset(one.service for one in sources if has_dated_folder(one.options)),
    )


@frozen
class ReportDesk:
    """What commands work with that connect, from one configuration file."""

    shelf: ReportShelf
    configured: ConfiguredSource
    config: Path | None

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self.shelf.settings

    @property
    def calendar(self) -> Calendar:
        """The calendar, with the operator's own days."""
        return self.shelf.calendar

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue that the configuration names."""
        return self.shelf.catalogue

    @property
    def clock(self) -> Clock:
        """The clock."""
        return self.shelf.clock

    def site(self, text: str | None) -> SiteRole:
        """The site to work with. `Denied` when it is the secondary one and a rule forbids that."""
        place = parse_site(text, self.configured.site)
        if place is SiteRole.SECONDARY:
            papers, _ = known_papers(self.config)
            work = work_folder(None, self.settings)
            service = self.configured.service
            require(
                "use-secondary-site", papers.rollouts.values(), work, self.clock, service=service
            )
        return place

    def astray(self, text: str | None) -> tuple[ReportFinding, ...]:
        """What is to be told of a client that was left at the other site, as after a drill.

        Nothing when the site was named for this one command, or when the papers want it there.
        """
        if text is not None or self.configured.site is SiteRole.PRIMARY:
            return ()
        papers, _ = known_papers(self.config)
        rollouts, service = tuple(papers.rollouts.values()), self.configured.service
        if service.casefold() not in {one.casefold() for one in services_of(rollouts)}:
            return ()
        found = directions(rollouts, service, self.clock.now())
        if found.site is not SiteRole.PRIMARY:
            return ()
        message = (
            f"the configuration points at the {self.configured.site} site, and clients of "
            f"{service} point at {found.site}: {found.why}"
        )
        return (ReportFinding(FindingKind.POINTS_ELSEWHERE, "", message),)

    @contextmanager
    def archive(self, *, read_only: bool = False) -> Generator[Archive]:
        """The configured archive, opened for as long as the context lasts."""
        with open_archive(self.settings, self.clock, read_only=read_only) as archive:
            yield archive


def report_desk(
    config: Path | None, source: str | None, *, verbose: bool, as_json: bool
) -> ReportDesk:
    """The desk of one report source, its plug-in loaded."""
    configure_logs(verbose=verbose, as_json=as_json)
    shelf = report_shelf(config, source)
    plugins = load_plugins(shelf.settings.plugins.block)
    return ReportDesk(shelf, configured_source(shelf.settings, plugins, source), config)


def open_archive(settings: Settings, clock: Clock, *, read_only: bool = False) -> Archive:
    """The archive that the settings name."""
    place = settings.required_archive()
    if read_only and not place.folder.exists():
        raise StoreError(
            "there is no archive yet: hkex-ops reports fetch makes it", path=str(place.folder)
        )
    return Archive.open(place.folder, clock=clock, head_file=place.head_file, read_only=read_only)


def require_metrics_place(path: Path | None) -> None:
    """Refuse a file that could not be written before anything is done for it."""
    if path is not None:
        require_place(path)


def write_metrics(
    path: Path | None, days: Sequence[DayStanding], run: RunFacts | None = None
) -> None:
    """Put metrics into the file that the operator named, the old ones or the new, never a part."""
    if path is not None:
        write_over_file(path, metrics_text(days, run).encode())


def run_facts(result: FetchResult, begun: datetime, ended: datetime) -> RunFacts:
    """What metrics tell of a run."""
    kinds = Counter(finding.kind.value for finding in result.findings)
    return RunFacts(
        service=result.listing.service,
        ended_at=ended,
        duration_s=(ended - begun).total_seconds(),
        fetched=len(result.kept),
        fetched_bytes=sum(kept.size_bytes for kept in result.kept),
        findings=dict(kinds),
    )


def copy_now(settings: Settings, archive: Archive) -> CopyResult | None:
    """Bring the second copy up to the archive, which is open for writing; nothing where none is.

    What stands in the way is a finding: the archive itself is whole.
    """
    place = settings.required_archive()
    if place.copy is None:
        return None
    try:
        with opened_copy(place) as target:
            return None if target is None else copy_archive(archive, target)
    except StoreError as error:
        finding = Finding(Kind.UNREADABLE, error.path, f"is not copied to: {error}")
        return CopyResult(str(place.copy.folder or place.copy.url), findings=(finding,))


def copy_told(copied: CopyResult | None) -> tuple[ReportFinding, ...]:
    """What of a copying wants a person's eye."""
    if copied is None:
        return ()
    mended = [
        ReportFinding(
            FindingKind.COPY_MENDED,
            one.where,
            f"{one.message}; it is written again from the archive, and read back",
        )
        for one in copied.mended
    ]
    faults = [
        ReportFinding(FindingKind.NOT_COPIED, one.where, one.message) for one in copied.findings
    ]
    return (*mended, *faults)


def copy_document(copied: CopyResult) -> JsonObject:
    """What ``--json`` says of the second copy."""
    return {
        "where": copied.where,
        "copied": list(copied.copied),
        "mended": [plain(finding) for finding in copied.mended],
        "findings": [plain(finding) for finding in copied.findings],
    }
