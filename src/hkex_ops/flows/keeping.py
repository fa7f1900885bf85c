"""What becomes of archived reports: kept for their time, copied, handed out as a bag.

Removal asks the papers first. While a rollout is in its stabilisation period nothing is removed,
whatever the age: those are the days in which the papers demand that everything be kept.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

from attrs import frozen

from hkex_ops.clock import Clock
from hkex_ops.config.settings import ArchiveSettings, CopySettings
from hkex_ops.errors import ConfigError, Denied, StoreError, UsageError
from hkex_ops.evidence import Finding, FindingKind
from hkex_ops.flows.evidence import EvidenceFolder
from hkex_ops.flows.store import (
    Archive,
    CopyTarget,
    CopyVerified,
    FileRecord,
    FolderTarget,
    FsspecTarget,
    Outcome,
    last_rows,
    verify_copy,
)
from hkex_ops.flows.store.disk import Folder, translating
from hkex_ops.model import Holding, PhaseKind, Rollout, plain

__all__ = [
    "REMOVAL",
    "Exported",
    "export_reports",
    "opened_copy",
    "removable_reports",
    "remove_reports",
    "require_removal",
    "verified_copy",
]

REMOVAL = "remove-archived-reports"
"""The act of removing, as the papers' guard knows it."""


def require_removal(rollouts: Iterable[Rollout], now: datetime) -> None:
    """`Denied` while a stabilisation period holds, or may hold: unknown bounds count as holding."""
    for rollout in rollouts:
        for phase in rollout.phases:
            if phase.kind is not PhaseKind.STABILISATION:
                continue
            if phase.window.holds(now) in (Holding.WITHIN, Holding.UNKNOWN):
                raise Denied(
                    REMOVAL,
                    rule=f"{phase.name} of {rollout.id}: reports are kept, none is removed",
                    source=str(phase.source),
                    until=phase.window.until.at,
                )


def removable_reports(archive: Archive, keep_days: int, today: date) -> tuple[FileRecord, ...]:
    """The files whose business date is more than ``keep_days`` before ``today``.

    Those, too, that an interrupted removal recorded and left lying.
    """
    before = today - timedelta(days=keep_days)
    return tuple(
        row
        for row in last_rows(archive)
        if row.identity.business_date < before and archive.lies_there(row)
    )


def remove_reports(archive: Archive, rows: Sequence[FileRecord], clock: Clock) -> None:
    """Take the files out; the ledger keeps what each of them was."""
    if rows:
        archive.remove(rows, clock.now())


# -- the second copy -------------------------------------------------------------------------------


@contextmanager
def opened_copy(settings: ArchiveSettings, *, make: bool = True) -> Generator[CopyTarget | None]:
    """The second copy that the settings name, or nothing; a folder is made on first use."""
    stated = settings.copy
    if stated is None:
        yield None
        return
    with ExitStack() as closing:
        yield _target(stated, closing, make=make)


def verified_copy(settings: ArchiveSettings, archive: Archive, *, deep: bool) -> CopyVerified:
    """Everything in which the second copy is not what the ledger says, noted in the copy for the
    next copying; a copy that cannot be read, or a ledger that cannot, is one finding."""
    try:
        with opened_copy(settings, make=False) as target:
            return CopyVerified() if target is None else verify_copy(archive, target, deep=deep)
    except StoreError as error:
        message = f"the copy is not verified: {error}"
        finding = Finding(FindingKind.UNREADABLE, error.path, message)
        return CopyVerified((finding,), whole_way=False)


def _target(stated: CopySettings, closing: ExitStack, *, make: bool) -> CopyTarget:
    if (stated.folder is None) == (stated.url is None):
        raise ConfigError("archive.copy wants a folder or a url, and not both")
    if stated.url is not None:
        return FsspecTarget.open(stated.url, stated.options)
    assert stated.folder is not None, "one of the two is there"
    return FolderTarget(closing.enter_context(_folder(stated.folder, make=make)))


def _folder(path: Path, *, make: bool) -> Folder:
    if make and not path.exists():
        with translating(path, "make the folder of the second copy"):
            path.mkdir()
    return Folder.open(path)


# -- a bag -----------------------------------------------------------------------------------------


@frozen
class Exported:
    """A bag that was made. ``findings`` are files that are not what the ledger says."""

    folder: Path
    seal: str
    files: int
    size_bytes: int
    findings: tuple[Finding, ...]


def export_reports(
    archive: Archive,
    target: Path,
    clock: Clock,
    *,
    first: date,
    last: date,
    service: str | None = None,
) -> Exported:
    """A BagIt bag of the reports of business dates, with the ledger's row of each.

    A file that is missing or changed is left out and told; the bag says so too. Raises `UsageError`
    where the archive holds no report of those dates: nobody is handed an empty bag.
    """
    rows = [
        row
        for row in last_rows(archive)
        if first <= row.identity.business_date <= last
        and service in (None, row.identity.service)
        and row.outcome is not Outcome.REMOVED
    ]
    if not rows:
        dates = f"{first}" if first == last else f"{first} to {last}"
        raise UsageError(f"the archive holds no report of {dates}: no bag was made")
    findings: list[Finding] = []
    size = files = 0
    identifier = f"reports {first.isoformat()} to {last.isoformat()}"
    with EvidenceFolder.create(target, identifier=identifier, clock=clock) as bag:
        for row in rows:
            fault = _add(bag, archive, row)
            if fault is None:
                files += 1
                size += row.size_bytes
                bag.record("report-exported", {"row": row.sequence, "report": plain(row)})
            else:
                findings.append(fault)
                bag.record("report-left-out", {"row": row.sequence, "why": fault.message})
        seal = bag.close()
    return Exported(target, seal, files, size, tuple(findings))


def _add(bag: EvidenceFolder, archive: Archive, row: FileRecord) -> Finding | None:
    """Put one file into the bag; why it cannot be, or nothing."""
    if not archive.lies_there(row):
        return Finding(FindingKind.MISSING, row.path, "is missing or of another size: left out")
    try:
        sha256 = bag.add_pieces(_place(row), archive.read(row.path), sha256=row.sha256)
    except StoreError as error:
        return Finding(FindingKind.UNREADABLE, row.path, str(error))
    if sha256 != row.sha256:
        return Finding(FindingKind.CHANGED, row.path, "is not what was archived: left out")
    return None


def _place(row: FileRecord) -> str:
    """Where a file lies in the bag: as in the archive, further versions in folders of their own."""
    if row.version == 1:
        return row.path
    folder, _, _ = row.path.rpartition("/")
    return f"{folder}/version-{row.version}/{row.name}"
