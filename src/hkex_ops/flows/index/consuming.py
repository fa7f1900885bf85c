"""What hangs on index values, fed from wherever they come: files, runs, or a feed that goes on.

Settlement and mandatory calls are machines that take one tick after the other. Here they are given
what was kept, in order of time, and then, if wanted, what a feed still brings; while they wait for
it they are asked whether a mark has passed. A consumer that is ended early has its answer so far.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from hkex_ops.clock import Clock
from hkex_ops.flows.index.adapters import Configured
from hkex_ops.model import IndexTick
from hkex_ops.ports import IndexFeed

__all__ = ["Consumer", "consume", "follow"]

E_co = TypeVar("E_co", covariant=True)
E = TypeVar("E")

POLL_EVERY_S = 1
"""How often a consumer is asked what time alone has brought, where nothing else comes."""


class Consumer(Protocol[E_co]):
    """A machine that takes ticks. `Settlement` and `Calls` are such."""

    def handle(self, tick: IndexTick, now: datetime) -> tuple[E_co, ...]:
        """Take one tick; what follows from it."""
        ...

    def poll(self, now: datetime) -> tuple[E_co, ...]:
        """What time alone has brought."""
        ...


def consume(
    consumers: Iterable[Consumer[E]],
    ticks: Iterable[IndexTick],
    now: datetime,
    watch: Callable[[E], None],
) -> int:
    """Give ``ticks``, by the moments they stand for, to every consumer; how many there were."""
    taken = 0
    machines = tuple(consumers)
    for tick in sorted(ticks, key=lambda one: one.at):
        taken += 1
        for machine in machines:
            for event in machine.handle(tick, now):
                watch(event)
    return taken


async def follow(
    consumers: Iterable[Consumer[E]],
    feed: Configured[IndexFeed],
    clock: Clock,
    watch: Callable[[E], None],
    *,
    wanted: Callable[[IndexTick], bool],
) -> int:
    """Give every ``wanted`` tick of ``feed`` to the consumers until the feed ends; how many.

    Raises what the feed raises; what was taken before that is taken.
    """
    machines = tuple(consumers)
    taken = 0
    async with feed.open() as opened:
        asking = asyncio.create_task(_ask(machines, clock, watch))
        try:
            async for tick in opened.ticks():
                if not wanted(tick):
                    continue
                taken += 1
                now = clock.now()
                for machine in machines:
                    for event in machine.handle(tick, now):
                        watch(event)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
    return taken


async def _ask(machines: Sequence[Consumer[E]], clock: Clock, watch: Callable[[E], None]) -> None:
    while True:
        await asyncio.sleep(POLL_EVERY_S)
        for machine in machines:
            for event in machine.poll(clock.now()):
                watch(event)
