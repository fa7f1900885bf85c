"""``hkex-ops notify status``: per receiver what was tried, when, and the other side's own word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.notify_desk import clock_of, mailroom_of
from hkex_ops.cli.options import Config, Json
from hkex_ops.cli.text import say, say_instant
from hkex_ops.errors import UsageError
from hkex_ops.flows.notifying.standing import Told, ToldReceiver, standing
from hkex_ops.model import Json as JsonValue, JsonObject, Outcome, Receipt, plain
from hkex_ops.notifications import DeliveryState, Held

__all__ = ["answer_of", "status"]

_WORDS = {
    DeliveryState.QUEUED: "waits",
    DeliveryState.SENDING: "is being sent",
    DeliveryState.TAKEN: "has it",
    DeliveryState.REFUSED: "REFUSED",
    DeliveryState.GIVEN_UP: "GIVEN UP",
    DeliveryState.UNKNOWN: "UNKNOWN: ask, then notify told, or notify again",
}
_ABANDONED = "WAS BEING SENT by a process that is gone, and may have it: notify run settles that"


def status(
    key: Annotated[
        str | None, Parameter(help="A key, or the number of a message; else the latest.")
    ] = None,
    /,
    *,
    most: Annotated[int, Parameter(help="How many messages are shown.")] = 20,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Show what was told: per receiver what was tried, when, and their own receipt.

    Exits 1 when somebody has to ask a receiver, or to find another way to one.
    """
    if most < 1:
        raise UsageError(f"{most} messages are nothing to show: ask for at least one")
    with mailroom_of(config, as_json=json) as mailroom:
        name = None if key is None else mailroom.key_of(key)
        messages = standing(mailroom.outbox, name, most=most)
        held = [one for one in mailroom.waiting() if _holds(one, name)]
    return answer_of(messages, clock_of().now(), held=held)


def answer_of(
    messages: Sequence[Told],
    now: datetime,
    *,
    held: Sequence[Held] = (),
    remark: str = "",
    is_finding: bool = False,
) -> Answer:
    """How ``messages`` stand, as a command's answer."""
    wants = is_finding or any(one.wants_a_person for one in messages)
    return Answer(
        {
            "at": plain(now),
            "remark": remark or None,
            "wants_a_person": wants,
            "messages": [_document(one) for one in messages],
            "held": [
                {
                    "route": one.route.id,
                    "why": one.batch,
                    "until": plain(one.due),
                    "keys": [inner.key for inner in one.occurrences],
                }
                for one in held
            ],
        },
        lambda console: _render(messages, held, remark, console),
        ExitCode.FINDINGS if wants else ExitCode.DONE,
    )


def _document(told: Told) -> JsonObject:
    acknowledgements: list[JsonValue] = [
        {"at": plain(at), "by": by} for at, by in told.acknowledgements
    ]
    return {
        "number": told.number,
        "at": plain(told.at),
        "notification": plain(told.notification),
        "receivers": [
            {
                "channel": one.channel,
                "receiver": one.receiver,
                "way": one.way,
                "state": one.state.value,
                "attempts": one.attempts,
                "due": plain(one.due) if one.state is DeliveryState.QUEUED else None,
                "abandoned": one.is_abandoned,
                "wants_a_person": one.wants_a_person,
                "receipts": [plain(receipt) for receipt in one.receipts],
            }
            for one in told.receivers
        ],
        "by_hand": [plain(receipt) for receipt in told.by_hand],
        "acknowledgements": acknowledgements,
        "cases": [{"case": case, "state": state} for case, state in told.cases],
        "wants_a_person": told.wants_a_person,
    }


def _holds(held: Held, key: str | None) -> bool:
    return key is None or any(one.key == key for one in held.occurrences)


def _render(messages: Sequence[Told], held: Sequence[Held], remark: str, console: Console) -> None:
    if remark:
        say(console, remark)
    elif not messages and not held:
        say(console, "nothing was told yet")
    for told in messages:
        one = told.notification
        say(console, f"{one.subject}", lead=f"{told.number}  ")
        language = f", {one.language.value}" if one.language.value != "en" else ""
        say(
            console,
            f"{say_instant(told.at)}, to {one.audience.value}{language}, key: {one.key}",
            indent=3,
        )
        for receiver in told.receivers:
            _render_receiver(receiver, console)
        for receipt in told.by_hand:
            say(console, _by_hand(receipt, told.at), indent=3)
        for at, by in told.acknowledgements:
            say(console, f"acknowledged {_when(at, told.at)} by {by}", indent=3)
        for case, state in told.failed_cases:
            word = "NOBODY ACKNOWLEDGED" if state == "unanswered" else "NOBODY WAS REACHED"
            say(console, f"{word} ({case})", indent=3)
    for waiting in held:
        keys = ", ".join(inner.key for inner in waiting.occurrences)
        until = say_instant(waiting.due)
        say(console, f"route {waiting.route.id} waits until {until} ({waiting.batch}): {keys}")


def _render_receiver(one: ToldReceiver, console: Console) -> None:
    way = "" if one.way == "route" else f" ({one.way})"
    words = _ABANDONED if one.is_abandoned else _WORDS[one.state]
    say(console, words, indent=3, lead=f"{one.receiver} by {one.channel}{way} ")
    for receipt in one.receipts:
        said = receipt.reference or receipt.detail
        by = f", {receipt.told_by}" if receipt.told_by else ""
        say(
            console,
            f"{receipt.outcome.value}{by}: {said}",
            indent=5,
            lead=f"{receipt.at:%H:%M:%S} ",
        )
    if one.state is DeliveryState.QUEUED and one.attempts:
        say(console, f"is tried again at {one.due:%H:%M:%S}", indent=5)


def _when(at: datetime, told: datetime) -> str:
    """The time of day, and the day too where it is another one than that of the message."""
    return f"{at:%H:%M}" if at.date() == told.date() else say_instant(at)


def _by_hand(receipt: Receipt, told: datetime) -> str:
    at = _when(receipt.at, told)
    remark = f": {receipt.detail}" if receipt.detail else ""
    if receipt.outcome is Outcome.TAKEN:
        return (
            f"told by {receipt.channel} at {at} by {receipt.told_by} to {receipt.receiver}{remark}"
        )
    return (
        f"tried by {receipt.channel} at {at} by {receipt.told_by}: "
        f"{receipt.receiver} was not reached{remark}"
    )
