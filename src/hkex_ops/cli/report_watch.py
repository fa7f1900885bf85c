"""``hkex-ops reports watch``: follow a day's reports until its last cut-off."""

from __future__ import annotations

import asyncio
import sys
from datetime import date, datetime
from json import dumps
from pathlib import Path

from attrs import define
from rich.console import Console

from hkex_ops.cli.answer import ExitCode
from hkex_ops.cli.handing import hand_over, hand_over_failure
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
from hkex_ops.errors import Unreachable
from hkex_ops.flows.fetch import FetchResult
from hkex_ops.flows.notifying.streams import occurrence_of_findings, occurrence_of_unavailable
from hkex_ops.flows.occurring import occurrences_of_reports
from hkex_ops.flows.sources import Observe
from hkex_ops.flows.store import Archive, CopyResult
from hkex_ops.flows.watching_reports import watch_reports
from hkex_ops.model import JsonObject, SiteRole, plain
from hkex_ops.reports import DayStanding, digest_of, expected_reports, last_cut_off
from hkex_ops.reports.events import ReportEvent, ReportFinding, RunInterrupted
from hkex_ops.reports.watch import WatchEnded, WhyEnded

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
    console = Console(highlight=False, soft_wrap=False)
    with watching(routine=False) as shown:
        looks = _Looks(desk, place, day, desk.astray(site), metrics, json, console, _Once(shown))
        looks.begin()
        with hand_over_failure(
            desk.settings,
            desk.clock,
            lambda error: occurrence_of_unavailable(
                desk.configured.service, place, day, error, desk.clock.now()
            ),
        ):
            watched = asyncio.run(
                watch_reports(
                    desk.configured,
                    desk.archive,
                    desk.catalogue,
                    desk.calendar,
                    desk.clock,
                    site=place,
                    business_date=day,
                    observe=looks.observe,
                    looked=looks.looked,
                )
            )
            if watched.ended.why is WhyEnded.FAILED:
                reason = watched.ended.reason
                raise Unreachable(f"gave up after {watched.ended.looks} looks: {reason}")
    return looks.end(watched.ended)


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


@define
class _Looks:
    """What is told of the looks of one watch: to whoever sees them, and to whoever must know."""

    desk: ReportDesk
    site: SiteRole
    day: date
    astray: tuple[ReportFinding, ...]
    metrics: Path | None
    as_json: bool
    console: Console
    observe: _Once
    found: tuple[ReportFinding, ...] = ()

    def begin(self) -> None:
        """Say what is followed, and until when."""
        self.found = self.astray
        for finding in self.astray:
            self.observe(finding)
        if not self.as_json:
            _render_begin(self.desk, self.day, self.console)

    def looked(self, archive: Archive, result: FetchResult) -> None:
        """Tell of a look that came to its end; a lack is told at once, and once."""
        desk, now = self.desk, self.desk.clock.now()
        service = desk.configured.service
        stood = desk.shelf.stand(archive, service, self.day, now)
        copied = copy_now(desk.settings, archive)
        of_copy = copy_told(copied)
        for finding in of_copy:
            self.observe(finding)
        self.found = found = (*self.astray, *result.findings, *of_copy)
        self.observe.went_well()
        write_metrics(self.metrics, [stood], run_facts(result, result.listing.taken_at, now))
        hand_over(
            desk.settings,
            desk.clock,
            lambda: (
                *occurrences_of_reports([stood]),
                *occurrence_of_findings(service, self.site, self.day, found, now),
            ),
        )
        if self.as_json:
            _line(_look_document(result, copied, stood, now))
        elif result.kept:
            _render_look(result, now, self.console)

    def end(self, ended: WatchEnded) -> ExitCode:
        """Say how the reports stand at the end."""
        desk = self.desk
        with desk.archive(read_only=True) as archive:
            service = desk.configured.service
            stood = desk.shelf.stand(archive, service, self.day, desk.clock.now())
        told = digest_of([stood], stood.at)
        hand_over(desk.settings, desk.clock, lambda: occurrences_of_reports([stood]))
        if self.as_json:
            document = status_document([stood], told, stood.at)
            found = [plain(finding) for finding in self.found]
            _line({"event": "watch-ended", "why": ended.why.value, **document, "findings": found})
        else:
            render_days([stood], told, self.console)
        return ExitCode.DONE if told is None and not self.found else ExitCode.FINDINGS


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
