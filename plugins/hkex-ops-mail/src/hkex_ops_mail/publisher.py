"""The values of a moment as one mail, to each recipient once.

A recipient who has a letter is not sent it again, however often the same is to be published; those
who could not be reached are. When a server was lost just as it should have
answered, nobody knows whether it took the mail: it is sent again, and its Message-ID says that it
is the same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from hkex_ops.clock import Clock, SystemClock
from hkex_ops.errors import Busy, Rejected, RemoteError
from hkex_ops.model import IndexTick
from hkex_ops_mail.delivered import LETTERS_REMEMBERED, Delivered
from hkex_ops_mail.letters import letter_for, letter_identity
from hkex_ops_mail.options import MailPublisherOptions
from hkex_ops_mail.sending import RecipientResult, send

__all__ = ["MailPublisher", "MailReceipt"]

# How many recipients the sentence of a failure names.
RECIPIENTS_NAMED = 5


@frozen
class MailReceipt:
    """What became of one letter: its Message-ID, when it was handed over, each recipient's
    result."""

    message_id: str
    at: datetime
    results: tuple[RecipientResult, ...]


class MailPublisher:
    """The port ``IndexPublisher`` by mail. Ticks of kinds that are not written are passed over.

    ``receipts`` are the last ones, oldest first.
    """

    def __init__(
        self, options: MailPublisherOptions, delivered: Delivered, clock: Clock | None = None
    ) -> None:
        self._options = options
        self._delivered = delivered
        self._clock = SystemClock() if clock is None else clock
        self._lock = asyncio.Lock()
        self.receipts: deque[MailReceipt] = deque(maxlen=LETTERS_REMEMBERED)

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Write one letter for each kind among ``ticks``; see the port.

        Raises `Busy` or `Rejected` when the server does not take it for some recipient; it has
        taken it for the others then.
        """
        for kind in self._options.kinds:
            said = [tick for tick in ticks if tick.kind is kind]
            if said:
                async with self._lock:
                    await self._write(said)

    async def _write(self, ticks: Sequence[IndexTick]) -> None:
        now = self._clock.now()
        letter = letter_for(ticks, self._options, sent=now)
        message_id = letter_identity(ticks, self._options.sender)
        has_it = self._delivered.who_has(self._options, message_id)
        left = [one for one in self._options.everybody if one not in has_it]
        if not left:
            return
        results = await send(self._options, self._options.sender, left, letter.as_bytes())
        has_it.update(one.recipient for one in results if one.is_taken)
        self.receipts.append(MailReceipt(message_id, now, results))
        refused = [one for one in results if not one.is_taken]
        if refused:
            raise self._refusal(message_id, refused, taken=len(has_it))

    def _refusal(
        self, message_id: str, refused: Sequence[RecipientResult], *, taken: int
    ) -> RemoteError:
        kind = Rejected if all(one.is_for_good for one in refused) else Busy
        named = [f"{one.recipient} ({one.code} {one.reply})" for one in refused[:RECIPIENTS_NAMED]]
        more = len(refused) - len(named)
        others = f" and {more} more" if more else ""
        return kind(
            f"mail {message_id} was taken for {taken} of {len(self._options.everybody)} by mail "
            f"server {self._options.address}, and not for {', '.join(named)}{others}"
        )
