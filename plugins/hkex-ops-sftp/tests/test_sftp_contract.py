"""The SFTP adapter keeps the contract of report sources on two servers of different make."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sftp_benches import AsyncsshBench, Keys, SshdBench, require_sshd

from hkex_ops.testing import ReportSourceContract


class TestOnAsyncssh(ReportSourceContract):
    """Against asyncssh's own SFTP server."""

    @pytest.fixture
    async def bench(self, tmp_path: Path, keys: Keys) -> AsyncGenerator[AsyncsshBench]:
        async with AsyncsshBench(tmp_path, keys) as bench:
            yield bench


class TestOnOpenSsh(ReportSourceContract):
    """Against OpenSSH's sshd."""

    @pytest.fixture
    async def bench(self, tmp_path: Path, keys: Keys) -> AsyncGenerator[SshdBench]:
        async with SshdBench(tmp_path, keys, require_sshd()) as bench:
            yield bench
