"""A report folder over SFTP: listing and reading, nothing else.

asyncssh's own SFTP server would serve the machine's disk; this one overrides every operation of
it, so that what a client reaches is the folder in memory and what a client changes is nothing.
A request to change something is refused and handed to ``refuse``, which books it. Made by
:mod:`hkex_ops_simulator.doors` for each SFTP session.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import AsyncIterator, Callable
from typing import NoReturn, TypeAlias

import asyncssh
from asyncssh.constants import FXF_READ
from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops_simulator.folder import FOLDER_NAME, FolderEntry, ReportFolder

__all__ = ["ReadOnlySftp", "Refuse"]

# Books a refused request: its kind and its detail.
Refuse: TypeAlias = Callable[[str, str], None]

_HOME = b"/"
_FOLDER = f"/{FOLDER_NAME}".encode()
_FILE_MODE = stat.S_IFREG | 0o444
_FOLDER_MODE = stat.S_IFDIR | 0o555


@frozen
class _OpenFile:
    """A file as it was when it was opened: a change in the folder leaves its reader alone."""

    content: bytes
    attributes: asyncssh.SFTPAttrs

    def seek(self, offset: int, whence: int) -> int:
        """Where data or a hole is next: asyncssh asks, so that a client can skip the holes."""
        if whence == os.SEEK_HOLE:
            return len(self.content)
        if offset >= len(self.content):
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return offset


def _changing(request: str) -> Callable[..., NoReturn]:
    """An operation that would change something: booked and refused."""

    def refused(self: ReadOnlySftp, *_: object, **__: object) -> NoReturn:
        self.deny(request)

    return refused


def _unsupported(request: str) -> Callable[..., NoReturn]:
    """An operation that changes nothing and that this service does not have."""

    def refused(*_: object, **__: object) -> NoReturn:
        raise asyncssh.SFTPOpUnsupported(f"{request} is not supported")

    return refused


class ReadOnlySftp(asyncssh.SFTPServer):
    """One SFTP session on one site's folder."""

    def __init__(
        self,
        channel: asyncssh.SSHServerChannel[bytes],
        folder: ReportFolder,
        refuse: Refuse,
    ) -> None:
        super().__init__(channel)  # pyright: ignore[reportUnknownMemberType] - asyncssh leaves it open
        self._folder = folder
        self._refuse = refuse

    def deny(self, request: str) -> NoReturn:
        """Book a request that would change something, and refuse it."""
        self._refuse("write", request)
        raise asyncssh.SFTPPermissionDenied("this folder is for reading only")

    # -- reading -----------------------------------------------------------------------------

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Open a report for reading; any other flag is a change."""
        del attrs
        if pflags & ~FXF_READ:
            self.deny("open")
        entry = self._entry(path)
        return _OpenFile(entry.content(), _file_attributes(entry))

    def close(self, file_obj: object) -> None:
        """Nothing is held that must be given back."""

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Bytes of an open report; none at its end."""
        return _opened(file_obj).content[offset : offset + size]

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """The attributes a report had when it was opened."""
        return _opened(file_obj).attributes

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """The attributes of the home, the folder or a report."""
        if _normal(path) in {_HOME, _FOLDER}:
            return _folder_attributes()
        return _file_attributes(self._entry(path))

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """The same as `stat`: there are no links."""
        return self.stat(path)

    def realpath(self, path: bytes) -> bytes:
        """The path from the home, which is the root of all there is."""
        return _normal(path)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """The entries of the home or of the folder."""
        where = _normal(path)
        if where not in {_HOME, _FOLDER}:
            self._entry(path)
            raise asyncssh.SFTPNotADirectory("not a folder")
        for name in (".", ".."):
            yield asyncssh.SFTPName(name.encode(), attrs=_folder_attributes())
        if where == _HOME:
            yield asyncssh.SFTPName(FOLDER_NAME.encode(), attrs=_folder_attributes())
            return
        for entry in self._folder.entries():
            yield asyncssh.SFTPName(entry.name.encode(), attrs=_file_attributes(entry))

    # -- everything else ---------------------------------------------------------------------

    write = _changing("write")
    setstat = _changing("setstat")
    lsetstat = _changing("lsetstat")
    fsetstat = _changing("fsetstat")
    remove = _changing("remove")
    mkdir = _changing("mkdir")
    rmdir = _changing("rmdir")
    rename = _changing("rename")
    posix_rename = _changing("posix_rename")
    symlink = _changing("symlink")
    link = _changing("link")
    fsync = _changing("fsync")
    open56 = _unsupported("open56")  # the server speaks SFTP version 3, where it is not asked
    readlink = _unsupported("readlink")
    lock = _unsupported("lock")
    unlock = _unsupported("unlock")
    statvfs = _unsupported("statvfs")
    fstatvfs = _unsupported("fstatvfs")

    def _entry(self, path: bytes) -> FolderEntry:
        parent, name = posixpath.split(_normal(path))
        try:
            if parent != _FOLDER:
                raise UsageError("only the folder holds files")
            return self._folder.entry(name.decode())
        except (UsageError, UnicodeDecodeError):
            raise asyncssh.SFTPNoSuchFile("no such file") from None


def _normal(path: bytes) -> bytes:
    """The path from the root, without dots; two leading slashes, special to POSIX, become one."""
    return b"/" + posixpath.normpath(posixpath.join(_HOME, path)).lstrip(b"/")


def _opened(file_obj: object) -> _OpenFile:
    if not isinstance(file_obj, _OpenFile):
        raise asyncssh.SFTPInvalidHandle("not an open report")
    return file_obj


def _file_attributes(entry: FolderEntry) -> asyncssh.SFTPAttrs:
    modified_s = int(entry.modified.timestamp())
    return asyncssh.SFTPAttrs(
        size=entry.size_bytes, permissions=_FILE_MODE, atime=modified_s, mtime=modified_s
    )


def _folder_attributes() -> asyncssh.SFTPAttrs:
    return asyncssh.SFTPAttrs(permissions=_FOLDER_MODE)
