"""Index values and events on NATS JetStream: the publisher and the feed ``nats``.

This module only offers. The core imports it to list what is installed, so nothing here may load the
NATS client; :mod:`hkex_ops_nats.opening` does that when an adapter is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import IndexFeed, IndexPublisher, Offer
from hkex_ops_nats.opening import open_nats_feed, open_nats_publisher
from hkex_ops_nats.options import (
    NatsFeedOptions,
    NatsPublisherOptions,
    NatsServer,
    addresses_of,
)

__all__ = [
    "NatsFeedOptions",
    "NatsPublisherOptions",
    "NatsServer",
    "hkex_ops_index_feeds",
    "hkex_ops_index_publishers",
    "open_nats_feed",
    "open_nats_publisher",
]


@hookimpl
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:
    """Offer the index publisher ``nats``."""
    return [Offer("nats", NatsPublisherOptions, open_nats_publisher, addresses_of)]


@hookimpl
def hkex_ops_index_feeds() -> Iterable[Offer[IndexFeed]]:
    """Offer the index feed ``nats``."""
    return [Offer("nats", NatsFeedOptions, open_nats_feed, addresses_of)]
