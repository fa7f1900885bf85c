"""Folders held open, and the errors of a disk said in one sentence.

A :class:`Folder` is a file descriptor, and everything below it is reached from there, one name at
a time and never through a link. So a link planted inside an archive leads nowhere, and a folder
swapped under a running program is not followed. Knows nothing of reports or ledgers.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from io import FileIO
from pathlib import Path
from types import TracebackType

from attrs import frozen

from hkex_ops.errors import StoreError

__all__ = ["HASH_CHUNK_BYTES", "EntryKind", "Folder", "Found", "store_error", "translating"]

HASH_CHUNK_BYTES = 1 << 20

_REASONS = {
    errno.ENOSPC: "the disk is full: free some space and run again",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EFBIG: "the file would be larger than this process or its file system may write",
    errno.EACCES: "permission is denied: let this user in, or run as the user who owns it",
    errno.EPERM: "not permitted: it wants a file system with hard links, and the owner's rights",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "it is not there",
    errno.EEXIST: "something of that name is there already, and nothing is ever overwritten",
    errno.ENOTEMPTY: "something of that name is there already, and nothing is ever overwritten",
    errno.ENOTDIR: "it is a file or a link, and must be a folder",
    errno.ELOOP: "it is a link, and links are not followed here",
    errno.EMFILE: "too many files are open: raise the limit of open files, or fetch in fewer parts",
    errno.EIO: "the disk reports an error: check the hardware before running again",
}

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class EntryKind(StrEnum):
    """What a folder entry is, a link being a link wherever it leads."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@frozen
class Found:
    """A thing below a folder: its path from there, what it is, and how large."""

    path: str
    kind: EntryKind
    size_bytes: int


def store_error(error: OSError, path: Path | str, doing: str, safe: str = "") -> StoreError:
    """What an error of the operating system means for the operator."""
    reason = _REASONS.get(error.errno or 0, os.strerror(error.errno) if error.errno else str(error))
    return StoreError(f"cannot {doing}: {reason}", path=str(path), safe=safe)


class translating:  # a context manager, and spelt like one
    """Raise `StoreError` in place of `OSError`. With a ``name`` it is about that entry of ``path``.

    Entered several times for every file, so it costs little: the path is put together only when
    something has gone wrong.
    """

    __slots__ = ("_doing", "_name", "_path", "_safe")

    def __init__(self, path: Path | str, doing: str, safe: str = "", *, name: str = "") -> None:
        self._path, self._doing, self._safe, self._name = path, doing, safe, name

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            path = Path(self._path, self._name) if self._name else self._path
            raise store_error(error, path, self._doing, self._safe) from error


class Folder:
    """A folder held open. A context manager; every operation raises `StoreError`."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Folder:
        """Open a folder that the operator named; links in the operator's own path are followed."""
        with translating(path, "open the folder"):
            return cls(os.open(path, _FOLDER_FLAGS), path)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it; doing so again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def descriptor(self) -> int:
        """For the ``dir_fd`` of an `os` function."""
        return self._descriptor

    def folder(self, *names: str, make: bool = False) -> Folder:
        """The folder below this one, link nowhere on the way; made on request, durably."""
        here = Folder(os.dup(self._descriptor), self.path)
        for name in names:
            with here:
                here = here._child(name, make)
        return here

    def _child(self, name: str, make: bool) -> Folder:
        path = self.path / name
        with translating(path, "open the folder"):
            try:
                descriptor = self.open_file(name, _FOLDER_FLAGS)
            except FileNotFoundError:
                if not make:
                    raise
                # Several processes may find it missing at once, and one of them makes it.
                with suppress(FileExistsError):
                    os.mkdir(name, dir_fd=self._descriptor)
                os.fsync(self._descriptor)
                descriptor = self.open_file(name, _FOLDER_FLAGS)
        return Folder(descriptor, path)

    def open_file(self, name: str, flags: int) -> int:
        """A descriptor of the entry ``name``, never through a link. Raises `OSError`."""
        return os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=self._descriptor)

    def sync(self) -> None:
        """Make the names in this folder durable."""
        with translating(self.path, "make the folder durable"):
            os.fsync(self._descriptor)

    def has(self, name: str) -> bool:
        """Whether anything lies directly in this folder under ``name``, a link being a thing."""
        with translating(self.path, "look at it", name=name):
            try:
                os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            except FileNotFoundError:
                return False
        return True

    def look(self, *names: str) -> Found | None:
        """What is at a path below this folder; ``None`` for nothing or beyond a link."""
        *parents, name = names
        try:
            with self.folder(*parents) as parent, translating(parent.path / name, "look at it"):
                state = os.stat(name, dir_fd=parent.descriptor, follow_symlinks=False)
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                return None
            raise
        return Found("/".join(names), _kind(state), state.st_size)

    @contextmanager
    def reading(self, *names: str) -> Generator[FileIO]:
        """A file below this folder, open for reading, link nowhere on the way."""
        *parents, name = names
        with self.folder(*parents) as parent, translating(parent.path / name, "read the file"):
            # A pipe that was planted there must not make the reader wait for a writer.
            descriptor = parent.open_file(name, os.O_RDONLY | os.O_NONBLOCK)
            with FileIO(descriptor, "r") as file:
                yield file

    def write_new(self, name: str, data: bytes) -> None:
        """Write a file that is not there yet, and make its content durable."""
        self.write_pieces(name, (data,))

    def write_pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """Write a file that is not there yet, piece by piece, and make its content durable."""
        with translating(self.path / name, "write the file"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(self.open_file(name, flags), "wb", buffering=0) as file:
                for data in pieces:
                    rest = memoryview(data)
                    while rest:
                        rest = rest[file.write(rest) :]
                os.fsync(file.fileno())

    def replace(self, name: str, data: bytes) -> None:
        """Put ``data`` under ``name`` in one step: the old content or the new, never a part."""
        self.replace_pieces(name, (data,))

    def replace_pieces(self, name: str, pieces: Iterable[bytes]) -> None:
        """Put a file under ``name`` in one step, written piece by piece."""
        fresh = f"{name}.new"
        doing = "remove what an interrupted run left"
        with translating(self.path / fresh, doing), suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=self._descriptor)
        self.write_pieces(fresh, pieces)
        with translating(self.path / name, "replace the file"):
            os.replace(fresh, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        self.sync()

    def digest(self, *names: str) -> str:
        """The SHA-256 of a file below this folder."""
        sha256 = hashlib.sha256()
        with self.reading(*names) as file:
            while chunk := file.read(HASH_CHUNK_BYTES):
                sha256.update(chunk)
        return sha256.hexdigest()

    def entries(self) -> list[Found]:
        """What lies directly in this folder, sorted by name."""
        states: list[tuple[str, os.stat_result]] = []
        with translating(self.path, "list the folder"), os.scandir(self._descriptor) as scanned:
            for entry in scanned:
                # A writer's temporary file may be gone before it is looked at.
                with suppress(FileNotFoundError):
                    states.append((entry.name, entry.stat(follow_symlinks=False)))
        return [Found(name, _kind(state), state.st_size) for name, state in sorted(states)]

    def sizes(self) -> dict[str, int]:
        """The plain files directly in this folder, with their sizes, in no order."""
        found: dict[str, int] = {}
        with translating(self.path, "list the folder"), os.scandir(self._descriptor) as scanned:
            for entry in scanned:
                if entry.is_file(follow_symlinks=False):
                    try:
                        found[entry.name] = entry.stat(follow_symlinks=False).st_size
                    except FileNotFoundError:
                        continue
        return found

    def walk(self, *below: str) -> Iterator[Found]:
        """Everything below that is no folder, however deep."""
        waiting: list[Sequence[str]] = [below]
        while waiting:
            names = waiting.pop()
            with self.folder(*names) as here:
                entries = here.entries()
            for entry in entries:
                if entry.kind is EntryKind.FOLDER:
                    waiting.append((*names, entry.path))
                else:
                    yield Found("/".join((*names, entry.path)), entry.kind, entry.size_bytes)


def _kind(state: os.stat_result) -> EntryKind:
    if stat.S_ISREG(state.st_mode):
        return EntryKind.FILE
    if stat.S_ISDIR(state.st_mode):
        return EntryKind.FOLDER
    return EntryKind.LINK if stat.S_ISLNK(state.st_mode) else EntryKind.OTHER
