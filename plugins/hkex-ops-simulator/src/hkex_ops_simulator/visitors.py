"""The visitors' book of a simulated exchange: who logged in, who is there, what was refused.

Kept apart from the protocol so that a test can ask the far side what really happened, and an
adapter is never its own witness. Written by the doors, read through
:class:`~hkex_ops_simulator.server.SimulatedExchange`.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from hkex_ops.model import SiteRole

__all__ = ["Login", "RefusedRequest", "Visitors"]


class Login(NamedTuple):
    """A user whose key was accepted at an address of a site."""

    site: SiteRole
    address: str
    user: str


class RefusedRequest(NamedTuple):
    """Something a logged-in client asked for that a report service never grants.

    ``kind`` is ``shell``, ``exec``, ``subsystem``, ``forward`` or ``write``; ``detail`` is the
    command, the subsystem, the destination or the SFTP request.
    """

    site: SiteRole
    address: str
    user: str
    kind: str
    detail: str


class Visitors:
    """Every log-in and every refusal of one exchange, in order, and the count of open sessions."""

    def __init__(self) -> None:
        self.logins: list[Login] = []
        self.refused: list[RefusedRequest] = []
        self._open = 0
        self._nobody = asyncio.Event()
        self._nobody.set()

    @property
    def open_sessions(self) -> int:
        """How many logged-in connections there are now."""
        return self._open

    def came(self, login: Login) -> None:
        """A client has logged in."""
        self.logins.append(login)
        self._open += 1
        self._nobody.clear()

    def left(self) -> None:
        """A logged-in client's connection has ended, in whatever way."""
        self._open -= 1
        if not self._open:
            self._nobody.set()

    async def until_nobody(self) -> None:
        """Wait until no logged-in connection is left."""
        await self._nobody.wait()
