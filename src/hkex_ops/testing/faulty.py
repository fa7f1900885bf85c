"""What the faults of all ports share: put around an adapter, and what it does to a stream.

The faults themselves lie beside their port, named after what they do: ``faults`` has those of
report folders, ``market_feed_faults``, ``index_publisher_faults``, ``index_feed_faults``,
``notifier_faults``, ``probe_faults`` and ``oapi_gateway_faults`` those of the others. What an
adapter can do besides its port's own verbs, it cannot do behind a fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from hkex_ops.errors import Unreachable
from hkex_ops.model import SiteRole
from hkex_ops.ports import Offer

__all__ = ["Stall", "cut_off", "doubled", "faulty", "stopped", "swapped", "thinned"]

P = TypeVar("P")
T = TypeVar("T")


def faulty(offer: Offer[P], fault: Callable[[P], P]) -> Offer[P]:
    """The adapter of ``offer`` with ``fault`` around it, whenever it is opened."""

    @asynccontextmanager
    async def open_faulty(options: object, site: SiteRole) -> AsyncGenerator[P]:
        async with offer.open(options, site) as adapter:
            yield fault(adapter)

    return Offer(offer.name, offer.options, open_faulty)


class Stall:
    """Lets ``after`` things pass, and then none until :meth:`go_on`, which may be never."""

    def __init__(self, after: int) -> None:
        self._left = after
        self._going = asyncio.Event()

    def go_on(self) -> None:
        """Stall no more."""
        self._going.set()

    async def let_pass(self) -> None:
        """Return when one more thing may pass."""
        if not self._left:
            await self._going.wait()
        self._left -= self._left > 0

    async def stalled(self, things: AsyncIterator[T]) -> AsyncGenerator[T]:
        """The things, each when it may pass."""
        async with _left(things):
            async for thing in things:
                await self.let_pass()
                yield thing


async def swapped(things: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Each two things the wrong way round; the last of an odd number comes last."""
    held: list[T] = []
    async with _left(things):
        async for thing in things:
            if not held:
                held.append(thing)
                continue
            yield thing
            yield held.pop()
        for thing in held:
            yield thing


async def doubled(things: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Each thing twice."""
    async with _left(things):
        async for thing in things:
            yield thing
            yield thing


async def thinned(things: AsyncIterator[T], every: int) -> AsyncGenerator[T]:
    """All things but each number ``every``."""
    count = 0
    async with _left(things):
        async for thing in things:
            count += 1
            if count % every:
                yield thing


async def cut_off(things: AsyncIterator[T], after: int) -> AsyncGenerator[T]:
    """The first ``after`` things; what comes then is `Unreachable`."""
    left = after
    async with _left(things):
        async for thing in things:
            if not left:
                raise Unreachable("the connection was lost: open it again")
            left -= 1
            yield thing


async def stopped(things: AsyncIterator[T], after: int) -> AsyncGenerator[T]:
    """The first ``after`` things; then whoever asks for more is stopped, as by Ctrl-C."""
    left = after
    async with _left(things):
        async for thing in things:
            if not left:
                task = asyncio.current_task()
                assert task is not None, "what waits runs in a task"
                task.cancel()
                await asyncio.sleep(0)
            left -= 1
            yield thing


@asynccontextmanager
async def _left(things: AsyncIterator[T]) -> AsyncGenerator[None]:
    """A port promises an iterator; where it is a generator, leaving closes it."""
    try:
        yield
    finally:
        if isinstance(things, AsyncGenerator):
            await things.aclose()
