"""An exchange in a box: both sites' report service on loopback, for rehearsals and tests.

Two sites with a host key each, two addresses each, one port; one user with one key; an invented
report tree from a seed. Beside what a client sees there are switches (take an address or a site
down) and a back door to the folders and to the visitors' book, so that an adapter never has to be
its own witness. No global state: whoever wants an exchange makes one and leaves it again.

    async with SimulatedExchange(folder=folder) as exchange:
        exchange.publish(date(2023, 4, 14))
        ...
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

import asyncssh
from attrs import frozen

from hkex_ops.errors import ConfigError, StoreError, UsageError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops_simulator.addresses import REPORT_PLACES, ReportPlaces
from hkex_ops_simulator.doors import Door, Welcome, listening_socket
from hkex_ops_simulator.folder import ReportFolder
from hkex_ops_simulator.tree import DEFAULT_SEED, reports_of
from hkex_ops_simulator.visitors import Login, RefusedRequest, Visitors

__all__ = ["ANY_PORT", "KEY_NAME", "RETENTION", "USER", "SimulatedExchange", "SimulatedSite"]

# Let the machine choose a port that is free at all four addresses.
ANY_PORT = 0
PORT_LIMIT = 65535
# How often a port that one address has free, and another has not, is given up for a new one.
PORT_ATTEMPTS = 20

# Business dates whose reports stay in the folder. Invented: the service's own rule is not public.
RETENTION = 5

# Invented: the form of the service's user names is not public.
USER = "SIMUSER01"
KEY_NAME = "client_key"
_KEY_KIND = "ssh-ed25519"


@frozen
class SimulatedSite:
    """A site as an operator configures it."""

    role: SiteRole
    addresses: tuple[Endpoint, ...]
    host_keys: tuple[str, ...]
    fingerprint: str


class SimulatedExchange:
    """Both sites, up from entry to exit of its ``async with``; entered once.

    ``folder`` must exist; entering writes the client's private key there (mode 600) and nothing
    else. ``port`` is the one port of all addresses. ``retention`` is the number of business dates
    whose reports stay listed, ``None`` for all; ``places`` are the addresses, site by site.
    """

    def __init__(
        self,
        *,
        folder: Path,
        seed: int = DEFAULT_SEED,
        port: int = ANY_PORT,
        retention: int | None = RETENTION,
        places: ReportPlaces = REPORT_PLACES,
    ) -> None:
        if not ANY_PORT <= port <= PORT_LIMIT:
            raise UsageError(f"{port} is no port: give 1 to {PORT_LIMIT}, or 0 for any free one")
        if retention is not None and retention < 1:
            raise UsageError(f"a folder cannot keep {retention} business dates: 1 or more, or None")
        self.seed = seed
        self.user = USER
        self.key_file = folder.absolute() / KEY_NAME
        self._asked_port = port
        self._visitors = Visitors()
        self.places = places
        self._folders = {role: ReportFolder(retention=retention) for role in places.hosts}
        self._sites: dict[SiteRole, SimulatedSite] = {}
        self._doors: dict[tuple[SiteRole, str], Door] = {}
        self._is_up = False

    async def __aenter__(self) -> Self:
        if self._sites:
            raise UsageError("this simulated exchange was entered before: make another")
        client_key = _new_key()
        port, sockets = _listening_sockets(self._asked_port, self.places)
        try:
            self._build(client_key, port)
            for door in self._doors.values():
                await door.open(sockets[door.host])
            _write_key(self.key_file, client_key)
        except BaseException:
            await self._close()
            for listening in sockets.values():
                listening.close()
            raise
        self._is_up = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._close()

    # -- what a client is told ---------------------------------------------------------------

    @property
    def sites(self) -> Mapping[SiteRole, SimulatedSite]:
        """Both sites; `UsageError` before the exchange was entered."""
        if not self._sites:
            raise UsageError("this simulated exchange has no sites yet: enter it with async with")
        return MappingProxyType(self._sites)

    @property
    def port(self) -> int:
        """The port of all addresses."""
        return self.sites[SiteRole.PRIMARY].addresses[0].port

    # -- what happens at the exchange --------------------------------------------------------

    def publish(self, business_date: date) -> None:
        """Let the reports of a business date appear at both sites, the next morning's too."""
        reports = reports_of(self.seed, business_date)
        for folder in self._folders.values():
            folder.publish(reports)

    async def take_down(self, site: SiteRole, address: str | None = None) -> None:
        """Close a site, or one of its addresses: no new connection, and live ones are cut."""
        for door in self._doors_of(site, address):
            await door.close()

    async def bring_up(self, site: SiteRole, address: str | None = None) -> None:
        """Open a site, or one of its addresses, again; at the same port and with the same key."""
        for door in self._doors_of(site, address):
            if door.is_open:
                continue
            try:
                listening = listening_socket(door.host, self.port)
            except OSError as error:
                raise _port_in_use(door.host, self.port) from error
            try:
                await door.open(listening)
            except BaseException:
                listening.close()
                raise

    # -- the back door -----------------------------------------------------------------------

    def names(self, site: SiteRole) -> tuple[str, ...]:
        """What the site's folder lists, in order of name."""
        return tuple(entry.name for entry in self._folders[site].entries())

    def content(self, site: SiteRole, name: str) -> bytes:
        """A file's bytes; `UsageError` when there is none of that name."""
        return self._folders[site].entry(name).content()

    def put(
        self, site: SiteRole, name: str, content: bytes, *, modified: datetime | None = None
    ) -> None:
        """Write a file at one site, new or in place of another.

        Without ``modified`` a replaced file keeps its modification time.
        """
        self._folders[site].put(name, content, modified=modified)

    def remove(self, site: SiteRole, name: str) -> None:
        """Take a file away at one site; `UsageError` when there is none of that name."""
        self._folders[site].remove(name)

    @property
    def logins(self) -> list[Login]:
        """Every log-in so far, in order: (site, address, user)."""
        return list(self._visitors.logins)

    @property
    def requests(self) -> list[RefusedRequest]:
        """Every shell, command, forwarding or change that was asked for, and refused."""
        return list(self._visitors.refused)

    def sessions_open(self) -> int:
        """How many clients are logged in now."""
        return self._visitors.open_sessions

    async def until_logged_out(self) -> None:
        """Wait until no client is logged in."""
        await self._visitors.until_nobody()

    # -- inside ------------------------------------------------------------------------------

    def _build(self, client_key: asyncssh.SSHKey, port: int) -> None:
        for role, hosts in self.places.hosts.items():
            host_key = _new_key()
            welcome = Welcome(
                site=role,
                user=self.user,
                client_key=client_key.public_data,
                host_key=host_key,
                folder=self._folders[role],
                visitors=self._visitors,
            )
            fingerprint = host_key.get_fingerprint()
            self._sites[role] = SimulatedSite(
                role=role,
                addresses=tuple(Endpoint(host, port, fingerprint) for host in hosts),
                host_keys=(host_key.export_public_key().decode().strip(),),
                fingerprint=fingerprint,
            )
            self._doors |= {(role, host): Door(host, welcome) for host in hosts}

    def _doors_of(self, site: SiteRole, address: str | None) -> list[Door]:
        if not self._is_up:
            raise UsageError("this simulated exchange is not up: enter it with async with")
        doors = [
            door
            for (role, host), door in self._doors.items()
            if role == site and address in {None, host}
        ]
        if not doors:
            known = ", ".join(self.places.hosts[site])
            raise UsageError(f"the {site} site has no address {address}; it has {known}")
        return doors

    async def _close(self) -> None:
        self._is_up = False
        for door in self._doors.values():
            await door.close()


def _listening_sockets(
    asked_port: int, places: ReportPlaces
) -> tuple[int, dict[str, socket.socket]]:
    """A listening socket for each address, all on one port."""
    hosts = [host for site_hosts in places.hosts.values() for host in site_hosts]
    for _ in range(PORT_ATTEMPTS):
        port, sockets = asked_port, dict[str, socket.socket]()
        host = hosts[0]
        try:
            for host in hosts:
                sockets[host] = listening_socket(host, port)
                port = sockets[host].getsockname()[1]
        except (OSError, ConfigError) as error:
            for listening in sockets.values():
                listening.close()
            if isinstance(error, ConfigError):
                raise
            if asked_port != ANY_PORT:
                raise _port_in_use(host, port) from error
        else:
            return port, sockets
    raise ConfigError(
        f"no port is free at {', '.join(hosts)} after {PORT_ATTEMPTS} attempts: "
        "end other simulators on this machine, or name a port"
    )


def _port_in_use(host: str, port: int) -> ConfigError:
    return ConfigError(
        f"port {port} of {host} is in use on this machine: end what holds it (another simulator, "
        "perhaps), or let the simulator choose its port"
    )


def _new_key() -> asyncssh.SSHKey:
    # asyncssh leaves the type of its keyword arguments open.
    return asyncssh.generate_private_key(_KEY_KIND)  # pyright: ignore[reportUnknownMemberType]


def _write_key(path: Path, key: asyncssh.SSHKey) -> None:
    """Write a private key that only its owner can read, from its first byte on."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(key.export_private_key())
    except OSError as error:
        if error.errno == errno.EEXIST:
            message = "is there already, and the simulator overwrites nothing: name another folder"
        else:
            message = f"the simulator's client key cannot be written: {error.strerror}"
        raise StoreError(message, path=str(path)) from error
