"""``hkex-ops evidence``: packs made from what was kept, and proven whole, offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Config, Json
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.text import say, say_count
from hkex_ops.cli.working import Desk, Work, desk_of, now_of
from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.evidence import EvidenceReport, partial_of, verify_evidence
from hkex_ops.flows.interrupted import Interrupted, close_interrupted
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.pack import pack_again
from hkex_ops.flows.pack_rollout import (
    WorkedSession,
    pack_rollout,
    rollout_verdict,
    worked_sessions,
)
from hkex_ops.flows.packing import Packed, default_target
from hkex_ops.model import JsonObject, plain
from hkex_ops.rundown import Verdict, session_named

__all__ = ["close", "pack", "shown_path", "target_of", "verify"]


def verify(folder: Path, /, *, json: Json = False) -> Answer:
    """Find any changed, missing or added byte of an evidence folder. Exits 1 when there is one.

    Parameters
    ----------
    folder
        The evidence folder, as a rehearsal or a session wrote it.
    """
    report = verify_evidence(folder)
    return Answer(
        {
            "folder": str(folder),
            "files": report.files,
            "events": report.events,
            "seal": report.seal,
            "findings": [plain(finding) for finding in report.findings],
        },
        lambda console: _render(folder, report, console),
        ExitCode.FINDINGS if report.findings else ExitCode.DONE,
    )


def close(folder: Path, /, *, config: Config = None, json: Json = False) -> Answer:
    """Close what an interrupted run left, as far as it came: whole, and saying so.

    NAME.partial becomes NAME.interrupted, which verifies. Nothing that happened is lost, and
    nothing looks finished that is not. Exits 6 while the run is still going on.

    Parameters
    ----------
    folder
        The folder that was left, such as evidence/rrs-2023-20230401T090000.partial; or NAME.
    """
    if not folder.exists() and partial_of(folder).is_dir():
        folder = folder.with_name(partial_of(folder).name)
    papers, _ = known_papers(config)
    closed = close_interrupted(folder, now_of(), papers.rollouts)
    shown = shown_path(closed.packed.folder)
    return Answer(
        {
            "left": str(folder),
            "outcome": Verdict.INTERRUPTED.value,
            "ended": closed.ended,
            "steps": closed.steps or None,
            "evidence": shown,
            "seal": closed.packed.seal,
        },
        lambda console: _render_closed(closed, shown, console),
    )


def pack(
    rollout: str,
    /,
    *,
    session: Annotated[
        str | None, Parameter(help="Only this session, such as session-1; else all there is.")
    ] = None,
    out: Annotated[
        Path | None, Parameter(help="New folder for it; else ./evidence/ROLLOUT-TIME.")
    ] = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Make an evidence folder of a rollout, or one session, from what the journal kept.

    It holds every session worked so far, the checklist with its files, the forms made, overrides,
    the fallback decision and what was noted as done; sessions that go on are shown as far as they
    came. Exits 0 when the folder is made, whatever it tells.

    Parameters
    ----------
    rollout
        The rollout's id, such as hkats-dcass-2019.
    """
    desk = desk_of(rollout, config, work)
    chosen = None if session is None else session_named(session, desk.rollout)
    if not read_journal(desk.work, desk.rollout.id):
        raise UsageError(
            f"nothing was kept of {rollout} in {desk.work}: there is nothing to pack yet"
        )
    name = desk.rollout.id if chosen is None else f"{desk.rollout.id}-{chosen.id}"
    with Journal.open(desk.work, desk.rollout.id, clock=desk.clock) as journal:
        known = worked_sessions(desk.rollout, journal.entries())
        if chosen is not None:
            known = tuple(one for one in known if one.session.id == chosen.id)
            if all(one.attempt is None for one in known):
                raise UsageError(f"session {session} of {rollout} was never begun: nothing to pack")
        target = target_of(out, name, desk.clock)
        if chosen is None:
            packed = pack_rollout(journal, desk.rollout, target, desk.clock)
        else:
            packed = pack_again(journal, desk.rollout, chosen, target)
    return _packed(desk, session, known, packed)


def target_of(out: Path | None, name: str, clock: Clock) -> Path:
    """Where evidence goes; ``./evidence`` is made when it is not there and ``out`` is not given."""
    if out is not None:
        return out
    target = default_target(name, clock)
    try:
        target.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot be made: {error}; give --out", path=str(target.parent)) from error
    return target


def _packed(
    desk: Desk, session: str | None, sessions: Sequence[WorkedSession], packed: Packed
) -> Answer:
    report = verify_evidence(packed.folder)
    verdict = rollout_verdict(sessions)
    shown = shown_path(packed.folder)
    rows: list[JsonObject] = [
        {key: value for key, value in one.told().items() if key != "steps"} for one in sessions
    ]
    return Answer(
        {
            "rollout": desk.rollout.id,
            "session": session,
            "outcome": verdict.value,
            "sessions": list(rows),
            "evidence": shown,
            "files": report.files,
            "events": report.events,
            "seal": packed.seal,
        },
        lambda console: _render_packed(sessions, verdict, shown, packed, console),
    )


def shown_path(folder: Path) -> str:
    """A path as short as it can be said from here."""
    here = Path.cwd()
    return str(folder.relative_to(here) if folder.is_relative_to(here) else folder)


def _render_packed(
    sessions: Sequence[WorkedSession],
    verdict: Verdict,
    shown: str,
    packed: Packed,
    console: Console,
) -> None:
    begun = sum(one.attempt is not None for one in sessions)
    say(console, f"{verdict.value.upper()}: {begun} of {len(sessions)} sessions or attempts begun")
    for one in sessions:
        word = "not begun" if one.verdict is None else one.verdict.value
        number = f", attempt {one.attempt.number}" if one.attempt and not one.is_last else ""
        say(console, f"{one.session.name}{number}", lead=f"  {word:<10}")
    say(console, f"Evidence in {shown}; prove it with: hkex-ops evidence verify {shown}")
    say(console, f"Seal {packed.seal}")


def _render_closed(closed: Interrupted, shown: str, console: Console) -> None:
    of_all = f" of {closed.steps}" if closed.steps else ""
    say(console, f"INTERRUPTED: {closed.ended}{of_all} steps had ended")
    say(console, f"Evidence in {shown}; prove it with: hkex-ops evidence verify {shown}")
    say(console, f"Seal {closed.packed.seal}")


def _render(folder: Path, report: EvidenceReport, console: Console) -> None:
    if not report.findings:
        say(console, f"{folder} is whole: {report.files} files, {report.events} events")
        say(console, f"seal {report.seal}")
        return
    say(console, f"{folder} is NOT whole: {say_count(len(report.findings), 'finding')}")
    for finding in report.findings:
        say(console, f"{finding.where}: {finding.message}", lead=f"  {finding.kind.value}: ")
