"""Bad days simulated by a real webhook and by real files: no promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from basic_hooks import FileBench, HookBench
from basic_tick_files import FilePublisherBench

from hkex_ops.testing.simulation import simulate

SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_of_a_webhook(tmp_path: Path, seed: int) -> None:
    async with HookBench(tmp_path, None) as bench:
        await simulate(seed, bench)


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_of_a_file(tmp_path: Path, seed: int) -> None:
    await simulate(seed, FileBench(tmp_path))


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_of_lines_in_a_file(tmp_path: Path, seed: int) -> None:
    bench = FilePublisherBench(tmp_path)
    try:
        await simulate(seed, bench)
    finally:
        await bench.bring_up()
