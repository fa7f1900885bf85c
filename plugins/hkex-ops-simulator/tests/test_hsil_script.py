"""The day of 22 January 2010 as it is sent: the order that mattered, and the published values."""

from __future__ import annotations

from datetime import time
from itertools import pairwise

import pytest

from hkex_ops.errors import UsageError
from hkex_ops.omd.messages import Trade, TradingSessionStatus
from hkex_ops_simulator.hsil.anchors import BUSINESS_DATE, CALL_LEVEL_CENTS, EXACT, HSCEI, HSI
from hkex_ops_simulator.hsil.replayed import Replayed
from hkex_ops_simulator.hsil.script import MATCHING, ScriptedDay
from hkex_ops_simulator.market.compiler import Published
from hkex_ops_simulator.market.packing import Sent
from hkex_ops_simulator.market.timetable import instant_ns

UNTIL = time(10, 34)


def day_of(
    seed: int = 2023, until: time = UNTIL, **order: bool
) -> tuple[list[Sent], list[Published]]:
    day = ScriptedDay(seed, until, **order)
    return list(day.sent()), day.published


def at(moment: time) -> int:
    return instant_ns(BUSINESS_DATE, moment)


def told(published: list[Published], code: str) -> dict[int, Published]:
    return {one.time_ns: one for one in published if one.code == code}


class TestOrder:
    def test_an_older_record_comes_right_before_the_matching_indicator(self) -> None:
        """Newer trade, older trade of the same stock, indicator; nothing between them."""
        sent, _ = day_of()
        [place] = [
            place
            for place, one in enumerate(sent)
            if isinstance(one.message, TradingSessionStatus)
            and (one.message.trading_session_sub_id, one.message.market_code) == (2, "MAIN")
        ]
        records = [
            one.message
            for one in sent[:place]
            if isinstance(one.message, Trade | TradingSessionStatus)
        ][-2:]
        newer, older = records
        assert isinstance(newer, Trade)
        assert isinstance(older, Trade)
        assert newer.security_code == older.security_code
        assert newer.trade_id == older.trade_id + 1
        assert newer.price_3dp != older.price_3dp
        assert at(MATCHING) == sent[place].time_ns
        assert all(at(MATCHING) - one.time_ns < 3_000_000 for one in sent[place - 2 : place])

    def test_without_it_the_order_is_ordinary_and_all_else_is_the_same(self) -> None:
        rare, published = day_of()
        ordinary, also = day_of(out_of_sequence=False)
        trades = [one.message for one in ordinary if isinstance(one.message, Trade)]
        last: dict[int, int] = {}
        for trade in trades:
            assert trade.trade_id == last.get(trade.security_code, 0) + 1
            last[trade.security_code] = trade.trade_id
        assert published == also
        assert len(rare) == len(ordinary)
        differ = [one for one, other in zip(rare, ordinary, strict=True) if one != other]
        assert 0 < len(differ) < 8

    def test_the_bytes_of_a_seed_have_one_digest(self) -> None:
        digests = {Replayed.of(seed, time(10, 1)).digest for seed in (1, 1, 2)}
        assert 2 == len(digests)


class TestValues:
    @pytest.mark.parametrize("seed", [1, 2023, 20100122])
    def test_the_published_values_come_out_to_the_cent(self, seed: int) -> None:
        _, published = day_of(seed)
        for anchor in EXACT:
            value = told(published, anchor.code)[at(anchor.at)]
            assert anchor.value_cents == value.value_cents

    def test_the_call_level_is_reached_at_one_moment_only(self) -> None:
        """As in 2010: the day low was 20496.05 when dissemination resumed at 10:32:45."""
        _, published = day_of()
        hsi = told(published, HSI)
        reached = [
            one.time_ns
            for one in hsi.values()
            if one.time_ns <= at(time(10, 32, 45)) and one.value_cents <= CALL_LEVEL_CENTS
        ]
        assert [at(time(10, 30, 30))] == reached
        assert 2_049_605 == hsi[at(time(10, 32, 45))].low_cents

    def test_opening_first_tick_and_the_grid_of_fifteen_seconds(self) -> None:
        _, published = day_of()
        for code in (HSI, HSCEI):
            moments = list(told(published, code))
            assert [at(time(9, 50, 30)), at(time(10, 0, 15))] == moments[:2]
            steps = {after - before for before, after in pairwise(moments[1:])}
            assert {15_000_000_000} == steps

    def test_the_whole_day_ends_at_the_published_close(self) -> None:
        _, published = day_of(until=time(16, 2))
        closing = {one.code: one.value_cents for one in published if one.status == "C"}
        assert 20726 == closing[HSI] // 100
        low = min(one.value_cents for one in published if one.code == HSI)
        assert low < 2_086_267 - 60_000

    def test_a_script_cannot_end_before_the_market_opens(self) -> None:
        with pytest.raises(UsageError, match="cannot end at 09:00:00"):
            ScriptedDay(1, time(9))
