"""When a report must be there: cut-offs as a catalogue writes them, resolved by the calendar.

The close of the T+1 session is a dated fact of the calendar and moves; so a cut-off may be told
from it instead of by the clock. Resolved for a business date, and nothing where that date has no
such session.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from attrs import frozen

from hkex_ops.calendars import TimeOfDay

if TYPE_CHECKING:
    from hkex_ops.calendars import BusinessDay, Calendar

__all__ = ["SESSIONS", "CutOff", "close_of_session", "has_session"]

SESSIONS = {"T": "t-session", "T+1": "t+1-session"}
"""The sessions of a business date as catalogues spell them, and as the calendar does."""

_CLOSE = re.compile(
    r"(?:(?P<minutes>[0-9]{1,4}) min after )?close of (?P<session>T(?:\+1)?) session"
)
_CLOCK = re.compile(
    r"(?P<time>[0-9]{2}:[0-9]{2}(?:\+[1-7])?)"
    r"(?: (?:(?P<next>next business day)|(?P<days>[0-9]{1,3}) business days? later))?"
)
_FORMS = (
    "09:00, 01:45+1, 09:00 next business day, 16:00 2 business days later, "
    "close of T session, 60 min after close of T+1 session"
)


@frozen
class CutOff:
    """A moment that belongs to a business date: by the clock, or from the close of a session.

    >>> str(CutOff.parse("60 min after close of T+1 session"))
    '60 min after close of T+1 session'
    """

    time: TimeOfDay | None = None
    business_days_later: int = 0
    session: str = ""
    minutes_after: int = 0

    @classmethod
    def parse(cls, text: str) -> CutOff:
        """The cut-off that ``text`` writes; ValueError with a sentence when it writes none."""
        if (close := _CLOSE.fullmatch(text)) is not None:
            return cls(session=close["session"], minutes_after=int(close["minutes"] or 0))
        if (clock := _CLOCK.fullmatch(text)) is not None:
            days = 1 if clock["next"] else int(clock["days"] or 0)
            return cls(TimeOfDay.parse(clock["time"]), days)
        raise ValueError(f"{text!r} is no cut-off; write it as one of: {_FORMS}")

    def at(self, day: date, calendar: Calendar) -> datetime | None:
        """The instant for business date ``day``; nothing when it has no such session.

        Raises `OutsideCalendar` when the tables do not reach so far.
        """
        if self.time is None:
            close = close_of_session(calendar.day(day), self.session)
            return None if close is None else close + timedelta(minutes=self.minutes_after)
        for _ in range(self.business_days_later):
            day = calendar.next_business_day(day)
        return self.time.on(day)

    def __str__(self) -> str:
        if self.time is None:
            lead = f"{self.minutes_after} min after " if self.minutes_after else ""
            return f"{lead}close of {self.session} session"
        match self.business_days_later:
            case 0:
                return str(self.time)
            case 1:
                return f"{self.time} next business day"
            case days:
                return f"{self.time} {days} business days later"


def has_session(found: BusinessDay, session: str) -> bool:
    """Whether the business date has the session; one that is told by no table is not held."""
    return any(one.name == SESSIONS.get(session, session) for one in found.clearing)


def close_of_session(found: BusinessDay, session: str) -> datetime | None:
    """When the session of a business date closes, nothing when it has none."""
    name = SESSIONS.get(session, session)
    return next((one.window.until.at for one in found.clearing if one.name == name), None)
