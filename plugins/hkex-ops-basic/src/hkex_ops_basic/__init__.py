"""Adapters that need the standard library only: probes, index values in a file, notifiers.

This module only offers. The core imports it to list what is installed, so nothing here may load
``ssl`` or the network; :mod:`hkex_ops_basic.opening` does that when an adapter is really opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import IndexFeed, IndexPublisher, Notifier, Offer, Probe
from hkex_ops_basic.file_options import JsonLinesFeedOptions, JsonLinesPublisherOptions
from hkex_ops_basic.notifier_options import (
    ConsoleOptions,
    FileNotifierOptions,
    WebhookOptions,
)
from hkex_ops_basic.opening import (
    open_console,
    open_file_notifier,
    open_https,
    open_json_lines_feed,
    open_json_lines_publisher,
    open_tcp,
    open_webhook,
)
from hkex_ops_basic.options import HttpsOptions, TcpOptions

__all__ = [
    "ConsoleOptions",
    "FileNotifierOptions",
    "HttpsOptions",
    "JsonLinesFeedOptions",
    "JsonLinesPublisherOptions",
    "TcpOptions",
    "WebhookOptions",
    "hkex_ops_index_feeds",
    "hkex_ops_index_publishers",
    "hkex_ops_notifiers",
    "hkex_ops_probes",
    "open_console",
    "open_file_notifier",
    "open_https",
    "open_json_lines_feed",
    "open_json_lines_publisher",
    "open_tcp",
    "open_webhook",
]


@hookimpl
def hkex_ops_probes() -> Iterable[Offer[Probe]]:
    """Offer the probes ``tcp`` and ``https``."""
    return [Offer("tcp", TcpOptions, open_tcp), Offer("https", HttpsOptions, open_https)]


@hookimpl
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:
    """Offer the index publisher ``json-lines``."""
    return [Offer("json-lines", JsonLinesPublisherOptions, open_json_lines_publisher)]


@hookimpl
def hkex_ops_index_feeds() -> Iterable[Offer[IndexFeed]]:
    """Offer the index feed ``json-lines``."""
    return [Offer("json-lines", JsonLinesFeedOptions, open_json_lines_feed)]


@hookimpl
def hkex_ops_notifiers() -> Iterable[Offer[Notifier]]:
    """Offer the notifiers ``webhook``, ``file`` and ``console``."""
    return [
        Offer("webhook", WebhookOptions, open_webhook),
        Offer("file", FileNotifierOptions, open_file_notifier),
        Offer("console", ConsoleOptions, open_console),
    ]
