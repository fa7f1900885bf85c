"""A simulated day written down: the capture, its baskets, and what is true of it.

Three files side by side under one name. None is ever overwritten, and none is half a file under
its own name: each is written as NAME.partial and gets its name when it is whole.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from attrs import asdict, frozen

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.model import JsonObject
from hkex_ops_simulator.market.baskets import baskets_text
from hkex_ops_simulator.market.capture import SUFFIXES, pcap, pcapng
from hkex_ops_simulator.market.day import Day
from hkex_ops_simulator.market.lines import Delivery, Lines
from hkex_ops_simulator.market.packing import Packer
from hkex_ops_simulator.market.shape import Faults

__all__ = ["NOTICE", "WrittenMarket", "deliveries_of", "write_market", "written_beside"]

NOTICE = "SYNTHETIC market day, invented from a seed; nothing in it is of any exchange"

# Pieces this large go to the disk together.
_BUFFER_BYTES = 1 << 20

Watch = Callable[[int], None]


@frozen
class WrittenMarket:
    """What was written where. ``counts`` says how often what happened on the lines."""

    capture: Path
    baskets: Path
    truth: Path
    counts: Counter[str]
    size_bytes: int


def deliveries_of(day: Day, lines: Lines) -> Iterator[Delivery]:
    """What arrives of a day on both lines, in order of arrival."""
    return lines.deliver(Packer(load_codec().encode_message).whole(day.sent()))


def write_market(
    day: Day, faults: Faults, out: Path, watch: Watch = lambda messages: None
) -> WrittenMarket:
    """Write ``day`` to ``out``, its baskets and its truth beside it.

    ``watch`` is told how many messages there were so far, again and again. `StoreError` when a
    file is there already or the folder cannot be written, `UsageError` for a name that no capture
    has.
    """
    if out.suffix not in SUFFIXES:
        raise UsageError(f"{out} is no name of a capture: let it end in {' or '.join(SUFFIXES)}")
    baskets, truth = written_beside(out)
    for path in (out, baskets, truth):
        if path.exists():
            raise StoreError("is there already and is never overwritten", path=str(path))
    lines = Lines(faults, day.seed)

    def watched() -> Iterator[Delivery]:
        for one in deliveries_of(day, lines):
            watch(lines.counts["messages"])
            yield one

    as_ng = out.suffix == ".pcapng"
    size_bytes = _write(out, pcapng(watched(), NOTICE) if as_ng else pcap(watched()))
    text = baskets_text(day.universe, day.business_date)
    _write(baskets, [text.encode()])
    _write(truth, [json.dumps(_truth(day, faults, lines.counts), indent=1).encode() + b"\n"])
    return WrittenMarket(out, baskets, truth, lines.counts, size_bytes)


def written_beside(out: Path) -> tuple[Path, Path]:
    """The paths of the baskets and of the truth that belong to a capture."""
    return out.with_suffix(".baskets.toml"), out.with_suffix(".json")


def _truth(day: Day, faults: Faults, counts: Counter[str]) -> JsonObject:
    """What was generated, so that whoever reads the capture can be held against it."""
    return {
        "notice": NOTICE,
        **day.told(),
        "faults": asdict(faults),
        "channels": list(day.channels),
        "counts": dict(sorted(counts.items())),
        "published": [list(one) for one in day.published],
    }


def _write(path: Path, pieces: Iterable[bytes]) -> int:
    """Write a new file whole, or leave nothing; how many bytes it has."""
    partial = path.with_name(f"{path.name}.partial")
    size_bytes = 0
    try:
        with partial.open("xb", buffering=_BUFFER_BYTES) as file:
            try:
                for piece in pieces:
                    size_bytes += file.write(piece)
            except BaseException:
                partial.unlink()
                raise
        os.rename(partial, path)
    except FileExistsError:
        message = "is in the way, left by somebody: move it away or remove it"
        raise StoreError(message, path=str(partial)) from None
    except OSError as error:
        message = f"the market day cannot be written: {error.strerror}"
        raise StoreError(message, path=str(path)) from error
    return size_bytes
