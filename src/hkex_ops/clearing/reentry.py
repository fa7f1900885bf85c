"""What has to be put in again after a return to the previous platform, and how far that has come.

Every clearing transaction that was put in since the cutover, with its audit trail: what it was,
who put it in and when, and the reports that prove it. Each is ticked off by whoever put it in
again, or excused with a reason; nothing is ever taken off the list. A table says which tick may
follow which. The list only grows: a transaction that a later record no longer has stays on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import evolve, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import ClearingTransaction

__all__ = [
    "REENTRY_TRANSITIONS",
    "ListedTransaction",
    "ProvingReport",
    "Reentry",
    "ReentryEvent",
    "ReentryState",
    "TickKind",
    "TickTransaction",
    "TransactionChanged",
    "TransactionListed",
    "TransactionTicked",
    "due_since",
    "proofs_of",
]


class ReentryState(StrEnum):
    """How one transaction stands."""

    OPEN = "open"
    REENTERED = "re-entered"
    EXCUSED = "excused"


class TickKind(StrEnum):
    """What is said of a transaction."""

    REENTERED = "re-entered"
    EXCUSED = "excused"
    REOPENED = "reopened"


REENTRY_TRANSITIONS: Mapping[tuple[ReentryState, TickKind], ReentryState] = MappingProxyType(
    {
        (ReentryState.OPEN, TickKind.REENTERED): ReentryState.REENTERED,
        (ReentryState.OPEN, TickKind.EXCUSED): ReentryState.EXCUSED,
        (ReentryState.REENTERED, TickKind.REOPENED): ReentryState.OPEN,
        (ReentryState.EXCUSED, TickKind.REOPENED): ReentryState.OPEN,
    }
)


@frozen
class TickTransaction:
    """A person says what became of a transaction; ``remark`` is the new reference, or why not."""

    reference: str
    kind: TickKind
    by: str
    at: datetime
    remark: str = ""


@frozen
class TransactionListed:
    """A transaction is on the list; ``source`` is where it was read."""

    at: datetime
    transaction: ClearingTransaction
    source: str


@frozen
class TransactionChanged:
    """A later record of a listed transaction says something else; both are in the audit trail."""

    at: datetime
    transaction: ClearingTransaction
    source: str


@frozen
class TransactionTicked:
    """Somebody said what became of a transaction."""

    at: datetime
    reference: str
    kind: TickKind
    by: str
    remark: str


ReentryEvent: TypeAlias = TransactionListed | TransactionChanged | TransactionTicked


@frozen
class ListedTransaction:
    """One transaction of the list: as last recorded, how it stands, and everything said of it."""

    transaction: ClearingTransaction
    state: ReentryState
    trail: tuple[ReentryEvent, ...]


class Reentry:
    """The list of one rollout's fallback. Values and the time go in, events come out."""

    def __init__(self) -> None:
        self._listed: dict[str, ListedTransaction] = {}

    @property
    def transactions(self) -> tuple[ListedTransaction, ...]:
        """Everything on the list, in the order in which it was put in first."""
        return tuple(sorted(self._listed.values(), key=_entered))

    def handle(
        self,
        given: TickTransaction | Sequence[ClearingTransaction],
        now: datetime,
        source: str = "",
    ) -> tuple[ReentryEvent, ...]:
        """Take a tick, or the transactions of a record; the events of it.

        A transaction that is listed as it is already gives none. Raises `UsageError` for a tick
        that makes no sense.
        """
        if isinstance(given, TickTransaction):
            return (self._tick(given, now),)
        events: list[ReentryEvent] = []
        for one in given:
            known = self._listed.get(one.reference)
            if known is None:
                events.append(TransactionListed(now, one, source))
            elif known.transaction != one:
                events.append(TransactionChanged(now, one, source))
            else:
                continue
            self.tell(events[-1])
        return tuple(events)

    def tell(self, event: ReentryEvent) -> None:
        """Take in an event of before.

        Two people may have written at one time: what is listed twice is listed once, and a tick
        that the table does not allow any more changes nothing. Both stay in the trail.
        """
        match event:
            case TransactionListed(_, transaction) | TransactionChanged(_, transaction):
                known = self._listed.get(transaction.reference)
                listed = known or ListedTransaction(transaction, ReentryState.OPEN, ())
                self._listed[transaction.reference] = evolve(
                    listed, transaction=transaction, trail=(*listed.trail, event)
                )
            case TransactionTicked(_, reference, kind):
                known = self._listed.get(reference)
                if known is not None:
                    state = REENTRY_TRANSITIONS.get((known.state, kind), known.state)
                    trail = (*known.trail, event)
                    self._listed[reference] = evolve(known, state=state, trail=trail)

    def _tick(self, given: TickTransaction, now: datetime) -> TransactionTicked:
        known = self._listed.get(given.reference)
        if known is None:
            raise UsageError(f"no transaction {given.reference!r} is on the list")
        if (known.state, given.kind) not in REENTRY_TRANSITIONS:
            raise UsageError(f"transaction {given.reference} is {known.state} already")
        if not given.by.strip():
            raise UsageError("a person answers for a tick: say who, with --by")
        if given.kind is not TickKind.REENTERED and not given.remark.strip():
            raise UsageError(f"transaction {given.reference} is {given.kind} for a reason: say why")
        if given.at > now:
            raise UsageError(f"nothing is recorded ahead of time, at {given.at.isoformat()}")
        event = TransactionTicked(given.at, given.reference, given.kind, given.by, given.remark)
        self.tell(event)
        return event


def _entered(listed: ListedTransaction) -> tuple[datetime, str]:
    return listed.transaction.entered_at, listed.transaction.reference


def due_since(
    transactions: Iterable[ClearingTransaction], since: datetime, until: datetime
) -> tuple[ClearingTransaction, ...]:
    """Those that were put in from ``since`` on, before ``until``; `UsageError` for one told twice.

    The same transaction told twice in the same words is one.
    """
    found: dict[str, ClearingTransaction] = {}
    for one in transactions:
        if not since <= one.entered_at < until:
            continue
        known = found.setdefault(one.reference, one)
        if known != one:
            raise UsageError(
                f"reference {one.reference} names two transactions that differ: one of them is "
                "another's"
            )
    return tuple(found.values())


@frozen
class ProvingReport:
    """A report in the archive that proves what was put in on its business date."""

    house: str
    code: str
    business_date: date
    name: str
    path: str
    sha256: str


def proofs_of(
    transaction: ClearingTransaction,
    codes: Mapping[str, Sequence[str]],
    reports: Iterable[ProvingReport],
) -> tuple[ProvingReport, ...]:
    """The reports that prove a transaction: of its business date, with a code of its type.

    ``codes`` are by type of transaction; those under ``*`` are for every type that has none.
    """
    wanted = codes.get(transaction.type, codes.get("*", ()))
    return tuple(
        one
        for one in reports
        if one.business_date == transaction.business_date and one.code in wanted
    )
