"""``hkex-ops reports watch``: follow a day's reports until its last cut-off."""

from __future__ import annotations

import asyncio
import sys
from datetime import date, datetime
from json import dumps

from rich.console import Console

from hkex_ops.cli.answer import ExitCode
from hkex_ops.cli.index_options import JsonLines
from hkex_ops.cli.options import Config, Site, Source, Verbose
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
from hkex_ops.cli.report_standing import render_days, status_document
from hkex_ops.cli.text import say, say_instant, say_size
from hkex_ops.cli.working import work_folder
from hkex_ops.errors import Unreachable
from hkex_ops.flows.fetch import FetchResult
from hkex_ops.flows.occurring import Occurrences, hearers_of, occurrences_of_reports
from hkex_ops.flows.sources import Observe
from hkex_ops.flows.store import Archive, CopyResult
from hkex_ops.flows.watching_reports import watch_reports
from hkex_ops.model import JsonObject, plain
from hkex_ops.reports import DayStanding, digest_of, expected_reports, last_cut_off
from hkex_ops.reports.events import ReportEvent, ReportFinding, RunInterrupted
from hkex_ops.reports.watch import WhyEnded

__all__ = ["watch"]


def watch(
    *,
    site: Site = None,
    business_date: WorkingDate = None,
    metrics: Metrics = None,
    source: Source = None,
    config: Config = None,
    verbose: Verbose = False,
    json: JsonLines = False,
) -> ExitCode:
    """Follow the reports of a business date until its last cut-off, then say how they stand.

    Looks as often as the source's manners allow, logs out after each look, tells what came, and
    stops by itself. Exits 1 when something due is missing at the end, or when the last look found
    anything else that wants a person's eye.
    """
    require_metrics_place(metrics)
    desk = report_desk(config, source, verbose=verbose, as_json=json)
    place = desk.site(site)
    day = desk.shelf.day(business_date, desk.clock.now())
    service = desk.configured.service
    astray = desk.astray(site)
    found: tuple[ReportFinding, ...] = astray
    console = Console(highlight=False, soft_wrap=False)

    with watching(routine=False) as shown:
        observe = _Once(shown)

        def looked(archive: Archive, result: FetchResult) -> None:
            nonlocal found
            now = desk.clock.now()
            stood = desk.shelf.stand(archive, service, day, now)
            copied = copy_now(desk.settings, archive)
            of_copy = copy_told(copied)
            for finding in of_copy:
                observe(finding)
            found = (*astray, *result.findings, *of_copy)
            observe.went_well()
            write_metrics(metrics, [stood], run_facts(result, result.listing.taken_at, now))
            if json:
                _line(_look_document(result, copied, stood, now))
            elif result.kept:
                _render_look(result, now, console)

        for finding in astray:
            observe(finding)
        if not json:
            _render_begin(desk, day, console)
        watched = asyncio.run(
            watch_reports(
                desk.configured,
                desk.archive,
                desk.catalogue,
                desk.calendar,
                desk.clock,
                site=place,
                business_date=day,
                observe=observe,
                looked=looked,
            )
        )
    if watched.ended.why is WhyEnded.FAILED:
        raise Unreachable(f"gave up after {watched.ended.looks} looks: {watched.ended.reason}")
    with desk.archive(read_only=True) as archive:
        stood = desk.shelf.stand(archive, service, day, desk.clock.now())
    told = digest_of([stood], stood.at)
    settings = desk.shelf.settings
    hearers = hearers_of(settings, work_folder(None, settings), desk.clock)
    with Occurrences(hearers) as occurrences:
        for occurrence in occurrences_of_reports([stood]):
            occurrences.tell(occurrence)
    if json:
        end = {"event": "watch-ended", "why": watched.ended.why.value}
        document = status_document([stood], told, stood.at)
        _line({**end, **document, "findings": [plain(finding) for finding in found]})
    else:
        render_days([stood], told, console)
    return ExitCode.DONE if told is None and not found else ExitCode.FINDINGS


class _Once:
    """Tells a watcher of each finding once, and of an outage when it begins: not at every look."""

    def __init__(self, observe: Observe) -> None:
        self._observe = observe
        self._told: set[ReportFinding | RunInterrupted] = set()

    def __call__(self, event: ReportEvent) -> None:
        if isinstance(event, ReportFinding | RunInterrupted):
            if event in self._told:
                return
            self._told.add(event)
        self._observe(event)

    def went_well(self) -> None:
        """A look came to its end: the next outage is another one."""
        self._told = {one for one in self._told if isinstance(one, ReportFinding)}


def _look_document(
    result: FetchResult, copied: CopyResult | None, stood: DayStanding, now: datetime
) -> JsonObject:
    return {
        "event": "look-taken",
        "at": plain(now),
        "fetched": [kept.name for kept in result.kept],
        "findings": [plain(finding) for finding in result.findings],
        "missing": len(stood.missing),
        "copy": None if copied is None else copy_document(copied),
    }


def _render_begin(desk: ReportDesk, day: date, console: Console) -> None:
    service, every_s = desk.configured.service, desk.configured.manners.poll_s
    last = last_cut_off(expected_reports(desk.catalogue, desk.calendar, service, day))
    until = "one look: nothing is expected" if last is None else f"until {say_instant(last)}"
    pace = "" if last is None else f", a look every {every_s:g} s"
    say(console, f"{service} of {day:%a %Y-%m-%d}, {until}{pace}")
    console.file.flush()


def _render_look(result: FetchResult, now: datetime, console: Console) -> None:
    size = sum(kept.size_bytes for kept in result.kept)
    say(console, f"{say_instant(now)}: {len(result.kept)} fetched ({say_size(size)})")
    for kept in result.kept:
        say(console, kept.name, indent=2)
    console.file.flush()


def _line(document: JsonObject) -> None:
    sys.stdout.write(dumps(document, ensure_ascii=False) + "\n")
    sys.stdout.flush()
