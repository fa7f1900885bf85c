"""Options by which the commands of ``hkex-ops index`` read a capture, and how it is read."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from attrs import evolve, frozen
from cyclopts import Parameter
from rich.console import Console

from hkex_ops.calendars import BusinessDay
from hkex_ops.cli.options import optional_settings
from hkex_ops.cli.text import say, say_count, say_size
from hkex_ops.config.baskets import load_baskets
from hkex_ops.config.index import IndexSettings
from hkex_ops.config.layouts import load_codec, spec_on
from hkex_ops.config.settings import Settings
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.flows.index.recomputing import CaptureReading, Recomputed, recompute
from hkex_ops.flows.index.replay import Progress
from hkex_ops.index.basket import Basket
from hkex_ops.index.names import index_code, index_name
from hkex_ops.model import IndexStatus
from hkex_ops.omd.capture import CaptureStreams

__all__ = [
    "BasketFile",
    "HowRead",
    "basket_file",
    "baskets_of_day",
    "capture_files",
    "read_captures",
    "reading_progress",
    "say_lacking",
]

TOLD_EVERY_BYTES = 256 << 20
"""Where no terminal shows it, there is a line for so much of a capture."""

CAPTURE_SUFFIXES = (".pcap", ".pcapng")
"""How the files of captures end that are looked for in a folder."""

_STREAMS = CaptureStreams()

BasketFile = Annotated[
    Path | None,
    Parameter(name="--baskets", help="The baskets of that date; else the configuration's."),
]


@Parameter(name="*")
@frozen
class HowRead:
    """How a capture is read."""

    interval: Annotated[
        int | None, Parameter(help="Seconds from tick to tick; else the configuration's.")
    ] = None
    spec: Annotated[
        str | None, Parameter(help="Version of the messages; else the one of the date.")
    ] = None
    base_port: Annotated[
        int, Parameter(help="The channel of an address is its port less this.")
    ] = _STREAMS.base_port
    line_b: Annotated[str, Parameter(help="How groups of line B begin.")] = _STREAMS.line_b

    def reading(self, day: date, config: Path | None) -> CaptureReading:
        """The reading of a capture of ``day``."""
        settings = optional_settings(config)
        rules = (settings.index if settings else IndexSettings()).rules
        if self.interval is not None:
            if self.interval < 1:
                raise UsageError(f"--interval {self.interval} is no distance between ticks")
            rules = evolve(rules, interval_s=self.interval)
        codec = load_codec(self.spec or _spec_of(day, settings))
        return CaptureReading(codec, rules, CaptureStreams(self.base_port, self.line_b))


def _spec_of(day: date, settings: Settings | None) -> str:
    """The version that was in force on ``day``. Of a day before the feed there is no capture but a
    synthetic one, which is written in the version that the configuration names."""
    try:
        return spec_on(day)
    except UsageError:
        return (settings.index if settings else IndexSettings()).specification


def basket_file(path: Path | None, config: Path | None) -> Path:
    """The basket file that was named, or the configuration's; `UsageError` without one."""
    settings = None if path is not None else optional_settings(config)
    found = path or (settings.index.baskets if settings else None)
    if found is None:
        raise UsageError("a capture says nothing of weights: name --baskets FILE")
    return found


def baskets_of_day(path: Path, day: date, wanted: Collection[str] = ()) -> tuple[Basket, ...]:
    """The baskets in ``path``, of the ``wanted`` indexes only where any are named.

    `ConfigError` when they are for another date, `UsageError` when an index is not among them.
    """
    baskets = load_baskets(path)
    faults = [
        Fault(
            f"baskets[{place}].business_date",
            f"is {basket.business_date}, and what is asked for is of {day}: name that date's file",
        )
        for place, basket in enumerate(baskets)
        if basket.business_date != day
    ]
    if faults:
        raise ConfigError(faults[:1], document=str(path))
    codes = {index_code(one) for one in wanted}
    known = {basket.index for basket in baskets}
    for code in sorted(codes - known):
        names = ", ".join(index_name(one) for one in sorted(known))
        raise UsageError(f"{path} has no basket of {index_name(code)}; it has {names}")
    return tuple(one for one in baskets if not codes or one.index in codes)


def capture_files(captures: Sequence[Path]) -> tuple[Path, ...]:
    """The captures that were named; of a folder, as `index record` fills one, those in it by name.

    `ConfigError` for a folder without any.
    """
    found: list[Path] = []
    for path in captures:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(one for one in path.iterdir() if one.suffix in CAPTURE_SUFFIXES)
        if not inside:
            raise ConfigError("is a folder without a capture: name another", document=str(path))
        found += inside
    return tuple(found)


def read_captures(
    captures: Sequence[Path],
    baskets: Sequence[Basket],
    day: BusinessDay,
    reading: CaptureReading,
    *,
    start: datetime | None = None,
    until: datetime | None = None,
    statuses: Collection[IndexStatus] = frozenset(IndexStatus),
) -> Recomputed:
    """What the captures give, with progress on stderr."""
    with reading_progress() as watch:
        return recompute(
            capture_files(captures),
            baskets,
            day,
            reading,
            start=start,
            until=until,
            statuses=statuses,
            watch=watch,
        )


def say_lacking(found: Recomputed, console: Console) -> None:
    """What is wrong with the capture, and what was taken from elsewhere."""
    for one in found.lacking:
        many = say_count(one.end - one.begin + 1, "message")
        say(console, f"the capture lacks {many} of channel {one.channel}, from {one.begin}")
    if found.refused:
        say(console, f"{say_count(found.refused, 'packet')} of the capture could not be read")
    if not found.told_sessions:
        say(console, "the capture tells no trading session: the calendar's hours were taken")


@contextmanager
def reading_progress() -> Generator[Progress]:
    """A watcher that shows on a terminal how far it is, and elsewhere tells now and then."""
    console = Console(stderr=True, highlight=False)
    if console.is_terminal:
        with console.status("reading") as status:
            yield lambda path, read, size_bytes: status.update(
                f"{path.name}: {say_size(read)} of {say_size(size_bytes)}"
            )
        return
    told: dict[Path, int] = {}

    def tell(path: Path, read: int, size_bytes: int) -> None:
        if read - told.get(path, 0) >= TOLD_EVERY_BYTES:
            told[path] = read
            say(console, f"{path.name}: {say_size(read)} of {say_size(size_bytes)} read")

    yield tell
