"""Which loopback address stands in for which address of the exchange, service by service.

From a rollout's own data: an address that a paper states keeps its last three numbers, so that a
rehearsal reads like the paper; a service without stated addresses gets one at each site. The
services that the exchange in a box speaks the protocol of are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

from attrs import evolve, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Connection, Endpoint, JsonObject, Rollout, SiteRole, Source
from hkex_ops_simulator.addresses import REPORT_SERVICE, loopback_of, unstated_host
from hkex_ops_simulator.certificates import AUTHORITY_NAME, server_context
from hkex_ops_simulator.listeners import Listener

__all__ = ["Listening", "Speaker", "StandIn", "StandIns"]

# Of a service that is spoken to, at a site for which no paper states an address.
UNSTATED_GATEWAYS = 2

_INVENTED = Source("hkex-ops-simulator", "a loopback listener, invented")


class Listening(Protocol):
    """What stands at a loopback address: a mere listener, or something that is spoken to."""

    @property
    def host(self) -> str:
        """The address at which it listens."""
        ...

    @property
    def port(self) -> int:
        """The port, once it was opened."""
        ...

    @property
    def endpoint(self) -> Endpoint:
        """Where it listens, once it was opened."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether it takes connections."""
        ...

    @property
    def visits(self) -> int:
        """How many connections it has taken."""
        ...

    async def open(self) -> None:
        """Take connections. `ConfigError` where the machine cannot listen there."""
        ...

    async def close(self) -> None:
        """Refuse connections and cut those that stand."""
        ...


@frozen
class Speaker:
    """What is put in the place of a service that an adapter speaks to, and what is said of it.

    ``make`` makes one for a loopback host and a site.
    """

    make: Callable[[str, SiteRole], Listening]
    speech: str


_NOBODY: Mapping[str, Speaker] = MappingProxyType({})


@frozen
class StandIn:
    """A listener in the place of ``stated``; ``None`` where no paper states an address.

    ``speaks`` is what it is, where it is more than a listener.
    """

    service: str
    site: SiteRole
    listener: Listening
    stated: Connection | None
    gives_page: bool
    speaks: str = ""

    @property
    def connection(self) -> Connection:
        """The way to it: the stated connection with the loopback address in its place."""
        host, port = self.listener.host, self.listener.port
        if self.stated is None:
            return Connection(self.service, self.site, host, port, _INVENTED)
        return evolve(self.stated, host=host, port=port)

    @property
    def speech(self) -> str:
        """What it is, said so that nobody takes it for more."""
        if self.speaks:
            return self.speaks
        if self.gives_page:
            return "a loopback listener with a SYNTHETIC login page stands in; nobody can log in"
        return "a loopback listener stands in; protocol not spoken"

    def told(self) -> JsonObject:
        """The same as a row of evidence."""
        port = None if self.stated is None else self.stated.port
        return {
            "service": self.service,
            "site": self.site.value,
            "stated_host": self.stated.host if self.stated else None,
            "stated_port": port,
            "loopback": str(self.listener.endpoint),
            "speech": self.speech,
        }


class StandIns:
    """The listeners of one rollout, up from entry to exit of ``async with``.

    ``folder`` must exist; where a page is given, its certificates are written there. ``spoken``
    are the services that something else speaks for: nothing stands in for those. ``speakers`` are
    put in the place of services whose addresses are looked at like any other's.
    """

    def __init__(
        self,
        rollout: Rollout,
        folder: Path,
        *,
        spoken: Collection[str] = (REPORT_SERVICE,),
        speakers: Mapping[str, Speaker] = _NOBODY,
    ) -> None:
        self.ca_file = folder.absolute() / AUTHORITY_NAME
        self._places = list(_places(rollout, spoken, speakers))
        self._speakers = speakers
        self._stack = AsyncExitStack()
        self._all: tuple[StandIn, ...] = ()

    async def __aenter__(self) -> Self:
        if self._all:
            raise UsageError("these stand-ins were entered before: make others")
        self._all = tuple(self._made())
        try:
            for one in self._all:
                self._stack.push_async_callback(one.listener.close)
                await one.listener.open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    # -- what there is -----------------------------------------------------------------------

    @property
    def all(self) -> tuple[StandIn, ...]:
        """Every stand-in."""
        return self._all

    @property
    def services(self) -> tuple[str, ...]:
        """The services that have stand-ins, in the rollout's order."""
        return tuple(dict.fromkeys(one.service for one in self._all))

    def of(self, service: str, site: SiteRole) -> tuple[StandIn, ...]:
        """The stand-ins of ``service`` at ``site``, in the paper's order."""
        return tuple(one for one in self._all if (one.service, one.site) == (service, site))

    def stands_for(self, stated: Connection) -> Connection:
        """The connection that stands in for one that a paper states."""
        for one in self._all:
            if one.stated == stated:
                return one.connection
        raise UsageError(f"nothing stands in for {stated.service} at {stated.host}")

    # -- what happens to them ----------------------------------------------------------------

    async def take_down(self, site: SiteRole) -> None:
        """Close every listener of a site."""
        for one in self._at(site):
            await one.listener.close()

    async def bring_up(self, site: SiteRole) -> None:
        """Open every listener of a site again, at its old port."""
        for one in self._at(site):
            await one.listener.open()

    def visits(self) -> int:
        """How many connections were taken so far, at both sites together."""
        return sum(one.listener.visits for one in self._all)

    # -- inside ------------------------------------------------------------------------------

    def _at(self, site: SiteRole) -> Iterator[StandIn]:
        return (one for one in self._all if one.site is site)

    def _made(self) -> Iterator[StandIn]:
        names = {
            name
            for _, _, host, stated in self._places
            if _has_page(stated)
            for name in (host, _name_of(stated))
            if name
        }
        context = server_context(self.ca_file.parent, sorted(names)) if names else None
        for service, site, host, stated in self._places:
            speaker = self._speakers.get(service)
            if speaker is not None:
                spoken = speaker.make(host, site)
                yield StandIn(
                    service, site, spoken, stated, gives_page=False, speaks=speaker.speech
                )
                continue
            gives_page = _has_page(stated)
            listener = Listener(host, context if gives_page else None)
            yield StandIn(service, site, listener, stated, gives_page)


_Place = tuple[str, SiteRole, str, Connection | None]


def _places(
    rollout: Rollout, spoken: Collection[str], speakers: Collection[str]
) -> Iterator[_Place]:
    """Service, site, loopback host and the stated connection of every stand-in.

    Whatever is spoken to is at both sites, stated or not: that nobody crosses by himself is seen
    only where somebody could.
    """
    unstated = count(1)
    for service in rollout.services:
        if service in spoken:
            continue
        stated = _stated(rollout, service)
        for connection in stated:
            site = connection.site
            host = loopback_of(connection.host) or unstated_host(site, next(unstated))
            yield service, site, host, connection
        if stated and service in speakers:
            for site in set(SiteRole) - {one.site for one in stated}:
                for _ in range(UNSTATED_GATEWAYS):
                    yield service, site, unstated_host(site, next(unstated)), None
        if not stated:
            number = next(unstated)
            for site in SiteRole:
                yield service, site, unstated_host(site, number), None


def _stated(rollout: Rollout, service: str) -> Sequence[Connection]:
    connections = (one for one in rollout.connections if one.service == service)
    return sorted(connections, key=lambda one: (one.site is not SiteRole.PRIMARY, one.order))


def _has_page(stated: Connection | None) -> bool:
    return stated is not None and stated.url is not None and stated.url.startswith("https:")


def _name_of(stated: Connection | None) -> str | None:
    if stated is None:
        return None
    return stated.host_name or urlsplit(stated.url or "").hostname
