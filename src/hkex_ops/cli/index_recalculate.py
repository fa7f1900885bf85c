"""``hkex-ops index recalculate``: what an index would have been, beside what was shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

from attrs import evolve, frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import BusinessDay
from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.index_captures import (
    BasketFile,
    HowRead,
    basket_file,
    baskets_of_day,
    read_captures,
    say_lacking,
)
from hkex_ops.cli.index_facts import say_fact
from hkex_ops.cli.index_options import moment_on
from hkex_ops.cli.index_ticks import trading_day
from hkex_ops.cli.options import Config, Json, calendar_of, system_clock
from hkex_ops.cli.text import say, say_count
from hkex_ops.config.baskets import load_baskets
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.index.recomputing import Recomputed
from hkex_ops.flows.index.restating import PageWords, page_of, side_by_side, write_restatement
from hkex_ops.flows.index.told_ticks import events_in, is_run, ticks_in
from hkex_ops.index.basket import Basket
from hkex_ops.index.names import index_name
from hkex_ops.index.restatement import Restatement, restatement
from hkex_ops.model import IndexStatus, IndexTick, JsonObject, TickKind, plain
from hkex_ops.render.chart import ChartEvent, Level

__all__ = ["recalculate"]

MOST_EVENTS = 30
"""Events that the page numbers; with more nobody could tell them apart."""

_NUMBERED = frozenset(
    {
        "gateway-state-changed",
        "index-moved-again",
        "index-unchanged",
        "message-quarantined",
        "mode-changed",
        "opening-came",
        "opening-late",
        "process-died",
        "process-failed",
        "process-hung",
        "publication-resumed",
    }
)
"""What belongs on the line of time; the journal tells the rest."""

_TICKS = (".jsonl", ".ndjson")


def recalculate(
    *captures: Path,
    baskets: BasketFile = None,
    from_: Annotated[
        str | None, Parameter(name="--from", help="Where the stretch begins; else with the day.")
    ] = None,
    to: Annotated[str | None, Parameter(help="Its last moment; else the day's end.")] = None,
    shown: Annotated[
        tuple[Path, ...],
        Parameter(help="What was published: ticks as JSON lines, or a run's folder; again."),
    ] = (),
    index: Annotated[
        tuple[str, ...], Parameter(help="Only this index, by name or code; again for more.")
    ] = (),
    out: Annotated[
        tuple[Path, ...],
        Parameter(help="A new file for the values: .csv, .jsonl or .parquet; again for more."),
    ] = (),
    page: Annotated[
        Path | None, Parameter(help="A new HTML page of the first index, which opens offline.")
    ] = None,
    call_level: Annotated[
        str | None, Parameter(help="A value that the page draws across, such as a call level.")
    ] = None,
    how: HowRead = HowRead(),  # noqa: B008
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Compute the ticks of a stretch of a day again, and lay them beside what was shown.

    From captures of the market feed, or from the folder of another run whose journal holds that
    stretch. Every tick is marked as recalculated and has the day's high and low at its moment. A
    bare time of day is one of the baskets' date. Exits 1 when a tick was missing or different, 0
    when nothing changes.

    Parameters
    ----------
    captures
        pcap or pcapng files of the day, in order of time; or folders of runs.
    """
    if not captures:
        raise UsageError("there is nothing to recalculate from: name a capture, or a run's folder")
    asked = _asked(captures, basket_file(baskets, config), from_, to, index, config)
    level = None if call_level is None else _level(call_level)
    computed, capture = _computed(captures, asked, how, config)
    seen = [one for one in ticks_in(shown) if one.index in asked.indexes]
    found = restatement(computed, seen, start=asked.start, until=asked.until)
    if not found.ticks:
        raise UsageError(
            f"there is no value from {asked.start:%H:%M:%S} to {asked.until:%H:%M:%S}: values are "
            "computed in continuous trading only, and only where the source reaches"
        )
    answer = _Found(asked, found, capture, _strays(found, seen), bool(shown))
    pages: dict[Path, str] = {}
    if page is not None:
        pages[page] = _page(answer, seen, level, tuple(_events(shown)))
    write_restatement(found, out, pages)
    written = (*out, *pages)
    return Answer(
        _document(answer, written) if json else {},
        lambda console: _render(answer, written, console),
        ExitCode.FINDINGS if answer.findings else ExitCode.DONE,
    )


@frozen
class _Asked:
    """What is to be computed."""

    day: BusinessDay
    start: datetime
    until: datetime
    baskets: tuple[Basket, ...]

    @property
    def indexes(self) -> frozenset[str]:
        return frozenset(basket.index for basket in self.baskets)


@frozen
class _Found:
    """Everything that the command answers. ``strays`` counts values that were shown of moments
    that have none here."""

    asked: _Asked
    restatement: Restatement
    capture: Recomputed | None
    strays: int
    compared: bool

    @property
    def findings(self) -> bool:
        found = self.restatement
        lossy = self.capture is not None and not self.capture.whole
        return bool(found.missing or found.different or self.strays or lossy)


def _asked(
    captures: Sequence[Path],
    path: Path,
    from_: str | None,
    to: str | None,
    index: Sequence[str],
    config: Path | None,
) -> _Asked:
    whole = load_baskets(path)
    if not whole:
        raise ConfigError("holds no basket: there is nothing to compute", document=str(path))
    own = whole[0].business_date
    start = moment_on(own, "00:00:00" if from_ is None else from_, "--from")
    until = moment_on(own, "23:59:59" if to is None else to, "--to")
    if until < start:
        raise UsageError(f"the stretch ends at {until.isoformat()}, before {start.isoformat()}")
    if start.date() != until.date():
        raise UsageError("a stretch is of one day: ask for one day after the other")
    day = trading_day(start.date().isoformat(), calendar_of(config), system_clock())
    return _Asked(day, start, until, baskets_of_day(path, start.date(), index))


def _level(text: str) -> Decimal:
    try:
        level = Decimal(text)
    except InvalidOperation:
        level = Decimal("NaN")
    if not math.isfinite(level):
        raise UsageError(f"--call-level {text!r} is no number; write it as 20500")
    return level


def _computed(
    captures: Sequence[Path], asked: _Asked, how: HowRead, config: Path | None
) -> tuple[Sequence[IndexTick], Recomputed | None]:
    """The ticks of the stretch, from captures or from other runs."""
    kept = [path for path in captures if is_run(path) or path.suffix in _TICKS]
    if not kept:
        reading = how.reading(asked.day.date, config)
        found = read_captures(
            captures,
            asked.baskets,
            asked.day,
            reading,
            start=asked.start,
            until=asked.until,
            statuses={IndexStatus.REAL_TIME},
        )
        return found.ticks, found
    if len(kept) < len(captures):
        raise UsageError("name captures, or runs, and not both: they would say everything twice")
    first: dict[tuple[str, datetime], IndexTick] = {}
    for tick in ticks_in(kept):
        if tick.kind is not TickKind.CONTINGENCY and tick.index in asked.indexes and not tick.stale:
            first.setdefault((tick.index, tick.at), evolve(tick, kind=TickKind.RECALCULATED))
    return sorted(first.values(), key=lambda one: one.at), None


def _strays(found: Restatement, shown: Iterable[IndexTick]) -> int:
    known = {(tick.index, tick.at) for tick in found.ticks}
    return len(
        {
            (tick.index, tick.at)
            for tick in shown
            if found.start <= tick.at <= found.until
            and tick.kind is TickKind.REAL_TIME
            and tick.status is IndexStatus.REAL_TIME
        }
        - known
    )


# -- the page ------------------------------------------------------------------------------------


def _page(
    found: _Found,
    shown: Sequence[IndexTick],
    level: Decimal | None,
    events: tuple[ChartEvent, ...],
) -> str:
    basket = found.asked.baskets[0]
    made_up = "SYNTHETIC" in basket.name.upper()
    start, until = found.asked.start, found.asked.until
    words = PageWords(
        f"{index_name(basket.index)} on {found.asked.day.date}, {start:%H:%M:%S} to "
        f"{until:%H:%M:%S} recalculated",
        "Stocks, weights and prices are SYNTHETIC: nothing here is of an exchange." * made_up,
        () if level is None else (Level(level, "call level"),),
        events,
    )
    return page_of(found.restatement, basket.index, shown, words)


def _events(shown: Sequence[Path]) -> Iterator[ChartEvent]:
    """What happened, as runs and files tell it."""
    told = [
        (at, words)
        for at, one in events_in(shown)
        if one["event"] in _NUMBERED and (words := say_fact(one)) is not None
    ]
    told.sort(key=lambda one: one[0])
    for number, (at, words) in enumerate(told[:MOST_EVENTS], start=1):
        yield ChartEvent(number, at, words)


# -- for programs --------------------------------------------------------------------------------


def _document(found: _Found, written: Sequence[Path]) -> JsonObject:
    told, capture = found.restatement, found.capture
    return {
        "date": found.asked.day.date.isoformat(),
        "from": found.asked.start.isoformat(),
        "to": found.asked.until.isoformat(),
        "ticks": [
            {
                "index": tick.index,
                "time": tick.at.isoformat(),
                "value": str(tick.value),
                "high": plain(tick.high),
                "low": plain(tick.low),
                "kind": tick.kind.value,
                "published": plain(row.published),
                "contingency": plain(row.contingency),
                "difference": plain(row.difference),
            }
            for tick, row in side_by_side(told)
        ],
        "missing": len(told.missing),
        "different": len(told.different),
        "strays": found.strays,
        "extremes": [plain(one) for one in told.extremes],
        "lacking": [plain(one) for one in capture.lacking] if capture else [],
        "refused": capture.refused if capture else 0,
        "files": [str(path) for path in written],
    }


# -- for a person --------------------------------------------------------------------------------


def _render(found: _Found, written: Sequence[Path], console: Console) -> None:
    told = found.restatement
    say(
        console,
        f"{found.asked.day.date}: {say_count(len(told.ticks), 'tick')} recalculated, "
        f"{told.ticks[0].at:%H:%M:%S} to {told.ticks[-1].at:%H:%M:%S}",
    )
    if not found.compared:
        say(console, "Nothing was named as shown (--shown), so every one counts as missing.")
    elif found.findings:
        mailed = sum(row.contingency is not None for row in told.missing)
        also = f", {mailed} of them mailed as contingency values" if mailed else ""
        say(
            console,
            f"{len(told.missing)} were not published{also}; {len(told.different)} were shown "
            "otherwise",
        )
    else:
        say(console, "Everything was published, and nothing changes.")
    if found.strays:
        say(
            console,
            f"{say_count(found.strays, 'value')} stood at moments that have none here: is "
            "--interval right?",
        )
    if found.capture is not None:
        say_lacking(found.capture, console)
    for one in told.extremes[:_SHOWN]:
        say(
            console,
            f"high {one.high} at {one.high_at:%H:%M:%S}, low {one.low} at {one.low_at:%H:%M:%S}",
            lead=f"  {index_name(one.index)}  ",
        )
    if len(told.extremes) > _SHOWN:
        say(console, f"and {len(told.extremes) - _SHOWN} more indexes", indent=2)
    for path in written:
        say(console, f"Written: {path}")


_SHOWN = 10
