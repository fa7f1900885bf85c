"""The wire between the supervisor and its processes: lines of JSON on a socket pair.

What a process says is a few lines a second, so a text that a person can read costs nothing. The
socket's end is also the news of a death: a process whose supervisor is gone reads the end and
leaves. A line that is no object, or beyond `LONGEST_LINE_BYTES`, ends the link: both ends are of
one program, so it can only be a process that has lost its mind.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import cast

from hkex_ops.errors import WireError
from hkex_ops.model import JsonObject

__all__ = ["LONGEST_LINE_BYTES", "MOST_UNREAD_BYTES", "Link"]

LONGEST_LINE_BYTES = 4 << 20
"""The longest line either end may say: the ticks of one moment fill a hundredth."""

MOST_UNREAD_BYTES = 64 << 20
"""What may wait for an end that does not read. Beyond it the link is broken: that end hangs."""

_DUMPS = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


class Link:
    """One end. :meth:`send` never waits; :meth:`lines` ends with the other end's life."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Link:
        """The end that ``end`` is; it is closed with the link."""
        end.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=end, limit=LONGEST_LINE_BYTES)
        return cls(reader, writer)

    def send(self, line: JsonObject) -> None:
        """Say something. Raises `ConnectionError` when the other end is gone or hangs."""
        transport = self._writer.transport
        if transport.is_closing():
            raise ConnectionResetError("the other end is gone")
        if transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            transport.abort()
            raise ConnectionAbortedError("the other end does not read")
        self._writer.write(_DUMPS(line).encode() + b"\n")

    async def drain(self) -> None:
        """Wait until the other end has read enough; a dead one ends the wait."""
        try:
            await self._writer.drain()
        except ConnectionError:
            return

    async def lines(self) -> AsyncIterator[JsonObject]:
        """What the other end says, until it is gone. Raises `WireError` for what is no line."""
        while True:
            try:
                line = await self._reader.readline()
            except ConnectionError:
                return
            except ValueError:
                raise WireError("a line is too long", offset=LONGEST_LINE_BYTES) from None
            if not line.endswith(b"\n"):
                return
            yield _object(line)

    def close(self) -> None:
        """Hang up; doing so again does nothing."""
        self._writer.close()


def _object(line: bytes) -> JsonObject:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise WireError(f"a line is no JSON: {error}", offset=0) from None
    if not isinstance(value, dict):
        raise WireError("a line is no JSON object", offset=0)
    return cast("JsonObject", value)
