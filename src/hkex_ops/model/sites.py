"""Sites and the connections that lead to them."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from hkex_ops.model.sources import Source

__all__ = ["Connection", "ConnectionUse", "SiteRole"]


class SiteRole(StrEnum):
    """The part a site plays. Papers call the second one Secondary Data Centre or Backup Site."""

    PRIMARY = "primary"
    SECONDARY = "secondary"

    @property
    def other(self) -> SiteRole:
        """The other site."""
        return SiteRole.SECONDARY if self is SiteRole.PRIMARY else SiteRole.PRIMARY


class ConnectionUse(StrEnum):
    """What a stated connection is for."""

    SESSION = "session"  # for a session only
    PRODUCTION = "production"  # also the one that ordinary business uses


@frozen
class Connection:
    """One address of a service as a circular states it. A fact; never connected to by itself.

    ``port`` is unknown where the paper gives an address without one (a file then says
    ``port = "unknown"``). ``networks`` are the networks that reach it (``HSN``, ``SDNET``);
    ``order`` is the place in the paper's list: the first address is tried first.
    """

    service: str
    site: SiteRole
    host: str
    port: int | None
    source: Source
    networks: tuple[str, ...] = ()
    order: int = 1
    uses: tuple[ConnectionUse, ...] = (ConnectionUse.SESSION, ConnectionUse.PRODUCTION)
    host_name: str | None = None
    url: str | None = None
