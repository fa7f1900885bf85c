"""The port ``ReportSource`` on an SFTP session: a folder listed as it arrives, many files at once.

Reads only: the requests it can make are OPENDIR, READDIR, OPEN for reading, READ, FSTAT and CLOSE.
What a name or a size means is judged by whoever asked, not here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress

import asyncssh
from asyncssh.constants import (
    FILEXFER_TYPE_DIRECTORY,
    FILEXFER_TYPE_REGULAR,
    FILEXFER_TYPE_SYMLINK,
)

from hkex_ops.errors import HkexOpsError, Rejected, ReportNotFound, TimedOut, TransientError
from hkex_ops.model import Endpoint, ListedReport, ReportKind
from hkex_ops.ports import Delivery, ReportFailed
from hkex_ops_sftp.connecting import Session
from hkex_ops_sftp.crew import Crew, Deliver
from hkex_ops_sftp.options import SftpOptions
from hkex_ops_sftp.reading import Reader, modified
from hkex_ops_sftp.translation import (
    concerns_one_report,
    printable,
    translated,
    translated_status,
)

__all__ = ["SftpReportSource"]

# Far beyond any real report folder; a listing that goes on longer is taken for endless.
MAX_ENTRIES = 2_000_000

_KINDS = {
    FILEXFER_TYPE_REGULAR: ReportKind.FILE,
    FILEXFER_TYPE_DIRECTORY: ReportKind.FOLDER,
    FILEXFER_TYPE_SYMLINK: ReportKind.LINK,
}


class SftpReportSource:
    """One folder of one server, logged in to. Made by :func:`hkex_ops_sftp.opening.open_sftp`."""

    def __init__(self, session: Session, options: SftpOptions) -> None:
        self._session = session
        self._reader = Reader(session.sftp, session.watch)
        self._folder = options.folder
        self._workers = options.files_in_flight
        self._crews: set[Crew] = set()

    @property
    def endpoint(self) -> Endpoint:
        """The address that was connected and the host key it proved."""
        return self._session.endpoint

    async def log_out(self) -> None:
        """End whatever is under way, log out, and wait until the connection is closed."""
        try:
            for crew in tuple(self._crews):
                await crew.dismiss()
        finally:
            await self._session.end()

    # -- listing -----------------------------------------------------------------------------

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        """Yield the folder's entries as they arrive; see the port.

        A size the server does not tell is listed as 0 and a kind it does not tell as OTHER. A name
        that is not UTF-8 carries its bytes as surrogate escapes.
        """
        names: set[str] = set()
        async with aclosing(self._entries()) as entries:
            async for entry in entries:
                name = str(entry.filename)
                if name in (".", ".."):
                    continue
                if name in names:
                    raise TransientError(
                        f"{self._there} listed {printable(name)} twice, so it changed meanwhile: "
                        "list it again"
                    )
                if len(names) == MAX_ENTRIES:
                    raise Rejected(
                        f"{self._there} has more than {MAX_ENTRIES} entries: check the option "
                        "folder"
                    )
                names.add(name)
                yield ListedReport(
                    name=name,
                    size_bytes=entry.attrs.size or 0,
                    modified=modified(entry.attrs),
                    kind=_KINDS.get(entry.attrs.type, ReportKind.OTHER),
                )

    async def _entries(self) -> AsyncGenerator[asyncssh.SFTPName]:
        """The library's listing, watched and translated."""
        entries = aiter(self._session.sftp.scandir(self._folder))
        try:
            while True:
                with self._session.watch:
                    entry = await anext(entries)
                yield entry
        except StopAsyncIteration:
            return
        except Exception as error:
            failure = self._translated(error, f"listing {self._there}")
            if isinstance(failure, ReportNotFound):
                failure = Rejected(f"{self._there} does not exist: check the option folder")
            raise failure from error
        finally:
            if isinstance(entries, AsyncGenerator):
                with suppress(asyncssh.Error, OSError), self._session.watch:
                    await entries.aclose()

    @property
    def _there(self) -> str:
        return f"folder {printable(self._folder)} on {self.endpoint}"

    # -- fetching ----------------------------------------------------------------------------

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Fetch many reports at once; see the port."""
        crew = Crew(
            iter(reports),
            self._fetch_one,
            workers=self._workers,
            hang_up=self._session.connection.abort,
        )
        self._crews.add(crew)
        try:
            async for delivery in crew.deliveries():
                yield delivery
        finally:
            await crew.dismiss()
            self._crews.discard(crew)

    async def _fetch_one(self, report: ListedReport, deliver: Deliver) -> None:
        doing = f"fetching {printable(report.name)} from {self.endpoint}"
        if report.kind is not ReportKind.FILE:
            await deliver(ReportFailed(report, Rejected(f"{doing}: it is a {report.kind}")))
            return
        if "/" in report.name or "\0" in report.name or report.name in ("", ".", ".."):
            refusal = Rejected(f"{doing}: its name leads out of the folder")
            await deliver(ReportFailed(report, refusal))
            return
        try:
            await self._reader.read(report, f"{self._folder}/{report.name}", deliver)
        except asyncssh.SFTPError as error:
            if self._session.watch.expired or not concerns_one_report(error):
                raise self._translated(error, doing) from error
            await deliver(ReportFailed(report, translated_status(error, doing)))
        except Exception as error:
            raise self._translated(error, doing) from error

    def _translated(self, error: Exception, doing: str) -> HkexOpsError:
        if self._session.watch.expired:
            limit_s = self._session.watch.limit_s
            return TimedOut(f"{doing}: the server answered nothing for {limit_s} s: try again")
        return translated(error, doing)
