"""Business days and trading hours of Hong Kong, answered from dated tables and never guessed.

A business date and calendar time are two things here: a session of Friday may end on Saturday at
01:45. Called by whoever resolves a paper's dates or asks what day it is; knows no file and no
clock.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, datetime, timedelta

from attrs import frozen

from hkex_ops.calendars.tables import (
    CalendarSource,
    CalendarTables,
    DayKind,
    DayRow,
    HoursRow,
    Market,
    SessionHours,
)
from hkex_ops.errors import OutsideCalendar, UsageError
from hkex_ops.model import Bound, Window

__all__ = ["BusinessDay", "Calendar", "TradingSession"]

_SATURDAY = 5


@frozen
class TradingSession:
    """One session of a business date, with the window it really runs.

    ``earliest`` is the first instant at which a session with a random end may end.
    """

    name: str
    window: Window
    earliest: datetime | None = None


@frozen
class BusinessDay:
    """A calendar date and what is held on it.

    ``kind`` is closed for weekends, holidays and days lost to weather. ``sources`` are behind
    the answer; ``unconfirmed`` names the parts of it (``day`` or a market) whose rows are not
    confirmed, and ``notes`` says why.
    """

    date: date
    kind: DayKind
    name: str
    securities: tuple[TradingSession, ...]
    derivatives: tuple[TradingSession, ...]
    clearing: tuple[TradingSession, ...]
    sources: tuple[CalendarSource, ...]
    unconfirmed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def trading(self) -> bool:
        """Whether the exchange trades on this date at all."""
        return self.kind is not DayKind.CLOSED


class Calendar:
    """Answers from one set of tables. Every question about a date they do not cover raises
    `OutsideCalendar`."""

    def __init__(self, tables: CalendarTables) -> None:
        self.tables = tables
        self._days = {row.date: row for row in tables.days}
        self._sources = {source.id: source for source in tables.sources}
        self._hours = {
            market: sorted(
                (row for row in tables.hours if row.market is market),
                key=lambda row: row.effective_from,
            )
            for market in Market
        }

    def day(self, day: date) -> BusinessDay:
        """What ``day`` is and which sessions it holds."""
        self._require(day)
        row = self._days.get(day)
        if row is None and day.weekday() >= _SATURDAY:
            return BusinessDay(day, DayKind.CLOSED, f"{day:%A}", (), (), (), ())
        if row is not None and row.kind is DayKind.CLOSED:
            return BusinessDay(
                date=day,
                kind=row.kind,
                name=row.name,
                securities=(),
                derivatives=(),
                clearing=(),
                sources=(self._sources[row.source],),
                unconfirmed=() if row.confirmed else ("day",),
                notes=(row.note,) if row.note else (),
            )
        return self._traded(day, row)

    def is_business_day(self, day: date) -> bool:
        """Whether the exchange trades and clears on ``day``."""
        self._require(day)
        row = self._days.get(day)
        return day.weekday() < _SATURDAY if row is None else row.kind is not DayKind.CLOSED

    def business_days(self, first: date, last: date) -> tuple[date, ...]:
        """The business days from ``first`` to ``last``, both included."""
        self._require(first)
        self._require(last)
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(day for day in span if self.is_business_day(day))

    def next_business_day(self, day: date) -> date:
        """The first business day after ``day``."""
        return self._step(day, 1)

    def previous_business_day(self, day: date) -> date:
        """The last business day before ``day``: the papers' "last business date"."""
        return self._step(day, -1)

    def start_of_t(self, day: date) -> datetime:
        """The instant of :meth:`bound_of_start_of_t`; one that is only about counts as stated."""
        return _instant(self.bound_of_start_of_t(day))

    def close_of_t1(self, day: date) -> datetime:
        """The instant of :meth:`bound_of_close_of_t1`; one that is only about counts as stated."""
        return _instant(self.bound_of_close_of_t1(day))

    def bound_of_start_of_t(self, day: date) -> Bound:
        """The start of the T session of a business date: the clearing day's opening."""
        return self._clearing(day)[0].window.start

    def bound_of_close_of_t1(self, day: date) -> Bound:
        """The close of the T+1 session of a business date: the clearing cut-off.

        It often falls on the next calendar day, and on a half day the tables know it only
        approximately. Before after-hours trading began in 2013 there was no T+1 session and the T
        session's cut-off is the answer.
        """
        return self._clearing(day)[-1].window.until

    # -- how an answer is found ---------------------------------------------------------------

    def _require(self, day: date) -> None:
        if not self.tables.first_day <= day <= self.tables.last_day:
            raise OutsideCalendar(
                f"{day} lies outside the calendar tables, which cover {self.tables.first_day} to "
                f"{self.tables.last_day}: add days by a file of your own (calendar.file in the "
                "configuration)"
            )

    def _step(self, day: date, step: int) -> date:
        self._require(day)
        day += timedelta(days=step)
        while not self.is_business_day(day):
            day += timedelta(days=step)
        return day

    def _clearing(self, day: date) -> tuple[TradingSession, ...]:
        found = self.day(day)
        if not found.trading:
            raise UsageError(f"{day} is no business day ({found.name}): it has no T session")
        if not found.clearing:
            raise OutsideCalendar(
                f"the tables give no clearing session for {day}, a {found.kind} day"
            )
        return found.clearing

    def _row(self, market: Market, day: date) -> HoursRow:
        rows = self._hours[market]
        place = bisect_right([row.effective_from for row in rows], day)
        if not place:
            raise OutsideCalendar(f"the tables give no {market} hours for {day}")
        return rows[place - 1]

    def _traded(self, day: date, row: DayRow | None) -> BusinessDay:
        kind = DayKind.FULL if row is None else row.kind
        sessions: dict[Market, tuple[TradingSession, ...]] = {}
        sources: list[str] = [] if row is None else [row.source]
        unconfirmed = [] if row is None or row.confirmed else ["day"]
        notes = [row.note] if row is not None and row.note else []
        for market in Market:
            own: tuple[SessionHours, ...] = () if row is None else getattr(row, market.value)
            hours = self._row(market, day)
            if not own:
                own = hours.half_day if kind is DayKind.HALF else hours.full_day
                sources.append(hours.source)
                if not hours.confirmed:
                    unconfirmed.append(market.value)
                if hours.note:
                    notes.append(f"{market}: {hours.note}")
            sessions[market] = tuple(_session(one, day) for one in own)
        return BusinessDay(
            date=day,
            kind=kind,
            name="" if row is None else row.name,
            securities=sessions[Market.SECURITIES],
            derivatives=sessions[Market.DERIVATIVES],
            clearing=sessions[Market.CLEARING],
            sources=tuple(self._sources[name] for name in dict.fromkeys(sources)),
            unconfirmed=tuple(unconfirmed),
            notes=tuple(dict.fromkeys(notes)),
        )


def _session(hours: SessionHours, day: date) -> TradingSession:
    window = Window(hours.from_.bound(day), hours.to.bound(day), business_date=day)
    return TradingSession(
        hours.name, window, hours.earliest.on(day) if hours.earliest is not None else None
    )


def _instant(bound: Bound) -> datetime:
    assert bound.at is not None, "sessions of a day have both ends"
    return bound.at
