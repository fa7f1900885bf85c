"""``hkex-ops checklist``: answer items, attach what shows it, see what is open and overdue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import At, Config, Json, parse_at
from hkex_ops.cli.text import say, say_instant, say_window
from hkex_ops.cli.working import Remark, Work, desk_of
from hkex_ops.errors import UsageError
from hkex_ops.flows.checklist import answer_items, attach_file, checklist_of
from hkex_ops.flows.journal import Journal, read_journal
from hkex_ops.model import JsonObject, Rollout, plain
from hkex_ops.rundown import AnswerNo, AnswerYes, ItemStanding, Progress

__all__ = ["checklist"]

_ANSWER = re.compile(r"(?P<number>[0-9]{1,4})=(?P<word>yes|no)")
_NUMBER = re.compile(r"(?P<number>[0-9]{1,4})=(?P<file>.+)")


def checklist(
    rollout: str,
    /,
    *,
    answer: Annotated[
        tuple[str, ...], Parameter(help="ITEM=yes or ITEM=no; may be given several times.")
    ] = (),
    attach: Annotated[
        tuple[str, ...],
        Parameter(help="ITEM=FILE: copy FILE as evidence of it; may be given several times."),
    ] = (),
    by: Annotated[str, Parameter(help="Who answers; wanted with --answer and --attach.")] = "",
    remark: Remark = "",
    group: Annotated[
        str | None, Parameter(help="Show only this group, by its letter, such as C.")
    ] = None,
    at: At = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Show a rollout's checklist, what is open per phase and overdue; answer items of it.

    A later answer corrects an earlier one, and both are kept. Exits 1 while an item is overdue.

    Parameters
    ----------
    rollout
        The rollout's id, such as hkats-dcass-2019.
    """
    desk = desk_of(rollout, config, work)
    instant = parse_at(at, desk.clock)
    now = desk.clock.now()
    answers = [_answer(text, by, instant, remark) for text in answer]
    files = [_file(text) for text in attach]
    if (answers or files) and not by.strip():
        raise UsageError("a person answers: say who, with --by")
    shown = checklist_of(desk.rollout, ())  # an unknown group is refused before anything is kept
    shown.items(instant, group)
    if answers or files:
        with Journal.open(desk.work, desk.rollout.id, clock=desk.clock) as journal:
            answer_items(journal, desk.rollout, answers, now)
            for number, file in files:
                attach_file(journal, desk.rollout, number, file, by=by, at=instant, now=now)
    entries = read_journal(desk.work, desk.rollout.id)
    items = checklist_of(desk.rollout, entries, instant).items(instant, group)
    overdue = any(one.progress is Progress.OVERDUE for one in items)
    return Answer(
        _document(desk.rollout, items, instant),
        lambda console: _render(desk.rollout, items, instant, console),
        ExitCode.FINDINGS if overdue else ExitCode.DONE,
    )


def _answer(text: str, by: str, at: datetime, remark: str) -> AnswerYes | AnswerNo:
    match = _ANSWER.fullmatch(text)
    if match is None:
        raise UsageError(f"--answer {text!r} is no answer; write it as 14=yes or 14=no")
    kind = AnswerYes if match["word"] == "yes" else AnswerNo
    return kind(int(match["number"]), by, at, remark)


def _file(text: str) -> tuple[int, Path]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise UsageError(f"--attach {text!r} names no item and file; write it as 14=services.png")
    return int(match["number"]), Path(match["file"])


def _document(rollout: Rollout, items: Sequence[ItemStanding], at: datetime) -> JsonObject:
    return {
        "rollout": rollout.id,
        "at": plain(at),
        "counts": {word.value: sum(one.progress is word for one in items) for word in Progress},
        "items": [
            {
                "id": f"{rollout.id}/checklist/{one.item.number}",
                "number": one.item.number,
                "group": one.item.group,
                "question": one.item.question,
                "cut_off": one.item.cut_off,
                "state": one.progress.value,
                "due": plain(one.group.window.until.at) if one.group else None,
                "answer": plain(one.answered),
                "attached": [plain(file) for file in one.attached],
                "source": plain(one.item.source),
            }
            for one in items
        ],
    }


def _render(
    rollout: Rollout, items: Sequence[ItemStanding], at: datetime, console: Console
) -> None:
    say(console, f"{rollout.id}: checklist at {say_instant(at)}")
    for letter, group in groupby(items, key=lambda one: one.item.group):
        members = list(group)
        _render_group(letter, members, console)
        for one in members:
            _render_item(one, console)


def _render_group(letter: str, members: Sequence[ItemStanding], console: Console) -> None:
    group = members[0].group
    console.print()
    if group is not None:
        say(console, group.title, lead=f"({letter}) ")
        say(console, say_window(group.window), indent=4)
    counted = [
        f"{sum(one.progress is word for one in members)} {word.value}"
        for word in Progress
        if any(one.progress is word for one in members)
    ]
    say(console, ", ".join(counted), indent=4)


def _render_item(one: ItemStanding, console: Console) -> None:
    cut = " […]" if one.item.cut_off else ""
    lead = f"{one.progress.value:<9}{one.item.number:>3}  "
    say(console, f"{one.item.question}{cut}", lead=lead)
    if one.answered is not None:
        answered = one.answered
        remark = f": {answered.remark}" if answered.remark else ""
        text = f"{answered.answer.value}, {answered.by}, {say_instant(answered.at)}{remark}"
        say(console, text, indent=len(lead))
    for file in one.attached:
        text = f"attached {file.file.name}, SHA-256 {file.file.sha256[:16]}…, {file.by}"
        say(console, text, indent=len(lead))
