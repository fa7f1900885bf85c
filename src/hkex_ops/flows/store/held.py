"""What the archive holds of a service, asked entry by entry or for a whole folder at once.

A folder of twenty thousand names is a question to the ledger for every five thousand of them and
one look at each folder of the archive, not twenty thousand of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from hkex_ops.flows.store import layout
from hkex_ops.flows.store.disk import EntryKind, Folder
from hkex_ops.flows.store.names import refusal, versioned
from hkex_ops.flows.store.reading import FileNotes, LedgerReader
from hkex_ops.flows.store.rows import REPORTS
from hkex_ops.model import ListedReport

__all__ = ["Held"]

MANY = 100
"""From so many entries on they are looked up together."""

NAMES_AT_ONCE = 5000
"""In one question to the ledger, so that its answer is of bounded size."""


class Held:
    """What the archive holds of one service: ``listed in held``.

    Held is an entry whose name, size and modification time were recorded before and whose file
    still lies in the archive. An entry without a modification time never is: size and name alone
    prove nothing, and fetching it again does no harm. Where names have no date of their own, only
    what is held of ``business_date`` counts. What :meth:`look_up` was told of is answered
    as things were then.
    """

    def __init__(
        self,
        ledger: LedgerReader,
        folder: Folder,
        service: str,
        business_date: date | None = None,
    ) -> None:
        self._business_date = business_date
        self._ledger = ledger
        self._folder = folder
        self._service = service
        self._answers: dict[str, tuple[ListedReport, bool]] = {}

    def look_up(self, listed: Sequence[ListedReport]) -> None:
        """Learn of many entries at once, which is cheaper than of one after the other."""
        if len(listed) < MANY:
            return
        sizes: dict[str, dict[str, int]] = {}
        for at in range(0, len(listed), NAMES_AT_ONCE):
            some = {
                report.name: report
                for report in listed[at : at + NAMES_AT_ONCE]
                if report.name not in self._answers and refusal(report.name) is None
            }
            self._answers.update((name, (report, False)) for name, report in some.items())
            for notes in self._ledger.notes_of(self._service, tuple(some)):
                report = some[notes.name]
                if self._is(notes, report, sizes):
                    self._answers[report.name] = report, True

    def __contains__(self, listed: ListedReport) -> bool:
        if listed.modified is None:
            return False
        known, is_held = self._answers.get(listed.name, (None, False))
        if known is listed:
            return is_held
        if refusal(listed.name) is not None:
            return False
        rows = layout.file_records(self._ledger, self._service, listed.name)
        return any(
            (row.size_bytes, row.modified) == (listed.size_bytes, listed.modified)
            and self._business_date in (None, row.identity.business_date)
            and layout.lies_there(self._folder, row)
            for row in rows
        )

    def _is(self, notes: FileNotes, listed: ListedReport, sizes: dict[str, dict[str, int]]) -> bool:
        """Whether it is what was listed and lies there. In one piece: twenty thousand are asked."""
        name, size_bytes, modified, day, version = notes
        if size_bytes != listed.size_bytes or modified is None or listed.modified is None:
            return False
        if self._business_date is not None and day != self._business_date.isoformat():
            return False
        # Reading a time is quicker than spelling one.
        if datetime.fromisoformat(modified) != listed.modified:
            return False
        if day not in sizes:
            sizes[day] = self._files_of(date.fromisoformat(day))
        return sizes[day].get(name if version == 1 else versioned(name, version)) == size_bytes

    def _files_of(self, day: date) -> dict[str, int]:
        names = (REPORTS, self._service, day.isoformat())
        found = self._folder.look(*names)
        if found is None or found.kind is not EntryKind.FOLDER:
            return {}
        with self._folder.folder(*names) as folder:
            return folder.sizes()
