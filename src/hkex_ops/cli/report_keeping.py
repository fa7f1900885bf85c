"""``hkex-ops reports retain`` and ``export``: what becomes of reports once they are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Config, Json, Source, config_path, parse_day, system_clock
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.report_desk import open_archive, report_shelf
from hkex_ops.cli.text import SHOWN, say, say_count, say_more, say_size
from hkex_ops.cli.working import work_folder
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.keeping import (
    REMOVAL,
    Exported,
    export_reports,
    removable_reports,
    remove_reports,
    require_removal,
)
from hkex_ops.flows.overrides import require
from hkex_ops.model import plain

__all__ = ["export", "retain"]


def retain(
    *,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Only say what would be removed.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Remove what is older than the archive's keep_days; the ledger keeps what it was.

    Never during a stabilisation period: the papers are asked first, and exit 3 says which one
    forbids it.
    """
    settings = load_settings(config_path(config))
    place = settings.required_archive()
    if place.keep_days is None:
        raise ConfigError(
            "archive.keep_days is not set: say how many days reports are kept",
            document=str(settings.path),
        )
    clock = system_clock()
    papers, _ = known_papers(config)
    rollouts = tuple(papers.rollouts.values())
    if not dry_run:
        require_removal(rollouts, clock.now())
        require(REMOVAL, rollouts, work_folder(None, settings), clock)
    with open_archive(settings, clock, read_only=dry_run) as archive:
        rows = removable_reports(archive, place.keep_days, clock.now().date())
        if not dry_run:
            remove_reports(archive, rows, clock)
    size = sum(row.size_bytes for row in rows)

    def render(console: Console) -> None:
        word = "would be removed" if dry_run else "removed"
        count = say_count(len(rows), "file")
        say(console, f"{count} ({say_size(size)}) older than {place.keep_days} days {word}")
        for row in rows[:SHOWN]:
            say(console, row.path, indent=2)
        say_more(console, len(rows))

    return Answer(
        {
            "archive": str(place.folder),
            "keep_days": place.keep_days,
            "dry_run": dry_run,
            "files": [row.path for row in rows],
            "size_bytes": size,
        },
        render,
    )


def export(
    *,
    output: Annotated[
        Path, Parameter(name=["--out", "--output", "-o"], help="Folder to make, which must be new.")
    ],
    since: Annotated[str, Parameter(name="--since", help="The first business date.")],
    until: Annotated[
        str | None, Parameter(name="--until", help="The last business date; else only the first.")
    ] = None,
    source: Source = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Make a BagIt bag of the reports of business dates, each with its row of the ledger.

    `hkex-ops evidence verify` proves it, and so does any tool that knows BagIt. Exits 1 when a file
    is missing or changed, which is then left out.
    """
    first = parse_day(since)
    last = first if until is None else parse_day(until)
    if last < first:
        raise UsageError(f"--until {last} lies before --since {first}")
    shelf = report_shelf(config, source)
    service = None if source is None else shelf.services[0]
    with open_archive(shelf.settings, shelf.clock, read_only=True) as archive:
        made = export_reports(archive, output, shelf.clock, first=first, last=last, service=service)
    return Answer(
        {
            "folder": str(output),
            "since": plain(first),
            "until": plain(last),
            "files": made.files,
            "size_bytes": made.size_bytes,
            "seal": made.seal,
            "findings": [plain(finding) for finding in made.findings],
        },
        lambda console: _render_export(made, console),
        ExitCode.FINDINGS if made.findings else ExitCode.DONE,
    )


def _render_export(made: Exported, console: Console) -> None:
    say(console, f"{say_count(made.files, 'file')} ({say_size(made.size_bytes)}) in {made.folder}")
    say(console, f"seal {made.seal}", indent=2)
    for finding in made.findings:
        say(console, f"{finding.where}: {finding.message}", lead=f"  {finding.kind.value}: ")
