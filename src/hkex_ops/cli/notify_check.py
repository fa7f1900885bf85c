"""``hkex-ops notify check``, ``routes``, ``who`` and ``events``: before the day it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from hkex_ops.cli.answer import Answer, ExitCode
from hkex_ops.cli.notify_desk import clock_of, configured
from hkex_ops.cli.options import At, Config, Json, Verbose, optional_settings, parse_at
from hkex_ops.cli.text import say, say_count
from hkex_ops.config.routes import load_routing
from hkex_ops.errors import ConfigError, Fault, UsageError
from hkex_ops.flows.notifying.preflight import CheckedChannel, RouteState, check_channels
from hkex_ops.model import JsonObject, Occurrence, Severity, plain
from hkex_ops.notifications import EVENT_KINDS, EventKind, Route, Routing

__all__ = ["check", "events", "routes", "who"]

_WORDS = {
    RouteState.ALIVE: "alive",
    RouteState.DEAD: "DEAD",
    RouteState.UNTRIED: "not tried",
}


def check(*, config: Config = None, verbose: Verbose = False, json: Json = False) -> Answer:
    """Try every channel that the routes use: connect, log in, send nothing.

    Exits 1 when one is dead.
    """
    _, stated = configured(config, verbose=verbose, as_json=json)
    checked = asyncio.run(check_channels(stated))
    is_dead = any(one.state is RouteState.DEAD for one in checked)
    return Answer(
        {"at": plain(clock_of().now()), "channels": [plain(one) for one in checked]},
        lambda console: _render_checked(checked, console),
        ExitCode.FINDINGS if is_dead else ExitCode.DONE,
    )


def routes(file: Path, /, *, config: Config = None, json: Json = False) -> Answer:
    """Judge a routing file: every fault at once, with its path. Exits 1 when there is one.

    With a configuration its notifiers are compared, too.

    Parameters
    ----------
    file
        The TOML file.
    """
    settings = optional_settings(config)
    notifiers: Mapping[str, object] | None = None if settings is None else settings.notifiers
    routing: Routing | None = None
    faults: tuple[Fault, ...] = ()
    try:
        routing = load_routing(file, notifiers or None)
    except ConfigError as error:
        if not error.document:  # no file that could be judged
            raise
        faults = error.faults
    return Answer(
        {
            "file": str(file),
            "routes": None if routing is None else [one.id for one in routing.routes],
            "faults": [plain(fault) for fault in faults],
        },
        lambda console: _render_file(file, routing, faults, console),
        ExitCode.FINDINGS if faults else ExitCode.DONE,
    )


def who(
    event: str,
    /,
    *,
    severity: Annotated[
        Severity | None, Parameter(help="How much hangs on it; else as usual for the event.")
    ] = None,
    at: At = None,
    config: Config = None,
    json: Json = False,
) -> Answer:
    """Say who would be told of an event, how and when. Nobody is. Exits 1 when nobody would be.

    Parameters
    ----------
    event
        The event, such as reports/missing; see notify events.
    """
    if event not in EVENT_KINDS:
        raise UsageError(f"there is no event {event!r}; see hkex-ops notify events")
    instant = parse_at(at, clock_of())
    _, stated = configured(config, as_json=json)
    grade = EVENT_KINDS[event].severity if severity is None else severity
    occurrence = Occurrence(event, "nobody is told", instant, grade)
    wanted = stated.routing.routes_for(occurrence, instant, stated.is_business_day)
    told: list[JsonObject] = []
    for route in wanted:
        quiet = stated.routing.quiet_until(route, grade, instant, stated.is_business_day)
        told.append({"quiet_until": plain(quiet), **_route_document(route)})
    return Answer(
        {
            "event": event,
            "severity": grade.value,
            "at": plain(instant),
            "routes": told,
        },
        lambda console: _render_who(event, grade, told, wanted, console),
        ExitCode.DONE if wanted else ExitCode.FINDINGS,
    )


def events(*, json: Json = False) -> Answer:
    """List the events of which people can be told; which are told is the routing file's to say."""
    kinds = list(EVENT_KINDS.values())
    return Answer(
        {"events": [plain(kind) for kind in kinds]},
        lambda console: _render_events(kinds, console),
    )


def _route_document(route: Route) -> JsonObject:
    return {
        "id": route.id,
        "audience": route.audience.value,
        "languages": plain(route.languages),
        "digest_s": route.digest_s,
        "tell": plain(route.tell),
        "fallback": plain(route.fallback),
        "escalation": plain(route.escalation),
    }


def _render_checked(checked: Sequence[CheckedChannel], console: Console) -> None:
    for one in checked:
        say(console, one.detail, lead=f"{one.channel} ({one.adapter}) {_WORDS[one.state]}: ")
        say(console, f"for {', '.join(one.receivers)}", indent=2)


def _render_file(
    file: Path, routing: Routing | None, faults: Sequence[Fault], console: Console
) -> None:
    if routing is not None:
        named = ", ".join(one.id for one in routing.routes)
        say(console, f"{file} is sound: {say_count(len(routing.routes), 'route')} ({named})")
        return
    say(console, f"{file} has {say_count(len(faults), 'fault')}")
    for fault in faults:
        say(console, fault.message, lead=f"  {fault.path}: " if fault.path else "  ")


def _render_who(
    event: str,
    severity: Severity,
    told: Sequence[JsonObject],
    routes: Sequence[Route],
    console: Console,
) -> None:
    if not routes:
        say(console, f"{event}, {severity}: nobody would be told at that hour")
    for document, route in zip(told, routes, strict=True):
        languages = " and ".join(one.value for one in route.languages)
        say(console, f"{route.id}: {route.audience.value}, in {languages}")
        quiet = document["quiet_until"]
        if quiet is not None:
            say(console, f"held until {quiet} (quiet hours)", indent=2)
        if route.digest_s:
            say(console, f"gathered with its batch for {route.digest_s} s", indent=2)
        for telling in route.tell:
            say(console, f"{telling.by} to {', '.join(telling.to)}", indent=2)
        for telling in route.fallback:
            after = f"if nobody has it after {route.fallback_after_minutes} min"
            say(console, f"{telling.by} to {', '.join(telling.to)}, {after}", indent=2)
        for step in route.escalation:
            after = f"if nobody acknowledged after {step.after_minutes} min"
            say(console, f"{step.by} to {', '.join(step.to)}, {after}", indent=2)


def _render_events(kinds: Sequence[EventKind], console: Console) -> None:
    for kind in kinds:
        say(console, f"{kind.what} ({kind.severity.value})", lead=f"{kind.name:<25} ")
