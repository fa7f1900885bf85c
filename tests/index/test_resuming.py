"""A day split anywhere and resumed: engine, settlement and calls answer as if it had been one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given, settings, strategies as st

from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import UsageError
from hkex_ops.index.calls import Call, Calls
from hkex_ops.index.engine import Engine
from hkex_ops.index.products import CallableProduct, Category, Direction
from hkex_ops.index.records import IndexRecord
from hkex_ops.index.restatement import restatement
from hkex_ops.index.settlement import Settlement, SettlementAnswer
from hkex_ops.index.ticks import TickComputed, index_tick
from hkex_ops.model import IndexTick, JsonObject
from tests.flows.index_capture import OPENS, day_of_market, records_of
from tests.flows.index_market import BASKETS, CHANNELS, DAY, Market

RECORDS = tuple(records_of(day_of_market(320), Market()))
TODAY = load_calendar().day(DAY)
HSI = "0000100"
LEVEL = Decimal(20010)
PRODUCTS = tuple(
    CallableProduct(direction.value, HSI, direction, Category.N, LEVEL, LEVEL, Decimal(10_000))
    for direction in Direction
)


def kept(snapshot: JsonObject) -> JsonObject:
    """A snapshot as it comes back from a disk."""
    return cast("JsonObject", json.loads(json.dumps(snapshot)))


class Desk:
    """The three machines of one desk."""

    def __init__(self) -> None:
        self.engine = Engine(BASKETS, channels=CHANNELS)
        self.settlement = Settlement(HSI, TODAY)
        self.calls = Calls(PRODUCTS, TODAY)
        self.ticks: list[IndexTick] = []

    def work(self, records: Iterable[IndexRecord]) -> None:
        """Compute, and let the others hear it."""
        for record in records:
            for event in self.engine.handle(record, OPENS):
                if isinstance(event, TickComputed):
                    tick = index_tick(event)
                    self.ticks.append(tick)
                    self.settlement.handle(tick, tick.at)
                    self.calls.handle(tick, tick.at)
                    self.settlement.poll(tick.at)

    def resumed(self) -> Desk:
        """Another desk that stands where this one stood."""
        other = Desk()
        other.engine.restore(kept(self.engine.snapshot()))
        other.settlement.restore(kept(self.settlement.snapshot()))
        other.calls.restore(kept(self.calls.snapshot()))
        other.ticks = self.ticks
        return other

    @property
    def answers(self) -> tuple[SettlementAnswer, tuple[Call, ...], Sequence[IndexTick]]:
        """Everything that it would say."""
        return self.settlement.answer(self.ticks[-1].at), self.calls.calls, self.ticks


def straight() -> Desk:
    desk = Desk()
    desk.work(RECORDS)
    return desk


STRAIGHT = straight()


def test_there_is_something_to_get_wrong() -> None:
    """The day has a reading, a product that is called, and hundreds of ticks."""
    answer, calls, ticks = STRAIGHT.answers
    assert (1, True, 324) == (
        sum(one.value is not None for one in answer.marks),
        bool(calls),
        len(ticks),
    )


# Every example works the whole day.
@settings(max_examples=20)
@given(st.lists(st.integers(0, len(RECORDS)), min_size=1, max_size=3).map(sorted))
def test_a_day_split_anywhere_and_resumed_gives_the_same_answers(cuts: list[int]) -> None:
    desk = Desk()
    begin = 0
    for cut in cuts:
        desk.work(RECORDS[begin:cut])
        desk, begin = desk.resumed(), cut
    desk.work(RECORDS[begin:])
    assert STRAIGHT.answers == desk.answers


@given(st.integers(0, 323), st.integers(0, 323))
def test_recalculating_what_was_published_changes_nothing(first: int, last: int) -> None:
    ticks = STRAIGHT.ticks
    start, until = ticks[min(first, last)].at, ticks[max(first, last)].at
    found = restatement(ticks, ticks, start=start, until=until)
    assert ((), ()) == (found.missing, found.different)


def test_a_snapshot_of_something_else_is_refused() -> None:
    other = load_calendar().day(datetime(2026, 11, 19, tzinfo=OPENS.tzinfo).date())
    with pytest.raises(UsageError, match="another's"):
        Settlement(HSI, other).restore(STRAIGHT.settlement.snapshot())
    with pytest.raises(UsageError, match="is none of 2026-11-19"):
        Calls(PRODUCTS, other).restore(STRAIGHT.calls.snapshot())
    with pytest.raises(UsageError, match="not watched here"):
        Calls((), TODAY).restore(STRAIGHT.calls.snapshot())
