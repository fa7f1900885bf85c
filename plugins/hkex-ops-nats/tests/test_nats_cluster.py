"""Three servers as one, an engine at each: servers die in turn, and every tick is there once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from nats_benches import feed_options, publisher_options
from nats_servers import Nats, free_port

from hkex_ops.errors import TransientError
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
from hkex_ops_nats import NatsFeedOptions, NatsPublisherOptions, open_nats_feed, open_nats_publisher

PRIMARY = SiteRole.PRIMARY
OPENED = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)
NAMES = ("nats-a", "nats-b", "nats-c")

# Everything a test may take: elections, deaths, restarts.
TIME_LIMIT_S = 240

# Between two moments, and how long a cluster is given to be one again.
INTERVAL_S = 0.05
RECOVERED_S = 6


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[Nats]]:
    """Three servers that know each other."""
    ports = [free_port() for _ in NAMES]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    async with AsyncExitStack() as stack:
        servers = [
            Nats(
                tmp_path,
                name=name,
                settings=(
                    "cluster {",
                    "  name: hkex",
                    f"  listen: 127.0.0.1:{port}",
                    f"  routes: [ {routes} ]",
                    "}",
                ),
            )
            for name, port in zip(NAMES, ports, strict=True)
        ]
        for server in servers:
            stack.callback(server.kill)
            server.launch()
        for server in servers:
            await server.ready()
        yield servers


def ticks_at(moment: int) -> list[IndexTick]:
    return [
        IndexTick(index, OPENED + timedelta(seconds=2 * moment), Decimal(moment))
        for index in ("0000100", "0001400")
    ]


def from_here(servers: Sequence[Nats], number: int) -> tuple[str, ...]:
    """The servers as the host of the ``number``-th names them: its own first."""
    return tuple(server.url for server in (*servers[number:], *servers[:number]))


async def engine(options: NatsPublisherOptions, moments: int) -> None:
    """Publish every moment, each as often as it takes."""
    left = list(range(moments))
    while left:
        with suppress(TransientError):
            async with open_nats_publisher(options, PRIMARY) as publisher:
                while left:
                    with suppress(TransientError):
                        await publisher.publish(ticks_at(left[0]))
                        left.pop(0)
                        await asyncio.sleep(INTERVAL_S)


async def consumer(options: NatsFeedOptions, count: int) -> list[IndexTick]:
    """Hear ``count`` ticks over one opening."""
    async with open_nats_feed(options, PRIMARY) as feed:
        ticks = feed.ticks()
        assert isinstance(ticks, AsyncGenerator)
        heard = [await anext(ticks) for _ in range(count)]
        await ticks.aclose()
    return heard


# The sample of the default run is the page about NATS: three servers, one of them killed.
@pytest.mark.parametrize("kills", [pytest.param(9, marks=pytest.mark.long)])
async def test_servers_of_a_cluster_die_in_turn_and_nothing_is_lost_or_doubled(
    cluster: list[Nats], tmp_path: Path, kills: int
) -> None:
    moments = 100 * kills
    publishing = evolve(publisher_options(*cluster, folder=tmp_path), replicas=3, timeout_s=10)
    reading = evolve(feed_options(*cluster, folder=tmp_path), reconnect_timeout_s=60)
    expected = [tick for moment in range(moments) for tick in ticks_at(moment)]
    async with asyncio.timeout(TIME_LIMIT_S), asyncio.TaskGroup() as group:
        engines = [
            group.create_task(
                engine(evolve(publishing, servers=from_here(cluster, number)), moments)
            )
            for number in range(len(cluster))
        ]
        await made(reading)
        hearing = group.create_task(consumer(reading, len(expected)))
        for number in range(kills):
            await asyncio.sleep(1)
            assert not all(engine.done() for engine in engines), "it was killed too late"
            dying = cluster[number % len(cluster)]
            dying.kill()
            await asyncio.sleep(1)
            await dying.start()
            await asyncio.sleep(RECOVERED_S)
    assert expected == in_order(hearing.result())
    again = evolve(reading, servers=from_here(cluster, 1), follow=False)
    assert expected == in_order(await consumer(again, len(expected)))


def in_order(ticks: Sequence[IndexTick]) -> list[IndexTick]:
    """By moment and index: when a leader falls, the second tick of a moment may be in first."""
    return sorted(ticks, key=lambda tick: (tick.at, tick.index))


async def made(options: NatsFeedOptions) -> None:
    """Wait until an engine has made the stream."""
    while True:
        with suppress(Exception):
            async with open_nats_feed(options, PRIMARY):
                return
        await asyncio.sleep(0.2)
