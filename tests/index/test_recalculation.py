"""A recalculated day is the engine's day, to the last cent, whichever way it is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from importlib.util import find_spec
from random import Random

import pytest
from attrs import evolve

from hkex_ops.index.basket import Basket, CurrencyRate
from hkex_ops.index.recalculation import Recalculation
from hkex_ops.index.reckoning import LATE_KEPT, LateTrade
from hkex_ops.index.records import (
    ClosingPriceRecord,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    SecurityStatusRecord,
    SessionRecord,
    TradeCancelRecord,
    TradeRecord,
)
from hkex_ops.index.rules import IndexRules, Rounding
from hkex_ops.index.stocks import CANCELS_HELD, TRAIL
from tests.index.market import (
    CLOSES,
    SESSIONS,
    arrivals,
    draw_market,
    with_indicator_anywhere,
    with_times,
)
from tests.index.recalculating import (
    ARRIVAL,
    EVENT_TIME,
    WAYS,
    Told,
    between,
    engine_says,
    recalculated,
    slices,
)
from tests.index.reference import PLAIN, TIES, S

BASKETS = [PLAIN, TIES]
SEEDS = [range(40), pytest.param(range(40, 10_000), marks=pytest.mark.long)]
FIRST_NS = 100 * S

every_way = pytest.mark.parametrize("way", WAYS)
in_order = pytest.mark.parametrize("rules", [ARRIVAL, EVENT_TIME], ids=["arrival", "event-time"])


def agree(
    way: Callable[..., Recalculation],
    baskets: Sequence[Basket],
    rules: IndexRules,
    records: Sequence[IndexRecord],
    *,
    random: Random,
    first_ns: int | None = None,
) -> list[Told]:
    """Both tell the same of every moment that the recalculation reaches; what that is.

    An engine goes on by heartbeats; a recalculation ends with the last message.
    """
    recalculation = way(baskets, rules, first_ns=first_ns)
    got = recalculated(recalculation, slices(random, records, rules.interval_ns))
    expected = engine_says(baskets, rules, records, first_ns=first_ns)
    assert [] != got
    assert expected[: len(got)] == got
    return got


@every_way
@in_order
@pytest.mark.parametrize("seeds", SEEDS)
def test_it_tells_what_the_engine_tells(
    seeds: range, rules: IndexRules, way: Callable[..., Recalculation]
) -> None:
    """Trades of every type, cancels, trades out of sequence; in slices cut anywhere; half of all
    values are ties."""
    for seed in seeds:
        random = Random(seed)
        market = draw_market(random, trades=40)
        records = with_times(arrivals(random, market, duplicates=False), market)
        agree(way, BASKETS, rules, records, random=random, first_ns=FIRST_NS)


@every_way
@pytest.mark.parametrize("rounding", Rounding)
def test_it_rounds_as_the_engine_rounds(
    rounding: Rounding, way: Callable[..., Recalculation]
) -> None:
    rules = evolve(ARRIVAL, rounding=rounding)
    for seed in range(10):
        random = Random(seed)
        records = arrivals(random, draw_market(random, trades=40), duplicates=False)
        agree(way, BASKETS, rules, records, random=random, first_ns=FIRST_NS)


@every_way
@in_order
def test_sessions_say_which_value_a_moment_has(
    rules: IndexRules, way: Callable[..., Recalculation]
) -> None:
    """With the matching indicator at every position: opening index and all."""
    rules = evolve(rules, opening_delay_s=0)
    random = Random(7)
    market = draw_market(random, trades=12)
    for order in with_indicator_anywhere(arrivals(random, market, duplicates=False), market):
        got = way(BASKETS, rules)
        records = with_times(order, market)
        told = recalculated(got, slices(random, records, rules.interval_ns))
        assert engine_says(BASKETS, rules, records)[: len(told)] == told


def at(second: float) -> int:
    return int(second * S)


def traded(number: int, price: int, second: float, *, security: int = 1) -> TradeRecord:
    sent = at(second)
    return TradeRecord(30, 0, security, number, price, 100, 0, sent, sent)


def numbered(records: Iterable[IndexRecord]) -> list[IndexRecord]:
    """The records with the numbers of their channels."""
    return [record._replace(sequence=place) for place, record in enumerate(records, start=1)]


def a_day() -> list[IndexRecord]:
    """Opening, trades, preliminary close and close, with closing prices for two of three."""
    return numbered(
        [
            SessionRecord(SESSIONS, 0, "MAIN", 2, 20, at(100)),
            traded(1, 66_000, 101),
            SessionRecord(SESSIONS, 0, "MAIN", 3, 30, at(140)),
            traded(2, 66_500, 141),
            traded(1, 61_000, 143, security=5),
            SecurityStatusRecord(30, 0, 5, True, at(144)),
            SessionRecord(SESSIONS, 0, "MAIN", 105, 40, at(150)),
            traded(3, 66_750, 155),
            ClosingPriceRecord(11, 0, 1, 66_600, at(156)),
            ClosingPriceRecord(11, 0, 700, 410_000, at(156)),
            ClosingPriceRecord(11, 0, 5, 0, at(156)),
            SessionRecord(SESSIONS, 0, "MAIN", 103, 50, at(160)),
            traded(4, 66_700, 180),
            traded(5, 66_700, 184),
        ]
    )


@every_way
def test_a_day_has_its_opening_preliminary_and_closing_values(
    way: Callable[..., Recalculation],
) -> None:
    got = agree(way, BASKETS, ARRIVAL, a_day(), random=Random(1))
    assert {"O", "T", "R", "C"} == {one.status for one in got}


@every_way
def test_previous_closes_may_come_with_the_feed(way: Callable[..., Recalculation]) -> None:
    """Before that an index has no value; a trade that came earlier counts all the same."""
    bare = [
        evolve(
            basket,
            constituents=tuple(
                evolve(stock, previous_close_3dp=None) for stock in basket.constituents
            ),
        )
        for basket in BASKETS
    ]
    closes = [
        PreviousCloseRecord(1, 0, security, price, at(101 + place))
        for place, (security, price) in enumerate(CLOSES.items())
    ]
    records = numbered(
        [
            traded(1, 66_000, 100),
            *closes,
            PreviousCloseRecord(1, 0, 1, 99_999, at(105)),
            PreviousCloseRecord(1, 0, 5, 0, at(105)),
            traded(2, 66_100, 107),
            traded(3, 66_200, 111),
        ]
    )
    recalculation = way(bare, ARRIVAL, first_ns=at(102))
    got = recalculated(recalculation, slices(Random(2), records, ARRIVAL.interval_ns))
    expected = engine_says(bare, ARRIVAL, records, first_ns=at(102))
    assert expected == [one for one in got if one.value is not None]
    assert [None] * 2 == [one.value for one in got if one.time_ns == at(102)]


@every_way
def test_currency_rates_of_the_feed_move_foreign_stocks(way: Callable[..., Recalculation]) -> None:
    rules = evolve(ARRIVAL, rates_from_feed=True)
    stocks = PLAIN.constituents
    foreign = evolve(
        PLAIN,
        constituents=(evolve(stocks[0], currency="CNY"), *stocks[1:]),
        rates=(CurrencyRate("CNY", Decimal("1.08")),),
    )
    records = numbered(
        [
            traded(1, 66_000, 100),
            CurrencyRateRecord(1, 0, "CNY", 0, 10_900, at(103)),
            CurrencyRateRecord(1, 0, "JPY", 3, 510_000, at(103)),
            traded(2, 66_100, 105),
            traded(3, 66_200, 111),
        ]
    )
    agree(way, [foreign], rules, records, random=Random(3), first_ns=FIRST_NS)


@every_way
def test_cancels_one_after_the_other_lead_back_to_the_previous_close(
    way: Callable[..., Recalculation],
) -> None:
    trades = [traded(number, 66_000 + 100 * number, 100 + number) for number in range(1, 9)]
    cancels = [
        TradeCancelRecord(30, 0, 1, number, at(120 + 2 * place))
        for place, number in enumerate([8, 3, 7, 6, 5, 4, 2, 1])
    ]
    records = numbered([*trades, *cancels, traded(9, 70_000, 140), traded(10, 70_100, 144)])
    agree(way, BASKETS, ARRIVAL, records, random=Random(4), first_ns=FIRST_NS)


@every_way
def test_a_cancel_may_come_before_its_trade(way: Callable[..., Recalculation]) -> None:
    records = numbered(
        [
            traded(1, 66_000, 100),
            TradeCancelRecord(30, 0, 1, 3, at(102)),
            traded(2, 66_100, 103),
            traded(3, 99_000, 105),
            traded(4, 66_200, 107),
            traded(5, 66_300, 110),
        ]
    )
    agree(way, BASKETS, ARRIVAL, records, random=Random(5), first_ns=FIRST_NS)


@every_way
def test_a_stock_whose_trades_are_forgotten_keeps_its_price_and_is_told(
    way: Callable[..., Recalculation], monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_spec("numpy"):
        monkeypatch.setattr("hkex_ops.index.vector.HISTORY_ROWS", TRAIL + 1)
    many = TRAIL + 10
    trades = [traded(number, 66_000 + number, 100) for number in range(1, many + 1)]
    cancels = [TradeCancelRecord(30, 0, 1, number, at(101)) for number in range(many, 0, -1)]
    recalculation = way(BASKETS, ARRIVAL, first_ns=FIRST_NS)
    recalculated(recalculation, [between([*trades, *cancels], ARRIVAL.interval_ns)])
    assert {1} == recalculation.reckoning.undone


@every_way
def test_cancels_that_wait_for_their_trades_are_limited(way: Callable[..., Recalculation]) -> None:
    """Beyond the limit the oldest is forgotten, and its trade counts."""
    cancels = [
        TradeCancelRecord(30, 0, 1, number, at(100)) for number in range(1, CANCELS_HELD + 2)
    ]
    trades = [traded(1, 66_000, 101), traded(2, 77_000, 102), traded(3, 88_000, 105)]
    recalculation = way([PLAIN], ARRIVAL, first_ns=FIRST_NS)
    recalculated(recalculation, [between([*cancels, *trades], ARRIVAL.interval_ns)])
    assert 1 == recalculation.reckoning.newest[0]


@every_way
def test_trades_out_of_sequence_are_listed_as_they_came(way: Callable[..., Recalculation]) -> None:
    records = [
        traded(2, 66_000, 100),
        traded(7, 60_000, 100, security=5),
        traded(1, 66_100, 100),
        traded(6, 60_100, 100, security=5),
    ]
    recalculation = way(BASKETS, ARRIVAL, first_ns=FIRST_NS)
    recalculated(recalculation, [between(records, ARRIVAL.interval_ns)])
    assert [LateTrade(1, 1, 2), LateTrade(5, 6, 7)] == recalculation.reckoning.late
    assert 2 == recalculation.reckoning.late_count


@every_way
def test_more_trades_out_of_sequence_than_are_listed_are_counted(
    way: Callable[..., Recalculation],
) -> None:
    records = [traded(LATE_KEPT + 9, 66_000, 100)]
    records += [traded(number, 66_100, 100) for number in range(1, LATE_KEPT + 6)]
    recalculation = way(BASKETS, ARRIVAL, first_ns=FIRST_NS)
    recalculated(recalculation, [between(records, ARRIVAL.interval_ns)])
    reckoning = recalculation.reckoning
    assert (LATE_KEPT, LATE_KEPT + 5) == (len(reckoning.late), reckoning.late_count)


@every_way
def test_an_ordinary_mistake_would_be_seen(way: Callable[..., Recalculation]) -> None:
    """Without the guard of trade numbers, or taking trades of every type, values would differ."""
    random = Random(11)
    market = draw_market(random, trades=200, cancels=False)
    records = arrivals(random, market, duplicates=False)
    right = agree(way, BASKETS, ARRIVAL, records, random=random, first_ns=FIRST_NS)

    def changed(record: IndexRecord, **what: int) -> IndexRecord:
        return record._replace(**what) if isinstance(record, TradeRecord) else record

    unguarded = [changed(record, trade_id=place + 1_000) for place, record in enumerate(records)]
    unfiltered = [changed(record, trade_type=0) for record in records]
    for wrong in (unguarded, unfiltered):
        recalculation = way(BASKETS, ARRIVAL, first_ns=FIRST_NS)
        assert right != recalculated(recalculation, slices(random, wrong, ARRIVAL.interval_ns))


@every_way
def test_weights_of_every_width_give_exact_values(way: Callable[..., Recalculation]) -> None:
    """From a few shares to more than there can be, and prices as high as the wire can say."""
    for seed in range(20):
        random = Random(seed)
        stocks = [
            evolve(
                stock,
                issued_shares=random.randrange(1, 10 ** random.randrange(1, 14)),
                freefloat_factor=random.randrange(1, 101),
                cap_factor=random.randrange(1, 10_001),
            )
            for stock in PLAIN.constituents
        ]
        basket = evolve(PLAIN, constituents=tuple(stocks))
        trades = [
            traded(number, random.choice((1, 2**31 - 1, random.randrange(1, 2**31))), 100 + number)
            for number in range(1, 30)
        ]
        agree(way, [basket], ARRIVAL, numbered(trades), random=random, first_ns=FIRST_NS)


@every_way
def test_nothing_sent_is_nothing_told(way: Callable[..., Recalculation]) -> None:
    assert [] == recalculated(way(BASKETS, ARRIVAL), [([], [])])
