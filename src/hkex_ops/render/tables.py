"""Tables of a summary: every cell knows its column's name, for a narrow screen and a reader's ear.

Roles are spelt out, because a table whose rows are shown as cards is otherwise no table any more
to a screen reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hkex_ops.model import HONG_KONG, Source
from hkex_ops.render.html import Html, element
from hkex_ops.render.words import say_clock

__all__ = ["cell", "place", "row_head", "table", "when"]


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Html]],
    *,
    groups: Sequence[str] = (),
    kind: str | None = None,
) -> Html:
    """A table; ``groups`` names the group of each row, and a new group gets a heading row."""
    body: list[Html] = []
    for n, row in enumerate(rows):
        if groups and (not n or groups[n] != groups[n - 1]):
            title = element(
                "th", groups[n], scope="rowgroup", role="rowheader", colspan=len(columns)
            )
            body.append(element("tr", title, role="row", class_="group"))
        body.append(element("tr", *row, role="row"))
    heads = [element("th", name, scope="col", role="columnheader") for name in columns]
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *heads, role="row"), role="rowgroup"),
        element("tbody", *body, role="rowgroup"),
        role="table",
        class_=kind,
    )


def cell(column: str, *content: str, kind: str | None = None) -> Html:
    """One value under ``column``."""
    shown = [part for part in content if part]
    return element("td", *shown, role="cell", data_label=column if shown else None, class_=kind)


def row_head(column: str, *content: str) -> Html:
    """The value that names its row."""
    return element("th", *content, scope="row", role="rowheader", data_label=column)


def when(column: str, at: datetime | None) -> Html:
    """An instant; nothing where there was none."""
    if at is None:
        return cell(column, "")
    local = at.astimezone(HONG_KONG)
    shown = f"{local:%a} {local.date().isoformat()} {say_clock(local)}"
    return cell(column, element("time", shown, datetime=at.isoformat()), kind="when")


def place(source: Source | None) -> Html:
    """Circular and place that state a fact."""
    return cell("Source", str(source) if source else "", kind="source")
