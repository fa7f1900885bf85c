"""A whole rollout as evidence: every session and everything that was done beside them.

The events of the pack are the rollout's journal, entry by entry, with its own times, so that they
are the very bytes of the journal and the bag's ``Chain-Head`` is the journal's. What was never
begun is told as well. Made again, from the same journal, it holds the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import UsageError
from hkex_ops.evidence import Record
from hkex_ops.flows.attempts import Attempt, StepRow, attempts_of, endings_of, rows_of, steps_of
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.pack import PACK_KINDS, rollout_document, rundown_lines
from hkex_ops.flows.packing import (
    Packed,
    Recorded,
    begun_and_not_kept,
    kept_file,
    make_once,
)
from hkex_ops.flows.paperwork import Desk, add_documents
from hkex_ops.flows.summary import add_summary, pack_steps
from hkex_ops.model import JsonObject, Rollout, Session, plain
from hkex_ops.render.pack import PackStep
from hkex_ops.rundown import PlannedStep, Verdict, snapshot_after, worst

__all__ = ["WorkedSession", "pack_rollout", "rollout_verdict", "worked_sessions"]

_DESCRIPTION = "Rollout worked with hkex-ops: every session, form, tick and decision"


@frozen
class WorkedSession:
    """One attempt at a session, or a session that was never begun."""

    session: Session
    attempt: Attempt | None
    steps: tuple[PlannedStep, ...]
    rows: tuple[StepRow, ...]
    is_last: bool

    @property
    def verdict(self) -> Verdict | None:
        """How the attempt stands; nothing where there was none."""
        return None if self.attempt is None else self.attempt.outcome

    def told(self) -> JsonObject:
        """The same as a row of the pack's rundown."""
        attempt = self.attempt
        concluded = None if attempt is None else attempt.concluded
        return {
            "session": self.session.id,
            "name": self.session.name,
            "attempt": None if attempt is None else attempt.number,
            "outcome": "not begun" if attempt is None else attempt.outcome.value,
            "audience": None if attempt is None else attempt.begun.get("audience"),
            "begun": None if attempt is None else attempt.entries[0].at,
            "concluded": None if concluded is None else concluded.at,
            "steps": [plain(row) for row in self.rows],
        }


def worked_sessions(rollout: Rollout, entries: Sequence[Record]) -> tuple[WorkedSession, ...]:
    """Every attempt at every session that states steps, in the paper's order."""
    return tuple(
        one for session in rollout.sessions for one in _attempts(rollout, session, entries)
    )


def rollout_verdict(sessions: Sequence[WorkedSession]) -> Verdict:
    """How the rollout stands: as its worst session does, the last attempt at each counting.

    What was never begun counts for nothing: a session may be optional, or of another day.
    """
    return worst(one.verdict for one in sessions if one.is_last and one.verdict is not None)


def pack_rollout(journal: Journal, rollout: Rollout, target: Path, clock: Clock) -> Packed:
    """Make the pack of all that ``journal`` holds at the new folder ``target``.

    `UsageError` when nothing was kept of the rollout. What an interrupted making left at
    ``target`` is cleared away or, if it was whole, taken as it is.
    """
    entries = journal.entries()
    if not entries:
        raise UsageError(
            f"nothing was kept of {rollout.id} in {journal.path.parent}: there is nothing to pack"
        )
    left = target.absolute() if begun_and_not_kept(entries, PACK_KINDS, target) else None

    def make(folder: Path) -> str:
        return _make(journal, rollout, journal.entries(), folder, clock.now())

    return make_once(journal, target, {"session": None}, PACK_KINDS, left, make)


def _attempts(
    rollout: Rollout, session: Session, entries: Sequence[Record]
) -> Iterator[WorkedSession]:
    attempts = attempts_of(entries, session.id)
    if not attempts and session.steps:
        yield WorkedSession(session, None, (), (), is_last=True)
    for attempt in attempts:
        steps = steps_of(rollout, session, attempt)
        states = snapshot_after([s.step for s in steps if s.barred is None], attempt.events)
        rows = rows_of(steps, states, attempt)
        yield WorkedSession(session, attempt, steps, rows, is_last=attempt is attempts[-1])


def _make(
    journal: Journal, rollout: Rollout, entries: Sequence[Record], target: Path, now: datetime
) -> str:
    clock = Recorded(now)
    info = {"Source-Organization": "hkex-ops", "External-Description": _DESCRIPTION}
    with EvidenceFolder.create(target, identifier=rollout.id, clock=clock, info=info) as evidence:
        for entry in entries:
            clock.at = datetime.fromisoformat(entry.at)
            kept = evidence.record(entry.kind, entry.body)
            assert kept == entry, "one value has one spelling"
            if entry.kind == "file-kept":
                place, sealed = str(entry.body["kept"]), str(entry.body["sha256"])
                evidence.add(_path(entry), kept_file(journal, place, sealed))
        clock.at = now
        sessions = worked_sessions(rollout, entries)
        papers = Desk(journal, rollout, entries).of_rollout(evidence, now)
        verdict = rollout_verdict(sessions)
        document: JsonObject = {
            "rollout": rollout.id,
            "outcome": verdict.value,
            "at": plain(now),
            "sessions": [one.told() for one in sessions],
        }
        evidence.add("rundown.json", document)
        evidence.add("rundown.txt", _text(rollout, verdict, sessions))
        add_documents(evidence, papers)
        evidence.add("rollout.json", rollout_document(rollout))
        rows = [row for one in sessions for row in _rows(one)]
        add_summary(evidence, rollout, verdict, rows, papers)
        return evidence.close()


def _path(entry: Record) -> str:
    """Where a session's file lies in the pack: under its session and attempt."""
    folder, _, name = str(entry.body["path"]).partition("/")
    return f"{folder}/{entry.body['session']}-{entry.body['attempt']}/{name}"


def _rows(one: WorkedSession) -> Iterator[PackStep]:
    if one.attempt is None:
        return
    again = one.attempt.number > 1 or not one.is_last
    group = f"{one.session.name}, attempt {one.attempt.number}" if again else ""
    steps = [step.step for step in one.steps if step.barred is None]
    yield from pack_steps(steps, endings_of(one.steps, one.attempt), group)


def _text(rollout: Rollout, verdict: Verdict, sessions: Sequence[WorkedSession]) -> str:
    lines = [f"{rollout.id}: {rollout.title}", f"outcome: {verdict}"]
    for one in sessions:
        lines.append("")
        if one.attempt is None:
            lines.append(f"{one.session.id}: {one.session.name}: not begun")
            continue
        lines += rundown_lines(one.session, one.attempt, one.rows)
    return "\n".join(lines) + "\n"
