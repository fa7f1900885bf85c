"""The contingency systems' own way from packets to records, which shares nothing with engines'."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import pytest

from hkex_ops.errors import WireError
from hkex_ops.flows.index.own_capture import HOLE_WAIT_MS, OwnChannel
from hkex_ops.index.records import (
    ChannelRestarted,
    IndexRecord,
    QuarantinedRecord,
    RecordsLost,
    SessionRecord,
    TimePassed,
    TradeRecord,
)
from tests.flows.index_market import SESSIONS, TRADES, Market

MS = 1_000_000

# What it has of its own, and what any process of a run has; codec and records are common to all.
OF_ENGINES = [
    "hkex_ops.flows.index.engine_process",
    "hkex_ops.flows.index.lane",
    "hkex_ops.flows.index.pipeline",
    "hkex_ops.flows.index.plain_way",
    "hkex_ops.flows.index.quarantine",
    "hkex_ops.flows.index.recovering",
    "hkex_ops.flows.index.straight_trades",
    "hkex_ops.flows.index.translate",
    "hkex_ops.index.engine",
    "hkex_ops.index.sequencing",
    "hkex_ops.index.stocks",
    "hkex_ops.index.totals",
]


class Bench:
    """One channel of trades, and the market that it hears."""

    def __init__(self) -> None:
        self.market = Market()
        self.channel = OwnChannel(TRADES, self.market.codec)
        self.begun = self.packets(*self.market.begin()[1::2])

    def packets(self, *batches: object) -> list[bytes]:
        return [packet for batch in batches for packet in batch.packets]  # type: ignore[attr-defined]

    def sent(self, *prices: int) -> bytes:
        [packet] = self.packets(self.market.send(*(self.market.trade(5, one) for one in prices)))
        return packet

    def take(self, *packets: bytes, ms: int = 0) -> list[IndexRecord]:
        return [one for packet in packets for one in self.channel.take(packet, ms * MS)]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.take(*bench.begun)
    # Whether the Sequence Reset has a number of its own shows when nobody brings one.
    bench.channel.give_up(0)
    return bench


def trades(records: list[IndexRecord]) -> list[tuple[int, int]]:
    return [(one.sequence, one.price_3dp) for one in records if isinstance(one, TradeRecord)]


def test_none_of_the_engines_code_is_in_its_process() -> None:
    code = (
        "import hkex_ops.flows.index.contingency_process, json, sys; "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert [] == [one for one in json.loads(done.stdout) if one in OF_ENGINES]


def test_it_begins_with_a_restart_and_the_day() -> None:
    bench = Bench()
    records = bench.take(*bench.begun)
    assert ChannelRestarted is type(records[0])
    market = Market()
    sessions = OwnChannel(SESSIONS, market.codec)
    told = [
        one
        for batch in market.begin()[0::2]
        for packet in batch.packets
        for one in sessions.take(packet, 0)
    ]
    told += sessions.give_up(HOLE_WAIT_MS * MS)
    assert [3] == [one.session for one in told if isinstance(one, SessionRecord)]


def test_copies_and_damage_are_nothing_and_the_next_packet_counts(bench: Bench) -> None:
    first, second = bench.sent(60_100, 60_200), bench.sent(60_300)
    assert [(3, 60_100), (4, 60_200)] == trades(bench.take(first))
    assert [] == trades(bench.take(first))
    for cut in range(len(second)):
        assert [] == bench.take(second[:cut])
    assert [(5, 60_300)] == trades(bench.take(second))


def test_what_was_overtaken_comes_in_order(bench: Bench) -> None:
    packets = [bench.sent(60_000 + 50 * place) for place in range(6)]
    expected = trades(taken_by_another(bench.market, packets))
    random.Random(3).shuffle(packets)
    assert expected == trades(bench.take(*packets))
    assert not bench.channel.has_waited(10_000 * MS)


def taken_by_another(market: Market, packets: list[bytes]) -> list[IndexRecord]:
    fresh = OwnChannel(TRADES, market.codec)
    begun = market.channels[TRADES].packets[:2]
    for packet in begun:
        fresh.take(packet, 0)
    fresh.give_up(0)
    return [one for packet in packets for one in fresh.take(packet, 0)]


def test_a_hole_is_told_as_lost_after_a_while_and_the_rest_goes_on(bench: Bench) -> None:
    bench.sent(60_100)
    behind = bench.sent(60_200)
    assert [] == bench.take(behind, ms=10)
    assert (3, 3) == bench.channel.hole
    assert not bench.channel.has_waited((10 + HOLE_WAIT_MS - 1) * MS)
    assert bench.channel.has_waited((10 + HOLE_WAIT_MS) * MS)
    lost, *rest = bench.channel.give_up((10 + HOLE_WAIT_MS) * MS)
    assert RecordsLost(TRADES, 3, 3, 0) == lost
    assert [(4, 60_200)] == trades(rest)


def test_time_passes_only_while_nothing_is_missing(bench: Bench) -> None:
    missing = bench.sent(60_100)
    bench.market.wait(1)
    [_, heartbeat] = bench.packets(*bench.market.heartbeats())
    assert [] == [one for one in bench.take(heartbeat) if isinstance(one, TimePassed)]
    assert [3] == [one.sequence for one in bench.take(missing) if isinstance(one, TimePassed)]


def test_a_heartbeat_right_behind_a_reset_names_the_reset() -> None:
    """A channel that brings nothing else all day would put every moment off."""
    market = Market()
    channel = OwnChannel(TRADES, market.codec)
    reset, *_ = (one for one in market.begin() if one.channel == TRADES)
    channel.take(*reset.packets, 0)
    heartbeat = market.codec.encode_packet([], sequence=1, send_time_ns=7)
    assert [TimePassed(TRADES, 0, 7)] == channel.take(heartbeat, 0)
    further = market.codec.encode_packet([], sequence=2, send_time_ns=8)
    assert [] == channel.take(further, 0)


def test_a_banned_message_is_not_looked_into_and_is_said_to_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = bench.sent(60_100, 66_666, 60_200)
    bench.channel.banned.add(4)
    seen: list[int] = []
    decode = bench.market.codec.decode_packet

    def watched(data: bytes) -> object:
        decoded = decode(data)
        seen.extend(getattr(one, "price_3dp", 0) for one in decoded.messages)
        return decoded

    monkeypatch.setattr(bench.channel, "_decode", watched)
    records = bench.take(packet)
    assert [60_100, 0, 60_200] == seen
    assert [(3, 60_100), (5, 60_200)] == trades(records)
    [banned] = [one for one in records if isinstance(one, QuarantinedRecord)]
    assert (4, 5, 2) == (banned.sequence, banned.security, banned.trade_id)


def test_a_packet_with_a_banned_message_that_cannot_be_walked_is_left_alone(bench: Bench) -> None:
    packet = bytearray(bench.sent(60_100, 66_666))
    packet[16:18] = (3).to_bytes(2, "little")
    bench.channel.banned.add(4)
    with pytest.raises(WireError):
        bench.market.codec.decode_packet(bytes(packet))
    assert [] == bench.take(bytes(packet))
