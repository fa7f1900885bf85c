"""``hkex-ops incident``: which incidents there are, and one of them whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.incident_compare import row_document
from hkex_ops.cli.incident_options import Room, entry_document, room_of
from hkex_ops.cli.options import Config, Json
from hkex_ops.cli.text import say, say_instant
from hkex_ops.cli.working import Work
from hkex_ops.config.shipped import load_incidents
from hkex_ops.flows.incidents.speaking import occurrences_of_deadlines
from hkex_ops.flows.incidents.spelling import kind_of
from hkex_ops.incidents import (
    Action,
    ActionOverdue,
    Correct,
    Deadline,
    IncidentEvent,
    IncidentLog,
    IncidentView,
    LogEntry,
    ReportOverdue,
    Standing,
    chronology_of,
    deadlines_of,
    say_told,
    sentence,
)
from hkex_ops.model import Incident, Json as JsonValue, JsonObject, Occurrence, plain

__all__ = ["action_document", "deadline_document", "list_", "show"]


# A time with its day and seconds, "Fri 2026-11-27 ~03:29:53".
_TIME_WIDTH = 24


def list_(
    *,
    all: Annotated[
        bool, Parameter(negative="", help="Closed ones and those of the papers too.")
    ] = False,
    tell: Annotated[
        bool,
        Parameter(negative="", help="Tell of reports due within the hour, by the routes."),
    ] = False,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """List the incidents that are open; what is overdue of them. Exits 1 when something is."""
    room = room_of(config, work)
    now = room.clock.now()
    ids = room.store.ids() if all else room.store.open_ids()
    logs = [room.store.read(id) for id in ids]
    logs = [one for one in logs if all or one.view.is_open]
    views = [one.view for one in logs]
    papers = list(load_incidents(room.calendar).values()) if all else []
    if tell:
        hand_over(room.settings, room.clock, lambda: _due(room, views, now))
    late = {one.id: _overdue(one, now) for one in logs}
    return Answer(
        {
            "at": plain(now),
            "incidents": [{**_headline(one), "overdue": list(late[one.id])} for one in views],
            "papers": [
                {"id": one.id, "title": one.title, "tellers": [t.id for t in one.tellers]}
                for one in papers
            ],
        },
        lambda console: _render_list(views, papers, late, console),
        ExitCode.FINDINGS if any(late.values()) else ExitCode.DONE,
    )


def show(id: str, /, *, work: Work = None, config: Config = None, json: Json = False) -> Answer:
    """Show an incident: where it stands, every entry, corrections beside what they correct.

    Exits 1 when a report or an action of it is overdue.

    Parameters
    ----------
    id
        The incident's id; also one of the papers', such as hsil-2010.
    """
    room = room_of(config, work)
    papers = load_incidents(room.calendar)
    if id in papers and id not in room.store.ids():
        return _show_papers(papers[id])
    log = room.store.read(id)
    view = log.view
    deadlines = deadlines_of(view, room.incidents.deadlines, room.calendar)
    late = _overdue(log, room.clock.now())
    return Answer(
        {
            **_headline(view),
            "owners": list(view.owners),
            "affected": list(view.affected),
            "unaffected": list(view.unaffected),
            "moments": [
                {"state": one.state.value, "when": plain(one.when), "entry": one.number}
                for one in view.moments
            ],
            "enquiries": dict(view.enquiries),
            "actions": [action_document(one) for one in view.actions],
            "deadlines": [deadline_document(one) for one in deadlines],
            "overdue": list(late),
            "entries": [entry_document(one) for one in view.entries],
        },
        lambda console: _render_show(view, deadlines, late, console),
        ExitCode.FINDINGS if late else ExitCode.DONE,
    )


def deadline_document(one: Deadline) -> JsonObject:
    """A deadline for programs: what is unknown of it is null."""
    return {
        "stage": one.rule.stage.value,
        "anchor": one.rule.anchor.value,
        "anchored": plain(one.anchored),
        "due": plain(one.due),
        "source": one.rule.source,
        "issued": None if one.issued is None else one.issued.number,
        "late": one.was_late(),
    }


def action_document(one: Action) -> JsonObject:
    """An action, for programs."""
    return {
        "action": one.number,
        "text": one.text,
        "owner": one.owner,
        "due": plain(one.due),
        "state": "open" if one.ended is None else "dropped" if one.dropped else "done",
    }


def _due(room: Room, views: Sequence[IncidentView], now: datetime) -> Iterator[Occurrence]:
    for view in views:
        found = deadlines_of(view, room.incidents.deadlines, room.calendar)
        yield from occurrences_of_deadlines(view, found, now)


def _overdue(log: IncidentLog, now: datetime) -> tuple[str, ...]:
    return tuple(_said_overdue(one) for one in log.poll(now))


def _said_overdue(event: IncidentEvent) -> str:
    match event:
        case ReportOverdue(deadline=deadline) if deadline.due is not None:
            return f"the {deadline.rule.stage} report was due {say_instant(deadline.due)}"
        case ActionOverdue(action=action):
            return f"action {action.number} of {action.owner} was to be done by {action.due}"
        case _:
            return ""


def _headline(view: IncidentView) -> dict[str, JsonValue]:
    return {
        "incident": view.id,
        "title": view.title,
        "business_date": plain(view.business_date),
        "severity": view.severity.value,
        "state": view.state.value,
    }


# -- what is shown -----------------------------------------------------------------------------


def _render_list(
    views: Sequence[IncidentView],
    papers: Sequence[Incident],
    late: Mapping[str, Sequence[str]],
    console: Console,
) -> None:
    if not views:
        say(console, "no incident is open")
    for view in views:
        lead = f"{view.id:<16} {view.state.value.upper():<12} {view.severity:<9} "
        say(console, view.title, lead=lead)
        for late_one in late[view.id]:
            say(console, f"OVERDUE: {late_one}", indent=17)
    for paper in papers:
        say(console, paper.title, lead=f"{paper.id:<16} {'(papers)':<12} ")


def _render_show(
    view: IncidentView, deadlines: Iterable[Deadline], late: Sequence[str], console: Console
) -> None:
    say(console, f"{view.id} {view.title}: {view.state.value.upper()} ({view.severity})")
    for name, members in (
        ("owners", view.owners),
        ("affected", view.affected),
        ("not affected", view.unaffected),
    ):
        if members:
            say(console, ", ".join(members), lead=f"  {name:<13}")
    for moment in view.moments:
        day = view.business_date
        say(console, say_told(moment.when, day), lead=f"  {moment.state.value:<13}")
    asked = [f"{count} {kind}" for kind, count in view.enquiries.items()]
    if asked:
        say(console, ", ".join(asked), lead=f"  {'enquiries':<13}")
    for one in deadlines:
        due = "not known yet" if one.due is None else say_instant(one.due)
        done = f", handed out (entry {one.issued.number})" if one.issued else ""
        say(console, f"{one.rule.stage} report due {due}{done} ({one.rule.source})", indent=2)
    for sentence_ in late:
        say(console, f"OVERDUE: {sentence_}", indent=2)
    say(console, "")
    told = {one.number: say_told(one.when, view.business_date) for one in view.standing}
    width = min(max(len(one) for one in told.values()), _TIME_WIDTH)
    for standing in sorted(view.standing, key=lambda one: one.number):
        lead = f"{standing.number:>4}  {told[standing.number]:<{width}} "
        _render_entry(view, standing, lead, console)


def _render_entry(view: IncidentView, one: Standing, lead: str, console: Console) -> None:
    words = " / ".join(sentence(one).split("\n")) or kind_of(one.what).replace("-", " ")
    kind = "" if one.teller == view.opened.given.teller else f" [{one.teller}]"
    struck = "WITHDRAWN: " if one.withdrawn else ""
    say(console, f"{struck}{words}{kind}", lead=lead)
    for entry in one.corrections:
        say(console, _said_correction(view, one, entry), indent=len(lead))


def _said_correction(view: IncidentView, one: Standing, entry: LogEntry) -> str:
    what, before = entry.given.what, one.entry.given
    assert isinstance(what, Correct), "a correction is one"
    said = [f"corrected by entry {entry.number}, {entry.given.by}: {what.reason}"]
    if entry.given.when is not None and before.when is not None:
        said.append(f"the time was {say_told(before.when, view.business_date)}")
    if entry.given.text:
        said.append(f"the words were: {before.text}")
    if what.count is not None or what.value is not None:
        said.append(f"it was {getattr(before.what, 'count', getattr(before.what, 'value', ''))}")
    return "; ".join(said)


def _show_papers(incident: Incident) -> Answer:
    rows = chronology_of(incident)

    def render(console: Console) -> None:
        say(console, f"{incident.id} {incident.title} (papers)")
        say(console, incident.summary, indent=2)
        for one in incident.tellers:
            say(console, f"{one.name}: {one.paper}", lead=f"  {one.id:<6}")
        say(console, "")
        for row in rows:
            say(console, f"({row.stated}) {' / '.join(row.events)}", lead=f"  {row.teller:<6}")

    return Answer(
        {
            "incident": incident.id,
            "title": incident.title,
            "business_date": plain(incident.business_date),
            "tellers": plain(incident.tellers),
            "chronology": [row_document(row) for row in rows],
            "figures": plain(incident.figures),
            "statements": plain(incident.statements),
        },
        render,
    )
