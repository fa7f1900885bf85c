"""The logs of incidents on disk: a chained journal each, below ``incidents/`` of the work folder.

A line is durable before anybody is told that it was entered, so whoever is killed leaves at worst
half a line, which the next writer drops and tells. Reading proves the chain, and compares it with
the head that is kept in another folder: lines changed, taken away or cut off at the end are found.
One writes at a time, for as long as one entry takes; whoever has to wait too long is told for whom.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from time import sleep

from hkex_ops.calendars import Calendar
from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError, StoreInUse, UsageError
from hkex_ops.evidence import GENESIS, Head, Record
from hkex_ops.flows.incidents.spelling import entry_of, kind_of, spelt
from hkex_ops.flows.journal import JOURNAL_NAME, Journal, read_journal
from hkex_ops.flows.store.disk import EntryKind, Folder, translating
from hkex_ops.flows.store.head import HeadFile, HeadState
from hkex_ops.flows.store.lock import Lock
from hkex_ops.incidents import (
    Close,
    Correct,
    DeadlineRule,
    Given,
    IncidentEvent,
    IncidentLog,
    IncidentSnapshot,
    OpenIncident,
    Reopen,
)

__all__ = ["CLOSED", "INCIDENTS", "IncidentStore", "LogWriter", "require_id"]

INCIDENTS = "incidents"
"""The folder of all logs, below the work folder."""

CLOSED = ".closed"
"""A file beside the journal of a closed incident: a hint for whoever looks for open ones."""

_HEADS = ".heads"
_MAY_OPEN = (Reopen, Correct)
_MAY_CLOSE = (Close, Correct)
_TRIES, _PAUSE_S = 300, 0.01
"""How long a writer waits for another one: three seconds, where an entry takes milliseconds."""

MOST_A_DAY = 1_000
"""Incidents that get a number of one day by themselves."""

LONGEST_LINE_BYTES = 1 << 20
"""A line is shorter: a text has an end, and so have the names of systems."""

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


def require_id(id: str) -> None:
    """`UsageError` unless ``id`` can name an incident."""
    if not _ID.fullmatch(id) or id.endswith("."):
        raise UsageError(
            f"{id!a} cannot name an incident: use small letters, digits, hyphens and dots, as in "
            "2010-01-22-1"
        )


class LogWriter:
    """One incident's log while it is written to; get one from :meth:`IncidentStore.writing`."""

    def __init__(
        self, journal: Journal, log: IncidentLog, head: HeadFile, folder: Folder, clock: Clock
    ) -> None:
        self.log = log
        self._journal = journal
        self._folder = folder
        self._head = head
        self._clock = clock

    def enter(self, given: Given) -> tuple[IncidentEvent, ...]:
        """Add an entry; it is durable when this returns. `UsageError` for what makes no sense."""
        number = self._journal.head.sequence + 1
        before = self.log.snapshot()
        events = self.log.handle(given, self._clock.now(), number=number)
        if isinstance(given.what, _MAY_OPEN):
            self._unmark()
        try:
            self._journal.record(kind_of(given.what), spelt(given))
        except StoreError:
            self.log.restore(before)
            raise
        self._head.write(HeadState(self._journal.head))
        if isinstance(given.what, _MAY_CLOSE) and not self.log.view.is_open:
            self._folder.replace(CLOSED, b"")
        return events

    def _unmark(self) -> None:
        """No mark says closed while the log may say open: it goes before the line is written."""
        path = self._folder.path / CLOSED
        with translating(path, "remove the mark of a closed incident"), suppress(FileNotFoundError):
            os.unlink(CLOSED, dir_fd=self._folder.descriptor)
        self._folder.sync()


class IncidentStore:
    """All incidents below one work folder."""

    def __init__(
        self,
        work: Path,
        clock: Clock,
        *,
        rules: Sequence[DeadlineRule] = (),
        calendar: Calendar | None = None,
    ) -> None:
        self.folder: Path = work / INCIDENTS
        self._clock = clock
        self._rules = tuple(rules)
        self._calendar = calendar

    def ids(self) -> tuple[str, ...]:
        """The ids of the incidents that were opened, by name."""
        if not self.folder.is_dir():
            return ()
        with Folder.open(self.folder) as root:
            found = [
                one.path
                for one in root.entries()
                if one.kind is EntryKind.FOLDER and _ID.fullmatch(one.path)
            ]
            return tuple(id for id in found if _is_begun(root, id))

    def open_ids(self) -> tuple[str, ...]:
        """The ids of the incidents that may be open: all but those that are marked as closed.

        Years of closed ones cost nothing then. Whether one is open its log says.
        """
        found = self.ids()
        if not found:
            return ()
        with Folder.open(self.folder) as root:
            return tuple(id for id in found if root.look(id, CLOSED) is None)

    def read(self, id: str) -> IncidentLog:
        """The log of an incident, proven whole.

        Raises `UsageError` for one that is not known and `StoreError` for one that is damaged.
        """
        require_id(id)
        records = self._records(id)
        log = self._log(id, records)
        if not any(isinstance(one.given.what, OpenIncident) for one in log.entries):
            near = get_close_matches(id, self.ids(), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "see incident list"
            raise UsageError(f"there is no incident {id!r}; {hint}")
        return log

    def head(self, id: str) -> Head:
        """The seal of an incident's last entry."""
        records = self._records(id)
        return records[-1].head if records else GENESIS

    def open(self, given: Given, id: str | None = None) -> tuple[str, tuple[IncidentEvent, ...]]:
        """Open an incident; its id is told, or made of its business date and a number."""
        if not isinstance(given.what, OpenIncident):
            raise UsageError("an incident begins by being opened")
        if id is not None:
            require_id(id)
        with self._root() as root, self._alone(root, ".lock-open", "opening an incident is"):
            named = id or self._free(f"{given.what.business_date.isoformat()}")
            with self.writing(named, opening=True) as writer:
                return named, writer.enter(given)

    @contextmanager
    def writing(self, id: str, *, opening: bool = False) -> Generator[LogWriter]:
        """The log of ``id``, alone for as long as the body runs."""
        require_id(id)
        if not opening:
            self.read(id)  # an unknown one gets no folder
        with (
            self._root() as root,
            root.folder(id, make=True) as folder,
            self._alone(folder, ".lock", f"incident {id} is"),
            Journal.open(self.folder, id, clock=self._clock) as journal,
        ):
            head = self._head(id)
            records = journal.entries()
            self._require_head(id, records, head.read())
            log = self._log(id, records)
            yield LogWriter(journal, log, head, folder, self._clock)

    # -- what is on the disk -----------------------------------------------------------------------

    @contextmanager
    def _root(self) -> Generator[Folder]:
        with translating(self.folder, "make the folder of incidents"):
            (self.folder / _HEADS).mkdir(parents=True, exist_ok=True)
        with Folder.open(self.folder) as root:
            yield root

    @contextmanager
    def _alone(self, folder: Folder, name: str, what: str) -> Generator[None]:
        lock = self._lock(folder, name, what)
        try:
            yield
        finally:
            lock.release()

    def _lock(self, folder: Folder, name: str, what: str) -> Lock:
        since = self._clock.now()
        for _ in range(_TRIES):
            with suppress(StoreInUse):
                return Lock(folder, since, name=name, what=what)
            sleep(_PAUSE_S)
        return Lock(folder, since, name=name, what=what)

    def _records(self, id: str) -> tuple[Record, ...]:
        # The head first: whoever writes meanwhile makes the chain longer, and not shorter.
        state = self._head(id).read() if (self.folder / _HEADS).is_dir() else None
        records = read_journal(self.folder, id) if self.folder.is_dir() else ()
        self._require_head(id, records, state)
        return records

    def _require_head(self, id: str, records: Sequence[Record], state: HeadState | None) -> None:
        if state is None or state.head.sequence == 0:
            return
        known = state.head
        at = known.sequence
        if len(records) < at or Head(at, records[at - 1].digest) != known:
            raise StoreError(
                f"the log of incident {id} ends before entry {at}, or entry {at} is another one: "
                "lines were cut off or changed; put back your backup",
                path=str(self.folder / id / JOURNAL_NAME),
                safe=f"entries 1 to {len(records)} form a chain" if records else "",
            )

    def _log(self, id: str, records: Sequence[Record]) -> IncidentLog:
        log = IncidentLog(id, rules=self._rules, calendar=self._calendar)
        try:
            log.restore(IncidentSnapshot(tuple(entry_of(record) for record in records)))
        except (ValueError, UsageError) as error:
            path = str(self.folder / id / JOURNAL_NAME)
            raise StoreError(f"holds an entry that no log can hold: {error}", path=path) from error
        return log

    def _head(self, id: str) -> HeadFile:
        return HeadFile(self.folder / _HEADS / f"{id}.json")

    def _free(self, stem: str) -> str:
        for number in range(1, MOST_A_DAY):
            id = f"{stem}-{number}"
            if not read_journal(self.folder, id):
                return id
        raise UsageError(f"{MOST_A_DAY} incidents of {stem} are open: name this one, with --id")


def _is_begun(root: Folder, id: str) -> bool:
    """Whether a whole line stands in the journal; whether it is sound, reading it tells."""
    found = root.look(id, JOURNAL_NAME)
    if found is None or not found.size_bytes:
        return False
    with root.reading(id, JOURNAL_NAME) as file:
        return b"\n" in file.read(LONGEST_LINE_BYTES)
