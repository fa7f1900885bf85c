"""The journal of a rollout: everything that was worked, answered and decided, one line each.

An append-only file of hash-chained JSON lines in the work folder, ``ROLLOUT/journal.jsonl``. A
line is on the disk before anybody is told that it was kept, so a process may be killed at any
moment: at worst the last line is torn, and whoever writes next drops it and says so in the
journal. Lines before it never change. Several people write at one time: a writer locks the file
for as long as one line takes, and first reads what others added. Who *works a session* holds a
lock of that session as long as it takes.

Files that belong to an entry (attachments, folder listings) lie beside it under ``kept/``; the
entry carries their SHA-256.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from time import sleep
from types import TracebackType

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import GENESIS, Head, Record, append, digest
from hkex_ops.evidence.chain import format_record, parse_record
from hkex_ops.flows.store.disk import Folder, translating
from hkex_ops.flows.store.lock import Lock
from hkex_ops.flows.store.names import refusal
from hkex_ops.model import JsonObject
from hkex_ops.rundown import done_ids

__all__ = ["Journal", "done_in", "read_journal"]

JOURNAL_NAME = "journal.jsonl"
KEPT_NAME = "kept"

LONGEST_JOURNAL_BYTES = 256 << 20
"""A journal beyond this is taken to be damage; a rollout of a year fills less than one in 100."""

_TRIES, _PAUSE_S = 500, 0.01
"""How long a writer waits for another one's line: five seconds, where a line takes milliseconds."""

_SAFE = "the entries before it are whole"


class Journal:
    """A journal that is written to; get one from :meth:`open`. A context manager."""

    def __init__(self, folder: Folder, descriptor: int, clock: Clock) -> None:
        self.folder = folder
        self.path: Path = folder.path / JOURNAL_NAME
        self._descriptor = descriptor
        self._clock = clock
        self._head: Head = GENESIS
        self._size = 0
        self._entries: list[Record] = []
        self.dropped_bytes: int = 0

    @classmethod
    def open(cls, work: Path, rollout: str, *, clock: Clock) -> Journal:
        """The journal of ``rollout`` below the folder ``work``, both made when they are not there.

        A torn last line is dropped, counted in ``dropped_bytes`` and told by an entry. Raises
        `StoreError` when the file is damaged or cannot be written.
        """
        _require_name(rollout, "a rollout")
        with translating(work, "make the work folder"):
            work.mkdir(parents=True, exist_ok=True)
        with Folder.open(work) as root:
            folder = root.folder(rollout, make=True)
        try:
            with translating(folder.path / JOURNAL_NAME, "open the journal"):
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
                descriptor = folder.open_file(JOURNAL_NAME, flags)
        except StoreError:
            folder.close()
            raise
        journal = cls(folder, descriptor, clock)
        try:
            folder.sync()
            journal.entries()
        except BaseException:
            journal.close()
            raise
        return journal

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it; doing so again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self.folder.close()

    @property
    def head(self) -> Head:
        """The end of the chain as this process last saw it."""
        return self._head

    def entries(self) -> tuple[Record, ...]:
        """Every entry, those that others added since included."""
        with self._alone():
            self._catch_up()
        return tuple(self._entries)

    def record(self, kind: str, body: JsonObject) -> Record:
        """Chain an entry that is made now; it is durable when this returns."""
        with self._alone():
            self._catch_up()
            return self._append(kind, body)

    def keep(self, path: str, content: bytes) -> str:
        """Put a file beside the journal, durably; its SHA-256, for the entry that speaks of it.

        A file of that path which no entry speaks of yet is replaced: a killed run left it.
        """
        *parents, name = path.split("/")
        for part in (*parents, name):
            _require_name(part, "a kept file")
        with self.folder.folder(KEPT_NAME, *parents, make=True) as folder:
            folder.replace(name, content)
        return digest(content)

    def kept(self, path: str) -> bytes:
        """The content of a kept file."""
        with self.folder.reading(KEPT_NAME, *path.split("/")) as file:
            return file.read()

    def working(self, session: str, since: datetime) -> Lock:
        """The lock of whoever works ``session``; `StoreError` says who holds it."""
        _require_name(session, "a session")
        return Lock(self.folder, since, name=f".lock-{session}", what=f"session {session} is")

    @contextmanager
    def _alone(self) -> Generator[None]:
        """No other process writes meanwhile. The kernel's lock: it dies with its holder."""
        if self._descriptor < 0:
            raise UsageError(f"the journal {self.path} is closed")
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                sleep(_PAUSE_S)
        else:
            raise StoreError("another process is writing to it: end that one", path=str(self.path))
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def _append(self, kind: str, body: JsonObject) -> Record:
        record = append(self._head, self._clock.now(), kind, body)
        line = format_record(record)
        try:
            with translating(self.path, "add to the journal", _SAFE):
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
                os.fsync(self._descriptor)
        except StoreError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._take(record, len(line))
        return record

    def _catch_up(self) -> None:
        """Read what others added. Under the lock nobody is writing: a torn line stays torn."""
        with translating(self.path, "read the journal"):
            end = os.fstat(self._descriptor).st_size
            if end == self._size:
                return
            if not self._size < end <= LONGEST_JOURNAL_BYTES:
                raise _damaged(self.path, self._head)
            data = _read(self._descriptor, self._size, end - self._size)
        whole = data[: data.rfind(b"\n") + 1]
        for record, size in _records(whole, self._head, self.path):
            self._take(record, size)
        if len(whole) < len(data):
            with translating(self.path, "drop a torn line", _SAFE):
                os.ftruncate(self._descriptor, self._size)
                os.fsync(self._descriptor)
            dropped = len(data) - len(whole)
            self.dropped_bytes += dropped
            self._append("torn-line-dropped", {"size_bytes": dropped})

    def _take(self, record: Record, size: int) -> None:
        self._entries.append(record)
        self._head = record.head
        self._size += size


def read_journal(work: Path, rollout: str) -> tuple[Record, ...]:
    """The entries of ``rollout`` below ``work``; none where nothing was kept yet.

    Makes nothing and locks nothing. A last line without an end is left out: somebody may be
    writing it. Raises `StoreError` when the file is damaged.
    """
    _require_name(rollout, "a rollout")
    try:
        with Folder.open(work) as root, root.reading(rollout, JOURNAL_NAME) as file:
            data = file.read(LONGEST_JOURNAL_BYTES)
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return ()
        raise
    whole = data[: data.rfind(b"\n") + 1]
    path = work / rollout / JOURNAL_NAME
    return tuple(record for record, _ in _records(whole, GENESIS, path))


def done_in(work: Path, rollouts: Iterable[str]) -> frozenset[str]:
    """The ids of agenda items that are done, by the journals of ``rollouts`` below ``work``."""
    done: set[str] = set()
    for rollout in rollouts:
        done |= done_ids(rollout, ((one.kind, one.body) for one in read_journal(work, rollout)))
    return frozenset(done)


def _records(data: bytes, head: Head, path: Path) -> Generator[tuple[Record, int]]:
    """The records in whole lines that follow ``head``, each with its length on the disk."""
    for line in data.splitlines(keepends=True):
        try:
            record = parse_record(line)
            again = append(head, datetime.fromisoformat(record.at), record.kind, record.body)
        except ValueError:
            raise _damaged(path, head) from None
        if record != again:
            raise _damaged(path, head)
        yield record, len(line)
        head = record.head


def _read(descriptor: int, start: int, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := os.pread(descriptor, size, start)):
        parts.append(part)
        start, size = start + len(part), size - len(part)
    return b"".join(parts)


def _damaged(path: Path, head: Head) -> StoreError:
    return StoreError(
        f"is damaged after entry {head.sequence}: it was changed from outside; put back your "
        "backup, or keep this folder for inspection and name a new one with --work",
        path=str(path),
        safe=f"entries 1 to {head.sequence} are whole" if head.sequence else "",
    )


def _require_name(name: str, what: str) -> None:
    if (reason := refusal(name)) is not None:
        raise UsageError(f"{name!a} cannot be the name of {what} in a work folder: it {reason}")
