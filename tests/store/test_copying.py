"""A second copy: everything there too, read back, made up for, found when it is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from hkex_ops.clock import ManualClock
from hkex_ops.errors import ConfigError, StoreError
from hkex_ops.evidence import FindingKind
from hkex_ops.flows.keeping import removable_reports, remove_reports
from hkex_ops.flows.store import (
    Archive,
    Arrival,
    CopyTarget,
    CopyVerified,
    FsspecTarget,
    Outcome,
    copy_archive,
    verify_copy,
)
from hkex_ops.model import HONG_KONG, Endpoint, ListedReport, ReportIdentity, SiteRole

DAY = date(2023, 4, 14)
NOW = datetime(2023, 4, 14, 21, 0, tzinfo=HONG_KONG)


class MemoryTarget:
    """A copy in memory; ``broken`` are the paths that come back as something else."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.broken: set[str] = set()
        self.unreadable: set[str] = set()
        self.away = False
        self.read_only = False
        self.written: list[str] = []

    @property
    def where(self) -> str:
        return "memory"

    def sizes(self, folder: str) -> Mapping[str, int]:
        if self.away:
            raise StoreError("is away", path="memory")
        lead = f"{folder}/" if folder else ""
        return {
            path.removeprefix(lead): len(data)
            for path, data in self.files.items()
            if path.startswith(lead) and "/" not in path.removeprefix(lead)
        }

    def read(self, path: str) -> Iterator[bytes]:
        if path in self.unreadable:
            raise StoreError("cannot be read", path=path)
        yield b"?" if path in self.broken else self.files[path]

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        if self.read_only:
            raise StoreError("is read-only", path=path)
        self.files[path] = b"".join(pieces)
        self.unreadable.discard(path)
        self.written.append(path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def archive(tmp_path: Path, clock: ManualClock) -> Iterator[Archive]:
    with Archive.open(tmp_path / "archive", clock=clock) as archive:
        yield archive


def place(archive: Archive, *names: str, day: date = DAY) -> None:
    arrivals: list[Arrival] = []
    for name in names:
        listed = ListedReport(name, len(name), NOW)
        file = archive.stage(listed)
        file.write(name.encode())
        identity = ReportIdentity("RRS", "HKCC", "TP001", day)
        arrivals.append(
            Arrival(file, listed, identity, SiteRole.PRIMARY, Endpoint("127.0.0.1", 22))
        )
    archive.place(arrivals, NOW)


def paths(*names: str) -> list[str]:
    return [f"reports/RRS/{DAY}/{name}" for name in names]


def test_every_file_and_the_ledger_are_there_and_nothing_twice(archive: Archive) -> None:
    """A second run of nothing new writes nothing."""
    target = MemoryTarget()
    place(archive, "a", "b")
    first = copy_archive(archive, target)
    assert (tuple(paths("a", "b")), 2, ()) == (first.copied, first.copied_bytes, first.findings)
    assert {*paths("a", "b"), "ledger.sqlite3", "ledger.head", "copied.json"} == set(target.files)
    target.written.clear()
    place(archive, "c")
    assert tuple(paths("c")) == copy_archive(archive, target).copied
    target.written.clear()
    assert () == copy_archive(archive, target).copied
    assert [] == target.written
    assert () == verify_copy(archive, target).findings


def test_what_could_not_be_copied_is_copied_by_the_next_run(archive: Archive) -> None:
    """However many runs it was away."""
    target = MemoryTarget()
    target.away = True
    for name in "ab":
        place(archive, name)
        [finding] = copy_archive(archive, target).findings
        assert FindingKind.UNREADABLE is finding.kind
    target.away = False
    assert tuple(paths("a", "b")) == copy_archive(archive, target).copied


def test_what_reads_back_as_something_else_is_not_copied(archive: Archive) -> None:
    """Nor is the mark moved, so that it is tried again."""
    target = MemoryTarget()
    place(archive, "a", "b")
    target.broken = set(paths("b"))
    result = copy_archive(archive, target)
    assert [(FindingKind.CHANGED, paths("b")[0])] == [
        (one.kind, one.where) for one in result.findings
    ]
    assert "copied.json" not in target.files
    target.broken.clear()
    assert () == copy_archive(archive, target).findings


def test_what_is_missing_or_changed_in_the_copy_is_found(archive: Archive) -> None:
    """By size at once, by digest when deep."""
    target = MemoryTarget()
    place(archive, "a", "b", "c")
    copy_archive(archive, target)
    missing, longer, other = paths("a", "b", "c")
    del target.files[missing]
    target.files[longer] += b"!"
    target.files[other] = b"C"
    assert [FindingKind.MISSING, FindingKind.CHANGED, FindingKind.CHANGED] == [
        one.kind for one in verify_copy(archive, target).findings
    ]
    assert 2 == len(verify_copy(archive, target, deep=False).findings)


def test_what_was_found_damaged_is_mended_from_the_archive_and_told(archive: Archive) -> None:
    """File by file, whatever is wrong with it; what is sound is left as it is."""
    target = MemoryTarget()
    place(archive, "a", "b", "c", "d")
    copy_archive(archive, target)
    sound, missing, longer, other = paths("a", "b", "c", "d")
    del target.files[missing]
    target.files[longer] += b"!"
    target.files[other] = b"D"
    assert verify_copy(archive, target).noted
    target.written.clear()
    result = copy_archive(archive, target)
    assert [
        (FindingKind.MISSING, f"memory/{missing}"),
        (FindingKind.CHANGED, f"memory/{longer}"),
        (FindingKind.CHANGED, f"memory/{other}"),
    ] == [(one.kind, one.where) for one in result.mended]
    assert ((), ()) == (result.copied, result.findings)
    assert sound not in target.written
    assert CopyVerified() == verify_copy(archive, target)
    target.written.clear()
    assert () == copy_archive(archive, target).mended
    assert [] == target.written


def test_a_file_of_the_copy_that_cannot_be_read_hides_no_other_and_is_mended(
    archive: Archive,
) -> None:
    """Such as one on a bad sector."""
    target = MemoryTarget()
    place(archive, "a", "b")
    copy_archive(archive, target)
    unreadable, other = paths("a", "b")
    target.unreadable = {unreadable}
    target.files[other] = b"B"
    assert [FindingKind.UNREADABLE, FindingKind.CHANGED] == [
        one.kind for one in verify_copy(archive, target).findings
    ]
    assert 2 == len(copy_archive(archive, target).mended)
    assert CopyVerified() == verify_copy(archive, target)


@pytest.mark.parametrize("name", ["ledger.sqlite3", "ledger.head"])
@pytest.mark.parametrize("is_removed", [True, False])
def test_a_damaged_ledger_of_the_copy_is_found_and_mended(
    archive: Archive, name: str, is_removed: bool
) -> None:
    """The copy is to be an archive itself when the first one is lost."""
    target = MemoryTarget()
    place(archive, "a")
    copy_archive(archive, target)
    if is_removed:
        del target.files[name]
    else:
        target.files[name] = target.files[name][:-1] + b"?"
    verified = verify_copy(archive, target)
    assert [f"memory/{name}"] == [one.where for one in verified.findings]
    assert [f"memory/{name}"] == [one.where for one in copy_archive(archive, target).mended]
    assert CopyVerified() == verify_copy(archive, target)


def test_nothing_damaged_in_the_archive_is_put_into_the_copy(archive: Archive) -> None:
    """What the copy has may be all that is left."""
    target = MemoryTarget()
    place(archive, "a", "b")
    copy_archive(archive, target)
    [path, other] = paths("a", "b")
    for damaged in (path, other):
        (archive.folder / damaged).write_bytes(b"X")
    target.files[path] = b"Y"
    verify_copy(archive, target)
    result = copy_archive(archive, target)
    assert ((), [path]) == (result.mended, [one.where for one in result.findings])
    assert (b"Y", b"b") == (target.files[path], target.files[other])


def test_damage_that_cannot_be_noted_is_found_all_the_same(archive: Archive) -> None:
    """Such as in a copy that this user may only read."""
    target = MemoryTarget()
    place(archive, "a")
    copy_archive(archive, target)
    target.files[paths("a")[0]] = b"A"
    target.read_only = True
    verified = verify_copy(archive, target)
    assert (1, False) == (len(verified.findings), verified.noted)


def test_a_copy_that_lost_its_mark_tells_what_else_it_lost(archive: Archive) -> None:
    """Everything is compared again; what is no longer right is not merely copied."""
    target = MemoryTarget()
    place(archive, "a", "b")
    copy_archive(archive, target)
    del target.files["copied.json"]
    target.files[paths("a")[0]] = b"A"
    result = copy_archive(archive, target)
    assert [f"memory/{paths('a')[0]}"] == [one.where for one in result.mended]
    assert CopyVerified() == verify_copy(archive, target)


def test_what_a_run_under_way_is_still_to_copy_is_no_finding(
    archive: Archive, clock: ManualClock
) -> None:
    """It is one as soon as nobody works in the archive any more."""
    target = MemoryTarget()
    place(archive, "a")
    copy_archive(archive, target)
    place(archive, "b")
    with Archive.open(archive.folder, clock=clock, read_only=True) as reader:
        assert CopyVerified() == verify_copy(reader, target)
        archive.close()
        assert [f"memory/{paths('b')[0]}"] == [
            one.where for one in verify_copy(reader, target).findings
        ]


@pytest.mark.parametrize("protocol", ["memory", "file"])
def test_a_copy_lies_wherever_fsspec_reaches(
    archive: Archive, tmp_path: Path, protocol: str
) -> None:
    """An object store, where a put is whole by itself, and a disk, where it is moved into place."""
    pytest.importorskip("fsspec", reason="the extra s3 brings fsspec")
    root = tmp_path / "bucket"
    url = f"memory://{tmp_path.name}" if protocol == "memory" else f"file://{root}"
    target: CopyTarget = FsspecTarget.open(url, {})
    place(archive, "a", "b")
    assert 2 == len(copy_archive(archive, target).copied)
    assert () == verify_copy(archive, FsspecTarget.open(url, {})).findings
    assert {"a": 1, "b": 1} == target.sizes(f"reports/RRS/{DAY}")
    with pytest.raises(StoreError, match="cannot read nothing of the copy"):
        list(target.read("nothing"))


def test_a_url_that_nothing_speaks_is_a_fault_of_the_configuration() -> None:
    """With or without fsspec."""
    with pytest.raises((ConfigError, StoreError)):
        FsspecTarget.open("nosuchthing://bucket/archive", {})


def test_a_removal_that_was_interrupted_is_finished_by_the_next(
    archive: Archive, clock: ManualClock
) -> None:
    """The row comes first: a file that stands is told, never a row that is missing."""
    place(archive, "a", "b")
    clock.advance(timedelta(days=100))
    rows = removable_reports(archive, 30, clock.now().date())
    kept = archive.folder / rows[0].path
    content = kept.read_bytes()
    remove_reports(archive, rows, clock)
    assert () == archive.verify()
    kept.write_bytes(content)
    assert [FindingKind.ADDED] == [one.kind for one in archive.verify()]
    again = removable_reports(archive, 30, clock.now().date())
    assert [Outcome.REMOVED] == [row.outcome for row in again]
    remove_reports(archive, again, clock)
    assert () == archive.verify()
    assert not kept.exists()


def test_what_was_removed_is_no_part_of_the_copy_any_more(
    archive: Archive, clock: ManualClock
) -> None:
    """The copy may keep it: its own end is its owner's."""
    target = MemoryTarget()
    place(archive, "a")
    copy_archive(archive, target)
    clock.advance(timedelta(days=100))
    remove_reports(archive, removable_reports(archive, 30, clock.now().date()), clock)
    assert () == copy_archive(archive, target).copied
    del target.files[paths("a")[0]]
    assert () == verify_copy(archive, target).findings


class Killed(BaseException):
    """What ends a process, as far as a test can stage it."""


class MortalTarget(MemoryTarget):
    """A copy whose writer dies at the write numbered ``dies_at``, before anything is written."""

    def __init__(self, dies_at: int) -> None:
        super().__init__()
        self.dies_at = dies_at

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        if len(self.written) == self.dies_at:
            self.dies_at = -1
            raise Killed
        super().write(path, pieces)


@pytest.mark.parametrize("dies_at", range(6))
def test_a_run_that_dies_at_any_write_leaves_nothing_out(archive: Archive, dies_at: int) -> None:
    """Three files, the ledger, its head, the mark: what was not written the next run writes."""
    target = MortalTarget(dies_at)
    place(archive, "a", "b", "c")
    with pytest.raises(Killed):
        copy_archive(archive, target)
    assert () == copy_archive(archive, target).findings
    assert () == verify_copy(archive, target).findings
    assert {"ledger.sqlite3", "ledger.head", "copied.json"} <= set(target.files)
