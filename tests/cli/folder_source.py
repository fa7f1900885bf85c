"""A plug-in for tests: a report source whose far side is a folder of this machine.

So a test can be the exchange between two runs of ``hkex-ops``, processes included, with nothing
installed but the core. ``goes_wrong`` stages what a far side, or a bad adapter, can do.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    HkexOpsError,
    HostKeyMismatch,
    Rejected,
    ReportNotFound,
    TimedOut,
    Unreachable,
)
from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import Endpoint, ListedReport, SiteRole
from hkex_ops.ports import Delivery, Offer, ReportChunk, ReportEnd, ReportFailed, ReportSource

__all__ = ["FolderOptions", "FolderSource", "hkex_ops_report_sources", "install"]

ENDPOINT = Endpoint("127.0.0.1", 22, "SHA256:folder")

REFUSALS: Mapping[str, Callable[[], HkexOpsError]] = {
    "unreachable": lambda: Unreachable("127.0.0.1 port 22 cannot be reached: try again"),
    "timed-out": lambda: TimedOut("127.0.0.1 port 22 does not answer: try again"),
    "busy": lambda: Busy("127.0.0.1 port 22 has no room: try again"),
    "auth": lambda: AuthRefused("127.0.0.1 port 22 does not know this key: register it"),
    "rejected": lambda: Rejected("127.0.0.1 port 22 refused: ask the exchange"),
    "host-key": lambda: HostKeyMismatch(
        "127.0.0.1", 22, seen="SHA256:seen", expected=["SHA256:pinned"]
    ),
}


@frozen
class FolderOptions:
    """Where the far side lies, and what goes wrong there."""

    folder: Path
    goes_wrong: str = ""


class FolderSource:
    """The port ``ReportSource`` on a folder of this machine."""

    def __init__(self, options: FolderOptions) -> None:
        self._folder = options.folder
        self._wrong, _, self._about = options.goes_wrong.partition(" ")

    @property
    def endpoint(self) -> Endpoint:
        """An address that nobody connects to."""
        return ENDPOINT

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        """Yield what lies in the folder."""
        for name in sorted(os.listdir(self._folder)):
            yield self._listed(name)
            if self._wrong == "listed-twice":
                yield self._listed(name)

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Read one file after the other."""
        for report in reports:
            if self._wrong == "vanishes" and report.name == self._about:
                yield ReportFailed(report, ReportNotFound(f"{report.name} is gone: list again"))
                continue
            content = (self._folder / report.name).read_bytes()
            yield ReportChunk(report, 0, content)
            if self._wrong == "falls-silent" and report.name == self._about:
                await asyncio.Event().wait()
            if self._wrong == "lost-after" and report.name == self._about:
                raise Unreachable("the connection was lost: run it again")
            if self._wrong == "cut-short" and report.name == self._about:
                yield ReportEnd(report, len(content) + 1, report.modified)
            else:
                yield ReportEnd(report, len(content), report.modified)

    def _listed(self, name: str) -> ListedReport:
        state = (self._folder / name).stat()
        modified = datetime.fromtimestamp(int(state.st_mtime), UTC)
        return ListedReport(name, state.st_size, modified)


@asynccontextmanager
async def _open(options: FolderOptions, site: SiteRole) -> AsyncGenerator[ReportSource]:
    refusal = REFUSALS.get(options.goes_wrong)
    is_away = options.folder.with_name("sign").exists()
    if options.goes_wrong == "away-while-a-sign-hangs" and is_away:
        refusal = REFUSALS["unreachable"]
    if refusal is not None:
        raise refusal()
    yield FolderSource(options)


@hookimpl
def hkex_ops_report_sources() -> Iterable[Offer[ReportSource]]:
    """Offer ``folder``."""
    return [Offer("folder", FolderOptions, _open)]


def install(
    site: Path, name: str, *, entry_point: str = "", module: str = "", text: str | None = None
) -> Path:
    """Put a distribution called ``name`` into the folder ``site``, as an installer would.

    Its entry point loads ``module``, which ``text`` writes where it is given; both are named like
    the distribution unless said otherwise.
    """
    package = name.replace("-", "_")
    module = module or package
    information = site / f"{package}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    entry = f"[hkex_ops]\n{entry_point or package} = {module}\n"
    (information / "entry_points.txt").write_text(entry)
    if text is not None:
        (site / f"{module}.py").write_text(text, encoding="utf-8")
    return site
