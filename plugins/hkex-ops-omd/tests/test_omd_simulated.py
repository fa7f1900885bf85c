"""Bad days of both lines, simulated by real multicast and by captures: none breaks a promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from omd_benches import CaptureBench, IndexPublisherOnMulticast, MulticastBench
from omd_captures import pcapng

from hkex_ops.testing.simulation import simulate

SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 30))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_by_multicast(seed: int) -> None:
    async with MulticastBench() as bench:
        assert (await simulate(seed, bench)).injected


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_on_record(tmp_path: Path, seed: int) -> None:
    assert (await simulate(seed, CaptureBench(tmp_path, pcapng), days=2)).injected


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_of_published_values(seed: int) -> None:
    async with IndexPublisherOnMulticast() as bench:
        await simulate(seed, bench)
