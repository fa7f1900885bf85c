"""The doors of this distribution; sockets and the event loop are loaded behind them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.clock import SystemClock
from hkex_ops.model import SiteRole
from hkex_ops.ports import MarketFeed
from hkex_ops_omd.capture_options import CaptureOptions
from hkex_ops_omd.options import MulticastOptions

__all__ = ["open_capture", "open_multicast"]


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
