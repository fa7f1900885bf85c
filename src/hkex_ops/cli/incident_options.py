"""What the commands of incidents share: options, the store, times as a log has them, documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import Calendar
from hkex_ops.cli.answer import Answer
from hkex_ops.cli.handing import hand_over
from hkex_ops.cli.options import calendar_of, optional_settings, parse_day
from hkex_ops.cli.text import say, say_count
from hkex_ops.cli.working import now_of, work_folder
from hkex_ops.clock import Clock
from hkex_ops.config.incidents import IncidentSettings
from hkex_ops.config.settings import Settings
from hkex_ops.errors import UsageError
from hkex_ops.flows.incidents import IncidentStore
from hkex_ops.flows.incidents.speaking import occurrences_of_incident
from hkex_ops.flows.incidents.spelling import kind_of
from hkex_ops.incidents import (
    Content,
    EntryMade,
    Given,
    IncidentEvent,
    IncidentView,
    LogEntry,
    StateReached,
    TimeTold,
    parse_told,
    say_told,
)
from hkex_ops.model import HONG_KONG, JsonObject, plain

__all__ = ["On", "RightWhen", "Room", "Teller", "When", "entered", "entry_document", "room_of"]

When = Annotated[
    str | None,
    Parameter(
        name="--at",
        help="When it happened: 10:05, about 09:52, 10:15 to 10:17, 10:03 onwards, "
        "2010-01-22T10:05, unknown. Now, if left out.",
    ),
]
RightWhen = Annotated[
    str | None,
    Parameter(
        name="--at",
        help="When it really happened, written as for incident note; as it was, if left out.",
    ),
]
On = Annotated[
    str | None,
    Parameter(name="--on", help="The day of a time without a date. Today, if left out."),
]
Teller = Annotated[
    str | None,
    Parameter(
        name="--teller",
        help="Whose account it is, such as HSIL; else the configuration's, or desk.",
    ),
]


@frozen
class Room:
    """The desk's incidents, as one command meets them."""

    store: IncidentStore
    settings: Settings | None
    incidents: IncidentSettings
    calendar: Calendar
    work: Path
    clock: Clock

    def when(self, stated: str | None, on: str | None) -> TimeTold:
        """The time that the options state; now where they state none."""
        now = self.clock.now().astimezone(HONG_KONG)
        day = now.date() if on is None else parse_day(on)
        if stated is None:
            if on is not None:
                raise UsageError("--on says the day of --at: give that too")
            return TimeTold.exactly(now.replace(microsecond=0))
        try:
            return parse_told(stated, day)
        except ValueError as error:
            raise UsageError(f"--at {error}") from None

    def given(
        self, what: Content, text: str, by: str, when: TimeTold | None, teller: str | None
    ) -> Given:
        """An entry as this desk makes it."""
        return Given(what, by, when, text, teller or self.incidents.teller)

    def enter(self, id: str, given: Given) -> tuple[IncidentEvent, ...]:
        """Write one entry into the log of ``id``, and tell whoever is to be told of it."""
        with self.store.writing(id) as writer:
            events = writer.enter(given)
        self.tell(id, events)
        return events

    def open(self, given: Given, id: str | None) -> tuple[str, tuple[IncidentEvent, ...]]:
        """Open an incident, and tell whoever is to be told of it."""
        named, events = self.store.open(given, id)
        self.tell(named, events)
        return named, events

    def tell(self, id: str, events: Sequence[IncidentEvent]) -> None:
        """Hand over what ``events`` have brought about, where the configuration wants it told."""
        hand_over(
            self.settings,
            self.clock,
            lambda: occurrences_of_incident(self.store.read(id).view, events),
        )


def room_of(config: Path | None, work: Path | None) -> Room:
    """The desk's incidents, by its configuration where it has one."""
    settings = optional_settings(config)
    incidents = IncidentSettings() if settings is None else settings.incidents
    calendar = calendar_of(config)
    folder, clock = work_folder(work, settings), now_of()
    store = IncidentStore(folder, clock, rules=incidents.deadlines, calendar=calendar)
    return Room(store, settings, incidents, calendar, folder, clock)


def entry_document(entry: LogEntry) -> JsonObject:
    """An entry as it was made, for programs."""
    given = entry.given
    return {
        "entry": entry.number,
        "recorded": plain(entry.recorded),
        "kind": kind_of(given.what),
        "by": given.by,
        "teller": given.teller,
        "when": plain(given.when),
        "text": given.text,
        "what": plain(given.what),
    }


def entered(room: Room, id: str, events: Sequence[IncidentEvent]) -> Answer:
    """What a command that wrote into a log answers: the entry, and where the incident stands."""
    view = room.store.read(id).view
    entry = next(one for one in view.entries if one.number == _number(events))
    return Answer(
        {"incident": id, "state": view.state.value, **entry_document(entry)},
        lambda console: _render(view, entry, events, console),
    )


def _number(events: Sequence[IncidentEvent]) -> int:
    return next(one.entry.number for one in events if isinstance(one, EntryMade))


def _render(
    view: IncidentView, entry: LogEntry, events: Sequence[IncidentEvent], console: Console
) -> None:
    given = entry.given
    told = "" if given.when is None else f", {say_told(given.when, _day(entry))}"
    kind = kind_of(given.what).replace("-", " ")
    say(console, f"{view.id} entry {entry.number}: {kind}{told}, by {given.by}")
    reached = any(isinstance(one, StateReached) for one in events)
    if reached:
        open_actions = sum(one.ended is None for one in view.actions)
        more = f", {say_count(open_actions, 'action')} open" if open_actions else ""
        say(console, f"{view.title}: {view.state.value.upper()} ({view.severity}){more}", indent=2)


def _day(entry: LogEntry) -> date:
    at: datetime = entry.recorded
    return at.astimezone(HONG_KONG).date()
