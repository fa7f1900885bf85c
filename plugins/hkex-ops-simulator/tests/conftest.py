"""An exchange in a box for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from hkex_ops_simulator.server import SimulatedExchange


@pytest_asyncio.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[SimulatedExchange]:
    async with SimulatedExchange(folder=tmp_path) as exchange:
        yield exchange
