"""Sessions of a day as short texts, so that a test reads like an hours table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from hkex_ops.calendars import BusinessDay, Calendar, Market, TradingSession
from hkex_ops.config.shipped import load_calendar
from hkex_ops.model import Bound, Certainty

__all__ = ["CALENDAR", "days_from", "told", "told_of"]

CALENDAR: Calendar = load_calendar()


def told(day: BusinessDay, market: Market) -> list[str]:
    """Every session of ``market`` as ``name from-to``; ``+1`` is the next calendar day."""
    sessions: tuple[TradingSession, ...] = getattr(day, market.value)
    return [
        f"{one.name} {_time(one.window.start, day.date)}-{_time(one.window.until, day.date)}"
        for one in sessions
    ]


def told_of(day: date, market: Market) -> list[str]:
    """The same by the shipped tables."""
    return told(CALENDAR.day(day), market)


def days_from(first: date, last: date) -> Iterable[date]:
    """Every calendar date from ``first`` to ``last``, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _time(bound: Bound, day: date) -> str:
    assert isinstance(bound.at, datetime)
    about = "~" if bound.certainty is Certainty.APPROXIMATE else ""
    days = (bound.at.date() - day).days
    return f"{about}{bound.at:%H:%M}" + (f"+{days}" if days else "")
