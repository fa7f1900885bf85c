"""SHA-256 worked out beside the writing: one thread for all files that are being written.

To hash costs about as much as to write, and hashing large pieces does not hold the interpreter. Who
writes is kept waiting once a few megabytes are to be counted. Pieces are counted in the order in
which they were given.
"""

from __future__ import annotations

import threading
from queue import Queue
from typing import Protocol

__all__ = ["Digesting", "Hashing"]

WAITING_PIECES = 16
"""Pieces that may wait to be counted; they are of a quarter of a megabyte."""


class Digesting(Protocol):
    """What counts bytes, as `hashlib` has it."""

    def update(self, data: bytes, /) -> None:
        """Count ``data`` behind what was counted before."""


class Hashing:
    """Counts pieces in a thread, which is begun with the first of them."""

    def __init__(self) -> None:
        self._waiting: Queue[tuple[Digesting, bytes] | None] = Queue(WAITING_PIECES)
        self._thread: threading.Thread | None = None

    def count(self, digest: Digesting, data: bytes) -> None:
        """See to it that ``digest`` counts ``data``, which nobody may change any more."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hashing", daemon=True)
            self._thread.start()
        self._waiting.put((digest, data))

    def settle(self) -> None:
        """Wait until everything that was given is counted."""
        if self._thread is not None:
            self._waiting.join()

    def close(self) -> None:
        """End the thread; what was given is counted first."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while (piece := self._waiting.get()) is not None:
            digest, data = piece
            digest.update(data)
            self._waiting.task_done()
        self._waiting.task_done()
