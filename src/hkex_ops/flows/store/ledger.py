"""The ledger, written: rows are only ever added, many at a time, and each is chained to the last.

One transaction between two writes of the head file (see :mod:`hkex_ops.flows.store.head`) adds
rows. A large body, such as a listing, is stored once by its digest and the row refers to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from attrs import frozen

from hkex_ops.errors import StoreError
from hkex_ops.evidence import GENESIS, Record, append, canonical, digest
from hkex_ops.flows.store import schema
from hkex_ops.flows.store.disk import translating
from hkex_ops.flows.store.files import SAFE
from hkex_ops.flows.store.head import HeadFile, HeadState
from hkex_ops.flows.store.reading import CONTENT_KEY, ROW_COLUMNS, Intent, LedgerReader
from hkex_ops.flows.store.schema import speaking, transaction
from hkex_ops.model import JsonObject

__all__ = ["Entry", "Ledger"]


@frozen
class Entry:
    """A row to be: its kind and body, and the content it refers to, if any."""

    kind: str
    body: JsonObject
    content: JsonObject | None = None
    spelt: bytes | None = None
    """The body as it is written, where that is known already."""


class Ledger(LedgerReader):
    """A ledger open for writing, by one holder at a time. Every method raises `StoreError`."""

    def __init__(self, connection: sqlite3.Connection, path: Path, head_file: HeadFile) -> None:
        super().__init__(connection, path, head_file)
        self._head = GENESIS
        self._in_doubt = False

    @classmethod
    def open(cls, path: Path, head_file: HeadFile) -> Self:
        """Open for writing, made if there is none; finishes or drops what a killed run began."""
        state = head_file.read()
        with translating(path, "look for the ledger"):
            is_there = path.exists()
        if state is not None and state.head != GENESIS and not is_there:
            raise StoreError(
                f"is gone, while {head_file.path} says that it held {state.head.sequence} rows: "
                "restore it from your backup",
                path=str(path),
                safe=SAFE,
            )
        connection = schema.connect(path, create=True, read_only=False)
        try:
            with speaking(path, "open the ledger"):
                if schema.is_blank(connection):
                    schema.create(connection)
                schema.require_ours(connection, path)
                ledger = cls(connection, path, head_file)
                ledger._resume(state)
        except BaseException:
            connection.close()
            raise
        return ledger

    # -- writing -----------------------------------------------------------------------------

    def append(
        self, entries: Sequence[Entry], at: datetime, *, settling: Iterable[str] = ()
    ) -> tuple[Record, ...]:
        """Chain ``entries`` in one transaction that also drops the intents for these paths."""
        records: list[Record] = []
        bodies: list[bytes] = []
        contents: list[tuple[str, str]] = []
        head = self._head
        for entry in entries:
            body, written = entry.body, entry.spelt
            if entry.content is not None:
                spelt = canonical(entry.content)
                contents.append((digest(spelt), spelt.decode()))
                body, written = {**body, CONTENT_KEY: contents[-1][0]}, None
            bodies.append(canonical(body) if written is None else written)
            record = append(head, at, entry.kind, body, spelt=bodies[-1])
            records.append(record)
            head = record.head
        self._begin()
        self._head_file.write(HeadState(self._head, head))
        with speaking(self.path, "write to the ledger"), transaction(self._connection):
            self._connection.executemany(
                "INSERT OR IGNORE INTO contents (digest, body) VALUES (?, ?)", contents
            )
            self._connection.executemany(
                f"INSERT INTO chain ({ROW_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",
                map(_row, records, bodies),
            )
            self._connection.executemany(
                "DELETE FROM intents WHERE path = ?", [(path,) for path in settling]
            )
        self._head = head
        self._head_file.write(HeadState(head))
        self._in_doubt = False
        return tuple(records)

    def intend(self, intents: Iterable[Intent]) -> None:
        """Write down files about to appear, before they do."""
        rows = [
            (one.path, one.kind, (one.spelt or canonical(one.body)).decode()) for one in intents
        ]
        with speaking(self.path, "write to the ledger"), transaction(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO intents (path, kind, body) VALUES (?, ?, ?)", rows
            )

    def drop_intents(self, paths: Iterable[str]) -> None:
        """Forget files that never appeared."""
        with speaking(self.path, "write to the ledger"), transaction(self._connection):
            self._connection.executemany(
                "DELETE FROM intents WHERE path = ?", [(path,) for path in paths]
            )

    def _begin(self) -> None:
        """After a failed write only a fresh look at the disk tells where the chain ends."""
        if self._in_doubt:
            raise StoreError(
                "an earlier write to the ledger failed: run again, which finds out where it stands",
                path=str(self.path),
                safe=SAFE,
            )
        self._in_doubt = True

    def _resume(self, state: HeadState | None) -> None:
        """Find the end of the chain; `StoreError` unless head file and last row agree."""
        last = self._last()
        if state is None and last != GENESIS:
            raise StoreError(
                f"the head of the ledger {self.path} is missing: restore it from your backup, or "
                "name the head file that belongs to this archive",
                path=str(self._head_file.path),
                safe=SAFE,
            )
        if state is not None and last not in state.heads:
            raise StoreError(
                f"ends at row {last.sequence}, which is not the end that {self._head_file.path} "
                "states: verify the archive, and restore ledger and head from one backup",
                path=str(self.path),
                safe=SAFE,
            )
        if state != HeadState(last):
            self._head_file.write(HeadState(last))
        self._head = last


def _row(record: Record, body: bytes) -> tuple[int, str, str, str, str, str]:
    sequence, previous = record.sequence, record.previous
    return sequence, previous, record.at, record.kind, body.decode(), record.digest
