"""Killed at any moment, the daily fetch leaves what is whole; nothing whole is fetched again."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from hostile_servers import Desk, Hostile, served
from memory_server import MemoryServer
from sftp_benches import Keys

from hkex_ops import ManualClock
from hkex_ops.errors import StoreError
from hkex_ops.flows.store import Archive
from hkex_ops.model import HONG_KONG

CHILD = Path(__file__).parent / "killed_child.py"
FRIDAY = datetime(2023, 4, 14, 20, tzinfo=HONG_KONG)
LONGEST_RUN_S = 60


def contents(random: Random) -> dict[bytes, bytes]:
    """Many small reports and two large ones."""
    sizes = [random.randrange(1, 20_000) for _ in range(60)] + [700_000, 400_000]
    return {b"TP%03d_20230414.csv" % n: random.randbytes(size) for n, size in enumerate(sizes)}


async def run_until(folder: Path, hostile: Hostile, kill_after_s: float | None) -> bool:
    """One run; whether it came to its end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CHILD),
        str(folder),
        str(hostile.port),
        str(hostile.keys.folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    await child.stdout.readline()
    if kill_after_s is not None:
        with suppress(TimeoutError):
            await asyncio.wait_for(child.wait(), kill_after_s)
        with suppress(ProcessLookupError):
            child.kill()
    async with asyncio.timeout(LONGEST_RUN_S):
        _, said = await child.communicate()
    assert child.returncode in (0, -9), said.decode()
    return child.returncode == 0


def whole_names(folder: Path, clock: ManualClock) -> set[str]:
    """The reports that the ledger has."""
    try:
        with Archive.open(folder, clock=clock, read_only=True) as archive:
            return {row.name for row in archive.recorded()}
    except StoreError:
        return set()  # killed before there was an archive


@pytest.mark.parametrize(
    ("seed", "kills"),
    [(1, 5), *(pytest.param(seed, 50, marks=pytest.mark.long) for seed in range(2, 12))],
)
async def test_runs_that_are_killed_and_one_that_is_not_make_the_server_s_folder(
    tmp_path: Path, keys: Keys, seed: int, kills: int
) -> None:
    random, clock = Random(seed), ManualClock(FRIDAY)
    server = MemoryServer(contents(random), limits=True)
    desk = Desk(tmp_path / "archive", clock)
    ended, longest_s = 0, 0.6
    async with served(keys, server) as hostile:
        for _ in range(kills):
            whole = whole_names(desk.folder, clock)
            server.asked.clear()
            ended += await run_until(desk.folder, hostile, random.uniform(0, longest_s))
            again = {name.rpartition("/")[2] for name in server.asked} & whole
            assert set() == again, "what was whole was fetched again"
            if len(whole) == len(server.files):
                # A new day's worth, so that there is something to kill.
                name = b"TP%03d_20230414.csv" % len(server.files)
                server.files[name] = random.randbytes(random.randrange(1, 900_000))
        assert await run_until(desk.folder, hostile, None)
    assert {name.decode(): one for name, one in server.files.items()} == desk.kept()
    with Archive.open(desk.folder, clock=clock, read_only=True) as archive:
        assert () == archive.verify()
    assert [] == list((desk.folder / ".staging").iterdir()), "something unfinished was left"
    assert ended < kills, "nothing was killed"
