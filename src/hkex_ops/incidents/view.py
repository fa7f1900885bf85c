"""What holds of an incident now, read from its entries: corrections applied, nothing forgotten.

Every entry is there once, in the order in which it was written, with the corrections that speak of
it; a withdrawn one is shown and counts no more. Called by the machine, by reports and by screens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from types import MappingProxyType

from attrs import evolve, frozen

from hkex_ops.incidents.entries import (
    Act,
    Assess,
    BeginContingency,
    Close,
    Conclude,
    Content,
    Correct,
    Enquire,
    IncidentState,
    LogEntry,
    Measure,
    OpenIncident,
    Recover,
    Reopen,
    Resume,
    TimeTold,
)
from hkex_ops.model import Severity

__all__ = ["STATE_OF", "Action", "IncidentView", "Standing", "StateMoment", "view_of"]

STATE_OF: Mapping[type[Content], IncidentState] = MappingProxyType(
    {
        OpenIncident: IncidentState.DETECTED,
        BeginContingency: IncidentState.CONTINGENCY,
        Recover: IncidentState.RECOVERED,
        Resume: IncidentState.RESUMED,
        Close: IncidentState.CLOSED,
        Reopen: IncidentState.DETECTED,
    }
)
"""The state that each content leads to, whatever the state before."""

_LATEST = datetime.max.replace(tzinfo=UTC)


@frozen
class Standing:
    """An entry as it stands now: ``what``, ``when`` and ``text`` with its corrections applied."""

    entry: LogEntry
    what: Content
    when: TimeTold
    text: str
    corrections: tuple[LogEntry, ...] = ()
    withdrawn: bool = False

    @property
    def number(self) -> int:
        """Its number in the log."""
        return self.entry.number

    @property
    def teller(self) -> str:
        """Whose account it is."""
        return self.entry.given.teller


@frozen
class StateMoment:
    """When a state was reached, and the entry that says so."""

    state: IncidentState
    when: TimeTold
    number: int


@frozen
class Action:
    """An action agreed, and what became of it. ``ended`` is the entry that says so."""

    number: int
    text: str
    owner: str
    due: date | None
    ended: LogEntry | None = None
    dropped: bool = False


@frozen
class IncidentView:
    """What holds of an incident. ``standing`` are all its entries but corrections, as written."""

    id: str
    title: str
    severity: Severity
    business_date: date
    state: IncidentState
    owners: tuple[str, ...]
    affected: tuple[str, ...]
    unaffected: tuple[str, ...]
    moments: tuple[StateMoment, ...]
    standing: tuple[Standing, ...]
    actions: tuple[Action, ...]
    entries: tuple[LogEntry, ...]

    @property
    def holding(self) -> tuple[Standing, ...]:
        """The entries that were not withdrawn, by the time they tell of; unknown times last."""
        holds = (one for one in self.standing if not one.withdrawn)
        return tuple(sorted(holds, key=lambda one: one.when.at.at or _LATEST))

    @property
    def opened(self) -> LogEntry:
        """The entry that opened it."""
        return next(one for one in self.entries if isinstance(one.given.what, OpenIncident))

    @property
    def is_open(self) -> bool:
        """Whether it is not closed."""
        return self.state is not IncidentState.CLOSED

    @property
    def enquiries(self) -> Mapping[str, int]:
        """How many enquiries of each kind were received, in the order of the first."""
        counts: dict[str, int] = {}
        for one in self.standing:
            if isinstance(one.what, Enquire) and not one.withdrawn:
                counts[one.what.kind] = counts.get(one.what.kind, 0) + one.what.count
        return counts

    def first(self, state: IncidentState) -> StateMoment | None:
        """The first moment at which ``state`` was reached."""
        return next((one for one in self.moments if one.state is state), None)


def view_of(id: str, entries: Sequence[LogEntry]) -> IncidentView:
    """The view of a log that was opened."""
    standing = tuple(_standing(entries))
    opening = next(one.what for one in standing if isinstance(one.what, OpenIncident))
    severity, owners = opening.severity, opening.owners
    affected, unaffected = opening.affected, opening.unaffected
    for one in standing:
        if isinstance(one.what, Assess) and not one.withdrawn:
            severity = one.what.severity or severity
            owners = owners if one.what.owners is None else one.what.owners
            affected = affected if one.what.affected is None else one.what.affected
            unaffected = unaffected if one.what.unaffected is None else one.what.unaffected
    moments = tuple(
        StateMoment(STATE_OF[type(one.what)], one.when, one.number)
        for one in standing
        if type(one.what) in STATE_OF and not one.withdrawn
    )
    return IncidentView(
        id,
        opening.title,
        severity,
        opening.business_date,
        moments[-1].state,
        owners,
        affected,
        unaffected,
        moments,
        standing,
        tuple(_actions(standing)),
        tuple(entries),
    )


def _standing(entries: Iterable[LogEntry]) -> Iterable[Standing]:
    found: dict[int, Standing] = {}
    for entry in entries:
        given = entry.given
        if isinstance(given.what, Correct):
            found[given.what.entry] = _corrected(found[given.what.entry], entry, given.what)
            continue
        assert given.when is not None, "only a correction leaves its time out"
        found[entry.number] = Standing(entry, given.what, given.when, given.text)
    return found.values()


def _corrected(one: Standing, entry: LogEntry, correction: Correct) -> Standing:
    what = one.what
    if isinstance(what, Enquire) and correction.count is not None:
        what = evolve(what, count=correction.count)
    if isinstance(what, Measure) and correction.value is not None:
        what = evolve(what, value=correction.value)
    return evolve(
        one,
        what=what,
        when=entry.given.when or one.when,
        text=entry.given.text or one.text,
        corrections=(*one.corrections, entry),
        withdrawn=correction.withdrawn,
    )


def _actions(standing: Sequence[Standing]) -> Iterable[Action]:
    ends = {
        one.what.action: one
        for one in standing
        if isinstance(one.what, Conclude) and not one.withdrawn
    }
    for one in standing:
        if not isinstance(one.what, Act) or one.withdrawn:
            continue
        end = ends.get(one.number)
        dropped = end is not None and isinstance(end.what, Conclude) and end.what.dropped
        yield Action(
            one.number,
            one.text,
            one.what.owner,
            one.what.due,
            None if end is None else end.entry,
            dropped,
        )
