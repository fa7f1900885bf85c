"""A conversation on a channel of the SSH library, watched for silence.

Whatever one look at the line brings about is written as one piece: the library puts every piece
into packets of its own and hands each to the operating system. The shortest round trip is
remembered: it says how far the server is. Called by :mod:`hkex_ops_sftp.connecting`.
"""

from __future__ import annotations

import asyncio
import math
from typing import Protocol, cast

import asyncssh

from hkex_ops_sftp.conversation import Conversation
from hkex_ops_sftp.watching import SilenceWatch
from hkex_ops_sftp.wire import Broken

__all__ = ["SftpChannel"]

# Room for what may be on its way: a far line is kept full, and nothing comes that was not asked.
WINDOW_BYTES = 32 * 1024 * 1024

# A part of an answer counts as a sign of life once it is so large; a whole answer always does.
SIGN_OF_LIFE_BYTES = 16 * 1024


class _Channel(Protocol):
    """What is used of the library's channel, whose own types leave the data open."""

    def write(self, data: bytes) -> None: ...

    def write_eof(self) -> None: ...

    def close(self) -> None: ...

    async def wait_closed(self) -> None: ...


class SftpChannel(asyncssh.SSHClientSession[bytes]):
    """One SFTP session of a connection."""

    def __init__(self) -> None:
        self.conversation = Conversation()
        self.failure: Exception | None = None
        self.watch: SilenceWatch | None = None
        self._channel: _Channel | None = None
        self.round_trip_s = math.inf
        self._bell = asyncio.Event()
        self._answers: int = 0
        self._bytes: int = 0
        self._asked_s: float | None = None
        self._is_flush_due = False

    @classmethod
    async def open(cls, connection: asyncssh.SSHClientConnection) -> SftpChannel:
        """Open the subsystem and exchange greetings. Raises the library's errors."""
        session = cls()
        await connection.create_session(  # pyright: ignore[reportUnknownMemberType]
            lambda: session, subsystem="sftp", encoding=None, window=WINDOW_BYTES
        )
        session.flush()
        while not session.conversation.is_open:
            await session._bell.wait()
            session._bell.clear()
            if session.failure is not None:
                raise session.failure
        return session

    def flush(self) -> None:
        """Write what is to be written."""
        data = self.conversation.take_output()
        if data and self._channel is not None and self.failure is None:
            self._channel.write(data)
            if self._asked_s is None:
                self._asked_s = asyncio.get_running_loop().time()

    def _flush_soon(self) -> None:
        """Write once all that has come in this turn of the loop has been looked at."""
        if not self._is_flush_due:
            self._is_flush_due = True
            asyncio.get_running_loop().call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._is_flush_due = False
        self.flush()

    def ring(self, bell: asyncio.Event) -> None:
        """Set ``bell`` whenever something has come, or the session has ended."""
        self._bell = bell
        bell.set()

    async def closed(self) -> None:
        """Say good-bye and wait until the channel is closed."""
        if self._channel is not None:
            self._channel.write_eof()
            self._channel.close()
            await self._channel.wait_closed()

    # -- what the library calls --------------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel stands."""
        self._channel = cast("_Channel", chan)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Bytes came; those of stderr are words for a person, and nobody reads them."""
        if datatype is not None or self.failure is not None:
            return
        try:
            self.conversation.receive(data)
        except Broken as error:
            self._fail(asyncssh.SFTPBadMessage(str(error)))
            return
        self._bytes += len(data)
        if self._bytes >= SIGN_OF_LIFE_BYTES or self.conversation.answers != self._answers:
            self._show_life()
        if self._asked_s is not None:
            took_s = asyncio.get_running_loop().time() - self._asked_s
            self.round_trip_s, self._asked_s = min(self.round_trip_s, took_s), None
        self._flush_soon()
        self._bell.set()

    def eof_received(self) -> bool:
        """The server says nothing more."""
        self._fail(asyncssh.SFTPConnectionLost("the server ended the session"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is gone."""
        self._fail(exc or asyncssh.SFTPConnectionLost("the connection was lost"))

    def _fail(self, failure: Exception) -> None:
        if self.failure is None:
            self.failure = failure
        self._bell.set()

    def _show_life(self) -> None:
        if self.watch is not None:
            self._answers, self._bytes = self.conversation.answers, 0
            self.watch.answered()
