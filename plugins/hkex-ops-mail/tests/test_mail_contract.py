"""Publisher and notifier keep the contracts of their ports, against a real mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from basic_certificates import Authority
from mail_benches import MailBench, MailNotifierBench
from mail_servers import MailServer

from hkex_ops.testing import IndexPublisherContract, NotifierContract


class TestMail(IndexPublisherContract):
    @pytest.fixture(params=["starttls and password", "tls and token"])
    async def bench(
        self, authority: Authority, tmp_path: Path, request: pytest.FixtureRequest
    ) -> AsyncIterator[MailBench]:
        is_implicit = request.param == "tls and token"
        async with MailServer(authority, is_implicit=is_implicit) as server:
            yield MailBench(server, tmp_path, by_token=is_implicit)


class TestMailNotifier(NotifierContract):
    @pytest.fixture(params=["starttls and password", "tls and token"])
    async def bench(
        self, authority: Authority, tmp_path: Path, request: pytest.FixtureRequest
    ) -> AsyncIterator[MailNotifierBench]:
        is_implicit = request.param == "tls and token"
        async with MailServer(authority, is_implicit=is_implicit) as server:
            yield MailNotifierBench(server, tmp_path, by_token=is_implicit)
