"""Feeds and publishers as configured: a table of the configuration joined with what is on offer.

A name that an operator typed is looked up in the configuration, the adapter that its table names
among the plug-ins, and the table's options are structured with the adapter's own class, so that
everything that can be wrong is said before a process is started. Opening is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

from attrs import frozen

from hkex_ops.config.settings import AdapterSettings, Settings, structure_options
from hkex_ops.config.structuring import nearest
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import SiteRole
from hkex_ops.plugins import (
    INDEX_FEEDS,
    INDEX_PUBLISHERS,
    MARKET_FEEDS,
    OfferKind,
    Plugins,
)
from hkex_ops.ports import IndexFeed, IndexPublisher, MarketFeed, Offer

__all__ = ["Configured", "configured_index_feed", "configured_market_feed", "configured_publishers"]

P = TypeVar("P")


@frozen
class Configured(Generic[P]):
    """One adapter that a table of the configuration chooses, ready to be opened."""

    name: str
    site: SiteRole
    offer: Offer[P]
    options: object

    def open(self, site: SiteRole | None = None) -> AbstractAsyncContextManager[P]:
        """The adapter at ``site``, or at the site that its table names."""
        return self.offer.open(self.options, self.site if site is None else site)


def configured_market_feed(
    settings: Settings, plugins: Plugins, name: str | None
) -> Configured[MarketFeed]:
    """The market feed called ``name``, or the only one.

    Raises `UsageError` for a name that the configuration does not have, `ConfigError` when it has
    none or an adapter's options are wrong, and `PluginError` or `ConfigError` when no plug-in that
    is in use offers the adapter.
    """
    return _configured(settings, plugins, MARKET_FEEDS, settings.market_feeds, name)


def configured_index_feed(
    settings: Settings, plugins: Plugins, name: str | None
) -> Configured[IndexFeed]:
    """The index feed called ``name``, or the only one. Raises as for market feeds."""
    return _configured(settings, plugins, INDEX_FEEDS, settings.index_feeds, name)


def configured_publishers(
    settings: Settings, plugins: Plugins, names: Sequence[str]
) -> tuple[Configured[IndexPublisher], ...]:
    """The index publishers called ``names``, each once. Raises as for market feeds."""
    return tuple(
        _configured(settings, plugins, INDEX_PUBLISHERS, settings.index_publishers, name)
        for name in dict.fromkeys(names)
    )


def _configured(
    settings: Settings,
    plugins: Plugins,
    kind: OfferKind[Offer[P]],
    tables: Mapping[str, AdapterSettings],
    name: str | None,
) -> Configured[P]:
    if not tables:
        raise ConfigError(f"has no [{kind.table}.NAME] table", document=str(settings.path))
    if name is None:
        if len(tables) > 1:
            raise UsageError(f"there are several {kind.what}s, name one: {', '.join(tables)}")
        name = next(iter(tables))
    if name not in tables:
        raise UsageError(f"there is no {kind.what} {name!r}; {nearest(name, list(tables))}")
    table = tables[name]
    offer = plugins.offer(kind, table.adapter)
    options = structure_options(
        settings, name, table.options, offer.options, table=kind.table, offer=offer.name
    )
    return Configured(name, table.site, offer, options)
