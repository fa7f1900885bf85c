"""A report of an incident as one HTML page that opens without a network and runs no script.

Called by whoever writes a report; :mod:`hkex_ops.render.incident_parts` says what stands in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from hkex_ops.incidents import IncidentReport, IncidentState
from hkex_ops.render.html import Html, element, join
from hkex_ops.render.incident_drawing import (
    DRAWN_WIDTH,
    Bar,
    Letters,
    Rule,
    TimelineDrawing,
    draw_incident,
)
from hkex_ops.render.incident_parts import (
    Block,
    Drawing,
    Facts,
    Grid,
    Points,
    Section,
    Words,
    facts_of,
    sections_of,
)
from hkex_ops.render.marks import mark_icon
from hkex_ops.render.pack import Outcome
from hkex_ops.render.style import STYLE
from hkex_ops.render.tables import cell, row_head, table

__all__ = ["incident_page", "incident_style"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

# What a report has and an evidence pack has not.
_STYLE = """
.notice h2{margin:.2rem 0 .4rem;padding:0;border:0;color:var(--unknown)}
.points{margin:.3rem 0 1rem;padding-left:1.3rem}
.lines div+div{margin-top:.25rem}
svg.timeline .entry{fill:var(--band)}
svg.timeline .state-detected{fill:var(--failed-bar);stroke:var(--failed)}
svg.timeline .state-contingency,svg.timeline .state-recovered{fill:var(--unknown-bar);\
stroke:var(--unknown)}
svg.timeline .state-resumed{fill:var(--passed-bar);stroke:var(--passed)}
svg.timeline .state-closed{fill:var(--band);stroke:var(--quiet)}
svg.timeline .inside{fill:var(--ink)}
"""
_BARS_LIGHT = "--failed-bar:#fbe3e1;--unknown-bar:#f8e9cd;--passed-bar:#d9efe2;"
_BARS_DARK = "--failed-bar:#4a1f1c;--unknown-bar:#4a3712;--passed-bar:#173d28;"

# Columns whose values are not broken over lines where there is room.
_KINDS = {"Time": "when", "Since": "when"}

_SIGNS = {
    IncidentState.DETECTED: Outcome.FAILED,
    IncidentState.CONTINGENCY: Outcome.UNKNOWN,
    IncidentState.RECOVERED: Outcome.UNKNOWN,
    IncidentState.RESUMED: Outcome.PASSED,
    IncidentState.CLOSED: Outcome.SKIPPED,
}


def incident_page(report: IncidentReport) -> str:
    """The whole page. The same report gives the same text."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{report.form.name}: {report.view.title}"),
        # Written by us, so nothing in it is to be escaped.
        Html(f"<style>{incident_style()}</style>"),
    )
    drawing = draw_incident(report)
    body = element(
        "main",
        *_opening(report),
        *(part for section in sections_of(report) for part in _section(section, drawing)),
        *_closing(report),
    )
    page = element("html", head, element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def incident_style() -> str:
    """The style sheet of the page: that of all pages, and what only a report has."""
    return (
        STYLE
        + f":root{{{_BARS_LIGHT}}}"
        + f"@media (prefers-color-scheme:dark){{:root{{{_BARS_DARK}}}}}"
        + f"@media print{{:root{{{_BARS_LIGHT}}}}}"
        + _STYLE
    )


def _opening(report: IncidentReport) -> Iterator[Html]:
    view = report.view
    yield element("p", f"{report.form.name}, {report.stage}", class_="over")
    yield element("h1", view.title)
    sign = _SIGNS[view.state]
    told = f"{view.severity} incident, {len(view.moments)} moments told"
    yield element(
        "div",
        mark_icon(sign),
        element("div", element("strong", view.state.value.upper()), element("span", told)),
        class_=f"verdict {sign.value.replace(' ', '-')}",
    )
    yield _facts(facts_of(report))
    yield element("p", "All times are Hong Kong's.", class_="quiet")
    if report.missing:
        items = [element("li", one) for one in report.missing]
        yield element(
            "section",
            element("h2", "What is missing", id="missing"),
            element("ul", *items, class_="points"),
            class_="notice",
            aria_labelledby="missing",
        )


def _closing(report: IncidentReport) -> Iterator[Html]:
    if report.form.source:
        yield element("p", f"In the form of {report.form.source}.", class_="quiet")


def _section(section: Section, drawing: TimelineDrawing | None) -> Iterator[Html]:
    yield element(f"h{section.level}", section.heading)
    for block in section.blocks:
        yield from _block(block, drawing)


def _block(block: Block, drawing: TimelineDrawing | None) -> Iterator[Html]:
    match block:
        case Words(lines, quiet):
            for line in lines:
                yield element("p", line, class_="quiet" if quiet else None)
        case Points(title, items):
            yield element("p", element("strong", title))
            yield element("ul", *(element("li", item) for item in items), class_="points")
        case Facts():
            yield _facts(block)
        case Grid():
            yield _grid(block)
        case Drawing():
            if drawing is not None:
                yield _figure(drawing)


def _facts(facts: Facts) -> Html:
    return element(
        "dl", *(join((element("dt", name), element("dd", said))) for name, said in facts.pairs)
    )


def _grid(grid: Grid) -> Html:
    rows = [
        tuple(
            row_head(name, *_lines(said))
            if place == grid.head
            else cell(name, *_lines(said), kind=_KINDS.get(name))
            for place, (name, said) in enumerate(zip(grid.columns, row, strict=True))
        )
        for row in grid.rows
    ]
    return table(grid.caption, grid.columns, rows)


def _lines(said: str) -> tuple[str, ...]:
    lines = [line for line in said.split("\n") if line]
    if len(lines) < 2:
        return tuple(lines)
    return (element("div", *(element("div", line) for line in lines), class_="lines"),)


def _figure(drawing: TimelineDrawing) -> Html:
    told = (
        "A bar is a state, from its moment to the next one's; a broken outline is about then. "
        "Below stand entries, with their numbers, at the time they tell of."
    )
    if drawing.left_out:
        plural = "entry is" if drawing.left_out == 1 else "entries are"
        told += f" {drawing.left_out} more {plural} not drawn; the chronology has them."
    return element(
        "figure",
        element(
            "div",
            _svg(drawing),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label="Timeline, scrolls sideways",
        ),
        element("figcaption", told),
    )


def _svg(drawing: TimelineDrawing) -> Html:
    return element(
        "svg",
        element("title", "Timeline of the incident", id="timeline-title"),
        element("desc", drawing.told, id="timeline-desc"),
        *(_mark(one) for one in drawing.marks),
        viewBox=f"0 0 {DRAWN_WIDTH} {drawing.height}",
        role="img",
        aria_labelledby="timeline-title timeline-desc",
        class_="timeline",
    )


def _mark(one: Rule | Bar | Letters) -> Html:
    match one:
        case Rule(x1, y1, x2, y2, kind):
            return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)
        case Bar(x, y, width, height, kind, rough, title):
            return element(
                "rect",
                *([element("title", title)] if title else []),
                x=x,
                y=y,
                width=width,
                height=height,
                rx=3,
                class_=f"{kind} rough" if rough else kind,
            )
        case Letters(x, y, text, kind, anchor):
            return element(
                "text",
                text,
                x=x,
                y=y,
                class_=kind,
                text_anchor=None if anchor == "start" else anchor,
            )
