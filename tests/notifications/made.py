"""Occurrences, routes and a switchboard that tests share. 2 February 2026 is a Monday."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from hkex_ops.calendars import TimeOfDay
from hkex_ops.config.routes import load_templates
from hkex_ops.model import HONG_KONG, Audience, Notification, Occurrence, Severity
from hkex_ops.notifications import (
    EscalationStep,
    Hours,
    OccurrenceTaken,
    QuietHours,
    Route,
    Routing,
    Switchboard,
    SwitchboardEvent,
    SwitchboardInput,
    Telling,
    TellingOrdered,
)

__all__ = [
    "DAY",
    "MORNING",
    "NIGHT",
    "QUIET",
    "Board",
    "escalating",
    "minutes",
    "occurrence",
    "orders",
    "route",
]

DAY = date(2026, 2, 2)
MORNING = datetime(2026, 2, 2, 10, 0, tzinfo=HONG_KONG)
NIGHT = datetime(2026, 2, 2, 23, 30, tzinfo=HONG_KONG)
QUIET = QuietHours((Hours(TimeOfDay.parse("22:00"), TimeOfDay.parse("07:00")),))


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def occurrence(
    key: str = "missing 1",
    *,
    event: str = "reports/missing",
    severity: Severity = Severity.MAJOR,
    at: datetime = MORNING,
    batch: str = "",
    facts: Mapping[str, str] | None = None,
) -> Occurrence:
    known = {"service": "RRS", "held": "37", "expected": "38", "missing": "TP002"}
    return Occurrence(
        event, key, at, severity, known if facts is None else facts, batch, business_date=DAY
    )


def route(id: str = "desk", audience: Audience = Audience.DESK, **stated: object) -> Route:
    given = {"tell": (Telling("mail", ("desk@broker.example",)),), **stated}
    return Route(id, audience, **given)  # type: ignore[arg-type]


def escalating(id: str = "desk") -> Route:
    return route(
        id,
        fallback=(Telling("sms", ("duty",)),),
        escalation=(
            EscalationStep(10, "sms", ("head",)),
            EscalationStep(20, "sms", ("director",)),
        ),
    )


def orders(events: Iterable[SwitchboardEvent]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Who is told, and by which way."""
    return [(one.way, one.by, one.to) for one in events if isinstance(one, TellingOrdered)]


class Board:
    """A switchboard that remembers which keys it has taken, as an outbox does."""

    def __init__(self, *routes: Route, quiet: QuietHours | None = None) -> None:
        self.known: set[str] = set()
        self.routing = Routing(routes, quiet)
        self.machine = self.fresh()

    def fresh(self) -> Switchboard:
        return Switchboard(
            self.routing,
            load_templates(()),
            knows=self.known.__contains__,
            is_business_day=lambda day: day.weekday() < 5,
        )

    def handle(self, given: SwitchboardInput, now: datetime) -> tuple[SwitchboardEvent, ...]:
        events = self.machine.handle(given, now)
        self.known.update(one.key for one in events if isinstance(one, OccurrenceTaken))
        return events

    def poll(self, now: datetime) -> tuple[SwitchboardEvent, ...]:
        events = self.machine.poll(now)
        self.known.update(one.key for one in events if isinstance(one, OccurrenceTaken))
        return events

    def told(self, events: Iterable[SwitchboardEvent]) -> list[Notification]:
        return [one.notification for one in events if isinstance(one, TellingOrdered)]
