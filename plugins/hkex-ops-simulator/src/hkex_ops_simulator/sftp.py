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
from attrs import frozen
from hkex_ops.errors import UsageError

from hkex_ops_simulator.folder import FolderEntry, ReportFolder

__all__ = ["FOLDER_NAME", "ReadOnlySftp", "Refuse"]

# The folder a client finds below its home.
FOLDER_NAME = "reports"

# Books a refused request: its kind and its detail.
Refuse: TypeAlias = Callable[[str, str], None]

_HOME = "/"
_FOLDER = f"/{FOLDER_NAME}"
_FILE_MODE = stat.S_IFREG | 0o444
_FOLDER_MODE = stat.S_IFDIR | 0o555
_WRITING = (
    asyncssh.FXF_WRITE | asyncssh.FXF_APPEND | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC
) | asyncssh.FXF_EXCL


@frozen
class _OpenFile:
    """A file as it was when it was opened: a change in the folder leaves its reader alone."""

    content: bytes
    attributes: asyncssh.SFTPAttrs

    def seek(self, offset: int, whence: int) -> int:
        """Where data or a hole is next: asyncssh asks so that it can skip holes; there are none."""
        if whence == os.SEEK_HOLE:
            return len(self.content)
        if offset >= len(self.content):
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
        return offset
