"""Speaking to a run that is under way: a socket in its run folder, one line asked, lines answered.

Whoever may enter the folder may ask; nobody else can. The supervisor answers what it is asked and
goes on. A stream of what is published ends when the asker hangs up or reads too slowly. The path of
a folder may be longer than a socket's name: both ends reach it through the opened folder.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

from hkex_ops.errors import HkexOpsError, StoreError, TimedOut, Unreachable, UsageError
from hkex_ops.flows.store.disk import Folder, translating
from hkex_ops.model import JsonObject

__all__ = ["SOCKET_NAME", "Control", "ask", "listen_in"]

SOCKET_NAME = "control"

ANSWER_S = 5
"""How long an answer may take. A supervisor that is alive answers in milliseconds."""

MOST_LISTENERS = 64
"""How many may listen in at a time."""

MOST_UNREAD_BYTES = 8 << 20
"""What a listener may leave unread before it is hung up on: minutes of every index."""

LONGEST_LINE_BYTES = 4 << 20

_DUMPS = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


class Control:
    """The supervisor's end. ``answers`` are what can be asked, by name; each takes the question
    and gives a document, or raises `UsageError` for one that cannot be answered now."""

    def __init__(
        self, folder: Folder, answers: Mapping[str, Callable[[JsonObject], JsonObject]]
    ) -> None:
        self._folder = folder
        self._answers = answers
        self._server: asyncio.Server | None = None
        self._listeners: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Begin to answer. What an earlier run left in the folder is replaced."""
        path = self._folder.path / SOCKET_NAME
        with translating(path, "open the control socket"):
            with suppress(FileNotFoundError):
                os.unlink(SOCKET_NAME, dir_fd=self._folder.descriptor)
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                listening.bind(_reach(self._folder))
                os.chmod(SOCKET_NAME, 0o600, dir_fd=self._folder.descriptor)
                self._server = await asyncio.start_unix_server(self._serve, sock=listening)
            except BaseException:
                listening.close()
                raise

    def tell(self, line: str) -> None:
        """Give a line, without its end, to everybody who listens in."""
        if not self._listeners:
            return
        data = line.encode() + b"\n"
        for writer in tuple(self._listeners):
            if writer.transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
                self._hang_up(writer)
            else:
                writer.write(data)

    def close(self) -> None:
        """Answer no more, and hang up on whoever listens."""
        if self._server is not None:
            self._server.close()
            self._server = None
            with suppress(OSError):
                os.unlink(SOCKET_NAME, dir_fd=self._folder.descriptor)
        for writer in tuple(self._listeners):
            self._listeners.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                line = await reader.readline()
            asked = _object(line)
            if asked.get("ask") == "listen" and len(self._listeners) < MOST_LISTENERS:
                self._listeners.add(writer)
                # Until it hangs up; what it says meanwhile is of no interest.
                while await reader.read(4096):
                    pass
            else:
                writer.write(_DUMPS(self._answer(asked)).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass
        finally:
            self._listeners.discard(writer)
            writer.close()

    def _answer(self, asked: JsonObject) -> JsonObject:
        answer = self._answers.get(str(asked.get("ask")))
        if answer is None:
            known = ", ".join(sorted({*self._answers, "listen"}))
            return {"error": f"nobody answers to {asked.get('ask')!r}; known: {known}"}
        try:
            return {"answer": answer(asked)}
        except HkexOpsError as error:
            return {"error": str(error)}

    def _hang_up(self, writer: asyncio.StreamWriter) -> None:
        self._listeners.discard(writer)
        writer.transport.abort()


async def ask(folder: Path, question: JsonObject) -> JsonObject:
    """Ask the run in ``folder``.

    Raises `Unreachable` when none is under way there, `TimedOut` when it does not answer, and
    `UsageError` with the run's own reason when it refuses.
    """
    reader, writer = await _connect(folder)
    try:
        writer.write(_DUMPS(question).encode() + b"\n")
        async with asyncio.timeout(ANSWER_S):
            answer = _object(await reader.readline())
    except TimeoutError:
        raise TimedOut(f"the run in {folder} does not answer: see whether it hangs") from None
    except (ConnectionError, ValueError):
        raise Unreachable(f"the run in {folder} ended while it was asked") from None
    finally:
        writer.close()
    if "error" in answer:
        raise UsageError(str(answer["error"]))
    return cast("JsonObject", answer["answer"])


async def listen_in(folder: Path) -> AsyncGenerator[str]:
    """Every line that the run in ``folder`` tells, from now until it ends.

    Raises `Unreachable` when none is under way there.
    """
    reader, writer = await _connect(folder)
    try:
        writer.write(_DUMPS({"ask": "listen"}).encode() + b"\n")
        while (line := await reader.readline()).endswith(b"\n"):
            yield line.decode()
    except (ConnectionError, ValueError):
        return
    finally:
        writer.close()


async def _connect(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    nobody = f"no run is under way in {folder}: start one with hkex-ops index run"
    try:
        with Folder.open(folder) as opened:
            return await asyncio.open_unix_connection(_reach(opened), limit=LONGEST_LINE_BYTES)
    except (StoreError, OSError):
        raise Unreachable(nobody) from None


def _reach(folder: Folder) -> str:
    """A short name for the socket, good for as long as the folder is open."""
    return f"/proc/self/fd/{folder.descriptor}/{SOCKET_NAME}"


def _object(line: bytes) -> JsonObject:
    value: object = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("is no JSON object")
    return cast("JsonObject", value)
