"""An author's file of market feeds: right adapters pass, each wrong one is rejected.

A rejection is proved by its suppression, as in :file:`offers.py`. Never run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import assert_type

from attrs import frozen

from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import SiteRole
from hkex_ops.ports import (
    FeedLine,
    LineHealth,
    MarketFeed,
    Offer,
    PacketBatch,
    SupportsHealth,
    SupportsRefresh,
    SupportsRetransmission,
)


@frozen
class CardOptions:
    """What an operator may say about the adapter."""

    device: str


class Listening:
    """Has every member of the port, and every capability."""

    @property
    def channels(self) -> tuple[int, ...]:
        raise NotImplementedError

    def packets(self) -> AsyncIterator[PacketBatch]:
        raise NotImplementedError

    def retransmit(self, channel: int, begin: int, end: int) -> AsyncIterator[PacketBatch]:
        raise NotImplementedError

    def refresh(self, channel: int) -> AsyncGenerator[PacketBatch]:
        raise NotImplementedError

    def health(self) -> list[LineHealth]:
        raise NotImplementedError


class Bare:
    """Gives packets, and not which channels they are of."""

    def packets(self) -> AsyncIterator[PacketBatch]:
        raise NotImplementedError


class Decoding:
    """Gives bytes out of which nobody learns the channel."""

    @property
    def channels(self) -> tuple[int, ...]:
        raise NotImplementedError

    def packets(self) -> AsyncIterator[bytes]:
        raise NotImplementedError


class Gathering:
    """Waits for the end of the day first."""

    @property
    def channels(self) -> tuple[int, ...]:
        raise NotImplementedError

    async def packets(self) -> list[PacketBatch]:
        raise NotImplementedError


@asynccontextmanager
async def open_listening(options: CardOptions, site: SiteRole) -> AsyncGenerator[Listening]:
    yield Listening()


@asynccontextmanager
async def open_bare(options: CardOptions, site: SiteRole) -> AsyncGenerator[Bare]:
    yield Bare()


@asynccontextmanager
async def open_decoding(options: CardOptions, site: SiteRole) -> AsyncGenerator[Decoding]:
    yield Decoding()


@asynccontextmanager
async def open_gathering(options: CardOptions, site: SiteRole) -> AsyncGenerator[Gathering]:
    yield Gathering()


@hookimpl
def hkex_ops_market_feeds() -> Iterable[Offer[MarketFeed]]:
    return [Offer("card", CardOptions, open_listening)]


def a_feed_tells_its_channels() -> Iterable[Offer[MarketFeed]]:
    return [Offer("card", CardOptions, open_bare)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def a_feed_says_where_its_packets_came() -> Iterable[Offer[MarketFeed]]:
    return [Offer("card", CardOptions, open_decoding)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def a_feed_gives_packets_as_they_come() -> Iterable[Offer[MarketFeed]]:
    return [Offer("card", CardOptions, open_gathering)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


async def a_capability_is_asked_for(feed: MarketFeed) -> None:
    feed.health()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    if isinstance(feed, SupportsHealth):
        assert_type(feed.health(), Sequence[LineHealth])
    if isinstance(feed, SupportsRefresh):
        assert_type([one async for one in feed.refresh(30)], list[PacketBatch])
    if isinstance(feed, SupportsRetransmission):
        assert_type([one async for one in feed.retransmit(30, 1, 2)], list[PacketBatch])


async def a_batch_is_of_one_channel_and_line(feed: MarketFeed) -> None:
    async for batch in feed.packets():
        assert_type(batch.channel, int)
        assert_type(batch.line, FeedLine)
        assert_type(batch.packets, Sequence[bytes])
        batch.line = FeedLine.A  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def adapters_that_can_more_are_capabilities(
    feed: Listening,
) -> tuple[SupportsHealth, SupportsRefresh, SupportsRetransmission]:
    return feed, feed, feed
