"""The adapters of this distribution keep the contracts of their ports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from omd_benches import (
    CaptureBench,
    IndexFeedOnMulticast,
    IndexPublisherOnMulticast,
    MulticastBench,
)
from omd_captures import pcap, pcapng

from hkex_ops.testing import IndexFeedContract, IndexPublisherContract, MarketFeedContract


class TestMulticast(MarketFeedContract):
    """By real multicast on loopback, with a real retransmission server."""

    @pytest_asyncio.fixture
    async def bench(self) -> AsyncIterator[MulticastBench]:
        async with MulticastBench() as bench:
            yield bench


class TestCapture(MarketFeedContract):
    """From files of both formats."""

    @pytest.fixture(params=[pcap, pcapng], ids=["pcap", "pcapng"])
    def bench(self, tmp_path: Path, request: pytest.FixtureRequest) -> CaptureBench:
        return CaptureBench(tmp_path, request.param)


class TestIndexPublisher(IndexPublisherContract):
    """By real multicast on loopback."""

    @pytest_asyncio.fixture
    async def bench(self) -> AsyncIterator[IndexPublisherOnMulticast]:
        async with IndexPublisherOnMulticast() as bench:
            yield bench


class TestIndexFeed(IndexFeedContract):
    """By real multicast on loopback."""

    @pytest_asyncio.fixture
    async def bench(self) -> AsyncIterator[IndexFeedOnMulticast]:
        async with IndexFeedOnMulticast() as bench:
            yield bench
