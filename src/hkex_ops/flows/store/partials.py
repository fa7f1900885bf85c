"""Large files that were begun: a run that ends early leaves them, and the next goes on from there.

Beside such a file lies a note of what it is and of how much of it is known to be right: so many
bytes with this SHA-256, written down now and then after they were made durable. Whoever goes on
reads them again and believes nothing else; what came after the note is cut off. Whether the
server's file is still the same is told by its size and time, and by comparing the last bytes once
more, which is the fetch's business.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from datetime import datetime, timedelta

from attrs import frozen

from hkex_ops.errors import StoreError
from hkex_ops.flows.store.disk import HASH_CHUNK_BYTES, EntryKind, translating
from hkex_ops.flows.store.files import SAFE, StagedFile, Staging
from hkex_ops.model import ListedReport

__all__ = ["PartialFile", "open_partial", "sweep_partials"]

CHECKPOINT_BYTES = 32 * 1024 * 1024
"""After so many more bytes what is there is made durable and noted."""

KEPT_FOR = timedelta(days=7)
"""A file that nobody went on with for so long is on no server any more."""

_PREFIX = "resume-"


@frozen
class _Note:
    """What is known of a file that was begun."""

    service: str
    name: str
    size_bytes: int
    modified: str
    held_bytes: int
    sha256: str
    at: str


class PartialFile(StagedFile):
    """A staged file that can be left and gone on with. ``resumed_bytes`` were there before."""

    def __init__(
        self, staging: Staging, name: str, descriptor: int, note: _Note, now: datetime
    ) -> None:
        super().__init__(staging, name, descriptor)
        self.resumed_bytes: int = 0
        self._note = note
        self._now = now
        self._noted_bytes = 0

    def write(self, data: bytes) -> None:
        """Append ``data``, and now and then note what is there."""
        super().write(data)
        if self.size_bytes - self._noted_bytes >= CHECKPOINT_BYTES:
            self._checkpoint()

    def leave(self) -> None:
        """Keep what is there for a later run."""
        with suppress(StoreError):
            if self._descriptor >= 0 and self.size_bytes:
                self._checkpoint()
                self.close()
                self._staging.let_go(self)
                return
        self.discard()

    def discard(self) -> None:
        """Drop it, note and all."""
        self._staging.remove(_note_of(self.name))
        super().discard()

    def take_up(self) -> None:
        """Read what is held again, and go on behind it if it is what the note says."""
        folder = self._staging.folder
        with self.reading() as file:
            left = self._note.held_bytes
            while left and (chunk := file.read(min(left, HASH_CHUNK_BYTES))):
                self._sha256.update(chunk)
                left -= len(chunk)
        with translating(folder.path / self.name, "go on with a file", SAFE):
            if left or self._sha256.hexdigest() != self._note.sha256:
                self._sha256 = hashlib.sha256()
                os.ftruncate(self._descriptor, 0)
                return
            os.ftruncate(self._descriptor, self._note.held_bytes)
            os.lseek(self._descriptor, 0, os.SEEK_END)
        held_bytes: int = self._note.held_bytes
        self.resumed_bytes = self._noted_bytes = held_bytes
        self.size_bytes: int = held_bytes

    def _checkpoint(self) -> None:
        folder = self._staging.folder
        with translating(folder.path / self.name, "make a new file durable", SAFE):
            os.fsync(self._descriptor)
        note = {
            "service": self._note.service,
            "name": self._note.name,
            "size_bytes": self._note.size_bytes,
            "modified": self._note.modified,
            "held_bytes": self.size_bytes,
            "sha256": self.sha256,
            "at": self._now.isoformat(),
        }
        folder.replace(_note_of(self.name), json.dumps(note).encode())
        self._noted_bytes = self.size_bytes


def open_partial(
    staging: Staging, service: str, listed: ListedReport, modified: datetime, now: datetime
) -> PartialFile:
    """The file in which ``listed`` was begun, or a new one for it."""
    digest = hashlib.sha256(f"{service}\0{listed.name}".encode()).hexdigest()[:32]
    name = f"{_PREFIX}{digest}.part"
    known = _read_note(staging, _note_of(name))
    wanted = (service, listed.name, listed.size_bytes, modified.isoformat())
    is_same = known is not None and wanted == (
        known.service,
        known.name,
        known.size_bytes,
        known.modified,
    )
    if not is_same:
        staging.remove(_note_of(name))
        staging.remove(name)
    note = known if is_same and known is not None else _Note(*wanted, 0, "", now.isoformat())
    flags = os.O_RDWR | os.O_CREAT | (0 if is_same else os.O_EXCL)
    with translating(staging.folder.path / name, "make a new file", SAFE):
        file = PartialFile(staging, name, staging.folder.open_file(name, flags), note, now)
    staging.adopt(file)
    if is_same:
        file.take_up()
    return file


def sweep_partials(staging: Staging, now: datetime) -> frozenset[str]:
    """The names that are left for a later run; those nobody will go on with are not among them."""
    names = {one.path for one in staging.folder.entries() if one.kind is EntryKind.FILE}
    kept: set[str] = set()
    for name in names:
        if not name.startswith(_PREFIX) or not name.endswith(".part"):
            continue
        note = _read_note(staging, _note_of(name))
        if note is None or now - datetime.fromisoformat(note.at) >= KEPT_FOR:
            continue
        # One that bears its final name as well came whole, before a run was killed.
        state = os.stat(name, dir_fd=staging.folder.descriptor, follow_symlinks=False)
        if state.st_nlink == 1:
            kept |= {name, _note_of(name)}
    return frozenset(kept)


def _note_of(name: str) -> str:
    return f"{name.removesuffix('.part')}.json"


def _read_note(staging: Staging, name: str) -> _Note | None:
    try:
        with staging.folder.reading(name) as file:
            told: dict[str, object] = json.loads(file.read(HASH_CHUNK_BYTES))
    except (StoreError, ValueError):
        return None
    match told:
        case {
            "service": str(service),
            "name": str(listed),
            "size_bytes": int(size_bytes),
            "modified": str(modified),
            "held_bytes": int(held_bytes),
            "sha256": str(sha256),
            "at": str(at),
        }:
            return _Note(service, listed, size_bytes, modified, held_bytes, sha256, at)
        case _:
            return None
