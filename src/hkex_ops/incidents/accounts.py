"""What the tellers of an incident say of one moment, and where they cannot all be right.

Nothing is decided: a disagreement is shown with every account of the moment, each with its source.
Called by whoever shows an incident; knows no file and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations

from attrs import frozen

from hkex_ops.model import Account, Bound, ChronologyRow, Incident, IncidentMoment

__all__ = ["Disagreement", "accounts_of", "agree", "chronology_of", "disagreements", "in_time"]

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


@frozen
class Disagreement:
    """A moment for which two accounts give times that have no instant in common."""

    moment: IncidentMoment
    accounts: tuple[Account, ...]


def accounts_of(incident: Incident, moment: str) -> tuple[Account, ...]:
    """Every account of the moment with that id, in the order of the tellers."""
    order = [teller.id for teller in incident.tellers]
    told = [one for one in incident.accounts if one.moment == moment]
    return tuple(sorted(told, key=lambda one: order.index(one.teller)))


def disagreements(incident: Incident) -> tuple[Disagreement, ...]:
    """The moments whose accounts differ, whether of two tellers or of one in two places.

    "Around 10:33" and 10:32:45 differ: about is a teller's word, and how far it reaches is not
    said. A span agrees with every time inside it.
    """
    found: list[Disagreement] = []
    for moment in incident.moments:
        told = accounts_of(incident, moment.id)
        if any(not agree(one, other) for one, other in combinations(told, 2)):
            found.append(Disagreement(moment, told))
    return tuple(found)


def chronology_of(incident: Incident, teller: str | None = None) -> tuple[ChronologyRow, ...]:
    """The rows of one teller, or of all, :func:`in_time`."""
    return in_time(row for row in incident.chronology if teller in (None, row.teller))


def in_time(rows: Iterable[ChronologyRow]) -> tuple[ChronologyRow, ...]:
    """``rows`` by the time they begin; equal times stay as they are, and a row without a known
    beginning comes last."""
    return tuple(sorted(rows, key=lambda row: row.at.at or _LATEST))


def agree(one: Account, other: Account) -> bool:
    """Whether two accounts of a moment have an instant in common."""
    (begins, ends), (starts, stops) = _span(one), _span(other)
    return begins <= stops and starts <= ends


def _span(told: Account) -> tuple[datetime, datetime]:
    begins = told.at.at or _EARLIEST
    until: Bound = told.at if told.until is None else told.until
    return begins, until.at or _LATEST
