"""Files of ticks as a bench: the back door writes and reads them without the adapters."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from hkex_ops.model import IndexTick, JsonObject, format_tick, parse_published
from hkex_ops.ports import IndexFeed, IndexPublisher, Offer
from hkex_ops.testing import IndexFeedBench, IndexPublisherBench
from hkex_ops_basic import (
    JsonLinesFeedOptions,
    JsonLinesPublisherOptions,
    hkex_ops_index_feeds,
    hkex_ops_index_publishers,
)

__all__ = ["FileFeedBench", "FilePublisherBench", "open_files", "tick_lines"]


def open_files(path: Path) -> int:
    """How often this process has the file at ``path`` open."""
    links = Path("/proc/self/fd").iterdir()
    return sum(os.path.realpath(link) == str(path) for link in links)


def tick_lines(ticks: Sequence[IndexTick]) -> bytes:
    """The lines that ``ticks`` are in a file."""
    return "".join(f"{format_tick(tick)}\n" for tick in ticks).encode()


class FilePublisherBench(IndexPublisherBench):
    """The publisher ``json-lines``. The folder can vanish, the file be no file or grow no more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "published"
        self.folder.mkdir()
        self.file = self.folder / "ticks.jsonl"
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    @property
    def offer(self) -> Offer[IndexPublisher]:
        (offer,) = hkex_ops_index_publishers()
        return offer

    def options(self) -> JsonLinesPublisherOptions:
        return JsonLinesPublisherOptions(file=self.file)

    async def published(self) -> Sequence[IndexTick]:
        return [record for record in self._records() if isinstance(record, IndexTick)]

    async def events(self) -> Sequence[JsonObject]:
        return [record for record in self._records() if not isinstance(record, IndexTick)]

    def _records(self) -> list[IndexTick | JsonObject]:
        return [parse_published(line) for line in self.file.read_bytes().splitlines()]

    async def take_down(self) -> None:
        self.folder.rename(self._away)

    async def refuse(self) -> None:
        self.file.unlink()
        self.file.mkdir()

    async def fill_up(self) -> None:
        """Room for half a line."""
        room = self.file.stat().st_size + 100
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, self._limits[1]))

    async def bring_up(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        if self._away.exists():
            self._away.rename(self.folder)

    def visitors(self) -> int:
        return open_files(self.file)

    @property
    def _away(self) -> Path:
        return self.folder.with_name("away")


class FileFeedBench(IndexFeedBench):
    """The feed ``json-lines``, following."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "ticks.jsonl"

    @property
    def offer(self) -> Offer[IndexFeed]:
        (offer,) = hkex_ops_index_feeds()
        return offer

    def options(self) -> JsonLinesFeedOptions:
        return JsonLinesFeedOptions(file=self.file, start="new", follow=True)

    def options_to_the_end(self) -> JsonLinesFeedOptions:
        self.file.touch()
        return JsonLinesFeedOptions(file=self.file)

    def options_from_the_start(self) -> JsonLinesFeedOptions:
        return JsonLinesFeedOptions(file=self.file, follow=True)

    def options_from(self, at: datetime) -> JsonLinesFeedOptions:
        return JsonLinesFeedOptions(file=self.file, start=at.isoformat())

    async def put(self, ticks: Sequence[IndexTick]) -> None:
        self._add(tick_lines(ticks))

    async def put_nonsense(self) -> None:
        self._add(b"\x1b[2Jnonsense\n")

    def visitors(self) -> int:
        return open_files(self.file)

    def _add(self, lines: bytes) -> None:
        with self.file.open("ab") as file:
            file.write(lines)
