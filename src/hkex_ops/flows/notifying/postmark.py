"""Who delivers: one process at a time. The kernel's lock, which dies with its holder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from hkex_ops.flows.store.disk import translating
from hkex_ops.flows.store.lock import is_locked

__all__ = ["Postmark", "somebody_delivers"]

POSTMARK_NAME = ".delivering"


class Postmark:
    """The lock of a folder, tried once. A context manager; ``is_ours`` says whether it was had."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / POSTMARK_NAME
        self._descriptor = -1
        self.is_ours: bool = False

    def __enter__(self) -> Postmark:
        with translating(self._path, "open the lock file"):
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.is_ours = True
        except BlockingIOError:
            self.is_ours = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)
        self.is_ours = False


def somebody_delivers(folder: Path) -> bool:
    """Whether a process holds the lock of ``folder`` now. For whoever only wants to know: ask it
    where it matters, since for an instant a deliverer that begins sees the lock taken."""
    path = folder / POSTMARK_NAME
    if not path.exists():
        return False
    with translating(path, "open the lock file"):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return is_locked(descriptor)
