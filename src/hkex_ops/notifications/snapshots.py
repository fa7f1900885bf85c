"""What a switchboard has in hand, spelt as plain data and read again.

A route that is no longer in the routing file goes on as it was when the case was opened: the
snapshot holds it whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import cast

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import (
    Audience,
    Json,
    JsonObject,
    Language,
    Notification,
    Occurrence,
    Outcome,
    Severity,
    SiteRole,
    plain,
)
from hkex_ops.notifications.cases import Case, CaseState
from hkex_ops.notifications.routing import DayChoice, EscalationStep, Hours, Route, Telling
from hkex_ops.notifications.switchboard import Held, Switchboard

__all__ = [
    "SNAPSHOT_VERSION",
    "case_document",
    "held_document",
    "read_case",
    "read_held",
    "read_notification",
    "read_occurrence",
    "restore",
    "snapshot",
]

SNAPSHOT_VERSION = 1


def snapshot(switchboard: Switchboard) -> JsonObject:
    """Everything that ``switchboard`` has in hand."""
    return {
        "version": SNAPSHOT_VERSION,
        "cases": [case_document(case) for case in switchboard.cases.values()],
        "held": [held_document(held) for held in switchboard.held],
    }


def restore(switchboard: Switchboard, document: JsonObject) -> None:
    """Let ``switchboard`` go on where another stood; ValueError for another version."""
    if document.get("version") != SNAPSHOT_VERSION:
        raise ValueError(f"snapshot version {document.get('version')} is not {SNAPSHOT_VERSION}")
    switchboard.take_up(
        [read_case(one) for one in _tables(document["cases"])],
        [read_held(one) for one in _tables(document["held"])],
    )


def held_document(held: Held) -> JsonObject:
    """What waits to be told together, as plain data."""
    return {
        "route": _route(held.route),
        "batch": held.batch,
        "due": plain(held.due),
        "occurrences": plain(held.occurrences),
    }


def read_held(document: JsonObject) -> Held:
    """What waits, as its plain form spells it."""
    return Held(
        _read_route(_table(document["route"])),
        str(document["batch"]),
        _instant(document["due"]),
        [read_occurrence(inner) for inner in _tables(document["occurrences"])],
    )


def read_notification(document: JsonObject) -> Notification:
    """The notification that its plain form spells."""
    return Notification(
        key=str(document["key"]),
        audience=Audience(str(document["audience"])),
        severity=Severity(str(document["severity"])),
        event=str(document["event"]),
        subject=str(document["subject"]),
        body=str(document["body"]),
        at=_instant(document["at"]),
        language=Language(str(document["language"])),
        template=str(document["template"]),
        business_date=_day(document["business_date"]),
        site=_site(document["site"]),
        incident=str(document["incident"]),
    )


def read_occurrence(document: JsonObject) -> Occurrence:
    """The occurrence that its plain form spells."""
    return Occurrence(
        event=str(document["event"]),
        key=str(document["key"]),
        at=_instant(document["at"]),
        severity=Severity(str(document["severity"])),
        facts={name: str(text) for name, text in _table(document["facts"]).items()},
        batch=str(document["batch"]),
        business_date=_day(document["business_date"]),
        site=_site(document["site"]),
        incident=str(document["incident"]),
    )


def case_document(case: Case) -> JsonObject:
    """A case as plain data."""
    return {
        "route": _route(case.route),
        "notifications": plain(case.notifications),
        "opened": plain(case.opened),
        "called": plain(case.called),
        "state": case.state.value,
        "fallbacks": case.fallbacks,
        "steps": case.steps,
        "outcomes": [
            [by, to, None if outcome is None else outcome.value]
            for (by, to), outcome in case.outcomes.items()
        ],
    }


def read_case(document: JsonObject) -> Case:
    """The case that its plain form spells."""
    outcomes = cast("Sequence[tuple[str, str, str | None]]", document["outcomes"])
    return Case(
        _read_route(_table(document["route"])),
        tuple(read_notification(one) for one in _tables(document["notifications"])),
        _instant(document["opened"]),
        CaseState(str(document["state"])),
        called=_instant(document["called"]),
        fallbacks=cast("int", document["fallbacks"]),
        steps=cast("int", document["steps"]),
        outcomes={
            (by, to): None if outcome is None else Outcome(outcome) for by, to, outcome in outcomes
        },
    )


def _route(route: Route) -> JsonObject:
    hours: list[Json] = [
        {"from": str(one.from_), "to": str(one.to), "days": one.days.value} for one in route.hours
    ]
    return {
        "id": route.id,
        "audience": route.audience.value,
        "tell": plain(route.tell),
        "events": list(route.events),
        "severity": route.severity.value,
        "hours": hours,
        "languages": plain(route.languages),
        "fallback": plain(route.fallback),
        "fallback_after_minutes": route.fallback_after_minutes,
        "escalation": plain(route.escalation),
        "digest_s": route.digest_s,
    }


def _read_route(document: JsonObject) -> Route:
    return Route(
        id=str(document["id"]),
        audience=Audience(str(document["audience"])),
        tell=_tellings(document["tell"]),
        events=_texts(document["events"]),
        severity=Severity(str(document["severity"])),
        hours=tuple(
            Hours(
                TimeOfDay.parse(str(one["from"])),
                TimeOfDay.parse(str(one["to"])),
                DayChoice(str(one["days"])),
            )
            for one in _tables(document["hours"])
        ),
        languages=tuple(Language(one) for one in _texts(document["languages"])),
        fallback=_tellings(document["fallback"]),
        fallback_after_minutes=cast("int", document["fallback_after_minutes"]),
        escalation=tuple(
            EscalationStep(cast("int", one["after_minutes"]), str(one["by"]), _texts(one["to"]))
            for one in _tables(document["escalation"])
        ),
        digest_s=cast("int", document["digest_s"]),
    )


def _tellings(value: Json) -> tuple[Telling, ...]:
    return tuple(Telling(str(one["by"]), _texts(one["to"])) for one in _tables(value))


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(cast("Sequence[str]", value))


def _table(value: Json) -> JsonObject:
    return cast("Mapping[str, Json]", value)


def _tables(value: Json) -> Sequence[JsonObject]:
    return cast("Sequence[JsonObject]", value)


def _instant(value: Json) -> datetime:
    return datetime.fromisoformat(str(value))


def _day(value: Json) -> date | None:
    return None if value is None else date.fromisoformat(str(value))


def _site(value: Json) -> SiteRole | None:
    return None if value is None else SiteRole(str(value))
