"""Publisher and feed keep the contracts of their ports, against a real nats-server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats_benches import FeedBench, PublisherBench

from hkex_ops.testing import IndexFeedContract, IndexPublisherContract


class TestPublisher(IndexPublisherContract):
    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[PublisherBench]:
        async with PublisherBench(tmp_path).running() as bench:
            yield bench


class TestFeed(IndexFeedContract):
    @pytest.fixture(params=["nameless", "durable"])
    async def bench(
        self, tmp_path: Path, request: pytest.FixtureRequest
    ) -> AsyncIterator[FeedBench]:
        async with FeedBench(tmp_path, durable=request.param == "durable").running() as bench:
            yield bench
