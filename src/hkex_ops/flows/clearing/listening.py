"""What a clearing house tells, heard until somebody has heard enough or the session ends.

The session is not made again by itself: who may be logged in where is an operator's decision, and
whoever watches is told that nobody hears any more.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import datetime

from hkex_ops.clock import Clock
from hkex_ops.flows.clearing.gateways import ConfiguredGateway
from hkex_ops.model import GatewayEvent, GatewayStatus, SiteRole

__all__ = ["listen"]


async def listen(
    configured: ConfiguredGateway,
    site: SiteRole,
    clock: Clock,
    begun: Callable[[GatewayStatus], object],
    take: Callable[[GatewayEvent, datetime], object],
    *,
    count: int | None = None,
) -> int:
    """Hand every event to ``take`` with the time it was heard; the number of them, at the end.

    ``begun`` is called once with the status of the session. Ends after ``count`` events, and
    raises `RemoteError` when the session is lost.
    """
    heard = 0
    async with configured.open(site) as gateway:
        begun(await gateway.status())
        events = gateway.events()
        try:
            async for event in events:
                heard += 1
                take(event, clock.now())
                if count is not None and heard >= count:
                    break
        finally:
            # Most iterators of adapters are generators, which hold the session until closed.
            if isinstance(events, AsyncGenerator):
                await events.aclose()
    return heard
