"""A report of an incident as Markdown, to be read as it stands and to go on working with.

Every word that somebody entered is shown as it is: what would be a sign of Markdown is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hkex_ops.incidents import IncidentReport
from hkex_ops.render.html import visible
from hkex_ops.render.incident_parts import (
    Block,
    Drawing,
    Facts,
    Grid,
    Points,
    Words,
    facts_of,
    sections_of,
)

__all__ = ["incident_markdown"]

_SIGN = re.compile(r"[\\`*_\[\]<>|#~]")
_LIST = re.compile(r"^(\s*)([-+]|\d+[.)])(?=\s)")


def incident_markdown(report: IncidentReport) -> str:
    """The whole text. The same report gives the same text."""
    lines = [f"# {_plain(report.view.title)}", ""]
    lines += [f"{_plain(report.form.name)}, {report.stage}. All times are Hong Kong's.", ""]
    lines += [*_block(facts_of(report)), ""]
    if report.missing:
        lines += ["## What is missing", ""]
        lines += [*(f"- {_plain(one)}" for one in report.missing), ""]
    for section in sections_of(report):
        lines += [f"{'#' * section.level} {_heading(section.heading)}", ""]
        for block in section.blocks:
            made = list(_block(block))
            lines += [*made, ""] if made else []
    if report.form.source:
        lines += [f"In the form of {_plain(report.form.source)}.", ""]
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Words(lines):
            for place, line in enumerate(lines):
                yield from ([""] if place else [])
                yield _plain(line)
        case Points(title, items):
            yield f"{_plain(title)}:"
            yield ""
            yield from (f"- {_plain(item)}" for item in items)
        case Facts(pairs):
            yield from (f"- **{_plain(name)}:** {_plain(said)}" for name, said in pairs)
        case Grid(caption, columns, rows):
            yield f"{_plain(caption)}:"
            yield ""
            yield f"| {' | '.join(columns)} |"
            yield f"|{'|'.join('---' for _ in columns)}|"
            for row in rows:
                yield f"| {' | '.join(_cell(said) for said in row)} |"
        case Drawing():
            return


def _plain(text: str) -> str:
    """Text in which nothing is a sign of Markdown."""
    one_line = " ".join(visible(text).split("\n"))
    return _LIST.sub(r"\1\\\2", _SIGN.sub(r"\\\g<0>", one_line))


def _heading(text: str) -> str:
    return _SIGN.sub(r"\\\g<0>", visible(text))


def _cell(said: str) -> str:
    return "<br>".join(_plain(line) for line in said.split("\n") if line)
