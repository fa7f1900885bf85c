"""A worked session as evidence: what the journal kept of it, as a folder of its own.

Made from the journal alone, so that it may be made again when its making was interrupted. The
events keep the times at which they were recorded; ``Journal-Head`` in the bag's description says
where the rollout's journal ended then, which ties the two together. The forms that serve the
session, and the overrides that held in it, lie in the pack too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from hkex_ops.errors import UsageError
from hkex_ops.flows.attempts import (
    Attempt,
    StepRow,
    endings_of,
    latest_attempt,
    rows_of,
    steps_of,
)
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.packing import (
    Packed,
    Recorded,
    begun_and_not_kept,
    head_of,
    kept_file,
    make_once,
)
from hkex_ops.flows.paperwork import Desk, add_documents
from hkex_ops.flows.summary import add_summary, pack_steps
from hkex_ops.model import JsonObject, Rollout, Session, plain
from hkex_ops.rundown import PlannedStep, snapshot_after

__all__ = [
    "PACK_KINDS",
    "kept_evidence",
    "pack_again",
    "pack_session",
    "rollout_document",
    "rundown_lines",
]

PACK_KINDS = ("pack-begun", "pack-made")
"""The entries about packs that were asked for besides the one that concludes a session."""

_DESCRIPTION = "Session worked with hkex-ops rundown run"
_KINDS = ("evidence-begun", "evidence-kept")
_OF_MAKING = ("evidence-begun", "pack-begun")


def kept_evidence(attempt: Attempt) -> Packed | None:
    """The evidence that was made of an attempt when it was concluded, if it was."""
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
    making = _Making(journal, rollout, session, attempt, steps)
    return make_once(journal, target, {"session": session.id}, _KINDS, left, making.make)


def pack_again(journal: Journal, rollout: Rollout, session: Session, target: Path) -> Packed:
    """Make one more pack of the last attempt at ``session``, at the new folder ``target``.

    An attempt that is not concluded is packed as far as it came. `UsageError` when the session
    was never begun.
    """
    entries = journal.entries()
    attempt = latest_attempt(entries, session.id)
    if attempt is None:
        raise UsageError(f"session {session.id} of {rollout.id} was never begun: nothing to pack")
    left = target.absolute() if begun_and_not_kept(entries, PACK_KINDS, target) else None
    making = _Making(journal, rollout, session, attempt, steps_of(rollout, session, attempt))
    return make_once(journal, target, {"session": session.id}, PACK_KINDS, left, making.make)


def rollout_document(rollout: Rollout) -> JsonObject:
    """The rollout as the pack keeps it: all that the papers say, times resolved."""
    stated = plain(rollout)
    assert isinstance(stated, dict), "a rollout's plain form is an object"
    return stated


class _Making:
    """The making of one session's pack."""

    def __init__(
        self,
        journal: Journal,
        rollout: Rollout,
        session: Session,
        attempt: Attempt,
        steps: Sequence[PlannedStep],
    ) -> None:
        self._journal = journal
        self._rollout = rollout
        self._session = session
        self._attempt = attempt
        self._steps = steps

    def make(self, target: Path) -> str:
        """Write the folder; its seal."""
        attempt, rollout = self._attempt, self._rollout
        clock = Recorded(datetime.fromisoformat(attempt.entries[0].at))
        info = {
            "Source-Organization": "hkex-ops",
            "External-Description": _DESCRIPTION,
            "Journal-Head": head_of(self._journal.head),
        }
        name = f"{rollout.id}/{self._session.id}"
        with EvidenceFolder.create(target, identifier=name, clock=clock, info=info) as evidence:
            desk = Desk(self._journal, rollout, self._journal.entries())
            end = datetime.fromisoformat(attempt.entries[-1].at)
            papers = desk.of_session(evidence, self._session, end)
            entries = [*attempt.entries, *desk.concerning(papers)]
            for entry in sorted(entries, key=lambda one: one.sequence):
                if entry.kind in _OF_MAKING:
                    continue
                clock.at = datetime.fromisoformat(entry.at)
                told = entry.body.get("event")
                evidence.record(entry.kind, told if isinstance(told, dict) else entry.body)
                if entry.kind == "file-kept":
                    place, sealed = str(entry.body["kept"]), str(entry.body["sha256"])
                    evidence.add(str(entry.body["path"]), kept_file(self._journal, place, sealed))
            self._add_rundown(evidence)
            add_documents(evidence, papers)
            evidence.add("rollout.json", rollout_document(rollout))
            worked = [one.step for one in self._steps if one.barred is None]
            rows = pack_steps(worked, endings_of(self._steps, attempt))
            add_summary(evidence, rollout, attempt.outcome, rows, papers)
            return evidence.close()

    def _add_rundown(self, evidence: EvidenceFolder) -> None:
        worked = [one.step for one in self._steps if one.barred is None]
        states = snapshot_after(worked, self._attempt.events)
        rows = rows_of(self._steps, states, self._attempt)
        document: JsonObject = {
            "rollout": self._rollout.id,
            "session": self._session.id,
            "outcome": self._attempt.outcome.value,
            "audience": self._attempt.begun.get("audience"),
            "attempt": self._attempt.number,
            "steps": [plain(row) for row in rows],
        }
        evidence.add("rundown.json", document)
        lines = [f"{self._rollout.id}: {self._rollout.title}"]
        lines += rundown_lines(self._session, self._attempt, rows)
        evidence.add("rundown.txt", "\n".join(lines) + "\n")


def rundown_lines(session: Session, attempt: Attempt, rows: Sequence[StepRow]) -> list[str]:
    """A session's rundown as lines of text."""
    lines = [
        f"{session.id}: {session.name}, {session.window.start} to {session.window.until}",
        f"source: {session.source}",
        f"outcome: {attempt.outcome}",
        "",
    ]
    for row in rows:
        who = f" ({row.by})" if row.by else ""
        lines.append(f"{row.at or '-':<33}{row.outcome:<10}{row.step:<25}{row.found}{who}")
    return lines
