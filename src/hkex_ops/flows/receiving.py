"""The files of one transfer while they come in: written, gone on with, judged at their end.

A large report that was begun by an earlier run is gone on with where the source can; the last of
what is held is asked for once more and compared. Called by :mod:`hkex_ops.flows.fetch`, which says
what becomes of a file that is whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from hkex_ops.errors import PluginError
from hkex_ops.flows.sources import Observe
from hkex_ops.flows.store import Archive, StagedFile
from hkex_ops.model import ListedReport
from hkex_ops.ports import Delivery, ReportChunk, ReportEnd, ReportSource, SupportsResume
from hkex_ops.reports.events import BytesReceived, FindingKind, ReportGoneOnWith

__all__ = ["COMPARED_BYTES", "LARGE_BYTES", "Find", "Receiving"]

LARGE_BYTES = 32 * 1024 * 1024
"""A report from this size on is kept when it is begun and not finished; below, it is as quick to
begin again."""

COMPARED_BYTES = 256 * 1024
"""How much of what is held is asked for once more."""

Find = Callable[[FindingKind, str, str], None]


class Receiving:
    """Takes the deliveries of one fetch. Every file it still has is left or dropped at the end."""

    def __init__(
        self,
        archive: Archive,
        service: str,
        *,
        find: Find,
        broken: Callable[[str], PluginError],
        observe: Observe,
    ) -> None:
        self._archive = archive
        self._service = service
        self._find, self._broken, self._observe = find, broken, observe
        self._staged: dict[ListedReport, StagedFile] = {}
        self._held: dict[ListedReport, int] = {}
        self._given_up: set[ListedReport] = set()

    def deliveries(
        self, source: ReportSource, wanted: Iterable[ListedReport]
    ) -> AsyncIterator[Delivery]:
        """What ``source`` delivers of ``wanted``, of a large report only what is not held yet."""
        if not isinstance(source, SupportsResume):
            return source.fetch(wanted)
        return source.fetch_from([(listed, self._start(listed)) for listed in wanted])

    def _start(self, listed: ListedReport) -> int:
        if listed.size_bytes < LARGE_BYTES:
            return 0
        file = self._staged[listed] = self._archive.stage_large(self._service, listed)
        self._held[listed] = file.size_bytes
        if file.size_bytes:
            self._observe(ReportGoneOnWith(listed.name, file.size_bytes, listed.size_bytes))
        return max(0, file.size_bytes - COMPARED_BYTES)

    def take(self, chunk: ReportChunk) -> None:
        """Write what came, once it is sure that it follows what is there."""
        report, offset, data = chunk
        file = self._staged.get(report)
        if file is None:
            if report in self._given_up:
                return
            file = self._staged[report] = self._archive.stage(report)
        again = self._held.get(report, 0) - offset if self._held else 0
        if again > 0:
            known, data = data[:again], data[again:]
            if not file.holds(offset, known):
                self._give_up(report)
                return
            offset += len(known)
        if data and offset != file.size_bytes:
            raise self._broken(
                f"delivered {report.name!r} at offset {offset}, {file.size_bytes} was next"
            )
        if data:
            file.write(data)
            self._observe(BytesReceived(report.name, len(data)))

    def end(self, end: ReportEnd) -> StagedFile | None:
        """The file of a report that came to its end, if it is whole."""
        report = end.report
        if report in self._given_up:
            return None
        file = self._staged.pop(report, None) or self._archive.stage(report)
        if self._is_whole(file, end):
            return file
        file.discard()
        return None

    def drop(self, report: ListedReport) -> None:
        """It will not come."""
        if report in self._staged:
            self._staged.pop(report).leave()

    def leave(self) -> None:
        """Nothing more will come; large files wait for a later run."""
        for file in self._staged.values():
            file.leave()
        self._staged.clear()

    # -- within ------------------------------------------------------------------------------

    def _give_up(self, report: ListedReport) -> None:
        self._given_up.add(report)
        self._staged.pop(report).discard()
        self._find(
            FindingKind.CHANGED_WHILE_READ,
            report.name,
            "what is held of it from before is not what the server has now: dropped, the next run "
            "fetches it anew",
        )

    def _is_whole(self, file: StagedFile, end: ReportEnd) -> bool:
        report, size_bytes, modified = end
        again = "not kept, the next run fetches it again"
        if file.size_bytes != size_bytes:
            told = f"{file.size_bytes} bytes came and the server says {size_bytes}: {again}"
            self._find(FindingKind.CUT_SHORT, report.name, told)
        elif size_bytes != report.size_bytes:
            told = f"listed with {report.size_bytes} bytes and read with {size_bytes}: {again}"
            self._find(FindingKind.CHANGED_WHILE_READ, report.name, told)
        elif None not in (modified, report.modified) and modified != report.modified:
            told = f"listed as of {report.modified}, and of {modified} once it was read: {again}"
            self._find(FindingKind.CHANGED_WHILE_READ, report.name, told)
        else:
            return True
        return False
