"""Instants, bounds and windows as the papers state them.

A paper says "14:30", "~11:00", "close of T+1 session" or nothing at all. A :class:`Bound` keeps
both: the instant that was understood and the words it was understood from. An approximate or an
unknown bound is a value, not an error.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from attrs import frozen

__all__ = ["HONG_KONG", "Bound", "Certainty", "Holding", "Window"]

HONG_KONG = ZoneInfo("Asia/Hong_Kong")


class Certainty(StrEnum):
    """How well a paper pins an instant down."""

    EXACT = "exact"
    APPROXIMATE = "approximate"  # "~11:00": about then
    OPEN = "open"  # one-sided: no bound on this side
    UNKNOWN = "unknown"  # there is one, and the paper does not say it


class Holding(StrEnum):
    """Whether a window holds at an instant."""

    BEFORE = "before"
    WITHIN = "within"
    AFTER = "after"
    UNKNOWN = "unknown"


@frozen
class Bound:
    """One end of a window: an aware instant, or the honest lack of one.

    ``at`` is present exactly when the certainty is exact or approximate; ``stated`` keeps the
    paper's words where they were not a plain date and time.
    """

    at: datetime | None = None
    certainty: Certainty = Certainty.EXACT
    stated: str = ""

    def __attrs_post_init__(self) -> None:
        dated = self.certainty in (Certainty.EXACT, Certainty.APPROXIMATE)
        if dated != (self.at is not None):
            raise ValueError(f"a bound that is {self.certainty} and at {self.at} means nothing")
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError(f"{self.at.isoformat()} has no zone")

    def __str__(self) -> str:
        if self.at is None:
            return self.certainty.value
        about = "~" if self.certainty is Certainty.APPROXIMATE else ""
        return f"{about}{self.at.isoformat()}"


@frozen
class Window:
    """A span of calendar time, half open: ``until`` is the first instant it no longer holds.

    A range of whole days "17 April to 28 April" therefore runs until 29 April 00:00 Hong Kong
    time. ``business_date`` is set where the paper ties the span to one; a T+1 session that ends
    at 01:45 on Saturday belongs to Friday's.
    """

    start: Bound
    until: Bound
    business_date: date | None = None

    def __attrs_post_init__(self) -> None:
        start, until = self.start.at, self.until.at
        if start is not None and until is not None and until <= start:
            raise ValueError(f"ends at {until}, which is not after its start {start}")

    def holds(self, at: datetime) -> Holding:
        """Where ``at`` lies. An approximate bound counts at the instant it states."""
        if self.start.at is not None and at < self.start.at:
            return Holding.BEFORE
        if self.until.at is not None and at >= self.until.at:
            return Holding.AFTER
        if Certainty.UNKNOWN in (self.start.certainty, self.until.certainty):
            return Holding.UNKNOWN
        return Holding.WITHIN
