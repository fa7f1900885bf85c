"""``hkex-ops fallback``: what the way back needs, whether it still stands, and the decision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.clearing.reentry import ReentryState
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.options import At, Config, Json, optional_settings, parse_at
from hkex_ops.cli.text import say, say_bound, say_count, say_instant, say_window
from hkex_ops.cli.working import Desk, Remark, Work, denied_document, desk_of
from hkex_ops.errors import Denied, UsageError
from hkex_ops.flows.checklist import checklist_of
from hkex_ops.flows.clearing.reentering import reentry_of
from hkex_ops.flows.fallback import fallback_of, record_fallback
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.flows.notifying.streams import occurrence_of_denial
from hkex_ops.model import JsonObject, Restriction, plain
from hkex_ops.rollouts import Guard
from hkex_ops.rundown import Decide, Fallback, FallbackState, ItemStanding, Tick, TickStanding

__all__ = ["fallback"]

_TICK = re.compile(r"(?P<id>[a-z0-9-]+)=(?P<word>yes|no)")
_NOT_LISTED = (
    "No list of these transactions is kept here yet: hkex-ops clearing reentry makes it of your "
    "own record of what was put in."
)


def fallback(
    rollout: str,
    /,
    *,
    decide: Annotated[
        bool, Parameter(negative="", help="Record that the fallback was decided.")
    ] = False,
    reason: Annotated[str, Parameter(help="Why; wanted with --decide.")] = "",
    tick: Annotated[
        tuple[str, ...],
        Parameter(help="THING=yes or THING=no: it still stands, or not; several times."),
    ] = (),
    by: Annotated[str, Parameter(help="Who says so; wanted with --decide and --tick.")] = "",
    remark: Remark = "",
    at: At = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Show the fallback plan and what must still be standing for it; record the decision.

    A decision is recorded only for a time within the plan's window; else the command exits 3.

    Parameters
    ----------
    rollout
        The rollout's id, such as hkats-dcass-2019.
    """
    desk = desk_of(rollout, config, work)
    instant = parse_at(at, desk.clock)
    now = desk.clock.now()
    given: list[Decide | TickStanding] = [_tick(text, by, instant, remark) for text in tick]
    if decide:
        given.append(Decide(by, reason, instant))
    Fallback(desk.rollout)  # a rollout without a plan is refused before anything is kept
    denied: Denied | None = None
    if given:
        with Journal.open(desk.work, desk.rollout.id, clock=desk.clock) as journal:
            try:
                for one in given:
                    record_fallback(journal, desk.rollout, one, now)
            except Denied as error:
                denied = error
    view = _view(desk, instant)
    document = _document(view, instant)
    if denied is not None:
        document = {**document, "denied": denied_document(denied)}
        told = occurrence_of_denial(denied, now)
        hand_over(optional_settings(config), desk.clock, lambda: (told,))
    return Answer(
        document,
        lambda console: _render(view, instant, denied, console),
        ExitCode.DENIED if denied else ExitCode.DONE,
    )


@frozen
class _View:
    """The plan at an instant, with everything that bears on it."""

    desk: Desk
    fallback: Fallback
    rules: tuple[Restriction, ...]
    items: tuple[ItemStanding, ...]
    transactions: int | None
    open: int | None


def _view(desk: Desk, at: datetime) -> _View:
    rollout = desk.rollout
    entries = read_journal(desk.work, rollout.id)
    known = fallback_of(rollout, entries, at)
    items: Sequence[ItemStanding] = ()
    if rollout.checklist:
        items = [
            one
            for one in checklist_of(rollout, entries, at).items(at)
            if "fallback" in one.item.question.casefold()
        ]
    listed = reentry_of(entries, at).transactions
    return _View(
        desk,
        known,
        Guard([rollout]).in_force(at),
        tuple(items),
        len(listed) or None,
        sum(one.state is ReentryState.OPEN for one in listed) if listed else None,
    )


def _tick(text: str, by: str, at: datetime, remark: str) -> TickStanding:
    match = _TICK.fullmatch(text)
    if match is None:
        raise UsageError(f"--tick {text!r} is no tick; write it as network-gateways=yes")
    return TickStanding(match["id"], match["word"] == "yes", by, at, remark)


def _document(view: _View, at: datetime) -> JsonObject:
    plan, known = view.fallback.plan, view.fallback
    return {
        "rollout": view.desk.rollout.id,
        "at": plain(at),
        "plan": plan.id,
        "trigger": plan.trigger,
        "decided_by": plan.decided_by,
        "window": plain(plan.window),
        "decidable": plain(known.window),
        "state": known.state.value,
        "decided": plain(known.decided),
        "standing": [
            {
                "id": one.id,
                "what": one.what,
                "rule": one.rule,
                "ticked": plain(known.ticked.get(one.id)),
                "source": plain(one.source),
            }
            for one in plan.standing
        ],
        "rules": [
            {
                "id": rule.id,
                "action": rule.action,
                "rule": rule.rule,
                "effect": rule.effect.value,
                "until": plain(rule.window.until.at),
                "source": plain(rule.source),
            }
            for rule in view.rules
        ],
        "checklist": [
            {
                "number": one.item.number,
                "question": one.item.question,
                "state": one.progress.value,
                "answer": plain(one.answered),
            }
            for one in view.items
        ],
        "reentry": {
            "rule": plan.reentry,
            "since": plain(plan.window.start.at),
            "transactions": view.transactions,
            "open": view.open,
        },
        "credentials": plan.credentials,
        "source": plain(plan.source),
    }


def _render(view: _View, at: datetime, denied: Denied | None, console: Console) -> None:
    plan, known = view.fallback.plan, view.fallback
    say(console, plan.name)
    say(console, f"“{plan.trigger}” ({plan.source})", indent=2)
    say(console, f"decided by {plan.decided_by}, {say_window(known.window)}", indent=2)
    if denied is not None:
        say(console, f"DENIED: {denied}")
    if known.decided is not None:
        told = known.decided
        say(console, f"DECIDED at {say_instant(told.at)}, recorded by {told.by}: {told.reason}")
    elif known.state is FallbackState.READY:
        say(console, "not decided")
    _render_standing(view, at, console)
    console.print()
    say(console, "After the decision:")
    since = say_bound(plan.window.start)
    say(console, f"put in again, since the cutover ({since}): “{plan.reentry}”", indent=2)
    if view.transactions is None:
        say(console, _NOT_LISTED, indent=2)
    else:
        listed = say_count(view.transactions, "transaction")
        said = f"{listed} listed, {view.open} open: hkex-ops clearing reentry shows them"
        say(console, said, indent=2)
    say(console, f"passwords: “{plan.credentials}”", indent=2)


def _render_standing(view: _View, at: datetime, console: Console) -> None:
    console.print()
    say(console, f"Must still be standing, {say_window(view.fallback.plan.window)}:")
    for one in view.fallback.plan.standing:
        ticked = view.fallback.ticked.get(one.id)
        word = "not looked at" if ticked is None else ("stands" if ticked.stands else "MISSING")
        say(console, f"{one.id}: {one.what}", lead=f"  {word:<15}")
        if ticked is not None:
            remark = f": {ticked.remark}" if ticked.remark else ""
            say(console, f"{ticked.by}, {say_instant(ticked.at)}{remark}", indent=17)
    if view.rules:
        console.print()
        say(console, f"Rules in force at {say_instant(at)}:")
    for rule in view.rules:
        say(console, f"“{rule.rule}” ({rule.source})", lead=f"  {rule.action}: ")
    if view.items:
        console.print()
        say(console, "Checklist items that speak of it:")
    for item in view.items:
        tick = item.answered.answer if item.answered else Tick.UNANSWERED
        say(console, item.item.question, lead=f"  {tick.value:<12}{item.item.number:>3}  ")
