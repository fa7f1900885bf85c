"""The ``[incidents]`` table of the configuration: what attaches by itself, until when to report.

Nothing attaches unless it is named, and no deadline is shipped: whose rule it is and where it
stands is the operator's to say. Called by :mod:`hkex_ops.config.settings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from hkex_ops.errors import Fault
from hkex_ops.incidents import DeadlineRule, deadline_faults
from hkex_ops.notifications.catalogue import EVENT_KINDS, matches

__all__ = ["IncidentSettings", "incident_faults"]


@frozen
class IncidentSettings:
    """How incidents are kept.

    ``attach`` are the events that attach to every open incident, by the catalogue's names or as
    ``index/*``; those of ``open_on`` open one where none is open. ``teller`` is whose account the
    desk's own entries are, ``owners`` own what opens by itself, ``organisation`` stands on reports.
    ``contacts`` is the file of the designated persons.
    """

    attach: tuple[str, ...] = ()
    open_on: tuple[str, ...] = ()
    teller: str = "desk"
    owners: tuple[str, ...] = ()
    organisation: str = ""
    deadlines: tuple[DeadlineRule, ...] = ()
    contacts: Path | None = None


def incident_faults(settings: IncidentSettings) -> Iterator[Fault]:
    """What makes no sense in the table, each with its path."""
    for name, patterns in (("attach", settings.attach), ("open_on", settings.open_on)):
        for index, pattern in enumerate(patterns):
            if not any(matches(pattern, event) for event in EVENT_KINDS):
                sentence = f"no event is called {pattern!r}; see the reference of notifications"
                yield Fault(f"incidents.{name}[{index}]", sentence)
    if not settings.teller.strip():
        yield Fault("incidents.teller", "names nobody")
    for path, sentence in deadline_faults(settings.deadlines):
        yield Fault(f"incidents.deadlines{path}", sentence)
