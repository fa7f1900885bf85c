"""What a retrieval run tells as it goes: past-tense, frozen, in the order it happened.

Flows hand these to whoever watches: a progress display, a log, an evidence folder.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from hkex_ops.model import Endpoint, Listing, ReportIdentity, SiteRole

__all__ = [
    "BytesReceived",
    "FetchPlanned",
    "FindingKind",
    "FolderListed",
    "LoggedIn",
    "LoggedOut",
    "ReportDownloaded",
    "ReportEvent",
    "ReportFinding",
    "ReportGoneOnWith",
    "ReportKept",
    "RunInterrupted",
]


class FindingKind(StrEnum):
    """Kinds of thing a person should look at after a run."""

    SECOND_VERSION = "second-version"  # a name came again with other content
    CUT_SHORT = "cut-short"  # fewer bytes came than the server says there are
    CHANGED_WHILE_READ = "changed-while-read"  # the server's size differs from its own listing
    NOT_FETCHED = "not-fetched"  # the server refused this one report
    REFUSED_NAME = "refused-name"  # the name could do harm on this disk
    UNRECOGNISED = "unrecognised"  # no rule of the catalogue knows the name
    NOTHING_LISTED = "nothing-listed"  # no report of the business date is there at all
    NOT_WHOLE = "not-whole"  # the content says itself that something of it is missing
    INCOMPLETE_SET = "incomplete-set"  # a file is there, and another of its set is not
    STILL_GROWING = "still-growing"  # its size was another in a second look
    POINTS_ELSEWHERE = "points-elsewhere"  # configured for the other site, and the papers are not
    NOT_COPIED = "not-copied"  # the second copy did not take it, or gives back something else
    COPY_MENDED = "copy-mended"  # the second copy was damaged, and has it again


@frozen
class LoggedIn:
    """A session with a site's server began."""

    service: str
    site: SiteRole
    endpoint: Endpoint


@frozen
class FolderListed:
    """The whole folder was listed and the listing kept as a snapshot."""

    listing: Listing


@frozen
class FetchPlanned:
    """What will be transferred: number and size of the new reports, and how many are held."""

    business_date: date
    new: int
    held: int
    size_bytes: int


@frozen
class BytesReceived:
    """Bytes of a report came in. Told often; for progress displays only."""

    name: str
    size_bytes: int


@frozen
class ReportKept:
    """A report stands in the archive, whole. ``outcome`` is the archive's word."""

    identity: ReportIdentity
    name: str
    path: str
    outcome: str
    size_bytes: int
    sha256: str
    version: int


@frozen
class ReportDownloaded:
    """A report was transferred for a check and not kept."""

    name: str
    size_bytes: int
    sha256: str


@frozen
class ReportGoneOnWith:
    """A large report that an earlier run began is gone on with: ``held_bytes`` of it are there."""

    name: str
    held_bytes: int
    size_bytes: int


@frozen
class ReportFinding:
    """Something about one name that a person should look at."""

    kind: FindingKind
    name: str
    message: str


@frozen
class RunInterrupted:
    """The connection was lost; what came whole is kept and the run tries again."""

    reason: str


@frozen
class LoggedOut:
    """The session ended."""

    endpoint: Endpoint


ReportEvent: TypeAlias = (
    LoggedIn
    | FolderListed
    | FetchPlanned
    | BytesReceived
    | ReportKept
    | ReportDownloaded
    | ReportFinding
    | ReportGoneOnWith
    | RunInterrupted
    | LoggedOut
)
