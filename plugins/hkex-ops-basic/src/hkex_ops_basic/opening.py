"""The doors of this distribution; network and threads are loaded behind them and not before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.model import SiteRole
from hkex_ops.ports import IndexFeed, IndexPublisher, Notifier, Probe
from hkex_ops_basic.file_options import JsonLinesFeedOptions, JsonLinesPublisherOptions
from hkex_ops_basic.notifier_options import (
    ConsoleOptions,
    FileNotifierOptions,
    WebhookOptions,
)
from hkex_ops_basic.options import HttpsOptions, TcpOptions

__all__ = [
    "open_console",
    "open_file_notifier",
    "open_https",
    "open_json_lines_feed",
    "open_json_lines_publisher",
    "open_tcp",
    "open_webhook",
]


@asynccontextmanager
async def open_tcp(options: TcpOptions, site: SiteRole) -> AsyncGenerator[Probe]:
    """A probe that sees whether somebody takes a TCP connection at ``site``."""
    from hkex_ops_basic.tcp import TcpProbe

    yield TcpProbe(options, site)


@asynccontextmanager
async def open_https(options: HttpsOptions, site: SiteRole) -> AsyncGenerator[Probe]:
    """A probe that sees whether the right server of ``site`` gives the right page.

    Raises `ConfigError` when the file of authorities cannot be read or holds none.
    """
    from hkex_ops_basic.certificates import client_context
    from hkex_ops_basic.https import HttpsProbe

    yield HttpsProbe(options, client_context(options.ca_file), site)


@asynccontextmanager
async def open_json_lines_publisher(
    options: JsonLinesPublisherOptions, site: SiteRole
) -> AsyncGenerator[IndexPublisher]:
    """A publisher that adds to a file, which is then closed to other writers.

    Raises `ConfigError` when the file has no folder or holds something else, `StoreError` when
    another program adds to it.
    """
    from hkex_ops_basic.json_lines import JsonLinesPublisher

    publisher = JsonLinesPublisher(options)
    try:
        yield publisher
    finally:
        await publisher.close()


@asynccontextmanager
async def open_json_lines_feed(
    options: JsonLinesFeedOptions, site: SiteRole
) -> AsyncGenerator[IndexFeed]:
    """A feed of what stands in a file, and of what comes to stand in it.

    Raises `ConfigError` when there is no such file, or no folder for one that is waited for.
    """
    from hkex_ops_basic.json_lines import JsonLinesFeed

    feed = JsonLinesFeed(options)
    try:
        yield feed
    finally:
        await feed.close()


@asynccontextmanager
async def open_webhook(options: WebhookOptions, site: SiteRole) -> AsyncGenerator[Notifier]:
    """A notifier that posts signed documents. Nothing is connected before there is one.

    Raises `ConfigError` when the secret or the file of authorities cannot be used.
    """
    from hkex_ops_basic.webhook import Webhook

    yield Webhook(options)


@asynccontextmanager
async def open_file_notifier(
    options: FileNotifierOptions, site: SiteRole
) -> AsyncGenerator[Notifier]:
    """A notifier that adds to a file, which is then closed to other writers.

    Raises `ConfigError` when the file has no folder or holds something else, `StoreError` when
    another program adds to it.
    """
    from hkex_ops_basic.notes import FileNotifier

    notifier = FileNotifier(options)
    try:
        yield notifier
    finally:
        await notifier.close()


@asynccontextmanager
async def open_console(options: ConsoleOptions, site: SiteRole) -> AsyncGenerator[Notifier]:
    """A notifier that writes to standard error."""
    from hkex_ops_basic.notes import ConsoleNotifier

    yield ConsoleNotifier(options)
