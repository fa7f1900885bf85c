"""``hkex-ops incident``: open an incident, note, judge, move it on, correct, close."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.incident_options import On, RightWhen, Teller, When, entered, room_of
from hkex_ops.cli.options import Config, Json, parse_day
from hkex_ops.cli.working import By, Work
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import UsageError
from hkex_ops.incidents import (
    Assess,
    BeginContingency,
    Close,
    Correct,
    IncidentState,
    Note,
    OpenIncident,
    Recover,
    Reopen,
    Resume,
    Topic,
)
from hkex_ops.model import HONG_KONG, Severity

__all__ = ["assess", "close", "correct", "exact", "note", "open_", "state"]

Affected = Annotated[
    tuple[str, ...], Parameter(name="--affected", help="A system that is affected; repeat it.")
]
Unaffected = Annotated[
    tuple[str, ...], Parameter(name="--unaffected", help="A system that is not; repeat it.")
]
Owner = Annotated[
    tuple[str, ...], Parameter(name="--owner", help="Who owns the incident; repeat it.")
]

_MOVES: dict[str, type[BeginContingency | Recover | Resume | Reopen | Close]] = {
    "contingency": BeginContingency,
    "recovered": Recover,
    "resumed": Resume,
    "closed": Close,
    "detected": Reopen,
}


def open_(
    title: str,
    text: str = "",
    /,
    *,
    by: By,
    severity: Annotated[
        str, Parameter(help="information, minor, major or critical.")
    ] = Severity.MAJOR.value,
    owner: Owner = (),
    affected: Affected = (),
    unaffected: Unaffected = (),
    id: Annotated[
        str | None, Parameter(name="--id", help="Its id; else made of its day and a number.")
    ] = None,
    business_date: Annotated[
        str | None, Parameter(help="Whose business it is; the day of --at, if left out.")
    ] = None,
    at: When = None,
    on: On = None,
    teller: Teller = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Open an incident: it was detected. It has a log of its own from now on.

    Parameters
    ----------
    title
        What happened, in a line.
    text
        How it was noticed, in a sentence.
    """
    room = room_of(config, work)
    when = room.when(at, on)
    day = when.at.at or room.clock.now()
    date = parse_day(business_date) if business_date else day.astimezone(HONG_KONG).date()
    owners = owner or room.incidents.owners
    what = OpenIncident(title, _severity(severity), date, owners, affected, unaffected)
    named, events = room.open(room.given(what, text, by, when, teller), id)
    return entered(room, named, events)


def note(
    id: str,
    text: str,
    /,
    *,
    by: By,
    about: Annotated[
        str,
        Parameter(
            help="event, decision, contingency, impact, cause, remedy, review, conclusion, "
            "background, system or reference."
        ),
    ] = Topic.EVENT.value,
    at: When = None,
    on: On = None,
    teller: Teller = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Write down what happened or is known, of now or of before, by whoever tells it.

    Events and decisions are rows of the chronology; the rest is matter for a section of a report.

    Parameters
    ----------
    id
        The incident's id, as incident list shows it.
    text
        The words. Several lines are several points.
    """
    room = room_of(config, work)
    topics = [one.value for one in Topic]
    if about not in topics:
        raise UsageError(f"nothing is told about {about!r}; {nearest(about, topics)}")
    given = room.given(Note(Topic(about)), text, by, room.when(at, on), teller)
    return entered(room, id, room.enter(id, given))


def state(
    id: str,
    state: str,
    text: str = "",
    /,
    *,
    by: By,
    at: When = None,
    on: On = None,
    teller: Teller = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Say that an incident has come to another state, and when.

    Each is a moment of its own: contingency, the arrangement is in use; recovered, it works again;
    resumed, the service is given as usual. detected opens a closed one again.

    Parameters
    ----------
    id
        The incident's id.
    state
        contingency, recovered, resumed, closed or detected.
    text
        How it came about, in a sentence.
    """
    room = room_of(config, work)
    if state not in _MOVES:
        raise UsageError(f"there is no state {state!r}; {nearest(state, list(_MOVES))}")
    given = room.given(_MOVES[state](), text, by, room.when(at, on), teller)
    return entered(room, id, room.enter(id, given))


def close(
    id: str,
    text: str = "",
    /,
    *,
    by: By,
    at: When = None,
    on: On = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Close an incident: nothing more is expected to happen.

    Notes, corrections, actions and reports are entered afterwards as well.

    Parameters
    ----------
    id
        The incident's id.
    text
        Why, in a sentence.
    """
    return state(
        id, IncidentState.CLOSED.value, text, by=by, at=at, on=on, work=work, config=config
    )


def assess(
    id: str,
    text: str = "",
    /,
    *,
    by: By,
    severity: Annotated[
        str | None, Parameter(help="information, minor, major or critical.")
    ] = None,
    owner: Owner = (),
    affected: Affected = (),
    unaffected: Unaffected = (),
    at: When = None,
    on: On = None,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Judge an incident otherwise than before: severity, owners, systems. What is left out stays.

    Parameters
    ----------
    id
        The incident's id.
    text
        Why, in a sentence.
    """
    room = room_of(config, work)
    what = Assess(
        None if severity is None else _severity(severity),
        owner or None,
        affected or None,
        unaffected or None,
    )
    return entered(room, id, room.enter(id, room.given(what, text, by, room.when(at, on), None)))


def correct(
    id: str,
    entry: int,
    text: str = "",
    /,
    *,
    by: By,
    reason: Annotated[str, Parameter(help="Why it is corrected.")],
    at: RightWhen = None,
    on: On = None,
    count: Annotated[int | None, Parameter(help="How many enquiries it were.")] = None,
    value: Annotated[str | None, Parameter(help="What the figure is.")] = None,
    withdraw: Annotated[
        bool, Parameter(negative="", help="Nothing of the entry holds.", show_default=False)
    ] = False,
    work: Work = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Correct an entry by a later one. The old one stays, and is shown beside the new.

    What is left out stays as it was: the words, or the time.

    Parameters
    ----------
    id
        The incident's id.
    entry
        The number of the entry.
    text
        The right words.
    """
    room = room_of(config, work)
    if not withdraw and not text and at is None and count is None and value is None:
        raise UsageError("say what is right: words, --at, --count, --value or --withdraw")
    what = Correct(entry, reason, withdraw, count, None if value is None else exact(value))
    when = None if at is None and on is None else room.when(at, on)
    return entered(room, id, room.enter(id, room.given(what, text, by, when, None)))


def exact(text: str) -> Decimal:
    """The figure that a text spells, with the digits it has; `UsageError` when it spells none."""
    try:
        found = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise UsageError(f"{text!r} is no number; write it as 47220 or 20496.05") from None
    if not found.is_finite():
        raise UsageError(f"{text!r} is no number that can be told")
    return found


def _severity(text: str) -> Severity:
    words = [one.value for one in Severity]
    if text not in words:
        raise UsageError(f"there is no severity {text!r}; {nearest(text, words)}")
    return Severity(text)
