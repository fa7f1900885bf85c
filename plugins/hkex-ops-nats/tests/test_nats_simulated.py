"""Bad days of publishing by a real NATS server: no promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from nats_benches import PublisherBench

from hkex_ops.testing.simulation import simulate


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
async def test_bad_days_by_nats(tmp_path: Path, seed: int) -> None:
    """Silence of a real server is waited for: some twenty seconds for each seed."""
    async with PublisherBench(tmp_path).running() as bench:
        await simulate(seed, bench)
