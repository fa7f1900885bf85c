"""The ``simulator`` command: an exchange in a box that stays up until it is told to end.

Makes a folder with everything a second terminal needs (configuration, catalogue, key), says what
to try, and waits for Ctrl-C or SIGTERM. Behind it is nothing but that folder. Loaded only when
the command runs.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from hkex_ops.cli.options import parse_business_date, system_clock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import ConfigError, StoreError
from hkex_ops.model import JsonObject, SiteRole
from hkex_ops_simulator.addresses import STANDS_IN_FOR
from hkex_ops_simulator.configuration import CONFIGURATION_NAME, write_configuration
from hkex_ops_simulator.server import ANY_PORT, RETENTION, SimulatedExchange
from hkex_ops_simulator.tree import DEFAULT_SEED

__all__ = ["app", "make_folder", "say_at_once", "simulator"]

app = App(name="simulator", help_format="plaintext")
app.command(
    "hkex_ops_simulator.market.command:market",
    name="market",
    help="Make a seeded market day as OMD-C: a capture, or multicast on loopback.",
)

app.command(
    "hkex_ops_simulator.oapi.command:clearing",
    name="clearing",
    help="Keep a clearing house running that OAPI programs log in to.",
)

# The two business dates before the weekend of the rrs-2023 sessions.
_BUSINESS_DATES = (date(2023, 4, 13), date(2023, 4, 14))
_ENDS = (signal.SIGINT, signal.SIGTERM)


@app.default
def simulator(
    *,
    folder: Annotated[Path, Parameter(help="New folder for configuration, catalogue and key.")],
    port: Annotated[int, Parameter(help="Port of all four addresses; 0: any free one.")] = ANY_PORT,
    business_date: Annotated[
        tuple[date, ...],
        Parameter(
            help="Date whose reports appear; may be repeated, the last five stay. Else 13 and 14 "
            "April 2023.",
            show_default=False,
        ),
    ] = _BUSINESS_DATES,
    seed: Annotated[int, Parameter(help="Seed of the invented reports.")] = DEFAULT_SEED,
    as_json: Annotated[
        bool, Parameter(name="--json", negative="", help="One JSON document on stdout.")
    ] = False,
) -> None:
    """Keep an exchange in a box running on loopback until Ctrl-C.

    Both sites' SFTP with invented reports; every name and byte is SYNTHETIC. A folder that holds
    a configuration already is refused, and so is a port that is taken, or a date without business.
    """
    calendar = load_calendar()
    for day in business_date:
        parse_business_date(day.isoformat(), calendar, system_clock())
    make_folder(folder)
    asyncio.run(_keep_running(folder.absolute(), port, business_date, seed, as_json=as_json))


def make_folder(folder: Path) -> None:
    """Make the folder that a box works in. Raises for one that holds a configuration already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        message = "is a file, and the simulator needs a folder: name another"
        raise StoreError(message, path=str(folder)) from None
    except OSError as error:
        message = f"the simulator's folder cannot be made: {error.strerror}"
        raise StoreError(message, path=str(folder)) from error
    if (folder / CONFIGURATION_NAME).exists():
        raise ConfigError(
            f"{folder} holds a {CONFIGURATION_NAME} already, and the simulator overwrites nothing: "
            "name another folder"
        )


def say_at_once(lines: list[str]) -> None:
    """To stdout at once: whoever reads a pipe waits for it to know that the exchange is up."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


async def _keep_running(
    folder: Path, port: int, business_dates: tuple[date, ...], seed: int, *, as_json: bool
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _ENDS:
        loop.add_signal_handler(number, ended.set)
    try:
        async with SimulatedExchange(folder=folder, seed=seed, port=port) as exchange:
            for business_date in business_dates:
                exchange.publish(business_date)
            configuration = write_configuration(exchange, folder)
            kept = sorted(set(business_dates))[-RETENTION:]
            if as_json:
                say_at_once([json.dumps(_document(exchange, configuration, kept))])
            else:
                say_at_once(_lines(exchange, configuration, kept))
            await ended.wait()
    finally:
        for number in _ENDS:
            loop.remove_signal_handler(number)


def _document(
    exchange: SimulatedExchange, configuration: Path, business_dates: list[date]
) -> JsonObject:
    return {
        "config": str(configuration),
        "user": exchange.user,
        "key_file": str(exchange.key_file),
        "seed": exchange.seed,
        "business_dates": [each.isoformat() for each in business_dates],
        "count": len(exchange.names(SiteRole.PRIMARY)),
        "sites": {
            site.role.value: {
                "fingerprint": site.fingerprint,
                "addresses": [
                    {
                        "host": each.host,
                        "port": each.port,
                        "stands_in_for": STANDS_IN_FOR[each.host],
                    }
                    for each in site.addresses
                ],
            }
            for site in exchange.sites.values()
        },
    }


def _lines(
    exchange: SimulatedExchange, configuration: Path, business_dates: list[date]
) -> list[str]:
    config = f"--config {shlex.quote(str(configuration))}"
    count = len(exchange.names(SiteRole.PRIMARY))
    sites = [
        f"  {site.role.value:<10}{', '.join(map(str, site.addresses))}  {site.fingerprint}"
        for site in exchange.sites.values()
    ]
    last = [f"--business-date {each.isoformat()}" for each in business_dates[-1:]]
    return [
        f"An exchange in a box is up on loopback: {count} SYNTHETIC files for {exchange.user}",
        *sites,
        "Try in another terminal:",
        f"  hkex-ops reports list {config}",
        *(f"  hkex-ops reports fetch {config} {of_date}" for of_date in last),
        *(f"  hkex-ops reports drill {config} --site secondary {of_date}" for of_date in last),
        "Ctrl-C ends it.",
    ]
