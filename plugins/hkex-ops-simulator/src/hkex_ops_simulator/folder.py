"""The report folder of one simulated site, in memory.

Says what is listed and gives content; keeps the reports of the last few business dates, as such
services do. Knows no SSH and no clock: modification times are handed over. Used by the SFTP side
to serve and by :class:`~hkex_ops_simulator.server.SimulatedExchange` as its back door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime

from attrs import field, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import HONG_KONG
from hkex_ops_simulator.tree import SimulatedReport

__all__ = ["FOLDER_NAME", "README_NAME", "FolderEntry", "ReportFolder"]

# Where a client finds it, below its home.
FOLDER_NAME = "reports"

README_NAME = "README.txt"
_README = (
    b"SYNTHETIC: every file in this folder is invented by hkex-ops-simulator.\n"
    b"No exchange made any of it, and no name or layout here is an exchange's.\n"
)
# What the note, and a file put without a time, bear as their modification time.
_ORIGIN = datetime(2023, 1, 3, 9, 0, tzinfo=HONG_KONG)


@frozen
class FolderEntry:
    """One file. ``business_date`` is the publication it goes with, ``None`` if it stays."""

    name: str
    size_bytes: int
    modified: datetime
    content: Callable[[], bytes] = field(eq=False, repr=False)
    business_date: date | None = None


class ReportFolder:
    """The files of one site. ``retention`` counts business dates; ``None`` keeps all."""

    def __init__(self, *, retention: int | None) -> None:
        self._retention = retention
        self._entries: dict[str, FolderEntry] = {}
        self.put(README_NAME, _README)

    def publish(self, reports: Iterable[SimulatedReport]) -> None:
        """Let reports appear, then drop those of all but the latest business dates."""
        for report in reports:
            self._entries[report.name] = FolderEntry(
                report.name,
                report.size_bytes,
                report.modified,
                report.content,
                report.business_date,
            )
        if self._retention is not None:
            self._keep(self.business_dates()[-self._retention :])

    def business_dates(self) -> tuple[date, ...]:
        """The business dates whose reports are in the folder, earliest first."""
        dates = {entry.business_date for entry in self._entries.values()}
        return tuple(sorted(each for each in dates if each is not None))

    def put(self, name: str, content: bytes, *, modified: datetime | None = None) -> None:
        """Write a file, new or in place of another.

        Without ``modified`` a replaced file keeps its time, which is how a server that changes a
        report in silence looks.
        """
        if not name or "/" in name or "\0" in name or name in {".", ".."}:
            raise UsageError(f"{name!r} is no file name: give one without a folder")
        held = self._entries.get(name)
        self._entries[name] = FolderEntry(
            name,
            len(content),
            modified or (held.modified if held else _ORIGIN),
            lambda: content,
            held.business_date if held else None,
        )

    def remove(self, name: str) -> None:
        """Take a file away; `UsageError` when there is none of that name."""
        self.entry(name)
        del self._entries[name]

    def entry(self, name: str) -> FolderEntry:
        """The file called ``name``; `UsageError` when there is none."""
        try:
            return self._entries[name]
        except KeyError:
            raise UsageError(f"there is no {name} in the simulated folder") from None

    def entries(self) -> tuple[FolderEntry, ...]:
        """Every file, in order of name."""
        return tuple(self._entries[name] for name in sorted(self._entries))

    def _keep(self, dates: tuple[date, ...]) -> None:
        self._entries = {
            name: entry
            for name, entry in self._entries.items()
            if entry.business_date is None or entry.business_date in dates
        }
