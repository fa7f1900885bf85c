"""``hkex-ops index watch``: index values as they come, as a table that is redrawn or as lines."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from attrs import define, field
from cyclopts import Parameter
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hkex_ops.cli.answer import ExitCode
from hkex_ops.cli.index_facts import say_fact
from hkex_ops.cli.index_options import BusinessDay, JsonLines, RunFolder, run_folder_of
from hkex_ops.cli.logs import configure_logs
from hkex_ops.cli.options import Config, Verbose, config_path, system_clock
from hkex_ops.cli.text import printable
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import UsageError
from hkex_ops.flows.index.adapters import configured_index_feed
from hkex_ops.flows.index.watching import follow, watch_feed, watch_run
from hkex_ops.model import IndexTick, JsonObject, TickKind, format_tick
from hkex_ops.plugins import Plugins

__all__ = ["watch"]

FACTS_SHOWN = 6
"""How many of a run's latest facts stand below the table."""

REDRAWS_PER_S = 4


def watch(
    *,
    feed: Annotated[
        str | None,
        Parameter(help="The [index_feeds.NAME] to hear; else the run that is under way."),
    ] = None,
    count: Annotated[int | None, Parameter(help="End after so many ticks.")] = None,
    folder: RunFolder = None,
    business_date: BusinessDay = None,
    config: Config = None,
    verbose: Verbose = False,
    json: JsonLines = False,
) -> ExitCode:
    """Show index values as they come: the newest of every index in a table that is redrawn.

    Where stdout is no terminal there is a line for each tick. Goes on until the feed or the run
    ends, or until Ctrl-C, which is no fault.
    """
    configure_logs(verbose=verbose, as_json=json)
    if count is not None and count < 1:
        raise UsageError(f"{count} ticks are nothing to watch: ask for at least one")
    settings = load_settings(config_path(config))
    if feed is None:
        told = watch_run(run_folder_of(settings, folder, business_date, system_clock()))
    else:
        plugins = Plugins.load(block=settings.plugins.block)
        told = watch_feed(configured_index_feed(settings, plugins, feed))
    console = Console(highlight=False)
    # Nothing is left unfinished by whoever has seen enough.
    with suppress(KeyboardInterrupt):
        if console.is_terminal and not json:
            board = _Board()
            with Live(
                console=console, refresh_per_second=REDRAWS_PER_S, get_renderable=board.drawn
            ):
                asyncio.run(follow(told, board.take, board.hear, count=count))
        else:
            say = format_tick if json else _line
            asyncio.run(follow(told, lambda tick: _write(say(tick)), count=count))
    return ExitCode.DONE


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _line(tick: IndexTick) -> str:
    return (
        f"{tick.at:%H:%M:%S}  {printable(tick.index):<8}{tick.value:>12}  "
        f"{tick.status.value or '-'}  {_remark(tick)}"
    ).rstrip()


def _remark(tick: IndexTick) -> str:
    """What should be known of a tick beside its value; words, for colour decides nothing."""
    words: list[str] = []
    if tick.kind is not TickKind.REAL_TIME:
        words.append(tick.kind.value)
    if tick.stale:
        words.append(f"stale: {len(tick.stale)}")
    return ", ".join(words)


@define
class _Board:
    """The newest tick of every index, and the latest facts of a run."""

    newest: dict[str, IndexTick] = field(factory=dict[str, IndexTick])
    facts: list[str] = field(factory=list[str])

    def take(self, tick: IndexTick) -> None:
        """Keep a tick in the place of the one before it."""
        self.newest[tick.index] = tick

    def hear(self, event: JsonObject) -> None:
        """Keep the fact that an event of a run is, if it is one for a person."""
        sentence = say_fact(event)
        if sentence is not None:
            at = datetime.fromisoformat(str(event["at"]))
            self.facts.append(f"{at:%H:%M:%S} {printable(sentence)}")
            del self.facts[:-FACTS_SHOWN]

    def drawn(self) -> Table:
        """Everything as one table, which has room on 80 columns."""
        whole = Table.grid()
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        for name in ("index", "at"):
            table.add_column(name)
        for name in ("value", "change", "high", "low"):
            table.add_column(name, justify="right")
        table.add_column("", no_wrap=True)
        for index in sorted(self.newest):
            tick = self.newest[index]
            table.add_row(
                Text(printable(index)),
                f"{tick.at:%H:%M:%S}",
                str(tick.value),
                _change(tick),
                _figure(tick.high),
                _figure(tick.low),
                f"{tick.status.value} {_remark(tick)}".strip(),
            )
        whole.add_row(table)
        for fact in self.facts:
            whole.add_row(Text(fact, overflow="ellipsis", no_wrap=True))
        return whole


def _change(tick: IndexTick) -> str:
    return "" if tick.previous_close is None else f"{tick.value - tick.previous_close:+}"


def _figure(figure: Decimal | None) -> str:
    return "" if figure is None else str(figure)
