"""A configured gateway of a clearing house, ready to be opened: for enquiries and nothing else.

Every flow of this room only asks. What it holds of a gateway therefore has no way to change
anything, whatever the adapter can do, and what the papers say about such acts at that moment is
kept as evidence beside what the enquiry gate decided.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

from attrs import field, frozen

from hkex_ops.config.settings import Settings, structure_options
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.enquiring import EnquiriesOnly
from hkex_ops.model import Connection, Endpoint, GateDecision, Rollout, SiteRole
from hkex_ops.plugins import OAPI_GATEWAYS, Plugins
from hkex_ops.ports import OapiGateway, Offer, SupportsOneGateway
from hkex_ops.rollouts import Guard, Ruling, directions
from hkex_ops.rollouts.connections import services_of

__all__ = ["ASKED_ACTS", "ConfiguredGateway", "configured_gateway", "rulings_at", "stated_gateways"]

ASKED_ACTS = ("post-trade-activity", "simulate-daily-operations")
"""The acts about which the guard is asked whenever a gateway is used."""


@frozen
class ConfiguredGateway:
    """One ``[oapi_gateways.NAME]`` table with the adapter that serves it.

    ``decided`` gathers what the enquiry gate decided in every session that was opened, however
    that ended: a message that was refused belongs into the evidence more than any other.
    """

    name: str
    service: str
    site: SiteRole
    offer: Offer[OapiGateway]
    options: object
    decided: list[GateDecision] = field(factory=list[GateDecision], eq=False)

    def open(self, site: SiteRole) -> AbstractAsyncContextManager[EnquiriesOnly]:
        """Log in at ``site``, to ask only; leaving the context logs out."""
        return self._enquiring(self.offer.open(self.options, site))

    def open_one(
        self, gateway: Endpoint, site: SiteRole
    ) -> AbstractAsyncContextManager[EnquiriesOnly]:
        """Log in at this one gateway, and at no other."""
        if not isinstance(self.options, SupportsOneGateway):
            raise UsageError(f"adapter {self.offer.name} cannot be told which gateway to use")
        return self._enquiring(self.offer.open(self.options.only(gateway), site))

    def addresses(self, site: SiteRole) -> tuple[Endpoint, ...]:
        """The gateways that are tried at ``site``, in order; none where it cannot be told."""
        if not isinstance(self.options, SupportsOneGateway):
            return ()
        return self.offer.addresses(self.options, site) or ()

    @asynccontextmanager
    async def _enquiring(
        self, opened: AbstractAsyncContextManager[OapiGateway]
    ) -> AsyncGenerator[EnquiriesOnly]:
        async with opened as gateway:
            try:
                yield EnquiriesOnly(gateway)
            finally:
                self.decided.extend(gateway.decisions())


def configured_gateway(
    settings: Settings, plugins: Plugins, name: str | None = None
) -> ConfiguredGateway:
    """The gateway called ``name``, the one that ``[clearing]`` names, or the only one.

    Raises `UsageError` for an unknown name, and what the configuration and the plug-ins deserve.
    """
    tables = settings.oapi_gateways
    name = name or settings.clearing.gateway
    if not tables:
        raise ConfigError(f"has no [{OAPI_GATEWAYS.table}.NAME] table", document=str(settings.path))
    if name is None:
        if len(tables) > 1:
            raise UsageError(f"there are several clearing gateways, name one: {', '.join(tables)}")
        name = next(iter(tables))
    if name not in tables:
        raise UsageError(f"there is no clearing gateway {name!r}; {nearest(name, list(tables))}")
    table = tables[name]
    offer = plugins.oapi_gateway(table.adapter)
    options = structure_options(
        settings, name, table.options, offer.options, table=OAPI_GATEWAYS.table, offer=offer.name
    )
    return ConfiguredGateway(name, settings.clearing.service, table.site, offer, options)


def rulings_at(
    rollouts: Iterable[Rollout], service: str, at: datetime, audience: str | None = None
) -> tuple[Ruling, ...]:
    """What the papers say at ``at`` about doing more than asking."""
    guard = Guard(rollouts)
    return tuple(guard.may(act, at, audience=audience, service=service) for act in ASKED_ACTS)


def stated_gateways(
    rollouts: Iterable[Rollout], service: str, at: datetime
) -> tuple[Connection, ...]:
    """The gateways that the papers in force name for ``service``; none where no paper does."""
    known = list(rollouts)
    if service not in services_of(known):
        return ()
    return directions(known, service, at).connections
