"""A connection that is made again when it was lost: to the next server of the operator's list.

Only servers that the options name are ever tried, in their order, and every one of them once before
it is said that none will do. A refused login or a wrong certificate is an alarm and ends the round.
Called by publisher and feed, which bound how long they go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from hkex_ops.errors import TransientError, Unreachable
from hkex_ops_nats.connecting import Connection, connect
from hkex_ops_nats.options import NatsOptions

__all__ = ["Link", "pauses"]

# Between two tries: soon enough for the next tick at first, and no storm of logins later.
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.6


def pauses() -> Iterator[float]:
    """How long to wait before each further try: twice as long every time, to a limit."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


class Link:
    """At most one connection at a time. ``prepare`` is done on each before anybody gets it."""

    def __init__(
        self, options: NatsOptions, prepare: Callable[[Connection], Awaitable[None]]
    ) -> None:
        self._options = options
        self._prepare = prepare
        self._connection: Connection | None = None
        self._next = 0
        self._lock = asyncio.Lock()

    async def connection(self) -> Connection:
        """The connection that stands, or a new one.

        Raises `Unreachable` that names every server tried, and what :func:`connect` raises.
        """
        async with self._lock:
            if self._connection is not None and not self._connection.is_lost:
                return self._connection
            await self._let_go()
            self._connection = await self._connected()
            return self._connection

    async def drop(self, connection: Connection) -> None:
        """Do without ``connection`` from now on; the next one is to the next server."""
        async with self._lock:
            if self._connection is connection:
                await self._let_go()

    async def close(self) -> None:
        """Hang up."""
        async with self._lock:
            await self._let_go()

    async def _let_go(self) -> None:
        if self._connection is not None:
            self._next += 1
            connection, self._connection = self._connection, None
            await connection.hang_up()

    async def _connected(self) -> Connection:
        servers = self._options.addresses
        failures: list[TransientError] = []
        for turn in range(len(servers)):
            server = servers[(self._next + turn) % len(servers)]
            try:
                connection = await connect(server, self._options)
                try:
                    await self._prepare(connection)
                except BaseException:
                    await connection.hang_up()
                    raise
            except TransientError as error:
                failures.append(error)
                continue
            self._next += turn
            return connection
        self._next += 1
        if len(failures) == 1:
            raise failures[0]
        causes = "; ".join(str(failure) for failure in failures)
        raise Unreachable(f"no server can be used: {causes}") from failures[-1]
