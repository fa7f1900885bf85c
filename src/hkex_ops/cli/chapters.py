"""A rollout told to a person: everything the papers say, as headed lists.

The order is the desk's: what there is, when, what must and must not be done, how to connect, what
to fill in, whom to ask. Nothing is left out that the file holds; an entry brings its source, which
whoever prints it may show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from hkex_ops.cli.text import say_bound, say_window
from hkex_ops.model import Connection, Contact, Restriction, Rollout, Session, Source, Step

__all__ = ["Entries", "chapters"]

Entries: TypeAlias = list[tuple[str, str, Source | None]]
"""Lines as (lead, text, source); a text that is too long hangs under its beginning."""


def chapters(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    """Every chapter that has something in it, as (title, entries)."""
    told = (
        *(_systems, _sessions, _deadlines, _duties, _more_duties, _fallback, _connections),
        *(_papers, _contacts),
    )
    for teller in told:
        yield from ((title, entries) for title, entries in teller(rollout) if entries)


def _systems(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    systems: Entries = []
    for one in rollout.systems:
        systems.append(("  ", f"{one.name}: {one.description}", one.source))
        systems += [("      ", component, None) for component in one.components]
        if one.exempt:
            systems.append(("      ", f"exempt: {one.why}", None))
    yield "Systems", systems
    yield (
        "Periods",
        [("  ", f"{say_window(one.window)}: {one.name}", one.source) for one in rollout.phases],
    )


def _sessions(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    for session in rollout.sessions:
        steps: Entries = [("  ", _held(session), session.source)]
        steps += [("  ", remark, None) for remark in session.remarks]
        steps += [
            (f"  {one.moment.value:<7}{one.order}. ", _step(one), one.source)
            for one in session.steps
        ]
        yield session.name, steps


def _deadlines(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Deadlines",
        [
            (f"  {say_bound(one.due, ends=True)}  ", f"{one.what}: {one.channel}", one.source)
            for one in rollout.registrations
        ],
    )


def _duties(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Required",
        [
            ("  ", f"{say_window(one.window)}, {one.recurrence.value}: {one.rule}", one.source)
            for one in rollout.requirements
        ],
    )
    yield (
        "Restricted",
        [
            ("  ", f"{say_window(one.window)}, {one.action} {_effect(one)}: {one.rule}", one.source)
            for one in rollout.restrictions
        ],
    )
    yield (
        "Kept",
        [("  ", f"{say_window(one.window)}: {one.rule}", one.source) for one in rollout.retentions],
    )
    yield (
        "If something goes wrong",
        [("  ", f"{one.condition}: {one.then}", one.source) for one in rollout.contingencies],
    )


def _more_duties(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    """What few papers have: duties that a report brings, ways that exclude each other."""
    yield (
        "When a report comes",
        [
            ("  ", f"{one.house} {one.report}: {one.what}, by {one.due}", one.source)
            for one in rollout.report_obligations
        ],
    )
    yield (
        "Either, but not both",
        [
            ("  ", f"{say_window(one.window)}, {' or '.join(one.ways)}: {one.rule}", one.source)
            for one in rollout.exclusive_ways
        ],
    )
    yield (
        "Closed every week",
        [
            (
                "  ",
                f"{one.channel}, {one.from_weekday} {one.from_time} to {one.to_weekday} "
                f"{one.to_time}: {one.rule}",
                one.source,
            )
            for one in rollout.outages
        ],
    )
    yield (
        "Keys and passwords",
        [("  ", f"{one.kind}: {one.rule}", one.source) for one in rollout.credential_rules],
    )


def _fallback(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    plan = rollout.fallback
    if plan is None:
        return
    lines: Entries = [
        ("  ", f"{say_window(plan.window)}: {plan.trigger}", plan.source),
        ("  decided by ", plan.decided_by, None),
        *(("  must stand: ", one.rule, one.source) for one in plan.standing),
        ("  to be put in again: ", plan.reentry, None),
        ("  passwords: ", plan.credentials, None),
    ]
    yield plan.name, lines


def _connections(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Connections",
        [
            (
                f"  {one.service} {one.site.value:<10}",
                f"{_address(one)}, for {' and '.join(use.value for use in one.uses)}",
                one.source,
            )
            for one in rollout.connections
        ],
    )
    yield (
        "Prerequisites",
        [
            (f"  {one.service}: ", f"{one.what}: {one.value}", one.source)
            for one in rollout.prerequisites
        ],
    )


def _papers(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Forms",
        [
            (
                f"  {one.appendix}  ",
                f"{one.name}, by {one.channel} to {one.address}"
                f"{f', by {say_bound(one.due, ends=True)}' if one.due else ''}"
                f"{f', valid {say_window(one.valid)}' if one.valid else ''}",
                one.source,
            )
            for one in rollout.forms
        ],
    )
    for group in rollout.checklist_groups:
        items = [one for one in rollout.checklist if one.group == group.letter]
        yield (
            f"Checklist ({group.letter}) {group.title}",
            [(f"  {one.number:>2}. ", one.question, one.source) for one in items],
        )
    yield "Announced", [("  ", one.text, one.source) for one in rollout.announcements]
    yield "Hazards of the paper's copy", [("  ", hazard, None) for hazard in rollout.hazards]


def _contacts(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Contacts",
        [("  ", _contact(one), one.source) for one in rollout.contacts],
    )


def _held(session: Session) -> str:
    """When a session is held, where, how binding, and what for."""
    if session.site_usable:
        site = session.site_label or (session.site.value if session.site else "")
    else:
        site = "no site usable"
    told = [say_window(session.window), *([site] if site else []), session.grade.value]
    focus = f": {session.testing_focus}" if session.testing_focus else ""
    condition = f" ({session.condition})" if session.condition else ""
    return f"{', '.join(told)}{condition}{focus}"


def _step(step: Step) -> str:
    """A step's text, with whom it is for where it is not for all."""
    return f"{', '.join(step.audience)}: {step.text}" if step.audience else step.text


def _address(connection: Connection) -> str:
    """As far as the paper states it: a port and a network may be missing."""
    port = "port not stated" if connection.port is None else f"port {connection.port}"
    over = f" over {', '.join(connection.networks)}" if connection.networks else ""
    named = f" ({connection.url})" if connection.url else ""
    return f"{connection.host} {port}{over}{named}"


def _effect(rule: Restriction) -> str:
    return rule.effect.value.replace("_", " ")


def _contact(contact: Contact) -> str:
    name = f"{contact.name}, " if contact.name else ""
    hours = f", {contact.hours}" if contact.hours else ""
    return f"{name}{contact.kind}: {contact.value}{hours}"
