"""Killed at any moment, a run leaves no half file, and the next one completes it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hkex_ops.flows.store import Archive, Outcome
from tests.store import child
from tests.store.reports import reports_of

SEED = 20230417
SAMPLE, LONG = 12, 300
PROGRAM = Path(child.__file__)
LONGEST_S = 60
FEWEST_CALLS = 60  # two batches make more; fewer would mean that the search ended early


def started(mode: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), mode, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def require_no_half_file(folder: Path, batches: int) -> None:
    expected = child.expected_files(batches)
    for path, content in reports_of(folder).items():
        assert expected[path] == content, path


def require_completed(folder: Path, batches: int) -> None:
    """The next run completes; nothing is there twice, nothing is found."""
    for batch in range(batches):
        child.archive_batch(folder, batch)
    assert child.expected_files(batches) == reports_of(folder)
    with Archive.open(folder, clock=child.clock_of(0), read_only=True) as archive:
        assert () == archive.verify()
        rows = [row.path for row in archive.recorded() if row.outcome is not Outcome.SAME]
    assert sorted(child.expected_files(batches)) == sorted(rows)
    assert [] == list((folder / ".staging").iterdir())


def require_sound(folder: Path) -> None:
    """Even before the next run a reader finds nothing, once there is an archive to read."""
    if (folder / "ledger.head").exists():
        with Archive.open(folder, clock=child.clock_of(0), read_only=True) as archive:
            assert () == archive.verify()


@pytest.fixture(scope="module")
def whole_run_s(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long a run takes that nobody kills."""
    with started("run", tmp_path_factory.mktemp("whole") / "archive") as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        start = time.perf_counter()
        assert child.BATCHES == len(process.stdout.readlines())
        return time.perf_counter() - start


def kill_and_complete(folder: Path, seed: int, whole_run_s: float) -> None:
    with started("run", folder) as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        try:
            process.wait(random.Random(seed).uniform(0, whole_run_s))
        except subprocess.TimeoutExpired:
            process.kill()
    if (folder / "reports").exists():
        require_no_half_file(folder, child.BATCHES)
    require_sound(folder)
    require_completed(folder, child.BATCHES)


@pytest.mark.parametrize("run", range(SAMPLE))
def test_kill_9_at_a_random_moment(tmp_path: Path, run: int, whole_run_s: float) -> None:
    kill_and_complete(tmp_path / "archive", SEED + run, whole_run_s)


@pytest.mark.long
@pytest.mark.parametrize("run", range(SAMPLE, LONG))
def test_kill_9_at_many_random_moments(tmp_path: Path, run: int, whole_run_s: float) -> None:
    kill_and_complete(tmp_path / "archive", SEED + run, whole_run_s)


def test_death_at_every_system_call(tmp_path: Path) -> None:
    """Entering each call that makes, writes, syncs, links, renames or removes anything."""
    with started("crash", tmp_path) as process:
        out, _ = process.communicate(timeout=LONGEST_S)
        assert 0 == process.returncode
    boundaries = int(out)
    assert boundaries > FEWEST_CALLS
    for call in range(boundaries + 1):
        folder = tmp_path / f"{call:04}"
        if (folder / "reports").exists():
            require_no_half_file(folder, 2)
        require_sound(folder)
        require_completed(folder, 2)


def test_a_reader_finds_nothing_while_a_writer_is_at_work(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    child.archive_batch(folder, 0)
    looked = 0
    with started("run", folder) as process:
        while process.poll() is None:
            with Archive.open(folder, clock=child.clock_of(0), read_only=True) as archive:
                assert () == archive.verify()
            looked += 1
    assert looked > 1
    require_completed(folder, child.BATCHES)
