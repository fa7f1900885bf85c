"""The rows that a log gives: what happened when, in the words in which it was entered.

The same rows that papers give, so that a log and a paper, or two logs, lie side by side. Called by
reports, screens and comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping

from hkex_ops.incidents.entries import (
    Act,
    Assess,
    Attach,
    BeginContingency,
    Close,
    Conclude,
    Enquire,
    IssueReport,
    Measure,
    Note,
    OpenIncident,
    Recover,
    Reopen,
    Resume,
    Tell,
    Topic,
)
from hkex_ops.incidents.stated_times import say_told
from hkex_ops.incidents.view import IncidentView, Standing
from hkex_ops.model import ChronologyRow, Outcome, Source

__all__ = ["HAPPENED", "rows_of_log", "sentence"]

HAPPENED = (Topic.EVENT, Topic.DECISION)
"""What of the notes is a row of the chronology; the others are matter for sections."""

_SAID: Mapping[type[object], str] = {
    BeginContingency: "Contingency arrangement begun.",
    Recover: "Recovered; the service is not resumed with that.",
    Resume: "Service resumed.",
    Close: "Incident closed.",
    Reopen: "Incident reopened.",
}
_OUTCOMES: Mapping[Outcome, str] = {
    Outcome.TAKEN: "Told",
    Outcome.REFUSED: "Refused by",
    Outcome.DEFERRED: "Not reached:",
    Outcome.UNKNOWN: "Perhaps told:",
}


def rows_of_log(view: IncidentView, teller: str | None = None) -> tuple[ChronologyRow, ...]:
    """The rows of one teller, or of all, by time. What was withdrawn is none."""
    return tuple(
        ChronologyRow(
            str(one.number),
            one.teller,
            one.when.at,
            say_told(one.when, view.business_date),
            tuple(line for line in sentence(one).split("\n") if line.strip()),
            Source(f"incident {view.id}", f"entry {one.number}"),
            one.when.until,
        )
        for one in view.holding
        if teller in (None, one.teller) and _is_row(one)
    )


def sentence(one: Standing) -> str:
    """An entry in words, as a row of a chronology has it."""
    match one.what:
        case Tell(audience, receipt):
            by = f", by {receipt.told_by}" if receipt.told_by else ""
            outcome = _OUTCOMES[receipt.outcome]
            told = f"{outcome} {receipt.receiver} ({audience}), {receipt.channel}{by}"
            return f"{told}: {one.text}" if one.text else f"{told}."
        case Enquire(kind, count):
            what = "complaint" if kind == "complaint" else f"{kind} enquiry"
            many = "complaints" if kind == "complaint" else f"{kind} enquiries"
            return f"{count} {what if count == 1 else many}: {one.text}"
        case Measure(_, value, unit):
            return f"{value:,f}{f' {unit}' if unit else ''}: {one.text}"
        case Act(owner, due):
            return f"Action of {owner}, {f'due {due}' if due else 'no day set'}: {one.text}"
        case Conclude(action, dropped):
            ended = f"Action {action} {'dropped' if dropped else 'done'}"
            return f"{ended}: {one.text}" if one.text else f"{ended}."
        case Assess():
            return _judged(one.what, one.text)
        case Note(topic) if topic not in HAPPENED:
            return f"({topic}) {one.text}"
        case OpenIncident(title=title):
            return one.text or f"{title}."
        case IssueReport(stage):
            return one.text or f"The {stage} report was handed out."
        case _:
            return one.text or _SAID.get(type(one.what), "")


def _judged(what: Assess, text: str) -> str:
    said = [f"severity {what.severity}"] if what.severity else []
    for name, members in (
        ("owners", what.owners),
        ("affected", what.affected),
        ("not affected", what.unaffected),
    ):
        if members:
            said.append(f"{name} {', '.join(members)}")
    return f"Judged anew: {'; '.join(said)}{f': {text}' if text else '.'}"


def _is_row(one: Standing) -> bool:
    match one.what:
        case Note(topic):
            return topic in HAPPENED
        case Tell() | Enquire() | OpenIncident() | Attach() | IssueReport():
            return True
        case _:
            return type(one.what) in _SAID
