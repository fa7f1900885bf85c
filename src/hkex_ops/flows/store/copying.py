"""A second copy of an archive: everything written there too, read back, and compared.

A copy has the layout of the archive, its ledger included, and is an archive itself wherever it is
a folder. A mark in it says up to which row of the ledger all is there, so that what a lost line
kept from one run is made up for by the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from attrs import frozen

from hkex_ops.errors import StoreError
from hkex_ops.evidence import Finding, FindingKind, canonical, parse_object
from hkex_ops.flows.store.archive import Archive
from hkex_ops.flows.store.disk import EntryKind, Folder, translating
from hkex_ops.flows.store.layout import COPIED_NAME
from hkex_ops.flows.store.rows import FileRecord, Outcome

__all__ = [
    "CopyResult",
    "CopyTarget",
    "FolderTarget",
    "copy_archive",
    "last_rows",
    "verify_copy",
]

LONGEST_MARK_BYTES = 4096


class CopyTarget(Protocol):
    """Where a second copy lies. Every method raises `StoreError`; paths are parted by ``/``."""

    @property
    def where(self) -> str:
        """What a person calls it."""
        ...

    def sizes(self, folder: str) -> Mapping[str, int]:
        """The files that lie directly in a folder, by name; none where there is no folder."""
        ...

    def read(self, path: str) -> Iterator[bytes]:
        """A file, piece by piece."""
        ...

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Put a file there, whole or not at all, in the place of what is there."""
        ...


class FolderTarget:
    """A copy in another folder, best on another disk."""

    def __init__(self, folder: Folder) -> None:
        self._root = folder

    @property
    def where(self) -> str:
        """Its path."""
        return str(self._root.path)

    def sizes(self, folder: str) -> Mapping[str, int]:
        """The files of a folder by name."""
        names = folder.split("/") if folder else ()
        found = self._root.look(*names) if names else None
        if names and (found is None or found.kind is not EntryKind.FOLDER):
            return {}
        with self._root.folder(*names) as here:
            return {
                one.path: one.size_bytes for one in here.entries() if one.kind is EntryKind.FILE
            }

    def read(self, path: str) -> Iterator[bytes]:
        """A file, piece by piece."""
        with self._root.reading(*path.split("/")) as file, translating(path, "read the copy"):
            while data := file.read(1 << 20):
                yield data

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Put a file there in one step, durably."""
        *parents, name = path.split("/")
        with self._root.folder(*parents, make=True) as folder:
            folder.replace_pieces(name, pieces)


@frozen
class CopyResult:
    """What one copying did. ``findings`` is empty when all is there."""

    where: str
    copied: tuple[str, ...] = ()
    copied_bytes: int = 0
    findings: tuple[Finding, ...] = ()


def copy_archive(archive: Archive, target: CopyTarget) -> CopyResult:
    """Write to ``target`` whatever it lacks of ``archive``, which is open for writing, and verify.

    A file that cannot be copied is a finding, and the next run tries it again.
    """
    copied: list[str] = []
    size = 0
    findings: list[Finding] = []
    try:
        mark = _mark(target)
        rows = last_rows(archive, after=mark)
        end = max((row.sequence for row in rows), default=mark)
        for row in rows:
            if row.outcome is Outcome.REMOVED:
                continue
            fault = _copy(archive, target, row)
            if fault is None:
                copied.append(row.path)
                size += row.size_bytes
            else:
                findings.append(fault)
        if rows and not findings:
            for name, data in archive.ledger_files():
                target.write(name, [data])
            target.write(COPIED_NAME, [canonical({"sequence": end}) + b"\n"])
    except StoreError as error:
        findings.append(Finding(FindingKind.UNREADABLE, target.where, str(error)))
    return CopyResult(target.where, tuple(copied), size, tuple(findings))


def verify_copy(archive: Archive, target: CopyTarget, *, deep: bool = True) -> tuple[Finding, ...]:
    """Everything in which the copy is not what the ledger says; ``deep`` reads every file again."""
    findings: list[Finding] = []
    sizes: dict[str, Mapping[str, int]] = {}
    try:
        for row in last_rows(archive):
            if row.outcome is Outcome.REMOVED:
                continue
            folder, _, name = row.path.rpartition("/")
            if folder not in sizes:
                sizes[folder] = target.sizes(folder)
            where = f"{target.where}/{row.path}"
            if name not in sizes[folder]:
                message = f"is not in the copy; row {row.sequence} says it was archived"
                findings.append(Finding(FindingKind.MISSING, where, message))
            elif sizes[folder][name] != row.size_bytes:
                message = f"has {sizes[folder][name]} bytes in the copy, not {row.size_bytes}"
                findings.append(Finding(FindingKind.CHANGED, where, message))
            elif deep and _digest(target.read(row.path)) != row.sha256:
                message = "is not what was archived: its SHA-256 differs from the ledger's"
                findings.append(Finding(FindingKind.CHANGED, where, message))
    except StoreError as error:
        findings.append(Finding(FindingKind.UNREADABLE, target.where, str(error)))
    return tuple(findings)


def last_rows(archive: Archive, *, after: int = 0) -> Sequence[FileRecord]:
    """The last row of each path, of those after a row of the ledger."""
    return tuple({row.path: row for row in archive.recorded(after=after)}.values())


def _copy(archive: Archive, target: CopyTarget, row: FileRecord) -> Finding | None:
    """Copy one file and read it back; why it is not there as it should be, or nothing."""
    folder, _, name = row.path.rpartition("/")
    try:
        there = target.sizes(folder).get(name) == row.size_bytes
        if not there or _digest(target.read(row.path)) != row.sha256:
            target.write(row.path, archive.read(row.path))
            if _digest(target.read(row.path)) != row.sha256:
                message = f"reads back from {target.where} as something else: it is not copied"
                return Finding(FindingKind.CHANGED, row.path, message)
    except StoreError as error:
        return Finding(FindingKind.UNREADABLE, row.path, f"is not copied: {error}")
    return None


def _mark(target: CopyTarget) -> int:
    """Up to which row everything is there."""
    if COPIED_NAME not in target.sizes(""):
        return 0
    data = b"".join(target.read(COPIED_NAME))[:LONGEST_MARK_BYTES]
    try:
        stated = parse_object(data.removesuffix(b"\n")).get("sequence")
    except ValueError:
        return 0
    return stated if isinstance(stated, int) else 0


def _digest(pieces: Iterable[bytes]) -> str:
    sha256 = hashlib.sha256()
    for data in pieces:
        sha256.update(data)
    return sha256.hexdigest()
