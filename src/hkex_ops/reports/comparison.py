"""The folder check that the exchange prescribes: unchanged since the last business date?

"Check the number of files (e.g. reports) in the folder remains unchanged as last business date"
(CD/OEC/HKCC/073/2023, Attachment). The count is the headline; a count alone is weak, so names and
sizes are compared too. Without a snapshot of the last business date the outcome is unknown, never
passed.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from hkex_ops.model import Listing

__all__ = ["FolderComparison", "FolderOutcome", "compare_folders"]


class FolderOutcome(StrEnum):
    """What the comparison found."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@frozen
class FolderComparison:
    """The folder now against the snapshot of the last business date.

    ``resized`` holds (name, size then, size now) in bytes. ``counted_then`` is unknown without a
    snapshot.
    """

    outcome: FolderOutcome
    counted_now: int
    counted_then: int | None = None
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    resized: tuple[tuple[str, int, int], ...] = ()

    def __str__(self) -> str:
        if self.outcome is FolderOutcome.UNKNOWN:
            return f"{self.counted_now} files; no snapshot of the last business date was kept"
        if self.outcome is FolderOutcome.UNCHANGED:
            return f"{self.counted_now} files, unchanged in names and sizes"
        changes = [
            f"{len(changed)} {word}"
            for changed, word in (
                (self.appeared, "new"),
                (self.vanished, "gone"),
                (self.resized, "of another size"),
            )
            if changed
        ]
        return f"{self.counted_now} files, {self.counted_then} then: {', '.join(changes)}"


def compare_folders(now: Listing, then: Listing | None) -> FolderComparison:
    """Compare names and sizes of two listings, at whatever site each was taken."""
    if then is None:
        return FolderComparison(FolderOutcome.UNKNOWN, now.count)
    sizes_now = {report.name: report.size_bytes for report in now.reports}
    sizes_then = {report.name: report.size_bytes for report in then.reports}
    appeared = tuple(sorted(sizes_now.keys() - sizes_then.keys()))
    vanished = tuple(sorted(sizes_then.keys() - sizes_now.keys()))
    resized = tuple(
        (name, sizes_then[name], sizes_now[name])
        for name in sorted(sizes_now.keys() & sizes_then.keys())
        if sizes_now[name] != sizes_then[name]
    )
    changed = appeared or vanished or resized
    outcome = FolderOutcome.CHANGED if changed else FolderOutcome.UNCHANGED
    return FolderComparison(outcome, now.count, then.count, appeared, vanished, resized)
