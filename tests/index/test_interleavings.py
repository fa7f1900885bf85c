"""Engine, snapshot computation and serial reference agree on every tick, whatever comes when.

One interleaving is a small market and one order in which its records arrive: trades, cancels,
records out of their stock's sequence, duplicates, gaps that close late. Each is worked with the
matching indicator at every position, because on 22 January 2010 one position stopped everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from random import Random

import pytest

from hkex_ops.index.engine import Engine
from hkex_ops.index.records import IndexRecord, SessionRecord, TradeRecord
from hkex_ops.index.rules import IndexRules, TickOrder
from hkex_ops.index.snapshot import SnapshotComputation
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexStatus
from tests.index.market import (
    SESSIONS,
    Market,
    arrivals,
    draw_market,
    with_indicator_anywhere,
    with_times,
)
from tests.index.reference import (
    NOW,
    PLAIN,
    TIES,
    S,
    reference,
    reference_in_arrival_order,
)

BASKETS = (PLAIN, TIES)
RULES = IndexRules(opening_delay_s=0)
STEP = RULES.interval_ns
INTERLEAVINGS = [1_000, pytest.param(100_000, marks=pytest.mark.long)]

Told = list[tuple[str, int, IndexStatus, int]]


def ticks_of(records: Iterable[IndexRecord], *, restart_at: int = -1) -> Told:
    """The engine's ticks; at a position a new engine may take over from the old one's snapshot."""
    engine = Engine(BASKETS, RULES, channels=(30, 31, SESSIONS))
    told: Told = []
    for place, record in enumerate(records):
        if place == restart_at:
            kept = json.loads(json.dumps(engine.snapshot()))
            engine = Engine(BASKETS, RULES, channels=(30, 31, SESSIONS))
            engine.restore(kept)
        for event in engine.handle(record, NOW):
            if isinstance(event, TickComputed):
                assert not event.marked
                told.append((event.index, event.time_ns, event.status, event.value_cents))
    return told


def expected_ticks(market: Market) -> Told:
    """The reference's, with what the sessions call for at each moment."""
    indicator, continuous = (record.send_time_ns for record in market.channels[SESSIONS])
    opening = indicator // STEP * STEP + STEP
    moments = {opening: IndexStatus.OPENING}
    first = continuous // STEP * STEP + STEP
    for moment in range(first, market.end + 1, STEP):
        moments.setdefault(moment, IndexStatus.REAL_TIME)
    return [
        (basket.index, moment, status, reference(market.records, moment, basket))
        for moment, status in sorted(moments.items())
        for basket in BASKETS
    ]


def snapshot_values(records: Iterable[IndexRecord], told: Sequence[tuple[str, int]]) -> list[int]:
    """What the second computation says of those indexes and moments, in cents."""
    table = SnapshotComputation(BASKETS, RULES, channels=(30, 31, SESSIONS))
    for record in records:
        table.handle(record, NOW)
    found: dict[tuple[str, int], Decimal | None] = {}
    for moment in sorted({moment for _, moment in told}):
        assert table.missing_at(moment) == ()
        for value in table.values_at(moment):
            assert value.stale == ()
            found[value.code, moment] = value.value
    return [int((found[key] or Decimal(0)) * 100) for key in told]


@pytest.mark.parametrize("count", INTERLEAVINGS)
def test_every_tick_is_right_with_the_matching_indicator_at_every_position(count: int) -> None:
    """The value of a tick depends on what was sent, never on when or how often it arrived."""
    random = Random(20100122)
    ties = 0
    for _ in range(count):
        market = draw_market(random, trades=random.randint(1, 9))
        expected = expected_ticks(market)
        order = arrivals(random, market)
        keys = [(index, moment) for index, moment, _, _ in expected]
        assert [cents for *_, cents in expected] == snapshot_values(
            with_times([*order, *market.channels[SESSIONS]], market), keys
        )
        for records in with_indicator_anywhere(order, market):
            assert expected == ticks_of(with_times(records, market))
        restart_at = random.randint(0, len(order))
        assert expected == ticks_of(with_times(records, market), restart_at=restart_at)
        ties += any(index == "TIES" and cents % 5 == 0 for index, _, _, cents in expected)
    assert ties > count // 10


@pytest.mark.parametrize("count", INTERLEAVINGS)
def test_in_arrival_order_a_tick_holds_what_was_delivered_before_it(count: int) -> None:
    """The rule by which captures are recalculated, in its other spelling."""
    random = Random(2010)
    rules = IndexRules(order=TickOrder.ARRIVAL)
    for _ in range(count):
        market = draw_market(random, trades=random.randint(1, 12), cancels=False)
        order = with_times(arrivals(random, market), market)
        first = 100 * S + STEP
        expected = [
            (basket.index, moment, cents)
            for basket in BASKETS
            for moment, cents in reference_in_arrival_order(order, first, STEP, basket)
        ]
        engine = Engine(BASKETS, rules, first_ns=first)
        told = [
            (event.index, event.time_ns, event.value_cents)
            for record in order
            for event in engine.handle(record, NOW)
            if isinstance(event, TickComputed)
        ]
        assert sorted(expected) == sorted(told)


def test_two_orders_of_arrival_differ_in_arrival_order_and_agree_by_event_time() -> None:
    """Why engines that capture for themselves need event time."""
    early = TradeRecord(30, 1, 1, 1, 70_000, 100, 0, 101 * S, 101 * S)
    late = TradeRecord(31, 1, 700, 1, 420_000, 100, 0, 102 * S, 102 * S)
    ends = [SessionRecord(channel, 9, "GEM", 0, 0, 104 * S) for channel in (30, 31)]

    def first_value(order: TickOrder, *records: IndexRecord) -> int:
        engine = Engine((PLAIN,), IndexRules(order=order), channels=(30, 31), first_ns=102 * S)
        events = [event for record in records for event in engine.handle(record, NOW)]
        return next(event.value_cents for event in events if isinstance(event, TickComputed))

    swapped = [
        (first_value(order, early, late, *ends), first_value(order, late, early, *ends))
        for order in (TickOrder.EVENT_TIME, TickOrder.ARRIVAL)
    ]
    assert [True, False] == [one == other for one, other in swapped]
