"""Reports: what a server lists, what a listing keeps, what a name means.

Three dates stay apart: the *business date* a report is of, the *calendar time* it was seen, and
the server's *modification time*, which never decides a business date.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from attrs import frozen

from hkex_ops.model.sites import SiteRole

__all__ = ["Endpoint", "ListedReport", "Listing", "ReportIdentity", "ReportKind"]


class ReportKind(StrEnum):
    """What a folder entry is; only plain files are ever fetched."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@frozen
class Endpoint:
    """The far end of a connection that was really made.

    ``host_key`` is the fingerprint (``SHA256:…``) the server proved, which evidence keeps.
    """

    host: str
    port: int
    host_key: str | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@frozen
class ListedReport:
    """One entry of a report folder as the server lists it. ``modified`` is the server's word."""

    name: str
    size_bytes: int
    modified: datetime | None = None
    kind: ReportKind = ReportKind.FILE


@frozen
class Listing:
    """A report folder at one moment.

    ``business_date`` is the date whose work the run that took it was doing: a run for Friday may
    take its listing early on Saturday.
    """

    service: str
    site: SiteRole
    endpoint: Endpoint
    taken_at: datetime
    business_date: date
    reports: tuple[ListedReport, ...]

    @property
    def count(self) -> int:
        """The number of entries: the headline figure of the exchange's own folder check."""
        return len(self.reports)


@frozen
class ReportIdentity:
    """What a report *is*, which its name merely spells.

    The same code may come from two clearing houses, and an intra-day code several times a day,
    so identity is service, house, code, business date, session and instance.
    """

    service: str
    house: str
    code: str
    business_date: date
    session: str | None = None
    instance: str | None = None

    def __str__(self) -> str:
        more = "".join(f" {part}" for part in (self.session, self.instance) if part)
        return f"{self.house} {self.code} of {self.business_date.isoformat()}{more}"
