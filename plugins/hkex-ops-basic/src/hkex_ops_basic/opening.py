"""The two doors of this distribution; the network is loaded behind them and not before."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from hkex_ops.model import SiteRole
from hkex_ops.ports import Probe
from hkex_ops_basic.options import HttpsOptions, TcpOptions

__all__ = ["open_https", "open_tcp"]


@asynccontextmanager
async def open_tcp(options: TcpOptions, site: SiteRole) -> AsyncGenerator[Probe]:
    """A probe that sees whether somebody takes a TCP connection at ``site``."""
    from hkex_ops_basic.tcp import TcpProbe

    yield TcpProbe(options, site)


@asynccontextmanager
async def open_https(options: HttpsOptions, site: SiteRole) -> AsyncGenerator[Probe]:
    """A probe that sees whether the right server of ``site`` gives the right page.

    Raises `ConfigError` when the file of authorities cannot be read or holds none.
    """
    from hkex_ops_basic.certificates import client_context
    from hkex_ops_basic.https import HttpsProbe

    yield HttpsProbe(options, client_context(options.ca_file), site)
