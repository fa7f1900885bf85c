"""What an evidence pack holds, as values a summary can be made from.

Called by the flow that reads a pack which is about to be closed.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from hkex_ops.evidence import Head
from hkex_ops.model import Form, Listing, Rollout, Source
from hkex_ops.rollouts import JudgedContingency
from hkex_ops.rundown import Fallback, ItemStanding, OverrideStanding, Verdict

__all__ = [
    "NO_PAPERS",
    "Outcome",
    "Pack",
    "PackFile",
    "PackForm",
    "PackHappening",
    "PackItem",
    "PackListing",
    "PackNote",
    "PackOverride",
    "PackPapers",
    "PackStep",
]


class Outcome(StrEnum):
    """What became of a step."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    ABANDONED = "abandoned"
    NOT_DONE = "not done"


@frozen
class PackStep:
    """One attempt at a step, or a step that was never begun and so has no instant.

    ``by`` is who did it, or decided it, where a person did. ``group`` is the heading under which
    the page lists it; the session's name where it is empty.
    """

    session: str
    id: str
    text: str
    outcome: Outcome
    at: datetime | None
    found: str
    source: Source | None
    by: str = ""
    group: str = ""


@frozen
class PackListing:
    """A folder listing, and the file of the pack that keeps it."""

    path: str
    listing: Listing


@frozen
class PackFile:
    """A file of the pack with its SHA-256; ``path`` is below the payload folder."""

    path: str
    sha256: str
    size_bytes: int


@frozen
class PackForm:
    """A form that was made: for which moment, when, and the file of the pack that it is."""

    form: Form
    path: str
    sha256: str
    at: datetime
    recorded: datetime
    finding: str | None


@frozen
class PackItem:
    """A checklist item as it stands, with the files of the pack that were put to it."""

    standing: ItemStanding
    files: tuple[tuple[str, str], ...] = ()  # the name that a person gave, and the path


@frozen
class PackOverride:
    """An override, when it was told to the journal, and when it let an act through."""

    standing: OverrideStanding
    recorded: datetime
    let_through: tuple[datetime, ...] = ()


@frozen
class PackNote:
    """Something of the agenda that a person noted as done, or as not done after all."""

    item: str
    done: bool
    by: str
    at: datetime
    remark: str


@frozen
class PackHappening:
    """Something that a person said happened, and what the contingency rules say to it."""

    at: datetime
    what: str
    by: str
    recorded: datetime
    judged: tuple[JudgedContingency, ...] = ()


@frozen
class PackPapers:
    """What was done beside the sessions; empty in a pack that holds none of it."""

    forms: tuple[PackForm, ...] = ()
    items: tuple[PackItem, ...] = ()
    overrides: tuple[PackOverride, ...] = ()
    fallback: Fallback | None = None
    happenings: tuple[PackHappening, ...] = ()
    notes: tuple[PackNote, ...] = ()


NO_PAPERS = PackPapers()
"""Nothing was done beside the sessions."""


@frozen
class Pack:
    """Everything a summary says. ``info`` is the bag's description, label and value."""

    rollout: Rollout
    verdict: Verdict
    steps: tuple[PackStep, ...]
    listings: tuple[PackListing, ...]
    files: tuple[PackFile, ...]
    head: Head
    info: tuple[tuple[str, str], ...]
    papers: PackPapers = NO_PAPERS
