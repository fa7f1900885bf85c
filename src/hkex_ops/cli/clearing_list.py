"""The list of what has to be put in again: for a person, for a program, and as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from attrs import frozen
from rich.console import Console

from hkex_ops.clearing.columns import names_of, row_of
from hkex_ops.clearing.reentry import (
    ListedTransaction,
    ProvingReport,
    ReentryState,
    TransactionTicked,
    proofs_of,
)
from hkex_ops.cli.text import say, say_count, say_instant
from hkex_ops.cli.working import Desk
from hkex_ops.config.clearing import ClearingSettings
from hkex_ops.errors import UsageError
from hkex_ops.flows.clearing.reentering import held_reports, listed_document, reentry_of
from hkex_ops.flows.fallback import fallback_of
from hkex_ops.flows.journal import read_journal
from hkex_ops.flows.store import Archive
from hkex_ops.model import ClearingTransaction, JsonObject, RecordKind, plain

__all__ = ["ListView", "list_document", "list_file", "list_view", "render_list"]

_KIND = RecordKind.TRANSACTIONS


@frozen
class _Entry:
    """One transaction of the list, with what proves it and the tick that holds."""

    listed: ListedTransaction
    proofs: tuple[ProvingReport, ...]

    @property
    def tick(self) -> TransactionTicked | None:
        """Who said that it is done or need not be, if somebody did."""
        ticks = self.ticks
        return ticks[-1] if ticks and self.listed.state is not ReentryState.OPEN else None

    @property
    def ticks(self) -> tuple[TransactionTicked, ...]:
        """Everything that was ever said of it, also what holds no more."""
        return tuple(one for one in self.listed.trail if isinstance(one, TransactionTicked))


@frozen
class ListView:
    """The whole list at an instant."""

    desk: Desk
    since: datetime
    at: datetime
    decided: bool
    entries: tuple[_Entry, ...]

    @property
    def open(self) -> int:
        """How many are still to be put in again."""
        return sum(one.listed.state is ReentryState.OPEN for one in self.entries)

    @property
    def unproven(self) -> int:
        """How many no report in the archive proves."""
        return sum(not one.proofs for one in self.entries)


def list_view(
    desk: Desk,
    since: datetime,
    at: datetime,
    clearing: ClearingSettings,
    more: Sequence[ClearingTransaction],
) -> ListView:
    """The list as the journal has it, and ``more`` that is kept nowhere yet."""
    journal = read_journal(desk.work, desk.rollout.id)
    reentry = reentry_of(journal)
    reentry.handle(more, desk.clock.now())
    reports = _reports(desk)
    entries = tuple(
        _Entry(one, proofs_of(one.transaction, clearing.proof, reports))
        for one in reentry.transactions
    )
    decided = fallback_of(desk.rollout, journal, at).decided is not None
    return ListView(desk, since, at, decided, entries)


def _reports(desk: Desk) -> tuple[ProvingReport, ...]:
    """What the archive holds, where there is one."""
    place = desk.settings.archive if desk.settings else None
    if place is None or not place.folder.exists():
        return ()
    with Archive.open(
        place.folder, clock=desk.clock, head_file=place.head_file, read_only=True
    ) as archive:
        return tuple(held_reports(archive))


def list_document(view: ListView) -> JsonObject:
    """The list as one document."""
    return {
        "rollout": view.desk.rollout.id,
        "since": view.since.isoformat(),
        "at": view.at.isoformat(),
        "fallback_decided": view.decided,
        "listed": len(view.entries),
        "open": view.open,
        "unproven": view.unproven,
        "transactions": [_entry(one) for one in view.entries],
    }


def _entry(entry: _Entry) -> JsonObject:
    return {**listed_document(entry.listed), "proofs": [plain(one) for one in entry.proofs]}


def list_file(view: ListView, path: Path) -> bytes:
    """The list as a file, one transaction to a row."""
    match path.suffix.lower():
        case ".jsonl":
            lines = [json.dumps(_entry(one), ensure_ascii=False) for one in view.entries]
            return "".join(f"{line}\n" for line in lines).encode()
        case ".csv":
            text = io.StringIO()
            rows = csv.writer(text, lineterminator="\n")
            rows.writerow((*names_of(_KIND), "state", "ticked_by", "ticked_at", "remark", "proofs"))
            for one in view.entries:
                tick = one.tick
                ticked = (tick.by, tick.at.isoformat(), tick.remark) if tick else ("", "", "")
                proofs = " ".join(it.path for it in one.proofs)
                cells = row_of(one.listed.transaction)
                rows.writerow((*cells, one.listed.state.value, *ticked, proofs))
            return text.getvalue().encode()
        case _:
            raise UsageError(f"{path.name} must end in .csv or .jsonl: that is its format")


def render_list(view: ListView, console: Console) -> None:
    """The list for a person."""
    say(
        console,
        f"{say_count(len(view.entries), 'transaction')} put in since "
        f"{say_instant(view.since)}: {view.open} to be put in again, {view.unproven} without proof",
    )
    if not view.decided:
        say(console, "No fallback is decided: this is what would have to be put in again.")
    for one in view.entries:
        given = one.listed.transaction
        what = " ".join(
            str(part)
            for part in (given.type, given.side, given.quantity, given.series, given.account)
            if part not in (None, "")
        )
        say(console, what, lead=f"  {one.listed.state.value:<12}{given.reference}  ")
        entered = f"put in {say_instant(given.entered_at)}"
        say(console, f"{entered} by {given.entered_by}" if given.entered_by else entered, indent=14)
        proofs = ", ".join(it.name for it in one.proofs)
        say(console, f"proven by {proofs}" if proofs else "no report proves it", indent=14)
        for tick in one.ticks:
            more = f": {tick.remark}" if tick.remark else ""
            say(console, f"{tick.kind} {say_instant(tick.at)}, {tick.by}{more}", indent=14)
