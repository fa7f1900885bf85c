"""The archive: a folder of reports that only grows, and a ledger that says what each of them is.

A report is placed in five steps, and a run that is killed between any two of them leaves nothing
half done: its bytes are durable in the staging folder; the intent to place it is committed; it is
linked to its final name; its row is chained, and the intent with it forgotten; the temporary name
goes. The next writer completes or drops each intent by looking at the disk.

Called by the report flows. Decides nothing about business dates or codes: they come with the
arrival.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import date, datetime
from pathlib import Path
from types import TracebackType

from hkex_ops.clock import Clock
from hkex_ops.errors import StoreError, UsageError
from hkex_ops.evidence import Finding
from hkex_ops.flows.store import layout, verifying
from hkex_ops.flows.store.disk import HASH_CHUNK_BYTES, Folder, translating
from hkex_ops.flows.store.files import StagedFile, Staging
from hkex_ops.flows.store.head import HeadFile
from hkex_ops.flows.store.held import Held
from hkex_ops.flows.store.ledger import Entry, Ledger
from hkex_ops.flows.store.lock import Lock, is_held
from hkex_ops.flows.store.partials import open_partial, sweep_partials
from hkex_ops.flows.store.planning import Plan, Planner
from hkex_ops.flows.store.reading import CONTENT_KEY, LISTING, NOT_FILES, UPLOAD, LedgerReader
from hkex_ops.flows.store.rows import (
    REPORTS,
    Arrival,
    FileRecord,
    Outcome,
    Placed,
    listing_body,
    listing_content,
    listing_of,
    path_of,
    removed_body,
)
from hkex_ops.model import JsonObject, ListedReport, Listing

__all__ = ["Archive", "Held"]


class Archive:
    """An open archive; get one from :meth:`open`. From any thread, by one caller at a time."""

    def __init__(
        self, folder: Folder, clock: Clock, reader: LedgerReader | StoreError, own: frozenset[str]
    ) -> None:
        self.folder: Path = folder.path
        self._root = folder
        self._clock = clock
        self._reader = reader
        self._own = own
        self._writer: tuple[Ledger, Staging] | None = None
        self._closing = ExitStack()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock,
        head_file: Path | None = None,
        read_only: bool = False,
    ) -> Archive:
        """Open the archive in ``folder``, for its one writer or, ``read_only``, for anybody.

        The first writer makes the folder, though not its parents. Opening for writing finishes
        what a killed run began. A reader takes no lock and changes nothing; a ledger too damaged
        to open is then found by :meth:`verify` and raised by every other method.

        ``head_file`` is where the ledger's head is kept, beside the ledger unless named.
        Raises `StoreError`: in use, a file, no parent, no permission, not empty and no archive,
        damaged ledger; and, for a reader, no archive.
        """
        head = HeadFile(head_file or folder / layout.HEAD_NAME)
        own = layout.own_names(folder, head.path)
        with ExitStack() as closing:
            if read_only:
                root = closing.enter_context(Folder.open(folder))
                layout.require_archive(root, own)
                reader = _reader(folder / layout.LEDGER_NAME, head)
                archive = cls(root, clock, reader, own)
                if isinstance(reader, LedgerReader):
                    closing.callback(reader.close)
            else:
                root = closing.enter_context(layout.make_root(folder))
                layout.refuse_foreign(root, own)
                closing.callback(Lock(root, clock.now()).release)
                staging = Staging(root.folder(layout.STAGING_NAME, make=True))
                closing.callback(staging.close)
                staging.sweep(sweep_partials(staging, clock.now()))
                root.folder(REPORTS, make=True).close()
                ledger = closing.enter_context(Ledger.open(folder / layout.LEDGER_NAME, head))
                archive = cls(root, clock, ledger, own)
                archive._writer = (ledger, staging)
                archive._recover(ledger)
            archive._closing = closing.pop_all()
        return archive

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop what was staged and never placed, and let go; doing so again does nothing."""
        self._closing.close()

    # -- writing -----------------------------------------------------------------------------

    def stage(self, listed: ListedReport) -> StagedFile:
        """A file to write a transfer into. `UsageError` for a name that `refusal` refuses."""
        _, staging = self._writing()
        layout.require_name(listed.name, "a report")
        return staging.create()

    def stage_large(self, service: str, listed: ListedReport) -> StagedFile:
        """A file to write a large transfer into, with what an earlier run has of the same report.

        Its size says where to go on: what is before was read again and is what was written then.
        """
        _, staging = self._writing()
        layout.require_name(listed.name, "a report")
        if listed.modified is None:
            return staging.create()
        return open_partial(staging, service, listed, listed.modified, self._clock.now())

    def place(self, arrivals: Sequence[Arrival], at: datetime) -> tuple[Placed, ...]:
        """Give transfers that were complete at ``at`` their place, in order, and record them.

        On return all of it is durable. Many at once share the cost of waiting for the disk.
        After a `StoreError` each of them is archived and recorded, or not there at all.
        """
        ledger, staging = self._writing()
        for arrival in arrivals:
            if arrival.file not in staging:
                raise UsageError(f"{arrival.listed.name} was discarded, or placed before")
        plans = Planner(self._root, ledger).plan(arrivals, at)
        linking = [plan for plan in plans if plan.links]
        staging.sync(plan.arrival.file for plan in linking)
        try:
            if linking:
                ledger.intend(plan.intent for plan in linking)
                self._link(staging, linking)
            entries = [
                Entry(plan.placed.outcome, plan.body, spelt=plan.spelt)
                for plan in plans
                if plan.body is not None
            ]
            if entries:
                settling = [plan.placed.path for plan in linking]
                ledger.append(entries, self._clock.now(), settling=settling)
        except StoreError:
            with suppress(StoreError):  # else the next writer does it
                self._recover(ledger)
            raise
        finally:
            for arrival in arrivals:
                arrival.file.discard()
        return tuple(plan.placed for plan in plans)

    def keep_listing(self, listing: Listing) -> None:
        """Keep a snapshot of the server's folder, sorted by name."""
        ledger, _ = self._writing()
        entry = Entry(LISTING, listing_body(listing), listing_content(listing))
        ledger.append([entry], self._clock.now())

    def keep_receipt(self, receipt: JsonObject, at: datetime) -> None:
        """Keep what is known of a file that was sent; its keys are the sender's."""
        ledger, _ = self._writing()
        ledger.append([Entry(UPLOAD, {"receipt": receipt})], at)

    def keep_intent(self, intent: JsonObject, at: datetime, *, refused: bool = False) -> None:
        """Keep that a file is about to be sent, so that a run which is killed leaves word of it; or
        that it was ``refused``, and is not there."""
        ledger, _ = self._writing()
        ledger.append([Entry(UPLOAD, {"refused" if refused else "intent": intent})], at)

    def unanswered(self, intent: JsonObject) -> str | None:
        """When this very file was last about to be sent, if neither a receipt nor a refusal came
        of it."""
        begun: str | None = None
        for record in self._ledger().records():
            body = record.body
            if record.kind != UPLOAD:
                continue
            receipt = body.get("receipt")
            if body.get("intent") == intent:
                begun = record.at
            elif body.get("refused") == intent or (
                isinstance(receipt, Mapping)
                and all(receipt.get(key) == value for key, value in intent.items())
            ):
                begun = None
        return begun

    def receipts(self) -> Iterator[JsonObject]:
        """The receipts of files that were sent, oldest first."""
        for record in self._ledger().records():
            receipt = record.body.get("receipt")
            if record.kind == UPLOAD and isinstance(receipt, Mapping):
                yield receipt

    def remove(self, rows: Sequence[FileRecord], at: datetime) -> None:
        """Take files out of the archive, each recorded first; the ledger keeps what they were.

        A run that is killed in between leaves a file whose row says that it was removed; doing it
        again takes it out.
        """
        ledger, _ = self._writing()
        entries = [
            Entry(Outcome.REMOVED, removed_body(row))
            for row in rows
            if row.outcome is not Outcome.REMOVED
        ]
        if entries:
            ledger.append(entries, at)
        for row in rows:
            *parents, name = path_of(row.identity, row.name, row.version)
            with self._root.folder(*parents) as folder:
                doing = "remove a file whose time is over"
                with translating(folder.path / name, doing), suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder.descriptor)
                folder.sync()

    # -- reading -----------------------------------------------------------------------------

    def held(self, service: str, business_date: date | None = None) -> Held:
        """What is held of ``service``, to be asked with ``listed in held``.

        With a date, only what is of that date: for names that have none of their own.
        """
        return Held(self._ledger(), self._root, service, business_date)

    def last_listing(self, service: str, business_date: date) -> Listing | None:
        """The latest snapshot taken in the work for ``business_date``; its reports by name."""
        ledger = self._ledger()
        record = ledger.last_listing(service, business_date.isoformat())
        if record is None:
            return None
        try:
            return listing_of(record.body, ledger.content(str(record.body.get(CONTENT_KEY))))
        except ValueError as error:
            raise layout.changed_row(ledger.path, record, error) from None

    def recorded(
        self, *, service: str | None = None, business_date: date | None = None, after: int = 0
    ) -> Iterator[FileRecord]:
        """The rows of files, oldest first; those of one service or date where one is named.

        ``after`` leaves out the rows up to that one of the ledger.
        """
        ledger = self._ledger()
        if service is not None and business_date is not None:
            for record in ledger.files_of(service, business_date.isoformat()):
                yield layout.read_row(ledger, record)
            return
        for record in ledger.records(after=after or None):
            if record.kind in NOT_FILES:
                continue
            row = layout.read_row(ledger, record)
            if service in (None, row.identity.service) and business_date in (
                None,
                row.identity.business_date,
            ):
                yield row

    def read(self, path: str) -> Iterator[bytes]:
        """An archived file, piece by piece; `StoreError` when it cannot be read."""
        with self._root.reading(*path.split("/")) as file, translating(path, "read the file"):
            while data := file.read(HASH_CHUNK_BYTES):
                yield data

    def lies_there(self, row: FileRecord) -> bool:
        """Whether the file of a row is on the disk, by its size."""
        return layout.lies_there(self._root, row)

    def ledger_files(self) -> Iterator[tuple[str, bytes]]:
        """The ledger and its head as they are: whole, for nobody else writes to them now."""
        ledger, _ = self._writing()
        with translating(ledger.path, "read the ledger"):
            yield layout.LEDGER_NAME, ledger.path.read_bytes()
            yield layout.HEAD_NAME, ledger.head_path.read_bytes()

    @property
    def is_worked_in(self) -> bool:
        """Whether a run works in it just now, this one included."""
        return is_held(self._root)

    def first_business_date(self, service: str) -> date | None:
        """The earliest business date of any file of ``service``; nothing when none is recorded."""
        first = self._ledger().first_business_date(service)
        return None if first is None else date.fromisoformat(first)

    def verify(self, *, deep: bool = True) -> tuple[Finding, ...]:
        """Everything in which files and ledger are not what they were when they were recorded.

        Without ``deep`` the content of files is not read: only what is there and how large.
        """
        return verifying.verify(self._root, self._reader, self._own, deep=deep)

    # -- within ------------------------------------------------------------------------------

    def _ledger(self) -> LedgerReader:
        if isinstance(self._reader, StoreError):
            raise self._reader
        return self._reader

    def _writing(self) -> tuple[Ledger, Staging]:
        if self._writer is None:
            raise UsageError("this archive was opened for reading only")
        return self._writer

    def _link(self, staging: Staging, plans: Sequence[Plan]) -> None:
        """Link every file to its final name, then make each folder durable once."""
        with ExitStack() as closing:
            folders: dict[tuple[str, ...], Folder] = {}
            for plan in plans:
                *parents, name = plan.placed.path.split("/")
                place = tuple(parents)
                if place not in folders:
                    folders[place] = closing.enter_context(self._root.folder(*parents, make=True))
                staging.link(plan.arrival.file, folders[place], name)
            for folder in folders.values():
                folder.sync()

    def _recover(self, ledger: Ledger) -> None:
        """Complete each intent whose file stands, forget the others."""
        intents = ledger.intents()
        standing = [intent for intent in intents if layout.stands(self._root, intent)]
        if standing:
            entries = [Entry(intent.kind, intent.body) for intent in standing]
            ledger.append(entries, self._clock.now(), settling=[one.path for one in standing])
        if len(standing) < len(intents):
            ledger.drop_intents(intent.path for intent in intents)


def _reader(path: Path, head: HeadFile) -> LedgerReader | StoreError:
    try:
        return LedgerReader.open(path, head)
    except StoreError as error:
        return error
