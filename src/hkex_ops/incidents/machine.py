"""The machine of an incident: what is entered, and the time, go in; what came of it comes out.

States move by a table, and their moments never run backwards: nobody resumes before what had failed
was detected. An entry is never changed. A correction is a later entry, and what it corrects stays.
It knows no file and no clock; :mod:`hkex_ops.flows.incidents` keeps its entries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.calendars import Calendar
from hkex_ops.errors import UsageError
from hkex_ops.incidents.deadlines import Deadline, DeadlineRule, deadlines_of
from hkex_ops.incidents.entries import (
    Act,
    Assess,
    Attach,
    BeginContingency,
    Close,
    Conclude,
    Content,
    Correct,
    Enquire,
    Given,
    IncidentState,
    LogEntry,
    Measure,
    Note,
    OpenIncident,
    Recover,
    Reopen,
    Resume,
    TornLine,
)
from hkex_ops.incidents.view import STATE_OF, Action, IncidentView, StateMoment, view_of
from hkex_ops.model import HONG_KONG, Severity

__all__ = [
    "INCIDENT_TRANSITIONS",
    "ActionOverdue",
    "EntryCorrected",
    "EntryMade",
    "IncidentEvent",
    "IncidentLog",
    "IncidentSnapshot",
    "ReportOverdue",
    "SeverityChanged",
    "StateReached",
]

MOST_ENTRIES = 10_000
"""Entries of one incident; more are a program that tells without end."""

LONGEST_TEXT = 20_000
"""Characters of one entry."""

MOST_DIGITS = 30
"""Digits of a figure before its point, and after it: more is no figure that anybody reads."""

INCIDENT_TRANSITIONS: Mapping[tuple[IncidentState, type[Content]], IncidentState] = (
    MappingProxyType(
        {
            (IncidentState.DETECTED, BeginContingency): IncidentState.CONTINGENCY,
            (IncidentState.DETECTED, Recover): IncidentState.RECOVERED,
            (IncidentState.DETECTED, Resume): IncidentState.RESUMED,
            (IncidentState.DETECTED, Close): IncidentState.CLOSED,
            (IncidentState.CONTINGENCY, Recover): IncidentState.RECOVERED,
            (IncidentState.CONTINGENCY, Resume): IncidentState.RESUMED,
            (IncidentState.RECOVERED, BeginContingency): IncidentState.CONTINGENCY,
            (IncidentState.RECOVERED, Resume): IncidentState.RESUMED,
            (IncidentState.RESUMED, BeginContingency): IncidentState.CONTINGENCY,
            (IncidentState.RESUMED, Close): IncidentState.CLOSED,
            (IncidentState.CLOSED, Reopen): IncidentState.DETECTED,
        }
    )
)

_VERBS: Mapping[type[Content], str] = {
    BeginContingency: "begin contingency",
    Recover: "recover",
    Resume: "resume",
    Close: "close",
    Reopen: "reopen",
}
_TOUCHING = (Assess, Conclude, Correct)
_WORDS_WANTED = (Note, Measure, Act, Enquire, Attach)


@frozen
class EntryMade:
    """An entry was added to the log."""

    at: datetime
    entry: LogEntry


@frozen
class StateReached:
    """The incident is in another state, since the time that the entry tells."""

    at: datetime
    state: IncidentState
    entry: LogEntry


@frozen
class SeverityChanged:
    """The severity is judged otherwise than before."""

    at: datetime
    before: Severity
    severity: Severity
    entry: LogEntry


@frozen
class EntryCorrected:
    """An entry holds no longer as it was written."""

    at: datetime
    corrected: int
    entry: LogEntry


@frozen
class ReportOverdue:
    """A report was due and is not handed out."""

    at: datetime
    deadline: Deadline


@frozen
class ActionOverdue:
    """The day until which an action was to be done is over."""

    at: datetime
    action: Action


IncidentEvent: TypeAlias = (
    EntryMade | StateReached | SeverityChanged | EntryCorrected | ReportOverdue | ActionOverdue
)


@frozen
class IncidentSnapshot:
    """A log as it stands, and what of it was told to be overdue."""

    entries: tuple[LogEntry, ...] = ()
    told: frozenset[str] = frozenset()


class IncidentLog:
    """The log of one incident. ``rules`` and ``calendar`` are wanted for deadlines only."""

    def __init__(
        self, id: str, *, rules: Sequence[DeadlineRule] = (), calendar: Calendar | None = None
    ) -> None:
        if rules and calendar is None:
            raise UsageError("deadlines are counted by a calendar: give one with the rules")
        self.id = id
        self._rules = tuple(rules)
        self._calendar = calendar
        self._entries: tuple[LogEntry, ...] = ()
        self._opened = False
        self._told: frozenset[str] = frozenset()

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        """Every entry, as it was made."""
        return self._entries

    @property
    def view(self) -> IncidentView:
        """What holds now; `UsageError` before the incident was opened."""
        if not self._opened:
            raise UsageError(f"incident {self.id} was not opened yet")
        return view_of(self.id, self._entries)

    def handle(
        self, given: Given, now: datetime, *, number: int | None = None
    ) -> tuple[IncidentEvent, ...]:
        """Take one entry; `UsageError` for what makes no sense, and nothing has changed then.

        ``number`` is the store's own for it, where lines of the store were left out.
        """
        last = self._entries[-1].number if self._entries else 0
        entry = LogEntry(last + 1 if number is None else number, now, given)
        if entry.number <= last:
            raise UsageError(f"entry {entry.number} cannot follow entry {last}")
        if len(self._entries) >= MOST_ENTRIES:
            raise UsageError(f"incident {self.id} has {MOST_ENTRIES} entries: open another one")
        self._require(given, now)
        if not isinstance(given.what, _TOUCHING) and type(given.what) not in STATE_OF:
            # Most entries change nothing but the log, and looking through all of it takes its time.
            self._entries += (entry,)
            return (EntryMade(now, entry),)
        before = self.view if self._opened else None
        after = view_of(self.id, (*self._entries, entry))
        _require_order(after.moments)
        self._entries += (entry,)
        self._opened = True
        return tuple(_events(before, after, entry))

    def poll(self, now: datetime) -> tuple[IncidentEvent, ...]:
        """Reports and actions that became overdue by ``now``, each told once."""
        if not self._opened:
            return ()
        view = self.view
        found: dict[str, IncidentEvent] = {}
        if self._calendar is not None:
            for one in deadlines_of(view, self._rules, self._calendar):
                if one.is_overdue(now):
                    found[f"report/{one.rule.stage}"] = ReportOverdue(now, one)
        for action in view.actions:
            if action.ended is None and action.due is not None:
                day_after = action.due + timedelta(days=1)
                if now.astimezone(HONG_KONG).date() >= day_after:
                    found[f"action/{action.number}"] = ActionOverdue(now, action)
        fresh = {key: event for key, event in found.items() if key not in self._told}
        self._told |= frozenset(fresh)
        return tuple(fresh.values())

    def snapshot(self) -> IncidentSnapshot:
        """Where the log stands, to be given to :meth:`restore`."""
        return IncidentSnapshot(self._entries, self._told)

    def restore(self, snapshot: IncidentSnapshot) -> None:
        """Stand where ``snapshot`` stood. `UsageError` for entries that no log can hold."""
        again = IncidentLog(self.id)
        for entry in snapshot.entries:
            again.handle(entry.given, entry.recorded, number=entry.number)
        self._entries, self._opened, self._told = again.entries, again._opened, snapshot.told

    # -- what is refused ---------------------------------------------------------------------------

    def _require(self, given: Given, now: datetime) -> None:
        what = given.what
        if isinstance(what, TornLine):
            return
        if isinstance(what, OpenIncident) == self._opened:
            word = "open already" if self._opened else "not opened yet"
            raise UsageError(f"incident {self.id} is {word}")
        _require_told(given, now)
        if isinstance(what, Correct):
            self._require_correctable(what)
        elif isinstance(what, Conclude):
            actions = {one.number: one for one in self.view.actions}
            if what.action not in actions:
                known = ", ".join(map(str, actions)) or "none"
                raise UsageError(f"entry {what.action} is no action; actions: {known}")
            if actions[what.action].ended is not None:
                raise UsageError(f"action {what.action} was concluded already")
        elif type(what) in _VERBS:
            state = self.view.state
            if (state, type(what)) not in INCIDENT_TRANSITIONS:
                verb = _VERBS[type(what)]
                raise UsageError(f"cannot {verb}: incident {self.id} is {state}")

    def _require_correctable(self, what: Correct) -> None:
        entries = {one.number: one for one in self._entries}
        found = entries.get(what.entry)
        if found is None:
            raise UsageError(f"there is no entry {what.entry} to correct")
        corrected = found.given.what
        if isinstance(corrected, Correct):
            raise UsageError(
                f"entry {what.entry} is a correction: correct entry {corrected.entry} again"
            )
        if isinstance(corrected, TornLine):
            raise UsageError(f"entry {what.entry} is the store's own and is not corrected")
        if not what.reason.strip():
            raise UsageError("a correction says why, with a reason")
        if what.withdrawn and isinstance(corrected, OpenIncident):
            raise UsageError("the opening is not withdrawn: close the incident and say why")
        if what.count is not None and not isinstance(corrected, Enquire):
            raise UsageError(f"entry {what.entry} counts no enquiries")
        if what.value is not None and not isinstance(corrected, Measure):
            raise UsageError(f"entry {what.entry} states no figure")


def _require_told(given: Given, now: datetime) -> None:
    what, when = given.what, given.when
    if not given.by.strip():
        raise UsageError("a log says who writes: name somebody, with --by")
    if not given.teller.strip():
        raise UsageError("an entry is somebody's account: name the teller")
    if len(given.text) > LONGEST_TEXT:
        raise UsageError(f"an entry has at most {LONGEST_TEXT} characters: attach a file")
    if isinstance(what, _WORDS_WANTED) and not given.text.strip():
        raise UsageError("an entry says something: give it words")
    if isinstance(what, OpenIncident) and not (what.title.strip() and what.title.isprintable()):
        raise UsageError("an incident has a title, in one line: say what happened")
    if isinstance(what, Enquire) and what.count < 1:
        raise UsageError(f"{what.count} enquiries are none: count at least one")
    stated = what.value if isinstance(what, Measure | Correct) else None
    if stated is not None and not _is_readable(stated):
        raise UsageError(f"a figure has at most {MOST_DIGITS} digits before and after its point")
    if isinstance(what, Act) and not what.owner.strip():
        raise UsageError("an action has an owner: say who does it")
    if isinstance(what, Assess) and what == Assess():
        raise UsageError("a judgement says what is judged otherwise now")
    if when is None:
        if not isinstance(what, Correct):
            raise UsageError("an entry has a time, if only an unknown one")
        return
    for bound in (when.at, when.until):
        if bound is not None and bound.at is not None and bound.at > now:
            raise UsageError(f"nothing is entered ahead of time, at {bound.at.isoformat()}")


def _is_readable(value: Decimal) -> bool:
    exponent = value.as_tuple().exponent
    return (
        isinstance(exponent, int)
        and value.adjusted() <= MOST_DIGITS
        and -exponent <= MOST_DIGITS
        and exponent <= MOST_DIGITS
    )


def _require_order(moments: Sequence[StateMoment]) -> None:
    """By the table, and never backwards in time. A bound counts at the instant it states."""
    for before, after in pairwise(moments):
        reachable = {to for (state, _), to in INCIDENT_TRANSITIONS.items() if state is before.state}
        if after.state not in reachable:
            raise UsageError(
                f"entry {after.number} says {after.state}, which does not follow {before.state}: "
                "correct the later entry first"
            )
    dated = [(one, one.when.at.at) for one in moments if one.when.at.at is not None]
    for (before, earlier), (after, later) in pairwise(dated):
        if later < earlier:
            raise UsageError(
                f"{after.state} at {later.isoformat()} would be before {before.state} at "
                f"{earlier.isoformat()} (entry {before.number}): one of the two times is wrong; "
                "correct that one"
            )


def _events(
    before: IncidentView | None, after: IncidentView, entry: LogEntry
) -> list[IncidentEvent]:
    at, what = entry.recorded, entry.given.what
    events: list[IncidentEvent] = [EntryMade(at, entry)]
    if isinstance(what, Correct):
        events.append(EntryCorrected(at, what.entry, entry))
    if before is None or before.state is not after.state or type(what) in STATE_OF:
        events.append(StateReached(at, after.state, entry))
    if before is not None and before.severity is not after.severity:
        events.append(SeverityChanged(at, before.severity, after.severity, entry))
    return events
