"""An author's file of index publishers and feeds: right adapters pass, each wrong one is rejected.

A rejection is proved by its suppression, as in :file:`offers.py`. Never run.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import assert_type

from attrs import frozen

from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import IndexTick, JsonObject, SiteRole, parse_published, parse_tick
from hkex_ops.ports import IndexFeed, IndexPublisher, Offer, SupportsEvents, SupportsSnapshot


@frozen
class BoardOptions:
    """What an operator may say about the adapter."""

    path: str


class Board:
    """Publishes, and does what not every publisher can."""

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        raise NotImplementedError

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        raise NotImplementedError

    async def publish_event(self, event: JsonObject) -> None:
        raise NotImplementedError


class OneAtATime:
    """Takes a tick, not the ticks of a moment."""

    async def publish(self, ticks: IndexTick) -> None:
        raise NotImplementedError


class Telling:
    """Tells how many are out, and nobody asked."""

    async def publish(self, ticks: Sequence[IndexTick]) -> int:
        raise NotImplementedError


class Hearing:
    """Has the one member of its port."""

    def ticks(self) -> AsyncIterator[IndexTick]:
        raise NotImplementedError


class HearingAll:
    """Waits for the end of the day first."""

    async def ticks(self) -> list[IndexTick]:
        raise NotImplementedError


@asynccontextmanager
async def open_board(options: BoardOptions, site: SiteRole) -> AsyncGenerator[Board]:
    yield Board()


@asynccontextmanager
async def open_one_at_a_time(options: BoardOptions, site: SiteRole) -> AsyncGenerator[OneAtATime]:
    yield OneAtATime()


@asynccontextmanager
async def open_telling(options: BoardOptions, site: SiteRole) -> AsyncGenerator[Telling]:
    yield Telling()


@asynccontextmanager
async def open_hearing(options: BoardOptions, site: SiteRole) -> AsyncGenerator[Hearing]:
    yield Hearing()


@asynccontextmanager
async def open_hearing_all(options: BoardOptions, site: SiteRole) -> AsyncGenerator[HearingAll]:
    yield HearingAll()


@hookimpl
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:
    return [Offer("board", BoardOptions, open_board)]


@hookimpl
def hkex_ops_index_feeds() -> Iterable[Offer[IndexFeed]]:
    return [Offer("hearing", BoardOptions, open_hearing)]


def the_ticks_of_a_moment_come_together() -> Iterable[Offer[IndexPublisher]]:
    return [Offer("one", BoardOptions, open_one_at_a_time)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def publishing_answers_nothing() -> Iterable[Offer[IndexPublisher]]:
    return [Offer("telling", BoardOptions, open_telling)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def a_feed_yields() -> Iterable[Offer[IndexFeed]]:
    return [Offer("all", BoardOptions, open_hearing_all)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


def a_publisher_is_no_feed() -> Iterable[Offer[IndexFeed]]:
    return [Offer("board", BoardOptions, open_board)]  # type: ignore[arg-type]  # pyright: ignore[reportReturnType]


async def what_a_publisher_can_is_asked_of_it(offer: Offer[IndexPublisher]) -> None:
    async with offer.open(BoardOptions("board"), SiteRole.PRIMARY) as publisher:
        assert_type(publisher, IndexPublisher)
        await publisher.publish_event({})  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        if isinstance(publisher, SupportsEvents):
            await publisher.publish_event({"event": "resumed", "at": "2010-01-22T10:24:59+08:00"})
        if isinstance(publisher, SupportsSnapshot):
            await publisher.publish_snapshot([])


async def a_feed_gives_ticks(offer: Offer[IndexFeed]) -> None:
    async with offer.open(BoardOptions("board"), SiteRole.PRIMARY) as feed:
        assert_type([tick async for tick in feed.ticks()], list[IndexTick])


def what_was_published_is_a_tick_or_an_event(line: str) -> None:
    assert_type(parse_tick(line), IndexTick)
    assert_type(parse_published(line), IndexTick | JsonObject)
