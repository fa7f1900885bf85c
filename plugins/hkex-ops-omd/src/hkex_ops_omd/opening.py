"""The doors of this distribution; sockets and the event loop are loaded behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.clock import SystemClock
from hkex_ops.model import SiteRole
from hkex_ops.ports import IndexFeed, IndexPublisher, MarketFeed
from hkex_ops_omd.capture_options import CaptureOptions
from hkex_ops_omd.index_options import IndexFeedOptions, PublisherOptions
from hkex_ops_omd.options import MulticastOptions

__all__ = ["open_capture", "open_index_feed", "open_multicast", "open_publisher"]


@asynccontextmanager
async def open_capture(options: CaptureOptions, site: SiteRole) -> AsyncGenerator[MarketFeed]:
    """The captures of ``options``, the same for each ``site``.

    Raises `ConfigError` when a file cannot be read, is no capture, or holds nothing that is known.
    """
    from hkex_ops_omd.captures import CaptureFeed

    feed = CaptureFeed(options)
    await feed.open()
    try:
        yield feed
    finally:
        await feed.close()


@asynccontextmanager
async def open_multicast(options: MulticastOptions, site: SiteRole) -> AsyncGenerator[MarketFeed]:
    """The channels of ``options``, joined; leaving leaves the groups and hangs up.

    Retransmission servers of ``site`` are tried first. Raises `ConfigError` when a line cannot be
    joined on this machine.
    """
    from hkex_ops.config.layouts import load_codec
    from hkex_ops_omd.multicast import feed_of

    feed = feed_of(options, site, load_codec(), SystemClock())
    try:
        yield feed
    finally:
        await feed.close()


@asynccontextmanager
async def open_publisher(
    options: PublisherOptions, site: SiteRole
) -> AsyncGenerator[IndexPublisher]:
    """Index values out by the lines of ``options``, the same from each ``site``.

    Entering says that numbers begin anew. Raises `ConfigError` when this machine cannot send so,
    `TransientError` when a line does not take the first packets.
    """
    from hkex_ops.config.layouts import load_codec
    from hkex_ops_omd.publishing import publisher_of

    publisher = publisher_of(options, load_codec(), SystemClock())
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.close()


@asynccontextmanager
async def open_index_feed(options: IndexFeedOptions, site: SiteRole) -> AsyncGenerator[IndexFeed]:
    """Index values by the lines of ``options``, joined, the same at each ``site``.

    Raises `ConfigError` when a line cannot be joined on this machine.
    """
    from hkex_ops.config.layouts import load_codec
    from hkex_ops_omd.index_feed import MulticastIndexFeed

    feed = MulticastIndexFeed(options, load_codec(), SystemClock())
    try:
        yield feed
    finally:
        await feed.close()
