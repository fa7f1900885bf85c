"""The whole stand-in for a test or a rehearsal: a library, a header, gateways, and the house.

>>> import asyncio
>>> from hkex_ops.model import SiteRole
>>> from hkex_ops_simulator.oapi import stand_in
>>> async def enter():
...     async with stand_in.open(seed=7) as it:
...         return it.library.name, it.house.business_date, len(it.sites[SiteRole.PRIMARY])
>>> asyncio.run(enter())
('liboapi.so', datetime.date(2019, 5, 3), 2)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_simulator.oapi.build import (
    HEADER_NAME,
    Variant,
    build_library,
    default_folder,
    header_text,
)
from hkex_ops_simulator.oapi.faults import Faults, PasswordState, Scripted
from hkex_ops_simulator.oapi.gateways import Exchange, Gateway
from hkex_ops_simulator.oapi.house import PASSWORD, USER, ClearingHouse, HouseShape

__all__ = [
    "Faults",
    "HouseShape",
    "OapiStandIn",
    "PasswordState",
    "Scripted",
    "Variant",
    "open",
]

DEFAULT_SEED = 2019

# Two gateways at each site: the one that is tried first and its backup.
_HOSTS: Mapping[SiteRole, tuple[str, ...]] = {
    SiteRole.PRIMARY: ("127.0.0.1", "127.0.0.1"),
    SiteRole.SECONDARY: ("127.0.0.1", "127.0.0.1"),
}
_ORDINALS = ("primary", "backup")


@frozen
class OapiStandIn:
    """A stand-in that is up. ``header`` is the licensee's header, ``gateways`` by site and order.

    ``user`` and ``password`` log in; ``faults`` may be changed at any time.
    """

    library: Path
    header: Path
    house: ClearingHouse
    gateways: Mapping[SiteRole, tuple[Gateway, ...]]
    user: str
    password: str

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self.house.faults

    @property
    def sites(self) -> Mapping[SiteRole, tuple[Endpoint, ...]]:
        """The addresses of each site, in the order in which they are to be tried."""
        return {
            site: tuple(one.endpoint for one in gateways)
            for site, gateways in self.gateways.items()
        }

    def kill(self, site: SiteRole, place: int = 0) -> None:
        """The gateway at ``place`` of ``site`` goes down, with the sessions that it has."""
        self.gateways[site][place].kill()

    def revive(self, site: SiteRole, place: int = 0) -> None:
        """It is back, at its old address."""
        self.gateways[site][place].open()

    def force_out(self) -> None:
        """Everybody who is logged in is logged out, told by an event that can still be read."""
        for gateway in (one for of_site in self.gateways.values() for one in of_site):
            gateway.force_out()

    def fail_over(self) -> None:
        """The house serves from its other site now; who is logged in here stays so."""
        self.house.in_service = self.house.in_service.other


@asynccontextmanager
async def open(
    seed: int = DEFAULT_SEED,
    *,
    variant: Variant = Variant.PLAIN,
    faults: Faults | None = None,
    shape: HouseShape | None = None,
    dates: Sequence[date] = (),
    clock: Clock | None = None,
    hosts: Mapping[SiteRole, Sequence[str]] = _HOSTS,
    folder: Path | None = None,
) -> AsyncGenerator[OapiStandIn, None]:
    """Start the house of ``seed`` with its gateways at ``hosts``, and build the library.

    ``folder`` is where libraries are kept, the user's cache unless it is named. Raises
    `ConfigError` where no compiler is, before anything is started.
    """
    library = await asyncio.to_thread(build_library, variant, folder or default_folder())
    house = ClearingHouse.made(seed, dates=dates, clock=clock, shape=shape, faults=faults)
    exchange = Exchange(house)
    gateways = {
        site: tuple(
            Gateway(exchange, f"{site}-{_ORDINALS[min(place, 1)]}", site, host)
            for place, host in enumerate(hosts[site])
        )
        for site in SiteRole
    }
    every = [one for of_site in gateways.values() for one in of_site]
    with TemporaryDirectory(prefix="hkex-ops-oapi-") as own:
        header = Path(own) / HEADER_NAME
        try:
            header.write_text(header_text(), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"cannot be written: {error}", path=str(header)) from error
        try:
            for one in every:
                one.open()
            yield OapiStandIn(library, header, house, gateways, USER, PASSWORD)
        finally:
            for one in every:
                await asyncio.to_thread(one.close)
