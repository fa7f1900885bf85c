"""``hkex-ops connections SERVICE``: where a client points now, and why."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer
from hkex_ops.cli.options import At, Config, Json
from hkex_ops.cli.papers import Audience, OneRollout, ask
from hkex_ops.cli.text import say, say_instant
from hkex_ops.model import Connection, JsonObject, plain
from hkex_ops.rollouts import Directions, directions, host_table

__all__ = ["connections", "directions_document", "say_address"]


def connections(
    service: str,
    /,
    *,
    at: At = None,
    rollout: OneRollout = None,
    audience: Audience = None,
    hosts: Annotated[
        bool, Parameter(negative="", help="Only the lines for a workstation's host table.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Say to which site and addresses the clients of a service point, and why.

    Parameters
    ----------
    service
        The service as the papers write it, such as RRS or DCASS-Online; case is ignored.
    """
    asked = ask(at, rollout, audience, config)
    found = directions(asked.rollouts, service, asked.at, audience=asked.audience)
    render = _render_hosts if hosts else _render
    return Answer(directions_document(found), lambda console: render(found, console))


def directions_document(found: Directions) -> JsonObject:
    """The answer as ``--json`` prints it."""
    return {
        "service": found.service,
        "at": plain(found.at),
        "site": plain(found.site),
        "connections": [
            {
                "host": one.host,
                "port": one.port,
                "network": list(one.networks),
                "url": one.url,
                "host_name": one.host_name,
                "source": plain(one.source),
            }
            for one in found.connections
        ],
        "why": found.why,
        "rollout": found.rollout,
        "session": found.session,
        "source": plain(found.source),
        "hosts": list(host_table(found.connections)),
    }


def say_address(connection: Connection) -> str:
    """Address and port, as far as the paper gives them."""
    if connection.port is None:
        return f"{connection.host} (port not stated)"
    return f"{connection.host}:{connection.port}"


def _render(found: Directions, console: Console) -> None:
    place = "no site can be used" if found.site is None else f"the {found.site} site"
    say(console, f"{found.service} at {say_instant(found.at)}: {place}")
    for one in found.connections:
        network = f" over {', '.join(one.networks)}" if one.networks else ""
        say(console, f"{say_address(one)}{network}", indent=2)
        if one.url:
            say(console, one.url, indent=4)
    if found.site is not None and not found.connections:
        say(console, "no address is known", indent=2)
    say(console, found.why, lead="  why     ")
    if found.source is not None:
        say(console, str(found.source), lead="  source  ")


def _render_hosts(found: Directions, console: Console) -> None:
    lines = host_table(found.connections)
    for line in lines:
        console.print(line, markup=False, emoji=False, soft_wrap=True)
    if not lines:
        # A comment, so that the output may go into a host table as it is.
        reason = found.why if not found.connections else "the paper states no host names"
        console.print(f"# {found.service}: {reason}", markup=False, emoji=False, soft_wrap=True)
