"""Where must my client point? The connections a rollout states, chosen by site and use."""

from __future__ import annotations

from collections.abc import Iterable

from hkex_ops.model import Connection, ConnectionUse, Rollout, SiteRole

__all__ = ["production_connections", "session_connections"]


def session_connections(rollout: Rollout, service: str, site: SiteRole) -> tuple[Connection, ...]:
    """The connections of ``service`` at ``site``, the first to try first."""
    return _ordered(c for c in rollout.connections if (c.service, c.site) == (service, site))


def production_connections(rollout: Rollout, service: str) -> tuple[Connection, ...]:
    """The connections that ordinary business uses once the rollout's sessions are over."""
    return _ordered(
        c
        for c in rollout.connections
        if c.service == service and ConnectionUse.PRODUCTION in c.uses
    )


def _ordered(connections: Iterable[Connection]) -> tuple[Connection, ...]:
    return tuple(sorted(connections, key=lambda connection: connection.order))
