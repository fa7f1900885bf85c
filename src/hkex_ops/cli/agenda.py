"""``hkex-ops agenda``: what to do next and by when, for a person, a program or a calendar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import At, Config, Json
from hkex_ops.cli.papers import Audience, OneRollout, ask
from hkex_ops.cli.text import say, say_bound, say_count, say_instant, say_time_left, say_window
from hkex_ops.cli.working import Work, done_items
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.outputs import write_over_file
from hkex_ops.model import Bound, Certainty, Json as JsonValue, JsonObject, Window, plain
from hkex_ops.rollouts import HORIZON, AgendaItem, ItemState, agenda as agenda_of, is_days_end

__all__ = ["agenda", "item_document", "say_when"]

KIND_WIDTH = 14
MOST_DAYS = 3660
"""Ten years: no paper looks further ahead, and a calendar's dates must not overflow."""


def agenda(
    *,
    at: At = None,
    rollout: OneRollout = None,
    audience: Audience = None,
    days: Annotated[int, Parameter(help="How many days to look ahead.")] = HORIZON.days,
    all_: Annotated[
        bool, Parameter(name="--all", negative="", help="Also what is over and what is overdue.")
    ] = False,
    ics: Annotated[
        Path | None,
        Parameter(help="Also write a calendar file; it takes the place of an older one."),
    ] = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """List what is open, due or coming: sessions, deadlines, duties, checklist items, forms."""
    if not 0 <= days <= MOST_DAYS:
        raise UsageError(f"--days {days} is none of 0 to {MOST_DAYS}")
    asked = ask(at, rollout, audience, config)
    items = agenda_of(
        asked.rollouts,
        asked.calendar,
        asked.at,
        horizon=timedelta(days=days),
        audience=asked.audience,
        done=done_items(asked.rollouts, config, work),
        past=all_,
    )
    document: dict[str, JsonValue] = {
        "at": plain(asked.at),
        "items": [item_document(item, asked.at) for item in items],
    }
    written: JsonObject | None = None
    if ics is not None:
        written = _write_calendar(ics, items, asked.at)
        document["ics"] = written
    return Answer(document, lambda console: _render(items, asked.at, days, written, console))


def item_document(item: AgendaItem, at: datetime) -> JsonObject:
    """An item as ``--json`` prints it; a bound that is unknown, or is none, is null."""
    bounds = {"from": item.start, "to": item.until, "due": item.due}
    return {
        "id": item.id,
        "rollout": item.rollout,
        "kind": item.kind.value,
        "what": item.what,
        "detail": item.detail or None,
        "state": item.state(at).value,
        **{name: plain(bound.at) if bound else None for name, bound in bounds.items()},
        **{
            f"{name}_certainty": bound.certainty.value if bound else None
            for name, bound in bounds.items()
        },
        "grade": plain(item.grade),
        "tentative": item.tentative,
        "audience": list(item.audience),
        "source": plain(item.source),
    }


def _write_calendar(path: Path, items: Sequence[AgendaItem], at: datetime) -> JsonObject:
    try:
        from hkex_ops.render.ics import agenda_calendar, placed
    except ModuleNotFoundError as error:
        if error.name != "icalendar":
            raise
        raise ConfigError(
            "a calendar file wants the package icalendar: pip install 'hkex-ops[ics]'"
        ) from None
    write_over_file(path, agenda_calendar(items, at))
    without = [item.id for item in items if not placed(item)]
    return {"file": str(path), "events": len(items) - len(without), "without_time": list(without)}


def _render(
    items: Sequence[AgendaItem],
    at: datetime,
    days: int,
    written: JsonObject | None,
    console: Console,
) -> None:
    ahead = say_count(days, "day")
    say(console, f"Agenda at {say_instant(at)}, Hong Kong time, {ahead} ahead")
    if not items:
        say(console, "nothing is open, due or coming", indent=2)
    _say_items(items, at, console)
    if written is not None:
        events = written["events"]
        assert isinstance(events, int), "it was made as one"
        say(console, f"{say_count(events, 'event')} written to {written['file']}")
        lost = written["without_time"]
        if lost:
            assert isinstance(lost, list), "it was made as one"
            say(console, f"without a time, so not in it: {', '.join(map(str, lost))}")


def _say_items(items: Iterable[AgendaItem], at: datetime, console: Console) -> None:
    """The items under headings that say when, each with its id and the place in the paper."""
    for (when, state), group in groupby(items, key=lambda one: (say_when(one, at), one.state(at))):
        together = list(group)
        say(console, f"{when}  ({state.value}{_left(together[0], at)})")
        for item in together:
            grade = f", {item.grade.value}" if item.grade is not None else ""
            mark = ", tentative" if item.tentative else ""
            say(console, f"{item.what}{grade}{mark}", lead=f"  {item.kind.value:<{KIND_WIDTH}}")
            say(console, f"[{item.id}: {item.source.place}]", indent=2 + KIND_WIDTH)


def _left(item: AgendaItem, at: datetime) -> str:
    moment = item.moment(at)
    if moment is None or moment <= at:
        return ""
    left = say_time_left(moment - at)
    return f" in {left}" if item.state(at) is ItemState.COMING else f", {left} left"


def say_when(item: AgendaItem, at: datetime) -> str:
    """When an item is to be attended or done, as a heading."""
    start = item.start or Bound(None, Certainty.OPEN)
    if item.due is None:
        return say_window(Window(start, item.until or Bound(None, Certainty.OPEN)))
    by = f"by {say_bound(item.due, ends=True)}"
    if item.state(at) is not ItemState.COMING or start.at is None:
        return by
    if item.due.at == start.at + timedelta(days=1) and is_days_end(start.at):
        return f"on {start.at:%a %Y-%m-%d}"
    return f"from {say_bound(start)}, {by}"
