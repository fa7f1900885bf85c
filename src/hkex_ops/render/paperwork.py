"""What was done beside the sessions, on a summary's page: forms, checklist, overrides, fallback.

Each is a section of its own and is left out where there is nothing of it. The files that belong to
it are linked, and lie in the pack. Called by :mod:`hkex_ops.render.summary`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from hkex_ops.render.html import Html, element, join
from hkex_ops.render.pack import (
    Pack,
    PackForm,
    PackHappening,
    PackItem,
    PackNote,
    PackOverride,
)
from hkex_ops.render.proof import link
from hkex_ops.render.tables import cell, place, row_head, table, when
from hkex_ops.render.words import say_bound, say_instant, say_window
from hkex_ops.rundown import Fallback, Tick

__all__ = ["paper_sections"]


def paper_sections(pack: Pack) -> Iterator[Html]:
    """The sections that have something in them."""
    papers = pack.papers
    if papers.forms:
        yield from _forms(papers.forms)
    if papers.items:
        yield from _checklist(papers.items)
    if papers.overrides:
        yield from _overrides(papers.overrides)
    if papers.fallback is not None:
        yield from _fallback(papers.fallback)
    if papers.happenings:
        yield from _happenings(papers.happenings)
    if papers.notes:
        yield from _notes(papers.notes)


def _forms(forms: Sequence[PackForm]) -> Iterator[Html]:
    yield element("h2", "Forms made")
    yield element(
        "p",
        "A form is made here and sent by a person: that it was sent is not shown by this.",
        class_="quiet",
    )
    yield table(
        "Each form as it was made, with its values printed on the page",
        ("Form", "File", "Made for", "Made", "Finding", "Source"),
        [
            (
                row_head("Form", one.form.name),
                cell("File", link(one.path), kind="file"),
                when("Made for", one.at),
                when("Made", one.recorded),
                cell("Finding", one.finding or "none"),
                place(one.form.source),
            )
            for one in forms
        ],
    )


def _checklist(items: Sequence[PackItem]) -> Iterator[Html]:
    yield element("h2", "Checklist")
    yield table(
        "Every item of the paper's checklist as it stood when the pack was made",
        ("No.", "Question", "Answer", "State", "By", "Shown by", "Source"),
        [_item(one) for one in items],
        groups=[_group(one) for one in items],
    )


def _group(item: PackItem) -> str:
    group = item.standing.group
    if group is None:
        return item.standing.item.group
    return f"({group.letter}) {group.title}: {say_window(group.window)}"


def _item(one: PackItem) -> tuple[Html, ...]:
    standing = one.standing
    answered = standing.answered
    cut = " […]" if standing.item.cut_off else ""
    answer = Tick.UNANSWERED if answered is None else answered.answer
    by = (
        []
        if answered is None
        else [
            element("div", answered.by),
            element("div", say_instant(answered.at), class_="quiet"),
            element("div", answered.remark),
        ]
    )
    files = [element("div", element("a", name, href=quote(path))) for name, path in one.files]
    return (
        cell("No.", str(standing.item.number), kind="number"),
        row_head("Question", f"{standing.item.question}{cut}"),
        cell("Answer", answer.value),
        cell("State", standing.progress.value),
        cell("By", *by),
        cell("Shown by", *files),
        place(standing.item.source),
    )


def _overrides(overrides: Sequence[PackOverride]) -> Iterator[Html]:
    yield element("h2", "Rules set aside")
    yield table(
        "What two people agreed to do although a paper forbids it",
        ("Act", "Rule", "Held", "Agreed by", "Let an act through"),
        [_override(one) for one in overrides],
    )


def _override(one: PackOverride) -> tuple[Html, ...]:
    granted, withdrawn = one.standing.granted, one.standing.withdrawn
    override = granted.override
    since = say_instant(override.since) if override.since else "any time"
    ended = (
        f"withdrawn at {say_instant(withdrawn.at)} by {withdrawn.by}: {withdrawn.reason}"
        if withdrawn
        else ""
    )
    rules = [
        part
        for rule in granted.rules
        for part in (element("div", f"“{rule.rule}”"), _quiet(str(rule.source)))
    ]
    return (
        row_head("Act", f"{granted.number}. {override.action}", _quiet(override.reason)),
        cell("Rule", *rules),
        cell("Held", f"from {since} until {say_instant(override.expires)}", _quiet(ended)),
        cell(
            "Agreed by",
            f"{override.by} and {override.second}",
            _quiet(f"recorded at {say_instant(one.recorded)}"),
        ),
        cell("Let an act through", ", ".join(map(say_instant, one.let_through)) or "never"),
    )


def _quiet(text: str) -> Html:
    return element("div", text, class_="source")


def _fallback(fallback: Fallback) -> Iterator[Html]:
    plan, decided = fallback.plan, fallback.decided
    yield element("h2", plan.name)
    if decided is None:
        told = "not decided"
    else:
        told = f"DECIDED at {say_instant(decided.at)}, recorded by {decided.by}: {decided.reason}"
    facts = [
        ("Decision", told),
        ("Decided by", plan.decided_by),
        ("May be decided", say_window(fallback.window)),
        ("To be put in again", f"since {say_bound(plan.window.start, ends=False)}: {plan.reentry}"),
        ("Passwords", plan.credentials),
        ("Source", str(plan.source)),
    ]
    yield element("dl", *(join((element("dt", k), element("dd", v))) for k, v in facts))
    rows: list[tuple[Html, ...]] = []
    for one in plan.standing:
        ticked = fallback.ticked.get(one.id)
        if ticked is None:
            word, who = "not looked at", ""
        else:
            word, who = "stands" if ticked.stands else "MISSING", ticked.by
        rows.append(
            (
                row_head("Thing", one.what, _quiet(f"“{one.rule}”")),
                cell("Found", word, *([element("div", ticked.remark)] if ticked else [])),
                cell("By", who),
                when("Looked at", None if ticked is None else ticked.at),
                place(one.source),
            )
        )
    columns = ("Thing", "Found", "By", "Looked at", "Source")
    yield table("What must still be standing for the way back", columns, rows)


def _happenings(happenings: Sequence[PackHappening]) -> Iterator[Html]:
    yield element("h2", "What happened besides")
    rows: list[tuple[Html, ...]] = []
    for one in happenings:
        rules = [
            part
            for judged in one.judged
            for part in (
                element("div", f"{judged.rule.id}: {judged.applies} ({judged.why})"),
                _quiet(f"“{judged.rule.then}” {judged.rule.source}"),
            )
        ] or [element("div", "the papers state none")]
        rows.append(
            (
                when("When", one.at),
                row_head("What", one.what),
                cell("Told by", one.by, _quiet(f"recorded at {say_instant(one.recorded)}")),
                cell("Contingency rules", *rules),
            )
        )
    yield table(
        "Events that a person entered, judged by the time at which they happened",
        ("When", "What", "Told by", "Contingency rules"),
        rows,
    )


def _notes(notes: Sequence[PackNote]) -> Iterator[Html]:
    yield element("h2", "Noted as done")
    yield table(
        "What else of the agenda a person said was done",
        ("Item", "Done", "By", "When", "Remark"),
        [
            (
                row_head("Item", element("code", one.item)),
                cell("Done", "yes" if one.done else "no, after all"),
                cell("By", one.by),
                when("When", one.at),
                cell("Remark", one.remark),
            )
            for one in notes
        ],
    )
