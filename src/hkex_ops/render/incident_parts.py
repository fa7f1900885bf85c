"""A report of an incident as sections of plain blocks, before it is a page, a text or a sheet.

What a section says is decided here once, so that HTML, Markdown and PDF say the same in the same
order. Knows the report's value and no format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

from attrs import frozen

from hkex_ops.incidents import (
    Correct,
    Deadline,
    Enquire,
    IncidentReport,
    IncidentState,
    LogEntry,
    Measure,
    Part,
    Standing,
    Tell,
    say_told,
)
from hkex_ops.model import HONG_KONG, Bound, ChronologyRow, Outcome
from hkex_ops.render.words import say_bound, say_day, say_instant

__all__ = [
    "Block",
    "Drawing",
    "Facts",
    "Grid",
    "Points",
    "Section",
    "Words",
    "facts_of",
    "sections_of",
]

NOTHING = "Nothing is entered about this yet."


@frozen
class Words:
    """Paragraphs."""

    lines: tuple[str, ...]
    quiet: bool = False


@frozen
class Points:
    """A list; ``title`` says of what."""

    title: str
    items: tuple[str, ...]


@frozen
class Facts:
    """Names with what they stand for."""

    pairs: tuple[tuple[str, str], ...]


@frozen
class Grid:
    """A table: the cells of column ``head`` name their rows. A line end in a cell is one."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    head: int = 0


@frozen
class Drawing:
    """Where the timeline stands."""


Block: TypeAlias = Words | Points | Facts | Grid | Drawing


@frozen
class Section:
    """A heading and its blocks. ``level`` 3 is a part of the section before."""

    heading: str
    blocks: tuple[Block, ...]
    level: int = 2


def facts_of(report: IncidentReport) -> Facts:
    """What stands at the top of a report."""
    view = report.view
    pairs = (
        ("Incident", view.id),
        ("Report", f"{report.stage}, as of {say_instant(report.made)}"),
        ("By", report.organisation),
        ("Business date", say_day(view.business_date)),
        ("Severity", view.severity.value),
        ("State", view.state.value),
        ("Owners", ", ".join(view.owners)),
        (
            "Made from",
            f"{len(view.entries)} entries, chained; the last is sealed {report.head.digest}",
        ),
    )
    return Facts(tuple(pair for pair in pairs if pair[1]))


def sections_of(report: IncidentReport) -> tuple[Section, ...]:
    """The sections of the report's form that its stage can have, in the form's order."""
    sections: list[Section] = []
    for one in report.form.sections:
        wanted = [part for part in one.parts if part in report.wanted]
        if one.parts and not wanted:
            continue
        blocks = [block for part in wanted for block in _MAKERS[part](report)]
        if one.parts and not blocks:
            blocks = [Words((NOTHING,), quiet=True)]
        sections.append(Section(one.heading, tuple(blocks), one.level))
    return tuple(
        one for place, one in enumerate(sections) if one.blocks or _has_parts(sections, place)
    )


def _has_parts(sections: list[Section], place: int) -> bool:
    return place + 1 < len(sections) and sections[place + 1].level > sections[place].level


# -- one maker for each part -----------------------------------------------------------------------

_Made: TypeAlias = Iterable[Block]


def _summary(report: IncidentReport) -> _Made:
    view = report.view
    lines = [view.title + ("" if view.title.endswith(".") else ".")]
    opened = next(one for one in view.standing if one.number == view.opened.number)
    if opened.text:
        lines.append(opened.text)
    yield Words(tuple(lines))


def _states(report: IncidentReport) -> _Made:
    view = report.view
    rows: list[tuple[str, ...]] = []
    texts = {one.number: one.text for one in view.standing}
    for moment in view.moments:
        time = say_told(moment.when, view.business_date)
        rows.append((_STATES[moment.state], time, texts[moment.number], str(moment.number)))
    yield Grid(
        "The states of the incident", ("State", "Since", "What is told of it", "Entry"), tuple(rows)
    )


_STATES: Mapping[IncidentState, str] = {
    IncidentState.DETECTED: "Detected",
    IncidentState.CONTINGENCY: "Contingency arrangement in use",
    IncidentState.RECOVERED: "Recovered, not resumed",
    IncidentState.RESUMED: "Service resumed",
    IncidentState.CLOSED: "Closed",
}


def _drawn(report: IncidentReport) -> _Made:
    yield Drawing()


def _systems(report: IncidentReport) -> _Made:
    view = report.view
    if view.affected:
        yield Points("Affected", view.affected)
    if view.unaffected:
        yield Points("Not affected", view.unaffected)


def _notes(part: Part) -> Callable[[IncidentReport], _Made]:
    def made(report: IncidentReport) -> _Made:
        for one in report.notes(part):
            yield Words(tuple(line for line in one.text.split("\n") if line.strip()))

    return made


def _impact(report: IncidentReport) -> _Made:
    yield from _notes(Part.IMPACT)(report)
    rows = [
        (one.text, f"{_digits(one.what)}", one.what.unit, one.teller, str(one.number))
        for one in report.figures()
        if isinstance(one.what, Measure)
    ]
    if rows:
        columns = ("What", "Figure", "Unit", "Told by", "Entry")
        yield Grid("Figures of the impact", columns, tuple(rows))


def _digits(measure: Measure) -> str:
    return f"{measure.value:,f}"


_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.TAKEN: "taken",
    Outcome.REFUSED: "refused",
    Outcome.DEFERRED: "not reached",
    Outcome.UNKNOWN: "not known: ask",
}


def _told(report: IncidentReport) -> _Made:
    day = report.view.business_date
    rows: list[tuple[str, ...]] = []
    for one in report.told():
        assert isinstance(one.what, Tell), "only these were asked for"
        receipt = one.what.receipt
        by = f"by {receipt.told_by}" if receipt.told_by else ""
        said = [_OUTCOMES[receipt.outcome], receipt.reference, by, receipt.detail]
        rows.append(
            (
                say_told(one.when, day),
                f"{receipt.receiver} ({one.what.audience})",
                receipt.channel,
                one.text,
                ", ".join(word for word in said if word),
            )
        )
    if rows:
        columns = ("Time", "Who", "Channel", "What", "Outcome")
        yield Grid("Who was told, when and by which channel", columns, tuple(rows), head=1)


def _enquiries(report: IncidentReport) -> _Made:
    if not report.view.enquiries:
        return
    pairs = tuple((_kind(kind), str(count)) for kind, count in report.view.enquiries.items())
    yield Grid("Enquiries received, by kind", ("Kind", "Count"), pairs)
    day = report.view.business_date
    rows = [
        (say_told(one.when, day), _kind(one.what.kind), str(one.what.count), one.text, one.teller)
        for one in report.enquiries()
        if isinstance(one.what, Enquire)
    ]
    columns = ("Time", "Kind", "Count", "About", "Told by")
    yield Grid("What they were about", columns, tuple(rows), head=1)


def _kind(kind: str) -> str:
    return kind.capitalize()


def _actions(report: IncidentReport) -> _Made:
    rows: list[tuple[str, ...]] = []
    for one in report.view.actions:
        state = "open"
        if one.ended is not None:
            state = "dropped" if one.dropped else "done"
            if one.ended.given.text:
                state += f": {one.ended.given.text}"
        rows.append((str(one.number), one.text, one.owner, str(one.due or "no day set"), state))
    if rows:
        columns = ("No.", "Action", "Owner", "Due", "Stands")
        yield Grid("Actions, with their owners and days", columns, tuple(rows), head=1)


def _deadlines(report: IncidentReport) -> _Made:
    if report.deadlines:
        rows = tuple(_deadline(one, report.made) for one in report.deadlines)
        columns = ("Report", "Counted from", "Due", "Stands", "Whose rule")
        yield Grid("Until when reports are due", columns, rows)


def _deadline(one: Deadline, made: datetime) -> tuple[str, ...]:
    rule = one.rule
    if rule.within_minutes is not None:
        span = f"{rule.within_minutes} minutes after"
    else:
        days = rule.within_business_days
        span = f"{days} business day{'' if days == 1 else 's'} after"
    anchored = "not reached yet" if one.anchored is None else say_instant(one.anchored)
    stands = "not due yet"
    if one.issued is not None:
        stands = f"handed out{', late' if one.was_late() else ''} (entry {one.issued.number})"
    elif one.is_overdue(made):
        stands = "overdue"
    elif one.due is None:
        stands = "not known yet"
    due = "not known yet" if one.due is None else say_bound(Bound(one.due), ends=True)
    return (rule.stage.value, f"{span} {rule.anchor}: {anchored}", due, stands, rule.source)


def _chronology(report: IncidentReport) -> _Made:
    standing = {str(one.number): one for one in report.view.standing}
    rows = tuple(
        (
            row.stated,
            "\n".join((*row.events, *_marks(row, standing[row.id], report))),
            row.teller,
            row.id,
        )
        for row in report.chronology
    )
    columns = ("Time", "Event", "Told by", "Entry")
    yield Grid("What happened, by the time it is told of", columns, rows)
    yield Words(
        ("“~” is about then. An entry made more than a day after its time says when it was made.",),
        quiet=True,
    )


def _marks(row: ChronologyRow, one: Standing, report: IncidentReport) -> Iterable[str]:
    if one.corrections:
        numbers = ", ".join(str(entry.number) for entry in one.corrections)
        yield f"(corrected by entry {numbers})"
    recorded = one.entry.recorded.astimezone(HONG_KONG)
    if row.at.at is not None and (recorded - row.at.at).days >= 1:
        yield f"(entered {recorded:%Y-%m-%d %H:%M})"


def _corrections(report: IncidentReport) -> _Made:
    rows = tuple(_correction(one, entry, report) for one, entry in report.corrections())
    if rows:
        columns = ("Entry", "Corrects", "It was", "Why", "By")
        yield Grid("Corrections; what was written before stays in the log", columns, rows)


def _correction(one: Standing, entry: LogEntry, report: IncidentReport) -> tuple[str, ...]:
    what, before = entry.given.what, one.entry.given
    assert isinstance(what, Correct), "a correction is one"
    was: list[str] = []
    if entry.given.when is not None and before.when is not None:
        was.append(say_told(before.when, report.view.business_date))
    if what.count is not None and isinstance(before.what, Enquire):
        was.append(str(before.what.count))
    if what.value is not None and isinstance(before.what, Measure):
        was.append(_digits(before.what))
    if entry.given.text or what.withdrawn:
        was.append(before.text)
    reason = f"withdrawn: {what.reason}" if what.withdrawn else what.reason
    return (str(entry.number), str(one.number), "\n".join(was), reason, entry.given.by)


_MAKERS: Mapping[Part, Callable[[IncidentReport], _Made]] = {
    Part.SUMMARY: _summary,
    Part.STATES: _states,
    Part.TIMELINE: _drawn,
    Part.SYSTEMS: _systems,
    Part.BACKGROUND: _notes(Part.BACKGROUND),
    Part.SYSTEM: _notes(Part.SYSTEM),
    Part.CONTINGENCY: _notes(Part.CONTINGENCY),
    Part.IMPACT: _impact,
    Part.DECISIONS: _notes(Part.DECISIONS),
    Part.TOLD: _told,
    Part.ENQUIRIES: _enquiries,
    Part.CAUSE: _notes(Part.CAUSE),
    Part.REMEDY: _notes(Part.REMEDY),
    Part.ACTIONS: _actions,
    Part.REVIEW: _notes(Part.REVIEW),
    Part.CONCLUSION: _notes(Part.CONCLUSION),
    Part.REFERENCE: _notes(Part.REFERENCE),
    Part.DEADLINES: _deadlines,
    Part.CHRONOLOGY: _chronology,
    Part.CORRECTIONS: _corrections,
}
