"""The tables of the outbox's database, and how a connection to it is opened.

``keys`` is what was told, ``messages`` the texts, ``deliveries`` one row for each receiver of one,
``orders`` which case wanted it, ``receipts`` every attempt and everything that was told by hand.
``cases`` and ``held`` are what the switchboard has in hand, one row each, so that a decision reads
what it is about and nothing else. A commit is durable before anything is sent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hkex_ops.errors import StoreError
from hkex_ops.flows.store.schema import is_blank, speaking, transaction

__all__ = ["OUTBOX_NAME", "connect", "working"]

OUTBOX_NAME = "outbox.sqlite3"

APPLICATION_ID = 0x484B584E  # "HKXN": tells this database from any other
SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 30
"""How long a writer waits for another one, of which each takes milliseconds."""

SAFE = "nothing was sent that is not written down"

_STATEMENTS = (
    """CREATE TABLE keys (
        key TEXT PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL) STRICT, WITHOUT ROWID""",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, language TEXT NOT NULL,
        audience TEXT NOT NULL, template TEXT NOT NULL, rank INTEGER NOT NULL,
        at TEXT NOT NULL, notification TEXT NOT NULL,
        UNIQUE (key, language, audience, template)) STRICT""",
    # Whoever has a key's words in a language is not sent them again, by whatever route.
    """CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES messages (id),
        key TEXT NOT NULL, language TEXT NOT NULL, channel TEXT NOT NULL,
        receiver TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
        due TEXT NOT NULL, UNIQUE (key, language, channel, receiver)) STRICT""",
    """CREATE INDEX deliveries_under_way ON deliveries (channel, due)
        WHERE state IN ('queued', 'sending')""",
    """CREATE TABLE orders (
        delivery INTEGER NOT NULL REFERENCES deliveries (id), case_id TEXT NOT NULL,
        way TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (delivery, case_id)) STRICT""",
    """CREATE TABLE receipts (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, delivery INTEGER REFERENCES deliveries (id),
        channel TEXT NOT NULL, receiver TEXT NOT NULL, at TEXT NOT NULL, outcome TEXT NOT NULL,
        reference TEXT NOT NULL, detail TEXT NOT NULL, told_by TEXT NOT NULL) STRICT""",
    """CREATE INDEX receipts_by_key ON receipts (key)""",
    """CREATE TABLE acknowledgements (
        key TEXT NOT NULL, at TEXT NOT NULL, by TEXT NOT NULL, UNIQUE (key, at, by)) STRICT""",
    """CREATE TABLE cases (
        case_id TEXT PRIMARY KEY, key TEXT NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL,
        due TEXT, snapshot TEXT) STRICT, WITHOUT ROWID""",
    """CREATE INDEX cases_by_key ON cases (key)""",
    """CREATE INDEX cases_open ON cases (due) WHERE snapshot IS NOT NULL""",
    """CREATE TABLE held (
        route TEXT NOT NULL, batch TEXT NOT NULL, due TEXT NOT NULL, snapshot TEXT NOT NULL,
        PRIMARY KEY (route, batch)) STRICT, WITHOUT ROWID""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


def connect(path: Path) -> sqlite3.Connection:
    """Open the database, made when it is not there. From any thread, by one caller at a time."""
    if path.is_symlink():
        raise StoreError("is a link, and an outbox is never reached through one", path=str(path))
    with speaking(path, "open the outbox", SAFE):
        connection = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            # Durable before anything is sent: FULL, and the end of the journal too.
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute("PRAGMA foreign_keys = ON")
            with transaction(connection):
                if is_blank(connection):
                    for statement in _STATEMENTS:
                        connection.execute(statement)
            _require_ours(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def working(connection: sqlite3.Connection, path: Path, *, writing: bool = True) -> Generator[None]:
    """Everything inside or nothing; `StoreError` in place of whatever sqlite3 raises."""
    with (
        speaking(path, "write the outbox" if writing else "read the outbox", SAFE),
        transaction(connection, writing=writing),
    ):
        yield


def _require_ours(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise StoreError("is a database, but no outbox of hkex-ops", path=str(path))
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"is an outbox of format {version}, and this hkex-ops knows format {SCHEMA_VERSION}: "
            "use the hkex-ops that wrote it, or a newer one",
            path=str(path),
        )
