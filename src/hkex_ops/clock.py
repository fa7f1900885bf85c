"""Time as something handed over: the only module that may ask what time it is.

Machines take ``now`` as an argument; flows and the command line hold a :class:`Clock`. Every
instant is an aware datetime in Hong Kong's zone, to whole microseconds.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from hkex_ops.errors import UsageError

__all__ = ["Clock", "ManualClock", "SystemClock"]

_ZONE = ZoneInfo("Asia/Hong_Kong")


class Clock(Protocol):
    """Whoever knows the time."""

    def now(self) -> datetime:
        """The present instant, aware, in Hong Kong's zone."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, aware, in Hong Kong's zone."""
        return datetime.now(_ZONE)


class ManualClock:
    """A clock that stands still until it is turned: for rehearsals and tests.

    >>> from datetime import datetime, timedelta
    >>> from hkex_ops import HONG_KONG
    >>> clock = ManualClock(datetime(2023, 4, 15, 14, 30, tzinfo=HONG_KONG))
    >>> clock.advance(timedelta(hours=1))
    >>> clock.now().isoformat()
    '2023-04-15T15:30:00+08:00'
    """

    def __init__(self, start: datetime) -> None:
        self._now = _aware(start)

    def now(self) -> datetime:
        """The instant the clock was last turned to."""
        return self._now

    def turn_to(self, instant: datetime) -> None:
        """Turn the clock forward to ``instant``; a clock never runs backwards (`UsageError`)."""
        instant = _aware(instant)
        if instant < self._now:
            raise UsageError(f"the clock stands at {self._now} and cannot turn back to {instant}")
        self._now = instant

    def advance(self, by: timedelta) -> None:
        """Turn the clock forward by ``by``."""
        self.turn_to(self._now + by)


def _aware(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise UsageError(f"{instant.isoformat()} has no zone: give an aware datetime")
    return instant.astimezone(_ZONE)
