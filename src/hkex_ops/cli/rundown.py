"""``hkex-ops rundown``: work a session, see how it stands, note what was done besides."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.bench import Bench, bench_of
from hkex_ops.cli.contacts import findings_before, say_finding
from hkex_ops.cli.evidence import shown_path, target_of
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import At, Config, Json, Source, Verbose, parse_at
from hkex_ops.cli.papers import Audience
from hkex_ops.cli.screen import STEP_WIDTH, Screen
from hkex_ops.cli.text import say, say_instant, say_window
from hkex_ops.cli.working import By, Desk, Remark, Work, desk_of
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import UsageError
from hkex_ops.flows.attempts import StepRow, Worked, rows_of
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.notifying.streams import occurrence_of_denial
from hkex_ops.flows.occurring import Occurrences, hearers_of, occurrence_of_step
from hkex_ops.flows.pack import kept_evidence, pack_again, pack_session
from hkex_ops.flows.packing import Packed, require_free
from hkex_ops.flows.working import SessionRun
from hkex_ops.incidents import ContactFinding
from hkex_ops.model import JsonObject, plain
from hkex_ops.rollouts import ItemKind
from hkex_ops.rollouts.items import items_of
from hkex_ops.rundown import Barred, PlannedStep, RundownEvent, Verdict, snapshot_after

__all__ = ["done", "run", "show"]


def run(
    rollout: str,
    session: str,
    /,
    *,
    answers: Annotated[
        Path | None, Parameter(help="TOML file with the answers, for a run without a person.")
    ] = None,
    audience: Audience = None,
    out: Annotated[
        Path | None,
        Parameter(help="New folder for the evidence; else ./evidence/ROLLOUT-SESSION-TIME."),
    ] = None,
    source: Source = None,
    work: Work = None,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Work a session: what a port can do is done, for the rest a person is asked.

    Run again, it goes on where it stood. Exits 1 when a step did not pass or waits for an answer,
    3 outside the session's window or for an audience that it is not for.

    Parameters
    ----------
    rollout
        The rollout's id, such as rrs-2023.
    session
        The session's id, such as session-1.
    """
    configure_logs(verbose=verbose, as_json=json)
    bench = bench_of(rollout, session, audience, config, work, source)
    bar = bench.bar(bench.desk.clock.now())
    if bar is not None:
        clock = bench.desk.clock
        told = occurrence_of_denial(bar.error(f"work {rollout}/{session}"), clock.now())
        hand_over(bench.desk.settings, clock, lambda: (told,))
        return _denied(bench, bar)
    asker = bench.asker(answers)
    if out is not None and _is_new(out, bench):
        require_free(out)
    screen = Screen(Console(stderr=json, highlight=False))
    with ExitStack() as stack:
        journal = stack.enter_context(bench.journal(screen))
        lock = journal.working(bench.session.id, bench.desk.clock.now())
        stack.callback(lock.release)
        hearers = hearers_of(bench.desk.settings, bench.desk.work, bench.desk.clock)
        occurrences = stack.enter_context(Occurrences(hearers))

        def watch(event: RundownEvent) -> None:
            screen.watch(event)
            occurrences.tell(occurrence_of_step(rollout, event))

        screen.begin(bench.desk.rollout, bench.session, bench.audience)
        for finding in _unreachable(bench):
            screen.tell(f"contacts: {say_finding(finding)}")
        hands = bench.hands(stack, screen)
        session_run = SessionRun(
            bench.desk.rollout,
            bench.session,
            bench.audience,
            bench.steps,
            journal,
            hands,
            asker,
            bench.desk.clock,
            watch,
            screen.resume,
        )
        screen.run = session_run
        worked = asyncio.run(session_run.work())
        packed: Packed | None = None
        if worked.outcome is not Verdict.WAITING:
            packed = _packed(bench, journal, out)
    return _worked(bench, worked, packed)


def show(
    rollout: str,
    session: str,
    /,
    *,
    audience: Audience = None,
    at: At = None,
    source: Source = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Show a session's steps, who does each, how they stand, and whether it may be worked.

    Exits 3 when it may not. Nothing is begun and nothing is kept.

    Parameters
    ----------
    rollout
        The rollout's id, such as rrs-2023.
    session
        The session's id, such as session-1.
    """
    bench = bench_of(rollout, session, audience, config, work, source)
    now = parse_at(at, bench.desk.clock)
    attempt = bench.attempt()
    events = attempt.events if attempt else ()
    states = snapshot_after([one.step for one in bench.steps if one.barred is None], events)
    rows = rows_of(bench.steps, dict(states), attempt)
    bar = bench.bar(now)
    return Answer(
        {
            **bench.headline,
            "at": plain(now),
            "window": plain(bench.session.window),
            "decision": "allow" if bar is None else "deny",
            "denied": plain(bar) if bar else None,
            "contacts": [plain(one) for one in _unreachable(bench)],
            "steps": [_step(one, row) for one, row in zip(bench.steps, rows, strict=True)],
        },
        lambda console: _render_show(bench, rows, bar, console),
        ExitCode.DONE if bar is None else ExitCode.DENIED,
    )


def done(
    item: str,
    /,
    *,
    by: By,
    at: At = None,
    remark: Remark = "",
    undo: Annotated[
        bool, Parameter(name="--undo", negative="", help="It was not done after all.")
    ] = False,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Note that something of the agenda was done: a registration, a form sent, a day's duty.

    Sessions are worked with rundown run and checklist items answered with checklist.

    Parameters
    ----------
    item
        The id that the agenda shows, such as rrs-2023/registration/connectivity-sessions.
    """
    rollout = item.partition("/")[0]
    desk = desk_of(rollout, config, work)
    stated = parse_at(at, desk.clock)
    _require_item(item, desk)
    if not by.strip():
        raise UsageError("a person does it: say who, with --by")
    if stated > desk.clock.now():
        raise UsageError(f"nothing is noted ahead of time, at {stated.isoformat()}")
    note: JsonObject = {
        "item": item,
        "done": not undo,
        "by": by,
        "at": plain(stated),
        "remark": remark,
    }
    with Journal.open(desk.work, desk.rollout.id, clock=desk.clock) as journal:
        journal.record("agenda-item-done", note)
    word = "not done" if undo else "done"
    return Answer(
        note, lambda console: say(console, f"{item}: {word} at {say_instant(stated)}, by {by}")
    )


def _unreachable(bench: Bench) -> tuple[ContactFinding, ...]:
    """Designated persons who cannot be reached in the session, where any are named."""
    return findings_before(bench.desk.settings, bench.session, bench.desk.calendar)


def _is_new(out: Path, bench: Bench) -> bool:
    """Whether nothing of this session is, or was being, made at ``out``."""
    attempt = bench.attempt()
    kept = None if attempt is None else kept_evidence(attempt)
    return not bench.is_over or (kept is not None and kept.folder != out.absolute())


def _packed(bench: Bench, journal: Journal, out: Path | None) -> Packed:
    """The evidence of the session that is over; one more of it where ``out`` asks for one."""
    rollout, session = bench.desk.rollout, bench.session
    attempt = bench.attempt()
    kept = None if attempt is None else kept_evidence(attempt)
    if kept is None:
        target = target_of(out, f"{rollout.id}-{session.id}", bench.desk.clock)
        return pack_session(journal, rollout, session, bench.steps, target)
    if out is None or kept.folder == out.absolute():
        return kept
    return pack_again(journal, rollout, session, out)


def _require_item(item: str, desk: Desk) -> None:
    """`UsageError` unless ``item`` is one that is noted here."""
    items = {one.id: one for one in items_of(desk.rollout, desk.calendar, date.min, date.max)}
    found = items.get(item)
    if found is None:
        raise UsageError(f"the agenda has no item {item!r}; {nearest(item, list(items))}")
    other = {
        ItemKind.SESSION: "work it with rundown run",
        ItemKind.CHECKLIST: "answer it with checklist",
    }.get(found.kind)
    if other is not None:
        raise UsageError(f"{item} is a {found.kind}: {other}")


# -- what is shown -----------------------------------------------------------------------------


def _worked(bench: Bench, worked: Worked, packed: Packed | None) -> Answer:
    folder = None if packed is None else shown_path(packed.folder)
    document: JsonObject = {
        **bench.headline,
        "outcome": worked.outcome.value,
        "attempt": worked.attempt,
        "resumed": worked.resumed,
        "steps": [plain(row) for row in worked.rows],
        "waiting": {"step": worked.waiting_for, "why": worked.why} if worked.waiting_for else None,
        "evidence": folder,
        "seal": packed.seal if packed else None,
    }

    def render(console: Console) -> None:
        passed = sum(row.outcome == "passed" for row in worked.rows)
        say(console, f"{worked.outcome.value.upper()}: {passed} of {len(worked.rows)} steps passed")
        if worked.waiting_for:
            say(console, f"step {worked.waiting_for} waits: {worked.why}")
            say(console, "Run the same command again to go on.")
        if packed is not None:
            say(console, f"Evidence in {folder}; prove it with: hkex-ops evidence verify {folder}")
            say(console, f"Seal {packed.seal}")

    code = ExitCode.DONE if worked.outcome is Verdict.PASSED else ExitCode.FINDINGS
    return Answer(document, render, code)


def _denied(bench: Bench, bar: Barred) -> Answer:
    document: JsonObject = {
        **bench.headline,
        "outcome": "denied",
        "denied": plain(bar),
        "steps": [],
        "evidence": None,
    }
    return Answer(document, lambda console: _render_bar(bar, console), ExitCode.DENIED)


def _render_bar(bar: Barred, console: Console) -> None:
    until = f" until {say_instant(bar.until)}" if bar.until else ""
    say(console, f"DENIED{until}: {bar.rule}")
    say(console, str(bar.source), indent=2)


def _step(planned: PlannedStep, row: StepRow) -> JsonObject:
    return {
        "session": row.session,
        "step": row.step,
        "outcome": row.outcome,
        "by_person": planned.step.by_person,
        "moment": planned.does.moment.value,
        "text": planned.step.text,
        "source": plain(planned.step.source),
        "at": row.at,
        "found": row.found,
        "by": row.by,
    }


def _render_show(
    bench: Bench, rows: Sequence[StepRow], bar: Barred | None, console: Console
) -> None:
    say(console, f"{bench.desk.rollout.id} {bench.session.id}: {bench.session.name}")
    say(console, say_window(bench.session.window))
    if bar is not None:
        _render_bar(bar, console)
    for finding in _unreachable(bench):
        say(console, f"contacts: {say_finding(finding)}")
    for planned, row in zip(bench.steps, rows, strict=True):
        who = "person" if planned.step.by_person else "port"
        lead = f"{row.outcome:<10}{who:<8}{row.step:<{STEP_WIDTH}}"
        say(console, planned.step.text, lead=lead)
