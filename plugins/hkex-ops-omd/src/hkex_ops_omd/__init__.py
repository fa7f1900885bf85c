"""Adapters of HKEX Orion Market Data: market feeds, an index publisher, an index feed.

This module only offers. The core imports it to list what is installed, so nothing here may load
the event loop; :mod:`hkex_ops_omd.opening` does that when an adapter is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import IndexFeed, IndexPublisher, MarketFeed, Offer
from hkex_ops_omd.capture_options import CaptureOptions
from hkex_ops_omd.index_options import IndexFeedOptions, PublisherOptions
from hkex_ops_omd.opening import open_capture, open_index_feed, open_multicast, open_publisher
from hkex_ops_omd.options import MulticastOptions, addresses_of

__all__ = [
    "CaptureOptions",
    "IndexFeedOptions",
    "MulticastOptions",
    "PublisherOptions",
    "hkex_ops_index_feeds",
    "hkex_ops_index_publishers",
    "hkex_ops_market_feeds",
    "open_capture",
    "open_index_feed",
    "open_multicast",
    "open_publisher",
]


@hookimpl
def hkex_ops_market_feeds() -> Iterable[Offer[MarketFeed]]:
    """Offer the market feeds ``omd-multicast`` and ``omd-capture``."""
    return [
        Offer("omd-multicast", MulticastOptions, open_multicast, addresses_of),
        Offer("omd-capture", CaptureOptions, open_capture),
    ]


@hookimpl
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:
    """Offer the index publisher ``omd-multicast``."""
    return [Offer("omd-multicast", PublisherOptions, open_publisher)]


@hookimpl
def hkex_ops_index_feeds() -> Iterable[Offer[IndexFeed]]:
    """Offer the index feed ``omd-multicast``."""
    return [Offer("omd-multicast", IndexFeedOptions, open_index_feed)]
