"""Loopback listeners in the place of the systems that no adapter speaks to yet.

A listener takes connections. Where the paper states a URL of HTTPS it also shows a certificate and
a SYNTHETIC login page; everywhere else nothing is said on the line, and whoever writes evidence
says so. Knows no rollout: :mod:`hkex_ops_simulator.stand_ins` decides which there are.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

from hkex_ops.errors import ConfigError
from hkex_ops.model import Endpoint
from hkex_ops_simulator.doors import SETTLING_TURNS, listening_socket

__all__ = ["LOGIN_PAGE_TEXT", "Listener"]

LOGIN_PAGE_TEXT = "SYNTHETIC login page"

# A visitor who says nothing is hung up on; a probe's whole look takes less.
PATIENCE_S = 30
PIECE_BYTES = 4096


class Listener:
    """A listener at ``host``, open or closed; it keeps the port of its first opening.

    With a ``context`` it speaks TLS and gives a login page at any address of its server.
    ``visits`` counts the connections it has taken.
    """

    def __init__(self, host: str, context: ssl.SSLContext | None = None) -> None:
        self.host = host
        self.port = 0
        self.visits = 0
        self._context = context
        self._server: asyncio.Server | None = None
        self._visitors: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once it was opened."""
        return Endpoint(self.host, self.port)

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        return self._server is not None

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
        self._server = await asyncio.start_server(
            self._visited,
            sock=listening,
            ssl=self._context,
            limit=PIECE_BYTES,
            start_serving=False,
        )
        await self._server.start_serving()

    async def close(self) -> None:
        """Refuse connections and cut those that stand, as a machine that goes down does."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        cut: set[asyncio.Task[None]] = set()
        for _ in range(SETTLING_TURNS):
            for task, writer in self._visitors.items():
                # Before Python 3.11.3 what is closed already cannot be aborted under TLS.
                with suppress(AttributeError):
                    writer.transport.abort()
                cut.add(task)
            await asyncio.sleep(0)
        await asyncio.gather(*cut)

    async def _visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs a visit as a task"
        self._visitors[task] = writer
        self.visits += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                async with asyncio.timeout(PATIENCE_S):
                    if self._context is None:
                        await self._listen(reader)
                    else:
                        await self._serve(reader, writer)
        finally:
            del self._visitors[task]
            writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while await reader.read(PIECE_BYTES):
            pass

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f"<html><body>{LOGIN_PAGE_TEXT} at {self.host}: nobody can log in.</body></html>\n"
        head = (
            "HTTP/1.1 200 OK",
            "Content-Type: text/html; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Connection: close",
        )
        writer.write(("".join(f"{line}\r\n" for line in (*head, "")) + body).encode("ascii"))
        await writer.drain()
