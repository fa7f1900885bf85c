"""Whether an archive is what it was when it was recorded; findings, never exceptions.

The disk is listed first and the ledger read after, so that with a writer at work every file seen
has an intent or a row by the time the ledger is read, and none is taken for a stranger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hkex_ops.errors import StoreError
from hkex_ops.evidence import Finding, FindingKind
from hkex_ops.flows.store.disk import EntryKind, Folder, Found
from hkex_ops.flows.store.layout import LEDGER_NAME, STAGING_NAME
from hkex_ops.flows.store.reading import NOT_FILES, LedgerReader, Snapshot
from hkex_ops.flows.store.rows import REPORTS, FileRecord, Outcome, file_record

__all__ = ["verify"]


def verify(
    root: Folder, reader: LedgerReader | StoreError, own: frozenset[str], *, deep: bool
) -> tuple[Finding, ...]:
    """Check files against rows and rows against the chain; see `Archive.verify`."""
    try:
        disk = {found.path: found for found in _things(root, own)}
    except StoreError as error:
        return (Finding(FindingKind.UNREADABLE, error.path, str(error)),)
    if isinstance(reader, StoreError):
        return (Finding(FindingKind.UNREADABLE, LEDGER_NAME, str(reader)),)
    findings: list[Finding] = []
    try:
        snapshot = reader.snapshot()
        findings.extend(reader.check(snapshot))
        if deep and (damage := reader.damage()) is not None:
            message = f"the database is damaged: {damage}"
            findings.append(Finding(FindingKind.CHANGED, LEDGER_NAME, message))
        rows, unreadable = _rows(reader, snapshot)
    except StoreError as error:
        findings.append(Finding(FindingKind.UNREADABLE, LEDGER_NAME, str(error)))
        return tuple(findings)
    reported = {finding.where for finding in findings}
    findings.extend(finding for finding in unreadable if finding.where not in reported)
    under_way = {intent.path for intent in snapshot.intents}
    findings.extend(_file_findings(root, disk, rows, under_way, deep))
    return tuple(findings)


def _things(root: Folder, own: frozenset[str]) -> Iterator[Found]:
    """Whatever ought to have a row: all of ``reports/``, and what does not belong elsewhere."""
    for entry in root.entries():
        if entry.path == REPORTS or entry.path not in own:
            if entry.kind is EntryKind.FOLDER:
                yield from root.walk(entry.path)
            else:
                yield entry
        elif entry.path == STAGING_NAME and entry.kind is not EntryKind.FOLDER:
            yield entry


def _rows(reader: LedgerReader, snapshot: Snapshot) -> tuple[dict[str, FileRecord], list[Finding]]:
    """The last row of each path, and the rows that tell of no file."""
    rows: dict[str, FileRecord] = {}
    unreadable: list[Finding] = []
    for record in reader.records(until=snapshot.last):
        if record.kind in NOT_FILES:
            continue
        try:
            row = file_record(record)
        except ValueError as error:
            where = f"record {record.sequence}"
            unreadable.append(Finding(FindingKind.UNREADABLE, where, str(error)))
        else:
            rows[row.path] = row
    return rows, unreadable


def _file_findings(
    root: Folder,
    disk: Mapping[str, Found],
    rows: Mapping[str, FileRecord],
    under_way: Iterable[str],
    deep: bool,
) -> Iterator[Finding]:
    for path in sorted((disk.keys() | rows.keys()) - (set(under_way) - rows.keys())):
        # Placed after the disk was listed and before the ledger was read: there, and not seen.
        found = disk.get(path) or _look_again(root, path)
        removed = path in rows and rows[path].outcome is Outcome.REMOVED
        if removed and found is None:
            continue
        if removed:
            message = f"is there, and row {rows[path].sequence} says it was removed: retain again"
            yield Finding(FindingKind.ADDED, path, message)
        elif found is None:
            message = f"is missing; row {rows[path].sequence} says it was archived"
            yield Finding(FindingKind.MISSING, path, message)
        elif path not in rows:
            yield Finding(FindingKind.ADDED, path, "is there, and no row of the ledger knows it")
        elif (change := _change(root, found, rows[path], deep)) is not None:
            yield change


def _look_again(root: Folder, path: str) -> Found | None:
    try:
        return root.look(*path.split("/"))
    except StoreError:
        return None


def _change(root: Folder, found: Found, row: FileRecord, deep: bool) -> Finding | None:
    if found.kind is not EntryKind.FILE:
        message = f"is no longer a file but a {found.kind}"
        return Finding(FindingKind.CHANGED, row.path, message)
    if found.size_bytes != row.size_bytes:
        message = f"is not what was archived: {found.size_bytes} bytes, not {row.size_bytes}"
        return Finding(FindingKind.CHANGED, row.path, message)
    if not deep:
        return None
    try:
        sha256 = root.digest(*row.path.split("/"))
    except StoreError as error:
        return Finding(FindingKind.UNREADABLE, row.path, str(error))
    if sha256 != row.sha256:
        message = "is not what was archived: its SHA-256 differs from the ledger's"
        return Finding(FindingKind.CHANGED, row.path, message)
    return None
