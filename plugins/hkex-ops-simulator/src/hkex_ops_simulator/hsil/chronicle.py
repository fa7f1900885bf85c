"""The chronology of a rehearsal: written as it happens, then laid beside the official ones.

A row says what was rehearsed at its moment; the official rows are the papers' own. Where the two,
or two papers, give other times, both stay. Called by the second act of the rehearsal.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from textwrap import fill

from attrs import define, field

from hkex_ops.incidents.accounts import chronology_of
from hkex_ops.incidents.alignment import AlignedRow, align
from hkex_ops.model import Bound, ChronologyRow, Incident, Json, JsonObject, Source

__all__ = ["OFFICIAL", "Chronicle"]

# The tellers with a chronology of their own.
OFFICIAL = ("hsil", "hkex")

_TELLER = "rehearsal"
_WIDTH = 100
_PAPER = "hkex-ops rehearse hsil-2010, act 2"


@define
class Chronicle:
    """What happened in a rehearsal, row by row."""

    rows: list[ChronologyRow] = field(factory=list[ChronologyRow], init=False)

    def write(self, now: datetime, step: str, text: str) -> None:
        """Something happened at ``now``, in the step with that id."""
        number = len(self.rows) + 1
        source = Source(_PAPER, step)
        row = ChronologyRow(
            f"rehearsal-{number}", _TELLER, Bound(now), f"{now:%H:%M:%S}", (text,), source
        )
        self.rows.append(row)

    def when(self, step: str) -> str:
        """The time of day of the first row of a step; empty where there is none."""
        return next((row.stated for row in self.rows if row.source.place == step), "")

    def beside(self, incident: Incident, teller: str) -> tuple[AlignedRow, ...]:
        """The rehearsal on the left, ``teller`` of the papers on the right."""
        return align(self.rows, chronology_of(incident, teller))

    def document(self, incident: Incident) -> JsonObject:
        """Rows and comparisons, for programs."""
        compared: dict[str, Json] = {
            teller: [_compared(row) for row in self.beside(incident, teller)] for teller in OFFICIAL
        }
        return {"rehearsal": [_row(row) for row in self.rows], "compared": compared}

    def text(self, incident: Incident) -> str:
        """The same to be read."""
        lines = ["Chronology of the rehearsal beside the official ones; prices are SYNTHETIC", ""]
        for teller in OFFICIAL:
            [name] = [one.name for one in incident.tellers if one.id == teller]
            lines += [f"== {name}", ""]
            for row in self.beside(incident, teller):
                lines += [*_lines(row, teller), ""]
        return "\n".join(lines)


def _row(row: ChronologyRow) -> JsonObject:
    return {
        "at": None if row.at.at is None else row.at.at.isoformat(),
        "stated": row.stated,
        "events": list(row.events),
        "source": str(row.source),
    }


def _compared(row: AlignedRow) -> JsonObject:
    return {
        "rehearsal": None if row.left is None else _row(row.left),
        "official": None if row.right is None else _row(row.right),
        "apart_s": None if row.apart is None else int(row.apart.total_seconds()),
        "differs": row.differs,
    }


def _lines(row: AlignedRow, teller: str) -> Iterator[str]:
    for side, name in ((row.left, _TELLER), (row.right, teller)):
        if side is not None:
            lead = f"{side.stated:<18} {name:<10} "
            yield fill(f"{lead}{' '.join(side.events)}", _WIDTH, subsequent_indent=" " * len(lead))
    if row.differs:
        yield f"{'':<18} the times differ; both are kept"
