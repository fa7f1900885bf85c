"""Ticks out of the stream: what it kept, then what comes, and nothing lost in between.

The feed knows the place of the last tick it gave. When a line is lost it goes to the next server
and asks from there on; it gives up only when no server will do for a good while, or when the stream
no longer has what would come next. Called through the port.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from nats.errors import Error
from nats.js.api import ConsumerInfo, StreamState

from hkex_ops.errors import Rejected, TransientError, WireError
from hkex_ops.model import IndexTick, parse_tick
from hkex_ops_nats.connecting import FAREWELL_TIMEOUT_S, Connection
from hkex_ops_nats.consumers import (
    BATCH,
    durable_reader,
    nameless_reader,
    require_kept,
    start_of,
)
from hkex_ops_nats.link import Link, pauses
from hkex_ops_nats.options import NatsFeedOptions
from hkex_ops_nats.pulling import Heard, Pull
from hkex_ops_nats.streams import state_of_stream

__all__ = ["NatsFeed"]

_DONE = b"+ACK"
_AGAIN = b"-NAK"


class NatsFeed:
    """The port ``IndexFeed`` on JetStream. Made by :func:`hkex_ops_nats.opening.open_nats_feed`."""

    def __init__(self, options: NatsFeedOptions) -> None:
        self._options = options
        self._link = Link(options, self._look)
        self._opened: StreamState | None = None
        self._state: StreamState | None = None
        self._pull: Pull | None = None
        self._last: int | None = None
        self._is_over = False
        # Of a reader that is remembered: what the caller works on, and what it has done since.
        self._in_hand: Heard | None = None
        self._owed: str | None = None

    async def log_in(self) -> None:
        """Connect and take the place from which on everything will be heard."""
        await self._listen()

    async def log_out(self) -> None:
        """Tell the servers how far this reader came, and hang up."""
        pull, self._pull = self._pull, None
        if pull is not None and not pull.connection.is_lost:
            with suppress(Error, OSError, TimeoutError):
                async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                    await self._take_leave(pull)
        await self._link.close()

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        """Yield the ticks of the stream in its order; see the port.

        A tick is done when the next one is asked for. Raises `Rejected` for a message that is no
        tick (a reader that is remembered goes on after it) and when ticks may have been lost.
        """
        since = self._options.since
        while (heard := await self._next()) is not None:
            try:
                tick = parse_tick(heard.data)
            except WireError as error:
                self._done(heard)
                raise Rejected(
                    f"message {heard.sequence} of stream {self._options.stream} is no tick: "
                    f"{error}: find out who published it"
                ) from error
            if since is None or tick.at >= since:
                self._in_hand = heard
                yield tick
                self._in_hand = None
            self._done(heard)

    # -- the next message --------------------------------------------------------------------

    async def _next(self) -> Heard | None:
        """The next message, over as many lines as it takes; ``None`` at the end."""
        loop = asyncio.get_running_loop()
        patience_ends: float | None = None
        waits = pauses()
        while not self._is_over:
            try:
                heard = await (await self._listen()).next()
            except TransientError as error:
                now = loop.time()
                if patience_ends is None:
                    patience_ends = now + self._options.reconnect_timeout_s
                if now >= patience_ends:
                    limit_s = self._options.reconnect_timeout_s
                    raise type(error)(f"{error}; tried for {limit_s} s") from error
                await self._let_go()
                await asyncio.sleep(next(waits))
                continue
            patience_ends, waits = None, pauses()
            self._see_the_end(heard)
            if self._last is not None and heard.sequence <= self._last:
                self._done(heard)  # told again, because what we said of it was lost
                await self._settle()
                continue
            self._last = heard.sequence
            return heard
        await self._settle()
        return None

    async def _listen(self) -> Pull:
        """What the next message comes by."""
        if self._pull is None:
            connection = await self._link.connection()
            assert self._state is not None, "it was looked at on this connection"
            if self._opened is None:
                self._opened = self._state
            start = start_of(self._options, self._opened, self._last)
            make = durable_reader if self._options.durable else nameless_reader
            try:
                info = await connection.during(
                    make(connection, self._options, start), "beginning to listen"
                )
            except TransientError:
                await self._link.drop(connection)
                raise
            self._is_over = self._is_over or self._has_nothing(info)
            self._pull = Pull(
                connection,
                self._options.stream,
                info.name,
                batch=1 if self._options.durable else BATCH,
                in_order=not self._options.durable,
            )
        await self._settle()
        return self._pull

    async def _look(self, connection: Connection) -> None:
        """Whether the stream still has what this reader needs; done on each new connection."""
        self._state = await state_of_stream(connection, self._options)
        if not self._options.durable:
            require_kept(self._options, self._state, self._last)

    async def _let_go(self) -> None:
        pull, self._pull = self._pull, None
        if pull is not None:
            await self._link.drop(pull.connection)

    # -- the end -----------------------------------------------------------------------------

    def _has_nothing(self, info: ConsumerInfo) -> bool:
        """Whether a feed that does not follow is at its end before the first message."""
        waiting = (info.num_pending or 0) + (info.num_ack_pending or 0)
        return not self._options.follow and not waiting

    def _see_the_end(self, heard: Heard) -> None:
        """A feed that does not follow ends with what was there when it was opened."""
        if not self._options.follow:
            assert self._opened is not None, "it was opened before anything was heard"
            self._is_over = not heard.pending or heard.sequence >= self._opened.last_seq

    # -- what the servers remember -----------------------------------------------------------

    def _done(self, heard: Heard) -> None:
        if self._options.durable:
            self._owed = heard.done

    async def _settle(self) -> None:
        """Say what is done, on whatever line there is now."""
        if self._owed is not None and self._pull is not None:
            connection = self._pull.connection
            await connection.during(connection.client.publish(self._owed, _DONE), "telling")
            self._owed = None

    async def _take_leave(self, pull: Pull) -> None:
        client = pull.connection.client
        if not self._options.durable:
            await pull.connection.jetstream.delete_consumer(self._options.stream, pull.consumer)
            return
        if self._owed is not None:
            await client.publish(self._owed, _DONE)
        given_back = [self._in_hand] if self._in_hand is not None else []
        for heard in (*given_back, *pull.left_over()):
            await client.publish(heard.done, _AGAIN)
        await client.flush(FAREWELL_TIMEOUT_S)
