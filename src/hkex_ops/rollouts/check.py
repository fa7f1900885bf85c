"""What a rollout must hold beyond the shape of its file: rules that every paper so far obeys.

Gives (path, sentence) pairs for whoever loads or checks a rollout file. Every fault is found in
one pass; none stops another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Protocol

from hkex_ops.model import ACTIONS, Certainty, ConnectionUse, Recurrence, Rollout, SiteRole

__all__ = ["faults_of"]


class _Named(Protocol):
    @property
    def id(self) -> str: ...


def faults_of(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """Every rule that ``rollout`` breaks, as (path in the document, sentence)."""
    yield from _names(rollout)
    yield from _restrictions(rollout)
    yield from _requirements(rollout)
    yield from _sessions(rollout)
    yield from _production(rollout)


def _names(rollout: Rollout) -> Iterator[tuple[str, str]]:
    rooms: dict[str, Sequence[_Named]] = {
        "phases": rollout.phases,
        "sessions": rollout.sessions,
        "registrations": rollout.registrations,
        "restrictions": rollout.restrictions,
        "requirements": rollout.requirements,
        "announcements": rollout.announcements,
    }
    for room, things in rooms.items():
        first: dict[str, int] = {}
        for index, thing in enumerate(things):
            if thing.id in first:
                yield (
                    f"{room}[{index}].id",
                    f"{thing.id!r} is the id of {room}[{first[thing.id]}] already",
                )
            first.setdefault(thing.id, index)
    spoken = [
        (f"connections[{index}].service", one.service)
        for index, one in enumerate(rollout.connections)
    ] + [
        (f"sessions[{index}].services[{place}]", service)
        for index, one in enumerate(rollout.sessions)
        for place, service in enumerate(one.services)
    ]
    for path, service in spoken:
        if service not in rollout.services:
            known = ", ".join(rollout.services)
            yield path, f"{service!r} is not among the rollout's services ({known})"


def _restrictions(rollout: Rollout) -> Iterator[tuple[str, str]]:
    for index, rule in enumerate(rollout.restrictions):
        if rule.action not in ACTIONS:
            near = get_close_matches(rule.action, ACTIONS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(ACTIONS)}"
            yield f"restrictions[{index}].action", f"unknown action {rule.action!r}; {hint}"
        bounds = (rule.window.start, rule.window.until)
        if all(bound.certainty is Certainty.OPEN for bound in bounds):
            yield f"restrictions[{index}].window", "a restriction has a period; this one has none"


def _requirements(rollout: Rollout) -> Iterator[tuple[str, str]]:
    for index, demand in enumerate(rollout.requirements):
        recurs = demand.recurrence is Recurrence.EVERY_BUSINESS_DAY
        if recurs and (demand.window.start.at is None or demand.window.until.at is None):
            yield (
                f"requirements[{index}].window",
                "what recurs every business day needs both ends of its period",
            )


def _sessions(rollout: Rollout) -> Iterator[tuple[str, str]]:
    registrations = {one.id: one for one in rollout.registrations}
    for index, session in enumerate(rollout.sessions):
        for service in session.services:
            stated = {c.site for c in rollout.connections if c.service == service}
            if stated and session.site is not None and session.site not in stated:
                yield (
                    f"sessions[{index}].site",
                    f"the rollout states {service} connections at {', '.join(sorted(stated))}, "
                    f"and none at {session.site}",
                )
        if session.registration is None:
            continue
        registration = registrations.get(session.registration)
        if registration is None:
            yield (
                f"sessions[{index}].registration",
                f"no registration is called {session.registration!r}",
            )
            continue
        due, start = registration.due.at, session.window.start.at
        if due is not None and start is not None and due > start:
            place = rollout.registrations.index(registration)
            yield (
                f"registrations[{place}].due",
                f"{due.isoformat()} lies after the start of session {session.id} "
                f"({start.isoformat()}), which it serves",
            )


def _production(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """After everything, ordinary business runs on the primary site."""
    for service in rollout.services:
        stated = [c for c in rollout.connections if c.service == service]
        production = [c for c in stated if ConnectionUse.PRODUCTION in c.uses]
        for connection in production:
            if connection.site is not SiteRole.PRIMARY:
                yield (
                    f"connections[{rollout.connections.index(connection)}].uses",
                    f"production connections of {service} end on primary; {connection.host} is at "
                    f"{connection.site}",
                )
        if stated and not production:
            yield "connections", f"no connection of {service} is for production"
