"""Where the commands that hang on index values take their ticks from, and how it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeVar

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import BusinessDay, Calendar
from hkex_ops.cli.index_captures import (
    HowRead,
    basket_file,
    baskets_of_day,
    read_captures,
    say_lacking,
)
from hkex_ops.cli.options import config_path, parse_day
from hkex_ops.clock import Clock
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import UsageError
from hkex_ops.flows.index.adapters import configured_index_feed
from hkex_ops.flows.index.consuming import Consumer, consume, follow
from hkex_ops.flows.index.told_ticks import ticks_in
from hkex_ops.index.names import index_name
from hkex_ops.model import IndexTick
from hkex_ops.plugins import Plugins

__all__ = ["Captures", "FromFeed", "TickFiles", "TickSources", "take_ticks", "trading_day"]

E = TypeVar("E")

TickFiles = Annotated[
    tuple[Path, ...],
    Parameter(
        name="--ticks",
        help="A file of ticks (JSON lines) or a run's folder; again for more of them.",
    ),
]
Captures = Annotated[
    tuple[Path, ...],
    Parameter(
        name="--capture",
        help="A capture of the market feed, recalculated with --baskets; again for more of them.",
    ),
]
FromFeed = Annotated[
    str | None,
    Parameter(name="--feed", help="An [index_feeds.NAME] to follow after that, until it ends."),
]


@frozen
class TickSources:
    """The files, captures and feed that a command line names.

    `UsageError` when it names none of them.
    """

    files: tuple[Path, ...]
    captures: tuple[Path, ...]
    feed: str | None
    baskets: Path | None
    how: HowRead
    config: Path | None

    def __attrs_post_init__(self) -> None:
        if not self.files and not self.captures and self.feed is None:
            raise UsageError(
                "there is nothing to read ticks from: name --ticks FILE, --capture FILE, --feed "
                "NAME, or several of them"
            )

    def kept(self, day: BusinessDay, indexes: Collection[str]) -> Iterator[IndexTick]:
        """The ticks of the files, and those of ``indexes`` that the captures give."""
        yield from ticks_in(self.files)
        if not self.captures:
            return
        path = basket_file(self.baskets, self.config)
        baskets = [one for one in baskets_of_day(path, day.date) if one.index in indexes]
        if not baskets:
            names = ", ".join(index_name(one) for one in sorted(indexes))
            raise UsageError(f"{path} has no basket of {names}, which the capture is needed for")
        reading = self.how.reading(day.date, self.config)
        found = read_captures(self.captures, baskets, day, reading)
        say_lacking(found, Console(stderr=True, highlight=False))
        yield from found.ticks


def take_ticks(
    consumers: Iterable[Consumer[E]],
    sources: TickSources,
    clock: Clock,
    watch: Callable[[E], None],
    *,
    day: BusinessDay,
    indexes: Collection[str],
    wanted: Callable[[IndexTick], bool],
    now: datetime,
) -> int:
    """Give the consumers every wanted tick of the sources; how many there were.

    A feed is followed until it ends or Ctrl-C, which is an end like any other here.
    """
    machines = tuple(consumers)
    kept = (one for one in sources.kept(day, indexes) if wanted(one))
    taken = consume(machines, kept, now, watch)
    if sources.feed is None:
        return taken
    settings = load_settings(config_path(sources.config))
    plugins = Plugins.load(block=settings.plugins.block)
    feed = configured_index_feed(settings, plugins, sources.feed)
    try:
        return taken + asyncio.run(follow(machines, feed, clock, watch, wanted=wanted))
    except KeyboardInterrupt:
        return taken


def trading_day(text: str | None, calendar: Calendar, clock: Clock) -> BusinessDay:
    """The trading day that was named, or today; `UsageError` when it is none."""
    day: date = clock.now().date() if text is None else parse_day(text)
    found = calendar.day(day)
    if not found.trading:
        last = calendar.previous_business_day(day)
        raise UsageError(
            f"{day} is no trading day ({found.name}); the last one before it is {last}"
        )
    return found
