"""``hkex-ops reports``: list, fetch and drill, each a thin front of a flow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
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
    parse_business_date,
)
from hkex_ops.cli.progress import watching
from hkex_ops.cli.report_desk import (
    Metrics,
    ReportDesk,
    WorkingDate,
    copy_document,
    copy_now,
    copy_told,
    report_desk,
    require_metrics_place,
    run_facts,
    write_metrics,
)
from hkex_ops.cli.text import SHOWN, say, say_count, say_more, say_size
from hkex_ops.errors import StoreInUse, UsageError
from hkex_ops.flows.drill import Drill, run_drill
from hkex_ops.flows.fetch import FetchResult, fetch_reports
from hkex_ops.flows.listing import list_reports
from hkex_ops.flows.notifying.streams import occurrence_of_findings, occurrence_of_unavailable
from hkex_ops.flows.occurring import occurrences_of_reports
from hkex_ops.flows.store import Archive, CopyResult
from hkex_ops.model import JsonObject, SiteRole, StepAction, plain
from hkex_ops.reports import ListedState, PlannedReport
from hkex_ops.reports.events import ReportFinding
from hkex_ops.rundown import StepResult, StepState

__all__ = ["drill", "fetch", "list_"]


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
    """List the report folder of a site, and say of each entry what it is and if it is held.

    The listing is kept as a snapshot, unless another run works in the archive just then.
    """
    desk = report_desk(config, source, verbose=verbose, as_json=json)
    place = desk.site(site)
    day = parse_business_date(business_date, desk.calendar, desk.clock) if business_date else None
    with ExitStack() as closing:
        archive, in_use = _archive_to_list_with(desk, closing)
        observe = closing.enter_context(watching())
        entries = asyncio.run(
            list_reports(
                desk.configured,
                archive,
                desk.catalogue,
                desk.clock,
                site=place,
                business_date=day,
                observe=observe,
                keep=in_use is None,
            )
        )
    shown = [entry for entry in entries if entry.state is not ListedState.OTHER_DATE]
    document: JsonObject = {
        "service": desk.configured.service,
        "site": place.value,
        "count": len(entries),
        "kept": in_use is None,
        "reports": [_entry(entry) for entry in shown],
    }
    return Answer(document, lambda console: _render_list(shown, len(entries), in_use, console))


def _archive_to_list_with(
    desk: ReportDesk, closing: ExitStack
) -> tuple[Archive, StoreInUse | None]:
    """The archive, only to be read where another run works in it: that hinders nobody's look."""
    try:
        return closing.enter_context(desk.archive()), None
    except StoreInUse as error:
        return closing.enter_context(desk.archive(read_only=True)), error


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


def _render_list(
    entries: Sequence[PlannedReport], count: int, in_use: StoreInUse | None, console: Console
) -> None:
    for entry in entries:
        size = f"{say_size(entry.listed.size_bytes):>10}"
        say(console, entry.listed.name, lead=f"{entry.state.value:<13}{size}  ")
    say(console, f"{count} entries in the folder, {len(entries)} shown")
    if in_use is not None:
        say(console, f"not kept as a snapshot: {in_use}")


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
    for finding in found[:SHOWN]:
        say(console, f"{finding.name} {finding.message}".strip(), lead=f"  {finding.kind.value}: ")
    say_more(console, len(found))


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
