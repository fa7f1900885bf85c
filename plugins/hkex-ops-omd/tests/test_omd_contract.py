"""The feeds of this distribution keep the contract of the port."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from omd_benches import MulticastBench

from hkex_ops.testing import MarketFeedContract


class TestMulticast(MarketFeedContract):
    """By real multicast on loopback, with a real retransmission server."""

    @pytest_asyncio.fixture
    async def bench(self) -> AsyncIterator[MulticastBench]:
        async with MulticastBench() as bench:
            yield bench
