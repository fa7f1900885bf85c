"""Capture files read at any place, and whether one is whole. Called by the replay.

What one look at the lengths of records does not tell, the reader that knows all kinds tells.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from hkex_ops.flows.store.disk import translating
from hkex_ops.omd.capture import CaptureReader
from hkex_ops.omd.framing import HEAD_BYTES, framing_of
from hkex_ops.omd.outline import CaptureOutline

__all__ = ["OpenCapture", "require_whole"]

_SLICE_BYTES = 1 << 20


class OpenCapture:
    """A file that is read at any place; errors are said as the operator needs them."""

    size_bytes: int

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        with translating(self._path, "open the capture"):
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            self.size_bytes = os.fstat(self._descriptor).st_size
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def read(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset`` on; fewer only at the end."""
        with translating(self._path, "read the capture"):
            return os.pread(self._descriptor, size, offset)


def require_whole(file: OpenCapture, offset: int) -> None:
    """`WireError` when the capture is not whole from ``offset``, where a record begins."""
    head = file.read(HEAD_BYTES, 0)
    outline = CaptureOutline(head)
    if not offset:
        _, offset = framing_of(head)
    while data := file.read(_SLICE_BYTES, offset):
        outline.feed(data)
        offset += len(data)
    if outline.whole:
        return
    # It is damaged, or of a kind that lengths do not tell of: whoever reads it all knows.
    reader = CaptureReader()
    offset = 0
    while data := file.read(_SLICE_BYTES, offset):
        reader.feed(data)
        offset += len(data)
    reader.close()
