"""A report source in memory: no network, no disk, the same behaviour as the port demands.

``FakeSite`` is the far side and its own back door; ``open_fake`` is what an ``Offer`` opens:

>>> import asyncio
>>> from hkex_ops.model import Endpoint, SiteRole
>>> from hkex_ops.testing import FakeOptions, FakeSite, open_fake
>>> site = FakeSite((Endpoint("fake.example", 22, "SHA256:fake"),))
>>> site.put("TP001.csv", b"a,b")
>>> async def names():
...     async with open_fake(FakeOptions({SiteRole.PRIMARY: site}), SiteRole.PRIMARY) as source:
...         return [report.name async for report in source.list_reports()]
>>> asyncio.run(names())
['TP001.csv']
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from attrs import define, field, frozen

from hkex_ops.errors import (
    AuthRefused,
    ConfigError,
    HostKeyMismatch,
    Rejected,
    ReportNotFound,
    Unreachable,
)
from hkex_ops.model import HONG_KONG, Endpoint, ListedReport, ReportKind, SiteRole
from hkex_ops.ports import (
    Delivery,
    Offer,
    ReportChunk,
    ReportEnd,
    ReportFailed,
    ReportSource,
    UploadEnd,
)
from hkex_ops.testing.benches import ReportSourceBench, Stored

__all__ = [
    "FakeOptions",
    "FakeReportSource",
    "FakeReportSourceBench",
    "FakeSite",
    "FakeUploadSource",
    "open_fake",
]

REGISTERED_KEY = "registered"

_WRITTEN = datetime(2023, 4, 14, 19, 30, tzinfo=HONG_KONG)


@define(eq=False)
class FakeSite:
    """One site: a folder behind one or more addresses. Change it freely between two calls.

    ``down`` holds the numbers (from 1) of the addresses that refuse connections.
    """

    endpoints: tuple[Endpoint, ...]
    reports: dict[str, Stored] = field(factory=dict[str, Stored])
    others: dict[str, ReportKind] = field(factory=dict[str, ReportKind])
    down: set[int] = field(factory=set[int])
    sessions: int = 0
    logins_tried: int = 0

    def put(self, name: str, content: bytes, modified: datetime = _WRITTEN) -> None:
        """Put a report into the folder, in place of one of that name."""
        self.reports[name] = Stored(content, modified)


@frozen
class FakeOptions:
    """Which sites there are, with which key to log in, and pins by host where they are wrong."""

    sites: Mapping[SiteRole, FakeSite]
    key: str = REGISTERED_KEY
    pins: Mapping[str, str] = field(factory=dict[str, str])


class FakeReportSource:
    """The port ``ReportSource`` on a :class:`FakeSite`."""

    BLOCK_BYTES = 32 * 1024

    def __init__(self, site: FakeSite, endpoint: Endpoint) -> None:
        self.site = site
        self._endpoint = endpoint

    @property
    def endpoint(self) -> Endpoint:
        """The address that let this source in."""
        return self._endpoint

    async def list_reports(self) -> AsyncGenerator[ListedReport]:
        """Yield the folder's entries."""
        for name, stored in tuple(self.site.reports.items()):
            yield ListedReport(name, len(stored.content), stored.modified)
        for name, kind in tuple(self.site.others.items()):
            yield ListedReport(name, 0, None, kind)

    async def fetch(self, reports: Iterable[ListedReport]) -> AsyncGenerator[Delivery]:
        """Fetch the reports one after the other."""
        for report in reports:
            stored = self.site.reports.get(report.name)
            if report.kind is not ReportKind.FILE:
                yield ReportFailed(report, Rejected(f"{report.name} is a {report.kind}"))
            elif stored is None:
                yield ReportFailed(report, ReportNotFound(f"{report.name} is gone: list again"))
            else:
                for offset in range(0, len(stored.content), self.BLOCK_BYTES):
                    data = stored.content[offset : offset + self.BLOCK_BYTES]
                    yield ReportChunk(report, offset, data)
                yield ReportEnd(report, len(stored.content), stored.modified)


class FakeUploadSource(FakeReportSource):
    """The same, and it takes files too."""

    async def upload(self, name: str, pieces: Iterable[bytes]) -> UploadEnd:
        """Take a file under ``name``, whole or not at all."""
        if name in self.site.reports or name in self.site.others:
            raise Rejected(f"{name} is there already: nothing is overwritten")
        content = b"".join(pieces)
        self.site.put(name, content)
        return UploadEnd(name, len(content), self.site.reports[name].modified)


@asynccontextmanager
async def open_fake(
    options: FakeOptions,
    site: SiteRole,
    make: Callable[[FakeSite, Endpoint], ReportSource] = FakeReportSource,
) -> AsyncGenerator[ReportSource]:
    """Log in to a fake site. ``make`` builds the source: a faulty one, for the kit's own tests."""
    if site not in options.sites:
        known = ", ".join(options.sites)
        raise ConfigError(f"the options have no site {site}; known: {known}")
    far = options.sites[site]
    endpoint = _first_up(far)
    pin = options.pins.get(endpoint.host, endpoint.host_key)
    if pin != endpoint.host_key:
        raise HostKeyMismatch(
            endpoint.host, endpoint.port, seen=str(endpoint.host_key), expected=[str(pin)]
        )
    far.logins_tried += 1
    if options.key != REGISTERED_KEY:
        raise AuthRefused(f"{endpoint} does not know this key: register it")
    far.sessions += 1
    try:
        yield make(far, endpoint)
    finally:
        far.sessions -= 1


def _first_up(site: FakeSite) -> Endpoint:
    for number, endpoint in enumerate(site.endpoints, start=1):
        if number not in site.down:
            return endpoint
    tried = " and ".join(str(endpoint) for endpoint in site.endpoints)
    raise Unreachable(f"{tried} refuse connections: try again later")


class FakeReportSourceBench(ReportSourceBench):
    """The bench of the fake: every clause of the contract can be staged on it.

    ``make`` puts another source in the fake's place: a faulty one, for the kit's own tests.
    """

    def __init__(
        self,
        make: Callable[[FakeSite, Endpoint], ReportSource] = FakeReportSource,
    ) -> None:
        self.make = make
        self.sites: dict[SiteRole, FakeSite] = {
            site: FakeSite(
                tuple(Endpoint(f"{site}-{n}.example", 22, f"SHA256:{site}-{n}") for n in (1, 2))
            )
            for site in SiteRole
        }

    @property
    def offer(self) -> Offer[ReportSource]:
        """The fake, on offer."""
        return Offer("fake", FakeOptions, lambda options, site: open_fake(options, site, self.make))

    def options(self) -> FakeOptions:
        """Options that log in."""
        return FakeOptions(self.sites)

    def options_with_unknown_key(self) -> FakeOptions:
        """A key that no site knows."""
        return FakeOptions(self.sites, key="unknown")

    def options_with_other_host_key(self) -> FakeOptions:
        """A pin that the primary site's first address does not match."""
        host = self.sites[SiteRole.PRIMARY].endpoints[0].host
        return FakeOptions(self.sites, pins={host: "SHA256:another"})

    def endpoints(self, site: SiteRole) -> Sequence[Endpoint]:
        """The site's addresses."""
        return self.sites[site].endpoints

    def put(self, site: SiteRole, name: str, content: bytes) -> None:
        """Put a report into the site's folder."""
        self.sites[site].put(name, content)

    def remove(self, site: SiteRole, name: str) -> None:
        """Take a report out of the site's folder."""
        del self.sites[site].reports[name]

    def stored(self, site: SiteRole) -> Mapping[str, Stored]:
        """The reports of the site's folder."""
        return dict(self.sites[site].reports)

    def put_folder(self, site: SiteRole, name: str) -> None:
        """Make a folder."""
        self.sites[site].others[name] = ReportKind.FOLDER

    def put_link(self, site: SiteRole, name: str, target: str) -> None:
        """Make a link; where it leads is of no interest to a fake."""
        self.sites[site].others[name] = ReportKind.LINK

    async def take_down(self, site: SiteRole, address: int) -> None:
        """Make an address refuse connections."""
        self.sites[site].down.add(address)

    def sessions(self, site: SiteRole) -> int:
        """Logged-in sessions."""
        return self.sites[site].sessions

    def logins_tried(self, site: SiteRole) -> int:
        """Attempts to log in."""
        return self.sites[site].logins_tried
