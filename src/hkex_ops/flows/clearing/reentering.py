"""The list of what has to be put in again, kept in the journal of its rollout.

Each transaction that is listed, each that a later record tells otherwise and each tick is a line of
the chain, so the list cannot lose one and says who said what, and when. Nothing is put in by this
library: people do that, and say so here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from hkex_ops.clearing.columns import COLUMNS, names_of, record_of, row_of, told
from hkex_ops.clearing.reentry import (
    ListedTransaction,
    ProvingReport,
    Reentry,
    ReentryEvent,
    TickKind,
    TickTransaction,
    TransactionChanged,
    TransactionListed,
    TransactionTicked,
)
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import Record
from hkex_ops.flows.fallback import fallback_of
from hkex_ops.flows.journal import Journal
from hkex_ops.flows.store import Archive
from hkex_ops.model import ClearingTransaction, Json, JsonObject, RecordKind, Rollout

__all__ = ["held_reports", "list_transactions", "listed_document", "reentry_of", "tick_transaction"]

_KIND = RecordKind.TRANSACTIONS

_LISTED, _CHANGED, _TICKED = "transaction-listed", "transaction-changed", "transaction-ticked"


def reentry_of(entries: Iterable[Record], until: datetime | None = None) -> Reentry:
    """The list as ``entries`` leave it, or as it was when nothing after ``until`` was said."""
    reentry = Reentry()
    for entry in entries:
        event = _event(entry)
        if event is not None and (until is None or event.at <= until):
            reentry.tell(event)
    return reentry


def list_transactions(
    journal: Journal, transactions: Sequence[ClearingTransaction], source: str, now: datetime
) -> tuple[ReentryEvent, ...]:
    """Put what is new or told otherwise on the list; the events of it, each in the journal."""
    events = reentry_of(journal.entries()).handle(transactions, now, source)
    for event in events:
        _record(journal, event)
    return events


def tick_transaction(
    journal: Journal, rollout: Rollout, given: TickTransaction, now: datetime
) -> ReentryEvent:
    """Take a tick and keep it.

    Raises `UsageError` for one that makes no sense: before the fallback was decided nothing is put
    in again.
    """
    entries = journal.entries()
    if fallback_of(rollout, entries, given.at).decided is None:
        raise UsageError(
            "no fallback is recorded, and without one nothing is put in again: record the decision "
            f"first, with hkex-ops fallback {rollout.id} --decide"
        )
    [event] = reentry_of(entries).handle(given, now)
    _record(journal, event)
    return event


def held_reports(archive: Archive) -> Iterator[ProvingReport]:
    """The reports in the archive that may prove a transaction."""
    for row in archive.recorded():
        identity = row.identity
        yield ProvingReport(
            identity.house,
            identity.code,
            identity.business_date,
            row.name,
            row.path,
            row.sha256,
        )


def listed_document(listed: ListedTransaction) -> JsonObject:
    """One transaction of the list as plain data, with how it stands and everything said of it."""
    cells = dict(zip(names_of(_KIND), row_of(listed.transaction), strict=True))
    types = {one.name: one.type for one in COLUMNS[_KIND]}
    return {
        **{name: told(text, types[name]) for name, text in cells.items()},
        "state": listed.state.value,
        "trail": [_told(one) for one in listed.trail],
    }


def _told(event: ReentryEvent) -> JsonObject:
    match event:
        case TransactionTicked(at, _, kind, by, remark):
            return {"at": at.isoformat(), "what": kind.value, "by": by, "remark": remark}
        case TransactionListed(at, _, source):
            return {"at": at.isoformat(), "what": "listed", "source": source}
        case TransactionChanged(at, _, source):
            return {"at": at.isoformat(), "what": "changed", "source": source}


def _record(journal: Journal, event: ReentryEvent) -> None:
    match event:
        case TransactionListed(at, transaction, source):
            journal.record(_LISTED, _body(at, transaction, source))
        case TransactionChanged(at, transaction, source):
            journal.record(_CHANGED, _body(at, transaction, source))
        case TransactionTicked(at, reference, kind, by, remark):
            body: JsonObject = {
                "at": at.isoformat(),
                "reference": reference,
                "kind": kind.value,
                "by": by,
                "remark": remark,
            }
            journal.record(_TICKED, body)


def _body(at: datetime, transaction: ClearingTransaction, source: str) -> JsonObject:
    cells = zip(names_of(_KIND), row_of(transaction), strict=True)
    return {"at": at.isoformat(), "source": source, "transaction": dict(cells)}


def _event(entry: Record) -> ReentryEvent | None:
    match entry.kind, entry.body:
        case "transaction-ticked", {
            "at": str(at),
            "reference": str(reference),
            "kind": str(kind),
            "by": str(by),
            "remark": str(remark),
        }:
            when = datetime.fromisoformat(at)
            return TransactionTicked(when, reference, TickKind(kind), by, remark)
        case "transaction-listed", {"at": str(at), "source": str(source), "transaction": cells}:
            return TransactionListed(datetime.fromisoformat(at), _transaction(cells), source)
        case "transaction-changed", {"at": str(at), "source": str(source), "transaction": cells}:
            return TransactionChanged(datetime.fromisoformat(at), _transaction(cells), source)
        case _:
            return None


def _transaction(cells: Json) -> ClearingTransaction:
    names = names_of(_KIND)
    if not isinstance(cells, dict) or set(cells) != set(names):
        raise StoreError(
            "an entry of the journal holds no transaction that this version knows",
            path="the journal",
        )
    record = record_of(_KIND, [str(cells[name]) for name in names])
    assert isinstance(record, ClearingTransaction), "its kind says so"
    return record
