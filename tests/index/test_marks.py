"""No wrong tick unmarked: lost, quarantined and recovered records, and channels left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest

from hkex_ops.index.engine import Engine
from hkex_ops.index.records import (
    ClosingPriceRecord,
    IndexRecord,
    QuarantinedRecord,
    RecordsLost,
    StatisticsRecord,
    TimePassed,
    TradeCancelRecord,
    TradeRecord,
)
from hkex_ops.index.rules import IndexRules
from hkex_ops.index.snapshot import SnapshotComputation
from hkex_ops.index.ticks import (
    JournalReason,
    MomentIncomplete,
    RecordJournalled,
    StockHealed,
    StockMarked,
    TickComputed,
)
from tests.index.market import Market, arrivals, draw_market, with_times
from tests.index.reference import NOW, PLAIN, TIES, S, price_table, reference

BASKETS = (PLAIN, TIES)
FIRST = 102 * S
CHANNELS = (30, 31)


def traded(
    number: int, price: int, at: int, *, sequence: int = 0, security: int = 1
) -> TradeRecord:
    """Trade ``number`` of a stock on channel 30, sent ``at`` so many seconds."""
    sent = int(at * S)
    return TradeRecord(30, sequence or number, security, number, price, 100, 0, sent, sent)


def passed(at: int, channel: int = 30) -> TimePassed:
    """A heartbeat."""
    return TimePassed(channel, 0, at * S)


def engine_of(rules: IndexRules | None = None, channels: Iterable[int] = (30,)) -> Engine:
    """An engine with a tick every two seconds from 102 on."""
    return Engine((PLAIN,), rules, channels=channels, first_ns=FIRST)


def stale_by_moment(engine: Engine, records: Sequence[IndexRecord]) -> list[tuple[int, ...]]:
    """The marks of the ticks that ``records`` bring about."""
    events = [event for record in records for event in engine.handle(record, NOW)]
    return [event.stale for event in events if isinstance(event, TickComputed)]


# -- one stock at a time -----------------------------------------------------------------------


def test_a_quarantined_trade_marks_its_stock_until_a_newer_one_has_come() -> None:
    """Trade 2 is held back. Trade 1, which comes after it, is good and not newer."""
    records = (
        QuarantinedRecord(30, 1, 1, 2, "it killed engine a", 101 * S),
        traded(1, 66_000, 103, sequence=2),
        traded(3, 66_100, 105, sequence=3),
        passed(108),
    )
    assert [(1,), (1,), (), ()] == stale_by_moment(engine_of(), records)


def test_where_nobody_knows_what_was_held_back_one_place_of_disorder_is_allowed_for() -> None:
    """The next trade may be older than the one held back, and the one after it may not."""
    records = (
        traded(1, 66_000, 100),
        QuarantinedRecord(30, 2, 1, 0, "cannot be read", 101 * S),
        traded(2, 66_100, 103, sequence=3),
        traded(3, 66_200, 105, sequence=4),
        passed(107),
    )
    assert [(1,), (1,), ()] == stale_by_moment(engine_of(), records)


def test_marking_and_healing_are_told_with_the_reason() -> None:
    """What a desk reads in the journal."""
    engine = engine_of()
    held_back = QuarantinedRecord(30, 1, 1, 1, "it killed engine a", 101 * S)
    records = (held_back, traded(2, 66_000, 101, sequence=2))
    assert [
        RecordJournalled(JournalReason.QUARANTINED, held_back, 101 * S),
        StockMarked(1, JournalReason.QUARANTINED, 101 * S),
        StockHealed(1, 101 * S),
    ] == [event for record in records for event in engine.handle(record, NOW)]


def test_lost_records_mark_every_stock_that_may_be_concerned() -> None:
    """Stock 700 is known to trade elsewhere; where stock 5 trades nobody has heard yet."""
    records = (
        passed(100, 31),
        passed(100),
        TradeRecord(31, 1, 700, 1, 412_000, 100, 0, 100 * S, 100 * S),
        traded(1, 66_000, 100),
        RecordsLost(30, 2, 5, 101 * S),
        passed(103),
        passed(103, 31),
    )
    assert [(1, 5)] == stale_by_moment(engine_of(channels=CHANNELS), records)


def test_a_channel_left_out_marks_its_stocks_on_that_tick_only() -> None:
    """Channel 31 says nothing until the moment has settled; what it sent comes all the same."""
    engine = engine_of(channels=CHANNELS)
    late = TradeRecord(31, 1, 700, 1, 413_000, 100, 0, 101 * S, 101 * S)
    settled = NOW + timedelta(milliseconds=engine.rules.settle_ms)
    assert () == engine.handle(traded(1, 66_000, 101), NOW)
    assert () == engine.handle(passed(103), NOW)
    assert () == engine.poll(settled - timedelta(milliseconds=1))
    told = engine.poll(settled)
    assert [MomentIncomplete(102 * S, (31,)), ((5, 700), (31,))] == [
        (event.stale, event.missing) if isinstance(event, TickComputed) else event for event in told
    ]
    assert (RecordJournalled(JournalReason.LATE, late, 101 * S),) == engine.handle(late, settled)
    assert [()] == stale_by_moment(engine, (passed(105), passed(105, 31)))


def test_a_refresh_heals_what_was_lost_before_it() -> None:
    """A late-comer learns last prices from statistics that have no number of their own."""
    engine = engine_of()
    records: list[IndexRecord] = [RecordsLost(30, 1, 900, 100 * S)]
    for code, price in ((1, 66_000), (5, 60_000), (700, 412_000)):
        records.append(StatisticsRecord(30, 0, code, price, price, price, 100, 0))
    records.append(passed(103))
    assert [()] == stale_by_moment(engine, records)
    assert [66_000, 60_000, 412_000] == [
        engine.totals.prices[engine.totals.slots[code]] for code in (1, 5, 700)
    ]


def test_statistics_of_real_time_move_no_stock_that_is_heard() -> None:
    """They come on another channel than trades and may be older."""
    engine = engine_of()
    engine.handle(traded(1, 66_000, 100), NOW)
    engine.handle(StatisticsRecord(40, 1, 1, 65_000, 66_000, 65_000, 200, 100 * S), NOW)
    assert 66_000 == engine.totals.prices[engine.totals.slots[1]]


def test_a_closing_price_heals_its_stock_at_the_close() -> None:
    """It is a good record, whatever was held back before."""
    engine = Engine((PLAIN,), IndexRules(closing_delay_s=0), channels=(30,))
    engine.day.restore({"session": 3, "due": {"R": 99 * S, "C": 103 * S}, "done": ["R"]})
    records = (
        passed(100),
        QuarantinedRecord(30, 1, 1, 1, "it killed engine a", 101 * S),
        ClosingPriceRecord(30, 2, 1, 66_500, 102 * S),
        passed(105),
    )
    assert [(1,), ()] == stale_by_moment(engine, records)


def test_a_lost_closing_price_marks_every_stock_that_has_none_whatever_its_channel() -> None:
    """Closing prices need not come on the channel of trades: stock 700 trades on another."""
    engine = Engine((PLAIN,), IndexRules(closing_delay_s=0), channels=CHANNELS)
    table = SnapshotComputation((PLAIN,), channels=CHANNELS)
    engine.day.restore({"session": 105, "due": {"R": 99 * S, "C": 103 * S}, "done": ["R"]})
    records: list[IndexRecord] = [
        passed(100),
        passed(100, 31),
        TradeRecord(31, 1, 700, 1, 412_000, 100, 0, 100 * S, 100 * S),
        traded(1, 66_000, 100),
        traded(1, 60_000, 100, sequence=2, security=5),
        ClosingPriceRecord(30, 3, 1, 66_500, 101 * S),
        ClosingPriceRecord(30, 4, 5, 60_500, 101 * S),
        RecordsLost(30, 5, 5, 101 * S),
        passed(105),
        passed(105, 31),
    ]
    for record in records:
        table.handle(record, NOW)
    assert [(700,)] == stale_by_moment(engine, records)
    assert [(700,)] == [value.stale for value in table.values_at(104 * S, closing=True)]


# -- generated ---------------------------------------------------------------------------------


def with_losses(random: Random, order: list[IndexRecord]) -> list[IndexRecord]:
    """Some records never come: a gap that is given up, or a poison record, with or without its
    number known. What was already worked is not taken back."""
    told: list[IndexRecord] = []
    for record in order:
        chance = random.random()
        channel, sequence, sent = record.channel, record.sequence, record.send_time_ns
        if chance < 0.1:
            told.append(RecordsLost(channel, sequence, sequence, sent))
        elif isinstance(record, TradeRecord | TradeCancelRecord) and chance < 0.25:
            number = record.trade_id if random.random() < 0.5 else 0
            security = record.security
            told.append(QuarantinedRecord(channel, sequence, security, number, "poison", sent))
        else:
            told.append(record)
    return told


def recovered(random: Random, order: Sequence[IndexRecord]) -> list[IndexRecord]:
    """A stretch of one channel comes by retransmission, without times of its own."""
    channel = random.choice(CHANNELS)
    places = [place for place, record in enumerate(order) if record.channel == channel]
    if not places:
        return list(order)
    first = random.randrange(len(places))
    stretch = set(places[first : first + random.randint(1, 3)])
    return [
        record._replace(send_time_ns=0) if place in stretch else record
        for place, record in enumerate(order)
    ]


def earlier_traded(random: Random, market: Market) -> Market:
    """The market with trade times a little before what was sent, as they are."""
    sooner = S // 5
    return Market(
        {
            channel: tuple(
                record._replace(trade_time_ns=record.send_time_ns - random.randint(0, sooner))
                if isinstance(record, TradeRecord)
                else record
                for record in sent
            )
            for channel, sent in market.channels.items()
        },
        market.end,
    )


def check(records: Sequence[IndexRecord], market: Market) -> tuple[int, int]:
    """Both computations: an unmarked value is right. How many were marked, and of how many."""
    engine = Engine(BASKETS, channels=CHANNELS, first_ns=FIRST)
    table = SnapshotComputation(BASKETS, channels=CHANNELS)
    marked = count = 0
    for record in records:
        table.handle(record, NOW)
        for event in engine.handle(record, NOW):
            if not isinstance(event, TickComputed):
                continue
            count += 1
            marked += event.marked
            basket = next(one for one in BASKETS if one.index == event.index)
            right = reference(market.records, event.time_ns, basket)
            assert event.marked or event.value_cents == right
    for moment in range(FIRST, market.end + 1, 2 * S):
        for value, basket in zip(table.values_at(moment), BASKETS, strict=True):
            points = Decimal(reference(market.records, moment, basket)).scaleb(-2)
            assert value.stale or value.value == points
    return marked, count


@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_whatever_is_lost_or_held_back_an_unmarked_value_is_right(count: int) -> None:
    """The promise of a mark, for the engine and for the snapshot computation."""
    random = Random(22)
    marked = ticks = 0
    for _ in range(count):
        market = draw_market(random, trades=random.randint(1, 12), cascades=False)
        order = with_losses(random, arrivals(random, market, duplicates=False))
        found = check(with_times(order, market), market)
        marked, ticks = marked + found[0], ticks + found[1]
    assert 0 < marked < ticks


@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_what_comes_by_retransmission_is_counted_where_it_belongs_or_marked(count: int) -> None:
    """A record without a time lies between its neighbours; or else a mark tells."""
    random = Random(33)
    marked = ticks = 0
    for _ in range(count):
        market = earlier_traded(random, draw_market(random, trades=random.randint(6, 16)))
        order = recovered(random, arrivals(random, market, duplicates=False))
        found = check(with_times(order, market), market)
        marked, ticks = marked + found[0], ticks + found[1]
    assert 0 < marked < ticks // 2


def test_without_marks_the_losses_would_show() -> None:
    """The generated losses do make values wrong: the test above would find a missing mark."""
    random = Random(22)
    wrong = 0
    for _ in range(200):
        market = draw_market(random, trades=random.randint(1, 12), cancels=False)
        order = with_losses(random, arrivals(random, market, duplicates=False))
        kept = [record for record in order if isinstance(record, TradeRecord)]
        wrong += price_table(kept, market.end, PLAIN) != price_table(
            market.records, market.end, PLAIN
        )
    assert wrong > 50
