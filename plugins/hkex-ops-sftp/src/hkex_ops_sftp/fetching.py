"""Many files at once: who is let in, how many are open, and what comes of each.

Files are let in while there is room for their bytes and for one more handle; a server that says
that it can open no more gets fewer, and the file its turn again. Decides only; called by
:mod:`hkex_ops_sftp.source`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from hkex_ops.errors import RemoteError
from hkex_ops.model import ListedReport
from hkex_ops.ports import ReportFailed
from hkex_ops_sftp.file_reading import Allowance, FileReading, Waiting
from hkex_ops_sftp.wire import Status

__all__ = ["Fetching"]

# A general failure, which is how servers say that too many files are open.
_FAILURE = 4


class Fetching:
    """One fetch. Whoever takes from :attr:`waiting` gives bytes back to the allowance beside them.

    ``refusal`` says why a report must not even be asked for, ``path`` where it lies, ``failed``
    what an answer means.
    """

    def __init__(
        self,
        reports: Iterator[ListedReport],
        allowances: Sequence[Allowance],
        *,
        most_open: int,
        refusal: Callable[[ListedReport], RemoteError | None],
        path: Callable[[ListedReport], bytes],
        failed: Callable[[ListedReport, Status], RemoteError],
    ) -> None:
        self.waiting: Waiting = deque()
        self._reports = reports
        self._allowances = allowances
        self._most_open = most_open
        self._refusal, self._path, self._failed = refusal, path, failed
        self._open: list[FileReading] = []
        self._again: deque[ListedReport] = deque()
        self._is_all = False

    @property
    def is_finished(self) -> bool:
        """Whether there is nothing left to come or to be taken."""
        return self._is_all and not (self._open or self._again or self.waiting)

    @property
    def wants_more(self) -> bool:
        """Whether there is more to ask for than the allowances let."""
        return all(one.left <= 0 for one in self._allowances)

    @property
    def doing(self) -> ListedReport | None:
        """A report that is under way."""
        return self._open[0].report if self._open else None

    def go_on(self) -> None:
        """Conclude what has ended, ask for more, let others in."""
        refused = len(self._again)
        still: list[FileReading] = []
        for reading in self._open:
            if reading.failure is not None and reading.is_ended:
                self._conclude(reading, reading.failure)
            elif not reading.is_ended:
                reading.go_on()
                still.append(reading)
        if len(self._again) > refused:
            # As many as stand; where none does, half of what was tried.
            self._most_open = max(1, len(still) or len(self._open) // 2)
        self._open = still
        while len(self._open) < self._most_open and any(one.left > 0 for one in self._allowances):
            report = self._next()
            if report is None:
                return
            refusal = self._refusal(report)
            if refusal is not None:
                self.waiting.append((ReportFailed(report, refusal), None))
                continue
            path = self._path(report)
            self._open.append(FileReading(report, path, self._allowances, self.waiting))

    def leave(self) -> bool:
        """Tell nothing more and give all handles back; whether that is done."""
        for reading in self._open:
            reading.leave()
        return all(reading.is_gone for reading in self._open)

    def _next(self) -> ListedReport | None:
        if self._again:
            return self._again.popleft()
        if self._is_all:
            return None
        report = next(self._reports, None)
        self._is_all = report is None
        return report

    def _conclude(self, reading: FileReading, status: Status) -> None:
        if status.code == _FAILURE and not reading.is_opened and len(self._open) > 1:
            self._again.append(reading.report)
            return
        error = self._failed(reading.report, status)
        self.waiting.append((ReportFailed(reading.report, error), None))
