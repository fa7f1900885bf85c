"""What the switchboard is told and what it tells. Values only; the machine is in `switchboard`."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

from attrs import frozen

from hkex_ops.model import Notification, Occurrence, Outcome

__all__ = [
    "Acknowledge",
    "CaseAcknowledged",
    "CaseEscalated",
    "CaseFellBack",
    "CaseReached",
    "CaseUnanswered",
    "CaseUnreached",
    "OccurrenceHeld",
    "OccurrenceRepeated",
    "OccurrenceTaken",
    "OccurrenceUnrouted",
    "Settle",
    "SwitchboardEvent",
    "SwitchboardInput",
    "TellingOrdered",
]


# -- told by others -------------------------------------------------------------------------------


@frozen
class Settle:
    """What became of telling one receiver: taken, refused for good or given up, or unknown."""

    case: str
    by: str
    to: str
    outcome: Outcome


@frozen
class Acknowledge:
    """Somebody has read what bears ``key``."""

    key: str
    by: str


SwitchboardInput: TypeAlias = Occurrence | Settle | Acknowledge


# -- told by the switchboard ----------------------------------------------------------------------


@frozen
class OccurrenceTaken:
    """Somebody is told of it, now or later: the audiences' ``routes``."""

    at: datetime
    key: str
    event: str
    routes: tuple[str, ...]


@frozen
class OccurrenceRepeated:
    """It was told before: nobody is told again."""

    at: datetime
    key: str


@frozen
class OccurrenceUnrouted:
    """No route wants it at this hour: nobody is told."""

    at: datetime
    key: str
    event: str


@frozen
class OccurrenceHeld:
    """It waits until ``until`` at the latest, to be told with others: ``why``."""

    at: datetime
    key: str
    route: str
    until: datetime
    why: str


@frozen
class TellingOrdered:
    """``to`` are to be told by the notifier ``by``; ``way`` says whether the route's own, a
    fallback or an escalation."""

    at: datetime
    case: str
    way: str
    by: str
    to: tuple[str, ...]
    notification: Notification


@frozen
class CaseReached:
    """Somebody has taken it."""

    at: datetime
    case: str
    by: str
    to: str


@frozen
class CaseFellBack:
    """Nobody has taken it by the ways before; the next way is tried."""

    at: datetime
    case: str
    number: int


@frozen
class CaseEscalated:
    """Nobody has acknowledged in time; the next are told."""

    at: datetime
    case: str
    number: int


@frozen
class CaseAcknowledged:
    """Somebody said that it was read; nobody else is told."""

    at: datetime
    case: str
    key: str
    by: str


@frozen
class CaseUnanswered:
    """Nobody has acknowledged, and nobody is left to escalate to."""

    at: datetime
    case: str
    key: str


@frozen
class CaseUnreached:
    """By no way has anybody taken it."""

    at: datetime
    case: str
    key: str


SwitchboardEvent: TypeAlias = (
    OccurrenceTaken
    | OccurrenceRepeated
    | OccurrenceUnrouted
    | OccurrenceHeld
    | TellingOrdered
    | CaseReached
    | CaseFellBack
    | CaseEscalated
    | CaseAcknowledged
    | CaseUnanswered
    | CaseUnreached
)
