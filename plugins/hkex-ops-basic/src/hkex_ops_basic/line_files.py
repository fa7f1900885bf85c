"""A file of lines that is only ever added to, one writer at a time, every addition on the disk.

A line counts once it has its end. What a writer that died, or a disk that filled up, left without
one is cut off again, so that no reader ever meets half a line in the middle. A file that was moved
away, as daily rotation does, is begun anew under its name. Knows nothing of ticks; called by
:mod:`hkex_ops_basic.json_lines`, in a thread.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from hkex_ops.errors import (
    Busy,
    ConfigError,
    HkexOpsError,
    Rejected,
    StoreError,
    Unreachable,
)
from hkex_ops.model.ticks import LONGEST_DOCUMENT_CHARACTERS

__all__ = ["LineFile", "file_error"]

# How every line of ours begins: what is cut off from the end of a file must be one of them.
_OPENING = b'{"version":'

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EIO})


class LineFile:
    """The file at ``path``, made when it is not there, locked against other writers while open.

    Raises `ConfigError` when there is no folder for it or it holds something else, `StoreError`
    when another writer has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor: int | None = self._opened()
        except BlockingIOError:
            raise StoreError(
                "another program is adding to it: end that one, or name another file",
                path=str(path),
                safe="nothing was written",
            ) from None
        except (FileNotFoundError, NotADirectoryError):
            raise ConfigError(
                f"there is no folder {path.parent} for {path.name}: make it"
            ) from None
        except OSError as error:
            raise file_error(error, f"opening {path}") from error

    def append(self, lines: bytes) -> None:
        """Add whole ``lines``; returns when they are on the disk.

        Raises `Busy` when there is no room, `Unreachable` when the file or its folder is gone,
        `Rejected` when it may not be written. Some of ``lines`` may then be there, whole ones.
        """
        try:
            descriptor = self._current()
            size_bytes = os.fstat(descriptor).st_size
            try:
                _write(descriptor, lines)
                os.fsync(descriptor)
            except OSError:
                with suppress(OSError):
                    _cut_half_line(descriptor, at_least_bytes=size_bytes)
                raise
        except OSError as error:
            raise file_error(error, f"adding to {self.path}") from error

    def close(self) -> None:
        """Let other writers have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _current(self) -> int:
        """The open file, or the one that now bears its name."""
        if self._descriptor is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._descriptor), self.path.stat()):
                    return self._descriptor
            self.close()
        self._descriptor = self._opened()
        return self._descriptor

    def _opened(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._mend(descriptor)
            _sync_folder(self.path.parent)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _mend(self, descriptor: int) -> None:
        """Cut off the half line that a writer left who died while it wrote."""
        half = _half_line(descriptor)
        if not half:
            return
        if half.startswith(_OPENING[: len(half)]):
            _cut_half_line(descriptor)
            return
        raise ConfigError(
            f"{self.path} does not end with a line of ours, so nothing is added to it: name "
            "another file"
        )


def file_error(error: OSError, doing: str) -> HkexOpsError:
    """What the operating system says of a file, as one of ours, by who must act."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _NO_ROOM:
        return Busy(f"{doing}: {reason}: make room, then try again")
    if isinstance(error, BlockingIOError):
        return Busy(f"{doing}: another program is adding to it: end that one")
    if error.errno in _GONE:
        return Unreachable(f"{doing}: {reason}: see to the disk and the folder")
    return Rejected(f"{doing}: {reason}: see to the file's owner and rights")


def _write(descriptor: int, lines: bytes) -> None:
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _half_line(descriptor: int) -> bytes:
    """What stands after the last line end, or the last of it where it is too long to be ours."""
    size_bytes = os.fstat(descriptor).st_size
    start = max(0, size_bytes - LONGEST_DOCUMENT_CHARACTERS)
    tail = os.pread(descriptor, size_bytes - start, start)
    return tail[tail.rfind(b"\n") + 1 :]


def _cut_half_line(descriptor: int, *, at_least_bytes: int = 0) -> None:
    half = _half_line(descriptor)
    if half:
        size_bytes = os.fstat(descriptor).st_size
        os.ftruncate(descriptor, max(at_least_bytes, size_bytes - len(half)))
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """A new file outlives a power cut only when its folder is on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
