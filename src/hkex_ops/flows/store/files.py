"""A file appears whole or not at all.

Its bytes are written under a temporary name in the staging folder, made durable, and only then
linked to the final name, which must be free: linking never overwrites. What a killed run left in
the staging folder is swept away by the next. The durable steps are batched, because a thousand
small files wait for the disk about as long as one when they wait together.

Knows nothing of reports or ledgers; the archive decides the names.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from io import FileIO

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.store.disk import EntryKind, Folder, translating
from hkex_ops.flows.store.hashing import Hashing

__all__ = ["SAFE", "StagedFile", "Staging"]

LARGE_PIECE_BYTES = 128 * 1024
"""A piece from this size on is hashed beside the writing; less is not worth the way to a thread."""

SAFE = "what was archived before is unharmed"
"""What every failed write may say, because nothing that stands is ever opened for writing."""


class StagedFile:
    """A file that is being written and has no final name yet. Made by :meth:`Staging.create`."""

    def __init__(self, staging: Staging, name: str, descriptor: int) -> None:
        self._staging = staging
        self._descriptor = descriptor
        self._sha256 = hashlib.sha256()
        self._is_counted_beside = False
        self.name = name
        self.size_bytes: int = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        if self._is_counted_beside:
            self._staging.hashing.settle()
            self._is_counted_beside = False
        return self._sha256.hexdigest()

    def write(self, data: bytes) -> None:
        """Append ``data``. After a `StoreError` the file is discarded, which frees its space."""
        if self._descriptor < 0:
            raise UsageError("this staged file is closed or discarded")
        try:
            with translating(self._staging.folder.path, "write a new file", SAFE, name=self.name):
                written = os.write(self._descriptor, data)
                while written < len(data):
                    written += os.write(self._descriptor, memoryview(data)[written:])
        except StoreError:
            self.discard()
            raise
        if self._is_counted_beside or len(data) >= LARGE_PIECE_BYTES:
            self._is_counted_beside = True
            self._staging.hashing.count(self._sha256, data)
        else:
            self._sha256.update(data)
        self.size_bytes += len(data)

    @contextmanager
    def reading(self) -> Generator[FileIO]:
        """What was written so far, open for reading."""
        with self._staging.folder.reading(self.name) as file:
            yield file

    def close(self) -> None:
        """No more will be written; doing so again does nothing."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            with translating(self._staging.folder.path, "write a new file", SAFE, name=self.name):
                os.close(descriptor)

    def sync(self) -> None:
        """Make its content durable, and close it.

        One that is closed already is opened anew, so that any number may be staged at once. Linux
        reports a failed write-back to a later opener too, as long as nobody saw it before.
        """
        folder = self._staging.folder
        with translating(folder.path, "make a new file durable", SAFE, name=self.name):
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor < 0:
                descriptor = folder.open_file(self.name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def leave(self) -> None:
        """It will not be finished now; one that cannot be gone on with is dropped."""
        self.discard()

    def holds(self, offset: int, data: bytes) -> bool:
        """Whether ``data`` is what was written at ``offset``."""
        with self.reading() as file:
            file.seek(offset)
            found = b""
            while len(found) < len(data) and (more := file.read(len(data) - len(found))):
                found += more
        return found == data

    def discard(self) -> None:
        """Drop it; doing so again does nothing. What cannot be removed now is swept later."""
        with suppress(StoreError):
            self.close()
        self._staging.forget(self)


class Staging:
    """The folder of unfinished files, on the file system of the finished ones."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.hashing: Hashing = Hashing()
        self._count = 0
        self._living: set[StagedFile] = set()

    def sweep(self, kept: frozenset[str] = frozenset()) -> None:
        """Remove what an interrupted run left here, but for the names in ``kept``."""
        for entry in self.folder.entries():
            if entry.kind is not EntryKind.FOLDER and entry.path not in kept:
                with translating(self.folder.path / entry.path, "remove an unfinished file", SAFE):
                    os.unlink(entry.path, dir_fd=self.folder.descriptor)

    def create(self) -> StagedFile:
        """A new, empty file."""
        self._count += 1
        name = f"{self._count:08}.part"
        with translating(self.folder.path, "make a new file", SAFE, name=name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            file = StagedFile(self, name, self.folder.open_file(name, flags))
        self._living.add(file)
        return file

    def adopt(self, file: StagedFile) -> None:
        """Count a file among those that are being written."""
        self._living.add(file)

    def let_go(self, file: StagedFile) -> None:
        """Count it no longer, and leave it where it lies."""
        self._living.discard(file)

    def remove(self, name: str) -> None:
        """Remove a file by its name here, if it is there."""
        with suppress(OSError):
            os.unlink(name, dir_fd=self.folder.descriptor)

    def __contains__(self, file: StagedFile) -> bool:
        """Whether ``file`` is of this staging folder and was not discarded."""
        return file in self._living

    def sync(self, files: Iterable[StagedFile]) -> None:
        """Make the content of files durable, and close them."""
        for file in files:
            file.sync()

    def link(self, file: StagedFile, folder: Folder, name: str) -> None:
        """Give ``file`` the final ``name`` in ``folder``; `StoreError` when that is taken."""
        with translating(folder.path, "put a new file in its place", SAFE, name=name):
            os.link(
                file.name,
                name,
                src_dir_fd=self.folder.descriptor,
                dst_dir_fd=folder.descriptor,
                follow_symlinks=False,
            )

    def forget(self, file: StagedFile) -> None:
        """Remove the temporary name; a file that was linked lives on under its final one."""
        if file in self._living:
            self._living.remove(file)
            with suppress(OSError):
                os.unlink(file.name, dir_fd=self.folder.descriptor)

    def close(self) -> None:
        """Discard whatever was never placed."""
        for file in list(self._living):
            file.discard()
        self.hashing.close()
        self.folder.close()
