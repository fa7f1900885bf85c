"""A mailroom that goes on: sends what is due, hears who has acknowledged, falls back, escalates.

And how what happens in it is said, to a person in a line and to a program as a document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from hkex_ops.clock import Clock
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.model import JsonObject, Receipt, plain
from hkex_ops.notifications import (
    CaseAcknowledged,
    CaseEscalated,
    CaseFellBack,
    CaseReached,
    CaseUnanswered,
    CaseUnreached,
    OccurrenceHeld,
    OccurrenceRepeated,
    OccurrenceTaken,
    OccurrenceUnrouted,
    SwitchboardEvent,
    TellingOrdered,
)

__all__ = ["Happened", "document_of", "line_of", "serve"]

Happened: TypeAlias = SwitchboardEvent | Receipt

LOOK_INTERVAL_S = 1
"""How soon what another process handed in is sent."""

HEAR_INTERVAL_S = 15
"""How often channels are asked who has acknowledged."""

_NAMES = {
    OccurrenceTaken: "occurrence-taken",
    OccurrenceRepeated: "occurrence-repeated",
    OccurrenceUnrouted: "occurrence-unrouted",
    OccurrenceHeld: "occurrence-held",
    TellingOrdered: "telling-ordered",
    CaseReached: "case-reached",
    CaseFellBack: "case-fell-back",
    CaseEscalated: "case-escalated",
    CaseAcknowledged: "case-acknowledged",
    CaseUnanswered: "case-unanswered",
    CaseUnreached: "case-unreached",
    Receipt: "receipt",
}


async def serve(
    mailroom: Mailroom, clock: Clock, until: Callable[[], bool] = lambda: False
) -> None:
    """Deliver whatever is due, again and again, until ``until`` says so."""
    heard: datetime | None = None
    while not until():
        is_ours = await mailroom.deliver()
        now = clock.now()
        if is_ours and (heard is None or (now - heard).total_seconds() >= HEAR_INTERVAL_S):
            await mailroom.hear()
            heard = now
        await asyncio.sleep(LOOK_INTERVAL_S)


def document_of(happened: Happened) -> JsonObject:
    """What happened as plain data, with its name under ``happened``."""
    fields = plain(happened)
    assert isinstance(fields, dict), "what happens has fields"
    return {"happened": _NAMES[type(happened)], **fields}


def line_of(happened: Happened) -> str:
    """What happened as one line for a person."""
    return f"{happened.at:%H:%M:%S}  {_sentence(happened)}"


def _sentence(happened: Happened) -> str:
    match happened:
        case OccurrenceTaken():
            return f"{happened.event}: {happened.key} (routes {', '.join(happened.routes)})"
        case OccurrenceRepeated():
            return f"{happened.key} was told before"
        case OccurrenceUnrouted():
            return f"{happened.event}: no route wants it now ({happened.key})"
        case OccurrenceHeld():
            return f"{happened.key} waits until {happened.until:%H:%M} ({happened.why})"
        case TellingOrdered():
            told = ", ".join(happened.to)
            return f"{happened.way}: to {told} by {happened.by}: {happened.notification.subject}"
        case Receipt():
            said = happened.reference or happened.detail
            return f"{happened.receiver} by {happened.channel}: {happened.outcome} ({said})"
        case CaseReached():
            return f"{happened.case}: {happened.to} has it"
        case CaseFellBack():
            return f"{happened.case}: nobody has it, fallback {happened.number}"
        case CaseEscalated():
            return f"{happened.case}: nobody acknowledged, escalation {happened.number}"
        case CaseAcknowledged():
            return f"{happened.case}: acknowledged by {happened.by}"
        case CaseUnanswered():
            return f"{happened.case}: NOBODY ACKNOWLEDGED"
        case CaseUnreached():
            return f"{happened.case}: NOBODY WAS REACHED"
