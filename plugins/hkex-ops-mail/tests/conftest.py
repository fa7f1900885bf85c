"""What the tests of this plug-in share: an authority, and a mail server that it certified."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from basic_certificates import Authority
from mail_servers import MailServer


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
async def server(authority: Authority) -> AsyncIterator[MailServer]:
    async with MailServer(authority) as server:
        yield server
