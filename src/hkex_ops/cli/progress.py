"""Progress of a retrieval on stderr: a bar and facts on a terminal, elsewhere what wants an eye.

Cron mails whatever a run says there, so that a run in which all is well says nothing: what it did
is its answer, on stdout.
"""

from __future__ import annotations

from collections import Counter
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

from hkex_ops.cli.text import SHOWN, printable, say, say_size
from hkex_ops.flows.sources import Observe
from hkex_ops.reports.events import (
    BytesReceived,
    FetchPlanned,
    FindingKind,
    FolderListed,
    LoggedIn,
    LoggedOut,
    ReportDownloaded,
    ReportEvent,
    ReportFinding,
    ReportGoneOnWith,
    ReportKept,
    RunInterrupted,
)

__all__ = ["say_event", "watching"]


@contextmanager
def watching(
    console: Console | None = None, *, facts: bool = True, routine: bool = True
) -> Generator[Observe]:
    """A watcher to hand to a flow, showing on ``console``, or on stderr.

    A terminal shows a bar while bytes come, gone when they have come, and ``facts`` above it.
    Elsewhere, and without ``routine``, of the facts only findings and interruptions are shown, a
    line for each, and of one kind no more than a person reads.
    """
    console = console or Console(stderr=True, highlight=False)
    watcher = _Watcher(console, facts=facts, routine=routine and console.is_terminal)
    try:
        yield watcher.observe
    finally:
        watcher.end()


class _Watcher:
    """Facts as lines, and one bar for the transfer that is under way."""

    def __init__(self, console: Console, *, facts: bool, routine: bool) -> None:
        self._console = console
        self._facts = facts
        self._routine = routine
        self._findings: Counter[FindingKind] = Counter()
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def observe(self, event: ReportEvent) -> None:
        """Show one event of a flow."""
        match event:
            case FetchPlanned(new=new, size_bytes=size_bytes) if new:
                self._begin(new, size_bytes)
            case BytesReceived(size_bytes=size_bytes) | ReportGoneOnWith(held_bytes=size_bytes):
                if self._progress is not None and self._task is not None:
                    self._progress.advance(self._task, size_bytes)
            case LoggedOut() | RunInterrupted():
                self._take_bar_away()
            case _:
                pass
        line = say_event(event) if self._facts and self._is_shown(event) else None
        if line is not None:
            self._say(line)

    def _say(self, line: str) -> None:
        if self._console.is_terminal:
            say(self._console, line)
        else:
            # In one line however long it is: it may be looked for, and counted.
            one = " ".join(printable(line).split())
            self._console.print(one, soft_wrap=True, markup=False, emoji=False)

    def end(self) -> None:
        """Take the bar away, and tell how many findings were not told one by one."""
        self._take_bar_away()
        for kind, count in self._findings.items():
            if self._facts and count > SHOWN:
                self._say(f"finding: {kind.value}: and {count - SHOWN} more")
        self._findings.clear()

    def _take_bar_away(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _is_shown(self, event: ReportEvent) -> bool:
        if isinstance(event, ReportFinding):
            # A catalogue that knows no name of a folder is one thing to mend, not thousands.
            self._findings[event.kind] += 1
            return self._findings[event.kind] <= SHOWN
        if not self._routine:
            return isinstance(event, RunInterrupted)
        # The bar says what a line for each kept report would.
        return not (self._progress and isinstance(event, ReportKept))

    def _begin(self, new: int, size_bytes: int) -> None:
        self._take_bar_away()
        if not self._console.is_terminal:
            return
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task(f"{new} reports", total=size_bytes)
        self._progress.start()


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
        case ReportGoneOnWith(name, held_bytes, size_bytes):
            return f"going on with {name}: {say_size(held_bytes)} of {say_size(size_bytes)} held"
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
