"""What an evidence pack holds, as values a summary can be made from.

Called by the flow that reads a pack which is about to be closed.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from attrs import frozen

from hkex_ops.evidence import Head
from hkex_ops.model import Listing, Rollout, Source

__all__ = ["Outcome", "Pack", "PackFile", "PackListing", "PackStep"]


class Outcome(StrEnum):
    """What became of a step."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    NOT_DONE = "not done"


@frozen
class PackStep:
    """One attempt at a step, or a step that was never begun and so has no instant.

    ``by`` is who did it, or decided it, where a person did.
    """

    session: str
    id: str
    text: str
    outcome: Outcome
    at: datetime | None
    found: str
    source: Source | None
    by: str = ""


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
class Pack:
    """Everything a summary says. ``info`` is the bag's description, label and value."""

    rollout: Rollout
    passed: bool
    steps: tuple[PackStep, ...]
    listings: tuple[PackListing, ...]
    files: tuple[PackFile, ...]
    head: Head
    info: tuple[tuple[str, str], ...]
