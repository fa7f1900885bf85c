"""Messages asked for in batches: as many as are wanted, none that nobody is ready for.

The server sends what it was asked for and a heartbeat while it has nothing, so that silence means a
lost line and a slow reader costs nobody anything. A message that did not come, though later ones
did, is noticed. Knows nothing of ticks, of starts and of remembering; called by
:mod:`hkex_ops_nats.feed`.
"""

from __future__ import annotations

import asyncio
import json

from attrs import frozen
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from hkex_ops.errors import Busy, Rejected, RemoteError, Unreachable
from hkex_ops_nats.connecting import Connection
from hkex_ops_nats.translation import printable

__all__ = ["Heard", "Pull"]

HEARTBEAT_S = 2

# Two heartbeats and some patience.
SILENCE_S = 5

# How long one question stands; another is asked after it.
QUESTION_S = 20

_NEXT = "$JS.API.CONSUMER.MSG.NEXT"
_NANOSECONDS = 1_000_000_000

_HEARTBEAT = "100"
_EXPIRED = "408"

# The consumer is gone or being moved, or nobody is in charge of it: another is asked for.
_NOT_NOW = frozenset({"404", "409", "503"})


@frozen
class Heard:
    """A message of the stream: its place, how many more are there, what it says.

    ``done`` is where the server is told that a reader who is remembered has done with it.
    """

    sequence: int
    pending: int
    data: bytes
    done: str


class Pull:
    """Asks ``consumer`` for messages. With ``in_order`` every one of them must come, once."""

    def __init__(
        self, connection: Connection, stream: str, consumer: str, *, batch: int, in_order: bool
    ) -> None:
        self.connection = connection
        self.consumer = consumer
        self._question = f"{_NEXT}.{stream}.{consumer}"
        self._batch = batch
        self._in_order = in_order
        self._received = 0
        self._coming = 0
        self._queue: asyncio.Queue[Msg] = asyncio.Queue()
        self._inbox: Subscription | None = None

    async def next(self) -> Heard:
        """The next message, however long it takes. Raises `TransientError` when the line fails."""
        while True:
            if not self._coming:
                await self.connection.during(self._ask(), "asking for ticks")
            message = await self._message()
            status = (message.headers or {}).get("Status")
            if status is None:
                self._coming -= 1
                return self._heard(message)
            if status == _HEARTBEAT:
                continue
            self._coming = 0
            if status != _EXPIRED:
                raise self._refusal(status, message)

    def left_over(self) -> list[Heard]:
        """What has come and was not handed out."""
        messages = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        return [self._heard(one) for one in messages if "Status" not in (one.headers or {})]

    async def _ask(self) -> None:
        client = self.connection.client
        if self._inbox is None:
            inbox = client.new_inbox()
            subscribing = client.subscribe(inbox, cb=self._queue.put)  # pyright: ignore[reportUnknownMemberType]
            self._inbox = await subscribing
        question = {
            "batch": self._batch,
            "expires": QUESTION_S * _NANOSECONDS,
            "idle_heartbeat": HEARTBEAT_S * _NANOSECONDS,
        }
        await client.publish(
            self._question, json.dumps(question).encode(), reply=self._inbox.subject
        )
        self._coming = self._batch

    async def _message(self) -> Msg:
        try:
            return self._queue.get_nowait()
        except asyncio.QueueEmpty:
            waiting = asyncio.wait_for(self._queue.get(), SILENCE_S)
            return await self.connection.during(waiting, "listening")

    def _refusal(self, status: str, message: Msg) -> RemoteError:
        kind = Busy if status in _NOT_NOW else Rejected
        words = printable((message.headers or {}).get("Description", ""))
        return kind(f"listening on {self.connection.server}: {words} (status {status})")

    def _heard(self, message: Msg) -> Heard:
        place = message.metadata.sequence
        self._received += 1
        if self._in_order and place.consumer != self._received:
            raise Unreachable(
                f"listening on {self.connection.server}: message {self._received} did not come"
            )
        return Heard(place.stream, message.metadata.num_pending, message.data, message.reply)
