"""Bad days of asking, simulated on the stand-in of the licensed library: none breaks a promise."""

from __future__ import annotations

from pathlib import Path

import pytest
from oapi_benches import needs_compiler, open_bench

from hkex_ops.testing.simulation import simulate

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))]


@needs_compiler
@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_by_the_licensed_library(tmp_path: Path, seed: int) -> None:
    async with open_bench(tmp_path) as bench:
        await simulate(seed, bench)
