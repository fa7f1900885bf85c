"""One document posted to one address, and the server's answer, with a limit on everything.

From the moment the last byte is handed to the line the server may have the document: whoever calls
is told of that moment. Nothing is followed and nothing is tried again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping, Set as AbstractSet
from urllib.parse import SplitResult

from hkex_ops.model import Endpoint
from hkex_ops_basic.certificates import require_pinned
from hkex_ops_basic.lines import line_to
from hkex_ops_basic.pages import USER_AGENT, Page, read_page

__all__ = ["knock", "post"]

_PORTS = {"http": 80, "https": 443}


async def post(
    url: SplitResult,
    body: bytes,
    headers: Mapping[str, str],
    context: ssl.SSLContext,
    pins: AbstractSet[bytes],
    on_sent: Callable[[], None],
) -> Page:
    """Post ``body``; ``on_sent`` is called just before it goes out.

    Raises what sockets, streams and TLS raise, and `Rejected` for a wrong certificate.
    """
    address = _address(url)
    async with line_to(address) as (reader, writer):
        await _protect(url, writer, context, pins, address)
        on_sent()
        writer.write(_head(url, body, headers) + body)
        await writer.drain()
        return await read_page(reader, f"{address}, waiting for its answer")


async def knock(url: SplitResult, context: ssl.SSLContext, pins: AbstractSet[bytes]) -> Endpoint:
    """Connect and shake hands, and say nothing; the address. Raises as :func:`post` does."""
    address = _address(url)
    async with line_to(address) as (_, writer):
        await _protect(url, writer, context, pins, address)
    return address


async def _protect(
    url: SplitResult,
    writer: asyncio.StreamWriter,
    context: ssl.SSLContext,
    pins: AbstractSet[bytes],
    address: Endpoint,
) -> None:
    if url.scheme == "http":
        return
    await writer.start_tls(context, server_hostname=url.hostname)
    tls = writer.get_extra_info("ssl_object")
    assert isinstance(tls, ssl.SSLObject), "the hands were shaken"
    require_pinned(tls.getpeercert(binary_form=True) or b"", pins, address)


def _address(url: SplitResult) -> Endpoint:
    return Endpoint(url.hostname or "", url.port or _PORTS[url.scheme])


def _head(url: SplitResult, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    stated = {
        "Host": url.netloc,
        "User-Agent": USER_AGENT,
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "Accept-Encoding": "identity",
        **headers,
        "Connection": "close",
    }
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {text}" for name, text in stated.items())]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")
