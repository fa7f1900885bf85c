"""One writer at a time: an exclusive lock on a file that says who holds it.

The lock is the kernel's and dies with its holder, however that ends; the text in the file is only
for the person who meets it.
"""

from __future__ import annotations

import fcntl
import os
from datetime import datetime

from hkex_ops.errors import StoreInUse
from hkex_ops.evidence import canonical, parse_object
from hkex_ops.flows.store.disk import Folder, translating
from hkex_ops.flows.store.files import SAFE

__all__ = ["LOCK_NAME", "Lock", "is_held", "is_locked"]

LOCK_NAME = ".lock"
LONGEST_BYTES = 4096


class Lock:
    """A lock that is held until :meth:`release`."""

    def __init__(
        self, folder: Folder, since: datetime, *, name: str = LOCK_NAME, what: str = "folder"
    ) -> None:
        """Take it, or raise `StoreInUse` saying who holds it.

        ``name`` is the lock file's and ``what`` says what it is of, where a folder has more than
        one thing to hold.
        """
        path = folder.path / name
        with translating(path, "open the lock file"):
            self._descriptor = folder.open_file(name, os.O_RDWR | os.O_CREAT)
        try:
            with translating(path, "lock the folder"):
                try:
                    fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise StoreInUse(
                        f"{what} in use {_holder(self._descriptor)}: wait until it has ended, "
                        "or end it",
                        path=str(folder.path),
                        safe=SAFE,
                    ) from None
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, _signed(since), 0)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the next one in; doing so again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def is_held(folder: Folder) -> bool:
    """Whether somebody holds the lock of ``folder`` just now.

    To be asked seldom: whoever takes the lock in the very moment of the question is refused it.
    """
    try:
        descriptor = folder.open_file(LOCK_NAME, os.O_RDONLY)
    except OSError:
        return False
    return is_locked(descriptor)


def is_locked(descriptor: int) -> bool:
    """Whether somebody has locked the file of ``descriptor``, which is closed; as `is_held`."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _signed(since: datetime) -> bytes:
    host = os.uname().nodename
    return (
        canonical({"pid": os.getpid(), "host": host, "since": since.isoformat(timespec="seconds")})
        + b"\n"
    )


def _holder(descriptor: int) -> str:
    try:
        stated = parse_object(os.pread(descriptor, LONGEST_BYTES, 0).removesuffix(b"\n"))
    except (OSError, ValueError):
        return "by another process"  # it has taken the lock and not yet signed
    return f"by pid {stated.get('pid')} on {stated.get('host')} since {stated.get('since')}"
