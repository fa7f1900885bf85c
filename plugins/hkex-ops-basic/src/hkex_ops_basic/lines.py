"""A TCP line that is always hung up, politely first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from hkex_ops.errors import UsageError
from hkex_ops.model import Connection, Endpoint, SiteRole

__all__ = ["Line", "address_at", "line_to"]

# A farewell is a courtesy with an end: a far side that does not take it is hung up on.
FAREWELL_TIMEOUT_S = 1

# The longest head of an answer that is read; a login page's is a few hundred bytes.
HEAD_LIMIT_BYTES = 64 * 1024

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def line_to(address: Endpoint) -> AsyncGenerator[Line]:
    """A line to ``address``, hung up at the end whatever happened on it."""
    reader, writer = await asyncio.open_connection(
        address.host, address.port, limit=HEAD_LIMIT_BYTES
    )
    try:
        yield reader, writer
    finally:
        # What the farewell meets no longer matters: the look is over.
        with suppress(OSError):
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                writer.close()
                await writer.wait_closed()
        # Before Python 3.11.3 what is closed already cannot be aborted under TLS.
        with suppress(AttributeError):
            writer.transport.abort()


def address_at(connection: Connection, site: SiteRole) -> Endpoint:
    """The address to connect: the stated one, and not what a name server makes of its name.

    `UsageError` when it is not at ``site``, for a probe never crosses over, or has no port.
    """
    if connection.site is not site:
        raise UsageError(
            f"{connection.host} is at the {connection.site} site and this probe looks at {site}: "
            "open one for that site"
        )
    if connection.port is None:
        raise UsageError(f"nothing says which port of {connection.host} to look at")
    return Endpoint(connection.host, connection.port)
