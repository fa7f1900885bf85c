"""What a plan of a rehearsal is made of, and at which moments things are done.

A circular says when something holds or is due; a rehearsal does it at one instant. The rules here
choose that instant, the same way for every rollout.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, time, timedelta
from typing import Protocol

from attrs import evolve, frozen

from hkex_ops.calendars import Calendar
from hkex_ops.errors import OutsideCalendar, UsageError
from hkex_ops.model import HONG_KONG, Bound, Holding, Phase, PhaseKind, Rollout, Source, Window
from hkex_ops.rundown import RundownStep, StepResult

__all__ = [
    "PREPARATION",
    "Act",
    "Planned",
    "end_of_first_day",
    "instant",
    "moment_in",
    "numbered",
    "phase_at",
    "planned",
]

# A session is prepared this long before it opens, and what is due is done this long before. No
# paper says how long; ten minutes are enough to look at a configuration twice.
PREPARATION = timedelta(minutes=10)

# The hour of a business day at which somebody asks for what a period forbids.
ASKED_AT = time(12)

_WHOLE_DAY = timedelta(days=1)

# Of several phases that hold at once the one that rules are written for comes first.
_RANK = (
    PhaseKind.VERIFICATION,
    PhaseKind.STABILISATION,
    PhaseKind.CUTOVER,
    PhaseKind.LAUNCH_DAY,
    PhaseKind.PREPARATION,
    PhaseKind.PRODUCTION_ROLLOUT,
)

Act = Callable[[], Awaitable[StepResult]]


class _Sourced(Protocol):
    @property
    def source(self) -> Source: ...


@frozen
class Planned:
    """A step, when it is begun, and what does it."""

    step: RundownStep
    at: datetime
    act: Act


def planned(
    session: str, id: str, text: str, at: datetime, act: Act, fact: _Sourced | None = None
) -> Planned:
    """A step of the rehearsal's own, for ``fact`` where a paper states one."""
    return Planned(RundownStep(session, id, text, None, fact.source if fact else None), at, act)


def numbered(plan: Iterable[Planned]) -> list[Planned]:
    """``plan`` with a number behind every id that its session has already."""
    taken: dict[tuple[str, str], int] = {}
    unique: list[Planned] = []
    for one in plan:
        key = (one.step.session, one.step.id)
        count = taken[key] = taken.get(key, 0) + 1
        step = one.step if count == 1 else evolve(one.step, id=f"{one.step.id}-{count}")
        unique.append(evolve(one, step=step))
    return unique


def instant(bound: Bound) -> datetime:
    """When ``bound`` is; `UsageError` where the paper does not say."""
    if bound.at is None:
        raise UsageError(f"the paper does not say when: {bound}; it cannot be rehearsed")
    return bound.at


def moment_in(window: Window, calendar: Calendar) -> datetime | None:
    """A moment at which ``window`` holds, ``None`` where the paper gives it no date at all.

    Noon of its first business day where that lies in it; else its first instant, or, without a
    start, shortly before its end.
    """
    start, until = window.start.at, window.until.at
    if start is None:
        return None if until is None else until - PREPARATION
    noon = _noon(start, calendar)
    return noon if noon is not None and window.holds(noon) is Holding.WITHIN else start


def end_of_first_day(window: Window, calendar: Calendar) -> datetime | None:
    """When the first piece of what ``window`` spans is over: for things looked back upon.

    The end of a window of a day or less; of a longer one, the close of T+1 of its first business
    day. ``None`` where the paper gives it no date at all.
    """
    start, until = window.start.at, window.until.at
    if start is None:
        return None if until is None else until - PREPARATION
    if until is not None and until - start <= _WHOLE_DAY:
        return until
    noon = _noon(start, calendar)
    return start if noon is None else calendar.close_of_t1(noon.date())


def phase_at(rollout: Rollout, at: datetime) -> Phase | None:
    """The phase that rules at ``at`` are of."""
    holding = [one for one in rollout.phases if one.window.holds(at) is Holding.WITHIN]
    return min(holding, key=lambda phase: _RANK.index(phase.kind), default=None)


def _noon(start: datetime, calendar: Calendar) -> datetime | None:
    """The first noon of a business day at or after ``start``; none beyond the calendar's tables."""
    day = start.astimezone(HONG_KONG).date()
    try:
        if not calendar.is_business_day(day) or start > datetime.combine(day, ASKED_AT, HONG_KONG):
            day = calendar.next_business_day(day)
    except OutsideCalendar:
        return None
    return datetime.combine(day, ASKED_AT, HONG_KONG)
