"""Ticks in a file, one JSON document to a line: published into it, and heard from it.

The publisher adds and syncs in a thread of its own, one addition after the other, so that a call
that is given up neither tears a line nor lets the next one overtake it. Events of operation lie in
the same file, in the order in which they happened, and the feed passes them over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor

from hkex_ops.errors import Rejected, WireError
from hkex_ops.model import IndexTick, JsonObject, format_event, format_tick, parse_published
from hkex_ops_basic.file_options import JsonLinesFeedOptions, JsonLinesPublisherOptions
from hkex_ops_basic.line_files import LineFile
from hkex_ops_basic.line_following import Line, LineFollower

__all__ = ["JsonLinesFeed", "JsonLinesPublisher"]

# How soon a follower sees what was added: well below the interval of any index.
LOOK_INTERVAL_S = 0.1


class JsonLinesPublisher:
    """The ports ``IndexPublisher`` and ``SupportsEvents`` into a file."""

    def __init__(self, options: JsonLinesPublisherOptions) -> None:
        self._file = LineFile(options.file)
        self._writer = ThreadPoolExecutor(1, "json-lines")

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Add a line for each tick; see the port. Returns when they are on the disk."""
        if ticks:
            await self._append("".join(f"{format_tick(tick)}\n" for tick in ticks))

    async def publish_event(self, event: JsonObject) -> None:
        """Add a line for the event."""
        await self._append(f"{format_event(event)}\n")

    async def close(self) -> None:
        """Finish what is being added, then let other writers have the file."""
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(self._writer, self._file.close)
        self._writer.shutdown(wait=False)
        await asyncio.shield(closing)

    async def _append(self, lines: str) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._file.append, lines.encode())


class JsonLinesFeed:
    """The port ``IndexFeed`` from a file. A feed is iterated once."""

    def __init__(self, options: JsonLinesFeedOptions) -> None:
        self._since = options.since
        self._follows = options.follow
        self._lines = LineFollower(
            options.file, from_end=options.starts_new, may_come=options.follow
        )
        self._reader = ThreadPoolExecutor(1, "json-lines")

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        """Yield the ticks of the file in its order; see the port.

        Raises `Rejected` for a line that is neither tick nor event, and for a file that was cut
        short behind the reader.
        """
        loop = asyncio.get_running_loop()
        while True:
            lines = await loop.run_in_executor(self._reader, self._lines.more)
            for line in lines:
                tick = self._tick(line)
                if tick is not None and (self._since is None or tick.at >= self._since):
                    yield tick
            if not lines:
                if not self._follows:
                    return
                await asyncio.sleep(LOOK_INTERVAL_S)

    async def close(self) -> None:
        """Let go of the file, once nobody looks into it."""
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(self._reader, self._lines.close)
        self._reader.shutdown(wait=False)
        await asyncio.shield(closing)

    def _tick(self, line: Line) -> IndexTick | None:
        """The tick that a line spells; nothing for an event."""
        try:
            published = parse_published(line.content)
        except WireError as error:
            raise Rejected(
                f"the line at byte {line.offset} of {self._lines.path} is no tick: {error}: find "
                "out who wrote it"
            ) from error
        return published if isinstance(published, IndexTick) else None
