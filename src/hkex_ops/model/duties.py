"""What a paper forbids, limits, demands, or has ready for the worst: always with a period."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from attrs import frozen

from hkex_ops.model.moments import Bound, Window
from hkex_ops.model.sessions import Grade, Step
from hkex_ops.model.sources import Source

__all__ = [
    "ChannelOutage",
    "ContingencyRule",
    "CredentialRule",
    "Effect",
    "ExclusiveWays",
    "FallbackPlan",
    "Recurrence",
    "ReportObligation",
    "Requirement",
    "Restriction",
    "Retention",
    "Standing",
]


class Effect(StrEnum):
    """What a restriction does to an act."""

    PROHIBITED = "prohibited"
    LIMITED_TO = "limited_to"
    ONLY_VIA = "only_via"


class Recurrence(StrEnum):
    """How often a requirement falls due inside its window."""

    ONCE = "once"
    EVERY_BUSINESS_DAY = "every-business-day"
    THROUGHOUT = "throughout"


@frozen
class Restriction:
    """An act that is forbidden or limited while its window holds.

    ``rule`` is the paper's wording. ``limit`` says to what (``limited_to``) or by which way
    (``only_via``) the act is confined. ``session`` is set where the rule holds in one only.
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
    session: str | None = None


@frozen
class Requirement:
    """An act that is demanded: once by the window's end, throughout, or every business day.

    ``steps`` is the procedure, where the paper gives one.
    """

    id: str
    what: str
    rule: str
    grade: Grade
    recurrence: Recurrence
    window: Window
    audience: tuple[str, ...]
    source: Source
    service: str = ""
    steps: tuple[Step, ...] = ()


@frozen
class Retention:
    """Something that must be kept as long as the window holds."""

    id: str
    what: str
    rule: str
    window: Window
    source: Source


@frozen
class ReportObligation:
    """An obligation that a report brings: when ``report`` comes, ``what`` is due by ``due``.

    ``due`` is a time of day on the day the paper names, in its wording.
    """

    id: str
    house: str
    report: str
    what: str
    due: str
    source: Source


@frozen
class ContingencyRule:
    """What happens if something goes wrong: judged when an event is entered, not by the clock.

    ``before`` is the instant the event must precede for the rule to apply.
    """

    id: str
    condition: str
    then: str
    channels: tuple[str, ...]
    source: Source
    before: Bound | None = None


@frozen
class Standing:
    """One thing that must still stand for a fallback to work."""

    id: str
    what: str
    rule: str
    source: Source


@frozen
class FallbackPlan:
    """The way back to the previous platform, as a last resort.

    ``standing`` is what must be ready throughout ``window``; within ``trigger_window`` the issuer
    may decide for it. ``reentry`` says what has to be put in again, ``credentials`` with which
    passwords one logs in then.
    """

    id: str
    name: str
    trigger: str
    decided_by: str
    window: Window
    standing: tuple[Standing, ...]
    reentry: str
    credentials: str
    source: Source
    trigger_window: Window | None = None


@frozen
class ExclusiveWays:
    """Either way but not both: doing a thing by one of ``ways`` rules the others out."""

    id: str
    ways: tuple[str, ...]
    rule: str
    window: Window
    source: Source


@frozen
class ChannelOutage:
    """A channel that is closed again and again: weekly from one moment to another.

    Weekdays are English names; times of day are written ``08:00``, and ``24:00`` is legal.
    """

    id: str
    channel: str
    rule: str
    from_weekday: str
    from_time: str
    to_weekday: str
    to_time: str
    source: Source


@frozen
class CredentialRule:
    """What a key or password must be, and when a new one becomes active."""

    id: str
    kind: str
    rule: str
    source: Source
    minimum_bits: int | None = None
    activation_business_days: int | None = None
    effective: date | None = None
