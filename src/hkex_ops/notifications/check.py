"""What is wrong with a routing file, beyond its shape: every fault, each with its path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from hkex_ops.model import Audience
from hkex_ops.notifications.catalogue import EVENT_KINDS
from hkex_ops.notifications.routing import EscalationStep, Hours, Route, Routing, Telling

__all__ = ["LONGEST_DIGEST_S", "LONGEST_ESCALATION_MINUTES", "faults_of_routing"]

LONGEST_DIGEST_S = 3600
"""What is told an hour later is no news."""

LONGEST_ESCALATION_MINUTES = 24 * 60


def faults_of_routing(
    routing: Routing, notifiers: Collection[str] | None = None
) -> Iterator[tuple[str, str]]:
    """(path, sentence) of every fault; ``notifiers`` are those that the configuration has, where
    there is one to compare with."""
    if not routing.routes:
        yield "routes", "is empty: nobody would be told of anything"
    counted = Counter(route.id for route in routing.routes)
    for number, route in enumerate(routing.routes):
        at = f"routes[{number}]"
        if not route.id.strip() or not route.id.isprintable():
            yield f"{at}.id", "must be a name"
        elif counted[route.id] > 1:
            yield f"{at}.id", f"{route.id!r} is the name of several routes: give each its own"
        yield from _wrong_route(route, at)
        for path, telling in _tellings(route, at):
            yield from _wrong_telling(telling, path, notifiers)
    if routing.quiet is not None:
        if not routing.quiet.hours:
            yield "quiet.hours", "is empty: leave [quiet] out where no hour is quiet"
        yield from _wrong_hours(routing.quiet.hours, "quiet.hours")


def _wrong_route(route: Route, at: str) -> Iterator[tuple[str, str]]:
    if not route.tell:
        yield f"{at}.tell", "is empty: nobody would be told"
    if not route.languages:
        yield f"{at}.languages", "is empty: leave it out for English"
    if len(set(route.languages)) != len(route.languages):
        yield f"{at}.languages", "has a language twice"
    if not route.events:
        yield f"{at}.events", "is empty: leave it out for every event"
    for number, pattern in enumerate(route.events):
        if not _is_pattern(pattern):
            yield (
                f"{at}.events[{number}]",
                f"{pattern!r} is no event, no stream/* and no *; see hkex-ops notify events",
            )
    if route.hours and route.audience is Audience.REGULATOR:
        yield f"{at}.hours", "a regulator is told at any hour: leave this out"
    yield from _wrong_hours(route.hours, f"{at}.hours")
    if not 0 <= route.digest_s <= LONGEST_DIGEST_S:
        yield f"{at}.digest_s", f"must be from 0 to {LONGEST_DIGEST_S}"
    if route.fallback_after_minutes < 1:
        yield f"{at}.fallback_after_minutes", "must be 1 or more"
    yield from _wrong_escalation(route.escalation, at)


def _is_pattern(pattern: str) -> bool:
    if pattern == "*" or pattern in EVENT_KINDS:
        return True
    streams = {kind.stream for kind in EVENT_KINDS.values()}
    return pattern.endswith("/*") and pattern.removesuffix("/*") in streams


def _wrong_hours(hours: Sequence[Hours], at: str) -> Iterator[tuple[str, str]]:
    for number, one in enumerate(hours):
        if one.from_ == one.to:
            yield f"{at}[{number}]", "begins and ends at one moment: write 00:00 to 24:00 for a day"
        for key, time in (("from", one.from_), ("to", one.to)):
            if time.approximate or time.minutes > 24 * 60:
                yield f"{at}[{number}].{key}", "must be a time of one day, such as 22:00"


def _wrong_escalation(steps: Sequence[EscalationStep], at: str) -> Iterator[tuple[str, str]]:
    before = 0
    for number, step in enumerate(steps):
        path = f"{at}.escalation[{number}].after_minutes"
        if not before < step.after_minutes <= LONGEST_ESCALATION_MINUTES:
            yield (
                path,
                f"must be more than {before} and at most {LONGEST_ESCALATION_MINUTES}: it counts "
                "from when the first was told",
            )
        before = max(before, step.after_minutes)


def _tellings(route: Route, at: str) -> Iterator[tuple[str, Telling]]:
    for key, tellings in (("tell", route.tell), ("fallback", route.fallback)):
        for number, telling in enumerate(tellings):
            yield f"{at}.{key}[{number}]", telling
    for number, step in enumerate(route.escalation):
        yield f"{at}.escalation[{number}]", step.telling


def _wrong_telling(
    telling: Telling, at: str, notifiers: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    if notifiers is not None and telling.by not in notifiers:
        known = ", ".join(sorted(notifiers)) or "none"
        yield (
            f"{at}.by",
            f"there is no [notifiers.{telling.by}] in the configuration; known: {known}",
        )
    if not telling.to:
        yield f"{at}.to", "is empty: nobody would be told"
    for number, receiver in enumerate(telling.to):
        if not receiver.strip() or not receiver.isprintable():
            yield f"{at}.to[{number}]", "must be the name or address of a receiver"
        elif receiver in telling.to[:number]:
            yield f"{at}.to[{number}]", f"{receiver!r} stands here twice"
