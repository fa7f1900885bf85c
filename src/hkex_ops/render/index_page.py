"""The page of an index's day: the picture, what happened, and the figures side by side.

One HTML text that asks nothing of the network, runs no script and opens offline. Called by flows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from attrs import frozen

from hkex_ops.index.restatement import Extremes, SideBySide
from hkex_ops.model import IndexTick, TickKind
from hkex_ops.render.chart import CHART_STYLE, ChartEvent, Level, Shade, chart, kind_sign
from hkex_ops.render.html import Html, element
from hkex_ops.render.style import STYLE
from hkex_ops.render.tables import cell, row_head, table, when
from hkex_ops.render.words import say_clock

__all__ = ["MOST_ROWS", "IndexPage", "index_page"]

MOST_ROWS = 1_000
"""Rows that the page lists; the files beside it hold them all."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_KINDS: Mapping[TickKind, str] = {
    TickKind.REAL_TIME: "published in the ordinary course",
    TickKind.CONTINGENCY: "published by the contingency system",
    TickKind.RECALCULATED: "recalculated afterwards, with its highest and lowest value marked",
}


@frozen
class IndexPage:
    """What the page shows of one index. ``notice`` says what the reader must know of the data,
    such as that prices are synthetic."""

    title: str
    index: str
    notice: str
    ticks: tuple[IndexTick, ...]
    rows: tuple[SideBySide, ...] = ()
    extremes: tuple[Extremes, ...] = ()
    shades: tuple[Shade, ...] = ()
    levels: tuple[Level, ...] = ()
    events: tuple[ChartEvent, ...] = ()


def index_page(page: IndexPage) -> str:
    """The whole page. The same values give the same text."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", page.title),
        # Written by us, so nothing in it is to be escaped.
        Html(f"<style>{STYLE}{CHART_STYLE}</style>"),
    )
    body = element("main", *_opening(page), *_picture(page), *_events(page), *_figures(page))
    return f"<!DOCTYPE html>\n{element('html', head, element('body', body), lang='en')}\n"


def _opening(page: IndexPage) -> Iterator[Html]:
    yield element("p", f"Index {page.index}", class_="over")
    yield element("h1", page.title)
    if page.notice:
        yield element("p", page.notice, class_="notice")
    yield element("p", "All times are Hong Kong's; values are index points.", class_="quiet")


def _picture(page: IndexPage) -> Iterator[Html]:
    drawn = chart(
        page.title,
        page.ticks,
        shades=page.shades,
        levels=page.levels,
        events=page.events,
    )
    if drawn is None:
        yield element("p", "There is no value to draw.")
        return
    kinds = [kind for kind in _KINDS if any(tick.kind is kind for tick in page.ticks)]
    legend = [element("li", kind_sign(kind), _KINDS[kind]) for kind in kinds]
    yield element(
        "figure",
        element("div", drawn, class_="scroll"),
        element("figcaption", element("ul", *legend, class_="legend")),
    )


def _events(page: IndexPage) -> Iterator[Html]:
    if not page.events:
        return
    yield element("h2", "What happened")
    yield table(
        "By the numbers in the picture",
        ("No.", "When", "What"),
        [
            (row_head("No.", str(one.number)), when("When", one.at), cell("What", one.text))
            for one in page.events
        ],
    )


def _figures(page: IndexPage) -> Iterator[Html]:
    if page.extremes:
        yield element("h2", "Highest and lowest, recalculated")
        yield table(
            "The first moment at which each was reached",
            ("Index", "High", "At", "Low", "At "),
            [
                (
                    row_head("Index", one.index),
                    _value("High", one.high),
                    when("At", one.high_at),
                    _value("Low", one.low),
                    when("At ", one.low_at),
                )
                for one in page.extremes
            ],
        )
    if page.rows:
        yield from _side_by_side(page.rows)


def _side_by_side(rows: Sequence[SideBySide]) -> Iterator[Html]:
    yield element("h2", "What was shown, and what should have been")
    if len(rows) > MOST_ROWS:
        told = f"The first {MOST_ROWS} of {len(rows)} moments; the data files hold them all."
        yield element("p", told)
    columns = ("Time", "Published", "Contingency", "Recalculated", "Difference")
    yield table(
        "Difference is what was shown less what should have been",
        columns,
        [
            (
                row_head("Time", say_clock(row.at)),
                _value("Published", row.published),
                _value("Contingency", row.contingency),
                _value("Recalculated", row.recalculated),
                _value("Difference", row.difference),
            )
            for row in rows[:MOST_ROWS]
        ],
    )


def _value(column: str, value: Decimal | None) -> Html:
    return cell(column, "" if value is None else f"{value:f}", kind="number")
