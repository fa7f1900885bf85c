"""Keys and servers for the tests of the SFTP adapter."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

# The checkout imports tests by path, and this folder's name is not one a package can have.
sys.path.insert(0, str(Path(__file__).parent))

from sftp_benches import AsyncsshBench, Keys


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """The key pairs of this run."""
    return Keys.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture
async def server(tmp_path: Path, keys: Keys) -> AsyncGenerator[AsyncsshBench]:
    """Asyncssh's server, both sites up."""
    async with AsyncsshBench(tmp_path, keys) as bench:
        yield bench
