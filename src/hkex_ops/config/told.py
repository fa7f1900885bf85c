"""How incident files spell what several tellers tell: sources and figures.

In an incident file a source that is only a place means the paper of the teller whose row it stands
in, so that no row repeats a title. Called by :mod:`hkex_ops.config.shipped`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

from cattrs import Converter

__all__ = ["add_figures", "cite_tellers"]


def add_figures(converter: Converter) -> None:
    """Figures are texts, because a TOML number with a point would be a float."""

    def figure(value: object, _: object) -> Decimal:
        if not isinstance(value, str):
            raise ValueError('must be a text such as "20511.75"')
        try:
            found = Decimal(value)
        except InvalidOperation:
            raise ValueError(f"{value!r} is no number") from None
        if not found.is_finite():
            raise ValueError(f"{value!r} is no number that can be told")
        return found

    converter.register_structure_hook(Decimal, figure)


def cite_tellers(table: Mapping[str, object]) -> dict[str, object]:
    """The document with every bare place completed by its teller's paper.

    What has no teller, or one that is not known, is left as it is: the shape is judged later.
    """
    papers = {
        teller["id"]: teller["paper"]
        for teller in _rows(table.get("tellers"))
        if isinstance(teller.get("id"), str) and isinstance(teller.get("paper"), str)
    }
    return {key: _cited(key, value, papers) for key, value in table.items()}


def _cited(room: str, value: object, papers: Mapping[object, object]) -> object:
    if not isinstance(value, list):
        return value
    rows = cast("list[object]", value)
    by = "id" if room == "tellers" else "teller"
    return [_with_paper(row, by, papers) for row in rows]


def _with_paper(row: object, by: str, papers: Mapping[object, object]) -> object:
    if not isinstance(row, dict):
        return row
    fields = cast("dict[str, object]", row)
    place, teller = fields.get("source"), fields.get(by)
    if not isinstance(place, str) or not isinstance(teller, str) or teller not in papers:
        return fields
    return {**fields, "source": {"circular": papers[teller], "place": place}}


def _rows(value: object) -> list[dict[str, object]]:
    """The tables of a list, or none where it is no list of tables."""
    rows = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("dict[str, object]", row) for row in rows if isinstance(row, dict)]
