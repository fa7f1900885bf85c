"""Two tellers' accounts of one event laid side by side, and everything in which they differ.

Rows are aligned; the turning points that both tell of are compared beside that, because a paper may
give a time in a sentence that its chronology does not. Nothing is decided. Knows no file.
"""

from __future__ import annotations

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.incidents.accounts import Disagreement, accounts_of, agree, chronology_of
from hkex_ops.incidents.alignment import AlignedRow, align
from hkex_ops.incidents.chronology import rows_of_log
from hkex_ops.incidents.entries import IncidentState
from hkex_ops.incidents.stated_times import say_told
from hkex_ops.incidents.view import IncidentView
from hkex_ops.model import (
    Account,
    ChronologyRow,
    Incident,
    IncidentMoment,
    MomentKind,
    Source,
)

__all__ = ["Comparison", "Side", "compare", "side_of_log", "side_of_papers"]

_KINDS = {
    IncidentState.DETECTED: MomentKind.DETECTED,
    IncidentState.CONTINGENCY: MomentKind.CONTINGENCY,
    IncidentState.RECOVERED: MomentKind.RECOVERED,
    IncidentState.RESUMED: MomentKind.RESUMED,
}


@frozen
class Side:
    """One account of an event: rows, and the times it gives for turning points."""

    name: str
    rows: tuple[ChronologyRow, ...]
    moments: tuple[tuple[IncidentMoment, tuple[Account, ...]], ...] = ()


@frozen
class Comparison:
    """Two sides aligned; ``moments`` are the turning points to which they give other times."""

    left: Side
    right: Side
    rows: tuple[AlignedRow, ...]
    moments: tuple[Disagreement, ...]

    @property
    def differing(self) -> tuple[AlignedRow, ...]:
        """The pairs of rows that have no instant in common."""
        return tuple(one for one in self.rows if one.differs)


def compare(left: Side, right: Side) -> Comparison:
    """Both sides, row by row and moment by moment."""
    others = {moment.id: accounts for moment, accounts in right.moments}
    found: list[Disagreement] = []
    for moment, accounts in left.moments:
        theirs = others.get(moment.id, ())
        if any(not agree(one, other) for one in accounts for other in theirs):
            found.append(Disagreement(moment, (*accounts, *theirs)))
    return Comparison(left, right, align(left.rows, right.rows), tuple(found))


def side_of_papers(incident: Incident, teller: str | None = None) -> Side:
    """What the papers tell, or one teller of them; `UsageError` for a teller they do not have."""
    tellers = [one.id for one in incident.tellers]
    id = None if teller is None else teller.casefold()
    if id is not None and id not in tellers:
        known = ", ".join(tellers)
        raise UsageError(f"{incident.id} has no teller {teller!r}; known: {known}")
    name = incident.id if id is None else f"{incident.id}:{id}"
    moments = (
        (moment, tuple(one for one in accounts_of(incident, moment.id) if id in (None, one.teller)))
        for moment in incident.moments
    )
    return Side(name, chronology_of(incident, id), tuple(one for one in moments if one[1]))


def side_of_log(view: IncidentView, teller: str | None = None) -> Side:
    """What a log tells, or one teller in it; `UsageError` for one who enters nothing there."""
    tellers = sorted({one.teller for one in view.standing})
    found = {one.casefold(): one for one in tellers}
    if teller is not None and teller.casefold() not in found:
        known = ", ".join(tellers)
        raise UsageError(f"incident {view.id} has no teller {teller!r}; known: {known}")
    id = None if teller is None else found[teller.casefold()]
    standing = {one.number: one for one in view.standing}
    moments: list[tuple[IncidentMoment, tuple[Account, ...]]] = []
    for state, kind in _KINDS.items():
        first = view.first(state)
        if first is None or id not in (None, standing[first.number].teller):
            continue
        account = Account(
            state.value,
            standing[first.number].teller,
            first.when.at,
            say_told(first.when, view.business_date),
            Source(f"incident {view.id}", f"entry {first.number}"),
            first.when.until,
        )
        moments.append((IncidentMoment(state.value, kind, state.value), (account,)))
    name = view.id if id is None else f"{view.id}:{id}"
    return Side(name, rows_of_log(view, id), tuple(moments))
