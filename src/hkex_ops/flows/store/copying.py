"""A second copy of an archive: everything written there too, read back, and compared.

A copy has the layout of the archive, its ledger included, and is an archive itself wherever it is
a folder. A mark in it says up to which row of the ledger all is there, so that what a lost line
kept from one run is made up for by the next. Where a verification finds that it is not, the mark
says so too, and the next run mends it from the archive's own files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from attrs import Factory, evolve, frozen

from hkex_ops.errors import StoreError
from hkex_ops.evidence import Finding, FindingKind, canonical, parse_object
from hkex_ops.flows.store.archive import Archive
from hkex_ops.flows.store.disk import EntryKind, Folder, translating
from hkex_ops.flows.store.layout import COPIED_NAME
from hkex_ops.flows.store.rows import FileRecord, Outcome
from hkex_ops.model import Json

__all__ = [
    "CopyResult",
    "CopyTarget",
    "CopyVerified",
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
    """What one copying did. ``findings`` is empty when all is there.

    ``mended`` is what was there before and was no longer as it should be: written again.
    """

    where: str
    copied: tuple[str, ...] = ()
    copied_bytes: int = 0
    mended: tuple[Finding, ...] = ()
    findings: tuple[Finding, ...] = ()


@frozen
class CopyVerified:
    """In what a copy is not what the ledger says.

    ``noted`` says that the copy's mark tells of it, so that the next copying mends it. Not
    ``whole_way`` where the copy or the ledger could not be read to its end.
    """

    findings: tuple[Finding, ...] = ()
    noted: bool = False
    whole_way: bool = True


@frozen
class _Mark:
    """Up to which row all was written, from which row on to look again, and with which ledger."""

    sequence: int = 0
    again: int | None = None
    ledger: Mapping[str, str] = Factory(dict[str, str])

    @property
    def sound(self) -> int:
        """Up to which row nothing need be looked at."""
        return self.sequence if self.again is None else min(self.sequence, self.again - 1)


def copy_archive(archive: Archive, target: CopyTarget) -> CopyResult:
    """Write to ``target`` whatever it lacks of ``archive``, which is open for writing, and verify.

    A file that cannot be copied is a finding, and the next run tries it again.
    """
    copied: list[str] = []
    size = 0
    mended: list[Finding] = []
    findings: list[Finding] = []
    try:
        mark = _mark(target)
        rows = last_rows(archive, after=mark.sound)
        for row in rows:
            if row.outcome is Outcome.REMOVED:
                continue
            lack, fault = _copy(archive, target, row)
            if fault is not None:
                findings.append(fault)
                continue
            is_new = row.sequence > mark.sequence
            if is_new:
                copied.append(row.path)
                size += row.size_bytes
            if lack is not None and not (is_new and lack.kind is FindingKind.MISSING):
                mended.append(lack)
        if rows and not findings:
            mended += _ledger_faults(target, mark)
            end = max(mark.sequence, *(row.sequence for row in rows))
            _copy_ledger(archive, target, end)
    except StoreError as error:
        findings.append(Finding(FindingKind.UNREADABLE, target.where, str(error)))
    return CopyResult(target.where, tuple(copied), size, tuple(mended), tuple(findings))


def verify_copy(archive: Archive, target: CopyTarget, *, deep: bool = True) -> CopyVerified:
    """Everything in which the copy is not what the ledger says; ``deep`` reads every file again.

    What is found is noted in the copy where that can be written, and nothing else is changed.
    """
    findings: list[Finding] = []
    first: int | None = None
    is_under_way: bool | None = None
    sizes: dict[str, Mapping[str, int]] = {}
    try:
        mark = _mark(target)
        rows = last_rows(archive)
        for row in rows:
            if row.outcome is Outcome.REMOVED:
                continue
            folder, _, _ = row.path.rpartition("/")
            if folder not in sizes:
                sizes[folder] = target.sizes(folder)
            lack = _lack(target, row, sizes[folder], deep=deep)
            if lack is None:
                continue
            # A run that is under way copies what it has placed when all of it is there.
            is_to_come = row.sequence > mark.sequence and lack.kind is FindingKind.MISSING
            if is_to_come and is_under_way is None:
                is_under_way = archive.is_worked_in
            if not (is_to_come and is_under_way):
                first = row.sequence if first is None else first
                findings.append(lack)
        of_ledger = _ledger_faults(target, mark)
        findings += of_ledger
        if of_ledger and first is None:
            first = max((row.sequence for row in rows), default=None)
    except StoreError as error:
        findings.append(Finding(FindingKind.UNREADABLE, target.where, str(error)))
        return CopyVerified(tuple(findings), whole_way=False)
    return CopyVerified(tuple(findings), first is not None and _note(target, first))


def last_rows(archive: Archive, *, after: int = 0) -> Sequence[FileRecord]:
    """The last row of each path, of those after a row of the ledger."""
    return tuple({row.path: row for row in archive.recorded(after=after)}.values())


def _copy(
    archive: Archive, target: CopyTarget, row: FileRecord
) -> tuple[Finding | None, Finding | None]:
    """Copy one file and read it back: what the copy lacked of it, and why it still does."""
    folder, _, _ = row.path.rpartition("/")
    try:
        lack = _lack(target, row, target.sizes(folder), deep=True)
        if lack is None:
            return None, None
        # Nothing is put in the place of anything before it is known to be right.
        if _digest(archive.read(row.path)) != row.sha256:
            message = "is not what was archived: it is not copied"
            return lack, Finding(FindingKind.CHANGED, row.path, message)
        target.write(row.path, archive.read(row.path))
        if _digest(target.read(row.path)) != row.sha256:
            message = f"reads back from {target.where} as something else: it is not copied"
            return lack, Finding(FindingKind.CHANGED, row.path, message)
    except StoreError as error:
        return None, Finding(FindingKind.UNREADABLE, row.path, f"is not copied: {error}")
    return lack, None


def _lack(
    target: CopyTarget, row: FileRecord, sizes: Mapping[str, int], *, deep: bool
) -> Finding | None:
    """In what one file of the copy is not what the ledger says. ``sizes`` are of its folder."""
    where = f"{target.where}/{row.path}"
    _, _, name = row.path.rpartition("/")
    if name not in sizes:
        message = f"is not in the copy; row {row.sequence} says it was archived"
        return Finding(FindingKind.MISSING, where, message)
    if sizes[name] != row.size_bytes:
        message = f"has {sizes[name]} bytes in the copy, not {row.size_bytes}"
        return Finding(FindingKind.CHANGED, where, message)
    if not deep:
        return None
    try:
        sha256 = _digest(target.read(row.path))
    except StoreError as error:
        return Finding(FindingKind.UNREADABLE, where, str(error))
    if sha256 != row.sha256:
        message = "is not what was archived: its SHA-256 differs from the ledger's"
        return Finding(FindingKind.CHANGED, where, message)
    return None


# -- the mark, and the ledger beside it ------------------------------------------------------------


def _copy_ledger(archive: Archive, target: CopyTarget, end: int) -> None:
    """Put the ledger beside the files, and last of all the mark that all is there."""
    digests: dict[str, str] = {}
    for name, data in archive.ledger_files():
        target.write(name, [data])
        digests[name] = hashlib.sha256(data).hexdigest()
    _write_mark(target, _Mark(end, None, digests))


def _ledger_faults(target: CopyTarget, mark: _Mark) -> list[Finding]:
    """In what the copy's ledger is not the one that was written there."""
    findings: list[Finding] = []
    sizes = target.sizes("")
    for name, sha256 in mark.ledger.items():
        where = f"{target.where}/{name}"
        if name not in sizes:
            findings.append(Finding(FindingKind.MISSING, where, "is not in the copy"))
            continue
        try:
            is_same = _digest(target.read(name)) == sha256
        except StoreError as error:
            findings.append(Finding(FindingKind.UNREADABLE, where, str(error)))
        else:
            if not is_same:
                message = "is not what was copied: its SHA-256 differs from the mark's"
                findings.append(Finding(FindingKind.CHANGED, where, message))
    return findings


def _note(target: CopyTarget, first: int) -> bool:
    """Let the next copying look again from row ``first`` on; whether it will.

    A copying may have ended since: its mark is the one that is added to.
    """
    try:
        mark = _mark(target)
        if first <= mark.sound:
            _write_mark(target, evolve(mark, again=first))
    except StoreError:
        return False
    return True


def _write_mark(target: CopyTarget, mark: _Mark) -> None:
    told: dict[str, Json] = {"sequence": mark.sequence, "ledger": dict(mark.ledger)}
    if mark.again is not None:
        told["again"] = mark.again
    target.write(COPIED_NAME, [canonical(told) + b"\n"])


def _mark(target: CopyTarget) -> _Mark:
    """What the copy's mark says; nothing is there where it says nothing that can be read."""
    if COPIED_NAME not in target.sizes(""):
        return _Mark()
    try:
        data = b"".join(target.read(COPIED_NAME))[:LONGEST_MARK_BYTES]
        stated = parse_object(data.removesuffix(b"\n"))
    except (StoreError, ValueError):
        return _Mark()
    sequence, again, ledger = (stated.get(key) for key in ("sequence", "again", "ledger"))
    return _Mark(
        sequence if isinstance(sequence, int) else 0,
        again if isinstance(again, int) else None,
        {name: digest for name, digest in ledger.items() if isinstance(digest, str)}
        if isinstance(ledger, Mapping)
        else {},
    )


def _digest(pieces: Iterable[bytes]) -> str:
    sha256 = hashlib.sha256()
    for data in pieces:
        sha256.update(data)
    return sha256.hexdigest()
