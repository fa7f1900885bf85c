"""A probe in memory: no network, the same behaviour as the port demands.

``FakeDoor`` is the far side and its own back door; ``open_fake_probe`` is what an ``Offer`` opens:

>>> import asyncio
>>> from hkex_ops.model import SiteRole
>>> from hkex_ops.testing import FakeDoor, FakeProbeOptions, open_fake_probe
>>> door = FakeDoor(SiteRole.PRIMARY)
>>> async def look():
...     async with open_fake_probe(FakeProbeOptions({door.site: door}), door.site) as probe:
...         return await probe.probe(door.connection)
>>> asyncio.run(look()).detail
'primary.example:8082 says welcome'
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager

from attrs import define, field, frozen

from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.model import Connection, SiteRole, Source
from hkex_ops.ports import Offer, Probe, ProbeResult
from hkex_ops.testing.probe_bench import ProbeBench

__all__ = ["FakeDoor", "FakeProbe", "FakeProbeBench", "FakeProbeOptions", "open_fake_probe"]

WELCOME = "welcome"
PORT = 8082

_INVENTED = Source("hkex_ops.testing", "invented")


@define(eq=False)
class FakeDoor:
    """The far side at one site. Change it freely between two probes.

    ``says`` is its answer, empty when it takes the connection and keeps silent.
    """

    site: SiteRole
    is_up: bool = True
    says: str = WELCOME
    certificate: str = field(init=False)
    visits: int = 0
    heard: bytes = b""

    def __attrs_post_init__(self) -> None:
        self.certificate = f"SHA256:{self.site}"

    @property
    def connection(self) -> Connection:
        """The way to this door."""
        return Connection("FAKE", self.site, f"{self.site}.example", PORT, _INVENTED)


@frozen
class FakeProbeOptions:
    """Which doors there are, and the right certificates by site where they are others."""

    doors: Mapping[SiteRole, FakeDoor]
    certificates: Mapping[SiteRole, str] = field(factory=dict[SiteRole, str])


class FakeProbe:
    """The port ``Probe`` on :class:`FakeDoor`."""

    def __init__(self, options: FakeProbeOptions, site: SiteRole) -> None:
        self.options = options
        self.site = site

    async def probe(self, connection: Connection) -> ProbeResult:
        """Knock once."""
        if connection.site is not self.site:
            raise UsageError(f"{connection.host} is not at the {self.site} site: open its own")
        if connection.port is None:
            raise UsageError(f"nothing says which port of {connection.host} to look at")
        door = self.options.doors[self.site]
        where = f"{connection.host}:{connection.port}"
        if not door.is_up:
            return ProbeResult(connection, False, False, f"{where} refuses the connection")
        door.visits += 1
        seen = door.certificate
        right = self.options.certificates.get(self.site, seen)
        if seen != right:
            detail = f"{where} shows certificate {seen}, right is {right}"
            return ProbeResult(connection, True, False, detail, seen)
        door.heard += b"hello"
        if door.says != WELCOME:
            detail = f"{where} says {door.says or 'nothing'}, expected {WELCOME}"
            return ProbeResult(connection, True, False, detail, seen)
        return ProbeResult(connection, True, True, f"{where} says {WELCOME}", seen)


@asynccontextmanager
async def open_fake_probe(
    options: FakeProbeOptions,
    site: SiteRole,
    make: Callable[[FakeProbeOptions, SiteRole], Probe] = FakeProbe,
) -> AsyncGenerator[Probe]:
    """A probe of ``site``. ``make`` builds it: a faulty one, for the kit's own tests."""
    if site not in options.doors:
        known = ", ".join(options.doors)
        raise ConfigError(f"the options have no site {site}; known: {known}")
    yield make(options, site)


class FakeProbeBench(ProbeBench):
    """The bench of the fake: every clause of the contract can be staged on it.

    ``make`` puts another probe in the fake's place: a faulty one, for the kit's own tests.
    """

    def __init__(self, make: Callable[[FakeProbeOptions, SiteRole], Probe] = FakeProbe) -> None:
        self.make = make
        self.doors: dict[SiteRole, FakeDoor] = {site: FakeDoor(site) for site in SiteRole}

    @property
    def offer(self) -> Offer[Probe]:
        """The fake, on offer."""
        return Offer(
            "fake",
            FakeProbeOptions,
            lambda options, site: open_fake_probe(options, site, self.make),
        )

    def options(self) -> FakeProbeOptions:
        """Options that accept what the doors are."""
        return FakeProbeOptions(self.doors)

    def options_with_other_certificate(self) -> FakeProbeOptions:
        """Another certificate is the right one."""
        return FakeProbeOptions(self.doors, dict.fromkeys(self.doors, "SHA256:another"))

    def connection(self, site: SiteRole) -> Connection:
        """The way to a door."""
        return self.doors[site].connection

    def certificate(self, site: SiteRole) -> str:
        """The certificate that a door shows."""
        return self.doors[site].certificate

    def visits(self, site: SiteRole) -> int:
        """Connections taken."""
        return self.doors[site].visits

    def visitors(self, site: SiteRole) -> int:
        """A fake has nobody waiting between two calls."""
        return 0

    def heard(self, site: SiteRole) -> bytes:
        """Everything said to a door."""
        return self.doors[site].heard

    async def take_down(self, site: SiteRole) -> None:
        """Close a door."""
        self.doors[site].is_up = False

    async def bring_up(self, site: SiteRole) -> None:
        """Open a door."""
        self.doors[site].is_up = True
        self.doors[site].says = WELCOME

    async def fall_silent(self, site: SiteRole) -> None:
        """Say nothing."""
        self.doors[site].says = ""

    async def talk_nonsense(self, site: SiteRole) -> None:
        """Say something else."""
        self.doors[site].says = "who are you?"
