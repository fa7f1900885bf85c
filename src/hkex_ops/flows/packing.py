"""What every pack made from a journal shares: its place, its clock, its making once and for all.

The making of a pack is told to the journal before and after, so that one whose maker was killed is
made again at the same place, and one that was whole is taken as it is. Knows nothing of what is
in a pack: :mod:`hkex_ops.flows.pack` and :mod:`hkex_ops.flows.pack_rollout` do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from attrs import define, frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError
from hkex_ops.evidence import Head, Record, digest
from hkex_ops.flows.evidence import verify_evidence
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.store.disk import translating
from hkex_ops.model import JsonObject

__all__ = [
    "Packed",
    "Recorded",
    "begun_and_not_kept",
    "default_target",
    "head_of",
    "kept_file",
    "make_once",
    "require_free",
]


@frozen
class Packed:
    """A pack: its folder, and the seal to keep elsewhere."""

    folder: Path
    seal: str


@define
class Recorded:
    """A clock that shows when the entry at hand was recorded."""

    at: datetime

    def now(self) -> datetime:
        """The time of the entry."""
        return self.at


def default_target(name: str, clock: Clock) -> Path:
    """``./evidence/NAME-TIME``."""
    return Path("evidence", f"{name}-{clock.now():%Y%m%dT%H%M%S}")


def head_of(head: Head) -> str:
    """A chain's end as a bag's description states it."""
    return f"{head.sequence} sha256:{head.digest}"


def require_free(target: Path) -> None:
    """`StoreError` when evidence could not be put to ``target``: better said before the work."""
    partial = _partial(target)
    if not partial.parent.is_dir():
        raise StoreError("is no folder: make it first, or name another", path=str(partial.parent))
    for path in (target, partial):
        if path.is_symlink() or path.exists():
            raise StoreError(
                "is there already, and evidence is never overwritten: name a folder that is new",
                path=str(path),
            )


def make_once(
    journal: Journal,
    target: Path,
    note: JsonObject,
    kinds: tuple[str, str],
    left: Path | None,
    make: Callable[[Path], str],
) -> Packed:
    """Let ``make`` write the folder ``target`` and give its seal; tell the journal of both ends.

    ``kinds`` are the entries that say that it was begun and that it is kept, ``note`` what both
    say besides. ``left`` is where an earlier making was begun that nothing says is kept: what it
    left is cleared away or, if it was whole, taken as it is.
    """
    seal: str | None = None
    if left is not None:
        _clear(_partial(left))
        seal = _whole(left) if left.exists() else None
    if seal is not None and left is not None:
        target = left
    else:
        target = target.absolute()
        require_free(target)
        journal.record(kinds[0], {**note, "folder": str(target)})
        seal = make(target)
    journal.record(kinds[1], {**note, "folder": str(target), "seal": seal})
    return Packed(target, seal)


def begun_and_not_kept(entries: Iterable[Record], kinds: tuple[str, str], target: Path) -> bool:
    """Whether the last thing that ``entries`` tell of a pack at ``target`` is that it was begun."""
    told = [
        entry.kind
        for entry in entries
        if entry.kind in kinds and entry.body.get("folder") == str(target.absolute())
    ]
    return bool(told) and told[-1] == kinds[0]


def kept_file(journal: Journal, kept: str, sha256: str) -> bytes:
    """A file that lies beside the journal; `StoreError` when it is not what it was."""
    data = journal.kept(kept)
    if digest(data) != sha256:
        raise StoreError(
            "is not what it was when it was kept: put back your backup",
            path=str(journal.path.parent / "kept" / kept),
            safe="no evidence was made of it",
        )
    return data


def _partial(target: Path) -> Path:
    target = target.absolute()
    return target.with_name(f"{target.name}.partial")


def _clear(partial: Path) -> None:
    """Remove what this journal's own, interrupted making left: it is all in the journal still."""
    if partial.exists() and not partial.is_symlink():
        with translating(partial, "clear away what an interrupted run left"):
            shutil.rmtree(partial)


def _whole(folder: Path) -> str | None:
    """The seal of a folder that verifies; `StoreError` for one that does not."""
    report = verify_evidence(folder)
    if report.findings or report.seal is None:
        raise StoreError(
            "was made by an interrupted run and was changed since: move it away, then run again",
            path=str(folder),
        )
    return report.seal
