"""What a log says to whoever is to be told: opened, another state, closed, a report due.

Keys are made of incident and entry, so that nothing is told twice however often it is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from hkex_ops.incidents import (
    Deadline,
    IncidentEvent,
    IncidentState,
    IncidentView,
    OpenIncident,
    StateReached,
)
from hkex_ops.model import HONG_KONG, Occurrence

__all__ = ["DUE_SOON", "occurrences_of_deadlines", "occurrences_of_incident"]

DUE_SOON = timedelta(hours=1)
"""How long before it is due a report is told of."""


def occurrences_of_incident(
    view: IncidentView, events: Sequence[IncidentEvent]
) -> Iterator[Occurrence]:
    """What entering something has brought about that people are told of."""
    for event in events:
        if not isinstance(event, StateReached):
            continue
        name = "incident/changed"
        if isinstance(event.entry.given.what, OpenIncident):
            name = "incident/opened"
        elif event.state is IncidentState.CLOSED:
            name = "incident/closed"
        yield Occurrence(
            name,
            f"{name}/{view.id}/{event.entry.number}",
            event.at,
            view.severity,
            {"title": view.title, "state": event.state.value},
            business_date=view.business_date,
            incident=view.id,
        )


def occurrences_of_deadlines(
    view: IncidentView, deadlines: Iterable[Deadline], now: datetime
) -> Iterator[Occurrence]:
    """The reports that are not handed out and are due within the hour, or were due."""
    name = "incident/report-due"
    for one in deadlines:
        if one.issued is not None or one.due is None or one.due - now > DUE_SOON:
            continue
        due = f"{one.due.astimezone(HONG_KONG):%Y-%m-%d %H:%M}"
        yield Occurrence(
            name,
            f"{name}/{view.id}/{one.rule.stage}/{one.due.isoformat()}",
            now,
            view.severity,
            {"title": view.title, "due": f"{one.rule.stage} report, {due}"},
            business_date=view.business_date,
            incident=view.id,
        )
