"""A gateway of the clearing house as a stand-in of a rehearsal: opened, looked at, taken down."""

from __future__ import annotations

import asyncio

from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_simulator.oapi.gateways import Exchange, Gateway

__all__ = ["GatewayListener"]


class GatewayListener:
    """What :class:`~hkex_ops_simulator.listeners.Listener` is, with a gateway behind it."""

    def __init__(self, exchange: Exchange, host: str, site: SiteRole) -> None:
        self.gateway: Gateway = Gateway(exchange, host, site, host)

    @property
    def host(self) -> str:
        """The address at which it listens."""
        return self.gateway.host

    @property
    def port(self) -> int:
        """The port, once it was opened."""
        return self.gateway.port

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once it was opened."""
        return self.gateway.endpoint

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        return self.gateway.is_open

    @property
    def visits(self) -> int:
        """How many connections it has taken."""
        return self.gateway.visits

    async def open(self) -> None:
        """Take connections. `ConfigError` where the machine cannot listen there."""
        self.gateway.open()

    async def close(self) -> None:
        """Refuse connections and cut those that stand, as a machine that goes down does."""
        await asyncio.to_thread(self.gateway.close)
