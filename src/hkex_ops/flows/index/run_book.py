"""What a run writes down, and how it stands again after its supervisor was killed.

Joins the journal with what can be told from it: up to which moment ticks are out, which messages
are quarantined, how gateway and contingency path stood. An entry is written before what it tells of
is done. Engines that agree tell the same things; each is written once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from attrs import define, field

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError
from hkex_ops.evidence import Record, canonical
from hkex_ops.flows.index.board import InHand, QuarantineRow
from hkex_ops.flows.index.events import (
    MessageQuarantined,
    MessageSuspected,
    event_document,
    event_name,
)
from hkex_ops.flows.index.journal import RunJournal
from hkex_ops.flows.index.ticking import TICKS_PUBLISHED, published_body
from hkex_ops.flows.store.disk import Folder
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import IndexTick, Json, JsonObject, TickKind

__all__ = ["STOOD", "TOLD_LIMIT", "RunBook"]

STOOD = "stood"
"""The kind of entry that says how gateway and contingency path stand."""

TOLD_LIMIT = 20_000
"""How many entries of one kind are written of what engines tell; beyond, they are only counted."""

REMEMBERED = 100_000
"""How many of the things that several engines tell are remembered, to be written once."""


@define
class RunBook:
    """A run's journal, and what it says of the run so far."""

    journal: RunJournal
    begun: bool = False
    quarantined: list[QuarantineRow] = field(factory=list[QuarantineRow])
    suspects: set[InHand] = field(factory=set[InHand])
    stood: JsonObject | None = None
    out: dict[TickKind, dict[str, datetime]] = field(factory=dict[TickKind, dict[str, datetime]])
    """Of each kind and index, the moment up to which values are out."""
    published: int = 0
    counts: Counter[str] = field(factory=Counter[str])
    """How often each kind of event happened since this supervisor began."""
    trouble: str | None = None
    """Why the journal cannot be written, while it cannot."""
    _told: dict[bytes, None] = field(factory=dict[bytes, None])

    @classmethod
    def open(cls, folder: Folder, clock: Clock) -> RunBook:
        """The book of the run in ``folder``, with everything that was written before.

        Raises `StoreError` when the journal is damaged.
        """
        past = _Past()
        journal = RunJournal.open(folder, clock, restore=past.take)
        return cls(
            journal,
            past.begun,
            past.quarantined,
            past.suspects,
            past.stood_again(),
            past.out,
            past.published,
        )

    def close(self) -> None:
        """Make everything durable and let go of the journal."""
        self.journal.close()

    def ticks(self, ticks: Sequence[IndexTick]) -> tuple[IndexTick, ...]:
        """Write down that ``ticks``, all of one moment and kind, are about to be published.

        Only those that are returned may be: an index whose value of that moment or a later one is
        out, by this supervisor or one before it, is left out.
        """
        kind, at = ticks[0].kind, ticks[0].at
        until = self.out.setdefault(kind, {})
        fresh = tuple(tick for tick in ticks if tick.index not in until or until[tick.index] < at)
        if fresh:
            self._write(TICKS_PUBLISHED, published_body(fresh))
            until.update({tick.index: at for tick in fresh})
            self.published += len(fresh)
        return fresh

    @property
    def published_until(self) -> datetime | None:
        """The latest moment of which real-time ticks are out."""
        return max(self.out.get(TickKind.REAL_TIME, {}).values(), default=None)

    def event(self, event: object, *, durable: bool = False) -> JsonObject:
        """Write an event of the run down; its document."""
        document = event_document(event)
        self.counts[event_name(event)] += 1
        if self.counts[event_name(event)] <= TOLD_LIMIT:
            body = {key: value for key, value in document.items() if key != "event"}
            self._write(event_name(event), body, durable=durable)
        match event:
            case MessageQuarantined(_, _, channel, first, last, security):
                self.quarantined.append(QuarantineRow(channel, first, last, security or 0))
            case MessageSuspected(_, _, channel, first, last, security):
                self.suspects.add(InHand(channel, first, last, security or 0))
            case _:
                pass
        return document

    def told(self, process: str, kind: str, fields: JsonObject, *, once: bool) -> bool:
        """Write down what a process told; whether it was news. With ``once`` whoever tells the same
        is telling nothing new."""
        self.counts[kind] += 1
        if once:
            key = canonical([kind, fields])
            if key in self._told:
                return False
            self._told[key] = None
            if len(self._told) > REMEMBERED:
                del self._told[next(iter(self._told))]
        if self.counts[kind] <= TOLD_LIMIT:
            self._write(kind, {"process": process, **fields})
        return True

    def stands(self, snapshot: JsonObject) -> None:
        """Write down how gateway and contingency path stand, durably."""
        self.stood = snapshot
        self._write(STOOD, snapshot, durable=True)

    def sync(self) -> None:
        """Make every entry durable. May be called by another thread."""
        try:
            self.journal.sync()
        except StoreError as error:
            self.trouble = str(error)

    def _write(self, kind: str, body: JsonObject, *, durable: bool = False) -> None:
        """An index does not stop because a disk is full; that it is not written down is said."""
        try:
            self.journal.record(kind, body, durable=durable)
        except StoreError as error:
            self.trouble = str(error)
        else:
            self.trouble = None


@define
class _Past:
    """What the entries of a journal say, taken one by one."""

    begun: bool = False
    quarantined: list[QuarantineRow] = field(factory=list[QuarantineRow])
    suspects: set[InHand] = field(factory=set[InHand])
    stood: JsonObject | None = None
    out: dict[TickKind, dict[str, datetime]] = field(factory=dict[TickKind, dict[str, datetime]])
    published: int = 0

    def take(self, record: Record) -> None:
        """One more entry, oldest first."""
        self.begun = True
        body = record.body
        match record.kind:
            case "ticks-published":
                rows = cast("Sequence[Sequence[Json]]", body["rows"])
                at = datetime.fromisoformat(str(body["at"]))
                until = self.out.setdefault(TickKind(str(body["kind"])), {})
                until.update({str(row[0]): at for row in rows})
                self.published += len(rows)
            case "message-quarantined":
                self.quarantined.append(QuarantineRow(*_range(body)))
            case "message-suspected":
                self.suspects.add(InHand(*_range(body)))
            case "stood":
                self.stood = body
            case _:
                pass

    def stood_again(self) -> JsonObject | None:
        """How gateway and contingency path stood, with the moment up to which ticks are out."""
        until = max(self.out.get(TickKind.REAL_TIME, {}).values(), default=None)
        if self.stood is None or until is None:
            return self.stood
        gateway = cast("Mapping[str, Json]", self.stood["gateway"])
        newest = max(cast("int", gateway["newest"]), time_ns_of(until))
        return {**self.stood, "gateway": {**gateway, "newest": newest}}


def _range(body: JsonObject) -> tuple[int, int, int, int]:
    channel, first, last = body["channel"], body["first"], body["last"]
    return (
        cast("int", channel),
        cast("int", first),
        cast("int", last),
        cast("int", body["security"] or 0),
    )
