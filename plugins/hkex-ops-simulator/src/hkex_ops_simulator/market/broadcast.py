"""A market sent live by a command: says where it is heard, and goes on to the end of its day.

Makes a folder with what a second terminal needs, the configuration of a market feed and the
baskets, and sends until the day is over, or Ctrl-C or SIGTERM ends it.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import sys
from pathlib import Path

from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.model import JsonObject, SiteRole
from hkex_ops_simulator.configuration import CONFIGURATION_NAME
from hkex_ops_simulator.market.baskets import baskets_text
from hkex_ops_simulator.market.channels import GROUPS, RECOVERY, port_of
from hkex_ops_simulator.market.configuration import feed_text
from hkex_ops_simulator.market.day import Day
from hkex_ops_simulator.market.live import LiveMarket, LiveOptions
from hkex_ops_simulator.market.shape import Faults
from hkex_ops_simulator.market.writing import NOTICE

__all__ = ["BASKETS_NAME", "broadcast"]

BASKETS_NAME = "baskets.toml"

_MOST_SPEED = 100_000
_ENDS = (signal.SIGINT, signal.SIGTERM)


async def broadcast(
    day: Day, faults: Faults, folder: Path, base_port: int, speed: int, *, as_json: bool
) -> None:
    """Send ``day``, ``speed`` times as fast as it is; says so on stdout at once."""
    if not 1 <= speed <= _MOST_SPEED:
        raise UsageError(f"a day is not sent {speed} times as fast: give 1 to {_MOST_SPEED}")
    if (folder / CONFIGURATION_NAME).exists():
        raise ConfigError(f"{folder} holds a {CONFIGURATION_NAME} already: name another folder")
    options = LiveOptions(base_port=base_port, faults=faults, seed=day.seed)
    async with LiveMarket(day.sent(), day.channels, load_codec(), options) as market:
        _write(folder, baskets_text(day.universe, day.business_date), feed_text(market))
        _say(_opening(market, folder) if as_json else _lines(market, folder, speed))
        if await _played(market, speed):
            counts: JsonObject = dict(sorted(market.lines.counts.items()))
            _say(
                {"ended": "the day is over", "counts": counts} if as_json else ["The day is over."]
            )


async def _played(market: LiveMarket, speed: int) -> bool:
    """Whether the day came to its own end."""
    loop = asyncio.get_running_loop()
    playing = asyncio.ensure_future(market.play(speed=speed))
    for number in _ENDS:
        loop.add_signal_handler(number, playing.cancel)
    try:
        await playing
    except asyncio.CancelledError:
        return False
    finally:
        for number in _ENDS:
            loop.remove_signal_handler(number)
    return True


def _write(folder: Path, baskets: str, feed: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / BASKETS_NAME).write_text(baskets, encoding="utf-8")
        notice = f"# {NOTICE}; sent on loopback by hkex-ops-simulator.\n\n"
        (folder / CONFIGURATION_NAME).write_text(notice + feed, encoding="utf-8")
    except OSError as error:
        message = f"the market's folder cannot be written: {error.strerror}"
        raise StoreError(message, path=str(folder)) from error


def _say(what: JsonObject | list[str]) -> None:
    """To stdout at once: whoever reads a pipe waits for it to know that the market is up."""
    lines = what if isinstance(what, list) else [json.dumps(what)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def _opening(market: LiveMarket, folder: Path) -> JsonObject:
    return {
        "notice": NOTICE,
        "config": str(folder / CONFIGURATION_NAME),
        "baskets": str(folder / BASKETS_NAME),
        "groups": {line.value: group for line, group in GROUPS.items()},
        "channels": {
            str(channel): port_of(channel, market.base_port)
            for channel in (*market.channels, RECOVERY)
        },
        "retransmission": {
            site.value: [str(one) for one in market.retransmission(site)] for site in SiteRole
        },
    }


def _lines(market: LiveMarket, folder: Path, speed: int) -> list[str]:
    groups = ", ".join(f"{line.value} {group}" for line, group in GROUPS.items())
    ports = ", ".join(
        f"{channel} at {port_of(channel, market.base_port)}"
        for channel in (*market.channels, RECOVERY)
    )
    config = shlex.quote(str(folder / CONFIGURATION_NAME))
    return [
        f"A SYNTHETIC market day is sent on loopback, {speed} times as fast as it is",
        f"  groups    {groups}",
        f"  channels  {ports}",
        *(
            f"  {site.value:<10}{', '.join(map(str, market.retransmission(site)))}"
            for site in SiteRole
        ),
        f"Hear it in another terminal with --config {config}. Ctrl-C ends it.",
    ]
