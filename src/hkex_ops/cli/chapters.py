"""A rollout told to a person: everything the papers say, as headed lists.

The order is the desk's: what there is, when, what must and must not be done, how to connect, what
to fill in, whom to ask. Nothing is left out that the file holds but the sources, which ``--json``
gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from hkex_ops.cli.text import say_bound, say_window
from hkex_ops.model import Connection, Contact, Restriction, Rollout, Step

__all__ = ["Entries", "chapters"]

Entries: TypeAlias = list[tuple[str, str]]
"""Lines as (lead, text); a text that is too long hangs under its beginning."""


def chapters(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    """Every chapter that has something in it, as (title, entries)."""
    told = (_systems, _sessions, _deadlines, _duties, _fallback, _connections, _papers, _contacts)
    for teller in told:
        yield from ((title, entries) for title, entries in teller(rollout) if entries)


def _systems(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    systems: Entries = []
    for one in rollout.systems:
        systems.append(("  ", f"{one.name}: {one.description}"))
        systems += [("      ", component) for component in one.components]
        if one.exempt:
            systems.append(("      ", f"exempt: {one.why}"))
    yield "Systems", systems
    yield "Periods", [("  ", f"{say_window(one.window)}: {one.name}") for one in rollout.phases]


def _sessions(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    for session in rollout.sessions:
        steps: Entries = [("  ", f"{say_window(session.window)}, {session.grade.value}")]
        steps += [("  ", remark) for remark in session.remarks]
        steps += [(f"  {one.moment.value:<7}{one.order}. ", _step(one)) for one in session.steps]
        yield session.name, steps


def _deadlines(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Deadlines",
        [
            (f"  {say_bound(one.due, ends=True)}  ", f"{one.what}: {one.channel}")
            for one in rollout.registrations
        ],
    )


def _duties(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Required",
        [
            ("  ", f"{say_window(one.window)}, {one.recurrence.value}: {one.rule}")
            for one in rollout.requirements
        ],
    )
    yield (
        "Restricted",
        [
            (
                "  ",
                f"{say_window(one.window)}, {one.action} {_effect(one)}: {one.rule}",
            )
            for one in rollout.restrictions
        ],
    )
    yield "Kept", [("  ", f"{say_window(one.window)}: {one.rule}") for one in rollout.retentions]
    yield (
        "If something goes wrong",
        [("  ", f"{one.condition}: {one.then}") for one in rollout.contingencies],
    )


def _fallback(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    plan = rollout.fallback
    if plan is None:
        return
    lines: Entries = [
        ("  ", f"{say_window(plan.window)}: {plan.trigger}"),
        ("  decided by ", plan.decided_by),
        *(("  must stand: ", one.rule) for one in plan.standing),
        ("  to be put in again: ", plan.reentry),
        ("  passwords: ", plan.credentials),
    ]
    yield plan.name, lines


def _connections(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Connections",
        [
            (
                f"  {one.service} {one.site.value:<10}",
                f"{_address(one)}, for {' and '.join(use.value for use in one.uses)}",
            )
            for one in rollout.connections
        ],
    )
    yield (
        "Prerequisites",
        [(f"  {one.service}: ", f"{one.what}: {one.value}") for one in rollout.prerequisites],
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
            )
            for one in rollout.forms
        ],
    )
    for group in rollout.checklist_groups:
        items = [one for one in rollout.checklist if one.group == group.letter]
        yield (
            f"Checklist ({group.letter}) {group.title}",
            [(f"  {one.number:>2}. ", one.question) for one in items],
        )
    yield "Announced", [("  ", one.text) for one in rollout.announcements]
    yield "Hazards of the paper's copy", [("  ", hazard) for hazard in rollout.hazards]


def _contacts(rollout: Rollout) -> Iterator[tuple[str, Entries]]:
    yield (
        "Contacts",
        [("  ", _contact(one)) for one in rollout.contacts],
    )


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
