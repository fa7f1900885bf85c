"""Messages on their way into the stream, and what the stream says to each.

All of them leave in their order before the first answer is awaited. Knows nothing of ticks and
tries nothing again. Called by :mod:`hkex_ops_nats.publisher`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from attrs import frozen
from nats.js.api import PubAck

from hkex_ops_nats.connecting import Connection

__all__ = ["Message", "send"]

# The headers that JetStream gives a meaning.
_IDENTITY = "Nats-Msg-Id"
_EXPECTED_LAST = "Nats-Expected-Last-Subject-Sequence"


@frozen
class Message:
    """What is to be stored: where, under which name the stream knows it again, and what.

    With ``expected_last`` it is stored only when that is the place of its subject's last message
    (0 for none at all).
    """

    subject: str
    identity: str
    data: bytes
    expected_last: int | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """What JetStream is to know of it."""
        headers = {_IDENTITY: self.identity}
        if self.expected_last is not None:
            headers[_EXPECTED_LAST] = str(self.expected_last)
        return headers


async def send(
    connection: Connection, messages: Sequence[Message], *, stream: str, timeout_s: int
) -> Mapping[str, PubAck | BaseException]:
    """Send ``messages``; the stream's answer to each, by identity, or why there is none."""
    # Not the library's publish_async: it loses the answers that say no. A task sends before it
    # waits for the first time, so the messages leave in the order of their tasks.
    answers = await asyncio.gather(
        *(
            connection.jetstream.publish(
                message.subject,
                message.data,
                timeout=timeout_s,
                stream=stream,
                headers=dict(message.headers),
            )
            for message in messages
        ),
        return_exceptions=True,
    )
    return {message.identity: answer for message, answer in zip(messages, answers, strict=True)}
