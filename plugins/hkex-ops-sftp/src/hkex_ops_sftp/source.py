"""The port ``ReportSource`` on SFTP sessions: a folder listed as it arrives, many files at once.

Reads only: the requests it can make are OPENDIR, READDIR, OPEN for reading, READ, FSTAT and CLOSE,
and the question for a server's limits. What a name or a size means is judged by whoever asked, not
here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG

import asyncssh

from hkex_ops.errors import (
    HkexOpsError,
    Rejected,
    RemoteError,
    ReportNotFound,
    TimedOut,
    TransientError,
    UsageError,
)
from hkex_ops.model import Endpoint, ListedReport, ReportKind
from hkex_ops.ports import Delivery
from hkex_ops_sftp.connections import Connections
from hkex_ops_sftp.fetching import Fetching
from hkex_ops_sftp.file_reading import modified
from hkex_ops_sftp.folder_listing import FolderListing
from hkex_ops_sftp.translation import (
    concerns_one_report,
    printable,
    status_error,
    translated,
    translated_status,
)
from hkex_ops_sftp.wire import Named, Status

__all__ = ["SftpReportSource"]

# Far beyond any real report folder; a listing that goes on longer is taken for endless.
MAX_ENTRIES = 2_000_000

# A fetch that is left closes its open files first; a server that does not answer even that is hung
# up on after so long.
DISMISSAL_TIMEOUT_S = 5

_KINDS = {S_IFREG: ReportKind.FILE, S_IFDIR: ReportKind.FOLDER, S_IFLNK: ReportKind.LINK}
_OTHER = ReportKind.OTHER


class SftpReportSource:
    """One folder of one server, logged in to. Made by :func:`hkex_ops_sftp.opening.open_sftp`."""

    def __init__(self, connections: Connections, *, folder: str, files_in_flight: int) -> None:
        self._connections = connections
        self._folder = folder
        self._files_in_flight = files_in_flight
        self._fetches: set[Fetching] = set()
        self._is_left = False

    @property
    def endpoint(self) -> Endpoint:
        """The address that was connected and the host key it proved."""
        return self._connections.first.endpoint

    async def log_out(self) -> None:
        """End whatever is under way, log out, and wait until every connection is closed."""
        self._is_left = True
        try:
            for fetching in tuple(self._fetches):
                await self._dismiss(fetching)
        finally:
            self._connections.wake()
            await self._connections.end()

    # -- listing -----------------------------------------------------------------------------

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        """Yield the folder's entries as they arrive; see the port.

        A size the server does not tell is listed as 0 and a kind it does not tell as OTHER. A name
        that is not UTF-8 carries its bytes as surrogate escapes.
        """
        channel = self._connections.first.channel
        listing = FolderListing(channel.conversation, os.fsencode(self._folder))
        count = 0
        try:
            while True:
                listing.go_on()
                channel.flush()
                is_room_made = bool(listing.entries)
                while listing.entries:
                    if count == MAX_ENTRIES:
                        raise Rejected(
                            f"{self._there} has more than {MAX_ENTRIES} entries: check the option "
                            "folder"
                        )
                    count += 1
                    yield _listed(listing.entries.popleft())
                if listing.is_ended:
                    break
                if not is_room_made:
                    await self._connections.changed()
        except Exception as error:
            raise self._translated(error, f"listing {self._there}") from error
        finally:
            listing.leave()
            channel.flush()
        self._require_read(listing)

    def _require_read(self, listing: FolderListing) -> None:
        if listing.twice is not None:
            raise TransientError(
                f"{self._there} listed {printable(_name(listing.twice))} twice, so it changed "
                "meanwhile: list it again"
            )
        if listing.failure is not None:
            error = translated_status(status_error(listing.failure), f"listing {self._there}")
            if isinstance(error, ReportNotFound):
                error = Rejected(f"{self._there} does not exist: check the option folder")
            raise error

    @property
    def _there(self) -> str:
        return f"folder {printable(self._folder)} on {self.endpoint}"

    # -- fetching ----------------------------------------------------------------------------

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Fetch many reports at once; see the port."""
        async with aclosing(self.fetch_from((report, 0) for report in reports)) as deliveries:
            async for delivery in deliveries:
                yield delivery

    async def fetch_from(
        self, parts: Iterable[tuple[ListedReport, int]]
    ) -> AsyncGenerator[Delivery]:
        """Fetch many reports at once, each from an offset on; see the port's capability."""
        fetching = Fetching(
            iter(parts),
            self._connections.allowances,
            most_open=self._files_in_flight,
            refusal=self._refusal,
            path=lambda report: os.fsencode(f"{self._folder}/{report.name}"),
            failed=self._failed,
        )
        self._fetches.add(fetching)
        try:
            while True:
                self._require_here()
                fetching.go_on()
                self._connections.flush()
                is_room_made = bool(fetching.waiting)
                while fetching.waiting:
                    yield fetching.take()
                    self._require_here()
                if fetching.is_finished:
                    return
                if is_room_made:
                    continue  # for what is taken, more may be asked for
                if fetching.wants_more:
                    self._connections.want_more()
                await self._changed(fetching)
        finally:
            await self._dismiss(fetching)

    async def _changed(self, fetching: Fetching) -> None:
        doing = fetching.doing
        what = f"fetching from {self.endpoint}" if doing is None else self._fetching(doing)
        try:
            await self._connections.changed()
        except Exception as error:
            raise self._translated(error, what) from error

    async def _dismiss(self, fetching: Fetching) -> None:
        """Leave a fetch, however far it is, with nothing of it open on the server."""
        self._fetches.discard(fetching)
        try:
            async with asyncio.timeout(DISMISSAL_TIMEOUT_S):
                while not fetching.leave():
                    self._connections.flush()
                    await self._connections.changed()
        except TimeoutError:
            self._connections.hang_up()
        except (asyncssh.Error, OSError):
            return  # with the connection, whatever was open is gone
        self._connections.flush()

    def _require_here(self) -> None:
        if self._is_left:
            raise UsageError("the report source was left before the fetch ended")

    def _fetching(self, report: ListedReport) -> str:
        return f"fetching {printable(report.name)} from {self.endpoint}"

    def _refusal(self, report: ListedReport) -> Rejected | None:
        if report.kind is not ReportKind.FILE:
            return Rejected(f"{self._fetching(report)}: it is a {report.kind}")
        if "/" in report.name or "\0" in report.name or report.name in ("", ".", ".."):
            return Rejected(f"{self._fetching(report)}: its name leads out of the folder")
        return None

    def _failed(self, report: ListedReport, status: Status) -> RemoteError:
        answer = status_error(status)
        error = translated_status(answer, self._fetching(report))
        if not concerns_one_report(answer):
            raise error
        return error

    def _translated(self, error: Exception, doing: str) -> HkexOpsError:
        if self._connections.expired:
            limit_s = self._connections.first.watch.limit_s
            return TimedOut(f"{doing}: the server answered nothing for {limit_s} s: try again")
        return translated(error, doing)


def _name(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _listed(entry: Named) -> ListedReport:
    name, attributes = entry
    size_bytes, permissions, _ = attributes
    kind = _OTHER if permissions is None else _KINDS.get(S_IFMT(permissions), _OTHER)
    return ListedReport(_name(name), size_bytes or 0, modified(attributes), kind)
