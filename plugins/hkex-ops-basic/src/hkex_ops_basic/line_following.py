"""The lines of a file as they come to stand in it, and of the one that takes its name after it.

A line is given once it has its end. Knows nothing of what the lines say, and waits for nobody: who
finds no more asks again later. Called by :mod:`hkex_ops_basic.json_lines`, in a thread.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hkex_ops.errors import ConfigError, Rejected
from hkex_ops.model.ticks import LONGEST_DOCUMENT_CHARACTERS
from hkex_ops_basic.line_files import file_error

__all__ = ["Line", "LineFollower"]

# At one look; whatever is the longest line is in it whole.
LOOK_BYTES = 2 * LONGEST_DOCUMENT_CHARACTERS


class Line(NamedTuple):
    """A line without its end, and the place of its first byte."""

    offset: int
    content: bytes


class LineFollower:
    """Reads the file at ``path`` from its first line, or from its end.

    A file that is not there yet is waited for when ``may_come``. Raises `ConfigError` for one that
    is not there and shall not come, or has no folder.
    """

    def __init__(self, path: Path, *, from_end: bool, may_come: bool) -> None:
        self.path = path
        self._offset = 0
        self._descriptor: int | None = None
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if from_end:
                self._offset = _end_of_last_line(self._descriptor)
        except FileNotFoundError:
            if not path.parent.is_dir():
                raise ConfigError(f"there is no folder {path.parent}: name another file") from None
            if not may_come:
                raise ConfigError(f"there is no file {path}: name another one") from None
        except OSError as error:
            self.close()
            raise file_error(error, f"opening {path}") from error

    def more(self) -> list[Line]:
        """The next lines, as many as one look shows; none when there are no more just now.

        Raises `Rejected` when the file was cut short or a line has no end, and `Unreachable` when
        it can no longer be read.
        """
        try:
            return self._more() or (self._more() if self._went_on() else [])
        except OSError as error:
            raise file_error(error, f"reading {self.path}") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _more(self) -> list[Line]:
        if self._descriptor is None:
            return []
        seen = os.pread(self._descriptor, LOOK_BYTES, self._offset)
        if not seen and os.fstat(self._descriptor).st_size < self._offset:
            raise Rejected(
                f"{self.path} was cut short behind its reader, so ticks may be lost: read it from "
                "the start, and rotate it by renaming"
            )
        whole = seen[: seen.rfind(b"\n") + 1]
        if not whole and len(seen) == LOOK_BYTES:
            raise Rejected(f"{self.path} has no line end after byte {self._offset}: no such file")
        lines: list[Line] = []
        for content in whole.splitlines(keepends=True):
            lines.append(Line(self._offset, content.rstrip(b"\n")))
            self._offset += len(content)
        return lines

    def _went_on(self) -> bool:
        """Whether the name is another file's now, which is then the one that is read."""
        with suppress(FileNotFoundError):
            there = self.path.stat()
            if self._descriptor is None or not os.path.samestat(os.fstat(self._descriptor), there):
                # What was added between the last look and the renaming is read before.
                if self._descriptor is not None and self._behind():
                    return True
                self.close()
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
                self._offset = 0
                return True
        return False

    def _behind(self) -> bool:
        """Whether there is a whole line left in the file that was moved away."""
        assert self._descriptor is not None, "somebody asks of an open file"
        return b"\n" in os.pread(self._descriptor, LOOK_BYTES, self._offset)


def _end_of_last_line(descriptor: int) -> int:
    """Where the last whole line ends; a half one is left to be read when it is whole."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - LOOK_BYTES)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
