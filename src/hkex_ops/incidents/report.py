"""A report of an incident as a value: what stands in it, and what is still missing from it.

Made from the view of a log at an instant; ``render/`` shows it, and nothing is decided there. What
a final report cannot do without is named, so that a hole is seen before the paper goes out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from attrs import frozen

from hkex_ops.evidence import Head
from hkex_ops.incidents.chronology import rows_of_log
from hkex_ops.incidents.deadlines import Deadline
from hkex_ops.incidents.entries import (
    Enquire,
    IncidentState,
    LogEntry,
    Measure,
    Note,
    ReportStage,
    Tell,
    Topic,
)
from hkex_ops.incidents.forms import Part, ReportForm, parts_wanted
from hkex_ops.incidents.view import IncidentView, Standing
from hkex_ops.model import ChronologyRow, Outcome

__all__ = ["IncidentReport", "make_report"]

_TOPICS = {
    Part.BACKGROUND: Topic.BACKGROUND,
    Part.SYSTEM: Topic.SYSTEM,
    Part.CONTINGENCY: Topic.CONTINGENCY,
    Part.IMPACT: Topic.IMPACT,
    Part.DECISIONS: Topic.DECISION,
    Part.CAUSE: Topic.CAUSE,
    Part.REMEDY: Topic.REMEDY,
    Part.REVIEW: Topic.REVIEW,
    Part.CONCLUSION: Topic.CONCLUSION,
    Part.REFERENCE: Topic.REFERENCE,
}


@frozen
class IncidentReport:
    """A report of a stage in a form, as of an instant. ``head`` seals the log it was made from."""

    view: IncidentView
    form: ReportForm
    stage: ReportStage
    made: datetime
    organisation: str
    deadlines: tuple[Deadline, ...]
    head: Head
    missing: tuple[str, ...]

    @property
    def chronology(self) -> tuple[ChronologyRow, ...]:
        """The rows of the chronology, by time."""
        return rows_of_log(self.view)

    @property
    def wanted(self) -> frozenset[Part]:
        """What a report of this stage can say."""
        return parts_wanted(self.stage)

    def notes(self, part: Part) -> tuple[Standing, ...]:
        """The notes that are matter for ``part``, as they were entered."""
        return _notes(self.view, _TOPICS[part])

    def told(self) -> tuple[Standing, ...]:
        """Who was told, by the time."""
        return tuple(one for one in self.view.holding if isinstance(one.what, Tell))

    def enquiries(self) -> tuple[Standing, ...]:
        """The enquiries received, by the time."""
        return tuple(one for one in self.view.holding if isinstance(one.what, Enquire))

    def figures(self) -> tuple[Standing, ...]:
        """The figures of the impact, as they were entered."""
        return tuple(
            one for one in self.view.standing if isinstance(one.what, Measure) and not one.withdrawn
        )

    def corrections(self) -> tuple[tuple[Standing, LogEntry], ...]:
        """Every correction with what it corrects, by its number."""
        found = [(one, entry) for one in self.view.standing for entry in one.corrections]
        return tuple(sorted(found, key=lambda pair: pair[1].number))


def make_report(
    view: IncidentView,
    form: ReportForm,
    stage: ReportStage,
    made: datetime,
    *,
    head: Head,
    organisation: str = "",
    deadlines: Sequence[Deadline] = (),
) -> IncidentReport:
    """The report, with everything that it lacks for its stage."""
    missing = tuple(_missing(view, stage, made, deadlines))
    return IncidentReport(view, form, stage, made, organisation, tuple(deadlines), head, missing)


def _missing(
    view: IncidentView, stage: ReportStage, made: datetime, deadlines: Sequence[Deadline]
) -> Iterator[str]:
    if not view.owners:
        yield "nobody owns the incident"
    if not view.affected:
        yield "no affected system is named"
    for deadline in deadlines:
        if deadline.rule.stage is stage and deadline.is_overdue(made):
            yield f"the {stage} report was due at {_said(deadline.due)} and is not handed out"
    doubtful = [
        one.what.receipt.receiver
        for one in view.standing
        if isinstance(one.what, Tell)
        and not one.withdrawn
        and one.what.receipt.outcome is Outcome.UNKNOWN
    ]
    for receiver in dict.fromkeys(doubtful):
        yield f"whether {receiver} was told is not known: ask"
    if stage is ReportStage.FINAL:
        yield from _missing_at_the_end(view)


def _missing_at_the_end(view: IncidentView) -> Iterator[str]:
    if view.state not in (IncidentState.RESUMED, IncidentState.CLOSED):
        yield f"the service is not resumed: the incident is {view.state}"
    if not _notes(view, Topic.CAUSE):
        yield "no cause is stated"
    if not _notes(view, Topic.REMEDY):
        yield "nothing is said of what was done about the cause"
    for action in view.actions:
        if action.ended is None and action.due is None:
            yield f"action {action.number} has no day until which it is to be done"


def _notes(view: IncidentView, topic: Topic) -> tuple[Standing, ...]:
    return tuple(
        one
        for one in view.standing
        if isinstance(one.what, Note) and one.what.topic is topic and not one.withdrawn
    )


def _said(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
