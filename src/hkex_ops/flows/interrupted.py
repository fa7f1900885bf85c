"""Evidence whose run was ended from outside, closed as far as it came: whole, and saying so.

A rehearsal that is cancelled or killed leaves ``NAME.partial``. What is in it really happened, so
it is not thrown away and not called finished: it becomes ``NAME.interrupted``, a folder that
verifies, with an event and a page that say that it was interrupted, and which steps were not come
to. Called by whoever ran it, when that is still possible; by its next run; or by a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError
from hkex_ops.evidence import Record
from hkex_ops.flows.evidence import EVENTS, EvidenceFolder, first_event, partial_of
from hkex_ops.flows.pack import rollout_document
from hkex_ops.flows.packing import Packed, Recorded
from hkex_ops.flows.summary import SUMMARY, add_summary, pack_steps
from hkex_ops.model import Json, JsonObject, Rollout, Source
from hkex_ops.rundown import (
    RundownStep,
    StepFinished,
    StepRefused,
    StepSkipped,
    StepState,
    Verdict,
)

__all__ = ["BEGUN", "Interrupted", "begun_body", "close_interrupted", "left_by"]

BEGUN = "rehearsal-begun"
"""The event that says what a rehearsal sets out to do; nobody goes on with one."""

ENDED = "run-interrupted"
_MADE_ANEW = ("rundown.json", "rundown.txt", SUMMARY)
_MOST = 1000
"""How many interrupted runs of one name may lie side by side; nobody keeps more."""


_Ended: TypeAlias = StepFinished | StepSkipped | StepRefused


@frozen
class Interrupted:
    """What became of an interrupted run: its evidence, and how far it came."""

    packed: Packed
    ended: int
    steps: int


def begun_body(rollout: Rollout, steps: Iterable[RundownStep], more: JsonObject) -> JsonObject:
    """The body of the event `BEGUN`: all that is needed to say what was not come to."""
    planned: list[Json] = [{"session": s.session, "id": s.id, "text": s.text} for s in steps]
    return {"rollout": rollout.id, "steps": planned, **more}


def left_by(partial: Path) -> str | None:
    """The rollout whose rehearsal left ``partial``; nothing where it is something else's."""
    begun = first_event(partial, EVENTS)
    if begun is None or begun.kind != BEGUN:
        return None
    return str(begun.body.get("rollout"))


def close_interrupted(
    partial: Path, clock: Clock, rollouts: Mapping[str, Rollout] | None = None
) -> Interrupted:
    """Close what an interrupted run left in ``partial``, under a name that says so.

    Among ``rollouts`` the one is looked for that was worked; with it the page is made. Raises
    `StoreError` when the run is still going on, or what it left is damaged.
    """
    if not partial.name.endswith(".partial") or not partial.is_dir():
        raise StoreError("is no folder that an interrupted run left", path=str(partial))
    target = _free(partial)
    evidence, records = EvidenceFolder.reopen(
        partial,
        target,
        clock=(shown := Recorded(clock.now())),
        made_anew=_MADE_ANEW,
    )
    with evidence:
        if records:
            shown.at = datetime.fromisoformat(records[-1].at)
        steps = tuple(_planned(records))
        events = tuple(event for one in records if (event := _ending(one)) is not None)
        told = {(one.step.session, one.step.id) for one in events}
        evidence.record(
            ENDED,
            {
                "closed_at": clock.now().isoformat(),
                "ended": len(told),
                "not_come_to": [
                    f"{one.session}/{one.id}" for one in steps if (one.session, one.id) not in told
                ],
            },
        )
        rows: list[Json] = [_row(event) for event in events]
        evidence.add("rundown.json", {"outcome": Verdict.INTERRUPTED.value, "steps": rows})
        evidence.add("rundown.txt", _text(events, len(steps)))
        rollout = _worked(evidence, rollouts or {})
        if rollout is not None:
            shown_rows = pack_steps(steps, events)
            add_summary(evidence, rollout, Verdict.INTERRUPTED, shown_rows)
        return Interrupted(Packed(target, evidence.close()), len(told), len(steps))


def _free(partial: Path) -> Path:
    """``NAME.interrupted``, with a number where that is there already."""
    name = partial.name.removesuffix(".partial")
    for number in range(1, _MOST):
        tail = "" if number == 1 else f"-{number}"
        target = partial.with_name(f"{name}.interrupted{tail}")
        if not target.exists() and not partial_of(target).exists():
            return target
    raise StoreError("has too many interrupted runs beside it: move some away", path=str(partial))


def _worked(evidence: EvidenceFolder, rollouts: Mapping[str, Rollout]) -> Rollout | None:
    """The rollout that the evidence is of, if it is known and still says the same."""
    files = evidence.files()
    for rollout in rollouts.values():
        if "rollout.json" in files and evidence.holds("rollout.json", rollout_document(rollout)):
            return rollout
    return None


def _planned(records: Iterable[Record]) -> Iterator[RundownStep]:
    for record in records:
        match record.kind, record.body:
            case "rehearsal-begun", {"steps": [*steps]}:
                for step in steps:
                    match step:
                        case {"session": str(session), "id": str(id), "text": str(text)}:
                            yield RundownStep(session, id, text)
                        case _:
                            pass
            case _:
                pass


def _ending(record: Record) -> _Ended | None:
    """The event that ended a step, told again; the paper's source of the step included."""
    at = datetime.fromisoformat(record.at)
    match record.kind, record.body:
        case "step-finished", {
            "step": dict(step),
            "state": str(state),
            "found": str(found),
            "facts": dict(facts),
            "by": str(by),
        }:
            return StepFinished(at, _step(step), StepState(state), found, facts, by)
        case "step-skipped", {"step": dict(step), "reason": str(reason), "by": str(by)}:
            return StepSkipped(at, _step(step), reason, by)
        case "step-refused", {"step": dict(step), "reason": str(reason)}:
            return StepRefused(at, _step(step), reason)
        case _:
            return None


def _step(stated: JsonObject) -> RundownStep:
    source = stated.get("source")
    cited = (
        Source(str(source["circular"]), str(source["place"])) if isinstance(source, dict) else None
    )
    session, id, text = (str(stated.get(key, "")) for key in ("session", "id", "text"))
    return RundownStep(session, id, text, None, cited)


def _row(event: _Ended) -> JsonObject:
    match event:
        case StepFinished(at, step, state, found, _, by):
            outcome = state.value
        case StepSkipped(at, step, found, by):
            outcome = "skipped"
        case StepRefused(at, step, found):
            outcome, by = "refused", ""
    return {
        "session": step.session,
        "step": step.id,
        "outcome": outcome,
        "at": at.isoformat(),
        "found": found,
        "by": by or None,
    }


def _text(events: Iterable[_Ended], planned: int) -> str:
    rows = [_row(event) for event in events]
    lines = [f"INTERRUPTED: {len(rows)} of {planned} steps had ended", ""]
    lines += [
        f"{row['at']}  {row['outcome']!s:<10}{row['session']} {row['step']}: {row['found']}"
        for row in rows
    ]
    return "\n".join(lines) + "\n"
