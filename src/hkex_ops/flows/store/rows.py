"""What the archive writes into a ledger row, and how it reads it back.

A row of a file says what the report is, where it came from, where it lies, and what it was when it
arrived. A row of a listing says when and where it was taken; its entries are a content of their
own. Values in, values out; knows no disk.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from attrs import frozen

from hkex_ops.evidence import Record
from hkex_ops.flows.store.files import StagedFile
from hkex_ops.flows.store.names import versioned
from hkex_ops.model import (
    HONG_KONG,
    Endpoint,
    Json,
    JsonObject,
    ListedReport,
    Listing,
    ReportIdentity,
    ReportKind,
    SiteRole,
)

__all__ = [
    "REPORTS",
    "Arrival",
    "FileRecord",
    "Outcome",
    "Placed",
    "file_body",
    "file_record",
    "listing_body",
    "listing_content",
    "listing_of",
    "path_of",
    "removed_body",
]

REPORTS = "reports"
"""The folder of the archive that holds the reports: below it service, business date, name."""


class Outcome(StrEnum):
    """What became of a report that arrived. Also the kind of its ledger row."""

    ARCHIVED = "archived"  # new
    SAME = "same"  # the identical content is held already; nothing was written but a row
    SECOND_VERSION = "second-version"  # the name is held with other content; kept beside it
    RESTORED = "restored"  # was archived, had vanished from the disk, and is back
    REMOVED = "removed"  # taken out of the archive because its time was over


@frozen
class Arrival:
    """One complete transfer, ready to be placed.

    ``listed`` is the server's word about it (name, modification time); the size that is recorded
    is the size that arrived.
    """

    file: StagedFile
    listed: ListedReport
    identity: ReportIdentity
    site: SiteRole
    endpoint: Endpoint


@frozen
class Placed:
    """What became of one arrival. ``path`` is relative to the archive; versions count from 1."""

    outcome: Outcome
    identity: ReportIdentity
    name: str
    path: str
    size_bytes: int
    sha256: str
    version: int


@frozen
class FileRecord:
    """A ledger row about a file. A ``SAME`` row confirms the file at ``path`` once more."""

    sequence: int
    outcome: Outcome
    identity: ReportIdentity
    name: str
    path: str
    size_bytes: int
    sha256: str
    version: int
    site: SiteRole
    endpoint: Endpoint
    modified: datetime | None
    fetched_at: datetime


def path_of(identity: ReportIdentity, name: str, version: int) -> tuple[str, str, str, str]:
    """Where a file belongs, name by name below the archive."""
    return REPORTS, identity.service, identity.business_date.isoformat(), versioned(name, version)


def file_body(arrival: Arrival, path: str, version: int, fetched_at: datetime) -> JsonObject:
    """The row of an arrival that lies, or will lie, at ``path``."""
    identity, listed = arrival.identity, arrival.listed
    return {
        "service": identity.service,
        "house": identity.house,
        "code": identity.code,
        "business_date": identity.business_date.isoformat(),
        "session": identity.session,
        "instance": identity.instance,
        "name": listed.name,
        "path": path,
        "size_bytes": arrival.file.size_bytes,
        "sha256": arrival.file.sha256,
        "version": version,
        "site": arrival.site.value,
        **_endpoint(arrival.endpoint),
        "modified": _stamp(listed.modified),
        "fetched_at": fetched_at.isoformat(),
    }


def removed_body(row: FileRecord) -> JsonObject:
    """The row that says that the file of ``row`` was taken out of the archive."""
    identity = row.identity
    return {
        "service": identity.service,
        "house": identity.house,
        "code": identity.code,
        "business_date": identity.business_date.isoformat(),
        "session": identity.session,
        "instance": identity.instance,
        "name": row.name,
        "path": row.path,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "version": row.version,
        "site": row.site.value,
        **_endpoint(row.endpoint),
        "modified": _stamp(row.modified),
        "fetched_at": row.fetched_at.isoformat(),
    }


def file_record(record: Record) -> FileRecord:
    """What a row says of a file; `ValueError` when it says nothing of the kind."""
    match record.body:
        case {
            "service": str(service),
            "house": str(house),
            "code": str(code),
            "business_date": str(business_date),
            "session": None | str() as session,
            "instance": None | str() as instance,
            "name": str(name),
            "path": str(path),
            "size_bytes": int(size_bytes),
            "sha256": str(sha256),
            "version": int(version),
            "site": str(site),
            "modified": None | str() as modified,
            "fetched_at": str(fetched_at),
        }:
            return FileRecord(
                sequence=record.sequence,
                outcome=Outcome(record.kind),
                identity=ReportIdentity(
                    service, house, code, date.fromisoformat(business_date), session, instance
                ),
                name=name,
                path=path,
                size_bytes=size_bytes,
                sha256=sha256,
                version=version,
                site=SiteRole(site),
                endpoint=_endpoint_of(record.body),
                modified=_instant(modified),
                fetched_at=_hong_kong(fetched_at),
            )
        case _:
            raise ValueError("is not a row of a file")


def listing_body(listing: Listing) -> JsonObject:
    """The row of a listing, without its entries."""
    return {
        "service": listing.service,
        "business_date": listing.business_date.isoformat(),
        "site": listing.site.value,
        **_endpoint(listing.endpoint),
        "taken_at": listing.taken_at.isoformat(),
        "count": listing.count,
    }


def listing_content(listing: Listing) -> JsonObject:
    """The entries, sorted by name: an unchanged folder gives the same content again."""
    return {
        "reports": [
            {
                **_name(report.name),
                "size_bytes": report.size_bytes,
                "modified": _stamp(report.modified),
                "kind": str(report.kind),
            }
            for report in sorted(listing.reports, key=lambda report: report.name)
        ]
    }


def listing_of(body: JsonObject, content: JsonObject) -> Listing:
    """The listing that a row and its content tell of; `ValueError` when they tell of none."""
    match body, content:
        case (
            {
                "service": str(service),
                "business_date": str(business_date),
                "site": str(site),
                "taken_at": str(taken_at),
            },
            {"reports": list(reports)},
        ):
            return Listing(
                service=service,
                site=SiteRole(site),
                endpoint=_endpoint_of(body),
                taken_at=_hong_kong(taken_at),
                business_date=date.fromisoformat(business_date),
                reports=tuple(_listed(report) for report in reports),
            )
        case _:
            raise ValueError("is not a row of a listing")


def _listed(entry: Json) -> ListedReport:
    match entry:
        case {
            "size_bytes": int(size_bytes),
            "modified": None | str() as modified,
            "kind": str(kind),
        }:
            return ListedReport(_name_of(entry), size_bytes, _instant(modified), ReportKind(kind))
        case _:
            raise ValueError("is not an entry of a listing")


def _name(name: str) -> dict[str, Json]:
    """A name as the server spelt it, even where that was not UTF-8: a listing keeps everything."""
    if name.isascii():
        return {"name": name}
    try:
        name.encode()
    except UnicodeEncodeError:
        return {"name_hex": name.encode(errors="surrogatepass").hex()}
    return {"name": name}


def _name_of(entry: Json) -> str:
    match entry:
        case {"name": str(name)}:
            return name
        case {"name_hex": str(spelt)}:
            return bytes.fromhex(spelt).decode(errors="surrogatepass")
        case _:
            raise ValueError("names no report")


def _endpoint(endpoint: Endpoint) -> dict[str, Json]:
    return {"host": endpoint.host, "port": endpoint.port, "host_key": endpoint.host_key}


def _endpoint_of(body: JsonObject) -> Endpoint:
    match body:
        case {"host": str(host), "port": int(port), "host_key": None | str() as host_key}:
            return Endpoint(host, port, host_key)
        case _:
            raise ValueError("names no endpoint")


def _stamp(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant(stamp: str | None) -> datetime | None:
    return None if stamp is None else _hong_kong(stamp)


def _hong_kong(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).astimezone(HONG_KONG)
