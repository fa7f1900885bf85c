"""Bad days of telling and publishing by a real mail server: no promise is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from basic_certificates import Authority
from mail_benches import MailBench, MailNotifierBench
from mail_servers import MailServer

from hkex_ops.testing.simulation import simulate

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 10))]


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_of_telling_by_mail(authority: Authority, tmp_path: Path, seed: int) -> None:
    async with MailServer(authority) as server:
        await simulate(seed, MailNotifierBench(server, tmp_path, by_token=False))


@pytest.mark.parametrize("seed", SEEDS)
async def test_bad_days_of_publishing_by_mail(
    authority: Authority, tmp_path: Path, seed: int
) -> None:
    async with MailServer(authority) as server:
        await simulate(seed, MailBench(server, tmp_path, by_token=False))
