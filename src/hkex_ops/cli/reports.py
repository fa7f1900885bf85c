"""``hkex-ops reports``: list, fetch, drill and verify, each a thin front of a flow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, TypeAlias

from attrs import evolve
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.handing import hand_over, hand_over_failure
from hkex_ops.cli.options import (
    Config,
    Json,
    Site,
    Source,
    Verbose,
    config_path,
    parse_business_date,
    system_clock,
)
from hkex_ops.cli.progress import watching
from hkex_ops.cli.report_desk import (
    Metrics,
    WorkingDate,
    copy_document,
    copy_now,
    copy_told,
    open_archive,
    report_desk,
    require_metrics_place,
    run_facts,
    write_metrics,
)
from hkex_ops.cli.text import say, say_count, say_size
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import UsageError
from hkex_ops.evidence import Finding
from hkex_ops.flows.drill import Drill, run_drill
from hkex_ops.flows.fetch import FetchResult, fetch_reports
from hkex_ops.flows.keeping import verified_copy
from hkex_ops.flows.listing import list_reports
from hkex_ops.flows.notifying.streams import occurrence_of_findings, occurrence_of_unavailable
from hkex_ops.flows.occurring import occurrences_of_reports
from hkex_ops.flows.store import CopyResult, CopyVerified
from hkex_ops.model import JsonObject, SiteRole, StepAction, plain
from hkex_ops.reports import ListedState, PlannedReport
from hkex_ops.reports.events import ReportFinding
from hkex_ops.rundown import StepResult, StepState

__all__ = ["drill", "fetch", "list_", "verify"]


# -- list ------------------------------------------------------------------------------------------


def list_(
    *,
    site: Site = None,
    business_date: Annotated[
        str | None, Parameter(help="Only this business date's reports; else all.")
    ] = None,
    source: Source = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """List the report folder of a site, and say of each entry what it is and if it is held."""
    desk = report_desk(config, source, verbose=verbose, as_json=json)
    place = desk.site(site)
    day = parse_business_date(business_date, desk.calendar, desk.clock) if business_date else None
    with desk.archive() as archive, watching() as observe:
        entries = asyncio.run(
            list_reports(
                desk.configured,
                archive,
                desk.catalogue,
                desk.clock,
                site=place,
                business_date=day,
                observe=observe,
            )
        )
    shown = [entry for entry in entries if entry.state is not ListedState.OTHER_DATE]
    document: JsonObject = {
        "service": desk.configured.service,
        "site": place.value,
        "count": len(entries),
        "reports": [_entry(entry) for entry in shown],
    }
    return Answer(document, lambda console: _render_list(shown, len(entries), console))


def _entry(entry: PlannedReport) -> JsonObject:
    identity = entry.identity
    return {
        "name": entry.listed.name,
        "size_bytes": entry.listed.size_bytes,
        "modified": plain(entry.listed.modified),
        "state": entry.state.value,
        "house": identity.house if identity else None,
        "code": identity.code if identity else None,
        "business_date": plain(identity.business_date) if identity else None,
        "session": identity.session if identity else None,
        "instance": identity.instance if identity else None,
        "part": entry.reading.part if entry.reading else None,
    }


def _render_list(entries: Sequence[PlannedReport], count: int, console: Console) -> None:
    for entry in entries:
        size = f"{say_size(entry.listed.size_bytes):>10}"
        say(console, entry.listed.name, lead=f"{entry.state.value:<13}{size}  ")
    say(console, f"{count} entries in the folder, {len(entries)} shown")


# -- fetch -----------------------------------------------------------------------------------------


def fetch(
    *,
    site: Site = None,
    business_date: WorkingDate = None,
    metrics: Metrics = None,
    source: Source = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Fetch what is new of a business date, check it, keep it and record it.

    Run again, it transfers nothing. Exits 1 when something needs a person's eye.
    """
    require_metrics_place(metrics)
    desk = report_desk(config, source, verbose=verbose, as_json=json)
    place = desk.site(site)
    begun = desk.clock.now()
    day = desk.shelf.day(business_date, begun)
    service = desk.configured.service
    told = hand_over_failure(
        desk.settings,
        desk.clock,
        lambda error: occurrence_of_unavailable(service, place, day, error, desk.clock.now()),
    )
    with desk.archive() as archive, watching() as observe, told:
        result = asyncio.run(
            fetch_reports(
                desk.configured,
                archive,
                desk.catalogue,
                desk.clock,
                site=place,
                business_date=day,
                observe=observe,
                first_due=desk.shelf.first_due(service, day),
            )
        )
        astray = desk.astray(site)
        result = evolve(result, findings=(*result.findings, *astray))
        copied = copy_now(desk.settings, archive)
        of_copy = copy_told(copied)
        for finding in (*astray, *of_copy):
            observe(finding)
        found = (*result.findings, *of_copy)
        ended = desk.clock.now()
        hand_over(
            desk.settings,
            desk.clock,
            lambda: (
                *occurrences_of_reports([desk.shelf.stand(archive, service, day, ended)]),
                *occurrence_of_findings(service, place, day, found, ended),
            ),
        )
        if metrics is not None:
            stood = desk.shelf.stand(archive, desk.configured.service, day, ended)
            write_metrics(metrics, [stood], run_facts(result, begun, ended))
    return Answer(
        {**_fetched(result, day), "copy": None if copied is None else copy_document(copied)},
        lambda console: _render_fetch(result, day, found, copied, console),
        ExitCode.FINDINGS if found else ExitCode.DONE,
    )


def _fetched(result: FetchResult, day: date) -> JsonObject:
    return {
        "service": result.listing.service,
        "site": result.listing.site.value,
        "address": str(result.listing.endpoint),
        "business_date": plain(day),
        "listed": result.listing.count,
        "held": result.held,
        "fetched": [plain(kept) for kept in result.kept],
        "findings": [plain(finding) for finding in result.findings],
    }


def _render_fetch(
    result: FetchResult,
    day: date,
    found: Sequence[ReportFinding],
    copied: CopyResult | None,
    console: Console,
) -> None:
    size = sum(kept.size_bytes for kept in result.kept)
    say(
        console,
        f"{result.listing.service} {day}: {len(result.kept)} fetched ({say_size(size)}), "
        f"{result.held} held already, {result.listing.count} in the folder at the "
        f"{result.listing.site.value} site",
    )
    if copied is not None:
        if copied.copied:
            count = say_count(len(copied.copied), "file")
            say(console, f"{count} copied to {copied.where}, verified")
        elif not copied.findings:
            say(console, f"nothing new to copy to {copied.where}")
    for finding in found:
        say(console, f"{finding.name} {finding.message}".strip(), lead=f"  {finding.kind.value}: ")


# -- drill -----------------------------------------------------------------------------------------


def drill(
    *,
    site: Site = None,
    business_date: Annotated[
        str | None,
        Parameter(help="The last business date to compare with; else the one before today."),
    ] = None,
    report: Annotated[
        tuple[str, ...], Parameter(help="Report codes to download; else the configuration's.")
    ] = (),
    source: Source = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Do the folder check of a connectivity session: log in, compare, download, log out.

    Reads only. Exits 1 when a step failed, or when no snapshot was kept to compare with.
    """
    desk = report_desk(config, source, verbose=verbose, as_json=json)
    place = desk.site(site)
    today = desk.clock.now().date()
    last = (
        parse_business_date(business_date, desk.calendar, desk.clock)
        if business_date
        else desk.calendar.previous_business_day(today)
    )
    if last >= today:
        # The drill's own listing would be the snapshot that the next drill compares with.
        raise UsageError(f"{last} is no last business date: name one before today, {today}")
    codes = report or desk.configured.drill_reports
    if not codes:
        raise UsageError("no report to download is named: give --report, or set drill_reports")
    desk.catalogue.require_codes(desk.configured.service, codes)
    with desk.archive() as archive, watching() as observe:
        exercise = Drill(
            desk.configured.of_date(last),
            archive,
            desk.catalogue,
            desk.clock,
            site=place,
            last_business_date=last,
            observe=observe,
        )
        steps = asyncio.run(run_drill(exercise, codes))
    outcome = _outcome(steps)
    return Answer(
        {
            "service": desk.configured.service,
            "site": place.value,
            "last_business_date": plain(last),
            "outcome": outcome,
            "steps": [
                {
                    "step": action.value,
                    "outcome": done.state.value,
                    "found": done.found,
                    "facts": plain(done.facts),
                }
                for action, done in steps
            ],
        },
        lambda console: _render_drill(place, steps, console),
        ExitCode.DONE if outcome == "passed" else ExitCode.FINDINGS,
    )


_DrillSteps: TypeAlias = Sequence[tuple[StepAction, StepResult]]


def _outcome(steps: _DrillSteps) -> str:
    states = {done.state for _, done in steps}
    if StepState.FAILED in states:
        return "failed"
    return "passed" if states == {StepState.PASSED} else "unknown"


def _render_drill(site: SiteRole, steps: _DrillSteps, console: Console) -> None:
    say(console, f"drill at the {site.value} site: {_outcome(steps)}")
    for action, done in steps:
        say(console, done.found, lead=f"  {done.state.value:<9}{action.value:<17}")


# -- verify ----------------------------------------------------------------------------------------


def verify(
    *,
    deep: Annotated[
        bool, Parameter(negative="--shallow", help="Read every file again, not only names.")
    ] = True,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Find any changed, missing or added file and any changed, removed or reordered ledger row.

    Where the archive has a second copy, that is held against the ledger too.
    """
    settings = load_settings(config_path(config))
    place = settings.required_archive()
    with open_archive(settings, system_clock(), read_only=True) as archive:
        own = archive.verify(deep=deep)
        of_copy = verified_copy(place, archive, deep=deep)
        files = sum(1 for _ in archive.recorded()) if not own else None
    findings = (*own, *of_copy.findings)
    copy = None if place.copy is None else str(place.copy.folder or place.copy.url)
    return Answer(
        {
            "archive": str(place.folder),
            "copy": copy,
            "records": files,
            "findings": [plain(finding) for finding in findings],
            "copy_mended_by_next_fetch": of_copy.noted,
        },
        lambda console: _render_verify(place.folder, files, own, copy, of_copy, console),
        ExitCode.FINDINGS if findings else ExitCode.DONE,
    )


def _render_verify(
    folder: Path,
    files: int | None,
    own: Sequence[Finding],
    copy: str | None,
    of_copy: CopyVerified,
    console: Console,
) -> None:
    """The archive, and then its copy: what is wrong with one is not said of the other."""
    if own:
        say(console, f"{folder} is NOT whole: {say_count(len(own), 'finding')}")
    else:
        say(console, f"{folder} is whole: {files} ledger records of files, chain intact")
    _say_findings(own, console)
    if copy is None:
        return
    if of_copy.findings:
        count = say_count(len(of_copy.findings), "finding")
        say(console, f"its copy {copy} is NOT whole: {count}")
    else:
        say(console, f"its copy {copy} agrees with it")
    _say_findings(of_copy.findings, console)
    if of_copy.noted:
        say(console, "the next fetch writes them again from the archive", indent=2)


def _say_findings(findings: Sequence[Finding], console: Console) -> None:
    for finding in findings:
        say(console, f"{finding.where}: {finding.message}", lead=f"  {finding.kind.value}: ")
