"""Plug-ins: loaded, checked, listed, and what kinds of things they can offer."""

from hkex_ops.installed import ENTRY_POINT_GROUP, FoundPlugin
from hkex_ops.plugins.faults import LoadedPlugin, PluginFault
from hkex_ops.plugins.kinds import (
    COMMANDS,
    INDEX_FEEDS,
    INDEX_PUBLISHERS,
    MARKET_FEEDS,
    NOTIFIERS,
    OAPI_GATEWAYS,
    PROBES,
    REPORT_SOURCES,
    ROLLOUTS,
    OfferKind,
)
from hkex_ops.plugins.loading import Plugins

__all__ = [
    "COMMANDS",
    "ENTRY_POINT_GROUP",
    "INDEX_FEEDS",
    "INDEX_PUBLISHERS",
    "MARKET_FEEDS",
    "NOTIFIERS",
    "OAPI_GATEWAYS",
    "PROBES",
    "REPORT_SOURCES",
    "ROLLOUTS",
    "FoundPlugin",
    "LoadedPlugin",
    "OfferKind",
    "PluginFault",
    "Plugins",
]
