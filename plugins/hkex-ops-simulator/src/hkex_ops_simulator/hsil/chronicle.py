"""The chronology of a rehearsal: written as it happens, then laid beside the official ones.

It is written into an incident's log, by the machine that a desk's own incidents are written by. A
row says what was rehearsed at its moment; the official rows are the papers' own. Where the two, or
two papers, give other times, both stay. Called by the second act of the rehearsal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from textwrap import fill

from attrs import define, field

from hkex_ops.incidents import (
    INCIDENT_TRANSITIONS,
    AlignedRow,
    BeginContingency,
    Content,
    Given,
    IncidentLog,
    Note,
    OpenIncident,
    Recover,
    Resume,
    TimeTold,
    align,
    chronology_of,
)
from hkex_ops.model import (
    HONG_KONG,
    ChronologyRow,
    Incident,
    Json,
    JsonObject,
    Severity,
    Source,
)

__all__ = ["OFFICIAL", "Chronicle"]

# The tellers with a chronology of their own.
OFFICIAL = ("hsil", "hkex")

_TELLER = "rehearsal"
_WIDTH = 100
_PAPER = "hkex-ops rehearse hsil-2010, act 2"
_TITLE = "Suspension of dissemination of the Hang Seng family of indexes (rehearsal, SYNTHETIC)"
_MOVES: Mapping[str, BeginContingency | Recover | Resume] = {
    "contingency": BeginContingency(),
    "recovery-held": Recover(),
    "resumption": Resume(),
}


@define
class Chronicle:
    """What happened in a rehearsal, row by row."""

    log: IncidentLog = field(factory=lambda: IncidentLog("rehearsal"), init=False)
    _steps: list[str] = field(factory=list[str], init=False)

    def write(self, now: datetime, step: str, text: str) -> None:
        """Something happened at ``now``, in the step with that id."""
        # What is worked out later of an earlier moment is written down late.
        recorded = max([now, *(one.recorded for one in self.log.entries[-1:])])
        given = Given(self._what(now, step), _TELLER, TimeTold.exactly(now), text, _TELLER)
        self.log.handle(given, recorded)
        self._steps.append(step)

    @property
    def rows(self) -> list[ChronologyRow]:
        """Every row, as it was written."""
        return [
            ChronologyRow(
                f"rehearsal-{entry.number}",
                _TELLER,
                entry.given.when.at,
                f"{entry.given.when.at.at:%H:%M:%S}",
                (entry.given.text,),
                Source(_PAPER, step),
            )
            for entry, step in zip(self.log.entries, self._steps, strict=True)
            if entry.given.when is not None
        ]

    def _what(self, now: datetime, step: str) -> Content:
        """A step is a state of the incident where the table lets it be one, and a note else."""
        if not self.log.entries:
            return OpenIncident(_TITLE, Severity.MAJOR, now.astimezone(HONG_KONG).date())
        move = _MOVES.get(step)
        if move is not None and (self.log.view.state, type(move)) in INCIDENT_TRANSITIONS:
            return move
        return Note()

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
