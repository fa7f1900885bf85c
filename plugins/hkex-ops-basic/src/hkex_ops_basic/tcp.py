"""Whether somebody takes a TCP connection: all that can be told where no protocol is spoken.

Nothing is sent. A connection that is taken does not prove who took it, and the result says so.
"""

from __future__ import annotations

import asyncio

from hkex_ops.errors import PluginError
from hkex_ops.model import Connection, SiteRole
from hkex_ops.ports import ProbeResult
from hkex_ops_basic.lines import address_at, line_to
from hkex_ops_basic.options import TcpOptions
from hkex_ops_basic.translation import translated

__all__ = ["TcpProbe"]


class TcpProbe:
    """The port ``Probe`` by TCP alone."""

    def __init__(self, options: TcpOptions, site: SiteRole) -> None:
        self._options = options
        self._site = site

    async def probe(self, connection: Connection) -> ProbeResult:
        """Connect, hang up."""
        address = address_at(connection, self._site)
        try:
            async with asyncio.timeout(self._options.timeout_s), line_to(address):
                pass
        # Whatever the engine raises becomes ours; a bug of this adapter comes as PluginError.
        except Exception as error:
            limit = (
                f" within {self._options.timeout_s} s" if isinstance(error, TimeoutError) else ""
            )
            ours = translated(error, f"{address}, connecting{limit}")
            if isinstance(ours, PluginError):
                raise ours from error
            return ProbeResult(connection, False, False, str(ours))
        detail = f"{address} takes connections; nothing was said, so nothing proves who answered"
        return ProbeResult(connection, True, True, detail)
