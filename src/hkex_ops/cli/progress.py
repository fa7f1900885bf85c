"""Progress of a retrieval on stderr: a bar on a terminal, one line per fact elsewhere."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)

from hkex_ops.cli.text import say, say_size
from hkex_ops.flows.sources import Observe
from hkex_ops.reports.events import (
    BytesReceived,
    FetchPlanned,
    FolderListed,
    LoggedIn,
    LoggedOut,
    ReportDownloaded,
    ReportEvent,
    ReportFinding,
    ReportKept,
    RunInterrupted,
)

__all__ = ["say_event", "watching"]


@contextmanager
def watching(console: Console | None = None) -> Generator[Observe]:
    """A watcher to hand to a flow; what it shows is gone from a terminal when it ends."""
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield lambda event: _print(console, event)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = _Bar(console, progress)
        yield bar.observe


class _Bar:
    """One bar for a whole transfer, facts printed above it."""

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: TaskID | None = None

    def observe(self, event: ReportEvent) -> None:
        if isinstance(event, FetchPlanned) and event.new:
            self._task = self._progress.add_task(f"{event.new} reports", total=event.size_bytes)
        elif isinstance(event, BytesReceived) and self._task is not None:
            self._progress.advance(self._task, event.size_bytes)
        if not isinstance(event, ReportKept):
            _print(self._console, event)


def _print(console: Console, event: ReportEvent) -> None:
    line = say_event(event)
    if line is not None:
        say(console, line)


def say_event(event: ReportEvent) -> str | None:
    """The line that tells of an event; nothing for those that only move a bar."""
    match event:
        case LoggedIn(service, site, endpoint):
            return f"logged in to {service} at the {site.value} site, {endpoint}"
        case FolderListed(listing):
            return f"{listing.count} files are in the folder"
        case FetchPlanned(business_date, new, held, size_bytes):
            return f"{business_date}: {new} to fetch ({say_size(size_bytes)}), {held} held already"
        case ReportKept(_, name, _, outcome, size_bytes):
            return f"{outcome} {name} ({say_size(size_bytes)})"
        case ReportDownloaded(name, size_bytes, digest):
            return f"downloaded {name} ({say_size(size_bytes)}), SHA-256 {digest[:16]}…"
        case ReportFinding(kind, name, message):
            return f"finding: {kind.value}: {name + ': ' if name else ''}{message}"
        case RunInterrupted(reason):
            return f"interrupted: {reason}; what came whole is kept, trying again"
        case LoggedOut(endpoint):
            return f"logged out of {endpoint}"
        case BytesReceived():
            return None
