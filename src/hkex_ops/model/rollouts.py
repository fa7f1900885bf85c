"""A rollout: what one paper, or a family of papers, says about one change, as one value.

The words are the papers' own: sessions are held at sites, a stabilisation period forbids some
acts and demands others. Every fact keeps the circular and the place that state it. Nothing here
asks the time or decides anything; ``rollouts/`` answers questions from these values.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from hkex_ops.model.duties import (
    ChannelOutage,
    ContingencyRule,
    CredentialRule,
    ExclusiveWays,
    FallbackPlan,
    ReportObligation,
    Requirement,
    Restriction,
    Retention,
)
from hkex_ops.model.forms import ChecklistGroup, ChecklistItem, Form, Prerequisite
from hkex_ops.model.moments import Window
from hkex_ops.model.papers import Announcement, Circular, Contact
from hkex_ops.model.sessions import Registration, Session
from hkex_ops.model.sites import Connection
from hkex_ops.model.sources import Source

__all__ = ["Phase", "PhaseKind", "Rollout", "System"]


class PhaseKind(StrEnum):
    """The stretches of a rollout."""

    PREPARATION = "preparation"
    CUTOVER = "cutover"
    VERIFICATION = "verification"
    LAUNCH_DAY = "launch-day"
    STABILISATION = "stabilisation"
    PRODUCTION_ROLLOUT = "production-rollout"


@frozen
class Phase:
    """A named stretch of the rollout, such as the stabilisation period."""

    id: str
    name: str
    kind: PhaseKind
    window: Window
    source: Source
    focus: str = ""


@frozen
class System:
    """A system that the papers speak of, on the exchange's side or the participant's.

    ``exempt`` marks one that the change does not touch, and ``why`` says so in the paper's words.
    """

    name: str
    description: str
    source: Source
    components: tuple[str, ...] = ()
    exempt: bool = False
    why: str = ""


@frozen
class Rollout:
    """Everything the papers say. ``services`` are named as the papers write them."""

    id: str
    title: str
    circulars: tuple[Circular, ...]
    services: tuple[str, ...]
    audience: tuple[str, ...]
    summary: str = ""
    systems: tuple[System, ...] = ()
    phases: tuple[Phase, ...] = ()
    sessions: tuple[Session, ...] = ()
    registrations: tuple[Registration, ...] = ()
    connections: tuple[Connection, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    retentions: tuple[Retention, ...] = ()
    report_obligations: tuple[ReportObligation, ...] = ()
    contingencies: tuple[ContingencyRule, ...] = ()
    fallback: FallbackPlan | None = None
    exclusive_ways: tuple[ExclusiveWays, ...] = ()
    outages: tuple[ChannelOutage, ...] = ()
    credential_rules: tuple[CredentialRule, ...] = ()
    forms: tuple[Form, ...] = ()
    checklist_groups: tuple[ChecklistGroup, ...] = ()
    checklist: tuple[ChecklistItem, ...] = ()
    prerequisites: tuple[Prerequisite, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    contacts: tuple[Contact, ...] = ()
    hazards: tuple[str, ...] = ()
