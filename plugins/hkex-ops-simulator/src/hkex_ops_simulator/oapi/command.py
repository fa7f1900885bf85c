"""``hkex-ops simulator clearing``: a clearing house in a box that stays up until it is told to end.

Makes a folder with everything a second terminal needs (configuration, layouts, password, a back
office's books), says what to try, and waits for Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import asyncio
import json as json_text
import shlex
import signal
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hkex_ops.cli.options import Json
from hkex_ops.errors import ConfigError, StoreError
from hkex_ops.flows.plugged import load_plugins
from hkex_ops.model import JsonObject, RecordKind, SiteRole
from hkex_ops.plugins import OAPI_GATEWAYS
from hkex_ops_simulator.cli import make_folder, say_at_once
from hkex_ops_simulator.configuration import CONFIGURATION_NAME
from hkex_ops_simulator.oapi import stand_in
from hkex_ops_simulator.oapi.back_office import DeskFiles, configuration_lines, write_desk
from hkex_ops_simulator.oapi.books import weekdays_before
from hkex_ops_simulator.oapi.build import build_library
from hkex_ops_simulator.oapi.side import ADAPTER
from hkex_ops_simulator.oapi.stand_in import DEFAULT_SEED, OapiStandIn

__all__ = ["clearing"]

# The business date before the verification session of hkats-dcass-2019.
_BUSINESS_DATE = date(2019, 5, 3)
_DATES_BEFORE = 3
_ENDS = (signal.SIGINT, signal.SIGTERM)

# Addresses of its own, so that a rehearsal beside it finds its own free.
_HOSTS = {
    SiteRole.PRIMARY: ("127.151.5.181", "127.151.5.182"),
    SiteRole.SECONDARY: ("127.152.5.181", "127.152.5.182"),
}


def clearing(
    *,
    folder: Annotated[Path, Parameter(help="New folder for configuration, layouts and books.")],
    business_date: Annotated[
        date, Parameter(help="The business date of the house.")
    ] = _BUSINESS_DATE,
    seed: Annotated[int, Parameter(help="Makes trades and positions.")] = DEFAULT_SEED,
    differ: Annotated[
        bool, Parameter(negative="", help="The back office's books differ from the house's.")
    ] = False,
    json: Json = False,
) -> None:
    """Keep a clearing house running on loopback until Ctrl-C.

    A library that stands in for the licensed one is compiled for it (gcc and libc6-dev), and
    spoken to by hkex-ops-oapi. Two gateways at each site, seeded trades and positions, and the
    books of a back office to compare them with. All of it is SYNTHETIC.
    """
    if ADAPTER not in load_plugins().offers(OAPI_GATEWAYS):
        raise ConfigError("no adapter speaks OAPI here: install hkex-ops-oapi")
    build_library()
    make_folder(folder)
    asyncio.run(_keep_running(folder.absolute(), business_date, seed, differ=differ, as_json=json))


async def _keep_running(
    folder: Path, business_date: date, seed: int, *, differ: bool, as_json: bool
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _ENDS:
        loop.add_signal_handler(number, ended.set)
    dates = (*weekdays_before(business_date, _DATES_BEFORE), business_date)
    try:
        async with stand_in.open(seed, dates=dates, hosts=_HOSTS) as it:
            files = write_desk(it.house, folder, differ=differ)
            configuration = _written(it, files, folder)
            if as_json:
                say_at_once([json_text.dumps(_document(it, files, configuration))])
            else:
                say_at_once(_lines(it, files, configuration))
            await ended.wait()
    finally:
        for number in _ENDS:
            loop.remove_signal_handler(number)


def _written(it: OapiStandIn, files: DeskFiles, folder: Path) -> Path:
    gateways = [(site, one) for site, of_site in it.sites.items() for one in of_site]
    lines = [
        "# Written by hkex-ops-simulator: a clearing house on loopback, all of it SYNTHETIC.",
        "",
        *configuration_lines(it.library, files, gateways),
    ]
    path = folder / CONFIGURATION_NAME
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot be written: {error}", path=str(path)) from error
    return path


def _document(it: OapiStandIn, files: DeskFiles, configuration: Path) -> JsonObject:
    return {
        "config": str(configuration),
        "library": str(it.library),
        "header": str(files.header),
        "layouts": str(files.layouts),
        "user": it.user,
        "business_date": it.house.business_date.isoformat(),
        "ours": {kind.value: str(path) for kind, path in files.ours.items()},
        "sites": {site.value: [str(one) for one in many] for site, many in it.sites.items()},
    }


def _lines(it: OapiStandIn, files: DeskFiles, configuration: Path) -> list[str]:
    config = f"--config {shlex.quote(str(configuration))}"
    sites = [f"  {site:<10}{', '.join(map(str, many))}" for site, many in it.sites.items()]
    ours = [
        f"  hkex-ops clearing reconcile --kind {kind} --ours "
        f"{shlex.quote(str(files.ours[kind]))} {config}"
        for kind in (RecordKind.TRADES, RecordKind.POSITIONS)
    ]
    return [
        f"A clearing house is up on loopback: SYNTHETIC, business date {it.house.business_date}, "
        f"user {it.user}",
        *sites,
        "Try in another terminal:",
        f"  hkex-ops clearing check {config}",
        f"  hkex-ops clearing fetch {config}",
        *ours,
        "A check exits 1: the papers in force name other gateways than these.",
        "Ctrl-C ends it.",
    ]
