"""The switchboard: an occurrence goes in, orders of whom to tell come out.

It routes, tells nobody twice of one key, gathers what is told together, holds back what can wait,
falls back and escalates. It sends nothing and knows no clock: an outbox carries its orders out and
tells it what became of them. All it has in hand is a snapshot, so that a restart changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from attrs import define

from hkex_ops.model import HONG_KONG, Language, Occurrence, Severity
from hkex_ops.notifications.cases import Case
from hkex_ops.notifications.catalogue import DIGEST, EVENT_KINDS
from hkex_ops.notifications.events import (
    Acknowledge,
    CaseUnanswered,
    CaseUnreached,
    OccurrenceHeld,
    OccurrenceRepeated,
    OccurrenceTaken,
    OccurrenceUnrouted,
    Settle,
    SwitchboardEvent,
    SwitchboardInput,
)
from hkex_ops.notifications.routing import BusinessDays, Route, Routing
from hkex_ops.notifications.templates import CHINESE_FACT, Templates

__all__ = ["MOST_GATHERED", "NEVER_GATHERED", "Held", "Switchboard"]

MOST_GATHERED = 200
"""Occurrences in one digest; with the next a new one begins."""

NEVER_GATHERED = Severity.CRITICAL
"""What is this severe is told at once, whatever else its batch may bring."""

_QUIET = "quiet hours"
_OWN_STREAM = "notify/"


@define(eq=False)
class Held:
    """What one route waits to tell together."""

    route: Route
    batch: str
    due: datetime
    occurrences: list[Occurrence]

    @property
    def severity(self) -> Severity:
        """The worst of it."""
        return max((one.severity for one in self.occurrences), key=lambda one: one.rank)


class Switchboard:
    """The machine. ``knows`` says whether a key was told before, ``is_business_day`` of a date."""

    def __init__(
        self,
        routing: Routing,
        templates: Templates,
        *,
        knows: Callable[[str], bool],
        is_business_day: BusinessDays,
    ) -> None:
        self._routing = routing
        self._templates = templates
        self._knows = knows
        self._is_business_day = is_business_day
        self._cases: dict[str, Case] = {}
        self._held: dict[tuple[str, str], Held] = {}

    @property
    def cases(self) -> Mapping[str, Case]:
        """The cases that are open, by name."""
        return self._cases

    @property
    def held(self) -> Iterable[Held]:
        """What waits to be told."""
        return self._held.values()

    def take_up(self, cases: Iterable[Case], held: Iterable[Held] = ()) -> None:
        """Go on with cases and with what waits where another switchboard stood.

        A switchboard that was given some cases of many decides for those alone.
        """
        self._cases.update((case.id, case) for case in cases)
        self._held.update(((one.route.id, one.batch), one) for one in held)

    def handle(self, given: SwitchboardInput, now: datetime) -> tuple[SwitchboardEvent, ...]:
        """Take one input."""
        match given:
            case Occurrence():
                told = self._take(given, now)
            case Settle():
                case = self._cases.get(given.case)
                told = () if case is None else case.settle(given.by, given.to, given.outcome, now)
            case Acknowledge():
                told = tuple(
                    event
                    for case in self._cases.values()
                    if case.key == given.key
                    for event in case.acknowledge(given.by, now)
                )
        return self._followed_up(told, now)

    def poll(self, now: datetime) -> tuple[SwitchboardEvent, ...]:
        """Do what is due: digests, fallbacks, escalations."""
        told = [event for held in self._due_digests(now) for event in self._tell_held(held, now)]
        told += [event for case in tuple(self._cases.values()) for event in case.poll(now)]
        return self._followed_up(told, now)

    def due(self) -> datetime | None:
        """When `poll` has something to do next, as things stand."""
        moments = [held.due for held in self._held.values()]
        moments += [due for case in self._cases.values() if (due := case.due()) is not None]
        return min(moments, default=None)

    # -- an occurrence -------------------------------------------------------------------------

    def _take(
        self, occurrence: Occurrence, now: datetime, besides: str = ""
    ) -> tuple[SwitchboardEvent, ...]:
        if self._knows(occurrence.key):
            return (OccurrenceRepeated(now, occurrence.key),)
        routes = [
            route
            for route in self._routing.routes_for(occurrence, now, self._is_business_day)
            if route.id != besides
        ]
        if not routes:
            return (OccurrenceUnrouted(now, occurrence.key, occurrence.event),)
        ids = tuple(route.id for route in routes)
        told: list[SwitchboardEvent] = [OccurrenceTaken(now, occurrence.key, occurrence.event, ids)]
        for route in routes:
            told += self._route(route, occurrence, now)
        return tuple(told)

    def _route(
        self, route: Route, occurrence: Occurrence, now: datetime
    ) -> Iterator[SwitchboardEvent]:
        is_grave = occurrence.severity.rank >= NEVER_GATHERED.rank
        if occurrence.batch and route.digest_s and not is_grave:
            due = now + timedelta(seconds=route.digest_s)
            yield from self._hold(route, occurrence.batch, due, [occurrence], now)
            return
        quiet = self._quiet_until(route, occurrence.severity, now)
        if quiet is not None:
            yield from self._hold(route, _QUIET, quiet, [occurrence], now)
            return
        yield from self._open(route, occurrence, now)

    def _hold(
        self,
        route: Route,
        batch: str,
        due: datetime,
        occurrences: list[Occurrence],
        now: datetime,
    ) -> Iterator[SwitchboardEvent]:
        held = self._held.setdefault((route.id, batch), Held(route, batch, due, []))
        held.occurrences += occurrences
        for one in occurrences:
            yield OccurrenceHeld(now, one.key, route.id, held.due, batch)
        if len(held.occurrences) >= MOST_GATHERED:
            yield from self._tell_held(held, now)

    def _due_digests(self, now: datetime) -> list[Held]:
        return [held for held in self._held.values() if held.due <= now]

    def _tell_held(self, held: Held, now: datetime) -> Iterator[SwitchboardEvent]:
        del self._held[held.route.id, held.batch]
        quiet = self._quiet_until(held.route, held.severity, now)
        if quiet is not None and held.batch != _QUIET:
            yield from self._hold(held.route, _QUIET, quiet, held.occurrences, now)
            return
        if quiet is not None and quiet > held.due:
            held.due = quiet
            self._held[held.route.id, held.batch] = held
            return
        yield from self._open(held.route, self._digest(held), now)

    def _digest(self, held: Held) -> Occurrence:
        """What is held as one; a single one stays what it is."""
        first, *others = held.occurrences
        if not others:
            return first
        listed: dict[Language, str] = {}
        for language in Language:
            lines = [
                f"{one.at.astimezone(HONG_KONG):%H:%M:%S}  "
                + self._templates.render(one, held.route.audience, language).subject
                for one in held.occurrences
            ]
            listed[language] = "\n".join(lines)
        return Occurrence(
            DIGEST,
            f"digest of {len(held.occurrences)} for {held.route.id}, first {first.key}",
            max(one.at for one in held.occurrences),
            held.severity,
            {
                "count": str(len(held.occurrences)),
                "listed": listed[Language.ENGLISH],
                f"listed{CHINESE_FACT}": listed[Language.CHINESE],
            },
            batch=held.batch,
            business_date=first.business_date,
        )

    def _quiet_until(self, route: Route, severity: Severity, now: datetime) -> datetime | None:
        return self._routing.quiet_until(route, severity, now, self._is_business_day)

    # -- cases ---------------------------------------------------------------------------------

    def _open(
        self, route: Route, occurrence: Occurrence, now: datetime
    ) -> Iterator[SwitchboardEvent]:
        notifications = tuple(
            self._templates.render(occurrence, route.audience, language)
            for language in route.languages
        )
        case = Case(route, notifications, now, called=now)
        self._cases[case.id] = case
        yield from case.call(now)

    def _followed_up(
        self, told: Iterable[SwitchboardEvent], now: datetime
    ) -> tuple[SwitchboardEvent, ...]:
        """``told``, and what follows from a case that came to a bad end; closed ones are left."""
        events = list(told)
        for event in tuple(events):
            if isinstance(event, CaseUnanswered | CaseUnreached):
                events += self._complain(event, now)
        self._cases = {name: case for name, case in self._cases.items() if case.is_open}
        return tuple(events)

    def _complain(
        self, event: CaseUnanswered | CaseUnreached, now: datetime
    ) -> tuple[SwitchboardEvent, ...]:
        case = self._cases[event.case]
        original = case.notifications[0]
        if original.event.startswith(_OWN_STREAM) and original.event != DIGEST:
            return ()
        name = "unanswered" if isinstance(event, CaseUnanswered) else "unreached"
        kind = EVENT_KINDS[f"{_OWN_STREAM}{name}"]
        complaint = Occurrence(
            kind.name,
            f"{name}: {event.case}",
            now,
            kind.severity,
            {
                "subject": original.subject,
                "route": case.route.id,
                "tried": ", ".join(f"{by} to {to}" for by, to in case.outcomes),
            },
            business_date=original.business_date,
            incident=original.incident,
        )
        # Whoever could not be told of the one thing need not be told of the other.
        return self._take(complaint, now, besides=case.route.id)
