"""The page on which an auditor sees what an evidence pack proves, without this software.

One HTML text made from the pack's own contents: it asks nothing of the network, runs no script
and opens from the folder it lies in. What stands in it is in the pack's files too; it is there to
be read, and they are there to be checked. Called by the flow that closes a pack.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from hkex_ops.render.html import Html, element, join
from hkex_ops.render.marks import mark_icon
from hkex_ops.render.pack import Outcome, Pack, PackStep
from hkex_ops.render.paperwork import paper_sections
from hkex_ops.render.proof import files_section, listings_section, verifying_section
from hkex_ops.render.style import STYLE
from hkex_ops.render.tables import cell, place, row_head, table, when
from hkex_ops.render.timeline import MOST_DAYS, NumberedStep, days_of, timeline
from hkex_ops.render.words import say_bound, say_instant, say_window
from hkex_ops.rundown import Verdict

__all__ = ["summary"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def summary(pack: Pack) -> str:
    """The whole page. The same pack gives the same text."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Evidence: {pack.rollout.title}"),
        # Written by us, so nothing in it is to be escaped.
        Html(f"<style>{STYLE}</style>"),
    )
    numbered = _numbered(pack.steps)
    body = element(
        "main",
        *_opening(pack),
        *_timeline_section(pack, numbered),
        *_steps_section(pack),
        *paper_sections(pack),
        *_rules_section(pack),
        *listings_section(pack),
        *files_section(pack),
        *verifying_section(pack),
    )
    page = element("html", head, element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


# -- what, and whether it passed -------------------------------------------------------------------


def _opening(pack: Pack) -> Iterator[Html]:
    yield element("p", "Evidence pack", class_="over")
    yield element("h1", pack.rollout.title)
    if pack.rollout.summary:
        yield element("p", pack.rollout.summary)
    info = dict(pack.info)
    if notice := info.get("External-Description"):
        yield element("p", notice, class_="notice")
    yield _verdict(pack)
    yield from _wanting(pack.steps)
    done = sorted(step.at for step in pack.steps if step.at is not None)
    facts = [
        ("Rollout", pack.rollout.id),
        ("Worked", f"{say_instant(done[0])} to {say_instant(done[-1])}" if done else "nothing"),
        ("Written by", info.get("Bag-Software-Agent", "")),
        ("For", info.get("Source-Organization", "")),
        ("Events", f"{pack.head.sequence}, chained"),
    ]
    yield element("dl", *(join((element("dt", k), element("dd", v))) for k, v in facts if v))
    yield element("p", "All times are Hong Kong's.", class_="quiet")
    yield element("h2", "The papers")
    yield table(
        "The circulars that say what had to be done",
        ("Reference", "Title", "Issuer", "Issued"),
        [
            (
                row_head("Reference", one.reference or "none stated"),
                cell("Title", one.title),
                cell("Issuer", one.issuer),
                cell("Issued", str(one.issued or one.issued_stated or "not stated"), kind="when"),
            )
            for one in pack.rollout.circulars
        ],
    )


_SIGNS: Mapping[Verdict, Outcome] = {
    Verdict.PASSED: Outcome.PASSED,
    Verdict.PARTIAL: Outcome.SKIPPED,
    Verdict.WAITING: Outcome.NOT_DONE,
    Verdict.INTERRUPTED: Outcome.REFUSED,
    Verdict.ABORTED: Outcome.ABANDONED,
    Verdict.FAILED: Outcome.FAILED,
}
_MEANINGS: Mapping[Verdict, str] = {
    Verdict.PASSED: "",
    Verdict.PARTIAL: "nothing went wrong, and steps were left out with a reason",
    Verdict.WAITING: "not all of it is concluded: this shows how far it came",
    Verdict.INTERRUPTED: "it was ended from outside before its end: this shows how far it came",
    Verdict.ABORTED: "somebody ended it before its end",
    Verdict.FAILED: "",
}


def _verdict(pack: Pack) -> Html:
    sign = _SIGNS[pack.verdict]
    counts = Counter(step.outcome for step in pack.steps)
    others = [
        f"{counts[one]} {one}" for one in Outcome if counts[one] and one is not Outcome.PASSED
    ]
    told = f"{counts[Outcome.PASSED]} of {len(pack.steps)} entries of the rundown passed"
    meaning = [one] if (one := _MEANINGS[pack.verdict]) else []
    return element(
        "div",
        mark_icon(sign),
        element(
            "div",
            element("strong", pack.verdict.value.upper()),
            element("span", "; ".join([told, *others, *meaning])),
        ),
        class_=f"verdict {sign.value.replace(' ', '-')}",
    )


def _wanting(steps: Sequence[PackStep]) -> Iterator[Html]:
    """What did not pass, before anything else is told."""
    rows = [
        element(
            "li",
            _outcome(step.outcome),
            f" No. {number}, {step.id} ({step.session})",
            f": {step.found}" if step.found else "",
        )
        for number, step in enumerate(steps, start=1)
        if step.outcome is not Outcome.PASSED
    ]
    if rows:
        yield element("ul", *rows, class_="wanting")


# -- when ------------------------------------------------------------------------------------------


def _numbered(steps: Sequence[PackStep]) -> list[NumberedStep]:
    done = [
        NumberedStep(number, step, step.at)
        for number, step in enumerate(steps, start=1)
        if step.at is not None
    ]
    return sorted(done, key=lambda one: (one.at, one.number))


def _timeline_section(pack: Pack, numbered: Sequence[NumberedStep]) -> Iterator[Html]:
    yield element("h2", "Timeline")
    drawing = timeline(pack.rollout.sessions, numbered)
    if drawing is not None:
        shown = [one for one in Outcome if any(step.outcome is one for step in pack.steps)]
        legend = [element("li", _outcome(one)) for one in shown]
        told = (
            "Bars are sessions, to scale. Each mark is a step, at the minute it ended, with its "
            "number in the rundown."
        )
        if (left_out := len(days_of(pack.rollout.sessions, numbered)) - MOST_DAYS) > 0:
            told += f" The last {left_out} days are not drawn; the tables hold them."
        yield element(
            "figure",
            element(
                "div",
                drawing,
                class_="scroll",
                tabindex=0,
                role="region",
                aria_label="Timeline, scrolls sideways",
            ),
            element("figcaption", told, element("ul", *legend, class_="legend")),
        )
    yield table(
        "Sessions and periods",
        ("Name", "When", "Site", "Grade", "Source"),
        [
            *(
                (
                    row_head("Name", one.name),
                    cell("When", say_window(one.window)),
                    cell("Site", one.site_label or (one.site.value if one.site else "")),
                    cell("Grade", one.grade.value),
                    place(one.source),
                )
                for one in pack.rollout.sessions
            ),
            *(
                (
                    row_head("Name", one.name),
                    cell("When", say_window(one.window)),
                    cell("Site", ""),
                    cell("Grade", ""),
                    place(one.source),
                )
                for one in pack.rollout.phases
            ),
        ],
    )


# -- what was done ---------------------------------------------------------------------------------


def _outcome(outcome: Outcome) -> Html:
    kind = outcome.value.replace(" ", "-")
    return element("span", mark_icon(outcome), outcome.value, class_=f"outcome {kind}")


def _steps_section(pack: Pack) -> Iterator[Html]:
    rollout, steps = pack.rollout, pack.steps
    names = {one.id: one.name for one in rollout.phases}
    names |= {one.id: one.name for one in rollout.sessions}
    yield element("h2", "Rundown")
    yield table(
        "Every step in the order it was worked, under its session",
        ("No.", "Ended", "Step", "Outcome", "Found", "Source"),
        [_step(number, step) for number, step in enumerate(steps, start=1)],
        groups=[step.group or names.get(step.session, _spaced(step.session)) for step in steps],
        kind="steps",
    )


def _spaced(id: str) -> str:
    return id.replace("-", " ").capitalize()


def _step(number: int, step: PackStep) -> tuple[Html, ...]:
    by = [element("div", f"by {step.by}", class_="quiet")] if step.by else []
    return (
        cell("No.", str(number), kind="number"),
        when("Ended", step.at),
        row_head("Step", step.id, element("div", step.text, class_="source")),
        cell("Outcome", _outcome(step.outcome)),
        cell("Found", step.found, *by),
        place(step.source),
    )


# -- what was forbidden and demanded ---------------------------------------------------------------


def _rules_section(pack: Pack) -> Iterator[Html]:
    rollout = pack.rollout
    rows = [
        (
            cell("Kind", one.effect.value.replace("_", " ")),
            row_head("Rule", f"“{one.rule}”"),
            cell("Concerns", one.action),
            cell("Holds", say_window(one.window)),
            place(one.source),
        )
        for one in rollout.restrictions
    ]
    rows += [
        (
            cell("Kind", one.grade.value),
            row_head("Rule", f"“{one.rule}”"),
            cell("Concerns", f"{one.what} ({one.recurrence.value.replace('-', ' ')})"),
            cell("Holds", say_window(one.window)),
            place(one.source),
        )
        for one in rollout.requirements
    ]
    rows += [
        (
            cell("Kind", "to be kept"),
            row_head("Rule", f"“{one.rule}”"),
            cell("Concerns", one.what),
            cell("Holds", say_window(one.window)),
            place(one.source),
        )
        for one in rollout.retentions
    ]
    rows += [
        (
            cell("Kind", "to be returned"),
            row_head("Rule", one.name),
            cell("Concerns", f"{one.appendix}, by {one.channel} to {one.address}"),
            cell("Holds", f"by {say_bound(one.due, ends=True)}" if one.due else ""),
            place(one.source),
        )
        for one in rollout.forms
    ]
    if rows:
        yield element("h2", "Restrictions and obligations")
        yield table(
            "What the papers forbid and demand, in their words",
            ("Kind", "Rule", "Concerns", "Holds", "Source"),
            rows,
            kind="rules",
        )
