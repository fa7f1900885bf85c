"""A rollout: what a circular announces, demands and forbids, as values.

The words are the papers' own: sessions are held at sites, a stabilisation period forbids some
acts and demands others. Every fact keeps the circular and the place that state it. Nothing here
asks the time or decides anything; ``rollouts/`` answers questions from these values.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from attrs import frozen

from hkex_ops.model.moments import Bound, Window
from hkex_ops.model.sites import Connection, SiteRole
from hkex_ops.model.sources import Source

__all__ = [
    "Announcement",
    "Circular",
    "Contact",
    "Effect",
    "Grade",
    "Phase",
    "PhaseKind",
    "Recurrence",
    "Registration",
    "Requirement",
    "Restriction",
    "Rollout",
    "Session",
    "Signatory",
    "Step",
    "StepAction",
    "StepMoment",
]


class Grade(StrEnum):
    """How binding the paper makes a thing, strongest first."""

    MANDATORY = "mandatory"
    REQUIRED = "required"
    EXPECTED = "expected"
    HIGHLY_RECOMMENDED = "highly-recommended"
    ENCOURAGED = "encouraged"
    OPTIONAL = "optional"
    NOT_NECESSARY = "not-necessary"


class Effect(StrEnum):
    """What a restriction does to an act."""

    PROHIBITED = "prohibited"
    LIMITED_TO = "limited_to"
    ONLY_VIA = "only_via"


class PhaseKind(StrEnum):
    """The stretches of a rollout."""

    PREPARATION = "preparation"
    CUTOVER = "cutover"
    LAUNCH_DAY = "launch-day"
    STABILISATION = "stabilisation"
    PRODUCTION_ROLLOUT = "production-rollout"
    OTHER = "other"


class Recurrence(StrEnum):
    """How often a requirement falls due inside its window."""

    ONCE = "once"
    EVERY_BUSINESS_DAY = "every-business-day"
    THROUGHOUT = "throughout"


class StepMoment(StrEnum):
    """Where in a session a step belongs."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class StepAction(StrEnum):
    """What a step does; the automatic ones run through ports, ``manual`` asks a person."""

    CHECK_ADDRESSES = "check-addresses"
    CHECK_CONFIGURATION = "check-configuration"
    LOG_IN = "log-in"
    COMPARE_LISTING = "compare-listing"
    DOWNLOAD = "download"
    LOG_OUT = "log-out"
    MANUAL = "manual"


@frozen
class Signatory:
    """Who signed a circular."""

    name: str
    title: str
    division: str = ""


@frozen
class Circular:
    """One paper. ``issued`` is unknown where the paper bears no date."""

    title: str
    issuer: str
    source: Source
    reference: str | None = None
    issued: date | None = None
    enquiry: str = ""
    refers_to: tuple[str, ...] = ()
    attachments: tuple[str, ...] = ()
    signatory: Signatory | None = None
    language_clause: str = ""


@frozen
class Contact:
    """A way to ask the issuer. ``hours`` is the paper's wording, empty when it gives none."""

    kind: str
    value: str
    source: Source
    name: str = ""
    hours: str = ""


@frozen
class Announcement:
    """Something the issuer states or promises, kept in the paper's words."""

    id: str
    text: str
    source: Source
    on: date | None = None


@frozen
class Step:
    """One thing to do in a session. ``order`` counts from 1 within its moment."""

    order: int
    moment: StepMoment
    action: StepAction
    text: str
    source: Source
    reports: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()


@frozen
class Session:
    """A stretch of time in which participants connect and check something."""

    id: str
    name: str
    kind: str
    window: Window
    site: SiteRole
    site_label: str
    service: str
    grade: Grade
    audience: tuple[str, ...]
    source: Source
    testing_focus: str = ""
    registration: str | None = None
    steps: tuple[Step, ...] = ()


@frozen
class Registration:
    """Signing up for something: by ``due`` inclusive, through ``channel``."""

    id: str
    what: str
    channel: str
    due: Bound
    audience: tuple[str, ...]
    source: Source


@frozen
class Phase:
    """A named stretch of the rollout, such as the stabilisation period."""

    id: str
    name: str
    kind: PhaseKind
    window: Window
    source: Source


@frozen
class Restriction:
    """An act that is forbidden or limited while its window holds.

    ``rule`` is the paper's wording. ``limit`` says to what (``limited_to``) or by which way
    (``only_via``) the act is confined.
    """

    id: str
    action: str
    effect: Effect
    rule: str
    window: Window
    audience: tuple[str, ...]
    source: Source
    service: str = ""
    limit: str = ""


@frozen
class Requirement:
    """An act that is demanded: once by the window's end, or on every business day inside it."""

    id: str
    what: str
    rule: str
    grade: Grade
    recurrence: Recurrence
    window: Window
    audience: tuple[str, ...]
    source: Source
    service: str = ""


@frozen
class Rollout:
    """Everything a paper, or a family of papers, says about one change.

    ``services`` are named as the papers write them.
    """

    id: str
    title: str
    circulars: tuple[Circular, ...]
    services: tuple[str, ...]
    audience: tuple[str, ...]
    summary: str = ""
    phases: tuple[Phase, ...] = ()
    sessions: tuple[Session, ...] = ()
    registrations: tuple[Registration, ...] = ()
    connections: tuple[Connection, ...] = ()
    restrictions: tuple[Restriction, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    contacts: tuple[Contact, ...] = ()

    def session(self, id: str) -> Session:
        """The session called ``id``; ``KeyError`` when there is none."""
        for session in self.sessions:
            if session.id == id:
                return session
        raise KeyError(id)
