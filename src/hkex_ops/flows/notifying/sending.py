"""One claim sent by one opened notifier: what became of it for each receiver, whatever happens.

An adapter that raises has told nobody, by its contract, if it is an error of the other side or of
the configuration; anything else it may raise, and a receipt that does not fit, leaves everybody
unknown. Nobody is ever told twice to be on the safe side.
"""

from __future__ import annotations

import asyncio

from attrs import evolve

from hkex_ops.clock import Clock
from hkex_ops.errors import ConfigError, PermanentError, RemoteError, UsageError
from hkex_ops.flows.notifying.configured import Channel
from hkex_ops.flows.notifying.outbox import Claim
from hkex_ops.model import Outcome, Receipt
from hkex_ops.ports import Notifier, SupportsInquiry

__all__ = ["LOST_DETAIL", "inquired", "not_opened", "send"]

LOST_DETAIL = (
    "whoever was sending it ended before the answer was written down; ask the receiver, then "
    "record it: hkex-ops notify told, or hkex-ops notify again"
)

LONGEST_DETAIL_CHARACTERS = 400


async def send(claim: Claim, notifier: Notifier, clock: Clock) -> tuple[Receipt, ...]:
    """A receipt of each receiver of ``claim``, in order. Cancelled, it raises nothing else than
    that: the caller writes down that nobody knows."""
    try:
        receipts = await notifier.notify(claim.notification, claim.receivers)
    except RemoteError as error:
        return _all(claim, clock, _outcome(error), str(error))
    except (ConfigError, UsageError) as error:
        return _all(claim, clock, _outcome(error), str(error))
    # Whatever else an adapter raises breaks its contract: perhaps somebody was told.
    except Exception as error:
        detail = f"the notifier failed with {type(error).__name__}: ask the receiver"
        return _all(claim, clock, Outcome.UNKNOWN, detail)
    if tuple(one.receiver for one in receipts) != claim.receivers:
        detail = "the notifier gave receipts of others than it was given: ask the receiver"
        return _all(claim, clock, Outcome.UNKNOWN, detail)
    return tuple(evolve(one, channel=claim.channel, detail=_short(one.detail)) for one in receipts)


def not_opened(claim: Claim, clock: Clock, error: BaseException) -> tuple[Receipt, ...]:
    """Receipts of a claim whose notifier could not be opened: nobody was told."""
    return _all(claim, clock, _outcome(error), _short(str(error)))


async def inquired(claim: Claim, channel: Channel | None, clock: Clock) -> tuple[Receipt, ...]:
    """What became of a claim that somebody was sending who is gone, as far as can be found out."""
    unknown = _all(claim, clock, Outcome.UNKNOWN, LOST_DETAIL)
    if channel is None:
        return unknown
    try:
        async with asyncio.timeout(INQUIRY_TIMEOUT_S), channel.open() as notifier:
            if not isinstance(notifier, SupportsInquiry):
                return unknown
            receipts = await notifier.inquire(claim.notification, claim.receivers)
    # A channel that cannot be asked now leaves it unknown, whatever the reason.
    except Exception:
        return unknown
    if tuple(one.receiver for one in receipts) != claim.receivers:
        return unknown
    return tuple(
        evolve(one, channel=claim.channel)
        if one.outcome in (Outcome.TAKEN, Outcome.DEFERRED)
        else lost
        for one, lost in zip(receipts, unknown, strict=True)
    )


INQUIRY_TIMEOUT_S = 30


def _outcome(error: BaseException) -> Outcome:
    """Whether a failure is for good; what the operator can mend is tried again."""
    for_good = isinstance(error, PermanentError | UsageError)
    return Outcome.REFUSED if for_good else Outcome.DEFERRED


def _all(claim: Claim, clock: Clock, outcome: Outcome, detail: str) -> tuple[Receipt, ...]:
    now = clock.now()
    return tuple(
        Receipt(claim.channel, receiver, now, outcome, detail=_short(detail))
        for receiver in claim.receivers
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > LONGEST_DETAIL_CHARACTERS:
        return line[: LONGEST_DETAIL_CHARACTERS - 1] + "…"
    return line
