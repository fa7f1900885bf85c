"""Ticks into the stream: each (index, time, kind) once, whoever else publishes it too.

A message bears the tick's identity, by which the stream knows it again; so a call may be repeated,
given up and repeated, or made by engines on three machines. The call returns when the stream has
acknowledged every tick: it goes on with those that it has not, on another server if need be, until
its time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from nats.js.api import PubAck

from hkex_ops.errors import Busy, PermanentError, TimedOut, TransientError
from hkex_ops.model import IndexTick, JsonObject, format_event, format_tick, tick_identity
from hkex_ops_nats.connecting import Connection
from hkex_ops_nats.link import Link, pauses
from hkex_ops_nats.options import NatsPublisherOptions
from hkex_ops_nats.sending import Message, send
from hkex_ops_nats.stored import difference, last_of_subject, newest_of_index, ticks_at
from hkex_ops_nats.streams import require_stream
from hkex_ops_nats.subjects import event_identity, event_subject, tick_subject
from hkex_ops_nats.translation import WRONG_LAST_SEQUENCE, error_code, translated

__all__ = ["NatsPublisher"]


class NatsPublisher:
    """The ports ``IndexPublisher``, ``SupportsSnapshot`` and ``SupportsEvents`` on JetStream."""

    def __init__(self, options: NatsPublisherOptions) -> None:
        self._options = options
        self._link = Link(options, lambda connection: require_stream(connection, options))

    async def log_in(self) -> None:
        """Connect and see to the stream, once: who opens a publisher wants to know now."""
        await self._link.connection()

    async def log_out(self) -> None:
        """Hang up."""
        await self._link.close()

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Store the ticks; see the port. Where another engine was first, compare with its value."""
        there = await self._store({tick_identity(tick): self._message(tick) for tick in ticks})
        if there and self._options.compare_duplicates:
            doubles = {tick_identity(tick): tick for tick in ticks}
            await self._compare({place: doubles[identity] for identity, place in there.items()})

    async def publish_event(self, event: JsonObject) -> None:
        """Store the event; the very same one is stored once."""
        message = Message(
            event_subject(self._options.subject_prefix, event),
            event_identity(event),
            format_event(event).encode(),
        )
        await self._store({message.identity: message})

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        """Store what is newer than the newest that the stream has of its index.

        Who comes late asks the stream itself for the last of each subject.
        """
        left = {tick_identity(tick): tick for tick in ticks}
        if left:
            await self._until_done(partial(self._store_newer, left), "publishing the state")

    # -- one message -------------------------------------------------------------------------

    def _message(self, tick: IndexTick, *, expected_last: int | None = None) -> Message:
        subject = tick_subject(self._options.subject_prefix, tick)
        data = format_tick(tick).encode()
        return Message(subject, tick_identity(tick), data, expected_last)

    async def _store_newer(self, left: dict[str, IndexTick], connection: Connection) -> None:
        """Store those of ``left`` that are newer than what is there, and take out each."""
        for identity, tick in tuple(left.items()):
            message = await connection.during(
                self._newer_than_stored(connection, tick), "asking for the last tick"
            )
            if message is not None:
                await self._send({identity: message}, {}, connection)
            del left[identity]

    async def _newer_than_stored(self, connection: Connection, tick: IndexTick) -> Message | None:
        """The message that stores ``tick``, unless the stream has a newer one of its index."""
        stream, prefix = self._options.stream, self._options.subject_prefix
        newest = await newest_of_index(connection, stream, prefix, tick.index)
        if newest is not None and newest.at >= tick.at:
            return None
        last = await last_of_subject(connection, stream, tick_subject(prefix, tick))
        return self._message(tick, expected_last=0 if last is None else last.sequence)

    # -- many, until they are there ----------------------------------------------------------

    async def _store(self, messages: Mapping[str, Message]) -> dict[str, int]:
        """Store the messages; the places of those that the stream had already, by identity."""
        there: dict[str, int] = {}
        if messages:
            await self._until_done(partial(self._send, dict(messages), there), "publishing")
        return there

    async def _send(
        self, left: dict[str, Message], there: dict[str, int], connection: Connection
    ) -> None:
        """Send what is left and take out what is stored, noting what was ``there`` already."""
        answers = await connection.during(
            send(
                connection,
                tuple(left.values()),
                stream=self._options.stream,
                timeout_s=self._options.answer_timeout_s,
            ),
            "publishing",
        )
        failures: list[BaseException] = []
        for identity, answer in answers.items():
            if isinstance(answer, PubAck):
                del left[identity]
                if answer.duplicate:
                    there[identity] = answer.seq
            else:
                failures.append(answer)
        if failures:
            raise _worst(failures, f"publishing on {connection.server}")

    async def _until_done(self, step: Callable[[Connection], Awaitable[None]], doing: str) -> None:
        """Take ``step`` until it succeeds, each time on another connection, while there is time.

        What it has done already it must not do again.
        """
        limit_s = self._options.timeout_s
        failure: TransientError = TimedOut(f"{doing}: no server answered in time")
        try:
            async with asyncio.timeout(limit_s):
                for pause_s in pauses():
                    connection: Connection | None = None
                    try:
                        connection = await self._link.connection()
                        return await step(connection)
                    except TransientError as error:
                        failure = error
                    if connection is not None:
                        # A server that is cut off from the others answers, too; try the next.
                        await self._link.drop(connection)
                    await asyncio.sleep(pause_s)
        except TimeoutError:
            raise type(failure)(f"{failure}; tried for {limit_s} s") from failure

    # -- what another engine said ------------------------------------------------------------

    async def _compare(self, doubles: Mapping[int, IndexTick]) -> None:
        """Publish an event for each tick that another engine published otherwise, by its place.

        The ticks are out by now: what cannot be looked at just now is no failure of theirs.
        """
        with suppress(TransientError, TimeoutError):
            async with asyncio.timeout(self._options.answer_timeout_s):
                connection = await self._link.connection()
                stored = await connection.during(
                    ticks_at(connection, self._options.stream, doubles), "comparing"
                )
                for published, computed in zip(stored, doubles.values(), strict=True):
                    event = None if published is None else difference(published, computed)
                    if event is not None:
                        await self.publish_event(event)


def _worst(failures: Sequence[BaseException], doing: str) -> Exception:
    """The failure to tell: one that no repetition helps, if there is one."""
    ours = [
        Busy(f"{doing}: another engine was faster")
        if error_code(failure) == WRONG_LAST_SEQUENCE
        else translated(failure, doing)
        for failure in failures
    ]
    return next((one for one in ours if isinstance(one, PermanentError)), ours[0])
