"""Moments as a page says them: ``12:30 on Sunday 5 May 2019``, Hong Kong time.

Pages are read by people who may not have this software, so nothing is abbreviated. Called by the
form and by the summary.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hkex_ops.model import HONG_KONG, Bound, Certainty, Window

__all__ = ["say_bound", "say_clock", "say_day", "say_instant", "say_window"]

_MIDNIGHT = time()


def say_day(day: date) -> str:
    """A date with its weekday.

    >>> say_day(date(2019, 5, 5))
    'Sunday 5 May 2019'
    """
    return f"{day:%A} {day.day} {day:%B %Y}"


def say_clock(at: datetime) -> str:
    """The time of day in Hong Kong; seconds only where there are any."""
    local = at.astimezone(HONG_KONG)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def say_instant(at: datetime) -> str:
    """An instant in Hong Kong time.

    >>> say_instant(datetime(2019, 5, 5, 12, 30, tzinfo=HONG_KONG))
    '12:30 on Sunday 5 May 2019'
    """
    return f"{say_clock(at)} on {say_day(at.astimezone(HONG_KONG).date())}"


def say_bound(bound: Bound, *, ends: bool) -> str:
    """A bound, with the paper's words where they were not a plain date and time.

    ``ends`` says that the bound ends something: midnight is then the end of the day before.
    """
    if bound.at is None:
        return "a time not stated" if bound.certainty is Certainty.UNKNOWN else "any time"
    local = bound.at.astimezone(HONG_KONG)
    if local.time() == _MIDNIGHT:
        day = local.date() - timedelta(days=1) if ends else local.date()
        said = f"{'the end of' if ends else 'the start of'} {say_day(day)}"
    else:
        said = say_instant(local)
    about = "about " if bound.certainty is Certainty.APPROXIMATE else ""
    stated = f" ({bound.stated})" if bound.stated else ""
    return f"{about}{said}{stated}"


def _whole_days(window: Window) -> tuple[date, date] | None:
    """First and last day of a window that the paper states in whole days."""
    start, until = window.start, window.until
    if start.at is None or until.at is None or start.stated or until.stated:
        return None
    first, last = start.at.astimezone(HONG_KONG), until.at.astimezone(HONG_KONG)
    if first.time() != _MIDNIGHT or last.time() != _MIDNIGHT:
        return None
    return first.date(), last.date() - timedelta(days=1)


def say_window(window: Window) -> str:
    """A window from its first to its last moment.

    >>> start, until = (datetime(2019, 5, 5, hour, tzinfo=HONG_KONG) for hour in (9, 12))
    >>> say_window(Window(Bound(start), Bound(until)))
    'from 09:00 to 12:00 on Sunday 5 May 2019'

    Whole days are said as days.
    """
    start, until = window.start, window.until
    if (days := _whole_days(window)) is not None:
        first_day, last_day = map(say_day, days)
        return f"from {first_day} to {last_day}" if days[0] < days[1] else f"on {first_day}"
    if start.at is not None and until.at is not None and not (start.stated or until.stated):
        first, last = start.at.astimezone(HONG_KONG), until.at.astimezone(HONG_KONG)
        if first.date() == last.date():
            about = "about " if start.certainty is Certainty.APPROXIMATE else ""
            return f"from {about}{say_clock(first)} to {say_bound(until, ends=True)}"
    if until.certainty is Certainty.OPEN:
        return f"from {say_bound(start, ends=False)}, without end"
    if start.certainty is Certainty.OPEN:
        return f"until {say_bound(until, ends=True)}"
    return f"from {say_bound(start, ends=False)} to {say_bound(until, ends=True)}"
