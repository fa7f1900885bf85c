"""The hooks: what a plug-in can offer. All of one shape: no arguments, an iterable of offers.

A plug-in is a distribution with an entry point in group ``hkex_ops`` whose name is its import
package and whose value is a module that implements some of these with :data:`hookimpl`. Hooks
carry no data and do no work; importing a plug-in must be cheap.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
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
    "PROJECT",
    "hkex_ops_commands",
    "hkex_ops_index_feeds",
    "hkex_ops_index_publishers",
    "hkex_ops_market_feeds",
    "hkex_ops_notifiers",
    "hkex_ops_oapi_gateways",
    "hkex_ops_probes",
    "hkex_ops_report_sources",
    "hkex_ops_rollouts",
    "hookimpl",
]

PROJECT = "hkex_ops"

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker(PROJECT)
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(PROJECT)


@hookspec
def hkex_ops_report_sources() -> Iterable[Offer[ReportSource]]:  # type: ignore[empty-body]
    """Offer ways to list and fetch reports."""


@hookspec
def hkex_ops_probes() -> Iterable[Offer[Probe]]:  # type: ignore[empty-body]
    """Offer ways to tell whether a connection can be reached and answers as it should."""


@hookspec
def hkex_ops_market_feeds() -> Iterable[Offer[MarketFeed]]:  # type: ignore[empty-body]
    """Offer ways to receive market data, live or from a capture."""


@hookspec
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:  # type: ignore[empty-body]
    """Offer ways to publish index values."""


@hookspec
def hkex_ops_index_feeds() -> Iterable[Offer[IndexFeed]]:  # type: ignore[empty-body]
    """Offer ways to hear index values that somebody publishes."""


@hookspec
def hkex_ops_notifiers() -> Iterable[Offer[Notifier]]:  # type: ignore[empty-body]
    """Offer ways to tell people something, with a receipt of each."""


@hookspec
def hkex_ops_oapi_gateways() -> Iterable[Offer[OapiGateway]]:  # type: ignore[empty-body]
    """Offer ways to ask a clearing house through its gateways."""


@hookspec
def hkex_ops_commands() -> Iterable[CommandOffer]:  # type: ignore[empty-body]
    """Offer commands for the ``hkex-ops`` command line."""


@hookspec
def hkex_ops_rollouts() -> Iterable[RolloutDocument]:  # type: ignore[empty-body]
    """Offer more circulars as data: the text of a rollout file each."""
