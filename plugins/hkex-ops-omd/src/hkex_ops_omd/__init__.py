"""Adapters of HKEX Orion Market Data: this module only offers, and loads no engine."""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.hookspecs import hookimpl
from hkex_ops.ports import MarketFeed, Offer
from hkex_ops_omd.capture_options import CaptureOptions
from hkex_ops_omd.opening import open_capture, open_multicast
from hkex_ops_omd.options import MulticastOptions, addresses_of

__all__ = [
    "CaptureOptions",
    "MulticastOptions",
    "hkex_ops_market_feeds",
    "open_capture",
    "open_multicast",
]


@hookimpl
def hkex_ops_market_feeds() -> Iterable[Offer[MarketFeed]]:
    """Offer the market feeds ``omd-multicast`` and ``omd-capture``."""
    return [
        Offer("omd-multicast", MulticastOptions, open_multicast, addresses_of),
        Offer("omd-capture", CaptureOptions, open_capture),
    ]
