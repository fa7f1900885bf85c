"""What is entered about an incident while it lasts and after: contents, times, and who tells them.

An incident's log is a row of entries. Each says what somebody told, of which time, and who wrote it
down; when it was written is the log's own. Nothing here decides; :mod:`hkex_ops.incidents.machine`
does. Called by whoever enters something, and by everything that reads a log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.model import Audience, Bound, Receipt, Severity

__all__ = [
    "Act",
    "Assess",
    "Attach",
    "BeginContingency",
    "Close",
    "Conclude",
    "Content",
    "Correct",
    "Enquire",
    "EnquiryKind",
    "Given",
    "IncidentState",
    "IssueReport",
    "LogEntry",
    "Measure",
    "Note",
    "OpenIncident",
    "Recover",
    "Reopen",
    "ReportStage",
    "Resume",
    "Tell",
    "TimeTold",
    "Topic",
    "TornLine",
]


class IncidentState(StrEnum):
    """How far an incident has come. Each state has a moment of its own."""

    DETECTED = "detected"
    CONTINGENCY = "contingency"
    RECOVERED = "recovered"  # it works again, and is not yet used
    RESUMED = "resumed"  # the service is given as usual
    CLOSED = "closed"


class Topic(StrEnum):
    """What a note is about: an event of the chronology, or matter for a section of a report."""

    EVENT = "event"
    BACKGROUND = "background"
    SYSTEM = "system"
    CONTINGENCY = "contingency"
    IMPACT = "impact"
    DECISION = "decision"
    CAUSE = "cause"
    REMEDY = "remedy"
    REVIEW = "review"
    CONCLUSION = "conclusion"
    REFERENCE = "reference"


class EnquiryKind(StrEnum):
    """Who asks, and who complains."""

    PUBLIC = "public"
    MEDIA = "media"
    PARTICIPANTS = "participants"
    CLIENTS = "clients"
    VENDORS = "vendors"
    ISSUERS = "issuers"
    REGULATOR = "regulator"
    COMPLAINT = "complaint"


class ReportStage(StrEnum):
    """Which report of an incident: the first word, what is known meanwhile, or all of it."""

    INITIAL = "initial"
    INTERMEDIATE = "intermediate"
    FINAL = "final"


@frozen
class TimeTold:
    """The time of an entry as somebody told it: a moment, or from ``at`` to ``until``.

    Either may be approximate, open or unknown. ``stated`` keeps the words.
    """

    at: Bound
    until: Bound | None = None
    stated: str = ""

    def __attrs_post_init__(self) -> None:
        if self.until is None or self.until.at is None or self.at.at is None:
            return
        if self.until.at <= self.at.at:
            raise ValueError(f"ends at {self.until.at}, which is not after its start {self.at.at}")

    @classmethod
    def exactly(cls, at: datetime) -> TimeTold:
        """The time of something whose instant is known."""
        return cls(Bound(at))


@frozen
class OpenIncident:
    """The first entry: an incident was detected. ``affected`` and ``unaffected`` are systems."""

    title: str
    severity: Severity
    business_date: date
    owners: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    unaffected: tuple[str, ...] = ()


@frozen
class BeginContingency:
    """The contingency arrangement is in use."""


@frozen
class Recover:
    """What had failed works again; the service is not resumed with that."""


@frozen
class Resume:
    """The service is given as usual again."""


@frozen
class Close:
    """Nothing more is expected to happen. Notes, corrections and reports still are entered."""


@frozen
class Reopen:
    """It was closed too early."""


@frozen
class Note:
    """Something that happened or is known."""

    topic: Topic = Topic.EVENT


@frozen
class Assess:
    """A new judgement; what is absent stays as it was."""

    severity: Severity | None = None
    owners: tuple[str, ...] | None = None
    affected: tuple[str, ...] | None = None
    unaffected: tuple[str, ...] | None = None


@frozen
class Tell:
    """Somebody was told, by a channel or by a person; the receipt says what became of it."""

    audience: Audience
    receipt: Receipt
    key: str = ""


@frozen
class Enquire:
    """Enquiries received: so many of a kind."""

    kind: EnquiryKind
    count: int = 1


@frozen
class Measure:
    """A figure of the impact, exact: trades cancelled, turnover, minutes."""

    name: str
    value: Decimal
    unit: str = ""


@frozen
class Act:
    """Something to be done: who owns it and until which day, if one was set."""

    owner: str
    due: date | None = None


@frozen
class Conclude:
    """The action of entry ``action`` is done, or dropped for the reason told."""

    action: int
    dropped: bool = False


@frozen
class Attach:
    """An event of another stream, attached by itself. ``key`` says that two are the same."""

    stream: str
    event: str
    key: str
    details: Mapping[str, str] = MappingProxyType({})


@frozen
class IssueReport:
    """A report of that stage was handed out."""

    stage: ReportStage


@frozen
class Correct:
    """Entry ``entry`` was wrong. It stays as it is, and beside it stands what holds now.

    Of the correction's own entry, ``text`` and time replace those of the corrected one where they
    are given; ``withdrawn`` says that nothing of it holds.
    """

    entry: int
    reason: str
    withdrawn: bool = False
    count: int | None = None
    value: Decimal | None = None


@frozen
class TornLine:
    """A killed writer left half a line, which was dropped; told by the store."""

    size_bytes: int


Content: TypeAlias = (
    OpenIncident
    | BeginContingency
    | Recover
    | Resume
    | Close
    | Reopen
    | Note
    | Assess
    | Tell
    | Enquire
    | Measure
    | Act
    | Conclude
    | Attach
    | IssueReport
    | Correct
    | TornLine
)


@frozen
class Given:
    """What somebody enters. ``by`` wrote it, ``teller`` is whose account it is.

    ``when`` is absent only in a correction that leaves the time as it was.
    """

    what: Content
    by: str
    when: TimeTold | None
    text: str = ""
    teller: str = "desk"


@frozen
class LogEntry:
    """An entry as it was made: its number in the log, and when it was written."""

    number: int
    recorded: datetime
    given: Given
