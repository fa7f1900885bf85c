"""What can be offered: each kind with its hook, what a person calls it, and who brings one.

A kind is what a port's hook, its table in the configuration and the listing of plug-ins have in
common; adding a port is one row here and one specification in :mod:`hkex_ops.hookspecs`.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from attrs import frozen

from hkex_ops.ports import (
    CommandOffer,
    IndexFeed,
    IndexPublisher,
    MarketFeed,
    Notifier,
    OapiGateway,
    Offer,
    Probe,
    ReportSource,
    RolloutDocument,
)

__all__ = [
    "COMMANDS",
    "INDEX_FEEDS",
    "INDEX_PUBLISHERS",
    "KINDS",
    "MARKET_FEEDS",
    "NOTIFIERS",
    "OAPI_GATEWAYS",
    "PROBES",
    "REPORT_SOURCES",
    "ROLLOUTS",
    "OfferKind",
]

T_co = TypeVar("T_co", covariant=True)


@frozen
class OfferKind(Generic[T_co]):
    """One kind of offer. ``type`` is what the hook's answers must be; ``such_as`` names
    distributions that bring one."""

    hook: str
    what: str
    type: type[object]
    such_as: str = ""

    @property
    def table(self) -> str:
        """The table of the configuration in which such offers are chosen."""
        return self.hook.removeprefix("hkex_ops_")


REPORT_SOURCES: OfferKind[Offer[ReportSource]] = OfferKind(
    "hkex_ops_report_sources", "report source", Offer, "hkex-ops-sftp"
)
PROBES: OfferKind[Offer[Probe]] = OfferKind("hkex_ops_probes", "probe", Offer, "hkex-ops-basic")
MARKET_FEEDS: OfferKind[Offer[MarketFeed]] = OfferKind(
    "hkex_ops_market_feeds", "market feed", Offer, "hkex-ops-omd"
)
INDEX_PUBLISHERS: OfferKind[Offer[IndexPublisher]] = OfferKind(
    "hkex_ops_index_publishers",
    "index publisher",
    Offer,
    "hkex-ops-omd, hkex-ops-nats or hkex-ops-mail",
)
INDEX_FEEDS: OfferKind[Offer[IndexFeed]] = OfferKind(
    "hkex_ops_index_feeds", "index feed", Offer, "hkex-ops-omd or hkex-ops-nats"
)
NOTIFIERS: OfferKind[Offer[Notifier]] = OfferKind(
    "hkex_ops_notifiers", "notifier", Offer, "hkex-ops-mail, hkex-ops-apprise or hkex-ops-basic"
)
OAPI_GATEWAYS: OfferKind[Offer[OapiGateway]] = OfferKind(
    "hkex_ops_oapi_gateways", "clearing gateway", Offer, "hkex-ops-oapi"
)
COMMANDS: OfferKind[CommandOffer] = OfferKind("hkex_ops_commands", "command", CommandOffer)
ROLLOUTS: OfferKind[RolloutDocument] = OfferKind("hkex_ops_rollouts", "rollout", RolloutDocument)

KINDS: tuple[OfferKind[object], ...] = (
    REPORT_SOURCES,
    PROBES,
    MARKET_FEEDS,
    INDEX_PUBLISHERS,
    INDEX_FEEDS,
    OAPI_GATEWAYS,
    NOTIFIERS,
    COMMANDS,
    ROLLOUTS,
)
