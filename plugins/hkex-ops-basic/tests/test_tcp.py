"""The probe ``tcp`` where the contract does not reach."""

from __future__ import annotations

import socket

import pytest
from attrs import evolve
from basic_far_sides import HOSTS, FarSide, silence

from hkex_ops.model import Connection, SiteRole
from hkex_ops.ports import ProbeResult
from hkex_ops_basic import TcpOptions, open_tcp

HOST = HOSTS[SiteRole.PRIMARY]


async def look(connection: Connection) -> ProbeResult:
    async with open_tcp(TcpOptions(timeout_s=1), SiteRole.PRIMARY) as probe:
        return await probe.probe(connection)


async def test_a_taken_connection_is_told_with_what_it_does_not_prove() -> None:
    async with FarSide(HOST, silence) as far_side:
        found = await look(far_side.connection())
    assert f"{HOST}:{far_side.port} takes connections; nothing was said" in found.detail
    assert b"" == far_side.heard


async def test_a_refused_connection_is_told_with_the_systems_reason() -> None:
    async with FarSide(HOST, silence) as far_side:
        pass
    found = await look(far_side.connection())
    assert f"{HOST}:{far_side.port}, connecting: Connection refused" == found.detail


async def test_a_connection_that_nobody_takes_in_time_is_told_with_the_limit() -> None:
    """A listener whose queue is full drops what comes."""
    with socket.socket() as full:
        full.bind((HOST, 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        found = await look(evolve(FarSide(HOST, silence).connection(), port=full.getsockname()[1]))
        for one in waiting:
            one.close()
    assert (False, False) == (found.reached, found.answered)
    assert "connecting within 1 s: no answer in time" in found.detail


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", "127.0.0.1 x"])
async def test_a_name_that_leads_nowhere_is_a_result(host: str) -> None:
    found = await look(evolve(FarSide(host, silence).connection(), port=9))
    assert (False, False) == (found.reached, found.answered)
    assert host in found.detail
