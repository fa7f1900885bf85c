"""Packets go in, ticks come out: lines made one, quarantine kept, restarts exact."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from hkex_ops.flows.index.board import EngineRow, InHand, QuarantineRow
from hkex_ops.flows.index.pipeline import MarketHealth, Pipeline
from hkex_ops.flows.index.quarantine import QUARANTINED
from hkex_ops.flows.index.straight_trades import Heard
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import IndexRecord, QuarantinedRecord, TradeRecord
from hkex_ops.index.ticks import (
    EngineEvent,
    JournalReason,
    MomentIncomplete,
    RecordJournalled,
    TickComputed,
)
from hkex_ops.omd.events import GapClosed, GapLost, GapOpened
from hkex_ops.ports import FeedLine, PacketBatch
from tests.flows.index_market import BASKETS, CHANNELS, SESSIONS, TRADES, Market

# 20000.00 x (61 x 1000 x 100 + 300 x 500 x 85) / (60 x 1000 x 100 + 300 x 500 x 85), in cents.
UP_ONE = 2_010_667


class Bench:
    """A pipeline that works alone, on the market's own clock."""

    def __init__(self, engine: Engine | None = None, row: EngineRow | None = None) -> None:
        self.market = Market()
        engine = engine or Engine(BASKETS, channels=CHANNELS)
        self.pipeline = Pipeline(engine, self.market.codec, CHANNELS, row=row)
        self.data: list[Heard] = []
        self.health: list[MarketHealth] = []

    def take(self, batches: Iterable[PacketBatch]) -> None:
        for batch in batches:
            taken = self.pipeline.take(batch, self.market.now)
            self.data += taken.data
            self.health += taken.health

    def begin(self) -> None:
        """Begin the day, and let it show that the Sequence Reset has a number of its own."""
        self.take(self.market.begin())
        self.market.wait(ms=100)
        self.poll()
        self.health.clear()

    def send(self, *messages: object, times: int = 1) -> PacketBatch:
        """Send a packet by line A, and let the pipeline take it."""
        batch = self.market.send(*messages)  # type: ignore[arg-type]
        self.take([batch] * times)
        return batch

    def beat(self, seconds: int) -> None:
        """Let time pass, and both channels beat their hearts."""
        self.market.wait(seconds)
        self.take(self.market.heartbeats())

    def poll(self) -> None:
        taken = self.pipeline.poll(self.market.now)
        self.data += taken.data
        self.health += taken.health

    @property
    def values(self) -> list[tuple[str, int, tuple[int, ...]]]:
        """Of each tick: the index, its value and its stale stocks."""
        return [
            (one.index, one.value_cents, one.stale)
            for one in self.data
            if isinstance(one, TickComputed)
        ]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.begin()
    return bench


POISON_3DP = 66_666


def number_of(batch: PacketBatch) -> int:
    """The number of the first message of a batch."""
    return int.from_bytes(batch.packets[0][4:8], "little")


def mortal(engine: Engine, row: EngineRow) -> Bench:
    """A pipeline whose engine dies of a trade at one price, and has a row on the board."""
    bench, worked = Bench(engine, row), engine._trade

    def trade(record: TradeRecord) -> tuple[EngineEvent, ...]:
        if record.price_3dp == POISON_3DP:
            raise ZeroDivisionError
        return worked(record)

    engine._trade = trade  # type: ignore[method-assign]
    bench.begin()
    return bench


def test_a_record_that_had_to_wait_is_what_the_engine_dies_of() -> None:
    """It came early and waited for its moment; the message that closes the moment is innocent."""
    row = EngineRow.detached()
    bench = mortal(Engine(BASKETS, channels=CHANNELS), row)
    market = bench.market
    bench.beat(2)
    market.wait(2)
    batch = bench.send(market.trade(5, POISON_3DP))
    number = number_of(batch)
    assert (None, number) == (row.in_hand, row.has_passed(TRADES))
    with pytest.raises(ZeroDivisionError):
        bench.take(market.heartbeats())
    assert InHand(TRADES, number, number, 5) == row.in_hand


def test_a_record_that_waits_can_still_be_quarantined() -> None:
    """Another engine died of it when it closed the moment; this one has not closed it yet."""
    row = EngineRow.detached()
    bench = mortal(Engine(BASKETS, channels=CHANNELS), row)
    market = bench.market
    bench.beat(2)
    market.wait(2)
    number = number_of(bench.send(market.trade(5, POISON_3DP)))
    bench.pipeline.quarantine(QuarantineRow(TRADES, number, number, 5))
    bench.data.clear()
    bench.take(market.heartbeats())
    bench.beat(2)
    assert ("0000100", 2_000_000, (5,)) == bench.values[-2]
    told = [one for one in bench.data if isinstance(one, RecordJournalled)]
    assert [JournalReason.QUARANTINED] == [one.reason for one in told]


def test_what_a_moment_dies_of_is_no_message() -> None:
    """To leave out whatever came last would mend nothing and mark a stock."""
    row = EngineRow.detached()
    bench = Bench(Engine(BASKETS, channels=CHANNELS), row)
    bench.begin()
    bench.pipeline.engine.board = None  # type: ignore[assignment]
    market = bench.market
    market.wait(2)
    with pytest.raises(AttributeError):
        bench.take([market.send(market.trade(5, 61_000)), *market.heartbeats()])
    assert row.in_hand is None


def test_all_of_a_batch_is_in_hand_until_it_was_told() -> None:
    """Of what is told of them an engine may die as well."""
    row = EngineRow.detached()
    bench = Bench(Engine(BASKETS, channels=CHANNELS), row)
    bench.begin()
    market = bench.market
    packets = [market.send(market.trade(5, price)).packets[0] for price in (61_000, 61_500)]
    bench.pipeline.work(market.batch(TRADES, packets), market.now)
    assert InHand(TRADES, 3, 4, 0) == row.in_hand
    bench.pipeline.pass_on(TRADES)
    assert (None, 4) == (row.in_hand, row.has_passed(TRADES))


def test_a_trade_moves_the_tick_that_follows_it(bench: Bench) -> None:
    bench.market.wait(1)
    bench.send(bench.market.trade(5, 61_000))
    bench.beat(1)
    assert [("0000100", UP_ONE, ()), ("0001400", 800_000, ())] == bench.values


def test_the_second_line_changes_nothing(bench: Bench) -> None:
    bench.market.wait(1)
    batch = bench.send(bench.market.trade(5, 61_000))
    bench.take([batch._replace(line=FeedLine.B)])
    bench.beat(1)
    assert [("0000100", UP_ONE, ()), ("0001400", 800_000, ())] == bench.values
    assert [] == bench.health


def test_what_one_line_lost_comes_by_the_other(bench: Bench) -> None:
    market = bench.market
    market.wait(1)
    lost = market.send(market.trade(5, 61_000))
    bench.send(market.trade(5, 62_000))
    bench.take([lost._replace(line=FeedLine.B)])
    bench.beat(1)
    # 62 x 1000 x 100 instead of 61.
    assert ("0000100", 2_021_333, ()) in bench.values
    assert [] == bench.health


def test_orders_and_heartbeats_move_the_time_alone(bench: Bench) -> None:
    """Nothing of interest came, and still no index waits for a channel that is alive."""
    for _ in range(3):
        bench.beat(2)
    assert 3 * 2 == len(bench.values)


def test_a_heartbeat_that_tells_of_a_loss_moves_no_time(bench: Bench) -> None:
    """The last packet was lost: a tick without it would be wrong and not marked."""
    market = bench.market
    market.wait(1)
    lost = market.send(market.trade(5, 61_000))
    bench.beat(1)
    assert [] == bench.values
    bench.take([lost._replace(line=FeedLine.B)])
    bench.beat(1)
    assert [("0000100", UP_ONE, ()), ("0001400", 800_000, ())] == bench.values


def test_a_channel_that_brought_nothing_but_its_reset_is_alive_all_the_same() -> None:
    """Its heartbeats name the reset, which is no message that is missing: every moment of the day
    waited until it had settled, and was said to be incomplete."""
    bench = Bench()
    *resets, session, _ = bench.market.begin()
    bench.market.channels[TRADES].sequence -= 1  # the order was not sent
    bench.take([*resets, session])
    bench.beat(2)
    bench.beat(2)
    assert [] == [one for one in bench.data if isinstance(one, MomentIncomplete)]
    assert [] != bench.values


def test_a_gap_is_told_and_closed_by_what_is_sent_again(bench: Bench) -> None:
    market = bench.market
    market.wait(1)
    lost = market.send(market.trade(5, 61_000))
    bench.beat(1)
    market.wait(ms=100)
    bench.poll()
    assert ["GapOpened"] == [type(one).__name__ for one in bench.health]
    assert {TRADES: frozenset({(3, 3)})} == bench.pipeline.open_gaps
    assert not bench.pipeline.follows(TRADES)
    bench.take([lost._replace(line=FeedLine.RETRANSMISSION)])
    bench.beat(2)
    assert isinstance(bench.health[-1], GapClosed)
    # When exactly it was sent nobody knows now: until the next one the stock is marked.
    assert ("0000100", UP_ONE, (5,)) in bench.values
    assert bench.pipeline.follows(TRADES)


def test_what_is_lost_for_good_marks_the_stocks_it_may_concern(bench: Bench) -> None:
    market = bench.market
    for stock in (5, 700, 941):
        bench.send(market.trade(stock, market.traded.get(stock, 0) or 60_000))
    market.send(market.trade(5, 61_000))
    bench.beat(1)
    market.wait(ms=100)
    bench.poll()
    [gap] = [one for one in bench.health if isinstance(one, GapOpened)]
    taken = bench.pipeline.abandon(TRADES, gap.begin, gap.end, gap.at_ns)
    assert [GapLost, GapClosed] == [type(one) for one in taken.health]
    bench.beat(1)
    stale = {index: stale for index, _, stale in bench.values}
    assert {"0000100": (5, 700), "0001400": (941,)} == stale


class Dying(Engine):
    """An engine that cannot bear one record."""

    poison = 61_666

    def handle(self, record: IndexRecord, now: object) -> tuple[EngineEvent, ...]:
        if getattr(record, "price_3dp", 0) == self.poison:
            raise ZeroDivisionError("poison")
        return super().handle(record, now)  # type: ignore[arg-type]


def test_the_row_tells_of_which_message_an_engine_died() -> None:
    row = EngineRow.detached()
    bench = Bench(Dying(BASKETS, channels=CHANNELS), row)
    bench.begin()
    bench.market.wait(1)
    trades = [bench.market.trade(5, price) for price in (61_000, Dying.poison, 62_000)]
    with pytest.raises(ZeroDivisionError):
        bench.send(*trades)
    assert InHand(TRADES, 4, 4, 5) == row.in_hand
    assert 2 == row.has_passed(TRADES)


def test_what_was_worked_is_no_longer_in_hand(bench: Bench) -> None:
    row = EngineRow.detached()
    bench = Bench(row=row)
    bench.begin()
    bench.send(bench.market.trade(5, 61_000))
    assert (None, 3) == (row.in_hand, row.has_passed(TRADES))


@pytest.mark.parametrize("before", [True, False], ids=["held", "taken"])
def test_a_quarantined_message_reaches_no_engine_and_marks_its_stock(before: bool) -> None:
    """Whether the quarantine comes before the packet or while it waits behind a gap."""
    bench = Bench(Dying(BASKETS, channels=CHANNELS))
    market = bench.market
    bench.begin()
    market.wait(1)
    lost = market.send(market.trade(700, 301_000))
    poison = QuarantineRow(TRADES, 5, 5, 5)
    if before:
        bench.pipeline.quarantine(poison)
    bench.send(*[market.trade(5, price) for price in (61_000, Dying.poison)])
    if not before:
        bench.pipeline.quarantine(poison)
    bench.take([lost._replace(line=FeedLine.B)])
    bench.beat(1)
    journalled = [one for one in bench.data if isinstance(one, RecordJournalled)]
    record = QuarantinedRecord(TRADES, 5, 5, 2, QUARANTINED, journalled[0].time_ns)
    assert [RecordJournalled(JournalReason.QUARANTINED, record, record.send_time_ns)] == journalled
    assert {"0000100": (5,), "0001400": ()} == {index: stale for index, _, stale in bench.values}


def test_the_next_good_record_of_the_stock_ends_the_mark() -> None:
    bench = Bench(Dying(BASKETS, channels=CHANNELS))
    market = bench.market
    bench.begin()
    market.wait(1)
    bench.pipeline.quarantine(QuarantineRow(TRADES, 3, 3, 5))
    bench.send(market.trade(5, Dying.poison))
    bench.beat(1)
    market.wait(1)
    bench.send(market.trade(5, 61_000))
    bench.beat(1)
    assert [(800_000, ()), (UP_ONE, ())] == [
        bench.values[1][1:],
        bench.values[2][1:],
    ]
    assert (5,) == bench.values[0][2]


def test_a_packet_that_nobody_can_walk_is_left_out_as_a_whole(bench: Bench) -> None:
    """Quarantined while it was taken apart: not even its sizes are believed."""
    market = bench.market
    market.wait(1)
    packet = bytearray(market.send(market.trade(5, 61_000), market.trade(5, 62_000)).packets[0])
    packet[16:18] = b"\xff\xff"
    bench.pipeline.quarantine(QuarantineRow(TRADES, 3, 4, 0))
    bench.take([market.batch(TRADES, [bytes(packet)])])
    bench.beat(1)
    assert [(5, 700), (941,)] == [stale for _, _, stale in bench.values]
    assert 5 == bench.pipeline.next_sequences[TRADES]


def test_a_malformed_packet_is_told_and_the_line_goes_on(bench: Bench) -> None:
    market = bench.market
    market.wait(1)
    good = market.send(market.trade(5, 61_000))
    bad = bytearray(good.packets[0])
    bad[16:18] = b"\xff\xff"
    bench.take([market.batch(TRADES, [bytes(bad), b"", b"\x00" * 15]), good])
    bench.beat(1)
    assert ["PacketRefused"] * 3 == [type(one).__name__ for one in bench.health]
    assert ("0000100", UP_ONE, ()) in bench.values


def test_another_pipeline_goes_on_where_one_stood(bench: Bench) -> None:
    """As plain data through JSON, as a checkpoint is; the ticks are the same as without a stop."""
    market = bench.market
    market.wait(1)
    bench.send(market.trade(5, 61_000))
    snapshot = json.loads(json.dumps(bench.pipeline.snapshot()))
    other = Pipeline(Engine(BASKETS, channels=CHANNELS), market.codec, CHANNELS)
    other.restore(snapshot)
    assert bench.pipeline.next_sequences == other.next_sequences
    market.wait(1)
    batches = [*market.heartbeats(), market.send(market.trade(941, 71_000))]
    market.wait(2)
    batches += market.heartbeats()
    ticks = [
        [one for batch in batches for one in pipeline.take(batch, market.now).data]
        for pipeline in (bench.pipeline, other)
    ]
    assert 4 == len(ticks[0])
    assert ticks[0] == ticks[1]


def test_a_channel_that_was_not_announced_is_followed_all_the_same() -> None:
    bench = Bench()
    bench.pipeline = Pipeline(Engine(BASKETS), bench.market.codec, ())
    bench.begin()
    bench.market.wait(1)
    bench.send(bench.market.trade(5, 61_000))
    bench.beat(1)
    assert [("0000100", UP_ONE, ()), ("0001400", 800_000, ())] == bench.values
    assert {SESSIONS, TRADES} == set(bench.pipeline.next_sequences)


class TestTwoGapsAtOnce:
    def test_what_stands_between_two_gaps_given_up_together_is_worked(self) -> None:
        """Both are told of at one look; the trade between them counts, and nothing is a copy."""
        bench = Bench()
        bench.begin()
        market = bench.market
        market.send(market.trade(5, 60_500))
        bench.take([market.send(market.trade(5, 61_000))])
        market.send(market.trade(5, 61_500))
        bench.take([market.send(market.trade(5, 62_000))])
        for _ in range(2):
            market.wait(11)
            bench.poll()
        lost = [(one.begin, one.end) for one in bench.health if isinstance(one, GapLost)]
        journalled = [one.reason for one in bench.data if isinstance(one, RecordJournalled)]
        assert 2 == len(lost)
        assert [JournalReason.LOST, JournalReason.LOST] == [
            one for one in journalled if one is not JournalReason.OUT_OF_SEQUENCE
        ]
        assert JournalReason.DUPLICATE not in journalled
