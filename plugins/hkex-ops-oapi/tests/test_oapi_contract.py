"""The gateway ``oapi`` keeps the contract, over every library that can be used at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from oapi_benches import StandInBench, needs_compiler, open_bench

from hkex_ops.testing import OapiGatewayContract
from hkex_ops_simulator.oapi.stand_in import Variant


@needs_compiler
class TestOapiGateway(OapiGatewayContract):
    """The current kit, messages in this machine's order."""

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[StandInBench]:
        async with open_bench(tmp_path) as bench:
            yield bench


@needs_compiler
@pytest.mark.long
class TestSwappedOapiGateway(OapiGatewayContract):
    """A library that swaps: messages in the other order."""

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[StandInBench]:
        async with open_bench(tmp_path, Variant.SWAPPED) as bench:
            yield bench


@needs_compiler
@pytest.mark.long
class TestOldOapiGateway(OapiGatewayContract):
    """An older kit, which logs in by messages."""

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[StandInBench]:
        async with open_bench(tmp_path, Variant.OLD_KIT) as bench:
            yield bench


@needs_compiler
@pytest.mark.long
class TestZlibOapiGateway(OapiGatewayContract):
    """A library that uses zlib and does not say so, with zlib loaded before it."""

    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[StandInBench]:
        async with open_bench(tmp_path, Variant.HIDDEN_ZLIB, preload=("libz.so.1",)) as bench:
            yield bench
