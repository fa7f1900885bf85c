"""Just enough HTTP to ask for one page and read what comes, with a limit on everything.

The standard library's client blocks and bounds each read instead of the whole, so a server that
drips a byte at a time would hold it for ever. Knows nothing of TLS or of what a page should say.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import re
from email.message import Message
from http import HTTPStatus

from attrs import frozen

from hkex_ops.errors import Rejected

__all__ = ["Page", "read_page", "request_for"]

# A login page is some kilobytes; what lies beyond this is not looked at.
BODY_LIMIT_BYTES = 1024 * 1024

USER_AGENT = "hkex-ops-basic"

# Interim answers (100 Continue and its like) before the real one.
INTERIM_LIMIT = 3

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d{2})(?: .*)?")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n")
_LENGTH = re.compile(r"\d{1,12}")


@frozen
class Page:
    """What a server gave for one request: status, where it sends us instead, the text."""

    status: int
    location: str | None
    text: str

    @property
    def is_redirection(self) -> bool:
        """Whether the server sends us elsewhere."""
        return self.location is not None and 300 <= self.status < 400


def request_for(target: str, host: str) -> bytes:
    """The request for ``target`` of the server called ``host``; the server shall hang up after."""
    lines = (
        f"GET {target} HTTP/1.1",
        f"Host: {host}",
        f"User-Agent: {USER_AGENT}",
        "Accept: text/html",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


async def read_page(reader: asyncio.StreamReader, doing: str) -> Page:
    """The answer that comes on ``reader``, its body up to `BODY_LIMIT_BYTES`.

    Raises `Rejected`, in a sentence opened by ``doing``, for what is not HTTP, and what the
    stream and the standard library's header parser raise.
    """
    for _ in range(INTERIM_LIMIT + 1):
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise Rejected(f"{doing}: this is not HTTP: {line[:60]!r}")
        if int(match[1]) >= HTTPStatus.OK:
            headers = http.client.parse_headers(io.BytesIO(rest))
            body = await _body(reader, headers, doing)
            return Page(int(match[1]), headers["Location"], _text(body, headers))
    raise Rejected(f"{doing}: it goes on announcing an answer that does not come")


async def _body(reader: asyncio.StreamReader, headers: Message, doing: str) -> bytes:
    if headers.get("Transfer-Encoding", "identity").lower() == "chunked":
        return await _chunks(reader, doing)
    length = headers.get("Content-Length")
    if length is None:
        return await _up_to(reader, BODY_LIMIT_BYTES)
    if not _LENGTH.fullmatch(length.strip()):
        raise Rejected(f"{doing}: this is not HTTP: a length that is no number")
    return await reader.readexactly(min(int(length), BODY_LIMIT_BYTES))


async def _chunks(reader: asyncio.StreamReader, doing: str) -> bytes:
    body = bytearray()
    while len(body) < BODY_LIMIT_BYTES:
        line = _CHUNK_LINE.fullmatch(await reader.readuntil(b"\r\n"))
        if line is None:
            raise Rejected(f"{doing}: this is not HTTP: a piece without a size")
        size_bytes = int(line[1], base=16)
        if not size_bytes:
            break
        body += await reader.readexactly(min(size_bytes, BODY_LIMIT_BYTES - len(body)))
        if len(body) < BODY_LIMIT_BYTES:
            await reader.readexactly(len(b"\r\n"))
    return bytes(body)


async def _up_to(reader: asyncio.StreamReader, limit_bytes: int) -> bytes:
    body = bytearray()
    while len(body) < limit_bytes and (more := await reader.read(limit_bytes - len(body))):
        body += more
    return bytes(body)


def _text(body: bytes, headers: Message) -> str:
    try:
        return body.decode(headers.get_content_charset("utf-8"), "replace")
    except LookupError:  # a character set that nobody knows
        return body.decode("utf-8", "replace")
