"""What the stream holds after servers died, engines published at once, and engines disagreed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType
from nats_benches import STREAM, publisher_options, stored
from nats_servers import PASSWORDS, Nats

from hkex_ops.errors import (
    Busy,
    ConfigError,
    Fault,
    Rejected,
    TransientError,
    Unreachable,
    UsageError,
)
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole, TickKind, tick_identity
from hkex_ops.ports import IndexPublisher
from hkex_ops_nats import NatsPublisherOptions, open_nats_publisher

PRIMARY = SiteRole.PRIMARY
OPENED = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Nats]:
    async with Nats(tmp_path) as server:
        yield server


def ticks_at(moment: int, *, engine: str = "a") -> list[IndexTick]:
    return [
        IndexTick(index, OPENED + timedelta(seconds=2 * moment), Decimal(moment), engine=engine)
        for index in ("0000100", "0001400")
    ]


async def publish(options: NatsPublisherOptions, *moments: Sequence[IndexTick]) -> None:
    async with open_nats_publisher(options, PRIMARY) as publisher:
        for ticks in moments:
            await publisher.publish(ticks)


async def publish_all(publisher: IndexPublisher, moments: Sequence[Sequence[IndexTick]]) -> None:
    """Publish each moment, again and again where need be."""
    left = list(moments)
    while left:
        with suppress(TransientError):
            await publisher.publish(left[0])
            left.pop(0)


# -- death and doubles ----------------------------------------------------------------------------


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.long)])
async def test_a_server_killed_while_ticks_come_has_each_once_and_in_order(
    server: Nats, tmp_path: Path, kills: int
) -> None:
    """Killed hard and started again, over and over: what was acknowledged is there, none twice."""
    moments = [ticks_at(moment) for moment in range(150 * kills)]
    async with (
        open_nats_publisher(publisher_options(server, folder=tmp_path), PRIMARY) as publisher,
        asyncio.TaskGroup() as group,
    ):
        publishing = group.create_task(publish_all(publisher, moments))
        for number in range(kills):
            await asyncio.sleep(0.03 + 0.005 * (number % 10))
            assert not publishing.done(), "it was killed too late"
            server.kill()
            await server.start()
    assert [tick for ticks in moments for tick in ticks] == await stored(server)


async def test_engines_at_once_publish_each_tick_once(server: Nats, tmp_path: Path) -> None:
    """Three engines, each with its own connection, at the same moments: the first of each wins."""
    options = publisher_options(server, folder=tmp_path)
    await asyncio.gather(
        *(
            publish(options, *(ticks_at(moment, engine=engine) for moment in range(8)))
            for engine in "abc"
        )
    )
    found = await stored(server)
    assert Counter(tick_identity(tick) for moment in range(8) for tick in ticks_at(moment)) == (
        Counter(tick_identity(tick) for tick in found if isinstance(tick, IndexTick))
    )


async def test_a_stream_knows_again_what_it_had_before_its_server_died(
    server: Nats, tmp_path: Path
) -> None:
    options = publisher_options(server, folder=tmp_path)
    await publish(options, ticks_at(0))
    server.kill()
    await server.start()
    await publish(options, ticks_at(0, engine="b"))
    assert ticks_at(0) == await stored(server)


# -- engines that disagree ------------------------------------------------------------------------


async def test_a_value_that_another_engine_published_otherwise_is_an_event(
    server: Nats, tmp_path: Path
) -> None:
    options = publisher_options(server, folder=tmp_path)
    first, second = ticks_at(1, engine="a"), ticks_at(1, engine="b")
    other = [second[0], evolve(second[1], value=Decimal("1.01"))]
    await publish(options, first)
    await publish(options, other)
    await publish(options, other)
    event = {
        "event": "published-tick-differs",
        "at": "2010-01-22T10:00:02+08:00",
        "index": "0001400",
        "kind": "real-time",
        "published": "1",
        "published_status": "T",
        "published_by": "a",
        "computed": "1.01",
        "computed_status": "T",
        "computed_by": "b",
    }
    assert [*first, event] == await stored(server)


async def test_nobody_compares_where_nobody_wants_to(server: Nats, tmp_path: Path) -> None:
    options = evolve(publisher_options(server, folder=tmp_path), compare_duplicates=False)
    await publish(options, ticks_at(1))
    await publish(options, [evolve(tick, value=Decimal(9)) for tick in ticks_at(1)])
    assert ticks_at(1) == await stored(server)


async def test_a_recalculated_value_is_never_the_state(server: Nats, tmp_path: Path) -> None:
    """It has a subject of its own, so the last of the index stays the last."""
    options = publisher_options(server, folder=tmp_path)
    recalculated = [evolve(tick, kind=TickKind.RECALCULATED) for tick in ticks_at(0)]
    await publish(options, ticks_at(1), recalculated)
    assert ticks_at(1)[:1] == await stored(server, "hkex.index.tick.real-time.0000100")
    assert recalculated[:1] == await stored(server, "hkex.index.tick.recalculated.0000100")


async def test_an_index_that_is_no_word_of_a_subject_is_refused_before_anything_is_sent(
    server: Nats, tmp_path: Path
) -> None:
    options = publisher_options(server, folder=tmp_path)
    wrong = [ticks_at(0)[0], evolve(ticks_at(0)[1], index="*.>\r\nPUB x")]
    with pytest.raises(UsageError, match="cannot be published on NATS"):
        await publish(options, wrong)
    assert [] == await stored(server)


# -- servers --------------------------------------------------------------------------------------


async def test_the_next_server_is_used_when_the_first_is_down(server: Nats, tmp_path: Path) -> None:
    down = Nats(tmp_path, name="nats-down")
    await publish(publisher_options(down, server, folder=tmp_path), ticks_at(0))
    assert ticks_at(0) == await stored(server)


async def test_when_no_server_will_do_each_is_named(tmp_path: Path) -> None:
    one, other = (Nats(tmp_path, name=name) for name in ("nats-a", "nats-b"))
    with pytest.raises(Unreachable, match=f"port {one.port}: .*; .*port {other.port}: "):
        await publish(publisher_options(one, other, folder=tmp_path), ticks_at(0))


async def test_a_server_that_is_frozen_is_left_for_the_next(tmp_path: Path) -> None:
    """Both keep a stream of their own here: what counts is that the second one is asked in time."""
    async with Nats(tmp_path, name="nats-a") as one, Nats(tmp_path, name="nats-b") as other:
        options = evolve(publisher_options(one, other, folder=tmp_path), timeout_s=8)
        async with open_nats_publisher(options, PRIMARY) as publisher:
            await publisher.publish(ticks_at(0))
            one.freeze()
            await publisher.publish(ticks_at(1))
            one.thaw()
        assert ticks_at(1) == await stored(other)


# -- the stream -----------------------------------------------------------------------------------


async def test_the_stream_is_made_as_the_options_say(server: Nats, tmp_path: Path) -> None:
    options = evolve(
        publisher_options(server, folder=tmp_path),
        max_age_s=7200,
        max_size_bytes=10_000_000,
        duplicate_window_s=600,
    )
    await publish(options)
    async with server.door() as client:
        config = (await client.jetstream().stream_info(STREAM)).config
    assert ["hkex.index.tick.>", "hkex.index.event.>"] == config.subjects
    assert (7200, 10_000_000, 600) == (config.max_age, config.max_bytes, config.duplicate_window)
    assert (StorageType.FILE, RetentionPolicy.LIMITS) == (config.storage, config.retention)
    assert (DiscardPolicy.OLD, 1, True) == (
        config.discard,
        config.num_replicas,
        config.allow_direct,
    )
    await publish(options)


async def test_every_difference_of_a_stream_is_told_at_once(server: Nats, tmp_path: Path) -> None:
    async with server.door() as client:
        await client.jetstream().add_stream(
            name=STREAM,
            subjects=["hkex.index.tick.>"],
            storage=StorageType.MEMORY,
            discard=DiscardPolicy.NEW,
            max_msgs=1000,
            max_age=60,
            duplicate_window=60,
            no_ack=True,
        )
    with pytest.raises(ConfigError) as caught:
        await publish(publisher_options(server, folder=tmp_path))
    assert f"stream HKEX-INDEX on 127.0.0.1 port {server.port}" == caught.value.document
    assert (
        Fault(
            "subject_prefix",
            "it holds hkex.index.tick.>, and should hold hkex.index.tick.> and hkex.index.event.>",
        ),
        Fault("max_age_s", "it has 60, and the options say 604800: change either"),
        Fault("duplicate_window_s", "it has 60, and the options say 3600: change either"),
        Fault("stream", "it lies in memory, and a restart loses it: make it with file storage"),
        Fault("stream", "it takes nothing when it is full: make it discard the oldest"),
        Fault("stream", "it acknowledges nothing: make it without no_ack"),
        Fault("stream", "its last values cannot be asked for: set allow_direct"),
        Fault("stream", "it keeps a number of messages: limit it by age or size"),
    ) == caught.value.faults


async def test_a_stream_is_not_made_where_it_shall_not_be(server: Nats, tmp_path: Path) -> None:
    options = evolve(publisher_options(server, folder=tmp_path), create_stream=False)
    with pytest.raises(ConfigError, match="there is no stream HKEX-INDEX: set create_stream"):
        await publish(options)


async def test_three_replicas_need_a_cluster(server: Nats, tmp_path: Path) -> None:
    options = evolve(publisher_options(server, folder=tmp_path), replicas=3)
    with pytest.raises(ConfigError, match=r"replicas is 3 and .* is no cluster"):
        await publish(options)


async def test_subjects_of_another_stream_are_not_taken_over(server: Nats, tmp_path: Path) -> None:
    options = publisher_options(server, folder=tmp_path)
    await publish(options)
    with pytest.raises(ConfigError, match=r"holds subjects of hkex\.index already"):
        await publish(evolve(options, stream="ANOTHER"))


async def test_servers_without_streams_are_told_so(tmp_path: Path) -> None:
    async with Nats(tmp_path, has_jetstream=False) as server:
        with pytest.raises(Busy, match="wait for the cluster, or enable JetStream"):
            await publish(publisher_options(server, folder=tmp_path))


async def test_a_user_without_streams_is_told_so(tmp_path: Path) -> None:
    """JetStream is there, and the account that the user belongs to has none."""
    user = f'{{ user: engine, password: "{PASSWORDS["engine"]}" }}'
    accounts = ("accounts {", "  A {", f"    users: [ {user} ]", "  }", "}")
    async with Nats(tmp_path, authorization=accounts) as server:
        with pytest.raises(Rejected, match="keep no streams for this user"):
            await publish(publisher_options(server, folder=tmp_path))
