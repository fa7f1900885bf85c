"""A plug-in for tests: an index feed that gives the ticks of a file, and then ends or waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import frozen

from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import IndexTick, SiteRole
from hkex_ops.model.ticks import parse_tick
from hkex_ops.ports import IndexFeed, Offer

__all__ = ["ToldOptions", "hkex_ops_index_feeds"]


@frozen
class ToldOptions:
    """The file, and whether the feed goes on after it."""

    file: Path
    waits: bool = False


@frozen
class ToldFeed:
    """The port ``IndexFeed``."""

    options: ToldOptions

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        """Yield what the file holds, and wait if that is wanted."""
        for line in self.options.file.read_text(encoding="utf-8").splitlines():
            yield parse_tick(line)
        if self.options.waits:
            await asyncio.Event().wait()


@asynccontextmanager
async def _open(options: ToldOptions, site: SiteRole) -> AsyncGenerator[IndexFeed]:
    yield ToldFeed(options)


@hookimpl
def hkex_ops_index_feeds() -> Iterable[Offer[IndexFeed]]:
    """Offer ``told``."""
    return [Offer("told", ToldOptions, _open)]
