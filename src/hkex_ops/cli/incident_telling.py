"""``hkex-ops incident``: who was told, who asked, what it cost, and what is to be done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.incident import exact
from hkex_ops.cli.incident_options import On, Teller, When, entered, room_of
from hkex_ops.cli.options import Config, Json, parse_day
from hkex_ops.cli.working import By, Work
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import UsageError
from hkex_ops.incidents import Act, Conclude, Enquire, EnquiryKind, Measure, Tell
from hkex_ops.model import Audience, Outcome, Receipt

__all__ = ["action", "enquiry", "figure", "tell"]


def tell(
    id: str,
    party: str,
    text: str = "",
    /,
    *,
    by: By,
    audience: Annotated[
        str,
        Parameter(
            help="Who that is: exchange, regulator, participants, vendors, issuers, media, public, "
            "management, clients or desk."
        ),
    ],
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
    """Write down by hand that somebody was told: by whom, when, by which channel.

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
    when = room.when(at, on)
    moment: datetime = when.at.at or room.clock.now()
    receipt = Receipt(
        channel, party, moment, Outcome(_word(outcome, Outcome, "outcome")), reference, told_by=by
    )
    what = Tell(Audience(_word(audience, Audience, "audience")), receipt)
    return entered(room, id, room.enter(id, room.given(what, text, by, when, teller)))


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
