"""The signs of outcomes: each a shape of its own with a sign in it, so colour never decides alone.

Drawn once here for the timeline and for the tables.
"""

from __future__ import annotations

from collections.abc import Mapping

from hkex_ops.render.html import Html, element
from hkex_ops.render.pack import Outcome

__all__ = ["MARK_SIZE", "mark", "mark_icon"]

MARK_SIZE = 18
"""Width and height of a mark, in units of the drawing."""

# The outline and the sign in it, on a square of 18 by 18.
_OUTLINES: Mapping[Outcome, str] = {
    Outcome.PASSED: "M9 1a8 8 0 1 0 0 16a8 8 0 1 0 0-16z",
    Outcome.FAILED: "M1.5 1.5h15v15h-15z",
    Outcome.UNKNOWN: "M9 .8L17.6 16.8H.4z",
    Outcome.SKIPPED: "M9 1a8 8 0 1 0 0 16a8 8 0 1 0 0-16z",
    Outcome.REFUSED: "M5.7 1h6.6L17 5.7v6.6L12.3 17H5.7L1 12.3V5.7z",
    Outcome.UNAVAILABLE: "M1 5h16v8H1z",
    Outcome.ABANDONED: "M9 .6L17.4 9L9 17.4L.6 9z",
    Outcome.NOT_DONE: "M1.5 1.5h15v15h-15z",
}
_SIGNS: Mapping[Outcome, str] = {
    Outcome.PASSED: "M5 9.4l2.8 2.8L13.2 6.4",
    Outcome.FAILED: "M5.4 5.4l7.2 7.2M12.6 5.4l-7.2 7.2",
    Outcome.UNKNOWN: "M9 6.6v4.6M9 13.4v1",
    Outcome.SKIPPED: "M4.8 6l3.4 3l-3.4 3M9.4 6l3.4 3l-3.4 3",
    Outcome.REFUSED: "M4.8 9h8.4",
    Outcome.UNAVAILABLE: "M6 11.2l6 -4.4",
    Outcome.ABANDONED: "M6 9h6M9 6v6",
    Outcome.NOT_DONE: "",
}


def mark(outcome: Outcome, x: int, y: int, label: str | None = None) -> Html:
    """The mark inside a drawing, its upper left corner at (``x``, ``y``)."""
    kind = outcome.value.replace(" ", "-")
    return element(
        "g",
        *([element("title", label)] if label else []),
        element("path", class_="outline", d=_OUTLINES[outcome]),
        element("path", class_="sign", d=_SIGNS[outcome]),
        class_=f"mark {kind}",
        transform=f"translate({x} {y})",
    )


def mark_icon(outcome: Outcome) -> Html:
    """The mark as a small drawing of its own, which says nothing that the word beside it does
    not."""
    return element(
        "svg",
        mark(outcome, 0, 0),
        class_="icon",
        viewBox=f"0 0 {MARK_SIZE} {MARK_SIZE}",
        width=MARK_SIZE,
        height=MARK_SIZE,
        aria_hidden="true",
        focusable="false",
    )
