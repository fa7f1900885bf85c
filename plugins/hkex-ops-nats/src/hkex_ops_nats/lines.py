"""The line below the client library: TCP, protected by TLS, and cut when it must be.

The library's own line does three things that will not do here: it never says whether it is
protected, it waits for half a minute for a far side that takes no farewell, and it makes the event
loop complain at the end of each protected line. Knows nothing of NATS; made by
:mod:`hkex_ops_nats.connecting`.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import ParseResult

from nats.aio.client import Client
from nats.aio.transport import TcpTransport

__all__ = ["Line", "LineClient"]

# Before the far side has said that it holds no more than this: the longest line of its protocol.
_BUFFER_BYTES = 64 * 1024


class Line(TcpTransport):
    """One line. It is protected once the hands were shaken by TLS."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.is_protected = False
        self._is_cut = False

    def __bool__(self) -> bool:
        """Always: the library would put a line of its own in the place of one not yet connected."""
        return True

    async def connect_tls(
        self,
        uri: str | ParseResult,
        ssl_context: ssl.SSLContext,
        buffer_size: int,
        connect_timeout: int,
    ) -> None:
        """Protect the line: the far side must prove that it is what ``uri`` names."""
        assert self._io_writer is not None, "the line is connected first"
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(_BUFFER_BYTES)
        protocol = _Protocol(reader)
        try:
            transport = await loop.start_tls(
                self._io_writer.transport,
                protocol,
                ssl_context,
                server_hostname=uri if isinstance(uri, str) else uri.hostname,
                ssl_handshake_timeout=connect_timeout,
            )
        except BaseException:
            self.cut()
            raise
        assert transport is not None, "a handshake that fails raises"
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        self._io_reader, self._io_writer = reader, writer
        self.is_protected = True

    async def wait_closed(self) -> None:
        """Wait until it is closed; nobody would tell that of one that was cut."""
        if not self._is_cut:
            await super().wait_closed()  # type: ignore[no-untyped-call]

    def cut(self) -> None:
        """Be rid of it at once."""
        self._is_cut = True
        if self._io_writer is not None:
            # Before Python 3.11.3 what is closed already cannot be aborted under TLS.
            with suppress(AttributeError):
                self._io_writer.transport.abort()


class LineClient(Client):
    """The library's client on a line of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.line = Line()
        self._transport = self.line


class _Protocol(asyncio.StreamReaderProtocol):
    """A protected line is not left half open, which the event loop would have to tell us."""

    def eof_received(self) -> bool:
        super().eof_received()
        return False
