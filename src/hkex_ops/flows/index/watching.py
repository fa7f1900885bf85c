"""Index values watched: those that somebody publishes, or those of a run that is under way.

Both ways give ticks one by one as they come; of a run its events come too, as documents. Decides
nothing and keeps nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from hkex_ops.errors import WireError
from hkex_ops.flows.index.adapters import Configured
from hkex_ops.flows.index.control import listen_in
from hkex_ops.model import IndexTick, JsonObject, parse_published
from hkex_ops.ports import IndexFeed

__all__ = ["follow", "watch_feed", "watch_run"]


async def watch_feed(feed: Configured[IndexFeed]) -> AsyncGenerator[IndexTick | JsonObject]:
    """The ticks of an index feed, until it ends. Raises what the feed raises."""
    async with feed.open() as opened:
        async for tick in opened.ticks():
            yield tick


async def watch_run(folder: Path) -> AsyncGenerator[IndexTick | JsonObject]:
    """The ticks and events of the run in ``folder``, from now until it ends.

    Raises `Unreachable` when no run is under way there.
    """
    async with aclosing(listen_in(folder)) as lines:
        async for line in lines:
            try:
                yield parse_published(line)
            except WireError:
                # A newer supervisor may tell what this program does not know.
                continue


async def follow(
    told: AsyncGenerator[IndexTick | JsonObject],
    tick: Callable[[IndexTick], None],
    event: Callable[[JsonObject], None] = lambda _: None,
    *,
    count: int | None = None,
) -> None:
    """Hand each tick and each event of ``told`` on, until it ends or ``count`` ticks have come."""
    seen = 0
    async with aclosing(told):
        async for one in told:
            if not isinstance(one, IndexTick):
                event(one)
                continue
            tick(one)
            seen += 1
            if seen == count:
                return
