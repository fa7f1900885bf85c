"""The desk's four answers at one instant, put together: nothing is decided here.

What to do next is the agenda's answer, what is forbidden the guard's, where clients point the
connections'. What must be shown afterwards is gathered here: what has to be kept, the forms, and
what is done every business day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.model import HONG_KONG, Bound, Recurrence, Restriction, Rollout, Source
from hkex_ops.rollouts.agenda import HORIZON, agenda, nearest_deadline
from hkex_ops.rollouts.audience import concerns
from hkex_ops.rollouts.connections import Directions, directions, services_of
from hkex_ops.rollouts.guard import Guard
from hkex_ops.rollouts.items import AgendaItem, business_days_of
from hkex_ops.rollouts.override import RuleOverridden

__all__ = ["Proof", "ProofKind", "Status", "proofs_of", "status"]


class ProofKind(StrEnum):
    """What has to be shown."""

    RETENTION = "retention"
    FORM = "form"
    DAILY = "daily"


@frozen
class Proof:
    """Something that must be shown afterwards, over a span of time.

    For a daily duty ``days`` is how many business days it has in all, and ``days_begun`` how many
    of them had begun at the instant asked about.
    """

    id: str
    kind: ProofKind
    what: str
    rule: str
    source: Source
    start: Bound | None = None
    until: Bound | None = None
    days: int | None = None
    days_begun: int | None = None


@frozen
class Status:
    """The four answers at ``at``. ``nearest`` is the deadline that comes first, if there is one.

    ``set_aside`` tells of every override in force; the rules stay among the restrictions.
    """

    at: datetime
    agenda: tuple[AgendaItem, ...]
    nearest: AgendaItem | None
    restrictions: tuple[Restriction, ...]
    directions: tuple[Directions, ...]
    proofs: tuple[Proof, ...]
    set_aside: tuple[RuleOverridden, ...] = ()

    @property
    def remaining(self) -> timedelta | None:
        """The time left until the nearest deadline."""
        if self.nearest is None or self.nearest.due is None or self.nearest.due.at is None:
            return None
        return self.nearest.due.at - self.at


def status(
    rollouts: Iterable[Rollout],
    calendar: Calendar,
    at: datetime,
    *,
    audience: str | None = None,
    done: Collection[str] = (),
    guard: Guard | None = None,
) -> Status:
    """The four answers at ``at``, for one audience or for all.

    ``guard`` is one that knows overrides; without it there are none.
    """
    known = list(rollouts)
    items = agenda(known, calendar, at, audience=audience, done=done)
    guard = guard or Guard(known)
    rules = guard.in_force(at, audience=audience)
    actions = dict.fromkeys(rule.action for rule in rules)
    return Status(
        at=at,
        agenda=items,
        nearest=nearest_deadline(items, at),
        restrictions=rules,
        directions=tuple(
            directions(known, service, at, audience=audience) for service in services_of(known)
        ),
        proofs=tuple(proofs_of(known, calendar, at, audience=audience)),
        set_aside=tuple(
            event for one in actions for event in guard.may(one, at, audience=audience).events
        ),
    )


def proofs_of(
    rollouts: Iterable[Rollout],
    calendar: Calendar,
    at: datetime,
    *,
    audience: str | None = None,
    horizon: timedelta = HORIZON,
) -> Iterator[Proof]:
    """What must be shown afterwards of anything that lies within ``horizon`` of ``at``.

    Both ways: what ended a month ago is asked for today. An unknown bound counts as near.
    """
    for rollout in rollouts:
        for proof in _proofs(rollout, calendar, at, audience):
            if _near(proof, at, horizon):
                yield proof


def _proofs(
    rollout: Rollout, calendar: Calendar, at: datetime, audience: str | None
) -> Iterator[Proof]:
    for kept in rollout.retentions:
        yield Proof(
            id=f"{rollout.id}/retention/{kept.id}",
            kind=ProofKind.RETENTION,
            what=kept.what,
            rule=kept.rule,
            source=kept.source,
            start=kept.window.start,
            until=kept.window.until,
        )
    for demand in rollout.requirements:
        recurs = demand.recurrence is Recurrence.EVERY_BUSINESS_DAY
        if recurs and concerns(demand.audience, audience):
            days = business_days_of(demand, calendar)
            begun = [day for day in days if day <= at.astimezone(HONG_KONG).date()]
            yield Proof(
                id=f"{rollout.id}/obligation/{demand.id}",
                kind=ProofKind.DAILY,
                what=demand.what,
                rule=demand.rule,
                source=demand.source,
                start=demand.window.start,
                until=demand.window.until,
                days=len(days),
                days_begun=len(begun),
            )
    for form in rollout.forms:
        yield Proof(
            id=f"{rollout.id}/form/{form.id}",
            kind=ProofKind.FORM,
            what=form.name,
            rule=form.purpose,
            source=form.source,
            start=None if form.valid is None else form.valid.start,
            until=form.due if form.valid is None or form.due is not None else form.valid.until,
        )


def _near(proof: Proof, at: datetime, horizon: timedelta) -> bool:
    start = None if proof.start is None else proof.start.at
    until = None if proof.until is None else proof.until.at
    return (start is None or start <= at + horizon) and (until is None or until >= at - horizon)
