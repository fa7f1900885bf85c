"""What a feed gives after lines were lost, servers died and streams forgot, and where it begins."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve
from nats.js.api import ConsumerConfig
from nats_benches import CLIENT, STREAM, feed_options, put
from nats_servers import Nats

from hkex_ops.errors import ConfigError, Rejected, TransientError
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole, TickKind
from hkex_ops_nats import NatsFeedOptions, consumers, open_nats_feed, pulling

OPENED = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)
TIME_LIMIT_S = 20


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Nats]:
    async with Nats(tmp_path) as server:
        await make_stream(server)
        yield server


async def make_stream(server: Nats, **config: int) -> None:
    async with server.door() as client:
        subjects = ["hkex.index.tick.>", "hkex.index.event.>"]
        await client.jetstream().add_stream(name=STREAM, subjects=subjects, **config)


def tick(moment: int, *, index: str = "0000100", kind: TickKind = TickKind.REAL_TIME) -> IndexTick:
    return IndexTick(index, OPENED + timedelta(seconds=2 * moment), Decimal(moment), kind=kind)


async def put_moments(server: Nats, *moments: int) -> None:
    await put(server, [tick(moment) for moment in moments])


class Reader:
    """Takes the values of ticks, each in time."""

    def __init__(self, ticks: AsyncGenerator[IndexTick]) -> None:
        self._ticks = ticks

    async def take(self, count: int) -> list[int]:
        async with asyncio.timeout(TIME_LIMIT_S):
            return [int((await anext(self._ticks)).value) for _ in range(count)]

    async def rest(self) -> list[int]:
        async with asyncio.timeout(TIME_LIMIT_S):
            return [int(one.value) async for one in self._ticks]


@asynccontextmanager
async def hearing(options: NatsFeedOptions) -> AsyncGenerator[Reader]:
    async with open_nats_feed(options, SiteRole.PRIMARY) as feed:
        ticks = feed.ticks()
        assert isinstance(ticks, AsyncGenerator)
        try:
            yield Reader(ticks)
        finally:
            await ticks.aclose()


# -- lines and servers ----------------------------------------------------------------------------


@pytest.mark.parametrize("durable", ["", "eas"])
async def test_a_server_that_dies_in_the_middle_of_a_batch_costs_nothing(
    server: Nats, tmp_path: Path, durable: str
) -> None:
    await put_moments(server, *range(30))
    options = evolve(feed_options(server, folder=tmp_path), durable=durable)
    async with hearing(options) as reader:
        heard = await reader.take(10)
        server.kill()
        await server.start()
        await put_moments(server, *range(30, 40))
        heard += await reader.take(30)
    assert list(range(40)) == heard


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.long)])
async def test_a_reader_over_many_deaths_hears_each_tick_once(
    server: Nats, tmp_path: Path, kills: int
) -> None:
    """The server is killed hard between and during the reader's questions, again and again."""
    options = evolve(feed_options(server, folder=tmp_path), reconnect_timeout_s=60)
    heard: list[int] = []
    async with hearing(options) as reader:
        for number in range(kills):
            await put_moments(server, *range(20 * number, 20 * number + 20))
            heard += await reader.take(5 + number % 15)
            server.kill()
            await server.start()
        heard += await reader.take(20 * kills - len(heard))
    assert list(range(20 * kills)) == heard


async def test_a_server_that_falls_silent_is_left_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No heartbeat comes any more, so the line is taken for lost; the place is kept."""
    monkeypatch.setattr(pulling, "SILENCE_S", 1)
    async with Nats(tmp_path, name="nats-a") as one, Nats(tmp_path, name="nats-b") as other:
        for each in (one, other):  # as two replicas hold the same
            await make_stream(each)
            await put_moments(each, 0, 1, 2)
        async with hearing(feed_options(one, other, folder=tmp_path)) as reader:
            assert [0] == await reader.take(1)
            await reader.take(2)
            one.freeze()
            await put_moments(other, 3)
            assert [3] == await reader.take(1)
            one.thaw()


async def test_a_line_that_stays_lost_is_given_up_in_time(server: Nats, tmp_path: Path) -> None:
    options = evolve(feed_options(server, folder=tmp_path), reconnect_timeout_s=1)
    async with hearing(options) as reader:
        server.kill()
        with pytest.raises(TransientError, match="tried for 1 s"):
            await reader.take(1)


async def test_what_is_quiet_is_not_lost(
    server: Nats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a question stands nothing comes: it is asked again, over the same line."""
    monkeypatch.setattr(pulling, "QUESTION_S", 2)
    monkeypatch.setattr(pulling, "HEARTBEAT_S", 1)
    async with hearing(feed_options(server, folder=tmp_path)) as reader:
        waiting = asyncio.create_task(reader.take(1))
        await asyncio.sleep(2.3)
        assert 1 == server.connections(CLIENT)
        await put_moments(server, 7)
        assert [7] == await waiting


@pytest.mark.parametrize("count", [1500, pytest.param(100_000, marks=pytest.mark.long)])
async def test_a_slow_reader_gets_everything_and_holds_a_batch(
    server: Nats, tmp_path: Path, count: int
) -> None:
    async with server.door() as client:
        line = b'{"version":1,"index":"0000100","at":"2010-01-22T10:00:00+08:00","value":"%d"}'
        for moment in range(count):
            await client.publish("hkex.index.tick.real-time.0000100", line % moment)
        await client.flush()
    async with open_nats_feed(feed_options(server, folder=tmp_path), SiteRole.PRIMARY) as feed:
        heard = 0
        async for one in feed.ticks():
            assert heard == one.value
            heard += 1
            if heard % 500 == 0:
                await asyncio.sleep(0.01)
            if heard == count:
                break


# -- where it begins ------------------------------------------------------------------------------


async def test_a_late_comer_is_told_the_last_of_each_index_first(
    server: Nats, tmp_path: Path
) -> None:
    await put(server, [tick(1), tick(2, index="0001400"), tick(3)])
    options = evolve(feed_options(server, folder=tmp_path), start="last")
    async with hearing(options) as reader:
        assert [2, 3] == await reader.take(2)
        await put_moments(server, 4)
        assert [4] == await reader.take(1)


async def test_a_feed_can_begin_at_a_place_of_the_stream(server: Nats, tmp_path: Path) -> None:
    await put_moments(server, *range(5))
    options = evolve(feed_options(server, folder=tmp_path), start_sequence=4, follow=False)
    async with hearing(options) as reader:
        assert [3, 4] == await reader.rest()


async def test_a_feed_to_the_end_ends_while_more_is_published(server: Nats, tmp_path: Path) -> None:
    """What was there when it was opened is all of it, however fast others publish."""
    await put_moments(server, 0, 1, 2)
    options = evolve(feed_options(server, folder=tmp_path), follow=False)
    async with hearing(options) as reader:
        await put_moments(server, 3, 4)
        assert [0, 1, 2] == await reader.rest()


async def test_a_durable_reader_may_end_too(server: Nats, tmp_path: Path) -> None:
    options = evolve(feed_options(server, folder=tmp_path), follow=False, durable="eas")
    await put_moments(server, 0, 1)
    for expected in ([0, 1], [], [2]):
        async with hearing(options) as reader:
            assert expected == await reader.rest()
        if not expected:
            await put_moments(server, 2)


async def test_events_are_not_ticks(server: Nats, tmp_path: Path) -> None:
    async with server.door() as client:
        event = b'{"version":1,"event":"resumed","at":"2010-01-22T10:24:59+08:00"}'
        await client.jetstream().publish("hkex.index.event.resumed", event)
    await put_moments(server, 1)
    async with hearing(evolve(feed_options(server, folder=tmp_path), follow=False)) as reader:
        assert [1] == await reader.rest()


# -- what is remembered ---------------------------------------------------------------------------


READER = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from hkex_ops.model import SiteRole
from hkex_ops_nats import NatsFeedOptions, open_nats_feed

async def read():
    options = NatsFeedOptions(
        servers=(sys.argv[1],), user="reader", password_file=Path(sys.argv[2]), durable="eas",
        start="all",
    )
    async with open_nats_feed(options, SiteRole.PRIMARY) as feed:
        async for tick in feed.ticks():
            print(tick.value, flush=True)
            if tick.value == 1:
                await asyncio.sleep(3600)

asyncio.run(read())
"""


def read_two_and_die(options: NatsFeedOptions) -> list[str]:
    """A reader in a process of its own, killed hard with its second tick in hand."""
    arguments = [options.servers[0], str(options.password_file), *sys.path]
    with subprocess.Popen(
        [sys.executable, "-c", READER, *arguments], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        said = [reader.stdout.readline().strip() for _ in range(2)]
        reader.kill()
    return said


async def test_a_reader_that_died_is_told_again_what_it_had_in_hand(
    server: Nats, tmp_path: Path
) -> None:
    """The next of the name gets that tick first, and then all the others, also those put since."""
    await put_moments(server, 0, 1, 2)
    options = evolve(feed_options(server, folder=tmp_path), durable="eas")
    assert ["0", "1"] == await asyncio.to_thread(read_two_and_die, options)
    await put_moments(server, 3)
    async with hearing(options) as reader:
        assert [1, 2, 3] == await reader.take(3)


async def test_a_reader_that_lives_may_take_its_time(
    server: Nats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a dead one's tick would be kept back: it is told nothing twice."""
    monkeypatch.setattr(consumers, "IN_HAND_S", 1)
    await put_moments(server, 0, 1, 2)
    async with hearing(evolve(feed_options(server, folder=tmp_path), durable="eas")) as reader:
        assert [0] == await reader.take(1)
        await asyncio.sleep(1.5)
        assert [1, 2] == await reader.take(2)


async def test_a_message_that_is_no_tick_stops_a_remembered_reader_once(
    server: Nats, tmp_path: Path
) -> None:
    await put_moments(server, 0)
    async with server.door() as client:
        await client.jetstream().publish("hkex.index.tick.real-time.x", b"nonsense")
    await put_moments(server, 1)
    options = evolve(feed_options(server, folder=tmp_path), durable="eas")
    async with hearing(options) as reader:
        assert [0] == await reader.take(1)
        with pytest.raises(
            Rejected, match="message 2 of stream HKEX-INDEX is no tick: is not JSON"
        ):
            await reader.take(1)
    async with hearing(options) as reader:
        assert [1] == await reader.take(1)


async def test_the_name_of_another_kind_of_reader_is_refused(server: Nats, tmp_path: Path) -> None:
    async with server.door() as client:
        await client.jetstream().add_consumer(STREAM, ConsumerConfig(durable_name="eas"))
    options = evolve(feed_options(server, folder=tmp_path), durable="eas")
    with pytest.raises(ConfigError, match="is a reader of another kind: name another"):
        async with hearing(options):
            pass


# -- what is gone ---------------------------------------------------------------------------------


async def test_ticks_that_the_stream_forgot_behind_the_reader_are_told(
    tmp_path: Path, server: Nats
) -> None:
    await put_moments(server, *range(4))
    async with hearing(feed_options(server, folder=tmp_path)) as reader:
        assert [0, 1, 2, 3] == await reader.take(4)
        server.kill()
        await server.start()
        async with server.door() as client:
            await client.jetstream().purge_stream(STREAM)
        await put_moments(server, 4, 5)
        async with server.door() as client:
            await client.jetstream().purge_stream(STREAM, seq=6)
        with pytest.raises(
            Rejected, match="keeps its messages from 6 on, and 5 is the one to come"
        ):
            await reader.take(1)


async def test_a_stream_that_was_made_anew_is_told(tmp_path: Path, server: Nats) -> None:
    await put_moments(server, *range(4))
    async with hearing(feed_options(server, folder=tmp_path)) as reader:
        assert [0, 1, 2, 3] == await reader.take(4)
        server.kill()
        await server.start()
        async with server.door() as client:
            await client.jetstream().delete_stream(STREAM)
        await make_stream(server)
        await put_moments(server, 9)
        with pytest.raises(Rejected, match="it was made anew"):
            await reader.take(1)


async def test_a_place_that_is_no_longer_kept_is_told(tmp_path: Path, server: Nats) -> None:
    await put_moments(server, *range(4))
    async with server.door() as client:
        await client.jetstream().purge_stream(STREAM, seq=3)
    options = evolve(feed_options(server, folder=tmp_path), start_sequence=2)
    with pytest.raises(Rejected, match="keeps its messages from 3 on"):
        async with hearing(options):
            pass


async def test_a_stream_without_our_ticks_is_told(tmp_path: Path, server: Nats) -> None:
    options = evolve(feed_options(server, folder=tmp_path), subject_prefix="other")
    with pytest.raises(ConfigError, match=r"does not hold other\.tick\.> and other\.event\.>"):
        async with hearing(options):
            pass


async def test_a_stream_that_is_not_there_is_told(tmp_path: Path, server: Nats) -> None:
    options = evolve(feed_options(server, folder=tmp_path), stream="MISSING")
    with pytest.raises(ConfigError, match="there is no stream MISSING"):
        async with hearing(options):
            pass
