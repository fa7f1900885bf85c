"""The port of probes: can a connection be reached, and does the right one answer."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from hkex_ops.model import Connection

__all__ = ["Probe", "ProbeResult"]


@frozen
class ProbeResult:
    """What a probe found at one connection.

    ``reached``: somebody took the connection. ``answered``: who took it is who should have, and
    said what it should, as far as this probe can tell; never without ``reached``. ``detail`` is
    one sentence for a person, in which a failure says what was seen and what was expected.
    ``certificate`` is the fingerprint (``SHA256:…``) of the certificate the far side showed.
    """

    connection: Connection
    reached: bool
    answered: bool
    detail: str
    certificate: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.answered and not self.reached:
            raise ValueError(f"{self.connection.host} cannot have answered and not been reached")


class Probe(Protocol):
    """Looks at connections of one site: nothing is logged in to and nothing is changed."""

    async def probe(self, connection: Connection) -> ProbeResult:
        """Look at ``connection`` once, within the adapter's own time-out.

        Whatever the far side does, not being there included, is a result and never an exception.
        Raises `UsageError` for a connection of the other site, which is not touched, and for one
        without a port.
        """
        ...
