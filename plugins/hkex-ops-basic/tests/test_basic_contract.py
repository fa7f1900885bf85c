"""Both probes keep the contract of the port, against real servers on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from basic_certificates import Authority
from basic_far_sides import HttpsBench, TcpBench

from hkex_ops.testing import ProbeContract


class TestTcp(ProbeContract):
    @pytest_asyncio.fixture
    async def bench(self) -> AsyncIterator[TcpBench]:
        async with TcpBench() as bench:
            yield bench


class TestHttps(ProbeContract):
    @pytest_asyncio.fixture(params=["by authority", "by fingerprint"])
    async def bench(
        self, authority: Authority, request: pytest.FixtureRequest
    ) -> AsyncIterator[HttpsBench]:
        async with HttpsBench(authority, pinned=request.param == "by fingerprint") as bench:
            yield bench
