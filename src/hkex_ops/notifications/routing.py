"""Routing as data: which audience is told of what, at which hours, by which channels, and then who.

A route speaks for one audience. All routes that match an occurrence hold together, so that several
audiences are told at once. Quiet hours hold back what can wait; a regulator is never made to wait.
Where the calendar knows nothing of a day, nobody is left out because of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from hkex_ops.calendars import TimeOfDay
from hkex_ops.model import HONG_KONG, Audience, Language, Occurrence, Severity
from hkex_ops.notifications.catalogue import matches

__all__ = [
    "BusinessDays",
    "DayChoice",
    "EscalationStep",
    "Hours",
    "QuietHours",
    "Route",
    "Routing",
    "Telling",
]

BusinessDays: TypeAlias = Callable[[date], bool | None]
"""Whether a date is a business day; ``None`` where nobody knows."""

_DAY = timedelta(days=1)


class DayChoice(StrEnum):
    """On which days hours hold."""

    EVERY_DAY = "every-day"
    BUSINESS_DAYS = "business-days"
    OTHER_DAYS = "other-days"


@frozen
class Telling:
    """Tell ``to`` by the notifier that the configuration calls ``by``."""

    by: str
    to: tuple[str, ...]


@frozen
class EscalationStep:
    """Whom to tell when nobody has acknowledged so many minutes after the first was told."""

    after_minutes: int
    by: str
    to: tuple[str, ...]

    @property
    def telling(self) -> Telling:
        """Whom it tells, and how."""
        return Telling(self.by, self.to)


@frozen
class Hours:
    """A stretch of a day in Hong Kong, from ``from_`` to before ``to``.

    One whose end is not after its start ends on the next day; ``days`` says of which days the
    start is.
    """

    from_: TimeOfDay
    to: TimeOfDay
    days: DayChoice = DayChoice.EVERY_DAY

    def ends(self, at: datetime, is_business_day: BusinessDays) -> datetime | None:
        """When the stretch in which ``at`` lies ends; ``None`` where it lies in none."""
        today = at.astimezone(HONG_KONG).date()
        for day in (today - _DAY, today):
            start, end = self.from_.on(day), self.to.on(day)
            if end <= start:
                end += _DAY
            if start <= at < end and self._chosen(is_business_day(day)):
                return end
        return None

    def _chosen(self, is_business: bool | None) -> bool:
        if self.days is DayChoice.EVERY_DAY or is_business is None:
            return True
        return is_business is (self.days is DayChoice.BUSINESS_DAYS)


@frozen
class QuietHours:
    """Hours in which what is less than ``unless`` waits until they end."""

    hours: tuple[Hours, ...]
    unless: Severity = Severity.CRITICAL


@frozen
class Route:
    """Of what one audience is told, and how.

    ``tell`` are told at once. Where none of them could be reached, or none has taken it after
    ``fallback_after_minutes``, the ways of ``fallback`` are tried, one after the other. With an
    ``escalation`` somebody has to acknowledge. What belongs to one batch is gathered for
    ``digest_s`` and told as one.
    """

    id: str
    audience: Audience
    tell: tuple[Telling, ...]
    events: tuple[str, ...] = ("*",)
    severity: Severity = Severity.INFORMATION
    hours: tuple[Hours, ...] = ()
    languages: tuple[Language, ...] = (Language.ENGLISH,)
    fallback: tuple[Telling, ...] = ()
    fallback_after_minutes: int = 5
    escalation: tuple[EscalationStep, ...] = ()
    digest_s: int = 0

    def wants(self, occurrence: Occurrence, now: datetime, is_business_day: BusinessDays) -> bool:
        """Whether its audience is told of ``occurrence`` at ``now``."""
        return (
            occurrence.severity.rank >= self.severity.rank
            and any(matches(pattern, occurrence.event) for pattern in self.events)
            and (
                not self.hours
                or any(one.ends(now, is_business_day) is not None for one in self.hours)
            )
        )


@frozen
class Routing:
    """The routing file."""

    routes: tuple[Route, ...]
    quiet: QuietHours | None = None

    def routes_for(
        self, occurrence: Occurrence, now: datetime, is_business_day: BusinessDays
    ) -> tuple[Route, ...]:
        """The routes that want ``occurrence``, in the order of the file."""
        return tuple(one for one in self.routes if one.wants(occurrence, now, is_business_day))

    def quiet_until(
        self, route: Route, severity: Severity, now: datetime, is_business_day: BusinessDays
    ) -> datetime | None:
        """When what ``route`` would tell now may be told; ``None`` where it need not wait."""
        if self.quiet is None or route.audience is Audience.REGULATOR:
            return None
        if severity.rank >= self.quiet.unless.rank:
            return None
        ends = [one.ends(now, is_business_day) for one in self.quiet.hours]
        return max((end for end in ends if end is not None), default=None)

    def route(self, id: str) -> Route | None:
        """The route called ``id``, if there still is one."""
        return next((one for one in self.routes if one.id == id), None)
