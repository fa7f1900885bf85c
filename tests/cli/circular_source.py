"""A plug-in for tests: the folder source, with the addresses that the RRS circular states.

While a file called ``down`` lies beside the far side's folder, nobody can log in.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager

from hkex_ops.errors import Unreachable
from hkex_ops.hookspecs import hookimpl
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.ports import Offer, ReportSource
from tests.cli.folder_source import FolderOptions, FolderSource

__all__ = ["hkex_ops_report_sources"]

HOSTS = {
    SiteRole.PRIMARY: ("10.151.14.121", "10.151.14.122"),
    SiteRole.SECONDARY: ("10.152.14.121", "10.152.14.122"),
}
PORT = 10022


@asynccontextmanager
async def _open(options: FolderOptions, site: SiteRole) -> AsyncGenerator[ReportSource]:
    if (options.folder.parent / "down").exists():
        raise Unreachable(f"the {site} site cannot be reached: try again")
    yield FolderSource(options)


def _addresses(options: FolderOptions, site: SiteRole) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(host, PORT) for host in HOSTS[site])


@hookimpl
def hkex_ops_report_sources() -> Iterable[Offer[ReportSource]]:
    """Offer ``circular``."""
    return [Offer("circular", FolderOptions, _open, _addresses)]
