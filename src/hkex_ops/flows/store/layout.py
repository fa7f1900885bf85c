"""Where things lie in an archive's folder, and what a folder must be to be one.

::

    ledger.sqlite3      the ledger; its journal beside it while a row is being written
    ledger.head         the chain's head, unless the operator keeps it elsewhere
    .lock               who is writing
    .staging/           transfers that are not finished
    copied.json         only in a second copy: how far it reaches
    reports/<service>/<business date>/<name>
"""

from __future__ import annotations

from pathlib import Path

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import Record
from hkex_ops.flows.store.disk import EntryKind, Folder, store_error
from hkex_ops.flows.store.lock import LOCK_NAME
from hkex_ops.flows.store.names import refusal
from hkex_ops.flows.store.reading import Intent, LedgerReader
from hkex_ops.flows.store.rows import REPORTS, FileRecord, file_record, path_of

__all__ = [
    "COPIED_NAME",
    "HEAD_NAME",
    "LEDGER_NAME",
    "STAGING_NAME",
    "changed_row",
    "file_records",
    "is_free",
    "lies_there",
    "make_root",
    "own_names",
    "read_row",
    "refuse_foreign",
    "require_archive",
    "require_name",
    "stands",
]

HEAD_NAME = "ledger.head"
LEDGER_NAME = "ledger.sqlite3"
STAGING_NAME = ".staging"
COPIED_NAME = "copied.json"
"""In a second copy: up to which row everything is there."""

_SYSTEM_NAME = "lost+found"  # lies in the root folder of a file system, which an archive may be


def own_names(folder: Path, head_path: Path) -> frozenset[str]:
    """The names in the archive's folder that belong there."""
    names = {LEDGER_NAME, f"{LEDGER_NAME}-journal", LOCK_NAME, STAGING_NAME, REPORTS, _SYSTEM_NAME}
    names.add(COPIED_NAME)
    if head_path.parent.absolute() == folder.absolute():
        names |= {head_path.name, f"{head_path.name}.new"}
    return frozenset(names)


def make_root(folder: Path) -> Folder:
    """The archive's folder, made when it is not there and its parent is."""
    try:
        folder.mkdir()
    except FileExistsError:
        pass
    except FileNotFoundError:
        raise StoreError(
            f"cannot be made, for its parent {folder.parent} is not there: make that folder first, "
            "or name another place",
            path=str(folder),
        ) from None
    except OSError as error:
        raise store_error(error, folder, "make the folder") from error
    else:
        with Folder.open(folder.parent) as parent:
            parent.sync()
    return Folder.open(folder)


def refuse_foreign(root: Folder, own: frozenset[str]) -> None:
    """Raise `StoreError` for a folder that holds anything and no ledger."""
    names = {entry.path for entry in root.entries()}
    if LEDGER_NAME in names:
        return
    if strangers := sorted(names - own):
        raise StoreError(
            f"is not empty (it holds {strangers[0]}) and is no archive: name an empty folder, or "
            "one that is yet to be made",
            path=str(root.path),
            safe="nothing was written there",
        )
    if REPORTS in names and next(root.walk(REPORTS), None) is not None:
        raise StoreError(
            f"holds reports and no {LEDGER_NAME}: restore the ledger from your backup",
            path=str(root.path),
            safe="nothing was written there",
        )


def require_archive(root: Folder, own: frozenset[str]) -> None:
    """Raise `StoreError` unless a writer was here before."""
    names = {entry.path for entry in root.entries()}
    if not names & (own - {_SYSTEM_NAME}):
        raise StoreError(
            "holds no archive: name the right folder, or let the first fetch make one",
            path=str(root.path),
        )


def require_name(name: str, what: str) -> None:
    """Raise `UsageError` for a name that must not reach the disk."""
    if (reason := refusal(name)) is not None:
        raise UsageError(f"{name!a} cannot be the name of {what}, for it {reason}")


def read_row(ledger: LedgerReader, record: Record) -> FileRecord:
    """What a row says of a file; `StoreError` when it was changed beyond reading."""
    try:
        return file_record(record)
    except ValueError as error:
        raise changed_row(ledger.path, record, error) from None


def changed_row(path: Path, record: Record, error: ValueError) -> StoreError:
    """A row was changed beyond reading."""
    return StoreError(
        f"row {record.sequence} is damaged, it {error}: verify the archive, and restore ledger "
        "and head from one backup",
        path=str(path),
    )


def file_records(ledger: LedgerReader, service: str, *names: str) -> list[FileRecord]:
    """The rows of files with any of the server's ``names``, oldest first."""
    return [read_row(ledger, record) for record in ledger.files_named(service, *names)]


def lies_there(root: Folder, row: FileRecord) -> bool:
    """Whether the file of a row is on the disk, by its size."""
    found = root.look(*path_of(row.identity, row.name, row.version))
    return found is not None and found.kind is EntryKind.FILE and found.size_bytes == row.size_bytes


def is_free(root: Folder, row: FileRecord) -> bool:
    """Whether nothing at all is where the file of a row belongs."""
    return root.look(*path_of(row.identity, row.name, row.version)) is None


def stands(root: Folder, intent: Intent) -> bool:
    """Whether the file of an intent is on the disk, with its content; then durably so."""
    try:
        row = file_record(Record(0, "", "", intent.kind, intent.body, ""))
    except ValueError:
        return False
    names = path_of(row.identity, row.name, row.version)
    if refusal(row.name) or refusal(row.identity.service) or "/".join(names) != row.path:
        return False
    if not lies_there(root, row) or root.digest(*names) != row.sha256:
        return False
    *parents, _ = names
    with root.folder(*parents) as folder:
        folder.sync()
    return True
