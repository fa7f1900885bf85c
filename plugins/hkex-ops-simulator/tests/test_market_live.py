"""A live market on loopback: real multicast, and everything that a client recovers by."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops import HONG_KONG
from hkex_ops.config.layouts import load_codec
from hkex_ops.config.settings import load_settings
from hkex_ops.errors import ConfigError, UsageError
from hkex_ops.flows.index.adapters import configured_market_feed
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import SiteRole
from hkex_ops.omd.disaster import DisasterRecoveryBegan, DisasterRecoveryEnded
from hkex_ops.omd.messages import Statistics
from hkex_ops.plugins import MARKET_FEEDS, Plugins
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.backbone.client import MarketClient
from hkex_ops_simulator.market.channels import GROUPS, RECOVERY, channels_of, port_of
from hkex_ops_simulator.market.configuration import feed_text
from hkex_ops_simulator.market.day import MarketDay
from hkex_ops_simulator.market.live import LiveMarket, LiveOptions
from hkex_ops_simulator.market.sending import LOOPBACK, Sender
from hkex_ops_simulator.market.shape import CALM, Faults, Shape
from hkex_ops_simulator.market.timetable import Timetable

START = datetime(2026, 11, 17, 9, tzinfo=HONG_KONG)
SHAPE = Shape(messages=600, minutes=2, securities=20, groups=1, indexes=1)
CHANNELS = channels_of(SHAPE.feed, SHAPE.groups)
BUSY = 20
CODEC = load_codec()

needs_adapter = pytest.mark.skipif(
    "omd-multicast" not in Plugins.load().offers(MARKET_FEEDS), reason="hkex-ops-omd is not there"
)


def after(seconds: int) -> int:
    return time_ns_of(START + timedelta(seconds=seconds))


def day(start: datetime = START) -> MarketDay:
    return MarketDay(SHAPE, Timetable.trial(start, SHAPE.minutes))


@asynccontextmanager
async def markets(faults: Faults = CALM) -> AsyncIterator[LiveMarket]:
    options = LiveOptions(faults=faults, seed=5, refresh_every_ms=20)
    async with LiveMarket(day().sent(), CHANNELS, CODEC, options) as market:
        yield market


@asynccontextmanager
async def clients(market: LiveMarket, folder: Path) -> AsyncIterator[MarketClient]:
    path = folder / "market.toml"
    path.write_text(feed_text(market), "utf-8")
    configured = configured_market_feed(load_settings(path), Plugins.load(), None)
    async with MarketClient(configured, SiteRole.PRIMARY, CODEC, RECOVERY) as client:
        yield client


def whole(client: MarketClient, market: LiveMarket) -> bool:
    return all(
        tuple(client.received[channel]) == market.bodies(channel, 1, market.last_sequence(channel))
        for channel in CHANNELS
    )


@contextmanager
def listening(line: FeedLine, port: int) -> Iterator[socket.socket]:
    """A plain socket that hears a group on loopback: nobody's adapter."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind((GROUPS[line], port))
        membership = socket.inet_aton(GROUPS[line]) + socket.inet_aton(LOOPBACK)
        heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        heard.settimeout(5)
        yield heard


class TestSending:
    def test_a_packet_goes_to_the_group_and_port_of_its_channel_and_line(self) -> None:
        sender = Sender(channels=[BUSY])
        port = port_of(BUSY, sender.base_port)
        with (
            listening(FeedLine.A, port) as line_a,
            listening(FeedLine.B, port) as line_b,
        ):
            sender.send(BUSY, FeedLine.B, b"by line B")
            sender.send(BUSY, FeedLine.A, b"by line A")
            assert (b"by line A", b"by line B") == (line_a.recv(2000), line_b.recv(2000))
        sender.close()
        assert 2 == sender.packets

    async def test_a_day_is_played_as_many_times_as_fast_as_is_asked_for(self) -> None:
        async with markets() as market:
            loop = asyncio.get_running_loop()
            began = loop.time()
            await market.play(after(10), speed=50)
            assert 0.15 <= loop.time() - began < 5

    def test_two_markets_never_have_the_same_ports(self) -> None:
        first, second = Sender(), Sender()
        assert first.base_port != second.base_port
        with pytest.raises(ConfigError, match="is another market's: end that"):
            Sender(first.base_port)
        first.close()
        second.close()

    def test_ports_that_somebody_still_hears_are_not_taken(self) -> None:
        first = Sender(channels=CHANNELS)
        first.close()
        with listening(FeedLine.A, port_of(BUSY, first.base_port)):
            second = Sender(channels=CHANNELS)
        second.close()
        assert first.base_port != second.base_port


@needs_adapter
class TestRecovery:
    async def test_everything_that_is_sent_is_heard(self, tmp_path: Path) -> None:
        faults = Faults(loss_a_ppm=30_000, loss_b_ppm=30_000)
        async with markets(faults) as market, clients(market, tmp_path) as client:
            await market.play(after(100))
            assert await client.until(lambda: whole(client, market))
            assert {} == client.missing

    async def test_what_both_lines_lose_comes_by_retransmission(self, tmp_path: Path) -> None:
        faults = evolve(CALM, both_ppm=60_000)
        async with markets(faults) as market, clients(market, tmp_path) as client:
            await market.play(after(100))
            market.lines.faults = CALM
            await market.play(after(110))
            assert await client.until(lambda: bool(client.missing))
            for _ in range(20):
                for channel, runs in list(client.missing.items()):
                    for begin, end in runs:
                        await client.ask_again(channel, begin, end)
                if not client.missing:
                    break
            assert await client.until(lambda: whole(client, market))
        assert market.desk.requests
        assert {0} == {status for *_, status in market.desk.requests}

    async def test_a_refresh_shows_what_the_exchange_knows(self, tmp_path: Path) -> None:
        async with markets() as market, clients(market, tmp_path) as client:
            await market.play(after(100))
            for channel in CHANNELS:
                last, state = await client.refreshed(channel)
                expected = [CODEC.encode_message(one) for one in market.snapshot(channel)]
                assert (market.last_sequence(channel), expected) == (last, state)

    async def test_a_refresh_has_the_last_price_of_every_stock_that_traded(
        self, tmp_path: Path
    ) -> None:
        """Trades are not in a refresh; the statistics are, and an engine catches up from them."""
        async with markets() as market, clients(market, tmp_path) as client:
            await market.play(after(100))
            _, state = await client.refreshed(BUSY)
            told = [CODEC.decode_message(body) for body in state]
            prices = {
                one.security_code: one.last_price_3dp for one in told if isinstance(one, Statistics)
            }
            sent = [
                CODEC.decode_message(body)
                for body in market.bodies(BUSY, 1, market.last_sequence(BUSY))
            ]
            last = {
                one.security_code: one.last_price_3dp for one in sent if isinstance(one, Statistics)
            }
            assert last == prices

    async def test_a_failover_is_signalled_and_the_other_site_begins_anew(
        self, tmp_path: Path
    ) -> None:
        async with markets() as market, clients(market, tmp_path) as client:
            await market.play(after(60))
            assert await client.until(lambda: whole(client, market))
            await market.fail_over(after(70))
            with pytest.raises(UsageError, match="between its sites"):
                await market.play(after(80))
            assert await client.until(lambda: bool(client.signals))
            resumed = START + timedelta(hours=1)
            await market.resume(time_ns_of(resumed), day(resumed).sent())
            await market.play(time_ns_of(resumed + timedelta(seconds=60)))
            assert await client.until(lambda: whole(client, market))
            assert [DisasterRecoveryBegan, DisasterRecoveryEnded] == [
                type(one) for one in client.signals
            ]
            assert SiteRole.SECONDARY is market.site
            first = market.retransmission(SiteRole.PRIMARY)[0]
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(first.host, first.port)


class TestCommand:
    def test_it_says_where_it_is_heard_and_ends_when_told_to(self, tmp_path: Path) -> None:
        words = ["simulator", "market", "--multicast", "live", "--base-port", "0"]
        code = "import sys; from hkex_ops.cli.main import run; sys.exit(run(sys.argv[1:]))"
        with subprocess.Popen(
            [sys.executable, "-c", code, *words, "--json"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                document = json.loads(process.stdout.readline())
                with listening(FeedLine.A, document["channels"]["2"]) as heard:
                    assert CODEC.decode_packet(heard.recv(2000)).header.size_bytes
                process.send_signal(signal.SIGINT)
                assert 0 == process.wait(10)
            finally:
                process.kill()
        assert {"A": "239.1.1.24", "B": "239.1.127.24", "refresh": "239.1.1.25"} == (
            document["groups"]
        )
        assert ["primary", "secondary"] == list(document["retransmission"])
        settings = load_settings(tmp_path / document["config"])
        assert ["simulated"] == list(settings.market_feeds)
        assert (tmp_path / document["baskets"]).exists()
