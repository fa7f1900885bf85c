"""Telling of an incident by the routes of the configuration, every receipt into its log.

The message goes through the mailroom like any other: routed, written down, sent, and retried there.
What became of it for each receiver is entered when it is known; what comes later (a retry, an
escalation) is taken over when somebody asks again. A receipt is entered once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import ConfigError
from hkex_ops.evidence import digest
from hkex_ops.flows.incidents.store import IncidentStore
from hkex_ops.flows.notifying.configured import Correspondence
from hkex_ops.flows.notifying.mailroom import Mailroom
from hkex_ops.flows.notifying.standing import Told, standing
from hkex_ops.incidents import Given, IncidentView, Tell, TimeTold
from hkex_ops.model import Occurrence, Outcome, Receipt
from hkex_ops.notifications import DeliveryState, OccurrenceUnrouted

__all__ = ["TOLD", "Outstanding", "outstanding", "send_told", "take_over"]

TOLD = "incident/told"
"""The event by which routes speak of what is told of an incident."""

MOST_MESSAGES = 5_000
"""Messages of the outbox that are looked through, the latest ones."""

_WAITS = (DeliveryState.QUEUED, DeliveryState.SENDING)
_PROOF = "; nobody is told: give it a route, or tell by hand and write that down"


async def send_told(
    store: IncidentStore,
    id: str,
    text: str,
    by: str,
    correspondence: Correspondence,
    clock: Clock,
    *,
    teller: str,
) -> tuple[int, ...]:
    """Tell what the routes of ``incident/told`` say; the numbers of the entries with receipts.

    Raises `ConfigError` where no route names it, and what the store raises.
    """
    view = store.read(id).view
    now = clock.now()
    key = f"{TOLD}/{id}/{now.isoformat()}/{digest(text.encode())[:12]}"
    occurrence = Occurrence(
        TOLD,
        key,
        now,
        view.severity,
        {"title": view.title, "text": text, "state": view.state.value, "by": by},
        business_date=view.business_date,
        incident=id,
    )
    with Mailroom(correspondence, clock) as mailroom:
        events = mailroom.hand_in(occurrence)
        if any(isinstance(one, OccurrenceUnrouted) for one in events):
            raise ConfigError(f"no route of notifications names {TOLD}{_PROOF}")
        await mailroom.deliver()
        return _enter(store, id, mailroom, by, teller, clock)


def take_over(
    store: IncidentStore,
    id: str,
    by: str,
    correspondence: Correspondence,
    clock: Clock,
    teller: str,
) -> tuple[int, ...]:
    """Enter the receipts that came since; the numbers of their entries."""
    with Mailroom(correspondence, clock) as mailroom:
        return _enter(store, id, mailroom, by, teller, clock)


@frozen
class Outstanding:
    """Somebody who is not told yet, and has no receipt that could be entered."""

    who: str
    due: datetime | None
    why: str
    was_tried: bool


def outstanding(id: str, correspondence: Correspondence, clock: Clock) -> tuple[Outstanding, ...]:
    """Whom the mailroom has yet to tell of the incident: not reached so far, or held till later."""
    with Mailroom(correspondence, clock) as mailroom:
        waiting = [
            Outstanding(
                f"{one.channel}  {one.receiver}",
                one.due,
                one.receipts[-1].detail if one.receipts else "",
                bool(one.receipts),
            )
            for told in standing(mailroom.outbox, most=MOST_MESSAGES)
            if told.notification.incident == id
            for one in told.receivers
            if one.state in _WAITS
        ]
        held = [
            Outstanding(f"route {one.route.id}", one.due, one.batch, was_tried=False)
            for one in mailroom.waiting()
            if any(inner.incident == id for inner in one.occurrences)
        ]
    return (*waiting, *held)


def _enter(
    store: IncidentStore, id: str, mailroom: Mailroom, by: str, teller: str, clock: Clock
) -> tuple[int, ...]:
    numbers: list[int] = []
    now = clock.now()
    with store.writing(id) as writer:
        known = _known(writer.log.view)
        for told in standing(mailroom.outbox, most=MOST_MESSAGES):
            if told.notification.incident != id:
                continue
            for receipt in _receipts(told):
                mark = _mark(told.notification.key, receipt)
                if mark in known:
                    continue
                known.add(mark)
                what = Tell(told.notification.audience, receipt, told.notification.key)
                # The other side's clock may be ahead of ours; the receipt keeps what it said.
                when = TimeTold.exactly(min(receipt.at, now))
                text = _words(told)
                writer.enter(Given(what, by, when, text, teller))
                numbers.append(writer.log.entries[-1].number)
    return tuple(numbers)


def _receipts(told: Told) -> Iterator[Receipt]:
    """Every receipt that says something final, and one for what still waits or gave up."""
    for one in told.receivers:
        last = one.receipts[-1] if one.receipts else None
        if last is not None and (
            last.outcome is not Outcome.DEFERRED or one.state is DeliveryState.GIVEN_UP
        ):
            yield last
    yield from told.by_hand


def _words(told: Told) -> str:
    """What they were told: the words that somebody wrote, or else what the message is about."""
    if told.notification.event == TOLD:
        return told.notification.body.strip().partition("\n")[0]
    return told.notification.subject


def _known(view: IncidentView) -> set[tuple[str, str, str, datetime, str]]:
    return {
        _mark(one.given.what.key, one.given.what.receipt)
        for one in view.entries
        if isinstance(one.given.what, Tell)
    }


def _mark(key: str, receipt: Receipt) -> tuple[str, str, str, datetime, str]:
    return (key, receipt.channel, receipt.receiver, receipt.at, receipt.outcome)
