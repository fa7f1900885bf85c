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
from hkex_ops.ports import Delivery, ReportChunk, ReportFailed
from hkex_ops_sftp.file_reading import Allowance, FileReading, Waiting
from hkex_ops_sftp.wire import Status

__all__ = ["Fetching"]

# A general failure, which is how servers say that too many files are open.
_FAILURE = 4

# From so many bytes on no more pieces are put together: what is gained by it is gained by then.
CHUNK_BYTES = 256 * 1024


class Fetching:
    """One fetch of reports, each from an offset on.

    :meth:`take` gives the bytes back to the allowance over which they came.
    ``refusal`` says why a report must not even be asked for, ``path`` where it lies, ``failed``
    what an answer means.
    """

    def __init__(
        self,
        parts: Iterator[tuple[ListedReport, int]],
        allowances: Sequence[Allowance],
        *,
        most_open: int,
        refusal: Callable[[ListedReport], RemoteError | None],
        path: Callable[[ListedReport], bytes],
        failed: Callable[[ListedReport, Status], RemoteError],
    ) -> None:
        self.waiting: Waiting = deque()
        self._parts = parts
        self._allowances = allowances
        self._most_open = most_open
        self._refusal, self._path, self._failed = refusal, path, failed
        self._open: list[FileReading] = []
        self._again: deque[tuple[ListedReport, int]] = deque()
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
        may_ask = any(one.is_worth_a_question for one in self._allowances)
        still: list[FileReading] = []
        for reading in self._open:
            if reading.failure is not None and reading.is_ended:
                self._conclude(reading, reading.failure)
            elif not reading.is_ended:
                if may_ask:
                    reading.go_on()
                still.append(reading)
        if len(self._again) > refused:
            # As many as stand; where none does, half of what was tried.
            self._most_open = max(1, len(still) or len(self._open) // 2)
        self._open = still
        while len(self._open) < self._most_open and any(one.left > 0 for one in self._allowances):
            part = self._next()
            if part is None:
                return
            report, offset = part
            refusal = self._refusal(report)
            if refusal is not None:
                self.waiting.append((ReportFailed(report, refusal), None))
                continue
            path = self._path(report)
            self._open.append(FileReading(report, path, offset, self._allowances, self.waiting))

    def take(self) -> Delivery:
        """The next that waits; pieces of a report that wait one behind the other are one chunk."""
        delivery, allowance = self.waiting.popleft()
        if allowance is None or not isinstance(delivery, ReportChunk):
            return delivery
        report, offset, data = delivery
        allowance.left += len(data)
        parts, size = [data], len(data)
        while self.waiting and size < CHUNK_BYTES:
            following, allowance = self.waiting[0]
            if allowance is None or not isinstance(following, ReportChunk):
                break
            if following.report is not report:
                break
            self.waiting.popleft()
            allowance.left += len(following.data)
            parts.append(following.data)
            size += len(following.data)
        return delivery if len(parts) == 1 else ReportChunk(report, offset, b"".join(parts))

    def leave(self) -> bool:
        """Tell nothing more and give all handles back; whether that is done."""
        for reading in self._open:
            reading.leave()
        return all(reading.is_gone for reading in self._open)

    def _next(self) -> tuple[ListedReport, int] | None:
        if self._again:
            return self._again.popleft()
        if self._is_all:
            return None
        part = next(self._parts, None)
        self._is_all = part is None
        return part

    def _conclude(self, reading: FileReading, status: Status) -> None:
        if status.code == _FAILURE and not reading.is_opened and len(self._open) > 1:
            self._again.append((reading.report, reading.start))
            return
        error = self._failed(reading.report, status)
        self.waiting.append((ReportFailed(reading.report, error), None))
