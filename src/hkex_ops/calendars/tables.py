"""The dated tables a calendar is made of: one row, one fact, one source.

The rows lie in ``data/hong-kong.toml`` and in a user's own file of the same form; the shape is
checked here, the questions are answered in :mod:`hkex_ops.calendars.calendar`. A row whose only
basis is a software package says so and is unconfirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum

from attrs import evolve, frozen

from hkex_ops.calendars.hours import TimeOfDay

__all__ = [
    "CalendarSource",
    "CalendarTables",
    "DayKind",
    "DayRow",
    "HoursRow",
    "Market",
    "SessionHours",
    "SourceKind",
]


class Market(StrEnum):
    """Whose hours a row gives."""

    SECURITIES = "securities"
    DERIVATIVES = "derivatives"
    CLEARING = "clearing"


class DayKind(StrEnum):
    """How much of a weekday is traded."""

    FULL = "full"
    HALF = "half"
    LATE_OPEN = "late-open"
    EARLY_CLOSE = "early-close"
    CLOSED = "closed"


class SourceKind(StrEnum):
    """What a source is; ``package`` is a piece of software and proves nothing by itself."""

    EXCHANGE = "exchange"
    GOVERNMENT = "government"
    PAPER = "paper"
    PRESS = "press"
    RULE = "rule"
    PACKAGE = "package"
    USER = "user"


@frozen
class CalendarSource:
    """Where rows come from. ``id`` is what rows cite."""

    id: str
    kind: SourceKind
    title: str
    confirmed: bool


@frozen
class SessionHours:
    """One session of a day. ``earliest`` is the first possible end where the end is random."""

    name: str
    from_: TimeOfDay
    to: TimeOfDay
    earliest: TimeOfDay | None = None


@frozen
class HoursRow:
    """A market's sessions from a date on, until the market's next row."""

    market: Market
    effective_from: date
    source: str
    confirmed: bool
    full_day: tuple[SessionHours, ...]
    half_day: tuple[SessionHours, ...] = ()
    note: str = ""


@frozen
class DayRow:
    """A weekday that is not an ordinary one, or that is one although one might think otherwise.

    The markets' own sessions are given for a late open or an early close, whose hours no table
    can foresee.
    """

    date: date
    weekday: str
    kind: DayKind
    name: str
    source: str
    confirmed: bool
    note: str = ""
    securities: tuple[SessionHours, ...] = ()
    derivatives: tuple[SessionHours, ...] = ()
    clearing: tuple[SessionHours, ...] = ()


@frozen
class CalendarTables:
    """Everything a calendar knows. Dates before ``first_day`` or after ``last_day`` are unknown."""

    zone: str
    first_day: date
    last_day: date
    sources: tuple[CalendarSource, ...] = ()
    hours: tuple[HoursRow, ...] = ()
    days: tuple[DayRow, ...] = ()

    def faults(self, *, base: CalendarTables | None = None) -> Iterator[tuple[str, str]]:
        """What is wrong with the rows, as (path, sentence); nothing when all is well.

        Rows that are to be laid over a ``base`` may cite its sources and lie in its span too.
        """
        known = {source.id for source in (*self.sources, *(base.sources if base else ()))}
        if self.zone != "Asia/Hong_Kong":
            yield "zone", f"is {self.zone}; this library keeps Hong Kong's calendar only"
        if self.last_day < self.first_day:
            yield "last_day", f"{self.last_day} lies before first_day {self.first_day}"
        taken: dict[tuple[Market, date], int] = {}
        for index, hours in enumerate(self.hours):
            before = taken.setdefault((hours.market, hours.effective_from), index)
            if before != index:
                yield (
                    f"hours[{index}].effective_from",
                    f"{hours.market} hours of {hours.effective_from} stand in hours[{before}] "
                    "already",
                )
            if not hours.full_day:
                yield f"hours[{index}].full_day", "states no session"
            if hours.source not in known:
                yield f"hours[{index}].source", f"no source is called {hours.source!r}"
            yield from _session_faults(f"hours[{index}].full_day", hours.full_day)
            yield from _session_faults(f"hours[{index}].half_day", hours.half_day)
        seen: dict[date, int] = {}
        first = min(self.first_day, base.first_day) if base else self.first_day
        last = max(self.last_day, base.last_day) if base else self.last_day
        for index, day in enumerate(self.days):
            path = f"days[{index}]"
            if day.date in seen:
                yield f"{path}.date", f"{day.date} stands in days[{seen[day.date]}] already"
            seen[day.date] = index
            if first <= last and not first <= day.date <= last:
                yield (
                    f"{path}.date",
                    f"{day.date} lies outside the days of the tables, {first} to {last}: set "
                    "first_day or last_day",
                )
            yield from ((f"{path}.{key}", message) for key, message in _day_faults(day, known))
            for market in Market:
                sessions: tuple[SessionHours, ...] = getattr(day, market.value)
                yield from _session_faults(f"{path}.{market.value}", sessions)

    def overridden_by(self, other: CalendarTables) -> CalendarTables:
        """These tables with the rows of ``other`` laid over them, day by day and row by row."""
        days = {day.date: day for day in self.days} | {day.date: day for day in other.days}
        hours = {(row.market, row.effective_from): row for row in self.hours}
        hours |= {(row.market, row.effective_from): row for row in other.hours}
        sources = {source.id: source for source in (*self.sources, *other.sources)}
        return evolve(
            self,
            first_day=min(self.first_day, other.first_day),
            last_day=max(self.last_day, other.last_day),
            sources=tuple(sources.values()),
            hours=tuple(hours[key] for key in sorted(hours)),
            days=tuple(days[key] for key in sorted(days)),
        )


def _day_faults(day: DayRow, known: Iterable[str]) -> Iterator[tuple[str, str]]:
    weekday = f"{day.date:%A}"
    if day.weekday != weekday:
        yield "weekday", f"{day.date} is a {weekday}, the file says {day.weekday}"
    if day.source not in known:
        yield "source", f"no source is called {day.source!r}"
    if day.kind in (DayKind.LATE_OPEN, DayKind.EARLY_CLOSE) and not day.securities:
        yield "securities", f"a day of kind {day.kind} states the sessions that were held"


def _session_faults(path: str, sessions: tuple[SessionHours, ...]) -> Iterator[tuple[str, str]]:
    for index, session in enumerate(sessions):
        starts, ends, earliest = session.from_.minutes, session.to.minutes, session.earliest
        if ends <= starts:
            yield f"{path}[{index}].to", f"{session.to} is not after {session.from_}"
        elif earliest is not None and not starts <= earliest.minutes <= ends:
            yield (
                f"{path}[{index}].earliest",
                f"{earliest} does not lie between {session.from_} and {session.to}",
            )
        if index and session.from_.minutes < sessions[index - 1].from_.minutes:
            yield f"{path}[{index}].from", "sessions stand in the order they begin"
