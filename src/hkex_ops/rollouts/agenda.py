"""What must I do next, and by when? The items of all rollouts that matter at an instant.

An item is left out when it was done, when it is past, when it is for another audience, or when it
begins too far ahead. One whose time the paper leaves unknown stays, at the end: nobody may lose it
because a date is missing. Called by the command line and by whoever plans a day; what was done is
the caller's to know.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime, timedelta

from hkex_ops.calendars import Calendar
from hkex_ops.model import HONG_KONG, Rollout
from hkex_ops.rollouts.audience import concerns
from hkex_ops.rollouts.items import AgendaItem, ItemState, items_of

__all__ = ["HORIZON", "agenda", "nearest_deadline"]

HORIZON = timedelta(days=92)
"""How far ahead an agenda looks: a quarter, more than any of the papers gives as notice."""


def agenda(
    rollouts: Iterable[Rollout],
    calendar: Calendar,
    at: datetime,
    *,
    horizon: timedelta = HORIZON,
    audience: str | None = None,
    done: Collection[str] = (),
    past: bool = False,
) -> tuple[AgendaItem, ...]:
    """What is open, due or coming at ``at``, the next thing first, unknown times last.

    At one moment what ends stands before what begins, and else the papers' order holds.

    ``done`` are ids of items that are never listed again; ``past`` lists what is over and what is
    overdue too. What begins later than ``at + horizon`` is left out; an item that can be done now
    is listed however far its deadline lies ahead. ``at`` is aware. Raises `OutsideCalendar` when
    a daily obligation asks for a day outside the tables.
    """
    last = at + horizon
    first_day = date.min if past else at.astimezone(HONG_KONG).date()
    found = [
        item
        for rollout in rollouts
        for item in items_of(rollout, calendar, first_day, last.astimezone(HONG_KONG).date())
        if item.id not in done
        and concerns(item.audience, audience)
        and (past or not item.state(at).past)
        and not _begins_after(item, last)
    ]
    return tuple(sorted(found, key=_order(at)))


def nearest_deadline(items: Iterable[AgendaItem], at: datetime) -> AgendaItem | None:
    """The item with the earliest deadline that can still be met; `None` when there is none.

    The end of a session is no deadline, and an item that has not begun has one all the same. Of
    several at one instant the first of ``items`` is the one.
    """
    dated = [
        (item.due.at, item)
        for item in items
        if item.due is not None and item.due.at is not None and not item.state(at).past
    ]
    return min(dated, key=lambda one: one[0])[1] if dated else None


def _begins_after(item: AgendaItem, last: datetime) -> bool:
    """Whether it begins after ``last``; what only has a deadline is known by that."""
    for bound in (item.start, item.due, item.until):
        if bound is not None and bound.at is not None:
            return bound.at > last
    return False


def _order(at: datetime) -> Callable[[AgendaItem], tuple[bool, datetime, bool]]:
    def key(item: AgendaItem) -> tuple[bool, datetime, bool]:
        moment, state = item.moment(at), item.state(at)
        lost = moment is None or state is ItemState.UNKNOWN
        return lost, moment or at, state is ItemState.COMING

    return key
