"""Exact to the last cent: ties, weights, rates, and what goes wrong without each care."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import TypeAlias

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.index.basket import Basket, Constituent, CurrencyRate
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import (
    CurrencyRateRecord,
    IndexRecord,
    RecordsLost,
    TimePassed,
    TradeRecord,
)
from hkex_ops.index.rules import IndexRules, Rounding, TickOrder
from hkex_ops.index.snapshot import SnapshotComputation
from hkex_ops.index.straight import values_by_moment
from hkex_ops.index.ticks import TickComputed
from hkex_ops.index.totals import Totals
from tests.index.reference import (
    NOW,
    PLAIN,
    TIES,
    S,
    basket_of,
    index_of,
    reference_in_arrival_order,
)

BASKETS = (PLAIN, TIES)
FIRST = 102 * S
prices = st.integers(1, 999_999)


def day_of_trades(random: Random, count: int) -> list[TradeRecord]:
    """Trades in delivery order, some after their stock's next one, of every type."""
    numbers = dict.fromkeys((1, 5, 700), 0)
    last = {1: 65_850, 5: 60_300, 700: 412_250}
    trades: list[TradeRecord] = []
    for place in range(count):
        code = random.choice(list(numbers))
        numbers[code] += 1
        last[code] += random.choice((-50, -10, -5, 5, 10, 50))
        sent = 101 * S + place * S // 20
        kind = random.choice((0, 0, 0, 0, 100, 103, 4, 101, 102))
        price = last[code] if kind in (0, 100, 103) else random.randint(1, 999_999)
        trade = TradeRecord(30, place + 1, code, numbers[code], price, 100, kind, sent, sent)
        before = trades[-1] if trades else trade
        if before.security == code and before is not trade and random.random() < 0.3:
            early = before._replace(sequence=trade.sequence, send_time_ns=sent)
            trades[-1] = trade._replace(sequence=before.sequence, send_time_ns=before.send_time_ns)
            trade = early
        trades.append(trade)
    return trades


Values: TypeAlias = Callable[[list[TradeRecord], IndexRules], list[int]]


def engine_values(records: list[TradeRecord], rules: IndexRules) -> list[int]:
    """Every value of a day in arrival order, the moments' indexes in a row."""
    engine = Engine(BASKETS, rules, first_ns=FIRST)
    told: list[int] = []
    everything: list[IndexRecord] = [*records, TimePassed(30, 0, records[-1].send_time_ns + 4 * S)]
    for record in everything:
        events = engine.handle(record, NOW)
        told += [one.value_cents for one in events if isinstance(one, TickComputed)]
    return told


def right_values(records: list[TradeRecord]) -> list[int]:
    """The reference's, in the same order."""
    ends: list[IndexRecord] = [*records, TimePassed(30, 0, records[-1].send_time_ns + 4 * S)]
    columns = [
        [cents for _, cents in reference_in_arrival_order(ends, FIRST, 2 * S, basket)]
        for basket in BASKETS
    ]
    return [cents for pair in zip(*columns, strict=True) for cents in pair]


ARRIVAL = IndexRules(order=TickOrder.ARRIVAL)
TRADES = day_of_trades(Random(7), 4_000)


def test_a_day_is_right_to_the_last_cent() -> None:
    """The engine in arrival order, against the serial reference."""
    assert right_values(TRADES) == engine_values(TRADES, ARRIVAL)


def straight_values(records: list[TradeRecord], rules: IndexRules) -> list[int]:
    """The same of the loop that computes a whole day again at full speed."""
    rows = [
        (one.send_time_ns, one.security, one.trade_id, one.price_3dp, one.trade_type)
        for one in records
    ]
    totals = Totals(BASKETS)
    before = list(totals.sums)
    last = records[-1].send_time_ns + 4 * S
    found = values_by_moment(totals, rows, rules, first_ns=FIRST, last_ns=last)
    values = [value for _, values in found for value in values]
    assert before == totals.sums
    return values


def test_the_straight_loop_gives_the_engines_values() -> None:
    """What recalculates a whole day at full speed."""
    assert right_values(TRADES) == straight_values(TRADES, ARRIVAL)


BOTH_WAYS = pytest.mark.parametrize("values", [engine_values, straight_values])


@BOTH_WAYS
def test_without_the_guard_of_trade_numbers_values_are_wrong(values: Values) -> None:
    """An older record after a newer one, taken as the last price."""
    unguarded = [one._replace(trade_id=place) for place, one in enumerate(TRADES, start=1)]
    pairs = zip(right_values(TRADES), values(unguarded, ARRIVAL), strict=True)
    assert sum(right != wrong for right, wrong in pairs) > 5


@BOTH_WAYS
def test_without_the_filter_of_trade_types_most_values_are_wrong(values: Values) -> None:
    """Odd lots, direct and late trades are no price of the market."""
    every = evolve(ARRIVAL, trade_types=(0, 4, 22, 100, 101, 102, 103, 104))
    pairs = list(zip(right_values(TRADES), values(TRADES, every), strict=True))
    assert sum(right != wrong for right, wrong in pairs) > len(pairs) // 2


def test_floats_would_be_wrong_on_ties() -> None:
    """Why exact integers: half of these values lie exactly between two cents."""
    random = Random(3)
    wrong = ties = 0
    weight = 12_345_678_901.0 * 85 * 7777
    factor = 26_920 / (538_400 * weight)
    for _ in range(2_000):
        moved = {1: random.randrange(60_000, 70_000, 5), 5: 60_300, 700: 412_250}
        points = sum(price * weight for price in moved.values()) * factor
        wrong += int(points + 0.5) != index_of(moved, TIES)
        ties += Fraction(sum(moved.values()), 538_400) * 26_920 % 1 == Fraction(1, 2)
    assert ties > 200
    assert wrong > 10


def test_sixty_four_bits_are_not_enough() -> None:
    """A sum of prices and weights as they are does not fit."""
    assert Totals([PLAIN]).sums[0] > 2**63


@given(st.tuples(prices, prices, prices), st.sampled_from(list(Rounding)))
def test_engine_and_snapshot_computation_round_alike_by_every_rule(
    at: tuple[int, int, int], rounding: Rounding
) -> None:
    """Two makes: integers divided once, and decimals quantised once."""
    rules = IndexRules(rounding=rounding)
    totals = Totals(BASKETS, rounding=rounding)
    table = SnapshotComputation(BASKETS, rules)
    for number, (code, price) in enumerate(zip((1, 5, 700), at, strict=True), start=1):
        totals.move(totals.slots[code], price)
        table.handle(TradeRecord(30, number, code, 1, price, 100, 0, S, S), NOW)
    units = [Decimal(value or 0).scaleb(-2) for value in totals.values()]
    assert units == [value.value for value in table.values_at(2 * S)]


@pytest.mark.parametrize(
    ("rounding", "cents"),
    [(Rounding.HALF_UP, 26_923), (Rounding.HALF_EVEN, 26_922), (Rounding.DOWN, 26_922)],
)
def test_a_tie_is_rounded_as_the_rule_says(rounding: Rounding, cents: int) -> None:
    """269.225 exactly."""
    totals = Totals([TIES], rounding=rounding)
    totals.move(totals.slots[1], 65_850 + 50)
    assert [cents] == totals.values()


def test_decimals_are_a_setting_and_a_close_may_have_more_of_them() -> None:
    """A previous close of four decimals is taken whole, whatever is published."""
    basket = evolve(PLAIN, previous_close=Decimal("20862.6789"))
    assert [2_086_268] == Totals([basket]).values()
    assert [208_626_789] == Totals([basket], decimals=4).values()


def test_an_index_has_no_value_before_every_previous_close_is_known() -> None:
    """The last one completes it; a close that was stated holds."""
    open_close = tuple(
        evolve(one, previous_close_3dp=None) if one.security == 5 else one
        for one in PLAIN.constituents
    )
    totals = Totals([evolve(PLAIN, constituents=open_close), TIES])
    totals_alone = Totals([evolve(PLAIN, constituents=open_close)])
    assert [None] == totals_alone.values()
    assert totals_alone.set_previous(totals_alone.slots[5], 60_300)
    assert not totals_alone.set_previous(totals_alone.slots[5], 1)
    assert Totals([PLAIN]).values() == totals_alone.values()
    assert totals.complete


def foreign(rate: str = "1.0921") -> Basket:
    """A basket with one stock that trades in another currency."""
    return evolve(
        PLAIN,
        constituents=(
            *PLAIN.constituents,
            Constituent(80_700, 9_500_000_001, 60, 8_512, "CNY", 380_000),
        ),
        rates=(CurrencyRate("CNY", Decimal(rate)),),
    )


def test_a_stock_in_another_currency_counts_at_the_rate_of_the_day() -> None:
    """By hand: worth now over worth then, both in Hong Kong dollars."""
    basket = foreign()
    totals = Totals([basket])
    totals.move(totals.slots[80_700], 390_000)
    worth = [
        Fraction(one.issued_shares * one.freefloat_factor * one.cap_factor)
        * (Fraction("1.0921") if one.currency == "CNY" else 1)
        for one in basket.constituents
    ]
    before = [one.previous_close_3dp or 0 for one in basket.constituents]
    now = [*before[:-1], 390_000]
    exact = Fraction(
        sum(price * weight for price, weight in zip(now, worth, strict=True)),
        sum(price * weight for price, weight in zip(before, worth, strict=True)),
    ) * Fraction("2086267")
    assert [int(exact + Fraction(1, 2))] == totals.values()


@pytest.mark.parametrize("follows", [False, True])
def test_rates_of_the_feed_move_an_index_only_where_the_rules_say_so(follows: bool) -> None:
    """Engine and snapshot computation alike."""
    rules = IndexRules(rates_from_feed=follows)
    rate = CurrencyRateRecord(40, 1, "CNY", 0, 11_500, 101 * S)
    engine = Engine([foreign()], rules, channels=(40,), first_ns=FIRST)
    table = SnapshotComputation([foreign()], rules)
    events: list[TickComputed] = []
    for record in (rate, TimePassed(40, 0, 103 * S)):
        table.handle(record, NOW)
        events += [one for one in engine.handle(record, NOW) if isinstance(one, TickComputed)]
    assert [follows] == [event.value_cents > 2_086_267 for event in events]
    assert [event.value_cents for event in events] == [
        int((value.value or Decimal(0)) * 100) for value in table.values_at(FIRST)
    ]


def test_a_rate_that_may_be_lost_marks_the_stocks_it_concerns() -> None:
    """Rates need not come on the channel of trades; the next one heals."""
    rules = IndexRules(rates_from_feed=True)
    engine = Engine([foreign()], rules, channels=(40,), first_ns=FIRST)
    table = SnapshotComputation([foreign()], rules, channels=(40,))
    engine.stocks[80_700].trades_on(30)
    told: list[tuple[int, ...]] = []
    checked: list[tuple[int, ...]] = []
    for record in (
        RecordsLost(40, 1, 1, 101 * S),
        TimePassed(40, 1, 102 * S),
        CurrencyRateRecord(40, 2, "CNY", 0, 11_500, 103 * S),
        TimePassed(40, 2, 104 * S),
    ):
        table.handle(record, NOW)
        for one in engine.handle(record, NOW):
            if isinstance(one, TickComputed):
                told.append(one.stale)
                checked += [value.stale for value in table.values_at(one.time_ns)]
    assert [True, False] == [80_700 in stale for stale in told]
    assert 80_700 in checked[0]


def test_the_straight_loop_refuses_what_it_does_not_know() -> None:
    """It leaves out nothing in silence."""
    even = IndexRules(rounding=Rounding.HALF_EVEN)
    with pytest.raises(UsageError):
        list(values_by_moment(Totals([PLAIN]), [], even, first_ns=FIRST, last_ns=FIRST))


def test_forty_seven_indexes_and_two_thousand_six_hundred_securities_run_at_once() -> None:
    """As many as there were in 2010 and more stocks than were listed; values by the reference."""
    random = Random(47)
    closes = {code: random.randrange(1_000, 500_000, 5) for code in range(1, 2_601)}
    baskets = [
        basket_of(
            f"{number:07}",
            "10000.00",
            *(
                (code, random.randrange(10**8, 10**12), 100, 10_000, closes[code])
                for code in (random.sample(list(closes), 60) if number < 46 else closes)
            ),
        )
        for number in range(47)
    ]
    engine = Engine(baskets, channels=(30,), first_ns=FIRST)
    moved = dict(closes)
    for number, code in enumerate(closes, start=1):
        moved[code] += 5
        trade = TradeRecord(30, number, code, 1, moved[code], 100, 0, 101 * S, 101 * S)
        assert () == engine.handle(trade, NOW)
    told = engine.handle(TimePassed(30, 0, FIRST), NOW)
    assert [index_of(moved, basket) for basket in baskets] == [
        one.value_cents for one in told if isinstance(one, TickComputed)
    ]
