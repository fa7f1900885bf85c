"""The folder check that the exchange prescribes: unchanged since the last business date?

"Check the number of files (e.g. reports) in the folder remains unchanged as last business date"
(CD/OEC/HKCC/073/2023, Attachment). The count is the headline; a count alone is weak, so names,
kinds and sizes are compared too. Without a snapshot of the last business date the outcome is
unknown, never passed.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from hkex_ops.model import Listing, ReportKind

__all__ = ["FolderComparison", "FolderOutcome", "compare_folders"]


class FolderOutcome(StrEnum):
    """What the comparison found."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@frozen
class FolderComparison:
    """The folder now against the snapshot of the last business date.

    ``resized`` holds (name, size then, size now) in bytes, ``changed_kind`` (name, kind then, kind
    now). ``counted_then`` is unknown without a snapshot.
    """

    outcome: FolderOutcome
    counted_now: int
    counted_then: int | None = None
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    resized: tuple[tuple[str, int, int], ...] = ()
    changed_kind: tuple[tuple[str, ReportKind, ReportKind], ...] = ()

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
                (self.changed_kind, "of another kind"),
            )
            if changed
        ] or ["the same names in another number"]
        return f"{self.counted_now} files, {self.counted_then} then: {', '.join(changes)}"


def compare_folders(now: Listing, then: Listing | None) -> FolderComparison:
    """Compare two listings by count, names, kinds and sizes, at whatever site each was taken."""
    if then is None:
        return FolderComparison(FolderOutcome.UNKNOWN, now.count)
    seen_now = {report.name: report for report in now.reports}
    seen_then = {report.name: report for report in then.reports}
    appeared = tuple(sorted(seen_now.keys() - seen_then.keys()))
    vanished = tuple(sorted(seen_then.keys() - seen_now.keys()))
    both = [
        (name, seen_then[name], seen_now[name])
        for name in sorted(seen_now.keys() & seen_then.keys())
    ]
    resized = tuple(
        (name, before.size_bytes, after.size_bytes)
        for name, before, after in both
        if before.size_bytes != after.size_bytes
    )
    changed_kind = tuple(
        (name, before.kind, after.kind) for name, before, after in both if before.kind != after.kind
    )
    changed = appeared or vanished or resized or changed_kind or now.count != then.count
    outcome = FolderOutcome.CHANGED if changed else FolderOutcome.UNCHANGED
    return FolderComparison(
        outcome, now.count, then.count, appeared, vanished, resized, changed_kind
    )
