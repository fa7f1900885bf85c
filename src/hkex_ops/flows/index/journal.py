"""The journal of a run: what was published, which mode held, what was quarantined, one line each.

An append-only file of hash-chained JSON lines in the run folder. The supervisor writes a line
*before* the thing it tells of leaves the house, so that after a kill at any moment the journal
names at least everything that was published, and nothing is published twice. Only the end of the
chain is kept in memory: a day has ten thousand lines. One process writes (it holds the run
folder's lock); anybody reads.

A line is safe from the death of this process when :meth:`RunJournal.record` returns, and from the
death of the machine when it was made durable: at once for what decides how to go on, within
`SYNC_EVERY_S` for ticks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import GENESIS, Head, Record, append
from hkex_ops.evidence.chain import format_record, parse_record
from hkex_ops.flows.store.disk import Folder, translating
from hkex_ops.model import JsonObject

__all__ = ["JOURNAL_NAME", "SYNC_EVERY_S", "RunJournal", "read_run_journal"]

JOURNAL_NAME = "journal.jsonl"

SYNC_EVERY_S = 1
"""How long a line of ticks may wait to be safe from the death of the machine."""

LONGEST_LINE_BYTES = 4 << 20
"""A line beyond this is taken to be damage: the ticks of a thousand indexes fill a tenth."""

_SAFE = "the entries before it are whole"


class RunJournal:
    """A journal that is written to; get one from :meth:`open`."""

    def __init__(self, path: Path, descriptor: int, clock: Clock) -> None:
        self.path = path
        self.head: Head = GENESIS
        self.dropped_bytes: int = 0
        self._descriptor = descriptor
        self._clock = clock
        self._size = 0

    @classmethod
    def open(
        cls, folder: Folder, clock: Clock, *, restore: Callable[[Record], None] = lambda _: None
    ) -> RunJournal:
        """The journal in the run folder ``folder``, made when it is not there.

        Every entry is handed to ``restore``, oldest first. A torn last line is dropped and told
        by an entry. Raises `StoreError` when the file is damaged or cannot be written.
        """
        path = folder.path / JOURNAL_NAME
        with translating(path, "open the journal"):
            descriptor = folder.open_file(JOURNAL_NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        journal = cls(path, descriptor, clock)
        try:
            folder.sync()
            journal._catch_up(restore)
        except BaseException:
            journal.close()
            raise
        return journal

    def close(self) -> None:
        """Make it durable and let go of it; doing so again does nothing."""
        if self._descriptor >= 0:
            # Whoever closes has nothing left to publish: a disk that fails now hides nothing.
            with suppress(OSError):
                os.fdatasync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def record(self, kind: str, body: JsonObject, *, durable: bool = False) -> Record:
        """Chain an entry that is made now; ``durable`` waits for the disk too."""
        if self._descriptor < 0:
            raise UsageError(f"the journal {self.path} is closed")
        record = append(self.head, self._clock.now(), kind, body)
        line = format_record(record)
        try:
            with translating(self.path, "add to the journal", _SAFE):
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
                if durable:
                    os.fdatasync(self._descriptor)
        except StoreError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self.head = record.head
        self._size += len(line)
        return record

    def sync(self) -> None:
        """Make every entry durable. May be called by another thread than the writer's."""
        with translating(self.path, "make the journal durable", _SAFE):
            os.fdatasync(self._descriptor)

    def _catch_up(self, restore: Callable[[Record], None]) -> None:
        with translating(self.path, "read the journal"):
            size = os.fstat(self._descriptor).st_size
            file = os.fdopen(os.dup(self._descriptor), "rb")
        with file:
            for record, length in _whole_records(file, self.path):
                restore(record)
                self.head = record.head
                self._size += length
        if self._size < size:
            with translating(self.path, "drop a torn line", _SAFE):
                os.ftruncate(self._descriptor, self._size)
            self.dropped_bytes = size - self._size
            self.record("torn-line-dropped", {"size_bytes": self.dropped_bytes}, durable=True)


def read_run_journal(path: Path) -> Iterator[Record]:
    """The entries of a journal file, oldest first; none where there is no file.

    Makes nothing and locks nothing. A last line without an end is left out: somebody may be
    writing it. Raises `StoreError` when the file is damaged.
    """
    try:
        with translating(path, "read the journal"):
            file = path.open("rb")
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return
        raise
    with file:
        yield from (record for record, _ in _whole_records(file, path))


def _whole_records(file: BinaryIO, path: Path) -> Generator[tuple[Record, int]]:
    """The records in whole lines, each checked against the one before, with its length."""
    head = GENESIS
    while True:
        with translating(path, "read the journal"):
            line = file.readline(LONGEST_LINE_BYTES)
        if not line.endswith(b"\n"):
            if len(line) == LONGEST_LINE_BYTES:
                raise _damaged(path, head)
            return
        try:
            record = parse_record(line)
            again = append(head, datetime.fromisoformat(record.at), record.kind, record.body)
        except ValueError:
            raise _damaged(path, head) from None
        if record != again:
            raise _damaged(path, head)
        yield record, len(line)
        head = record.head


def _damaged(path: Path, head: Head) -> StoreError:
    return StoreError(
        f"is damaged after entry {head.sequence}: it was changed from outside; put back your "
        "backup, or keep this folder for inspection and name another run folder",
        path=str(path),
        safe=f"entries 1 to {head.sequence} are whole" if head.sequence else "",
    )
