"""Which steps of a session are worked, for whom, and whether it may be worked now.

From a session and an audience to the steps of a rundown, each with an id that stays the same as
long as the paper's list does; and from the rules that hold in the session to a refusal in their
own words. Knows no clock and no adapter; called by whoever works or rehearses a session.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime

from attrs import frozen

from hkex_ops.errors import Denied, UsageError
from hkex_ops.model import (
    Effect,
    Holding,
    Restriction,
    Rollout,
    Session,
    Source,
    Step,
    StepAction,
    StepMoment,
)
from hkex_ops.rollouts.audience import concerns
from hkex_ops.rundown.steps import RundownStep

__all__ = ["Barred", "PlannedStep", "barred", "planned_steps", "rules_in", "session_named"]

_MOMENTS = tuple(StepMoment)
_CHECKS = (StepAction.CHECK_ADDRESSES, StepAction.CHECK_CONFIGURATION)
_CONFINING = (Effect.PROHIBITED, Effect.LIMITED_TO)


@frozen
class PlannedStep:
    """A step of the rundown with the paper's step that it does.

    ``barred`` is the rule that keeps this audience from it; nobody begins such a step.
    """

    step: RundownStep
    does: Step
    barred: Restriction | None = None


@frozen
class Barred:
    """Why a session may not be worked: the rule in words, who states it, until when it holds."""

    rule: str
    source: Source
    until: datetime | None = None

    def error(self, action: str) -> Denied:
        """The same as an exception, for code that must not go on."""
        return Denied(action, rule=self.rule, source=str(self.source), until=self.until)


def session_named(id: str, rollout: Rollout) -> Session:
    """The session called ``id``; `UsageError` names those that there are."""
    for session in rollout.sessions:
        if session.id == id:
            return session
    known = ", ".join(session.id for session in rollout.sessions) or "none"
    raise UsageError(f"{rollout.id} states no session {id!r}; its sessions: {known}")


def planned_steps(
    rollout: Rollout,
    session: Session,
    audience: str | None,
    by_person: Callable[[Step], bool] = lambda _: False,
) -> tuple[PlannedStep, ...]:
    """The steps of ``session`` for ``audience``, in order; ``by_person`` says who does them.

    Only what is done *during* the session is bound to its window: what the paper wants before
    comes first, and what it wants after may be done when the window is over. Raises `UsageError`
    when there is nothing to work, and when steps are for some only and no audience is named.
    """
    if not session.steps:
        below = (one for one in rollout.sessions if one.part_of == session.id and one.steps)
        parts = ", ".join(one.id for one in below)
        hint = (
            f"work its parts: {parts}"
            if parts
            else "the paper gives no rundown of it: enter the one that you were sent in a rollout "
            "file of your own"
        )
        raise UsageError(f"session {session.id} of {rollout.id} states no steps; {hint}")
    own = tuple(step for step in session.steps if step.audience)
    if audience is None and own:
        named = ", ".join(sorted({one for step in own for one in step.audience}))
        raise UsageError(
            f"session {session.id} has steps that are for some only: name the audience ({named})"
        )
    rules = rules_in(rollout, session, audience)
    planned: list[PlannedStep] = []
    taken: dict[str, int] = {}
    for step in sorted(session.steps, key=lambda one: (_MOMENTS.index(one.moment), one.order)):
        keeps = step.moment is StepMoment.AFTER and step.action in _CHECKS
        name = f"keep-{step.action}" if keeps else step.action.value
        count = taken[name] = taken.get(name, 0) + 1
        # Numbered over all audiences, so that an id means the same step to everyone.
        id = name if count == 1 else f"{name}-{count}"
        if not concerns(step.audience, audience):
            continue
        window = session.window if step.moment is StepMoment.DURING else None
        told = RundownStep(session.id, id, step.text, window, step.source, by_person(step))
        planned.append(PlannedStep(told, step, _barring(step, rules, rollout.services)))
    return tuple(planned)


def rules_in(rollout: Rollout, session: Session, audience: str | None) -> tuple[Restriction, ...]:
    """The rules that forbid or confine something in this very session, for this audience."""
    return tuple(
        rule
        for rule in rollout.restrictions
        if rule.session == session.id
        and rule.effect in _CONFINING
        and concerns(rule.audience, audience)
    )


def barred(
    session: Session,
    steps: Iterable[PlannedStep],
    audience: str | None,
    now: datetime,
    *,
    begun: bool,
) -> Barred | None:
    """Why ``session`` may not be worked at ``now``; ``None`` when it may.

    A session that was ``begun`` may be finished after its window: each step knows its own.
    """
    if not concerns(session.audience, audience):
        held_for = " and ".join(session.audience)
        return Barred(f"{session.name} is held for {held_for}, not for {audience}", session.source)
    rules = [one.barred for one in steps]
    confined = [rule for rule in rules if rule is not None]
    if rules and len(confined) == len(rules):
        rule = confined[0]
        return Barred(rule.rule, rule.source, rule.window.until.at)
    window = session.window
    match window.holds(now):
        case Holding.BEFORE:
            return Barred(
                f"{session.name} opens at {window.start}", session.source, window.start.at
            )
        case Holding.AFTER if not begun:
            return Barred(f"{session.name} closed at {window.until}", session.source)
        case Holding.UNKNOWN:
            return Barred(f"the paper does not say when {session.name} is held", session.source)
        case _:
            return None


def _barring(
    step: Step, rules: Iterable[Restriction], services: Iterable[str]
) -> Restriction | None:
    """The rule that confines the audience to services of which the step's is none."""
    if not step.service:
        return None
    for rule in rules:
        named = [service for service in services if _says(rule.limit, service)]
        if named and step.service not in named:
            return rule
    return None


def _says(text: str, service: str) -> bool:
    """Whether ``text`` names ``service`` as a word: OTP-CSC does not name OTP-C."""
    return re.search(rf"(?<![\w-]){re.escape(service)}(?![\w-])", text) is not None
