"""``hkex-ops simulator market``: a seeded market day, into a capture or out by multicast.

Reads the command line and shows what was made; everything else is done elsewhere in this package.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from attrs import frozen
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import Json, parse_business_date, system_clock
from hkex_ops.cli.text import say, say_count, say_size
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import UsageError
from hkex_ops.model import JsonObject
from hkex_ops_simulator.hsil.script import SCRIPTED_MESSAGES, WHOLE_DAY, ScriptedDay
from hkex_ops_simulator.market.broadcast import broadcast
from hkex_ops_simulator.market.channels import BASE_PORT, Feed
from hkex_ops_simulator.market.day import Day, MarketDay
from hkex_ops_simulator.market.shape import CALM, Faults, Shape
from hkex_ops_simulator.market.writing import NOTICE, WrittenMarket, write_market

__all__ = ["Lines", "market"]

_SHAPE, _FAULTS = Shape(), Faults()

_PPM = "Of a million packets, how many"


@frozen
class Lines:
    """What lines A and B do to packets, as options."""

    loss_a_ppm: Annotated[int, Parameter(help=f"{_PPM} line A loses.")] = _FAULTS.loss_a_ppm
    loss_b_ppm: Annotated[int, Parameter(help=f"{_PPM} line B loses.")] = _FAULTS.loss_b_ppm
    both_ppm: Annotated[int, Parameter(help=f"{_PPM} both lose.")] = _FAULTS.both_ppm
    duplicate_ppm: Annotated[int, Parameter(help=f"{_PPM} come twice.")] = _FAULTS.duplicate_ppm
    swap_ppm: Annotated[int, Parameter(help=f"{_PPM} are overtaken.")] = _FAULTS.swap_ppm
    resplit_ppm: Annotated[int, Parameter(help=f"{_PPM} line B splits otherwise.")] = (
        _FAULTS.resplit_ppm
    )
    calm: Annotated[
        bool, Parameter(negative="", help="Both lines carry everything, once and in order.")
    ] = False

    def faults(self) -> Faults:
        """The same as figures. `UsageError` for one that is none."""
        if self.calm:
            return CALM
        return Faults(
            loss_a_ppm=self.loss_a_ppm,
            loss_b_ppm=self.loss_b_ppm,
            both_ppm=self.both_ppm,
            duplicate_ppm=self.duplicate_ppm,
            swap_ppm=self.swap_ppm,
            resplit_ppm=self.resplit_ppm,
        )


_AS_EVER = Lines()


def market(
    *,
    out: Annotated[
        Path | None, Parameter(help="New capture, .pcap or .pcapng; its baskets go beside it.")
    ] = None,
    multicast: Annotated[
        Path | None,
        Parameter(help="Send it by multicast instead; new folder for configuration and baskets."),
    ] = None,
    speed: Annotated[int, Parameter(help="How many times as fast as the day it is sent.")] = 1,
    base_port: Annotated[
        int, Parameter(help="A channel goes to this port plus its number; 0: to any that is free.")
    ] = BASE_PORT,
    script: Annotated[
        Literal["hsil-2010"] | None,
        Parameter(help="A day by its script instead; of the figures below --seed alone holds."),
    ] = None,
    seed: Annotated[int, Parameter(help="Makes the day, the same one each time.")] = _SHAPE.seed,
    business_date: Annotated[
        date, Parameter(help="The day, which must be one with business.")
    ] = _SHAPE.business_date,
    securities: Annotated[int, Parameter(help="How many stocks.")] = _SHAPE.securities,
    groups: Annotated[int, Parameter(help="Groups of stocks, a channel each.")] = _SHAPE.groups,
    indexes: Annotated[int, Parameter(help="How many indexes, up to 47.")] = _SHAPE.indexes,
    messages: Annotated[int, Parameter(help="About how many messages.")] = _SHAPE.messages,
    minutes: Annotated[int, Parameter(help="Of continuous trading.")] = _SHAPE.minutes,
    interval_s: Annotated[int, Parameter(help="Between index values.")] = _SHAPE.interval_s,
    feed: Annotated[
        Feed, Parameter(help="Levels, trades and statistics, or every order and trade.")
    ] = _SHAPE.feed,
    out_of_sequence_ppm: Annotated[
        int, Parameter(help="Of a million trades, how many are told after the stock's next one.")
    ] = _SHAPE.out_of_sequence_ppm,
    lines: Annotated[Lines, Parameter(name="*")] = _AS_EVER,
    json: Json = False,
) -> Answer | None:
    """Make a seeded market day as OMD-C: a capture, or multicast on loopback.

    Definitions, session states with the matching indicator, auctions, orders, trades, index
    values and heartbeats, on two lines that lose and mix up some packets. Beside a capture lie
    the baskets of its indexes and what is true of it; a live market has a refresh of every
    channel, retransmission servers and the recovery channel too. All of it is SYNTHETIC.

    The script hsil-2010 is the whole of 22 January 2010: an out-of-sequence record right before
    the matching indicator, and the three published values to the cent.
    """
    # A day without business has no market: no basket, session or command would be about it.
    parse_business_date(business_date.isoformat(), load_calendar(), system_clock())
    day: Day = (
        ScriptedDay(seed, WHOLE_DAY)
        if script
        else MarketDay(
            Shape(
                seed=seed,
                business_date=business_date,
                securities=securities,
                groups=groups,
                indexes=indexes,
                messages=messages,
                minutes=minutes,
                interval_s=interval_s,
                feed=feed,
                out_of_sequence_ppm=out_of_sequence_ppm,
            )
        )
    )
    if (out is None) == (multicast is None):
        raise UsageError("a market day goes to one place: give --out FILE or --multicast FOLDER")
    faults = lines.faults()
    if out is None:
        assert multicast is not None, "one of the two"
        asyncio.run(broadcast(day, faults, multicast, base_port, speed, as_json=json))
        return None
    with _watching(SCRIPTED_MESSAGES if script else messages) as watch:
        written = write_market(day, faults, out, watch)
    return Answer(_document(day, written), lambda console: _show(console, day, written))


@contextmanager
def _watching(messages: int) -> Generator[Callable[[int], None]]:
    """A watcher that moves a bar on stderr through the day; nothing where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda messages: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("the day", total=messages)
        yield lambda messages: progress.update(task, completed=messages)


def _document(day: Day, written: WrittenMarket) -> JsonObject:
    return {
        "notice": NOTICE,
        "capture": str(written.capture),
        "baskets": str(written.baskets),
        "truth": str(written.truth),
        "size_bytes": written.size_bytes,
        **day.told(),
        "counts": dict(sorted(written.counts.items())),
    }


def _show(console: Console, day: Day, written: WrittenMarket) -> None:
    counts = written.counts
    say(console, f"{NOTICE}.")
    packets = say_count(counts["packets"], "packet")
    messages = say_count(counts["messages"], "message")
    say(
        console,
        f"{written.capture}: {messages} in {packets} and {counts['heartbeats']} heartbeats, twice, "
        f"{say_size(written.size_bytes)}",
    )
    for what in sorted(counts.keys() - {"packets", "messages", "heartbeats"}):
        say(console, f"  {counts[what]:>7}  packets {what}")
    say(console, f"{written.baskets}: {say_count(len(day.universe.indexes), 'basket')}")
    say(console, f"{written.truth}: what was generated, to hold a reader against")
