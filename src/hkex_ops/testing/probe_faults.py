"""Faults of looking at connections, each named after what it does, around any probe.

What a far side does is a result, so these are results; a step that is given one is not passed.
"""

from __future__ import annotations

from attrs import evolve

from hkex_ops.model import Connection
from hkex_ops.ports import Probe, ProbeResult
from hkex_ops.testing.faulty import Stall

__all__ = ["Disconnecting", "Faulty", "Refusing", "Stalling"]


class Faulty:
    """A probe that looks. A fault overrides what goes wrong."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    async def probe(self, connection: Connection) -> ProbeResult:
        """As the probe within does."""
        return await self._probe.probe(connection)


class Stalling(Faulty, Stall):
    """Looks ``after`` times and then waits until :meth:`go_on`, which may be never."""

    def __init__(self, probe: Probe, after: int = 1) -> None:
        Faulty.__init__(self, probe)
        Stall.__init__(self, after)

    async def probe(self, connection: Connection) -> ProbeResult:
        """A few results, and then silence."""
        await self.let_pass()
        return await self._probe.probe(connection)


class Refusing(Faulty):
    """Nobody takes the connection."""

    async def probe(self, connection: Connection) -> ProbeResult:
        """Not reached, and nothing was touched."""
        where = f"{connection.host}:{connection.port}"
        return ProbeResult(connection, False, False, f"{where} refuses the connection")


class Disconnecting(Faulty):
    """Whoever takes the connection ends it before he answers."""

    async def probe(self, connection: Connection) -> ProbeResult:
        """Reached, perhaps, and not answered."""
        found = await self._probe.probe(connection)
        detail = f"{connection.host}:{connection.port} ended the connection without an answer"
        return evolve(found, answered=False, detail=detail)
