"""The two doors of this distribution; the NATS client is loaded behind them and not before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.model import SiteRole
from hkex_ops.ports import IndexFeed, IndexPublisher
from hkex_ops_nats.options import NatsFeedOptions, NatsPublisherOptions

__all__ = ["open_nats_feed", "open_nats_publisher"]


@asynccontextmanager
async def open_nats_publisher(
    options: NatsPublisherOptions, site: SiteRole
) -> AsyncGenerator[IndexPublisher]:
    """A publisher into the stream: entering logs in and sees to the stream, leaving logs out.

    Raises `ConfigError` for a file that cannot be used and for a stream that is not as the options
    say, `AuthRefused`, `Rejected`, or `TransientError` when no server would do.
    """
    from hkex_ops_nats.publisher import NatsPublisher

    publisher = NatsPublisher(options)
    try:
        await publisher.log_in()
        yield publisher
    finally:
        await publisher.log_out()


@asynccontextmanager
async def open_nats_feed(options: NatsFeedOptions, site: SiteRole) -> AsyncGenerator[IndexFeed]:
    """A feed from the stream, which hears from now on what it was told to hear.

    Raises as :func:`open_nats_publisher` does; it never makes a stream.
    """
    from hkex_ops_nats.feed import NatsFeed

    feed = NatsFeed(options)
    try:
        await feed.log_in()
        yield feed
    finally:
        await feed.log_out()
