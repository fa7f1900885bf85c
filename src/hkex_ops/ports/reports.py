"""The port of report folders: listing one, fetching from it, and sending to it where that is on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from hkex_ops.errors import RemoteError
from hkex_ops.model import Endpoint, ListedReport

__all__ = [
    "Delivery",
    "ReportChunk",
    "ReportEnd",
    "ReportFailed",
    "ReportSource",
    "SupportsResume",
    "SupportsUpload",
    "UploadEnd",
]


class ReportChunk(NamedTuple):
    """Bytes of one report at ``offset``. Cheap on purpose: a large report is thousands."""

    report: ListedReport
    offset: int
    data: bytes


class ReportEnd(NamedTuple):
    """The server says the report ends here.

    ``size_bytes`` and ``modified`` are what the server says *after* the last byte was read, so
    that a report which changed while it was read is found out.
    """

    report: ListedReport
    size_bytes: int
    modified: datetime | None


class ReportFailed(NamedTuple):
    """This one report could not be fetched; the others go on."""

    report: ListedReport
    error: RemoteError


Delivery: TypeAlias = ReportChunk | ReportEnd | ReportFailed


class ReportSource(Protocol):
    """A folder of reports on one site's server, logged in to.

    Reading only: an implementation never writes, renames or deletes on the server, but for what
    `SupportsUpload` says where the operator has turned that on.
    """

    @property
    def endpoint(self) -> Endpoint:
        """The address that was connected and the host key it proved."""
        ...

    def list_reports(self) -> AsyncIterator[ListedReport]:
        """Yield the folder's entries as they arrive, in no order, each name once.

        Raises `RemoteError` when the folder cannot be read to its end.
        """
        ...

    def fetch(self, reports: Iterable[ListedReport]) -> AsyncIterator[Delivery]:
        """Fetch many reports, interleaved as the adapter likes.

        For one report: chunks in ascending offset without a gap from 0, then one `ReportEnd`; or,
        at any point, one `ReportFailed` and nothing more of it. Raises `RemoteError` when the
        connection itself is lost; reports without an end are then not fetched.
        """
        ...


@runtime_checkable
class SupportsResume(Protocol):
    """A source that can go on with a report of which a part is held already."""

    def fetch_from(self, parts: Iterable[tuple[ListedReport, int]]) -> AsyncIterator[Delivery]:
        """As `ReportSource.fetch`, but the chunks of each report begin at the offset beside it.

        Whether the part that is held is still a part of what the server has, whoever asks must
        find out: by the size and time of the end, and by asking for some of it once more.
        """
        ...


class UploadEnd(NamedTuple):
    """What the server says of a file once it bears its name there."""

    name: str
    size_bytes: int
    modified: datetime | None


@runtime_checkable
class SupportsUpload(Protocol):
    """A source that can also send a file, such as a report of large open positions.

    An adapter has this only where its options turn it on.
    """

    async def upload(self, name: str, pieces: Iterable[bytes]) -> UploadEnd:
        """Send a file under ``name``: written under a temporary name, then renamed.

        Raises `Rejected` when something of that name is there, for nothing is ever overwritten,
        and `RemoteError` when the server does not take it; no file bears ``name`` then.
        """
        ...
