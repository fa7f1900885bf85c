"""Where the commands that hang on index values take their ticks from, and how it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeVar

from cyclopts import Parameter

from hkex_ops.calendars import BusinessDay, Calendar
from hkex_ops.cli.options import config_path, parse_day
from hkex_ops.clock import Clock
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import UsageError
from hkex_ops.flows.index.adapters import configured_index_feed
from hkex_ops.flows.index.consuming import Consumer, consume, follow
from hkex_ops.flows.index.told_ticks import ticks_in
from hkex_ops.model import IndexTick
from hkex_ops.plugins import Plugins

__all__ = ["FromFeed", "TickFiles", "TickSources", "take_ticks", "trading_day"]

E = TypeVar("E")

TickFiles = Annotated[
    tuple[Path, ...],
    Parameter(
        name="--ticks",
        help="A file of ticks (JSON lines) or a run's folder; again for more of them.",
    ),
]
FromFeed = Annotated[
    str | None,
    Parameter(name="--feed", help="An [index_feeds.NAME] to follow after that, until it ends."),
]


class TickSources:
    """The files and the feed that a command line names. `UsageError` when it names neither."""

    def __init__(self, files: Sequence[Path], feed: str | None, config: Path | None) -> None:
        if not files and feed is None:
            raise UsageError(
                "there is nothing to read ticks from: name --ticks FILE, --feed NAME, or both"
            )
        self.files = tuple(files)
        self.feed = feed
        self.config = config


def take_ticks(
    consumers: Iterable[Consumer[E]],
    sources: TickSources,
    clock: Clock,
    watch: Callable[[E], None],
    *,
    wanted: Callable[[IndexTick], bool],
    now: datetime,
) -> int:
    """Give the consumers every wanted tick of the sources; how many there were.

    A feed is followed until it ends or Ctrl-C, which is an end like any other here.
    """
    machines = tuple(consumers)
    taken = consume(machines, (one for one in ticks_in(sources.files) if wanted(one)), now, watch)
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
