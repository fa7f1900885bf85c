"""The three systems of 2010, each a program of its own with two processes inside, run on the bytes.

Starts them, gives each what arrives by its own line, and reads what they computed and how they
ended. What they are is :mod:`~hkex_ops_simulator.hsil.old_system`'s.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from attrs import field, frozen

from hkex_ops.errors import ConfigError
from hkex_ops.model import JsonObject, SiteRole
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.hsil import old_system
from hkex_ops_simulator.hsil.anchors import INTERVAL_S
from hkex_ops_simulator.hsil.replayed import OPENING_DELAY_S, Replayed
from hkex_ops_simulator.market.lines import Delivery

__all__ = ["SYSTEMS", "OldSystem", "run_systems"]

# Name, site, and the line by which it captures for itself. Source: HSIL report, section 2 b.
SYSTEMS = (
    ("rti-1", SiteRole.PRIMARY, FeedLine.A),
    ("rti-2", SiteRole.PRIMARY, FeedLine.B),
    ("rti-3", SiteRole.SECONDARY, FeedLine.A),
)

# A system that neither ends nor stops is a fault of the toy.
_PATIENCE_S = 120


@frozen
class OldSystem:
    """How a system fared. ``stopped`` is why, nothing where it worked to the end; ``packets`` are
    those it took, ``ticks`` its values in cents by index and moment."""

    name: str
    site: SiteRole
    line: FeedLine
    exit_code: int
    stopped: str | None
    packets: int
    records: int
    out_of_sequence: int
    ticks: Mapping[tuple[str, int], int] = field(repr=False)

    def told(self) -> JsonObject:
        """The same as a row of evidence, without the ticks."""
        return {
            "system": self.name,
            "site": self.site.value,
            "line": self.line.value,
            "exit_code": self.exit_code,
            "stopped": self.stopped,
            "packets_taken": self.packets,
            "records": self.records,
            "out_of_sequence": self.out_of_sequence,
            "ticks": len(self.ticks),
        }


async def run_systems(
    day: Replayed, bytes_of: Callable[[FeedLine], Iterable[Delivery]]
) -> tuple[OldSystem, ...]:
    """Run all three on what ``bytes_of`` gives for their lines, each by itself, to their ends.

    `ConfigError` where this machine cannot start them.
    """
    settings = _settings(day)
    packets = {line: b"".join(one.packet for one in bytes_of(line)) for line in set(_lines())}
    runs = (_run(name, site, line, settings, packets[line]) for name, site, line in SYSTEMS)
    return tuple(await asyncio.gather(*runs))


def _lines() -> Iterable[FeedLine]:
    return (line for _, _, line in SYSTEMS)


def _settings(day: Replayed) -> str:
    """What every system is told when it starts."""
    settings: old_system.Settings = {
        "baskets": {
            index.code: {
                "previous_cents": index.previous_close_cents,
                "weights": {str(one.code): one.weight for one in index.members},
            }
            for index in day.universe.indexes
        },
        "closes_3dp": {str(code): close for code, close in day.universe.closes_3dp.items()},
        "interval_s": INTERVAL_S,
        "opening_delay_s": OPENING_DELAY_S,
    }
    return json.dumps(settings)


async def _run(
    name: str, site: SiteRole, line: FeedLine, settings: str, packets: bytes
) -> OldSystem:
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", old_system.__file__, settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise ConfigError(f"system {name} cannot be started here: {error.strerror}") from error
    try:
        async with asyncio.timeout(_PATIENCE_S):
            said, complaint = await process.communicate(packets)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    lines = [json.loads(line) for line in said.splitlines()]
    if not lines or "stopped" not in lines[-1]:
        raise ConfigError(
            f"system {name} ended without a word: {complaint.decode(errors='replace').strip()}"
        )
    *ticks, last = cast("list[dict[str, list[int]]]", lines)
    end = cast("dict[str, object]", last)
    return OldSystem(
        name,
        site,
        line,
        await process.wait(),
        cast("str | None", end["stopped"]),
        cast("int", end["packets"]),
        cast("int", end["records"]),
        cast("int", end["out_of_sequence"]),
        {(str(one["tick"][0]), one["tick"][1]): one["tick"][2] for one in ticks},
    )
