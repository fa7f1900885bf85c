"""What a rollout must hold beyond the shape of its file: rules that every paper so far obeys.

Gives (path, sentence) pairs for whoever loads or checks a rollout file. Every fault is found in
one pass; none stops another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import cast

from attrs import AttrsInstance, fields, has

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import (
    ACTIONS,
    Certainty,
    ConnectionUse,
    FieldKind,
    Form,
    Recurrence,
    Rollout,
    SiteRole,
    Source,
)
from hkex_ops.rollouts.references import nearest, reference_faults

__all__ = ["faults_of"]

_DAY_MINUTES = 24 * 60
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

HIGHEST_PORT = 65535
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DOTTED = re.compile(r"[0-9.]+")


def faults_of(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """Every rule that ``rollout`` breaks, as (path in the document, sentence)."""
    if not rollout.circulars:
        yield "circulars", "a rollout names the circular it comes from, and this one names none"
    if not _ID.fullmatch(rollout.id):
        yield "id", f"{rollout.id!r} must be small letters, digits and hyphens, such as rrs-2023"
    yield from reference_faults(rollout)
    yield from _addresses(rollout)
    yield from _cited(rollout)
    yield from _restrictions(rollout)
    yield from _requirements(rollout)
    yield from _sessions(rollout)
    yield from _production(rollout)
    yield from _prerequisites(rollout)
    yield from _forms(rollout)
    yield from _outages(rollout)


def _addresses(rollout: Rollout) -> Iterator[tuple[str, str]]:
    for index, connection in enumerate(rollout.connections):
        if connection.port is not None and not 0 < connection.port < HIGHEST_PORT + 1:
            yield (
                f"connections[{index}].port",
                f"{connection.port} is no port; ports run from 1 to {HIGHEST_PORT}",
            )
        if _DOTTED.fullmatch(connection.host):
            try:
                IPv4Address(connection.host)
            except ValueError:
                yield f"connections[{index}].host", f"there is no address {connection.host}"


def _cited(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """A source names a paper that the rollout lists, or one that a listed paper speaks of."""
    if not rollout.circulars:
        return
    listed = [
        paper
        for one in rollout.circulars
        for paper in (
            *(name for name in (one.reference, one.title) if name),
            *one.refers_to,
            *one.related_documents,
            *one.enclosures,
            *one.attachments,
            *one.supersedes,
            *one.postpones,
        )
    ]
    known = frozenset(listed)
    for path, source in _sources("", rollout):
        if source.circular not in known:
            hint = nearest(source.circular, listed)
            yield path, f"{source.circular!r} is no paper that this rollout lists; {hint}"


def _sources(path: str, value: object) -> Iterator[tuple[str, Source]]:
    """Every source in a value, with its path in the document."""
    if isinstance(value, Source):
        yield path, value
    elif isinstance(value, tuple):
        for place, one in enumerate(cast("tuple[object, ...]", value)):
            yield from _sources(f"{path}[{place}]", one)
    elif has(type(value)):
        for attribute in fields(cast("type[AttrsInstance]", type(value))):
            step = attribute.name.rstrip("_")
            yield from _sources(f"{path}.{step}" if path else step, getattr(value, attribute.name))


def _restrictions(rollout: Rollout) -> Iterator[tuple[str, str]]:
    for index, rule in enumerate(rollout.restrictions):
        if rule.action not in ACTIONS:
            hint = nearest(rule.action, ACTIONS)
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


def _prerequisites(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """What must be in place first is in place before the first session that needs it."""
    for index, one in enumerate(rollout.prerequisites):
        due = None if one.due is None else one.due.at
        starts = [
            (session.window.start.at, session.id)
            for session in rollout.sessions
            if one.service in session.services and session.window.start.at is not None
        ]
        if due is None or not starts:
            continue
        start, session_id = min(starts)
        if due > start:
            yield (
                f"prerequisites[{index}].due",
                f"{due.isoformat()} lies after the start of session {session_id} "
                f"({start.isoformat()}), which it serves",
            )


def _forms(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """A report back, such as a confirmation, may well be due after its session has ended."""
    for index, form in enumerate(rollout.forms):
        due = None if form.due is None else form.due.at
        if due is not None and form.valid is not None:
            start, until = form.valid.start.at, form.valid.until.at
            if start is not None and due <= start:
                yield (
                    f"forms[{index}].due",
                    f"{due.isoformat()} lies before the form is valid, from {start.isoformat()}",
                )
            if until is not None and due > until:
                yield (
                    f"forms[{index}].due",
                    f"{due.isoformat()} lies after the form has ceased to be valid, at "
                    f"{until.isoformat()}",
                )
        yield from _fields(f"forms[{index}]", form)


def _fields(path: str, form: Form) -> Iterator[tuple[str, str]]:
    for place, field in enumerate(form.fields):
        if (field.kind is FieldKind.CHOICE) != bool(field.choices):
            yield (
                f"{path}.fields[{place}].choices",
                f"a field of kind {FieldKind.CHOICE} offers choices, and no other does",
            )
        if field.at_most < 1:
            yield f"{path}.fields[{place}].at_most", f"is {field.at_most}; a field takes one value"


def _outages(rollout: Rollout) -> Iterator[tuple[str, str]]:
    for index, outage in enumerate(rollout.outages):
        path = f"outages[{index}]"
        for key, weekday in (
            ("from_weekday", outage.from_weekday),
            ("to_weekday", outage.to_weekday),
        ):
            if weekday not in _WEEKDAYS:
                yield (
                    f"{path}.{key}",
                    f"{weekday!r} is no weekday; {nearest(weekday, _WEEKDAYS)}",
                )
        for key, stated in (("from_time", outage.from_time), ("to_time", outage.to_time)):
            try:
                time = TimeOfDay.parse(stated)
            except ValueError as error:
                yield f"{path}.{key}", str(error)
                continue
            if time.minutes > _DAY_MINUTES:
                yield f"{path}.{key}", f"{stated!r} names another day; the weekday does that"
