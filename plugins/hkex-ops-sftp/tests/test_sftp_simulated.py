"""Bad days of a report desk, simulated against real SSH servers: no promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from sftp_benches import AsyncsshBench, Keys, SshdBench, require_sshd

from hkex_ops.testing.simulation import simulate

SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 40))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_over_sftp(tmp_path: Path, keys: Keys, seed: int) -> None:
    async with AsyncsshBench(tmp_path, keys) as bench:
        await simulate(seed, bench, folder=tmp_path / "desk")


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_over_openssh(tmp_path: Path, keys: Keys, seed: int) -> None:
    async with SshdBench(tmp_path, keys, require_sshd()) as bench:
        await simulate(seed, bench, folder=tmp_path / "desk")
