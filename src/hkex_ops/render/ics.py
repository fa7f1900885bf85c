"""An agenda as an iCalendar file that Outlook, Google and Apple import.

Times are written in UTC. Hong Kong has kept one offset since 1979, so nothing is lost, every
importer shows its reader's own time, and there is no VTIMEZONE that one of them could misread.

A deadline is an event of a quarter of an hour that ends at it; one that is a whole day is an event
of that day. Both are shown as free time and remind; a session is shown as busy. An item whose time
the papers leave unknown has no place in a calendar: :func:`placed` says which have one.

An item keeps its UID for ever, so a second import changes the first one's events and adds none.
Revision and time stamps follow from ``at``: the same question gives the same bytes, and a later
one supersedes an earlier one. Pure, but for its engine (icalendar, the extra ``ics``), which is
why nobody imports this module before a calendar is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from icalendar import Alarm, Calendar, Component, Event

from hkex_ops.model import HONG_KONG, Bound, Certainty
from hkex_ops.rollouts import AgendaItem, ItemKind, is_days_end

__all__ = ["agenda_calendar", "placed"]

DEADLINE_EVENT = timedelta(minutes=15)
"""How long a deadline is on the page; the event ends at the deadline."""

SESSION_ALARMS = (timedelta(days=-1), timedelta(minutes=-30))
DEADLINE_ALARMS = (timedelta(days=-1), timedelta(hours=-1))
WHOLE_DAY_ALARMS = (timedelta(hours=-15), timedelta(hours=9))
"""Reminders, counted from an event's start: of a whole day, at nine the day before and on it."""

# Names of agenda items become UIDs in this namespace; it must never change.
_NAMESPACE = UUID("6f1d6c0e-5b0a-5d0c-9a55-3f2b8f0d7c21")
_PRODUCT = "-//hkex-ops//agenda//EN"
_REVISIONS_FROM = datetime(2000, 1, 1, tzinfo=UTC)


def placed(item: AgendaItem) -> bool:
    """Whether the papers give ``item`` a time, so that a calendar can show it."""
    return _span(item) is not None


def agenda_calendar(items: Iterable[AgendaItem], at: datetime) -> bytes:
    """The items that have a time as an iCalendar file, as known at ``at`` (aware)."""
    calendar = Calendar()
    _set(calendar, "prodid", _PRODUCT)
    _set(calendar, "version", "2.0")
    _set(calendar, "calscale", "GREGORIAN")
    _set(calendar, "method", "PUBLISH")
    _set(calendar, "x-wr-calname", "hkex-ops agenda")
    _set(calendar, "x-wr-timezone", "Asia/Hong_Kong")
    for item in items:
        span = _span(item)
        if span is not None:
            calendar.add_component(_event(item, *span, at.astimezone(UTC)))
    data: bytes = calendar.to_ical()
    return data


def _event(item: AgendaItem, start: date, end: date, at: datetime) -> Event:
    event = Event()
    _set(event, "uid", f"{uuid5(_NAMESPACE, item.id)}@hkex-ops")
    _set(event, "dtstamp", at)
    _set(event, "last-modified", at)
    _set(event, "sequence", max(0, (at - _REVISIONS_FROM) // timedelta(minutes=1)))
    _set(event, "summary", _summary(item))
    _set(event, "dtstart", start)
    _set(event, "dtend", end)
    _set(event, "description", _description(item))
    _set(event, "categories", [item.kind.value])
    _set(event, "status", "TENTATIVE" if item.tentative else "CONFIRMED")
    busy = item.kind is ItemKind.SESSION
    _set(event, "transp", "OPAQUE" if busy else "TRANSPARENT")
    for before in _alarms(item, start):
        alarm = Alarm()
        _set(alarm, "action", "DISPLAY")
        _set(alarm, "description", _summary(item))
        _set(alarm, "trigger", before)
        event.add_component(alarm)
    return event


def _set(component: Component, name: str, value: str | int | date | timedelta | list[str]) -> None:
    # The engine's own signature leaves the kind of the value open.
    component.add(name, value)  # pyright: ignore[reportUnknownMemberType]


def _alarms(item: AgendaItem, start: date) -> tuple[timedelta, ...]:
    """What only goes on for a while, such as keeping a gateway on, reminds nobody."""
    if item.due is not None:
        return DEADLINE_ALARMS if isinstance(start, datetime) else WHOLE_DAY_ALARMS
    return SESSION_ALARMS if item.kind is ItemKind.SESSION else ()


def _span(item: AgendaItem) -> tuple[date, date] | None:
    """First and end of the event: two instants, or two dates for whole days."""
    due = None if item.due is None else item.due.at
    start = None if item.start is None else item.start.at
    until = None if item.until is None else item.until.at
    if due is not None and is_days_end(due):
        day = due.astimezone(HONG_KONG).date()
        return day - timedelta(days=1), day
    if due is not None:
        return due.astimezone(UTC) - DEADLINE_EVENT, due.astimezone(UTC)
    if start is not None and until is not None and is_days_end(start) and is_days_end(until):
        return start.astimezone(HONG_KONG).date(), until.astimezone(HONG_KONG).date()
    if start is None and until is None:
        return None
    first = start or until
    assert first is not None, "one of the two is there"
    last = until or first + DEADLINE_EVENT
    if start is None:
        first = last - DEADLINE_EVENT
    return first.astimezone(UTC), last.astimezone(UTC)


def _summary(item: AgendaItem) -> str:
    return f"Due: {item.what}" if item.due is not None else item.what


def _description(item: AgendaItem) -> str:
    lines = [item.detail] if item.detail and item.detail != item.what else []
    if item.grade is not None:
        lines.append(f"Grade: {item.grade}")
    for name, bound in (("Begins", item.start), ("Ends", item.until), ("Due", item.due)):
        said = _said(bound)
        if said:
            lines.append(f"{name}: {said}")
    lines.append(f"Source: {item.source}")
    lines.append(f"Item: {item.id}")
    return "\n".join(lines)


def _said(bound: Bound | None) -> str:
    """What a bound is beyond the event's own times: about, unknown, or in the paper's words."""
    if bound is None:
        return ""
    if bound.certainty is Certainty.APPROXIMATE:
        return "about the time shown"
    if bound.certainty is Certainty.UNKNOWN:
        return "at a time the paper does not state"
    return bound.stated if bound.at is not None else ""
