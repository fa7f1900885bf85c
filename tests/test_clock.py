"""Time is handed over, aware, in Hong Kong's zone; a clock that is turned never runs backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from hkex_ops import HONG_KONG, ManualClock, SystemClock
from hkex_ops.errors import UsageError

START = datetime(2023, 4, 15, 14, 30, tzinfo=HONG_KONG)
NAIVE = datetime(2023, 4, 15, 14, 30)  # noqa: DTZ001 - the fault itself

spans = st.timedeltas(timedelta(0), timedelta(days=400))


def test_the_system_clock_tells_hong_kong_time() -> None:
    now = SystemClock().now()
    assert timedelta(hours=8) == now.utcoffset()
    assert HONG_KONG is now.tzinfo


def test_a_manual_clock_stands_still() -> None:
    clock = ManualClock(START)
    assert [START, START] == [clock.now(), clock.now()]


@given(st.lists(spans, max_size=5))
def test_a_manual_clock_runs_as_far_as_it_is_turned(turns: list[timedelta]) -> None:
    clock = ManualClock(START)
    for turn in turns:
        clock.advance(turn)
    assert START + sum(turns, timedelta(0)) == clock.now()


def test_turning_to_the_same_instant_is_no_step_back() -> None:
    clock = ManualClock(START)
    clock.turn_to(START)
    assert START == clock.now()


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=400)))
def test_a_manual_clock_never_runs_backwards(back: timedelta) -> None:
    clock = ManualClock(START)
    with pytest.raises(UsageError, match="cannot turn back"):
        clock.turn_to(START - back)
    with pytest.raises(UsageError, match="cannot turn back"):
        clock.advance(-back)
    assert START == clock.now()


def test_an_instant_of_another_zone_is_told_in_hong_kong_time() -> None:
    clock = ManualClock(datetime(2023, 4, 15, 6, 30, tzinfo=UTC))
    assert "2023-04-15T14:30:00+08:00" == clock.now().isoformat()


def test_an_instant_without_zone_is_refused() -> None:
    clock = ManualClock(START)
    with pytest.raises(UsageError, match="has no zone"):
        clock.turn_to(NAIVE)
    with pytest.raises(UsageError, match="has no zone"):
        ManualClock(NAIVE)
