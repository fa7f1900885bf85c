"""A retransmission server for the tests, which keeps the rules of the service and nothing else.

Written from the facts of the specification's section 4.2 with `struct` alone, so that a fault of
the codec does not hide one of the client.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress

HEADER = struct.Struct("<HBBIQ")
LOGON, LOGON_RESPONSE, REQUEST, RESPONSE = 101, 102, 201, 202
ACTIVE, INVALID_USER, ALREADY_CONNECTED = 0, 5, 100
ACCEPTED, UNKNOWN_CHANNEL, NOT_AVAILABLE, TOO_LARGE, DAILY_LIMIT = 0, 1, 2, 100, 101

# Sequence numbers and send times of the session's own packets are 0.
HEARTBEAT = HEADER.pack(16, 0, 0, 0, 0)


def packet_of(body: bytes) -> bytes:
    """One message of the session as a packet."""
    return HEADER.pack(HEADER.size + len(body), 1, 0, 0, 0) + body


class RetransmissionServer:
    """Rules: 10,000 a request, 50,000 kept, 1,000 requests a day; logon and echo in 5 s.

    ``per_packet`` is how many messages it packs together. ``rude`` makes it hang up in the midst
    of every answer, ``mute`` take requests and answer nothing.
    """

    def __init__(self, *users: str) -> None:
        self.users = set(users)
        self.most_messages = 10_000
        self.kept_messages = 50_000
        self.requests_a_day = 1_000
        self.logon_s = 5.0
        self.heartbeat_s = 30.0
        self.echo_s = 5.0
        self.per_packet = 40
        self.rude = False
        self.mute = False
        self.garbled = b""
        self.kept: dict[int, dict[int, bytes]] = {}
        self.requests: list[tuple[int, int, int]] = []
        self.log: list[str] = []
        self.connected: set[str] = set()
        self.most_connected = 0
        self.connections = 0
        self.port = 0
        self.host = "127.0.0.1"
        self._server: asyncio.Server | None = None
        self._calls: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections, cut those that stand."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            calls = dict(self._calls)
            for writer in calls.values():
                writer.transport.abort()
            await asyncio.gather(*calls)

    def keep(self, channel: int, numbered_messages: list[tuple[int, bytes]]) -> None:
        """Keep messages, the last 50,000 of a channel."""
        kept = self.kept.setdefault(channel, {})
        kept.update(numbered_messages)
        for number in sorted(kept)[: -self.kept_messages]:
            del kept[number]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio runs a call as a task"
        self._calls[task] = writer
        self.connections += 1
        user = ""
        try:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                user = await self._log_on(reader, writer)
                await self._answer(reader, writer)
        finally:
            self.connected.discard(user)
            del self._calls[task]
            writer.transport.abort()

    async def _log_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        async with asyncio.timeout(self.logon_s):
            packet = await self._packet(reader)
        assert LOGON == int.from_bytes(packet[18:20], "little"), "something else than a logon"
        assert 32 == len(packet)
        user = packet[20:32].rstrip(b"\0").decode()
        status = ACTIVE
        if user not in self.users:
            status = INVALID_USER
        elif user in self.connected:
            status = ALREADY_CONNECTED
        writer.write(packet_of(struct.pack("<HHB3s", 8, LOGON_RESPONSE, status, b"   ")))
        await writer.drain()
        self.log.append(f"logon {user}: {status}")
        if status != ACTIVE:
            raise ConnectionAbortedError("refused")
        self.connected.add(user)
        self.most_connected = max(self.most_connected, len(self.connected))
        return user

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(self.heartbeat_s):
                    packet = await self._packet(reader)
            except TimeoutError:
                writer.write(HEARTBEAT)
                self.log.append("heartbeat")
                async with asyncio.timeout(self.echo_s):
                    echo = await self._packet(reader)
                if echo == HEARTBEAT:
                    self.log.append("echo")
                    continue
                packet = echo
            size, kind, channel, _, begin, end = struct.unpack_from("<HHH2sII", packet, 16)
            assert (16, REQUEST) == (size, kind), "something else than a request"
            self.requests.append((channel, begin, end))
            if not self.mute:
                await self._send_again(writer, channel, begin, end)

    async def _send_again(
        self, writer: asyncio.StreamWriter, channel: int, begin: int, end: int
    ) -> None:
        status = self._status(channel, begin, end)
        body = struct.pack("<HHHBcII", 16, RESPONSE, channel, status, b" ", begin, end)
        writer.write(packet_of(body))
        if status == DAILY_LIMIT:
            raise ConnectionAbortedError("the day's requests are used up")
        if status != ACCEPTED:
            return
        if self.garbled:
            writer.write(self.garbled)
        kept = self.kept[channel]
        for first in range(begin, end + 1, self.per_packet):
            numbers = range(first, min(first + self.per_packet, end + 1))
            messages = b"".join(kept[number] for number in numbers)
            size = HEADER.size + len(messages)
            writer.write(HEADER.pack(size, len(numbers), 0, first, 7) + messages)
            await writer.drain()
            if self.rude:
                raise ConnectionAbortedError("rude")

    def _status(self, channel: int, begin: int, end: int) -> int:
        if len(self.requests) > self.requests_a_day:
            return DAILY_LIMIT
        if channel not in self.kept:
            return UNKNOWN_CHANNEL
        if end - begin >= self.most_messages:
            return TOO_LARGE
        kept = self.kept[channel]
        return ACCEPTED if begin in kept and end in kept else NOT_AVAILABLE

    async def _packet(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readexactly(2)
        return head + await reader.readexactly(int.from_bytes(head, "little") - 2)
