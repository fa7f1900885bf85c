"""Which channel carries what, and at which group and port each line of it is heard.

The numbers are invented, in the shape of public examples: the exchange's own stand in a guide that
is not public. The groups are administratively scoped, and a market is only ever sent on loopback.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from hkex_ops.ports import FeedLine

__all__ = [
    "BASE_PORT",
    "GROUPS",
    "INDEX",
    "LAST_BASE_PORT",
    "LINES",
    "RECOVERY",
    "REFERENCE",
    "STATUS",
    "Feed",
    "channels_of",
    "port_of",
    "trading_channel",
]

REFERENCE = 1  # market and security definitions, liquidity providers, currency rates
STATUS = 2  # trading session status, security status
INDEX = 71  # index definitions, index data
RECOVERY = 99  # the disaster recovery signal, and otherwise only heartbeats

LINES = (FeedLine.A, FeedLine.B)

# The group of each line, the same for every channel and at either site. A refresh has one line.
GROUPS: Mapping[FeedLine, str] = MappingProxyType(
    {
        FeedLine.A: "239.1.1.24",
        FeedLine.B: "239.1.127.24",
        FeedLine.REFRESH: "239.1.1.25",
    }
)

# A channel is heard at this port plus its number.
BASE_PORT = 51000
LAST_BASE_PORT = 65535 - RECOVERY


class Feed(StrEnum):
    """The product that carries trades, one channel for each group of stocks."""

    PREMIUM = "premium"  # ten levels of the book, trades, statistics, closing prices
    FULL_TICK = "full-tick"  # every order, and trades


_FIRST = {Feed.PREMIUM: 20, Feed.FULL_TICK: 30}


def trading_channel(feed: Feed, group: int) -> int:
    """The channel of the stocks of ``group``."""
    return _FIRST[feed] + group


def channels_of(feed: Feed, groups: int) -> tuple[int, ...]:
    """Every real-time channel of a market, ascending; the recovery signal's is not one."""
    trading = (trading_channel(feed, group) for group in range(groups))
    return (REFERENCE, STATUS, *trading, INDEX)


def port_of(channel: int, base_port: int = BASE_PORT) -> int:
    """The port at which ``channel`` is heard."""
    return base_port + channel
