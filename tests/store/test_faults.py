"""Where the disk will not do as asked, one sentence says who must act, and nothing is lost."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from hkex_ops import ManualClock, StoreError
from hkex_ops.flows.evidence import EvidenceFolder, verify_evidence
from hkex_ops.flows.store import Archive
from tests.store import child
from tests.store.reports import (
    FETCHED,
    SERVICE,
    arrival,
    below_limit,
    listing,
    place,
    powerless,
    reports_of,
    seen,
)
from tests.store.test_kill import PROGRAM, require_completed, started

HOME = f"reports/{SERVICE}/2023-04-14"


def refused(folder: Path, clock: ManualClock, *, read_only: bool = False) -> str:
    """The one sentence with which an archive does not open."""
    with pytest.raises(StoreError) as caught:
        Archive.open(folder, clock=clock, read_only=read_only)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- the folder --------------------------------------------------------------------------------


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_that_is_a_file(tmp_path: Path, clock: ManualClock, read_only: bool) -> None:
    (tmp_path / "archive").write_text("mine")
    said = refused(tmp_path / "archive", clock, read_only=read_only)
    assert f"{tmp_path}/archive: cannot open the folder: it is a file or a link" in said
    assert "mine" == (tmp_path / "archive").read_text()


def test_a_folder_without_parent(tmp_path: Path, clock: ManualClock) -> None:
    assert "make that folder first" in refused(tmp_path / "nowhere" / "archive", clock)
    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_made(tmp_path: Path, clock: ManualClock) -> None:
    with powerless(tmp_path, 0o500):
        assert "permission is denied" in refused(tmp_path / "archive", clock)


def test_a_folder_that_may_not_be_written(folder: Path, clock: ManualClock) -> None:
    folder.mkdir()
    with powerless(folder, 0o500):
        assert "permission is denied" in refused(folder, clock)


def test_a_folder_that_holds_something_else(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    said = refused(tmp_path, clock)
    assert "is not empty (it holds thesis.tex) and is no archive" in said
    assert ["thesis.tex"] == [path.name for path in tmp_path.iterdir()]


def test_the_root_folder_of_a_file_system_may_be_an_archive(
    folder: Path, clock: ManualClock
) -> None:
    (folder / "lost+found").mkdir(parents=True)
    with Archive.open(folder, clock=clock) as archive:
        assert () == archive.verify()


def test_reports_without_a_ledger(folder: Path, clock: ManualClock) -> None:
    with Archive.open(folder, clock=clock) as archive:
        place(archive, "TP001.csv", b"one")
    for name in ("ledger.sqlite3", "ledger.head"):
        (folder / name).unlink()
    assert "holds reports and no ledger.sqlite3: restore" in refused(folder, clock)


def test_a_reader_needs_an_archive(tmp_path: Path, clock: ManualClock) -> None:
    assert "holds no archive" in refused(tmp_path, clock, read_only=True)
    assert "it is not there" in refused(tmp_path / "nowhere", clock, read_only=True)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xa5" * 9999]
)
def test_a_ledger_that_is_damaged(folder: Path, clock: ManualClock, content: bytes) -> None:
    with Archive.open(folder, clock=clock) as archive:
        place(archive, "TP001.csv", b"one")
    (folder / "ledger.sqlite3").write_bytes(content)
    said = refused(folder, clock)
    assert "restore it from your backup" in said
    assert "what was archived before is unharmed" in said or "no archived file" in said


# -- links -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["reports", f"reports/{SERVICE}", HOME, ".staging", ".lock", "ledger.sqlite3"]
)
def test_nothing_is_written_through_a_planted_link(
    folder: Path, clock: ManualClock, tmp_path: Path, name: str
) -> None:
    with Archive.open(folder, clock=clock) as archive:
        place(archive, "TP001.csv", b"one")
    outside = tmp_path / "outside"
    planted = folder / name
    if planted.is_dir():
        shutil.move(planted, outside)
        (outside / "mine").write_text("mine")
    else:
        planted.rename(outside)
    planted.symlink_to(outside)
    before = sorted(tmp_path.rglob("outside/**/*"))
    with (
        pytest.raises(StoreError, match="link"),
        Archive.open(folder, clock=clock) as archive,
    ):
        place(archive, "TP002.csv", b"two")
    assert before == sorted(tmp_path.rglob("outside/**/*"))


def test_a_link_planted_in_the_place_of_a_report_stays_and_leads_nowhere(
    archive: Archive, tmp_path: Path
) -> None:
    (archive.folder / HOME).mkdir(parents=True)
    (archive.folder / HOME / "TP001.csv").symlink_to(tmp_path / "outside")
    place(archive, "TP001.csv", b"one")
    assert not (tmp_path / "outside").exists()
    assert b"one" == (archive.folder / HOME / "TP001.csv.v2").read_bytes()


# -- full disks --------------------------------------------------------------------------------


def test_a_transfer_that_grows_beyond_the_limit_leaves_nothing(
    folder: Path, archive: Archive
) -> None:
    place(archive, "TP001.csv", b"one")
    with below_limit(4096):
        file = archive.stage(seen("TP002.csv", b"x" * 9000))
        file.write(b"x" * 4000)
        with pytest.raises(StoreError, match="larger than this process") as caught:
            file.write(b"x" * 5000)
    assert "what was archived before is unharmed" == caught.value.safe
    assert [] == list((folder / ".staging").iterdir())
    place(archive, "TP003.csv", b"three")
    assert () == archive.verify()


def test_a_ledger_that_cannot_grow_leaves_nothing_half_done(
    folder: Path, clock: ManualClock
) -> None:
    with Archive.open(folder, clock=clock) as archive:
        place(archive, "TP001.csv", b"one")
        size = (folder / "ledger.sqlite3").stat().st_size
        entries = [seen(f"TP{number:03}.csv", b"") for number in range(500)]
        with below_limit(size), pytest.raises(StoreError, match="write to the ledger"):
            archive.keep_listing(listing(*entries))
        assert () == archive.verify()
    with Archive.open(folder, clock=clock) as archive:
        archive.keep_listing(listing(*entries))
        place(archive, "TP002.csv", b"two")
        assert () == archive.verify()


@pytest.mark.parametrize("fails", range(3))
def test_a_batch_that_fails_midway_is_recorded_as_far_as_it_came(
    folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    link, names = os.link, [f"TP00{number}.csv" for number in range(3)]

    def full(source: str, target: str, **folders: int) -> None:
        if target == names[fails]:
            raise OSError(28, os.strerror(28))
        link(source, target, **folders)  # type: ignore[arg-type]

    with Archive.open(folder, clock=clock) as archive:
        batch = [arrival(archive, name, name.encode()) for name in names]
        monkeypatch.setattr(os, "link", full)
        with pytest.raises(StoreError, match="the disk is full"):
            archive.place(batch, FETCHED)
        monkeypatch.undo()
        assert names[:fails] == [row.name for row in archive.recorded()]
        assert {f"{HOME}/{name}": name.encode() for name in names[:fails]} == reports_of(folder)
        assert () == archive.verify()
        for name in names:
            place(archive, name, name.encode())
        assert {f"{HOME}/{name}": name.encode() for name in names} == reports_of(folder)
        assert () == archive.verify()


def test_an_event_that_does_not_fit_leaves_those_before_it_whole(
    tmp_path: Path, clock: ManualClock
) -> None:
    with EvidenceFolder.create(tmp_path / "e", identifier="x", clock=clock) as evidence:
        evidence.record("first", {})
        with below_limit(4096), pytest.raises(StoreError, match="events before it are whole"):
            evidence.record("too-large", {"text": "x" * 9000})
        evidence.record("second", {})
    report = verify_evidence(tmp_path / "e")
    assert ((), 2) == (report.findings, report.events)


# -- real mounts, in a name space of their own --------------------------------------------------

UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def mounted(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount; nothing of it is seen outside."""
    probe = subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip(f"this machine lets nobody mount: {probe.stderr.decode().strip()}")
    return subprocess.run(
        [*UNSHARE, "sh", "-euc", script, "sh", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("room_kib", [40, 90, 200, 500, 1500])
def test_a_disk_that_is_really_full(tmp_path: Path, room_kib: int) -> None:
    """A file system of 16 MiB with a ballast that leaves some room, then all of it."""
    done = mounted(
        "mount -t tmpfs -o size=16m none $1; "
        "dd if=/dev/zero of=$1/ballast bs=1024 count=$((16384 - $2)) status=none; "
        'exec "$3" "$4" fill $1',
        *(str(tmp_path), str(room_kib), sys.executable, str(PROGRAM)),
    )
    told = json.loads(done.stdout)
    assert "the disk is full: free some space and run again" in told["said"]
    assert ([], True) == (told["findings"], told["whole"])


def test_a_read_only_medium_can_be_verified(tmp_path: Path) -> None:
    child.archive_batch(tmp_path, 0)
    done = mounted(
        'mount --bind $1 $1; mount -o remount,ro,bind $1; exec "$2" -c "$3" $1',
        *(str(tmp_path), sys.executable),
        "import sys; from pathlib import Path; from tests.store import child; "
        "print(child.findings_in(Path(sys.argv[1])))",
    )
    assert "[]\n" == done.stdout


# -- two at once -------------------------------------------------------------------------------


def test_a_second_writer_is_told_who_holds_the_folder(tmp_path: Path, clock: ManualClock) -> None:
    folder = tmp_path / "archive"
    with started("hold", folder) as process:
        assert process.stdout is not None
        assert "held\n" == process.stdout.readline()
        since = child.START.isoformat()
        said = refused(folder, clock)
        assert f"in use by pid {process.pid} on {os.uname().nodename} since {since}" in said
        with Archive.open(folder, clock=clock, read_only=True) as reader:
            assert () == reader.verify()
        process.kill()
    require_completed(folder, child.BATCHES)


def test_a_holder_that_has_not_signed_yet_is_another_process(
    folder: Path, clock: ManualClock
) -> None:
    folder.mkdir()
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "in use by another process" in refused(folder, clock)


def test_an_archive_that_failed_to_open_is_free_again(
    folder: Path, clock: ManualClock, archive: Archive
) -> None:
    assert "in use by pid" in refused(folder, clock)
    archive.close()
    with Archive.open(folder, clock=clock) as again:
        assert datetime.fromisoformat("2023-04-14T21:00:00+08:00") == clock.now()
        assert () == again.verify()
