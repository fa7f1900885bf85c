"""The toy of 2010 stops for one order of messages, and for no other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import time
from itertools import pairwise

import pytest
from hypothesis import example, given, settings, strategies as st

from hkex_ops.config.layouts import load_codec
from hkex_ops.omd.messages import Message, Trade, TradingSessionStatus
from hkex_ops_simulator.hsil import old_system
from hkex_ops_simulator.hsil.old_system import CLASH
from hkex_ops_simulator.hsil.old_systems import SYSTEMS, run_systems
from hkex_ops_simulator.hsil.replayed import Replayed

CODEC = load_codec()
NS = 1_000_000_000
STOCKS = (1, 2)
MATCHING = "M"
OTHER_STATE, HEARTBEAT = "S", "H"

# A record is (stock, older than the last one of its stock); others are letters.
Order = Sequence[tuple[int, bool] | str]


def messages_of(order: Order) -> Iterable[Message | None]:
    """The messages of an order; an older record has the number before the last one's."""
    last = dict.fromkeys(STOCKS, 10)
    for number, one in enumerate(order):
        if isinstance(one, str):
            state = 2 if one == MATCHING else 1
            status = TradingSessionStatus(b"MAIN", b" ", state, 20, b"0", b"    ", 0, 0)
            yield None if one == HEARTBEAT else status
            continue
        stock, older = one
        if older:
            trade_id = last[stock] - 1
        else:
            last[stock] = trade_id = last[stock] + 2
        yield Trade(stock, trade_id, 10_000 + number, 100, 0, b"  ", 0)


def run_on(order: Order) -> tuple[int, str | None]:
    """How a system ends that meets ``order``: its exit code, and why it stopped."""
    packets = bytearray()
    # Every stock has a last record before the order begins.
    before: Order = [(stock, False) for stock in STOCKS]
    for number, message in enumerate(messages_of([*before, *order])):
        messages = [] if message is None else [message]
        packets += CODEC.encode_packet(messages, sequence=number, send_time_ns=number * NS)
    told: old_system.Settings = {
        "baskets": {"X": {"previous_cents": 100_000, "weights": {"1": 3, "2": 5}}},
        "closes_3dp": {"1": 10_000, "2": 10_000},
        "interval_s": 15,
        "opening_delay_s": 20,
    }
    done = subprocess.run(
        [sys.executable, "-I", "-S", old_system.__file__, json.dumps(told)],
        input=bytes(packets),
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert b"" == done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])["stopped"]


def clashes(order: Order) -> bool:
    """What the papers say: the indicator right behind an out-of-sequence record."""
    heard = [one for one in order if one not in (HEARTBEAT, OTHER_STATE)]
    return any(
        after == MATCHING and not isinstance(before, str) and before[1]
        for before, after in pairwise(heard)
    )


RECORDS = st.tuples(st.sampled_from(STOCKS), st.booleans())
QUIET = st.sampled_from([HEARTBEAT, OTHER_STATE])


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Records in and out of sequence, other messages, and the indicator once, anywhere."""
    around = draw(st.lists(st.one_of(RECORDS, RECORDS, QUIET), max_size=8))
    place = draw(st.integers(0, len(around)))
    return [*around[:place], MATCHING, *around[place:]]


class TestOrders:
    @pytest.mark.parametrize("count", [40, pytest.param(2000, marks=pytest.mark.long)])
    def test_it_stops_exactly_when_the_indicator_comes_right_behind_an_older_record(
        self, count: int
    ) -> None:
        @settings(max_examples=count)
        @example([(1, True), MATCHING])
        @example([(1, True), (2, False), MATCHING])
        @example([MATCHING, (1, True)])
        @example([(1, True), (1, True), MATCHING, (2, True)])
        @given(orders())
        def holds(order: Order) -> None:
            expected = (1, CLASH) if clashes(order) else (0, None)
            assert expected == run_on(order)

        holds()


class TestTheDay:
    async def test_all_three_systems_stop_at_the_indicator(self) -> None:
        day = Replayed.of(2023, time(10, 1))
        systems = await run_systems(day, day.line)
        assert [name for name, _, _ in SYSTEMS] == [one.name for one in systems]
        assert [(1, CLASH)] * 3 == [(one.exit_code, one.stopped) for one in systems]
        assert [1, 1, 1] == [one.out_of_sequence for one in systems]
        assert [{}, {}, {}] == [one.ticks for one in systems]

    async def test_without_the_older_record_they_publish_every_value_exactly(self) -> None:
        """The control: the same day in the ordinary order. The toy is wrong about nothing else."""
        day = Replayed.of(2023, time(10, 2), out_of_sequence=False)
        expected = {(one.code, one.time_ns): one.value_cents for one in day.published}
        systems = await run_systems(day, day.line)
        assert [(0, None)] * 3 == [(one.exit_code, one.stopped) for one in systems]
        assert [expected] * 3 == [one.ticks for one in systems]

    async def test_started_anew_without_the_indicator_they_work(self) -> None:
        day = Replayed.of(2023, time(10, 2))
        systems = await run_systems(day, day.without_indicator)
        assert [None, None, None] == [one.stopped for one in systems]
        opening = {one.time_ns for one in day.published if one.status == "O"}
        expected = {
            (one.code, one.time_ns): one.value_cents
            for one in day.published
            if one.time_ns not in opening
        }
        assert [expected] * 3 == [one.ticks for one in systems]
