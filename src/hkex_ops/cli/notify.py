"""``hkex-ops notify send``, ``run``, ``ack``, ``told``, ``again``: people told, who answer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from json import dumps
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.index_options import JsonLines
from hkex_ops.cli.notify_desk import By, Key, clock_of, delivered, mailroom_of
from hkex_ops.cli.notify_status import answer_of
from hkex_ops.cli.options import At, Config, Json, Verbose, parse_at
from hkex_ops.cli.text import printable
from hkex_ops.errors import UsageError
from hkex_ops.flows.notifying.running import Happened, document_of, line_of, serve
from hkex_ops.flows.notifying.standing import standing
from hkex_ops.model import Occurrence, Outcome, Receipt, Severity
from hkex_ops.notifications import (
    CHINESE_FACT,
    EVENT_KINDS,
    MESSAGE,
    OccurrenceHeld,
    OccurrenceRepeated,
    OccurrenceUnrouted,
    SwitchboardEvent,
)

__all__ = ["ack", "again", "run", "send", "told"]


def send(
    text: str,
    /,
    *,
    by: By,
    subject: Annotated[str, Parameter(help="The subject; else the text's first line.")] = "",
    chinese: Annotated[str, Parameter(help="The text in Chinese, for routes that have it.")] = "",
    chinese_subject: Annotated[str, Parameter(help="The subject in Chinese.")] = "",
    severity: Annotated[Severity, Parameter(help="How much hangs on it.")] = Severity.MINOR,
    event: Annotated[str, Parameter(help="Told as this event; see notify events.")] = MESSAGE,
    key: Annotated[
        str, Parameter(help="Two of one key are told once; else the text and the time.")
    ] = "",
    incident: Annotated[str, Parameter(help="The incident it belongs to.")] = "",
    wait: Annotated[
        bool, Parameter(negative="--no-wait", help="Send at once, and show what came of it.")
    ] = True,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Tell people something, by the routes of the configuration.

    It is on disk before anything is sent. Exits 1 when somebody could not be told, or when no
    route wants it.

    Parameters
    ----------
    text
        What is to be told.
    """
    now = clock_of().now()
    facts = {f"text{CHINESE_FACT}": chinese, f"subject{CHINESE_FACT}": chinese_subject}
    occurrence = _message(text, by, subject, key, severity, event, incident, now, facts)
    with mailroom_of(config, verbose=verbose, as_json=json) as mailroom:
        events = mailroom.hand_in(occurrence)
        if wait:
            delivered(mailroom)
        messages = standing(mailroom.outbox, occurrence.key)
    is_lost = any(isinstance(one, OccurrenceUnrouted) for one in events)
    return answer_of(messages, now, remark=_remark(events), is_finding=is_lost)


def run(
    *,
    config: Config = None,
    verbose: Verbose = False,
    json: JsonLines = False,
) -> ExitCode:
    """Send what is due, hear acknowledgements, fall back and escalate, until Ctrl-C.

    One process at a time delivers; a second one waits until the first has ended. With --json, a
    line for each thing that happens.
    """

    def tell(happened: Happened) -> None:
        document = document_of(happened)
        line = dumps(document, ensure_ascii=False) if json else printable(line_of(happened))
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    with (
        suppress(KeyboardInterrupt),  # how it ends, and no fault: all is on disk
        mailroom_of(config, verbose=verbose, as_json=json, observe=tell) as mailroom,
    ):
        asyncio.run(serve(mailroom, clock_of()))
    return ExitCode.DONE


def ack(key: Key, /, *, by: By, at: At = None, config: Config = None, json: Json = False) -> Answer:
    """Record that somebody has read it; nobody else is told of it then."""
    now = clock_of().now()
    instant = _past(at, now)
    with mailroom_of(config, as_json=json) as mailroom:
        events = mailroom.acknowledge(key, by, instant)
        name = mailroom.key_of(key)
        messages = standing(mailroom.outbox, name)
    ended = "" if events else "nobody was waiting for it any more"
    return answer_of(
        messages, now, remark=f"acknowledged by {by}" + (f"; {ended}" if ended else "")
    )


def told(
    key: Key,
    /,
    *,
    to: Annotated[str, Parameter(help="Whom you told: a name, or a receiver of the route.")],
    by: By,
    how: Annotated[str, Parameter(help="By what: phone, in person, fax.")] = "phone",
    at: At = None,
    remark: Annotated[str, Parameter(help="What should be known about it.")] = "",
    not_reached: Annotated[
        bool, Parameter(name="--not-reached", negative="", help="You tried, and nobody answered.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Record that you told somebody by hand, and when.

    Named as a receiver of the route, whoever was refused or unknown counts as told.
    """
    now = clock_of().now()
    outcome = Outcome.DEFERRED if not_reached else Outcome.TAKEN
    receipt = Receipt(how, to, _past(at, now), outcome, detail=remark, told_by=by)
    with mailroom_of(config, as_json=json) as mailroom:
        mailroom.told(key, receipt)
        messages = standing(mailroom.outbox, mailroom.key_of(key))
    return answer_of(messages, now)


def again(
    key: Key,
    receiver: str,
    /,
    *,
    by: By,
    config: Config = None,
    verbose: Verbose = False,
    json: Json = False,
) -> Answer:
    """Send something again to a receiver who, as a person found out, does not have it.

    Parameters
    ----------
    receiver
        The receiver, as notify status names it.
    """
    now = clock_of().now()
    with mailroom_of(config, verbose=verbose, as_json=json) as mailroom:
        mailroom.again(key, receiver, by)
        delivered(mailroom)
        messages = standing(mailroom.outbox, mailroom.key_of(key))
    return answer_of(messages, now)


def _message(
    text: str,
    by: str,
    subject: str,
    key: str,
    severity: Severity,
    event: str,
    incident: str,
    now: datetime,
    chinese: Mapping[str, str],
) -> Occurrence:
    if not text.strip() or not by.strip():
        raise UsageError("there is nothing to tell: give a text, and --by who tells it")
    if event not in EVENT_KINDS:
        raise UsageError(f"there is no event {event!r}; see hkex-ops notify events")
    first = text.strip().splitlines()[0]
    named = " ".join((key or f"{now:%Y-%m-%dT%H:%M:%S} {first}").split())[:120]
    return Occurrence(
        event,
        named,
        now,
        severity,
        {
            "subject": subject or first,
            "title": subject or first,
            "text": text,
            "by": by,
            **{name: one for name, one in chinese.items() if one},
        },
        business_date=now.date(),
        incident=incident,
    )


def _remark(events: tuple[SwitchboardEvent, ...]) -> str:
    held = [one for one in events if isinstance(one, OccurrenceHeld)]
    if held:
        return "; ".join(
            f"route {one.route} waits until {one.until:%H:%M} ({one.why})" for one in held
        )
    for one in events:
        if isinstance(one, OccurrenceRepeated):
            return f"{one.key} was told before; this is how it stands"
        if isinstance(one, OccurrenceUnrouted):
            return f"no route wants {one.event} of this severity at this hour: nobody is told"
    return ""


def _past(at: str | None, now: datetime) -> datetime:
    if at is None:
        return now
    instant = parse_at(at, clock_of())
    if instant > now:
        raise UsageError(f"--at {instant.isoformat()} has not come yet")
    return instant
