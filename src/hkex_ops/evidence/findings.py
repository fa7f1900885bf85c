"""What a check finds: values, never exceptions, so that one damaged thing hides no other."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

__all__ = ["Finding", "FindingKind"]


class FindingKind(StrEnum):
    """How a thing differs from what was recorded of it."""

    CHANGED = "changed"
    MISSING = "missing"
    ADDED = "added"
    REORDERED = "reordered"
    UNREADABLE = "unreadable"


@frozen
class Finding:
    """One difference: ``where`` names the file or record, ``message`` is a sentence about it."""

    kind: FindingKind
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"
