"""The trading sessions that mandatory call events are counted by.

Pre-opening and morning are one session, afternoon and closing auction are one, and on a half day
all of them are one (an issuer's answers to investors, question 139; facts of the calendar decide
what a day holds). Knows hours, and no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from hkex_ops.calendars import BusinessDay, TradingSession
from hkex_ops.model import Window

__all__ = ["SessionBlock", "session_at", "session_blocks"]

_AFTERNOON = ("afternoon", "closing-auction")
_OPENING = "pre-opening"


@frozen
class SessionBlock:
    """Sessions of one day that count as one. ``name`` is ``morning``, ``afternoon`` or
    ``whole-day``; ``window`` reaches to the end of the last one, which may be drawn at random."""

    name: str
    window: Window


def session_blocks(day: BusinessDay) -> tuple[SessionBlock, ...]:
    """The blocks of ``day`` in order; none for a day without trading."""
    afternoon = [one for one in day.securities if one.name == "afternoon"]
    morning = [one for one in day.securities if one.name == "morning"]
    if not (afternoon and morning):
        return (_block("whole-day", day.securities),) if day.securities else ()
    late = [one for one in day.securities if one.name in _AFTERNOON]
    early = [one for one in day.securities if one not in late]
    return (_block("morning", early), _block("afternoon", late))


def session_at(day: BusinessDay, at: datetime) -> str:
    """The name of the session in which ``at`` falls, as the calendar calls it; ``between`` where
    none is held.

    The instant at which one ends still counts to it, and so does what its end brings: the opening
    index in the minutes before trading begins, the closing index after the last session.
    """
    before = ""
    for one in day.securities:
        start, until = one.window.start.at, one.window.until.at
        assert start is not None and until is not None, "hours have both ends"
        if at < start:
            return before if before == _OPENING else "between"
        if at <= until:
            return one.name
        before = one.name
    return before or "between"


def _block(name: str, sessions: Sequence[TradingSession]) -> SessionBlock:
    window = Window(
        sessions[0].window.start,
        sessions[-1].window.until,
        business_date=sessions[0].window.business_date,
    )
    return SessionBlock(name, window)
