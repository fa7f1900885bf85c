"""Asking again over TCP: who is asked in which order, what is refused, and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta

import pytest
from omd_server import RetransmissionServer

from hkex_ops.clock import ManualClock
from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import AuthRefused, Busy, Rejected, TimedOut, Unreachable, UsageError
from hkex_ops.model import HONG_KONG, SiteRole
from hkex_ops.ports import PacketBatch
from hkex_ops.testing.market_feed_heard import messages_of, noticed, numbered
from hkex_ops_omd import retransmitting
from hkex_ops_omd.options import (
    RetransmissionOptions,
    RetransmissionServer as ServerAddress,
    RetransmissionSite,
)
from hkex_ops_omd.retransmitting import Retransmitter

USER, OTHER = "TESTER01", "TESTER02"
CHANNEL = 30
MORNING = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)


@pytest.fixture
async def server() -> AsyncIterator[RetransmissionServer]:
    async with running() as server:
        yield server


@asynccontextmanager
async def running(*users: str) -> AsyncGenerator[RetransmissionServer]:
    """A server that keeps messages 1 to 1000."""
    server = RetransmissionServer(*(users or (USER, OTHER)))
    server.keep(CHANNEL, messages_of([numbered(one, count=100) for one in range(1, 1000, 100)]))
    await server.open()
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def asker(
    *servers: RetransmissionServer,
    secondary: RetransmissionServer | None = None,
    users: tuple[str, ...] = (USER,),
    site: SiteRole = SiteRole.PRIMARY,
    clock: ManualClock | None = None,
    answer_timeout_s: int = 10,
    linger_s: int = 10,
    busy_wait_s: int = 1,
) -> AsyncGenerator[Retransmitter]:
    """A retransmitter of these servers."""
    sites = {"primary": site_of(*servers)} if servers else {}
    if secondary is not None:
        sites["secondary"] = site_of(secondary)
    options = RetransmissionOptions(
        users=users,
        sites=sites,
        answer_timeout_s=answer_timeout_s,
        linger_s=linger_s,
        busy_wait_s=busy_wait_s,
    )
    made = Retransmitter(options, site, load_codec(), clock or ManualClock(MORNING))
    try:
        yield made
    finally:
        await made.close()


def site_of(*servers: RetransmissionServer) -> RetransmissionSite:
    return RetransmissionSite(tuple(ServerAddress(one.host, one.port) for one in servers))


async def numbers(asking: Retransmitter, begin: int, end: int) -> list[int]:
    """The numbers of the messages that were given again."""
    batches = await collect(asking.ask(CHANNEL, begin, end))
    packets = [packet for batch in batches for packet in batch.packets]
    return [number for number, _ in messages_of(packets)]


async def collect(answer: AsyncGenerator[PacketBatch]) -> list[PacketBatch]:
    async with asyncio.timeout(10), aclosing(answer):
        return [batch async for batch in answer]


# -- servers and users --------------------------------------------------------------------------


async def test_servers_are_tried_in_order_and_never_two_at_once() -> None:
    """The first is down, the second answers, the third is not asked."""
    async with running() as first, running() as second, running() as third:
        await first.close()
        async with asker(first, second, third) as asking:
            assert [1, 2] == await numbers(asking, 1, 2)
    assert [0, 1, 0] == [one.connections for one in (first, second, third)]


@pytest.mark.parametrize(
    ("site", "expected"), [(SiteRole.PRIMARY, [1, 0]), (SiteRole.SECONDARY, [0, 1])]
)
async def test_the_servers_of_the_own_site_come_first(site: SiteRole, expected: list[int]) -> None:
    async with running() as primary, running() as secondary:
        async with asker(primary, secondary=secondary, site=site) as asking:
            await numbers(asking, 1, 2)
        assert expected == [primary.connections, secondary.connections]


async def test_the_other_site_is_asked_when_the_own_is_gone() -> None:
    """Any server may be used, whichever site is active (specification, section 4.2)."""
    async with running() as primary, running() as secondary:
        async with asker(primary, secondary=secondary) as asking:
            await numbers(asking, 1, 2)
            await primary.close()
            await asyncio.sleep(0.01)
            assert [3, 4] == await numbers(asking, 3, 4)
        assert [(CHANNEL, 3, 4)] == secondary.requests


async def test_a_user_who_is_connected_leaves_it_to_the_next(server: RetransmissionServer) -> None:
    """Two processes with the same table of users: each has a session of its own."""
    async with asker(server, users=(USER, OTHER)) as one, asker(server, users=(USER, OTHER)) as two:
        assert [[1], [2]] == [await numbers(one, 1, 1), await numbers(two, 2, 2)]
        assert {USER, OTHER} == server.connected
        async with asker(server, users=(USER, OTHER)) as third:
            with pytest.raises(Busy, match=f"as {USER}: .*; .*as {OTHER}: .*another session"):
                await numbers(third, 3, 3)


async def test_processes_with_one_user_wait_for_each_other(
    server: RetransmissionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets its answer once the session of the other was idle for long enough."""
    monkeypatch.setattr(retransmitting, "TICK_S", 0.01)
    monkeypatch.setattr(retransmitting, "BUSY_INTERVAL_S", 0.05)
    async with (
        asker(server, linger_s=1, busy_wait_s=5) as one,
        asker(server, linger_s=1, busy_wait_s=5) as two,
    ):
        both = await asyncio.gather(numbers(one, 1, 1), numbers(two, 2, 2))
    assert [[1], [2]] == both
    assert 1 == server.most_connected


async def test_a_server_keeps_the_last_fifty_thousand(server: RetransmissionServer) -> None:
    server.keep(CHANNEL, messages_of([numbered(one, count=100) for one in range(1, 50_100, 100)]))
    async with asker(server) as asking:
        with pytest.raises(Rejected, match="the messages are not available"):
            await numbers(asking, 100, 101)
        assert [101, 102] == await numbers(asking, 101, 102)


async def test_an_unknown_user_is_refused_and_nobody_else_is_tried() -> None:
    async with running("SOMEONE") as first, running() as second:
        async with asker(first, second) as asking:
            with pytest.raises(
                AuthRefused, match=f"port {first.port}, as {USER}: .*check the user"
            ):
                await numbers(asking, 1, 2)
        assert 0 == second.connections


async def test_every_server_that_is_gone_is_named(server: RetransmissionServer) -> None:
    async with running() as other, asker(server, other) as asking:
        await server.close()
        await other.close()
        told = f"port {server.port}, .*Connection refused; .*port {other.port}, .*refused"
        with pytest.raises(Unreachable, match=told):
            await numbers(asking, 1, 2)


async def test_a_server_that_is_gone_is_not_tried_for_every_user(
    server: RetransmissionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, tried = asyncio.open_connection, list[int]()

    async def counting(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tried.append(port)
        return await connect(host, port)

    monkeypatch.setattr(asyncio, "open_connection", counting)
    async with running() as gone, asker(gone, server, users=(USER, OTHER)) as asking:
        await gone.close()
        assert [1] == await numbers(asking, 1, 1)
    assert [gone.port, server.port] == tried


async def test_a_host_that_no_name_server_knows_is_unreachable() -> None:
    sites = {"primary": RetransmissionSite((ServerAddress("no.such.host.invalid", 1),))}
    options = RetransmissionOptions(users=(USER,), sites=sites)
    asking = Retransmitter(options, SiteRole.PRIMARY, load_codec(), ManualClock(MORNING))
    with pytest.raises(Unreachable, match=r"no\.such\.host\.invalid port 1, connecting"):
        await numbers(asking, 1, 1)


# -- one session --------------------------------------------------------------------------------


async def test_one_session_serves_many_gaps(server: RetransmissionServer) -> None:
    async with asker(server) as asking:
        for begin in range(1, 100, 10):
            await numbers(asking, begin, begin + 4)
    assert (1, 10) == (server.connections, len(server.requests))


async def test_a_session_is_hung_up_when_it_was_idle(
    server: RetransmissionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user is free for others then; the next gap logs on again."""
    monkeypatch.setattr(retransmitting, "TICK_S", 0.01)
    async with asker(server, linger_s=1) as asking:
        await numbers(asking, 1, 2)
        assert {USER} == server.connected
        assert await noticed(lambda: not server.connected)
        assert [3] == await numbers(asking, 3, 3)
    assert 2 == server.connections


async def test_a_heartbeat_is_returned_as_it_came(server: RetransmissionServer) -> None:
    """A server that hears no echo within its limit hangs up; this one does not."""
    server.heartbeat_s, server.echo_s = 0.05, 0.5
    async with asker(server) as asking:
        await numbers(asking, 1, 2)
        assert await noticed(lambda: server.log.count("echo") >= 3)
        assert [3] == await numbers(asking, 3, 3)
    assert 1 == server.connections


async def test_a_session_that_the_server_ended_is_begun_anew(server: RetransmissionServer) -> None:
    async with asker(server) as asking:
        await numbers(asking, 1, 2)
        await server.close()
        await server.open()
        assert [3, 4] == await numbers(asking, 3, 4)
    assert 2 == server.connections


async def test_closing_ends_an_answer_and_whoever_waits(server: RetransmissionServer) -> None:
    """One waits for a server that says nothing, another for his turn; both are told in time."""
    server.mute = True
    async with asker(server) as asking:
        waiting = [asyncio.create_task(numbers(asking, one, one)) for one in (1, 2)]
        assert await noticed(lambda: server.requests != [])
        await asking.close()
        async with asyncio.timeout(5):
            results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [Unreachable, UsageError] == [type(one) for one in results]
        assert await noticed(lambda: not server.connected)
        with pytest.raises(UsageError, match="this feed is closed"):
            await numbers(asking, 1, 1)


async def test_whoever_is_cancelled_while_he_waits_leaves_nothing(
    server: RetransmissionServer,
) -> None:
    server.mute = True
    async with asker(server) as asking:
        waiting = asyncio.create_task(numbers(asking, 1, 1))
        assert await noticed(lambda: server.requests != [])
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        server.mute = False
        assert [2] == await numbers(asking, 2, 2)


# -- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "told"),
    [(99, "the channel is unknown"), (CHANNEL, "the messages are not available")],
)
async def test_a_refusal_says_who_and_why(
    server: RetransmissionServer, channel: int, told: str
) -> None:
    async with asker(server) as asking:
        with pytest.raises(Rejected, match=f"port {server.port}, as {USER}: .*{told}"):
            await collect(asking.ask(channel, 990, 1001))
        assert [1] == await numbers(asking, 1, 1)
    assert 1 == server.connections


async def test_a_day_has_a_thousand_requests_and_the_next_has_them_again(
    server: RetransmissionServer,
) -> None:
    """What is beyond is not even sent: a server would hang up. Midnight in Hong Kong renews it."""
    clock = ManualClock(MORNING)
    async with asker(server, clock=clock) as asking:
        for _ in range(1000):
            await numbers(asking, 1, 1)
        with pytest.raises(Rejected, match="the requests of the day are used up"):
            await numbers(asking, 1, 1)
        assert 1000 == len(server.requests)
        server.requests.clear()
        clock.advance(timedelta(hours=14))
        assert [1] == await numbers(asking, 1, 1)


async def test_a_server_that_counted_more_hangs_up_and_is_believed(
    server: RetransmissionServer,
) -> None:
    """A process that was started again has forgotten what it asked before."""
    server.requests_a_day = 0
    async with asker(server) as asking:
        with pytest.raises(Rejected, match="the requests of the day are used up"):
            await numbers(asking, 1, 1)


# -- when it fails ------------------------------------------------------------------------------


async def test_a_connection_cut_in_the_midst_of_an_answer_may_be_tried_again(
    server: RetransmissionServer,
) -> None:
    """What came before is given."""
    server.rude = True
    given: list[int] = []
    async with asker(server) as asking:
        with pytest.raises(Unreachable, match=f"port {server.port}, as {USER}"):
            await _into(given, asking)
        server.rude = False
        assert [*range(1, 101)] == await numbers(asking, 1, 100)
    assert [*range(1, server.per_packet + 1)] == given


async def _into(given: list[int], asking: Retransmitter) -> None:
    async for batch in asking.ask(CHANNEL, 1, 100):
        given += [number for number, _ in messages_of(batch.packets)]


async def test_a_server_that_does_not_answer_is_given_up_in_time(
    server: RetransmissionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retransmitting, "TICK_S", 0.01)
    server.mute = True
    async with asker(server, answer_timeout_s=1) as asking:
        with pytest.raises(TimedOut, match="did not answer for 1 s"):
            await numbers(asking, 1, 1)
        server.mute = False
        assert [1] == await numbers(asking, 1, 1)


@pytest.mark.parametrize(
    "garbled", [b"\xff" * 64, bytes(64), numbered(501, count=2)], ids=["size", "zeros", "foreign"]
)
async def test_a_server_that_sends_nonsense_is_refused(
    server: RetransmissionServer, garbled: bytes
) -> None:
    """What is no packet, and what nobody asked for."""
    server.garbled = garbled
    async with asker(server) as asking:
        with pytest.raises(Rejected, match=f"port {server.port}, as {USER}"):
            await numbers(asking, 1, 10)
        server.garbled = b""
        assert [1] == await numbers(asking, 1, 1)


@pytest.mark.parametrize(("begin", "end"), [(0, 1), (2, 1), (1, 10_001), (1, 2**32)])
async def test_what_one_request_cannot_name_is_not_asked(
    server: RetransmissionServer, begin: int, end: int
) -> None:
    async with asker(server) as asking:
        with pytest.raises(UsageError, match=f"messages {begin} to {end} of channel 30"):
            await numbers(asking, begin, end)
    assert 0 == server.connections
