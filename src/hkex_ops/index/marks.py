"""The moments at which an index is read for settlement, derived from the day's own hours.

Estimated Average Settlement (EAS) is the mean of readings at five-minute steps from five minutes
after the start to five minutes before the end of the continuous trading session, and of the close
(HKEx report of February 2010 to the Legislative Council, Appendix II 7). The paper does not say how
the lunch break cuts the steps: that is :class:`LunchEdges`, a setting. Knows hours, and no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import frozen

from hkex_ops.calendars import BusinessDay, TradingSession
from hkex_ops.errors import UsageError
from hkex_ops.model import Bound

__all__ = ["LunchEdges", "SettlementMark", "settlement_marks"]

STEP = timedelta(minutes=5)
"""Five-minute intervals: the paper's own words."""

# The calendar's names of the sessions in which trading is continuous, and of the closing auction.
_CONTINUOUS = ("morning", "afternoon")
_AUCTION = "closing-auction"


class LunchEdges(StrEnum):
    """How the lunch break cuts the five-minute steps. None of them was read in a public rule.

    The first is the default: the break's beginning is a quotation of the morning, its end is not
    yet one of the afternoon. The counts are those of a full day of 2010, of 2011 and of today.
    """

    MORNING_END = "morning-end"  # the end of the morning is a mark: 48, 60, 66
    NEITHER = "neither"  # the last mark is five minutes before each end: 47, 59, 65
    BOTH = "both"  # the start of the afternoon is a mark too: 49, 61, 67
    THROUGH = "through"  # the steps go on through lunch: 72, 78, 78


@frozen
class SettlementMark:
    """One moment at which the index is read. ``at`` bears the certainty of the hours it follows.

    ``closing`` marks the last one, the close of trading: after a closing auction its instant is
    drawn at random and only its latest is known beforehand.
    """

    at: Bound
    closing: bool = False

    @property
    def instant(self) -> datetime:
        """When the mark falls, or the latest when that is drawn at random."""
        assert self.at.at is not None, "hours have both ends"
        return self.at.at


def settlement_marks(
    day: BusinessDay, edges: LunchEdges = LunchEdges.MORNING_END
) -> tuple[SettlementMark, ...]:
    """The marks of ``day`` in order, the close last.

    Late openings and half days follow from the day's own sessions: the first mark is five minutes
    after trading really began. Raises `UsageError` for a day without continuous trading.
    """
    continuous = [one for one in day.securities if one.name in _CONTINUOUS]
    if not continuous:
        raise UsageError(
            f"{day.date} is no trading day ({day.name or day.kind}): there is nothing to settle on"
        )
    stepped = [SettlementMark(Bound(at)) for at in _steps(continuous, edges)]
    return (*stepped, SettlementMark(_close(day.securities, continuous), closing=True))


def _steps(sessions: Sequence[TradingSession], edges: LunchEdges) -> Iterator[datetime]:
    last = _end(sessions[-1]) - STEP
    at = _start(sessions[0]) + STEP
    while at <= last:
        if edges is LunchEdges.THROUGH or any(
            _counts(at, one, sessions, edges) for one in sessions
        ):
            yield at
        at += STEP


def _counts(
    at: datetime, session: TradingSession, sessions: Sequence[TradingSession], edges: LunchEdges
) -> bool:
    """Whether ``at`` is a mark of ``session``."""
    begins, ends = _start(session), _end(session)
    if begins < at < ends:
        return True
    if at == ends and session is not sessions[-1]:
        return edges in (LunchEdges.MORNING_END, LunchEdges.BOTH)
    return at == begins and session is not sessions[0] and edges is LunchEdges.BOTH


def _close(held: Sequence[TradingSession], continuous: Sequence[TradingSession]) -> Bound:
    auctions = [one for one in held if one.name == _AUCTION]
    return auctions[-1].window.until if auctions else continuous[-1].window.until


def _start(session: TradingSession) -> datetime:
    assert session.window.start.at is not None, "hours have both ends"
    return session.window.start.at


def _end(session: TradingSession) -> datetime:
    assert session.window.until.at is not None, "hours have both ends"
    return session.window.until.at
