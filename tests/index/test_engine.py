"""The engine's own stories: opening and close, journal, cancels, restart, the order of 2010."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given, settings, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import (
    ChannelRestarted,
    ClosingPriceRecord,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    QuarantinedRecord,
    RecordsLost,
    SecurityStatusRecord,
    SessionRecord,
    StatisticsRecord,
    TimePassed,
    TradeCancelRecord,
    TradeRecord,
)
from hkex_ops.index.rules import IndexRules, TickOrder
from hkex_ops.index.snapshot import SnapshotComputation
from hkex_ops.index.stocks import CANCELS_HELD, MISSING_HELD, TRAIL, TRAIL_FOLDS
from hkex_ops.index.ticks import (
    EngineEvent,
    IndexIncomplete,
    JournalReason,
    RecordJournalled,
    StockMarked,
    TickComputed,
    index_tick,
)
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, SiteRole, TickKind
from tests.index.reference import NOW, PLAIN, TIES, S, index_of

O, T, R, C = "OTRC"  # noqa: E741
CLOSES = {1: 65_850, 5: 60_300, 700: 412_250}


def traded(
    sequence: int,
    number: int,
    price: int,
    at: float,
    *,
    security: int = 1,
    kind: int = 0,
    quantity: int = 100,
) -> TradeRecord:
    """A trade on channel 30."""
    sent = int(at * S)
    return TradeRecord(30, sequence, security, number, price, quantity, kind, sent, sent)


def cancelled(sequence: int, number: int, at: float, *, security: int = 1) -> TradeCancelRecord:
    """A cancel on channel 30."""
    return TradeCancelRecord(30, sequence, security, number, int(at * S))


def session(sequence: int, which: int, at: float, *, market: str = "MAIN") -> SessionRecord:
    """A session on channel 10."""
    return SessionRecord(10, sequence, market, which, 0, int(at * S))


def passed(at: float, *channels: int) -> list[IndexRecord]:
    """Heartbeats."""
    return [TimePassed(channel, 0, int(at * S)) for channel in channels or (30,)]


def told(engine: Engine, records: Iterable[IndexRecord]) -> list[EngineEvent]:
    """Everything that comes of ``records``."""
    return [event for record in records for event in engine.handle(record, NOW)]


def ticks(events: Iterable[EngineEvent]) -> list[tuple[int, str, int]]:
    """Moments in seconds, what the values are, and the values."""
    return [
        (one.time_ns // S, one.status.value, one.value_cents)
        for one in events
        if isinstance(one, TickComputed)
    ]


def reasons(events: Iterable[EngineEvent]) -> list[JournalReason]:
    """Why records were journalled."""
    return [one.reason for one in events if isinstance(one, RecordJournalled)]


def worth(**prices: int) -> int:
    """PLAIN in cents, with some stocks at other prices: ``s1=66_000``."""
    return index_of({**CLOSES, **{int(code[1:]): price for code, price in prices.items()}}, PLAIN)


# -- the day -------------------------------------------------------------------------------------


def test_a_day_has_an_opening_real_time_values_a_preliminary_and_a_closing_one() -> None:
    """Each called for by the session, the last two from last and from closing prices."""
    engine = Engine((PLAIN,), IndexRules(closing_delay_s=2), channels=(10, 30))
    events = told(
        engine,
        [
            *passed(100, 10, 30),
            session(1, 2, 101),
            traded(1, 1, 66_000, 103, kind=103),
            *passed(134, 10, 30),
            session(2, 3, 200),
            traded(2, 2, 66_100, 201),
            *passed(204, 10, 30),
            session(3, 105, 204.5),
            *passed(300, 10, 30),
            session(4, 103, 301),
            ClosingPriceRecord(30, 3, 1, 66_200, 302 * S),
            ClosingPriceRecord(30, 4, 5, 0, 302 * S),
            *passed(310, 10, 30),
            session(5, 0, 320),
            *passed(400, 10, 30),
        ],
    )
    assert [
        (132, O, worth(s1=66_000)),
        (202, T, worth(s1=66_100)),
        (204, T, worth(s1=66_100)),
        (206, R, worth(s1=66_100)),
        (304, C, worth(s1=66_200)),
    ] == ticks(events)
    last = events[-1]
    assert isinstance(last, TickComputed)
    assert (worth(s1=66_000), worth(s1=66_200)) == (last.opening_cents, last.closing_cents)
    assert (worth(s1=66_200), worth(s1=66_000)) == (last.high_cents, last.low_cents)


def test_a_break_at_noon_is_no_close() -> None:
    """Closed without a preliminary close before it: trading goes on in the afternoon."""
    engine = Engine((PLAIN,), channels=(10, 30))
    events = told(
        engine,
        [
            *passed(100, 10, 30),
            session(1, 3, 101),
            session(2, 103, 103),
            *passed(200, 10, 30),
            session(3, 3, 201),
            *passed(203, 10, 30),
        ],
    )
    assert [102, 202] == [at for at, *_ in ticks(events)]


def test_a_day_close_is_a_close_in_any_case() -> None:
    """A day without a closing auction, as an old one or one cut short."""
    engine = Engine((PLAIN,), IndexRules(closing_delay_s=0), channels=(10, 30))
    records = [*passed(100, 10, 30), session(1, 0, 101), *passed(110, 10, 30)]
    assert [(102, C, worth())] == ticks(told(engine, records))


def test_sessions_of_other_markets_and_repetitions_change_nothing() -> None:
    """GEM opens for itself; the first indicator of the day counts."""
    engine = Engine((PLAIN,), IndexRules(opening_delay_s=0), channels=(10, 30))
    records = [
        *passed(100, 10, 30),
        session(1, 2, 101, market="GEM "),
        session(2, 2, 103),
        session(3, 2, 105),
        *passed(120, 10, 30),
    ]
    assert [(104, O, worth())] == ticks(told(engine, records))


def test_the_order_of_22_january_2010_is_an_ordinary_day() -> None:
    """An older record right after a newer one, and right behind it the matching indicator."""
    engine = Engine((PLAIN,), IndexRules(opening_delay_s=0), channels=(10, 30))
    older = traded(2, 1, 66_000, 101, kind=103)
    events = told(
        engine,
        [
            *passed(100, 10, 30),
            traded(1, 2, 66_100, 101, kind=103),
            older,
            session(1, 2, 101),
            *passed(103, 10, 30),
        ],
    )
    assert RecordJournalled(JournalReason.OUT_OF_SEQUENCE, older, 101 * S) == events[0]
    assert [(102, O, worth(s1=66_100))] == ticks(events)


# -- the journal ---------------------------------------------------------------------------------


def test_an_older_record_counts_for_high_low_and_volume_and_not_for_the_last_price() -> None:
    """Three rules, kept apart."""
    engine = Engine((PLAIN,), channels=(30,))
    events = told(
        engine,
        [
            traded(1, 2, 66_000, 101),
            traded(2, 1, 70_000, 101),
            traded(3, 3, 65_000, 101, quantity=7),
        ],
    )
    stock = engine.stocks[1]
    assert [JournalReason.OUT_OF_SEQUENCE] == reasons(events)
    assert (70_000, 65_000, 207, 3) == (stock.high, stock.low, stock.volume, stock.trades)
    assert 65_000 == engine.totals.prices[stock.slot]


def test_a_record_is_counted_once_however_often_it_comes() -> None:
    """By its number on the channel, and by its number among the stock's trades."""
    engine = Engine((PLAIN,), channels=(30,))
    first = traded(1, 1, 66_000, 101)
    events = told(engine, [first, first, first._replace(channel=31)])
    assert [JournalReason.DUPLICATE] * 2 == reasons(events)
    assert 100 == engine.stocks[1].volume


def test_a_number_too_old_to_be_known_is_not_counted() -> None:
    """An engine that began late cannot tell an old record from one counted before."""
    engine = Engine((PLAIN,), channels=(30,))
    late = traded(2, 5_000 - MISSING_HELD - 1, 1, 101)
    awaited = traded(3, 5_000 - MISSING_HELD, 60_000, 101)
    events = told(engine, [traded(1, 5_000, 66_000, 101), late, awaited])
    assert [JournalReason.OLDER_THAN_KNOWN, JournalReason.OUT_OF_SEQUENCE] == reasons(events)
    assert 200 == engine.stocks[1].volume


def test_a_price_of_zero_or_less_is_none() -> None:
    """It is journalled, and the next trade is in order."""
    engine = Engine((PLAIN,), channels=(30,))
    records = [traded(1, 1, 0, 101), traded(2, 2, -5, 101), traded(3, 3, 66_000, 101)]
    assert [JournalReason.NO_PRICE] * 2 == reasons(told(engine, records))
    assert 66_000 == engine.totals.prices[engine.stocks[1].slot]


def test_trades_of_other_types_take_a_number_and_nothing_else() -> None:
    """An odd lot between two trades leaves no gap and sets no price."""
    engine = Engine((PLAIN,), channels=(30,))
    records = [traded(1, 1, 66_000, 101), traded(2, 2, 9, 101, kind=102), traded(3, 1, 9, 101)]
    assert [JournalReason.DUPLICATE] == reasons(told(engine, records))
    assert (66_000, 66_000, 100) == (
        engine.totals.prices[engine.stocks[1].slot],
        engine.stocks[1].low,
        engine.stocks[1].volume,
    )


def test_stocks_that_are_in_no_basket_are_passed_over() -> None:
    """Most of the market."""
    engine = Engine((PLAIN,), channels=(30,))
    records: list[IndexRecord] = [traded(1, 1, 1, 101, security=9)]
    records.append(cancelled(2, 1, 101, security=9))
    assert [] == told(engine, records)


def test_one_time_far_ahead_is_not_believed_and_two_are() -> None:
    """A broken clock must not make up a day of ticks; a capture with a hole may go on."""
    engine = Engine((PLAIN,), channels=(30,), first_ns=102 * S)
    far = 100_000
    events = told(
        engine, [traded(1, 1, 66_000, 101), traded(2, 2, 66_100, far), traded(3, 3, 66_200, 101.5)]
    )
    assert [JournalReason.TIME_NOT_BELIEVED] == reasons(events)
    assert [(102, T, worth(s1=66_200))] == ticks(told(engine, passed(103)))
    events = told(engine, [traded(4, 4, 66_300, far), *passed(far + 4)])
    assert len(ticks(events)) < 7_300
    assert (far + 4, T, worth(s1=66_300)) == ticks(events)[-1]


# -- cancels -------------------------------------------------------------------------------------


def test_a_cancelled_trade_counts_for_nothing_and_the_one_before_is_the_last_again() -> None:
    """Also one that came out of sequence, as it now is the newest that stands."""
    engine = Engine((PLAIN,), channels=(30,))
    records: list[IndexRecord] = [traded(1, 2, 66_000, 101), traded(2, 1, 70_000, 101)]
    records.append(cancelled(3, 2, 101))
    assert [JournalReason.OUT_OF_SEQUENCE, JournalReason.CANCELLED] == reasons(
        told(engine, records)
    )
    stock = engine.stocks[1]
    assert (70_000, 70_000, 70_000, 100) == (
        engine.totals.prices[stock.slot],
        stock.high,
        stock.low,
        stock.volume,
    )


def test_where_every_trade_is_cancelled_the_previous_close_stands() -> None:
    """As before the first trade."""
    engine = Engine((PLAIN,), channels=(30,))
    told(engine, [traded(1, 1, 66_000, 101), cancelled(2, 1, 101)])
    stock = engine.stocks[1]
    assert (65_850, None, None, 0) == (
        engine.totals.prices[stock.slot],
        stock.high,
        stock.low,
        stock.volume,
    )


def test_a_cancel_that_comes_before_its_trade_is_awaited() -> None:
    """The trade is then never counted."""
    engine = Engine((PLAIN,), channels=(30,))
    events = told(engine, [cancelled(1, 1, 101), traded(2, 1, 66_000, 101)])
    assert [JournalReason.CANCEL_AWAITED, JournalReason.CANCELLED_BEFORE] == reasons(events)
    assert 65_850 == engine.totals.prices[engine.stocks[1].slot]


def test_a_cancel_of_what_nobody_counted_is_journalled() -> None:
    """An odd lot, or a trade from too long ago."""
    engine = Engine((PLAIN,), channels=(30,))
    events = told(engine, [traded(1, 1, 9, 101, kind=102), cancelled(2, 1, 101)])
    assert [JournalReason.CANCEL_WITHOUT_TRADE] == reasons(events)


def test_when_cancels_reach_beyond_what_is_remembered_the_stock_is_marked() -> None:
    """Sixteen trades are remembered; which one stood before them nobody knows any more."""
    engine = Engine((PLAIN,), channels=(30,))
    count = TRAIL_FOLDS // 3 + 1
    told(engine, [traded(at, at, 60_000 + at, 101) for at in range(1, count + 1)])
    assert (60_000 + count, 60_001, 100 * count) == (
        engine.stocks[1].high,
        engine.stocks[1].low,
        engine.stocks[1].volume,
    )
    newest = range(count, count - TRAIL, -1)
    events = told(engine, [cancelled(count + at, one, 102) for at, one in enumerate(newest, 1)])
    assert [StockMarked(1, JournalReason.CANCELLED, 102 * S)] == [
        one for one in events if isinstance(one, StockMarked)
    ]
    assert 100 * (count - TRAIL) == engine.stocks[1].volume


def test_awaited_cancels_are_bounded() -> None:
    """The oldest are given up."""
    engine = Engine((PLAIN,), channels=(30,))
    told(engine, [cancelled(at, at, 101) for at in range(1, 2 * CANCELS_HELD)])
    assert CANCELS_HELD == len(engine.stocks[1].cancels)


# -- previous closes, channels, restart ----------------------------------------------------------


def test_a_close_that_no_file_states_comes_from_the_feed_and_holds() -> None:
    """Until then the index has no value, and says once what it lacks."""
    basket = evolve(
        PLAIN,
        constituents=tuple(
            evolve(one, previous_close_3dp=None) if one.security == 5 else one
            for one in PLAIN.constituents
        ),
    )
    engine = Engine((basket,), channels=(30,), first_ns=102 * S)
    events = told(engine, passed(105))
    assert [IndexIncomplete("PLAIN", 102 * S, (5,))] == events
    other = PreviousCloseRecord(30, 3, 5, 60_350, 105 * S)
    events = told(
        engine,
        [
            PreviousCloseRecord(30, 1, 5, 0, 105 * S),
            PreviousCloseRecord(30, 2, 5, 60_300, 105 * S),
            other,
            *passed(106),
        ],
    )
    assert RecordJournalled(JournalReason.CLOSE_DIFFERS, other, 105 * S) == events[0]
    assert [(106, T, worth())] == ticks(events)


def test_a_channel_that_begins_anew_numbers_its_messages_from_one_again() -> None:
    """After a sequence reset nothing of it is a duplicate by its number."""
    engine = Engine((PLAIN,), channels=(30,))
    records: list[IndexRecord] = [traded(7, 1, 66_000, 101), ChannelRestarted(30, 0, 101 * S)]
    records.append(traded(1, 2, 66_100, 101))
    assert [] == told(engine, records)
    assert {30: 1} == engine.positions


def test_an_engine_tells_up_to_where_it_has_worked_each_channel() -> None:
    """From there a restarted one asks for what it missed."""
    engine = Engine((PLAIN,), channels=(10, 30))
    records: list[IndexRecord] = [traded(4, 1, 66_000, 101), session(2, 2, 101)]
    told(engine, [*records, TimePassed(30, 9, 101 * S)])
    assert {10: 2, 30: 9} == engine.positions


def test_a_restored_engine_goes_on_as_if_nothing_had_happened() -> None:
    """Through JSON, with records held, awaited, cancelled and stocks marked."""
    rules = IndexRules(closing_delay_s=0)
    records: list[IndexRecord] = [
        *passed(100, 10, 30, 31),
        session(1, 3, 101),
        traded(1, 3, 66_000, 101),
        cancelled(2, 2, 101.2),
        traded(3, 1, 67_000, 103),
        *passed(104, 10),
        traded(4, 2, 66_500, 105)._replace(send_time_ns=0),
        traded(5, 4, 66_600, 107),
        *passed(109, 31, 10),
        traded(6, 5, 66_700, 111),
        *passed(113, 31, 10),
    ]
    whole = Engine((PLAIN, TIES), rules, channels=(10, 30, 31))
    expected = told(whole, records)
    for place in range(len(records)):
        first = Engine((PLAIN, TIES), rules, channels=(10, 30, 31))
        events = told(first, records[:place])
        again = Engine((PLAIN, TIES), rules, channels=(10, 30, 31))
        again.restore(json.loads(json.dumps(first.snapshot())))
        assert first.snapshot() == again.snapshot()
        assert expected == events + told(again, records[place:])
        assert whole.snapshot() == again.snapshot()


def test_a_restored_engine_still_lets_a_moment_settle() -> None:
    """A channel that went missing before the restart is still missing after it."""
    engine = Engine((PLAIN,), channels=(30, 31), first_ns=102 * S)
    told(engine, [*passed(100, 30, 31), *passed(103, 30)])
    again = Engine((PLAIN,), channels=(30, 31), first_ns=102 * S)
    again.restore(engine.snapshot())
    assert () == again.poll(NOW)
    events = again.poll(NOW + timedelta(seconds=3))
    assert [(31,)] == [one.missing for one in events if isinstance(one, TickComputed)]


@pytest.mark.parametrize(
    "other",
    [
        Engine((TIES,)),
        Engine((evolve(PLAIN, previous_close=Decimal("1.00")),)),
        Engine((PLAIN,), IndexRules(decimals=3)),
    ],
    ids=["basket", "day", "rules"],
)
def test_a_snapshot_of_something_else_is_refused(other: Engine) -> None:
    """An engine of today does not stand where yesterday's stood."""
    with pytest.raises(UsageError, match="other baskets"):
        other.restore(Engine((PLAIN,)).snapshot())


def test_a_tick_leaves_the_room_with_name_and_site_in_index_points() -> None:
    """The value of the model."""
    tick = TickComputed("PLAIN", 102 * S, 2_086_267, None, 2_000_001, IndexStatus.OPENING, (5,))
    left = index_tick(tick, engine="a", site=SiteRole.SECONDARY, kind=TickKind.RECALCULATED)
    assert (
        IndexTick(
            "PLAIN",
            left.at,
            Decimal("20862.67"),
            None,
            Decimal("20000.01"),
            IndexStatus.OPENING,
            TickKind.RECALCULATED,
            stale=(5,),
            engine="a",
            site=SiteRole.SECONDARY,
        )
        == left
    )
    assert ("1970-01-01T08:01:42+08:00", HONG_KONG) == (left.at.isoformat(), left.at.tzinfo)


# -- garbage -------------------------------------------------------------------------------------


def test_a_first_record_with_a_broken_time_does_not_stop_the_day() -> None:
    """Nothing was heard before that could show it; what comes next does."""
    for order in TickOrder:
        engine = Engine((PLAIN,), IndexRules(order=order), channels=(30,))
        engine.day.restore({"session": 3, "due": {}, "done": []})
        wild = traded(1, 1, 66_000, 9_000_000_000)
        events = told(engine, [wild, traded(2, 2, 66_100, 101), *passed(101.5), *passed(103)])
        assert [(102, T, worth(s1=66_100))] == ticks(events)


numbers = st.integers(-5, 5) | st.integers(-(2**63), 2**64)
times = st.integers(0, 400).map(lambda one: one * S // 2) | st.integers(0, 2**64 - 1)
codes = st.sampled_from([0, 1, 5, 700, 99_999])
channels = st.sampled_from([10, 30, 31])
sequences = st.integers(0, 12)
records = st.one_of(
    st.builds(
        TradeRecord, channels, sequences, codes, numbers, numbers, numbers, numbers, times, times
    ),
    st.builds(TradeCancelRecord, channels, sequences, codes, numbers, times),
    st.builds(
        SessionRecord, channels, sequences, st.just("MAIN"), st.integers(0, 8), numbers, times
    ),
    st.builds(ClosingPriceRecord, channels, sequences, codes, numbers, times),
    st.builds(PreviousCloseRecord, channels, sequences, codes, numbers, times),
    st.builds(StatisticsRecord, channels, sequences, codes, *[numbers] * 4, times),
    st.builds(SecurityStatusRecord, channels, sequences, codes, st.booleans(), times),
    st.builds(
        CurrencyRateRecord, channels, sequences, st.text(max_size=3), numbers, numbers, times
    ),
    st.builds(TimePassed, channels, sequences, times),
    st.builds(QuarantinedRecord, channels, sequences, codes, numbers, st.just("poison"), times),
    st.builds(RecordsLost, channels, sequences, sequences, times),
    st.builds(ChannelRestarted, channels, sequences, times),
)


@given(st.lists(records, max_size=25), st.sampled_from(list(TickOrder)))
@settings(max_examples=100)
def test_whatever_records_say_nothing_is_raised_and_state_survives(
    garbage: list[IndexRecord], order: TickOrder
) -> None:
    """Engine and snapshot computation alike; what they know can be written down and read back."""
    rules = IndexRules(order=order, rates_from_feed=True, interval_s=15)
    engine = Engine((PLAIN, TIES), rules)
    table = SnapshotComputation((PLAIN, TIES), rules)
    for place, record in enumerate(garbage):
        table.handle(record, NOW)
        engine.handle(record, NOW)
        engine.poll(NOW + timedelta(seconds=place))
    table.values_at(200 * S)
    again = Engine((PLAIN, TIES), rules)
    again.restore(json.loads(json.dumps(engine.snapshot())))
    assert engine.snapshot() == again.snapshot()
