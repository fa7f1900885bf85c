"""An incident as its papers tell it: several tellers, kept apart, and what each of them says.

A chronology is not the truth but somebody's account of it. So every row, time, figure and
statement names its teller, and nothing here merges two of them; ``incidents/`` compares. A
detection, a change to contingency mode, a recovery and a resumption are separate moments: a
system that calculates again does not yet publish.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from hkex_ops.model.moments import Bound
from hkex_ops.model.sources import Source

__all__ = [
    "Account",
    "ChronologyRow",
    "Figure",
    "Incident",
    "IncidentMoment",
    "MomentKind",
    "Statement",
    "StatementKind",
    "SystemTold",
    "Teller",
]


class MomentKind(StrEnum):
    """What sort of turning point a moment of an incident is."""

    CAUSED = "caused"
    DETECTED = "detected"
    INTERRUPTED = "interrupted"
    NOTIFIED = "notified"
    CONTINGENCY = "contingency"
    SNAPSHOT = "snapshot"
    RECOVERED = "recovered"
    RESUMED = "resumed"
    CALLED = "called"
    ANNOUNCED = "announced"
    TESTED = "tested"


class StatementKind(StrEnum):
    """What a statement is about."""

    CAUSE = "cause"
    IMPACT = "impact"
    DECISION = "decision"
    COMMUNICATION = "communication"
    REMEDY = "remedy"
    FOLLOW_UP = "follow-up"
    OVERSIGHT = "oversight"


@frozen
class Teller:
    """Somebody who tells of an incident, in one paper.

    ``issued`` is unknown where the paper bears only a month; ``issued_stated`` keeps the wording.
    """

    id: str
    name: str
    paper: str
    source: Source
    issued: date | None = None
    issued_stated: str = ""


def _refuse_backwards(at: Bound, until: Bound | None) -> None:
    if until is None or until.at is None or at.at is None:
        return
    if until.at <= at.at:
        raise ValueError(f"ends at {until.at}, which is not after its start {at.at}")


@frozen
class ChronologyRow:
    """One row of a teller's chronology: what happened at a time, or between two.

    ``stated`` is the time as the paper writes it; ``until`` is absent where it states one moment.
    ``events`` are in the paper's words.
    """

    id: str
    teller: str
    at: Bound
    stated: str
    events: tuple[str, ...]
    source: Source
    until: Bound | None = None

    def __attrs_post_init__(self) -> None:
        _refuse_backwards(self.at, self.until)


@frozen
class IncidentMoment:
    """A turning point of an incident, to which every teller may put a time of their own."""

    id: str
    kind: MomentKind
    what: str


@frozen
class Account:
    """The time that one teller gives for a moment; from ``at`` to ``until`` where it is a span."""

    moment: str
    teller: str
    at: Bound
    stated: str
    source: Source
    until: Bound | None = None

    def __attrs_post_init__(self) -> None:
        _refuse_backwards(self.at, self.until)


@frozen
class SystemTold:
    """A system or market that a teller names as affected or unaffected, in the paper's words."""

    name: str
    teller: str
    text: str
    source: Source


@frozen
class Figure:
    """A number that a teller states. ``at`` is the instant it is of, where it is of one."""

    id: str
    teller: str
    what: str
    value: Decimal
    source: Source
    unit: str = ""
    at: Bound | None = None


@frozen
class Statement:
    """Anything else that a teller states, in the paper's words.

    ``on`` is the day it speaks of; ``due`` the time in which something is promised.
    """

    id: str
    teller: str
    kind: StatementKind
    text: str
    source: Source
    on: date | None = None
    due: str = ""


@frozen
class Incident:
    """Everything that the papers tell of one incident. ``hazards`` is what their copies lost."""

    id: str
    title: str
    business_date: date
    tellers: tuple[Teller, ...]
    summary: str = ""
    chronology: tuple[ChronologyRow, ...] = ()
    moments: tuple[IncidentMoment, ...] = ()
    accounts: tuple[Account, ...] = ()
    affected: tuple[SystemTold, ...] = ()
    unaffected: tuple[SystemTold, ...] = ()
    figures: tuple[Figure, ...] = ()
    statements: tuple[Statement, ...] = ()
    hazards: tuple[str, ...] = ()
