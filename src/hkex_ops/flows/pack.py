"""A worked session as evidence: what the journal kept of it, as a folder of its own.

Made from the journal alone, so that it may be made again when its making was interrupted. The
events keep the times at which they were recorded; ``Journal-Head`` in the bag's description says
where the rollout's journal ended then, which ties the two together.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import digest
from hkex_ops.flows.attempts import (
    Attempt,
    StepRow,
    endings_of,
    latest_attempt,
    rows_of,
)
from hkex_ops.flows.evidence import EvidenceFolder, verify_evidence
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.store.disk import translating
from hkex_ops.flows.summary import add_summary
from hkex_ops.model import JsonObject, Rollout, Session, plain
from hkex_ops.rundown import PlannedStep, Rundown, snapshot_after

__all__ = ["Packed", "default_target", "kept_evidence", "pack_session", "require_free"]

_DESCRIPTION = "Session worked with hkex-ops rundown run"


@frozen
class Packed:
    """The evidence of one attempt: its folder, and the seal to keep elsewhere."""

    folder: Path
    seal: str


class _Recorded:
    """A clock that shows when the entry at hand was recorded."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """The time of the entry."""
        return self.at


def default_target(rollout: Rollout, session: Session, clock: Clock) -> Path:
    """``./evidence/ROLLOUT-SESSION-TIME``."""
    return Path("evidence", f"{rollout.id}-{session.id}-{clock.now():%Y%m%dT%H%M%S}")


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


def kept_evidence(attempt: Attempt) -> Packed | None:
    """The evidence that was made of an attempt, if it was."""
    kept = attempt.last("evidence-kept")
    if kept is None:
        return None
    return Packed(Path(str(kept.body["folder"])), str(kept.body["seal"]))


def pack_session(
    journal: Journal,
    rollout: Rollout,
    session: Session,
    steps: Sequence[PlannedStep],
    target: Path,
) -> Packed:
    """Make the evidence of the concluded attempt at ``session``, once; `UsageError` before that.

    What an interrupted making left is cleared away or, if it was whole, taken as it is.
    """
    attempt = latest_attempt(journal.entries(), session.id)
    if attempt is None or attempt.concluded is None:
        raise UsageError(f"session {session.id} is not concluded: there is no evidence to pack yet")
    packed = kept_evidence(attempt)
    if packed is not None:
        return packed
    begun = attempt.last("evidence-begun")
    left = None if begun is None else Path(str(begun.body["folder"]))
    if left is not None:
        _clear(_partial(left))
    seal = _whole(left) if left is not None and left.exists() else None
    if seal is not None and left is not None:
        target = left
    else:
        target = target.absolute()
        require_free(target)
        note: JsonObject = {"session": session.id, "folder": str(target)}
        journal.record("evidence-begun", note)
        seal = _make(journal, rollout, session, attempt, steps, target)
    journal.record("evidence-kept", {"session": session.id, "folder": str(target), "seal": seal})
    return Packed(target, seal)


def _make(
    journal: Journal,
    rollout: Rollout,
    session: Session,
    attempt: Attempt,
    steps: Sequence[PlannedStep],
    target: Path,
) -> str:
    """Write the folder; its seal."""
    concluded = attempt.concluded
    assert concluded is not None, "only a concluded attempt is packed"
    clock = _Recorded(datetime.fromisoformat(attempt.entries[0].at))
    info = {
        "Source-Organization": "hkex-ops",
        "External-Description": _DESCRIPTION,
        "Journal-Head": f"{journal.head.sequence} sha256:{journal.head.digest}",
    }
    rundown = Rundown([one.step for one in steps if one.barred is None])
    rundown.restore(snapshot_after(list(rundown.states), attempt.events))
    rows = rows_of(steps, rundown.snapshot(), attempt)
    name = f"{rollout.id}/{session.id}"
    with EvidenceFolder.create(target, identifier=name, clock=clock, info=info) as evidence:
        for entry in attempt.entries:
            if entry.kind == "evidence-begun":
                continue
            clock.at = datetime.fromisoformat(entry.at)
            told = entry.body.get("event")
            evidence.record(entry.kind, told if isinstance(told, dict) else entry.body)
            if entry.kind == "file-kept":
                evidence.add(str(entry.body["path"]), _kept(journal, entry.body))
        document: JsonObject = {
            "rollout": rollout.id,
            "session": session.id,
            "outcome": concluded.body["outcome"],
            "audience": attempt.begun.get("audience"),
            "attempt": attempt.number,
            "steps": [plain(row) for row in rows],
        }
        evidence.add("rundown.json", document)
        evidence.add("rundown.txt", _text(rollout, session, document, rows))
        stated = plain(rollout)
        assert isinstance(stated, dict), "a rollout's plain form is an object"
        evidence.add("rollout.json", stated)
        add_summary(evidence, rollout, rundown, endings_of(steps, attempt))
        return evidence.close()


def _kept(journal: Journal, body: JsonObject) -> bytes:
    place = str(body["kept"])
    data = journal.kept(place)
    if digest(data) != body["sha256"]:
        raise StoreError(
            "is not what it was when it was kept: put back your backup",
            path=str(journal.path.parent / "kept" / place),
            safe="no evidence was made of it",
        )
    return data


def _text(rollout: Rollout, session: Session, document: JsonObject, rows: Sequence[StepRow]) -> str:
    lines = [
        f"{rollout.id}: {rollout.title}",
        f"{session.id}: {session.name}, {session.window.start} to {session.window.until}",
        f"source: {session.source}",
        f"outcome: {document['outcome']}",
        "",
    ]
    for row in rows:
        who = f" ({row.by})" if row.by else ""
        lines.append(f"{row.at or '-':<33}{row.outcome:<10}{row.step:<25}{row.found}{who}")
    return "\n".join(lines) + "\n"


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
