"""``hkex-ops incident``: who was told, who asked, what it cost, and what is to be done."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.incident import exact
from hkex_ops.cli.incident_options import (
    On,
    Room,
    Teller,
    When,
    entered,
    entry_document,
    room_of,
)
from hkex_ops.cli.options import Config, Json, parse_day
from hkex_ops.cli.text import say, say_count, say_instant
from hkex_ops.cli.working import By, Work
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.incidents import Act, Conclude, Enquire, EnquiryKind, Measure, Tell
from hkex_ops.model import Audience, Outcome, Receipt, plain
from hkex_ops.plugins import Plugins

__all__ = ["action", "enquiry", "figure", "tell"]


def tell(
    id: str,
    party: str = "",
    text: str = "",
    /,
    *,
    by: By,
    send: Annotated[
        str, Parameter(help="Tell this by the routes of the configuration; receipts are entered.")
    ] = "",
    audience: Annotated[
        str,
        Parameter(
            help="Who PARTY is: exchange, regulator, participants, vendors, issuers, media, "
            "public, management, clients or desk."
        ),
    ] = "",
    channel: Annotated[str, Parameter(help="How: phone, in person, a press release.")] = "phone",
    outcome: Annotated[
        str, Parameter(help="taken, refused, deferred (not reached) or unknown.")
    ] = Outcome.TAKEN.value,
    reference: Annotated[
        str, Parameter(help="The other side's own word for it, such as a ticket.")
    ] = "",
    at: When = None,
    on: On = None,
    teller: Teller = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Tell somebody of an incident, and write down who was told, when, by which channel, by whom.

    With PARTY it was told by hand and is written down. With --send it is told by the routes that
    name incident/told, and the receipts of all receivers are entered; who still waits is named.
    With neither, receipts that came since are taken over. Told by routes, exits 1 when somebody was
    not reached so far, or nobody knows.

    Parameters
    ----------
    id
        The incident's id.
    party
        Who was told, such as HKEX or a person.
    text
        What they were told.
    """
    room = room_of(config, work)
    if not party.strip():
        if text or audience or at or on:
            raise UsageError("what was told by hand was told to somebody: name PARTY")
        return _told(room, id, send, by, teller or room.incidents.teller)
    if send:
        raise UsageError("told by hand or sent: give PARTY or --send")
    if not audience:
        raise UsageError(f"say who {party} is, with --audience")
    when = room.when(at, on)
    moment: datetime = when.at.at or room.clock.now()
    receipt = Receipt(
        channel, party, moment, Outcome(_word(outcome, Outcome, "outcome")), reference, told_by=by
    )
    what = Tell(Audience(_word(audience, Audience, "audience")), receipt)
    return entered(room, id, room.enter(id, room.given(what, text, by, when, teller)))


def _told(room: Room, id: str, send: str, by: str, teller: str) -> Answer:
    """By the routes; the mailroom is imported only for this."""
    from hkex_ops.flows.incidents.telling import outstanding, send_told, take_over
    from hkex_ops.flows.notifying.configured import correspondence

    if room.settings is None:
        raise ConfigError("to tell by routes there must be a configuration with [notifications]")
    room.store.read(id)
    routes = correspondence(room.settings, Plugins.load(block=room.settings.plugins.block))
    if send:
        numbers = asyncio.run(
            send_told(room.store, id, send, by, routes, room.clock, teller=teller)
        )
    else:
        numbers = take_over(room.store, id, by, routes, room.clock, teller)
    entries = [one for one in room.store.read(id).entries if one.number in numbers]
    receipts = [one.given.what.receipt for one in entries if isinstance(one.given.what, Tell)]
    waiting = outstanding(id, routes, room.clock)
    well = all(one.outcome is Outcome.TAKEN for one in receipts)
    well = well and not any(one.was_tried for one in waiting)

    def render(console: Console) -> None:
        say(console, f"{id}: {say_count(len(receipts), 'receipt')} entered")
        for one in receipts:
            words = ", ".join(word for word in (one.reference, one.detail) if word)
            lead = f"  {one.outcome.value:<9} {one.channel}  {one.receiver}  "
            say(console, words, lead=lead)
        for late in waiting:
            until = f"until {say_instant(late.due)}" if late.due else ""
            words = ", ".join(word for word in (until, late.why) if word)
            say(console, words, lead=f"  waits     {late.who}  ")

    return Answer(
        {
            "incident": id,
            "entries": [entry_document(one) for one in entries],
            "waiting": [plain(one) for one in waiting],
        },
        render,
        ExitCode.DONE if well else ExitCode.FINDINGS,
    )


def enquiry(
    id: str,
    kind: str,
    text: str,
    /,
    *,
    by: By,
    count: Annotated[int, Parameter(help="How many of them.")] = 1,
    at: When = None,
    on: On = None,
    teller: Teller = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Write down enquiries that were received: of what kind, how many, about what.

    Parameters
    ----------
    id
        The incident's id.
    kind
        public, media, participants, clients, vendors, issuers, regulator or complaint.
    text
        What they asked.
    """
    room = room_of(config, work)
    what = Enquire(EnquiryKind(_word(kind, EnquiryKind, "kind of enquiries")), count)
    return entered(room, id, room.enter(id, room.given(what, text, by, room.when(at, on), teller)))


def figure(
    id: str,
    value: str,
    text: str,
    /,
    *,
    by: By,
    name: Annotated[str, Parameter(help="A short name, such as trades-cancelled.")] = "",
    unit: Annotated[str, Parameter(help="Of what, such as HKD or minutes.")] = "",
    at: When = None,
    on: On = None,
    teller: Teller = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """State a figure of the impact, exact to the digits given.

    Parameters
    ----------
    id
        The incident's id.
    value
        The figure, such as 15 or 47220.
    text
        What it counts, such as "post-MCE trades that required cancellation".
    """
    room = room_of(config, work)
    what = Measure(name or "-".join(text.lower().split()[:4]), exact(value), unit)
    return entered(room, id, room.enter(id, room.given(what, text, by, room.when(at, on), teller)))


def action(
    id: str,
    text: str = "",
    /,
    *,
    by: By,
    owner: Annotated[str, Parameter(help="Who does it; wanted with a new action.")] = "",
    due: Annotated[str | None, Parameter(help="The last day on which it is in time.")] = None,
    done: Annotated[
        int | None, Parameter(help="The number of an action that is done.", show_default=False)
    ] = None,
    dropped: Annotated[
        int | None, Parameter(help="The number of one that will not be.", show_default=False)
    ] = None,
    at: When = None,
    on: On = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Agree an action, with its owner and its day; or say that one is done, or dropped.

    Parameters
    ----------
    id
        The incident's id.
    text
        What is to be done; with --done or --dropped, what came of it.
    """
    room = room_of(config, work)
    number = done if done is not None else dropped
    if done is not None and dropped is not None:
        raise UsageError("an action is done or dropped: give one of the two")
    if number is not None:
        if owner or due:
            raise UsageError("--owner and --due belong to a new action: leave them out")
        if dropped is not None and not text:
            raise UsageError("an action is dropped for a reason: say it")
        what: Conclude | Act = Conclude(number, dropped is not None)
    else:
        if not owner:
            raise UsageError("an action has an owner: give --owner")
        what = Act(owner, parse_day(due) if due else None)
    return entered(room, id, room.enter(id, room.given(what, text, by, room.when(at, on), None)))


def _word(text: str, kind: type[Audience | Outcome | EnquiryKind], what: str) -> str:
    words = [one.value for one in kind]
    if text not in words:
        raise UsageError(f"there is no {what} {text!r}; {nearest(text, words)}")
    return text
