"""The ledger, read: rows and contents, what is known of a name, and whether all is as it was.

Needs no lock and changes nothing; works while another process writes. Knows what a row is, not
what it says: the archive does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from attrs import field, frozen

from hkex_ops.errors import StoreError
from hkex_ops.evidence import (
    GENESIS,
    Finding,
    FindingKind,
    Head,
    Record,
    canonical,
    check,
    digest,
    parse_object,
)
from hkex_ops.flows.store import schema
from hkex_ops.flows.store.head import HeadFile, HeadState
from hkex_ops.flows.store.schema import speaking, transaction
from hkex_ops.model import JsonObject

__all__ = [
    "CONTENT_KEY",
    "LISTING",
    "ROW_COLUMNS",
    "FileNotes",
    "Intent",
    "LedgerReader",
    "Snapshot",
]

LISTING = "listing"
"""The kind of row that the index of listings covers."""

UPLOAD = "upload"
"""The kind of row that keeps the receipt of a file that was sent. Its keys are none of a file's, so
that no question about files finds it."""

NOT_FILES = frozenset({LISTING, UPLOAD})

CONTENT_KEY = "content"
"""Where a row's body refers to a content, by digest."""

ROW_COLUMNS = "sequence, previous, at, kind, body, digest"

PAGE_ROWS = 1000
"""Rows read in one go, so that a long verification never keeps a commit waiting."""

LOWEST_ROW = -(2**63)
"""Rows count from 1; one that was slipped in before is to be seen all the same."""

SNAPSHOT_TRIES = 10
"""How often a reader looks again when a writer moved the head while it looked."""


@frozen
class Intent:
    """A file about to appear at ``path``, and the row it will have."""

    path: str
    kind: str
    body: JsonObject
    spelt: bytes | None = field(default=None, eq=False)
    """The body as it is written, where that is known already."""


class FileNotes(NamedTuple):
    """What tells one file from another, out of its row, as text where the row has text."""

    name: str
    size_bytes: int
    modified: str | None
    business_date: str
    version: int


@frozen
class Snapshot:
    """One moment of a ledger that may be growing: its end, and the placements under way."""

    head: Head
    last: int
    last_content: int
    intents: tuple[Intent, ...]
    head_fault: Finding | None = None


class LedgerReader:
    """An open ledger. Every method raises `StoreError`. For one caller at a time."""

    def __init__(self, connection: sqlite3.Connection, path: Path, head_file: HeadFile) -> None:
        self._connection = connection
        self._head_file = head_file
        self.path = path

    @classmethod
    def open(cls, path: Path, head_file: HeadFile) -> Self:
        """Open a ledger that is there. Its head is looked at when it is checked."""
        connection = schema.connect(path, create=False, read_only=True)
        try:
            with speaking(path, "open the ledger"):
                schema.require_ours(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, head_file)

    @property
    def head_path(self) -> Path:
        """Where the head of the chain is kept."""
        return self._head_file.path

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def intents(self) -> tuple[Intent, ...]:
        """Files that were about to appear."""
        with speaking(self.path, "read the ledger"):
            return self._intents()

    def records(self, *, until: int | None = None, after: int | None = None) -> Iterator[Record]:
        """The rows in order. A body that is not spelt canonically is marked as unreadable."""
        end = self._last().sequence if until is None else until
        first = LOWEST_ROW if after is None else after + 1
        while first <= end:
            page = self._page(
                f"SELECT {ROW_COLUMNS} FROM chain WHERE sequence >= ? AND sequence <= ? "
                f"ORDER BY sequence LIMIT {PAGE_ROWS}",
                (first, end),
            )
            if not page:
                return
            yield from page
            first = page[-1].sequence + 1

    def files_named(self, service: str, *names: str) -> list[Record]:
        """The rows of files with any of the server's ``names``, oldest first."""
        return self._page(
            f"SELECT {ROW_COLUMNS} FROM chain WHERE kind <> 'listing' "
            "AND json_extract(body, '$.service') = ? "
            "AND json_extract(body, '$.name') IN (SELECT value FROM json_each(?)) "
            "ORDER BY sequence",
            (service, canonical(names).decode()),
        )

    def notes_of(self, service: str, names: Sequence[str]) -> list[FileNotes]:
        """What is known of files with any of the server's ``names``, oldest first."""
        columns = ", ".join(f"json_extract(body, '$.{name}')" for name in FileNotes._fields)
        with speaking(self.path, "read the ledger"):
            rows = self._connection.execute(
                f"SELECT {columns} FROM chain WHERE kind <> 'listing' "
                "AND json_extract(body, '$.service') = ? "
                "AND json_extract(body, '$.name') IN (SELECT value FROM json_each(?)) "
                "ORDER BY sequence",
                (service, canonical(names).decode()),
            ).fetchall()
        return list(map(FileNotes._make, rows))

    def files_of(self, service: str, business_date: str) -> list[Record]:
        """The rows of one service's files of that business date, oldest first."""
        return self._page(
            f"SELECT {ROW_COLUMNS} FROM chain WHERE kind <> 'listing' "
            "AND json_extract(body, '$.business_date') = ? "
            "AND json_extract(body, '$.service') = ? ORDER BY sequence",
            (business_date, service),
        )

    def first_business_date(self, service: str) -> str | None:
        """The earliest business date of any of the service's files."""
        with speaking(self.path, "read the ledger"):
            (first,) = self._connection.execute(
                "SELECT min(json_extract(body, '$.business_date')) FROM chain "
                "WHERE kind <> 'listing' AND json_extract(body, '$.service') = ?",
                (service,),
            ).fetchone()
        return None if first is None else str(first)

    def last_listing(self, service: str, business_date: str) -> Record | None:
        """The latest row of a listing for that business date."""
        page = self._page(
            f"SELECT {ROW_COLUMNS} FROM chain WHERE kind = 'listing' "
            "AND json_extract(body, '$.service') = ? "
            "AND json_extract(body, '$.business_date') = ? ORDER BY sequence DESC LIMIT 1",
            (service, business_date),
        )
        return page[0] if page else None

    def content(self, sealed: str) -> JsonObject:
        """The content with this digest."""
        with speaking(self.path, "read the ledger"):
            row = self._connection.execute(
                "SELECT body FROM contents WHERE digest = ?", (sealed,)
            ).fetchone()
        body = _parsed(row[0]) if row else None
        if body is None or digest(canonical(body)) != sealed:
            raise StoreError(
                f"the content {sealed} is missing or changed: verify the archive, and restore the "
                "ledger from your backup",
                path=str(self.path),
            )
        return body

    # -- checking ----------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """One moment, with the head that goes with it, whether or not somebody is writing.

        Where head file and rows do not agree, the head as the file states it; where it states
        none, the end of the rows themselves and a finding.
        """
        before = self._head_state()
        for _ in range(SNAPSHOT_TRIES):
            with (
                speaking(self.path, "read the ledger"),
                transaction(self._connection, writing=False),
            ):
                last, intents, last_content = self._last(), self._intents(), self._last_content()
            after = self._head_state()
            if isinstance(after, Finding):
                return Snapshot(last, last.sequence, last_content, intents, after)
            stated = after.heads if isinstance(before, Finding) else after.heads + before.heads
            if last in stated:
                return Snapshot(last, last.sequence, last_content, intents)
            if before == after:
                break
            before = after
        else:
            raise StoreError("is being written to without a pause: try again", path=str(self.path))
        return Snapshot(after.head, last.sequence, last_content, intents)

    def check(self, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Everything in which rows and contents are not what they were when they were written."""
        referred: dict[str, int] = {}

        def noting() -> Iterator[Record]:
            for record in self.records(until=snapshot.last):
                content = record.body.get(CONTENT_KEY)
                if isinstance(content, str):
                    referred.setdefault(content, record.sequence)
                yield record

        findings = list(check(noting(), snapshot.head))
        if snapshot.head_fault is not None:
            findings.append(snapshot.head_fault)
        with speaking(self.path, "read the ledger"):
            rows = self._connection.execute("SELECT id, digest FROM contents ORDER BY id")
            held = {str(sealed): int(number) for number, sealed in rows.fetchall()}
        for sealed, number in held.items():
            findings.extend(self._content_faults(number, sealed, referred, snapshot.last_content))
        for sealed, sequence in referred.items():
            if sealed not in held:
                message = "refers to a listing whose content is missing"
                findings.append(Finding(FindingKind.MISSING, f"record {sequence}", message))
        return tuple(findings)

    def damage(self) -> str | None:
        """What SQLite itself finds wrong with the database, in its words."""
        with speaking(self.path, "read the ledger"):
            (answer,) = self._connection.execute("PRAGMA integrity_check(1)").fetchone()
        return None if answer == "ok" else str(answer)

    def _content_faults(
        self, number: int, sealed: str, referred: dict[str, int], last: int
    ) -> Iterator[Finding]:
        with speaking(self.path, "read the ledger"):
            (body,) = self._connection.execute(
                "SELECT body FROM contents WHERE id = ?", (number,)
            ).fetchone()
        where = f"content {number}"
        if digest(str(body).encode()) != sealed:
            yield Finding(
                FindingKind.CHANGED, where, "a listing is not what it was when it was kept"
            )
        if sealed not in referred and number <= last:
            yield Finding(FindingKind.ADDED, where, "is a listing that no row refers to")

    # -- within ------------------------------------------------------------------------------

    def _last(self) -> Head:
        page = self._page(f"SELECT {ROW_COLUMNS} FROM chain ORDER BY sequence DESC LIMIT 1", ())
        return page[0].head if page else GENESIS

    def _last_content(self) -> int:
        (number,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM contents").fetchone()
        return int(number)

    def _head_state(self) -> HeadState | Finding:
        try:
            state = self._head_file.read()
        except StoreError as error:
            message = "is unreadable, so cut-off rows cannot be told: restore it from your backup"
            return Finding(FindingKind.UNREADABLE, error.path, message)
        if state is None:
            message = (
                "is missing, so cut-off rows cannot be told: restore it from your backup, or name "
                "the head file that belongs to this archive"
            )
            return Finding(FindingKind.MISSING, str(self._head_file.path), message)
        return state

    def _intents(self) -> tuple[Intent, ...]:
        rows = self._connection.execute("SELECT path, kind, body FROM intents ORDER BY path")
        return tuple(Intent(path, kind, _parsed(body) or {}) for path, kind, body in rows)

    def _page(self, query: str, values: Sequence[str | int]) -> list[Record]:
        with speaking(self.path, "read the ledger"):
            rows = self._connection.execute(query, values).fetchall()
        return [_record(*row) for row in rows]


def _record(sequence: int, previous: str, at: str, kind: str, body: str, sealed: str) -> Record:
    parsed = _parsed(body)
    # The mark keeps the digest from matching, so that a check finds the row changed.
    shown = {"unreadable": body} if parsed is None else parsed
    return Record(sequence, previous, at, kind, shown, sealed)


def _parsed(body: str) -> JsonObject | None:
    try:
        return parse_object(body)
    except ValueError:
        return None
