"""``hkex-ops contacts``: the designated persons, and whether they can be reached in a window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import Calendar
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.options import Config, Json, optional_settings, parse_instant, system_clock
from hkex_ops.cli.papers import known_papers
from hkex_ops.cli.text import say, say_count, say_instant
from hkex_ops.config.contacts import load_contacts
from hkex_ops.config.settings import Settings
from hkex_ops.config.shipped import rollout_named
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.incidents.contacts import (
    ContactFinding,
    Contacts,
    Person,
    check_contacts,
    reachable_in,
)
from hkex_ops.model import HONG_KONG, JsonObject, Rollout, Session, plain

__all__ = ["check", "findings_before", "say_finding"]

File = Annotated[
    Path | None,
    Parameter(name="--file", help="The file of designated persons; else the configuration's."),
]


def check(
    *,
    session: Annotated[
        str | None, Parameter(help="A session, written ROLLOUT/SESSION; its window is checked.")
    ] = None,
    from_: Annotated[
        str | None, Parameter(name="--from", help="The start of a window; now, if left out.")
    ] = None,
    to: Annotated[
        str | None, Parameter(name="--to", help="Its end; a day after its start, if left out.")
    ] = None,
    lead_minutes: Annotated[
        int, Parameter(help="How long before the window people must be there too.")
    ] = 0,
    file: File = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Say whether the designated persons can be reached throughout a window, role by role.

    Exits 1 when in some stretch too few of a wanted role can be, when a number or an address is
    missing, when one was not confirmed lately, and when the file has faults: all of them are told.
    """
    path = _file(file, config)
    try:
        contacts = load_contacts(path)
    except ConfigError as error:
        # Without a document the file could not even be read.
        if not error.document:
            raise
        return _faulty(path, error.faults)
    papers, calendar = known_papers(config)
    if session is not None:
        if from_ or to:
            raise UsageError("a session has its own window: leave --from and --to out")
        start, until = _window(_session(session, papers.rollouts), session)
    else:
        start = system_clock().now() if from_ is None else parse_instant(from_, "--from")
        until = start + timedelta(days=1) if to is None else parse_instant(to, "--to")
    if until <= start:
        raise UsageError(f"the window ends at {until.isoformat()}, which is not after its start")
    if lead_minutes < 0:
        raise UsageError("--lead-minutes reaches before the window: it is not negative")
    start -= timedelta(minutes=lead_minutes)
    found = check_contacts(contacts, start, until, calendar)
    spans = {one.id: reachable_in(one, start, until, calendar) for one in contacts.persons}
    return Answer(
        {
            "from": plain(start),
            "to": plain(until),
            "persons": [
                {
                    "id": one.id,
                    "name": one.name,
                    "roles": list(one.roles),
                    "phone": one.phone,
                    "email": one.email,
                    "confirmed": plain(one.confirmed),
                    "reachable": [
                        {"from": plain(begins), "to": plain(ends)} for begins, ends in spans[one.id]
                    ],
                }
                for one in contacts.persons
            ],
            "findings": [plain(one) for one in found],
            "faults": [],
        },
        lambda console: _render(contacts, spans, found, (start, until), console),
        ExitCode.FINDINGS if found else ExitCode.DONE,
    )


def findings_before(
    settings: Settings | None, session: Session, calendar: Calendar
) -> tuple[ContactFinding, ...]:
    """What is to be mended before a session, where the configuration names designated persons.

    Nothing for a session of which the paper does not say when it is held.
    """
    start, until = session.window.start.at, session.window.until.at
    if settings is None or settings.incidents.contacts is None or start is None or until is None:
        return ()
    return check_contacts(load_contacts(settings.incidents.contacts), start, until, calendar)


def say_finding(finding: ContactFinding) -> str:
    """A finding in a sentence, with its stretch where it is of one."""
    span = ""
    if finding.start is not None and finding.until is not None:
        begins, ends = (at.astimezone(HONG_KONG) for at in (finding.start, finding.until))
        span = f"{say_instant(begins)} to {say_instant(ends)}: "
    return f"{finding.who}: {span}{finding.message}"


def _faulty(path: Path, faults: Sequence[Fault]) -> Answer:
    def render(console: Console) -> None:
        say(console, f"{path} has {say_count(len(faults), 'fault')}")
        for fault in faults:
            say(console, fault.message, lead=f"  {fault.path}: " if fault.path else "  ")

    document: JsonObject = {
        "from": None,
        "to": None,
        "persons": [],
        "findings": [],
        "faults": [plain(one) for one in faults],
    }
    return Answer(document, render, ExitCode.FINDINGS)


def _file(file: Path | None, config: Path | None) -> Path:
    if file is not None:
        return file
    settings = optional_settings(config)
    if settings is None or settings.incidents.contacts is None:
        raise ConfigError(
            "no file of designated persons is named: give --file, or contacts in [incidents]"
        )
    return settings.incidents.contacts


def _session(named: str, rollouts: Mapping[str, Rollout]) -> Session:
    id, slash, name = named.partition("/")
    if not slash or not name:
        raise UsageError(f"{named!r} names no session: write it as rrs-2023/session-1")
    rollout = rollout_named(id, rollouts)
    sessions = {one.id: one for one in rollout.sessions}
    if name not in sessions:
        raise UsageError(f"{id} has no session {name!r}; {nearest(name, list(sessions))}")
    return sessions[name]


def _window(session: Session, named: str) -> tuple[datetime, datetime]:
    start, until = session.window.start.at, session.window.until.at
    if start is None or until is None:
        raise UsageError(f"the paper does not say when {named} is held: give --from and --to")
    return start, until


def _render(
    contacts: Contacts,
    spans: Mapping[str, Sequence[tuple[datetime, datetime]]],
    found: Sequence[ContactFinding],
    window: tuple[datetime, datetime],
    console: Console,
) -> None:
    start, until = (at.astimezone(HONG_KONG) for at in window)
    say(console, f"{say_instant(start)} to {say_instant(until)}")
    for one in contacts.persons:
        _render_person(one, spans[one.id], console)
    for finding in found:
        say(console, say_finding(finding), lead="! ")
    if found:
        say(console, say_count(len(found), "finding"))
    else:
        say(console, f"{say_count(len(contacts.wanted), 'role')} can be reached throughout")


def _render_person(
    one: Person, spans: Sequence[tuple[datetime, datetime]], console: Console
) -> None:
    hours = ", ".join(
        f"{begins.astimezone(HONG_KONG):%a %H:%M}-{ends.astimezone(HONG_KONG):%H:%M}"
        for begins, ends in spans
    )
    ways = ", ".join(way for way in (one.phone, one.email) if way)
    lead = f"  {one.name}: "
    say(console, f"{hours or 'not reachable'}; {', '.join(one.roles)}; {ways}", lead=lead)
