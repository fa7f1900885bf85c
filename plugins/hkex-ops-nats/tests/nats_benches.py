"""Publisher and feed against a real nats-server, as benches of the conformance kit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

from attrs import evolve
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError, ServiceUnavailableError
from nats_servers import PASSWORDS, Nats, usual_users

from hkex_ops.model import (
    IndexTick,
    JsonObject,
    TickKind,
    format_tick,
    parse_published,
    tick_identity,
)
from hkex_ops.ports import IndexFeed, IndexPublisher, Offer
from hkex_ops.testing import IndexFeedBench, IndexPublisherBench
from hkex_ops_nats import (
    NatsFeedOptions,
    NatsPublisherOptions,
    hkex_ops_index_feeds,
    hkex_ops_index_publishers,
)

__all__ = ["FeedBench", "PublisherBench", "feed_options", "publisher_options", "put", "stored"]

STREAM = "HKEX-INDEX"
CLIENT = "hkex-ops-nats"

# What the publisher's server has room for: many moments, and soon filled.
ROOM_KB = 256
NO_RIGHTS = ', permissions = { publish = { allow = ["$JS.API.>"] } }'


def secret_file(folder: Path, name: str, content: str) -> Path:
    """A file that nobody else may read."""
    path = folder / name
    path.write_text(content)
    path.chmod(0o600)
    return path


def publisher_options(*servers: Nats, folder: Path) -> NatsPublisherOptions:
    """Options of the user ``engine``, impatient."""
    return NatsPublisherOptions(
        servers=tuple(server.url for server in servers),
        user="engine",
        password_file=secret_file(folder, "engine", PASSWORDS["engine"]),
        connect_timeout_s=1,
        answer_timeout_s=1,
        timeout_s=2,
    )


def feed_options(*servers: Nats, folder: Path) -> NatsFeedOptions:
    """Options of the user ``reader``, from the start."""
    return NatsFeedOptions(
        servers=tuple(server.url for server in servers),
        user="reader",
        password_file=secret_file(folder, "reader", PASSWORDS["reader"]),
        connect_timeout_s=1,
        answer_timeout_s=1,
        reconnect_timeout_s=10,
        start="all",
    )


async def stored(server: Nats, subject: str = "hkex.index.>") -> list[IndexTick | JsonObject]:
    """Everything in the stream, in its order, read without our code."""
    async with server.door() as client:
        js = client.jetstream()
        info = await js.stream_info(STREAM)
        subscription = await js.pull_subscribe(
            subject,
            stream=STREAM,
            config=ConsumerConfig(ack_policy=AckPolicy.NONE, inactive_threshold=5),
        )
        wanted = (await subscription.consumer_info()).num_pending or 0
        found: list[IndexTick | JsonObject] = []
        while len(found) < wanted:
            messages = await subscription.fetch(wanted - len(found), timeout=5)
            found += [parse_published(message.data) for message in messages]
        assert info.state.messages >= wanted
        return found


async def put(server: Nats, ticks: Sequence[IndexTick]) -> None:
    """Store ticks without our code."""
    async with server.door() as client:
        await put_by(client, ticks)


async def put_by(client: Client, ticks: Sequence[IndexTick]) -> None:
    js = client.jetstream()
    for tick in ticks:
        await js.publish(
            f"hkex.index.tick.{tick.kind}.{tick.index}",
            format_tick(tick).encode(),
            headers={"Nats-Msg-Id": tick_identity(tick)},
        )


class PublisherBench(IndexPublisherBench):
    """The publisher ``nats`` and one server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Nats(folder, room_kb=ROOM_KB)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[PublisherBench]:
        async with self.server:
            yield self

    @property
    def offer(self) -> Offer[IndexPublisher]:
        (offer,) = hkex_ops_index_publishers()
        return offer

    def options(self) -> NatsPublisherOptions:
        return publisher_options(self.server, folder=self.folder)

    def options_unknown(self) -> NatsPublisherOptions:
        other = secret_file(self.folder, "other", "wrong-password")
        return evolve(self.options(), password_file=other)

    def secrets(self) -> Sequence[str]:
        return (*PASSWORDS.values(), "wrong-password")

    async def published(self) -> Sequence[IndexTick]:
        if not await self._has_stream():
            return []
        found = await stored(self.server)
        return [record for record in found if isinstance(record, IndexTick)]

    async def _has_stream(self) -> bool:
        async with self.server.door() as client:
            return bool(await client.jetstream().streams_info())

    async def events(self) -> Sequence[JsonObject]:
        found = await stored(self.server)
        return [record for record in found if not isinstance(record, IndexTick)]

    async def latest(self) -> Sequence[IndexTick]:
        """The last of each subject, as JetStream tells a late-comer; the newest of each index."""
        newest: dict[str, IndexTick] = {}
        async with self.server.door() as client:
            js = client.jetstream()
            info = await js.stream_info(STREAM, subjects_filter="hkex.index.tick.>")
            for subject in info.state.subjects or ():
                message = await js.get_last_msg(STREAM, subject)
                tick = parse_published(message.data or b"")
                assert isinstance(tick, IndexTick)
                known = newest.get(tick.index)
                if tick.kind is not TickKind.RECALCULATED and (not known or known.at < tick.at):
                    newest[tick.index] = tick
        return list(newest.values())

    async def take_down(self) -> None:
        self.server.kill()

    async def bring_up(self) -> None:
        self.server.thaw()
        if self.server.process is None:
            await self.server.start()
        async with self.server.door() as client:
            with suppress(NotFoundError):
                await client.jetstream().delete_stream("JUNK")

    async def fall_silent(self) -> None:
        self.server.freeze()

    async def fill_up(self) -> None:
        async with self.server.door() as client:
            js = client.jetstream()
            await js.add_stream(name="JUNK", subjects=["junk"])
            with suppress(ServiceUnavailableError):
                for _ in range(2 * ROOM_KB):
                    await js.publish("junk", bytes(1024))

    async def refuse(self) -> None:
        await self.server.reload(usual_users(engine_rights=NO_RIGHTS))

    def visitors(self) -> int:
        return self.server.connections(CLIENT)


class FeedBench(IndexFeedBench):
    """The feed ``nats`` and one server with a stream. ``durable`` makes every reader remembered."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.server = Nats(folder)
        self.durable = durable
        self._readers = 0
        self._door = AsyncExitStack()
        self._client: Client | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[FeedBench]:
        async with self.server, self._door:
            async with self.server.door() as client:
                await client.jetstream().add_stream(
                    name=STREAM, subjects=["hkex.index.tick.>", "hkex.index.event.>"]
                )
            yield self

    @property
    def offer(self) -> Offer[IndexFeed]:
        (offer,) = hkex_ops_index_feeds()
        return offer

    def options_from_the_start(self) -> NatsFeedOptions:
        self._readers += 1
        durable = f"reader-{self._readers}" if self.durable else ""
        return evolve(feed_options(self.server, folder=self.folder), durable=durable)

    def options(self) -> NatsFeedOptions:
        return evolve(self.options_from_the_start(), start="new")

    def options_to_the_end(self) -> NatsFeedOptions:
        return evolve(self.options_from_the_start(), follow=False, durable="")

    def options_from(self, at: datetime) -> NatsFeedOptions:
        return evolve(self.options_from_the_start(), start=at.isoformat())

    def options_resuming(self) -> NatsFeedOptions:
        return evolve(self.options_from_the_start(), durable="remembered")

    def options_unknown(self) -> NatsFeedOptions:
        other = secret_file(self.folder, "other", "wrong-password")
        return evolve(self.options(), password_file=other)

    def secrets(self) -> Sequence[str]:
        return (*PASSWORDS.values(), "wrong-password")

    async def put(self, ticks: Sequence[IndexTick]) -> None:
        if self._client is None:
            self._client = await self._door.enter_async_context(self.server.door())
        await put_by(self._client, ticks)

    async def put_nonsense(self) -> None:
        async with self.server.door() as client:
            await client.jetstream().publish("hkex.index.tick.real-time.x", b"\x1b[2Jnonsense")

    async def take_down(self) -> None:
        self._client = None
        await self._door.aclose()
        self.server.kill()

    async def bring_up(self) -> None:
        await self.server.start()

    def visitors(self) -> int:
        return self.server.connections(CLIENT)
