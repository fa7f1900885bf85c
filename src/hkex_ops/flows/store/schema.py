"""The tables of the ledger's database, and how a connection to it is opened.

``chain`` holds the chained rows and refuses any change; ``contents`` holds large bodies once each,
by digest; ``intents`` is a scratch table of placements under way. The indices are expressions over
the chained bodies, so that nothing that answers a question lies outside what is proved.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hkex_ops.errors import StoreError

__all__ = ["connect", "create", "is_blank", "require_ours", "speaking", "transaction"]

APPLICATION_ID = 0x484B584C  # "HKXL": tells this database from any other
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 60
"""How long a commit waits for a reader, such as a verification, to step aside."""

_STATEMENTS = (
    """CREATE TABLE chain (
        sequence INTEGER PRIMARY KEY, previous TEXT NOT NULL, at TEXT NOT NULL,
        kind TEXT NOT NULL, body TEXT NOT NULL, digest TEXT NOT NULL) STRICT""",
    """CREATE TABLE contents (
        id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT""",
    """CREATE TABLE intents (
        path TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL) STRICT""",
    """CREATE INDEX files_by_name ON chain (
        json_extract(body, '$.service'), json_extract(body, '$.name'))
        WHERE kind <> 'listing'""",
    """CREATE INDEX listings_by_date ON chain (
        json_extract(body, '$.service'), json_extract(body, '$.business_date'))
        WHERE kind = 'listing'""",
    # REPLACE deletes without asking the trigger on DELETE, so the order is enforced as well.
    """CREATE TRIGGER chain_only_at_the_end BEFORE INSERT ON chain
        WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM chain)
        BEGIN SELECT RAISE(ABORT, 'the ledger grows only at its end'); END""",
    *(
        f"""CREATE TRIGGER {table}_{verb.lower()}_never BEFORE {verb} ON {table}
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"""
        for table in ("chain", "contents")
        for verb in ("UPDATE", "DELETE")
    ),
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space and run again",
    sqlite3.SQLITE_READONLY: "it is read-only for this user: give the right to write, or own it",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: check that it is there and permitted",
    sqlite3.SQLITE_BUSY: "another program holds it: end that program and run again",
    sqlite3.SQLITE_NOTADB: "it is not a database: restore it from your backup",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore it from your backup",
    sqlite3.SQLITE_IOERR: "the disk reports an error: check its space and its health",
}


@contextmanager
def speaking(path: Path, doing: str, safe: str = "no archived file was touched") -> Generator[None]:
    """Raise `StoreError` in place of whatever sqlite3 raises."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; the rest refines it.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        reason = _REASONS.get(code, str(error))
        raise StoreError(f"cannot {doing}: {reason}", path=str(path), safe=safe) from error


def connect(path: Path, *, create: bool, read_only: bool) -> sqlite3.Connection:
    """Open the database. Used from any thread, by one caller at a time.

    A reader is opened for writing too and held to reading by `query_only`: only so can SQLite
    undo what a killed writer left half done. On a read-only medium SQLite falls back by itself.
    """
    if path.is_symlink():
        raise StoreError("is a link, and a ledger is never reached through one", path=str(path))
    mode = "rwc" if create else "rw"
    with speaking(path, "open the ledger"):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            # EXTRA is FULL and also makes the end of the journal durable: without it a power cut
            # may undo a commit that the head file already tells of.
            connection.execute("PRAGMA synchronous = EXTRA")
            if read_only:
                connection.execute("PRAGMA query_only = ON")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except BaseException:
            connection.close()
            raise
    return connection


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether nothing was ever created in it, as when the very first run was killed."""
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,))


def create(connection: sqlite3.Connection) -> None:
    """Lay out the tables, all of them or none."""
    with transaction(connection):
        for statement in _STATEMENTS:
            connection.execute(statement)


def require_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `StoreError` unless the database is a ledger that this version understands."""
    identity = connection.execute("PRAGMA application_id").fetchone()
    if identity != (APPLICATION_ID,):
        raise StoreError("is a database, but no ledger of hkex-ops", path=str(path))
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"is a ledger of format {version}, and this hkex-ops knows format {SCHEMA_VERSION}: "
            "use the hkex-ops that wrote it, or a newer one",
            path=str(path),
        )


@contextmanager
def transaction(connection: sqlite3.Connection, *, writing: bool = True) -> Generator[None]:
    """Everything inside, or nothing; a reader sees one state throughout."""
    connection.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
