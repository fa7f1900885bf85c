"""Until when the reports of an incident are due, each counted from a moment that a setting names.

No rule here is an exchange's: whoever has to report says from which moment the time runs, how
long, and where that is written. A deadline whose moment was not reached, or has no known time, is
unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.incidents.entries import IncidentState, IssueReport, LogEntry, ReportStage
from hkex_ops.incidents.view import IncidentView
from hkex_ops.model import HONG_KONG

__all__ = ["Anchor", "Deadline", "DeadlineRule", "deadline_faults", "deadlines_of"]

MOST_BUSINESS_DAYS = 260
"""Business days that a deadline may be away; more is a slip of the hand."""


class Anchor(StrEnum):
    """From which moment a deadline is counted."""

    DETECTED = "detected"  # when it was noticed, as told
    OPENED = "opened"  # when that was written down
    CONTINGENCY = "contingency"
    RECOVERED = "recovered"
    RESUMED = "resumed"
    CLOSED = "closed"


@frozen
class DeadlineRule:
    """When a report of a stage is due; exactly one of the two spans is given.

    ``source`` says whose rule that is and where it stands.
    """

    stage: ReportStage
    anchor: Anchor
    source: str
    within_minutes: int | None = None
    within_business_days: int | None = None


@frozen
class Deadline:
    """One deadline of one incident: ``due`` is unknown as long as its anchor is.

    ``issued`` is the first entry that says that the report was handed out.
    """

    rule: DeadlineRule
    anchored: datetime | None
    due: datetime | None
    issued: LogEntry | None = None

    def is_overdue(self, at: datetime) -> bool:
        """Whether the report was due by ``at`` and is not handed out."""
        return self.issued is None and self.due is not None and self.due <= at

    def was_late(self) -> bool:
        """Whether the report was handed out after it was due."""
        if self.issued is None or self.due is None:
            return False
        when = self.issued.given.when
        given = self.issued.recorded if when is None or when.at.at is None else when.at.at
        return given > self.due


def deadline_faults(rules: Sequence[DeadlineRule]) -> Iterator[tuple[str, str]]:
    """What makes no sense in deadlines, as (path, sentence)."""
    for index, rule in enumerate(rules):
        spans = [one for one in (rule.within_minutes, rule.within_business_days) if one is not None]
        if len(spans) != 1:
            reason = "says exactly one of within_minutes and within_business_days"
            yield f"[{index}]", f"a deadline {reason}"
        elif spans[0] < 1 or (rule.within_business_days or 0) > MOST_BUSINESS_DAYS:
            most = f"at most {MOST_BUSINESS_DAYS} business days"
            yield f"[{index}]", f"a deadline lies at least 1 after its anchor, and {most}"
        if not rule.source.strip():
            yield f"[{index}].source", "says no source: whose rule is it, and where does it stand?"
        if rule.stage in [one.stage for one in rules[:index]]:
            yield f"[{index}].stage", f"there is a deadline of the {rule.stage} report already"


def deadlines_of(
    view: IncidentView, rules: Iterable[DeadlineRule], calendar: Calendar
) -> tuple[Deadline, ...]:
    """Every deadline of an incident, in the order of the rules.

    A deadline of business days ends with the last of them; raises `OutsideCalendar` beyond the
    tables.
    """
    issued = {
        one.what.stage: one.entry
        for one in reversed(view.standing)
        if isinstance(one.what, IssueReport) and not one.withdrawn
    }
    found: list[Deadline] = []
    for rule in rules:
        anchored = _anchored(view, rule.anchor)
        due = None if anchored is None else _due(anchored, rule, calendar)
        found.append(Deadline(rule, anchored, due, issued.get(rule.stage)))
    return tuple(found)


def _anchored(view: IncidentView, anchor: Anchor) -> datetime | None:
    if anchor is Anchor.OPENED:
        return view.opened.recorded
    moment = view.first(IncidentState(anchor.value))
    return None if moment is None else moment.when.at.at


def _due(anchored: datetime, rule: DeadlineRule, calendar: Calendar) -> datetime:
    if rule.within_minutes is not None:
        return anchored + timedelta(minutes=rule.within_minutes)
    day = anchored.astimezone(HONG_KONG).date()
    for _ in range(rule.within_business_days or 0):
        day = calendar.next_business_day(day)
    return datetime.combine(day + timedelta(days=1), time(), HONG_KONG)
