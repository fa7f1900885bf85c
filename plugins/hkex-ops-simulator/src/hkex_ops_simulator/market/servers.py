"""A retransmission server on loopback: sockets and deadlines around what a call says.

Everything it knows of the service is :mod:`~hkex_ops_simulator.market.retransmission`'s.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic_ns

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint
from hkex_ops_simulator.doors import listening_socket
from hkex_ops_simulator.market.retransmission import Call, Desk

__all__ = ["RetransmissionServer"]

PIECE_BYTES = 64 * 1024

# How often a silent client's deadlines are looked at.
_LOOKS_EVERY_S = 0.1


class RetransmissionServer:
    """A server at ``host``, open or closed; it keeps the port of its first opening.

    ``calls`` counts the connections it has taken.
    """

    def __init__(self, host: str, desk: Desk) -> None:
        self.host = host
        self.port = 0
        self.calls = 0
        self._desk = desk
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once it was opened."""
        return Endpoint(self.host, self.port)

    async def open(self) -> None:
        """Take connections. `ConfigError` where the machine cannot listen there."""
        if self._server is not None:
            return
        try:
            listening = listening_socket(self.host, self.port)
        except OSError as error:
            raise ConfigError(
                f"port {self.port} of {self.host} is in use on this machine: end what took it"
            ) from error
        self.port = listening.getsockname()[1]
        # Nothing else runs before the server is known: whoever is cancelled now can close it.
        self._server = await asyncio.start_server(self._called, sock=listening, start_serving=False)
        await self._server.start_serving()

    async def close(self) -> None:
        """Refuse connections and cut those that stand, as a machine that goes down does."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        clients = dict(self._clients)
        for writer in clients.values():
            writer.transport.abort()
        await asyncio.gather(*clients)

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs a call as a task"
        self._clients[task] = writer
        self.calls += 1
        call = Call(self._desk, monotonic_ns())
        try:
            with suppress(OSError):
                await self._talk(call, reader, writer)
        finally:
            call.hang_up()
            del self._clients[task]
            writer.close()

    async def _talk(
        self, call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while not call.over:
            try:
                async with asyncio.timeout(_LOOKS_EVERY_S):
                    data = await reader.read(PIECE_BYTES)
            except TimeoutError:
                said = call.poll(monotonic_ns())
            else:
                if not data:
                    return
                said = call.handle(data, monotonic_ns())
            for packet in said:
                writer.write(packet)
                await writer.drain()
