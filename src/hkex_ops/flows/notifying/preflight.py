"""Every route tried before the day it is needed: connected, logged in, nothing sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen

from hkex_ops.errors import HkexOpsError
from hkex_ops.flows.notifying.configured import Channel, Correspondence
from hkex_ops.notifications import Routing
from hkex_ops.ports import SupportsPreflight

__all__ = ["CheckedChannel", "RouteState", "check_channels", "receivers_of"]

CHECK_TIMEOUT_S = 60
"""How long one channel may take; its own time-outs are shorter."""


class RouteState(StrEnum):
    """What a preflight found."""

    ALIVE = "alive"
    DEAD = "dead"
    UNTRIED = "untried"  # it cannot be tried without telling somebody


@frozen
class CheckedChannel:
    """One channel, the receivers that the routing has for it, and what was found."""

    channel: str
    adapter: str
    receivers: tuple[str, ...]
    state: RouteState
    detail: str


async def check_channels(correspondence: Correspondence) -> tuple[CheckedChannel, ...]:
    """Every channel that the routing uses, tried at once."""
    wanted = receivers_of(correspondence.routing)
    checking = [
        _checked(channel, wanted.get(name, ()))
        for name, channel in sorted(correspondence.channels.items())
    ]
    return tuple(await asyncio.gather(*checking))


def receivers_of(routing: Routing) -> Mapping[str, tuple[str, ...]]:
    """Whom each channel has to reach, by any route, fallback or escalation."""
    wanted: dict[str, dict[str, None]] = {}
    for route in routing.routes:
        steps = (one.telling for one in route.escalation)
        for telling in (*route.tell, *route.fallback, *steps):
            wanted.setdefault(telling.by, {}).update(dict.fromkeys(telling.to))
    return {channel: tuple(receivers) for channel, receivers in wanted.items()}


async def _checked(channel: Channel, receivers: tuple[str, ...]) -> CheckedChannel:
    def found(state: RouteState, detail: str) -> CheckedChannel:
        return CheckedChannel(channel.name, channel.offer.name, receivers, state, detail)

    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S), channel.open() as notifier:
            if not isinstance(notifier, SupportsPreflight):
                return found(RouteState.UNTRIED, "cannot be tried without telling somebody")
            return found(RouteState.ALIVE, await notifier.check(receivers))
    except TimeoutError:
        return found(RouteState.DEAD, f"did not answer within {CHECK_TIMEOUT_S} s")
    except HkexOpsError as error:
        return found(RouteState.DEAD, " ".join(str(error).split()))
    # A plug-in's bug makes its route a dead one, and must not hide how the others are.
    except Exception as error:
        return found(RouteState.DEAD, f"the notifier failed with {type(error).__name__}")
