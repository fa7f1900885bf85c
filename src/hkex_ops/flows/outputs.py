"""A file that a person asked for: written whole or not at all.

The bytes go to a new file beside it, are made durable, and only then get the name. Called by
commands that write one file where the person said.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from hkex_ops.errors import StoreError
from hkex_ops.flows.store.disk import EntryKind, Folder, store_error, translating

__all__ = ["growing_file", "new_file", "require_place", "write_new_file", "write_over_file"]

SAFE = "nothing of that name was touched"

LEFT_AFTER_S = 3600
"""An unfinished file that is so much older than its folder's last change is nobody's any more."""


def write_over_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, in the place of what is there; `StoreError` leaves that whole."""
    with _written(path, data) as (folder, part), translating(path, "put the file there", SAFE):
        os.replace(part, path.name, src_dir_fd=folder.descriptor, dst_dir_fd=folder.descriptor)


def require_place(path: Path) -> None:
    """Raise `StoreError` unless `write_over_file` could put a file at ``path``; leaves nothing.

    For work that is done before its file is written.
    """
    with _written(path, b"") as (folder, _):
        found = folder.look(path.name)
    if found is not None and found.kind is EntryKind.FOLDER:
        taken = IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        raise store_error(taken, path, "put the file there", SAFE)


def write_new_file(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, which must be free; `StoreError` when it is not."""
    with new_file(path, data):
        pass


@contextmanager
def new_file(path: Path, data: bytes) -> Generator[None]:
    """Put ``data`` at ``path``, which must be free, when the body ends well; `StoreError` else.

    What the body keeps of the file is kept before anybody can meet it.
    """
    with _written(path, data) as (folder, part):
        _require_free(folder, path)
        yield
        _name(folder, part, path)


@contextmanager
def growing_file(path: Path) -> Generator[Callable[[bytes], None]]:
    """A writer of ``path``, piece by piece; the file is there when the body has ended well.

    `StoreError` when something of that name is there, before and after the body.
    """
    with _part(path) as (folder, part):
        _require_free(folder, path)
        with _writer(folder, part, path) as write:
            yield write
        _name(folder, part, path)


@contextmanager
def _writer(folder: Folder, part: str, path: Path) -> Generator[Callable[[bytes], None]]:
    """A writer of the new file ``part``, durable when the body has ended well.

    What goes wrong is said of ``path``: it is what the person named.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with translating(path, "write the file", SAFE):
        descriptor = folder.open_file(part, flags)

    def write(data: bytes) -> None:
        rest = memoryview(data)
        with translating(path, "write the file", SAFE):
            while rest:
                rest = rest[os.write(descriptor, rest) :]

    try:
        yield write
        with translating(path, "make the file durable", SAFE):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_free(folder: Folder, path: Path) -> None:
    if folder.look(path.name) is not None:
        taken = FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        raise store_error(taken, path, "put the file there", SAFE)


def _name(folder: Folder, part: str, path: Path) -> None:
    with translating(path, "put the file there", SAFE):
        # A link, unlike a renaming, never takes the place of what is there.
        os.link(part, path.name, src_dir_fd=folder.descriptor, dst_dir_fd=folder.descriptor)


@contextmanager
def _written(path: Path, data: bytes) -> Generator[tuple[Folder, str]]:
    """``data`` under a name of its own beside ``path``, for as long as the body runs."""
    with _part(path) as (folder, part):
        with _writer(folder, part, path) as write:
            write(data)
        yield folder, part


@contextmanager
def _part(path: Path) -> Generator[tuple[Folder, str]]:
    """A name beside ``path``, for what gets that path at the end; gone when the body has ended."""
    part = f".{path.name}.{os.getpid()}.part"
    with Folder.open(path.absolute().parent) as folder:
        _sweep(folder, path.name)
        try:
            yield folder, part
            folder.sync()
        finally:
            with suppress(OSError):
                os.unlink(part, dir_fd=folder.descriptor)


def _sweep(folder: Folder, name: str) -> None:
    """Remove what a run left that was killed while it wrote ``name``; a young one is let be."""
    with suppress(OSError, StoreError):
        for entry in folder.entries():
            if not entry.path.startswith(f".{name}.") or not entry.path.endswith(".part"):
                continue
            if not entry.path.removeprefix(f".{name}.").removesuffix(".part").isdecimal():
                continue
            state = os.stat(entry.path, dir_fd=folder.descriptor, follow_symlinks=False)
            if os.stat(folder.descriptor).st_mtime - state.st_mtime > LEFT_AFTER_S:
                os.unlink(entry.path, dir_fd=folder.descriptor)
