"""A run as it is to be, before any process of it is started: everything named, looked up and read.

Whatever can be wrong with a command line, a configuration or a basket file is said here, in one
sentence each, so that a run which starts has what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from attrs import frozen

from hkex_ops.config.baskets import load_baskets
from hkex_ops.config.settings import Settings
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.index.adapters import (
    Configured,
    configured_market_feed,
    configured_publishers,
)
from hkex_ops.flows.index.board import MOST_PROCESSES
from hkex_ops.index.basket import Basket
from hkex_ops.model import SiteRole
from hkex_ops.plugins import Plugins
from hkex_ops.ports import IndexPublisher, MarketFeed

__all__ = ["RunPlan", "Seat", "baskets_of", "plan_run", "run_folder"]


@frozen
class Seat:
    """A place for a process: its name, its number on the board, its site."""

    name: str
    number: int
    site: SiteRole


@frozen
class RunPlan:
    """One run: who computes, from which feed, to which publishers, in which folder."""

    settings: Settings
    engines: tuple[Seat, ...]
    contingency: tuple[Seat, ...]
    feed: Configured[MarketFeed]
    publishers: tuple[Configured[IndexPublisher], ...]
    baskets: Sequence[Basket]
    baskets_file: Path
    folder: Path

    @property
    def business_date(self) -> date:
        """The date that the baskets are of."""
        return self.baskets[0].business_date

    @property
    def engine_sites(self) -> Mapping[str, SiteRole]:
        """The engines by name."""
        return {seat.name: seat.site for seat in self.engines}

    @property
    def contingency_sites(self) -> Mapping[str, SiteRole]:
        """The contingency systems by name."""
        return {seat.name: seat.site for seat in self.contingency}


def plan_run(
    settings: Settings,
    plugins: Plugins,
    business_date: date,
    *,
    engines: int | None = None,
    feed: str | None = None,
    publish: Sequence[str] = (),
    baskets: Path | None = None,
    folder: Path | None = None,
) -> RunPlan:
    """The run that ``settings`` and the words of a command line name; words win.

    Raises `UsageError` for unknown names and impossible numbers, `ConfigError` for what a file
    lacks or has wrong, `PluginError` for an adapter that is not in use.
    """
    index = settings.index
    names = tuple(publish) or index.publish
    if not names:
        raise UsageError(
            "nothing would be published: name publishers with --publish, or under [index] publish"
        )
    seats = _seats(settings, engines)
    chosen = configured_market_feed(settings, plugins, feed or index.feed)
    publishers = configured_publishers(settings, plugins, names)
    file, read = baskets_of(settings, business_date, baskets)
    return RunPlan(
        settings,
        *seats,
        chosen,
        publishers,
        read,
        file,
        run_folder(settings, business_date, folder),
    )


def baskets_of(
    settings: Settings, business_date: date, baskets: Path | None
) -> tuple[Path, tuple[Basket, ...]]:
    """The basket file to use and its baskets; `ConfigError` unless they are of that date."""
    file = baskets or settings.index.baskets
    if file is None:
        raise ConfigError(
            "names no basket file: give --baskets FILE, or set baskets under [index]",
            document=str(settings.path),
        )
    read = load_baskets(file)
    if read[0].business_date != business_date:
        raise ConfigError(
            f"is of {read[0].business_date}, and the business date is {business_date}: name that "
            "day's baskets, or give --business-date",
            document=str(file),
        )
    return file, read


def run_folder(settings: Settings, business_date: date, folder: Path | None) -> Path:
    """Where the run of a business date keeps what must outlive it."""
    base = folder or settings.index.folder
    if base is None:
        raise ConfigError(
            "names no folder for runs: give --folder, or set folder under [index]",
            document=str(settings.path),
        )
    return base / business_date.isoformat()


def _seats(settings: Settings, engines: int | None) -> tuple[tuple[Seat, ...], tuple[Seat, ...]]:
    run = settings.index.run
    count = len(run.engine_sites) if engines is None else engines
    most = MOST_PROCESSES - len(run.contingency_sites)
    if not 1 <= count <= most:
        raise UsageError(f"{count} engines cannot be run: 1 to {most} can, 3 are usual")
    sites = run.engine_sites
    first = tuple(
        Seat(f"engine-{number + 1}", number, sites[number % len(sites)]) for number in range(count)
    )
    second = tuple(
        Seat(f"contingency-{place + 1}", count + place, site)
        for place, site in enumerate(run.contingency_sites)
    )
    return first, second
