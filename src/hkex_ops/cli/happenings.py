"""``hkex-ops rundown event``: enter what happened; see which contingency rule speaks of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import At, Config, Json, parse_at
from hkex_ops.cli.text import say, say_instant
from hkex_ops.cli.working import Work, desk_of
from hkex_ops.flows.happenings import (
    Happening,
    enter_event,
    happenings_of,
    require_event,
)
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.model import Json as JsonValue, JsonObject, Rollout, plain
from hkex_ops.rollouts import Applies, JudgedContingency, judge_event

__all__ = ["event"]


def event(
    rollout: str,
    what: str = "",
    /,
    *,
    by: Annotated[str, Parameter(help="Who tells it; wanted with an event.")] = "",
    at: At = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Enter what happened, and when; see which of the paper's contingency rules speak of it.

    A rule such as "if contingency happened before 7:00 a.m." is judged by the time of the event,
    --at, and not by the clock. Without an event the events so far are listed.

    Parameters
    ----------
    rollout
        The rollout's id, such as hkats-dcass-2019.
    what
        What happened, in a sentence.
    """
    desk = desk_of(rollout, config, work)
    instant = parse_at(at, desk.clock)
    judged: tuple[JudgedContingency, ...] = ()
    if what or by:
        judged = judge_event(desk.rollout, instant)
        now = desk.clock.now()
        require_event(what, by, instant, now)  # before a journal is made for it
        with Journal.open(desk.work, desk.rollout.id, clock=desk.clock) as journal:
            enter_event(journal, desk.rollout, what=what, by=by, at=instant, now=now)
    known = happenings_of(read_journal(desk.work, desk.rollout.id))
    return Answer(
        {
            "rollout": desk.rollout.id,
            "rules": [_judged(one) for one in judged],
            "events": [_entered(one, desk.rollout) for one in known],
        },
        lambda console: _render(judged, known, desk.rollout, console),
    )


def _judged(one: JudgedContingency) -> JsonObject:
    return {
        "id": one.rule.id,
        "applies": one.applies.value,
        "why": one.why,
        "condition": one.rule.condition,
        "then": one.rule.then,
        "channels": list(one.rule.channels),
        "before": plain(one.rule.before.at) if one.rule.before else None,
        "source": plain(one.rule.source),
    }


def _entered(one: Happening, rollout: Rollout) -> JsonObject:
    rules: list[JsonValue] = [
        judged.rule.id
        for judged in judge_event(rollout, one.at)
        if judged.applies is not Applies.NO
    ]
    return {
        "at": plain(one.at),
        "what": one.what,
        "by": one.by,
        "recorded": plain(one.recorded),
        "rules": rules,
    }


_WORDS = {
    Applies.YES: "APPLIES",
    Applies.NO: "does not apply",
    Applies.UNKNOWN: "may apply",
}


def _render(
    judged: Sequence[JudgedContingency],
    known: Sequence[Happening],
    rollout: Rollout,
    console: Console,
) -> None:
    for one in judged:
        say(console, f"{one.rule.id} {_WORDS[one.applies]}: {one.why}")
        say(console, f"“{one.rule.condition}”: “{one.rule.then}”", indent=2)
        say(console, str(one.rule.source), indent=2)
    if judged:
        console.print()
    elif not rollout.contingencies:
        say(console, f"the papers of {rollout.id} state no contingency rule")
    if not known:
        say(console, "no event is entered")
    for happened in known:
        say(console, f"{happened.what} ({happened.by})", lead=f"{say_instant(happened.at)}  ")
