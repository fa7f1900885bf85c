"""Mandatory calls: which record calls a product, when, and which trades go."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.config.shipped import load_calendar
from hkex_ops.errors import UsageError
from hkex_ops.index.blocks import session_blocks
from hkex_ops.index.calls import (
    Call,
    Calls,
    CallTimeDoubted,
    CallTimeFound,
    CrossedBy,
    MandatoryCallSeen,
    ProductSuspended,
)
from hkex_ops.index.cancellation import (
    ProductTrade,
    TradeWay,
    cancellation_of,
    files_due,
    last_cancellation_day,
    participants_of,
    trade_faults,
)
from hkex_ops.index.products import CallableProduct, Category, Direction, product_faults
from hkex_ops.index.residual import residual_value, valuation_period
from hkex_ops.model import HONG_KONG, IndexTick, TickKind

CALENDAR = load_calendar()
FRIDAY = CALENDAR.day(date(2010, 1, 22))
MONDAY = CALENDAR.day(date(2010, 1, 25))
HSI = "0000100"
BULL = CallableProduct(
    "61001",
    HSI,
    Direction.BULL,
    Category.R,
    strike=Decimal(20300),
    call_level=Decimal(20500),
    entitlement_ratio=Decimal(10000),
)
BEAR = evolve(BULL, product="61002", direction=Direction.BEAR, strike=Decimal(20700))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2010-01-22T{text}").replace(tzinfo=HONG_KONG)


def tick(
    text: str,
    value: str,
    *,
    low: str | None = None,
    high: str | None = None,
    kind: TickKind = TickKind.REAL_TIME,
) -> IndexTick:
    return IndexTick(
        HSI,
        at(text),
        Decimal(value),
        high=None if high is None else Decimal(high),
        low=None if low is None else Decimal(low),
        kind=kind,
    )


def called(*ticks: IndexTick, products: tuple[CallableProduct, ...] = (BULL,)) -> Calls:
    calls = Calls(products, FRIDAY)
    for one in ticks:
        calls.handle(one, at("18:00:00"))
    return calls


def trade(number: str, text: str, **changes: object) -> ProductTrade:
    made = ProductTrade(number, "61001", "P01", "P02", at(text), Decimal("0.10"), 10_000)
    return evolve(made, **changes)


RESUMED = tick("10:32:45", "20511.75", low="20496.05")
FOUND = tick("10:30:30", "20496.05", kind=TickKind.RECALCULATED)


def test_the_day_low_calls_while_the_value_stands_above_the_level() -> None:
    """22 January 2010: 20511.75 on the screen, 20496.05 as the low, and a level of 20500."""
    calls = Calls([BULL], FRIDAY)
    low = Decimal("20496.05")
    when = at("10:32:45")
    call = Call(BULL, None, low, CrossedBy.LOW, when, when, "morning", TickKind.REAL_TIME)
    assert (
        ProductSuspended(BULL, at("10:32:45"), CrossedBy.LOW, low),
        MandatoryCallSeen(call),
    ) == calls.handle(RESUMED, at("10:32:45"))


def test_a_recalculated_tick_finds_the_moment_and_leaves_the_suspension() -> None:
    calls = called(RESUMED)
    [event] = calls.handle(FOUND, at("16:48:00"))
    [call] = calls.calls
    assert CallTimeFound(call, None) == event
    assert (at("10:30:30"), CrossedBy.VALUE) == (call.time, call.by)
    assert at("10:32:45") == call.suspended_at


def test_a_value_that_crosses_after_the_low_has_is_not_the_moment() -> None:
    """The low says that the level was crossed before; a later value does not find out when."""
    calls = called(RESUMED, tick("10:42:45", "20499.00", low="20496.05"))
    assert [None] == [call.time for call in calls.calls]


def test_an_earlier_low_casts_doubt_on_a_moment_that_was_known() -> None:
    calls = called(tick("10:42:45", "20499.00"))
    [event] = calls.handle(RESUMED, at("16:48:00"))
    [call] = calls.calls
    assert CallTimeDoubted(call, at("10:42:45")) == event
    assert (None, at("10:32:45")) == (call.time, call.suspended_at)


def test_a_call_that_only_a_recalculation_shows_suspends_when_it_is_worked_out() -> None:
    calls = Calls([BULL], FRIDAY)
    suspended, _ = calls.handle(FOUND, at("16:48:00"))
    assert at("16:48:00") == suspended.at  # type: ignore[union-attr]
    assert [False] == [call.foreseen for call in calls.calls]


@pytest.mark.parametrize(
    ("product", "value", "expected"),
    [
        (BULL, "20500.01", 0),
        (BULL, "20500.00", 1),
        (BULL, "20499.99", 1),
        (BEAR, "20499.99", 0),
        (BEAR, "20500.00", 1),
        (BEAR, "20500.01", 1),
    ],
)
def test_touching_the_level_is_enough(product: CallableProduct, value: str, expected: int) -> None:
    assert expected == len(called(tick("10:00:15", value), products=(product,)).calls)


def test_a_bear_is_called_by_the_day_high() -> None:
    [call] = called(tick("10:00:15", "20400.00", high="20500.00"), products=(BEAR,)).calls
    assert CrossedBy.HIGH == call.by


def test_an_extreme_of_the_other_side_calls_nobody() -> None:
    assert () == called(tick("10:00:15", "20600.00", high="20700.00", low="20550.00")).calls


def test_a_product_outside_its_observation_period_is_not_watched() -> None:
    later = evolve(BULL, first_day=date(2010, 1, 25))
    earlier = evolve(BULL, last_day=date(2010, 1, 21))
    assert () == called(RESUMED, products=(later,)).calls
    assert () == called(RESUMED, products=(earlier,)).calls


def test_a_call_says_in_which_session_it_fell() -> None:
    [call] = called(tick("09:52:00", "20400.00")).calls
    assert "pre-opening" == call.session


def test_two_products_of_one_name_and_ticks_of_another_day_are_refused() -> None:
    with pytest.raises(UsageError, match="two products called 61001"):
        Calls([BULL, BULL], FRIDAY)
    with pytest.raises(UsageError, match="2010-01-23 is none of 2010-01-22"):
        called(evolve(RESUMED, at=at("10:00:00") + timedelta(days=1)))


def test_strike_and_level_the_wrong_way_round_are_told() -> None:
    wrong = evolve(BULL, strike=Decimal(20500), call_level=Decimal(20300))
    [(column, sentence)] = product_faults(wrong)
    assert "call_level" == column
    assert "are the two exchanged?" in sentence


def test_a_category_that_the_levels_contradict_is_told() -> None:
    [(column, sentence)] = product_faults(evolve(BULL, category=Category.N))
    assert ("category", True) == (column, sentence.endswith("is category R"))
    assert [] == list(product_faults(BULL))


# -- the valuation period --------------------------------------------------------------------


def test_a_morning_call_is_valued_until_the_end_of_the_afternoon() -> None:
    [call] = called(FOUND).calls
    period = valuation_period(call, FRIDAY, MONDAY)
    assert (at("10:30:30"), at("16:00:00")) == (period.start.at, period.until.at)


def test_an_afternoon_call_is_valued_until_the_end_of_the_next_morning() -> None:
    [call] = called(tick("15:00:00", "20400.00")).calls
    period = valuation_period(call, FRIDAY, MONDAY)
    assert datetime(2010, 1, 25, 12, 30, tzinfo=HONG_KONG) == period.until.at


def test_a_half_day_is_one_session() -> None:
    assert ["whole-day"] == [one.name for one in session_blocks(CALENDAR.day(date(2010, 12, 24)))]


def test_what_is_left_follows_the_lowest_level_of_the_period() -> None:
    [call] = called(FOUND).calls
    period = valuation_period(call, FRIDAY, MONDAY)
    levels = [tick("10:15:00", "20310.00"), FOUND, tick("14:45:00", "20360.00")]
    residual = residual_value(BULL, period, levels, at("16:00:01"))
    assert (Decimal("20360.00"), Fraction(60, 10000), True) == (
        residual.extreme,
        residual.value,
        residual.final,
    )


def test_a_residual_is_never_below_zero_and_category_n_has_none() -> None:
    [call] = called(FOUND).calls
    period = valuation_period(call, FRIDAY, MONDAY)
    deep = [tick("15:00:00", "20263.00")]
    assert Fraction(0) == residual_value(BULL, period, deep, at("16:00:00")).value
    flat = evolve(BULL, category=Category.N, strike=BULL.call_level)
    assert Fraction(0) == residual_value(flat, period, [FOUND], at("16:00:00")).value


# -- trades ----------------------------------------------------------------------------------


def test_trades_strictly_later_are_cancelled_and_ties_stand_apart() -> None:
    calls = called(RESUMED, FOUND).calls
    trades = [trade("1", "10:30:29"), trade("2", "10:30:30"), trade("3", "10:30:31")]
    cancellation = cancellation_of(calls, trades)
    assert ["3"] == [one.trade for one in cancellation.trades]
    assert ["2"] == [one.trade for one in cancellation.ties]
    assert Decimal("1000.00") == cancellation.turnover
    assert ("61001",) == cancellation.products


def test_trades_of_a_call_without_a_time_are_undecided() -> None:
    cancellation = cancellation_of(called(RESUMED).calls, [trade("1", "10:31:00")])
    assert ((), ["1"]) == (cancellation.trades, [one.trade for one in cancellation.undecided])


def test_a_call_before_the_opening_takes_the_whole_auction() -> None:
    calls = called(tick("09:52:00", "20400.00")).calls
    trades = [
        trade("1", "09:50:00", way=TradeWay.AUCTION),
        trade("2", "09:45:00", way=TradeWay.MANUAL),
    ]
    assert ["1"] == [one.trade for one in cancellation_of(calls, trades).trades]


def test_a_participant_has_a_file_with_each_trade_once() -> None:
    own = trade("1", "10:31:00", seller="P01")
    files = participants_of([own, trade("2", "10:31:05")])
    assert {"P01": ["1", "2"], "P02": ["2"]} == {
        who: [one.trade for one in trades] for who, trades in files.items()
    }


def test_files_are_due_before_six_and_cancellation_by_the_next_trading_day() -> None:
    assert at("18:00:00") == files_due(FRIDAY)
    assert date(2010, 1, 25) == last_cancellation_day(FRIDAY, CALENDAR).date


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": Decimal(0)}, "price"),
        ({"quantity": 0}, "quantity"),
        ({"time": at("09:29:59")}, "time"),
        ({"time": at("10:00:00") + timedelta(days=1)}, "time"),
    ],
)
def test_a_trade_that_cannot_be_is_told_by_its_column(
    changes: dict[str, object], expected: str
) -> None:
    [(column, _)] = trade_faults(trade("1", "10:31:00", **changes), FRIDAY)
    assert expected == column


# -- whatever comes --------------------------------------------------------------------------

SECONDS = st.integers(min_value=0, max_value=120)
LEVELS = st.integers(min_value=2_049_000, max_value=2_051_000).map(lambda c: Decimal(c) / 100)
TICKS = st.lists(
    st.builds(
        lambda seconds, value, below, kind: IndexTick(
            HSI, at("10:30:00") + timedelta(seconds=seconds), value, low=value - below, kind=kind
        ),
        SECONDS,
        LEVELS,
        st.sampled_from([Decimal(0), Decimal(5), Decimal(50)]),
        st.sampled_from(list(TickKind)),
    ),
    max_size=30,
)


def slow_call(ticks: list[IndexTick]) -> tuple[bool, datetime | None, datetime | None]:
    """Whether it is called, when, and when it could be seen: by looking at everything."""
    level = Decimal(20500)
    crossed = [one for one in ticks if min(one.value, one.low or one.value) <= level]
    first = min((one.at for one in crossed), default=None)
    known = any(one.at == first and one.value <= level for one in crossed)
    seen = [one.at for one in crossed if one.kind is not TickKind.RECALCULATED]
    return bool(crossed), first if known else None, min(seen, default=None)


@given(TICKS)
def test_the_call_is_that_of_a_slow_oracle(ticks: list[IndexTick]) -> None:
    is_called, time, seen = slow_call(ticks)
    calls = called(*ticks).calls
    assert is_called == bool(calls)
    for call in calls:
        assert time == call.time
        assert (seen or at("18:00:00")) == call.suspended_at


@given(TICKS, TICKS)
def test_a_call_never_moves_later_when_ticks_are_added(
    ticks: list[IndexTick], more: list[IndexTick]
) -> None:
    before = {call.product.product: call.time for call in called(*ticks).calls}
    after = {call.product.product: call.time for call in called(*ticks, *more).calls}
    for product, time in before.items():
        moved = after[product]
        if time is not None and moved is not None:
            assert moved <= time
