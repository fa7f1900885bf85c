"""The parts of the second act of 22 January 2010, each for itself."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from hkex_ops.config.shipped import load_calendar, load_incidents
from hkex_ops.model import IndexTick
from hkex_ops_simulator.hsil.anchors import HSI
from hkex_ops_simulator.hsil.chronicle import Chronicle
from hkex_ops_simulator.hsil.golden import Golden
from hkex_ops_simulator.hsil.judged_day import JudgedDay
from hkex_ops_simulator.hsil.replayed import at


@pytest.fixture
def judged() -> JudgedDay:
    return JudgedDay(load_calendar().day(date(2010, 1, 22)))


def shown(value: str, low: str) -> list[tuple[datetime, IndexTick]]:
    moment = at(time(10, 32, 45))
    return [(moment, IndexTick(HSI, moment, Decimal(value), low=Decimal(low)))]


class TestGolden:
    @pytest.mark.parametrize(("got", "holds"), [("20496.05", True), ("20496.04", False)])
    def test_it_holds_to_the_cent_or_not_at_all(self, got: str, *, holds: bool) -> None:
        golden = Golden("day low", "20496.05", got, "act 2")
        assert holds == golden.holds
        assert holds == golden.told()["holds"]


class TestContracts:
    def test_the_day_low_calls_thirteen_though_the_value_stands_above(
        self, judged: JudgedDay
    ) -> None:
        judged.see(shown("20511.75", "20496.05"))
        assert [("low", Decimal("20496.05"))] * 13 == [
            (one.by.value, one.index_value) for one in judged.suspended
        ]

    def test_a_low_above_the_level_calls_nobody(self, judged: JudgedDay) -> None:
        judged.see(shown("20511.75", "20500.01"))
        assert [] == judged.suspended

    def test_no_trade_is_cancelled_while_the_time_of_the_call_is_unknown(
        self, judged: JudgedDay
    ) -> None:
        judged.see(shown("20511.75", "20496.05"))
        assert () == judged.cancellation.trades
        assert len(judged.trades) == len(judged.cancellation.undecided)

    def test_what_was_seen_is_judged_once(self, judged: JudgedDay) -> None:
        ticks = shown("20511.75", "20496.05")
        judged.see(ticks)
        judged.see(ticks)
        assert 13 == len(judged.suspended)


class TestChronicle:
    def test_other_times_are_marked_and_both_kept(self) -> None:
        """HSIL's table has 10:33, approximately; the rehearsal resumed at 10:32:45."""
        chronicle = Chronicle()
        words = "Dissemination of indexes resumed after confirming the system"
        chronicle.write(at(time(10, 32, 45)), "resumption", words)
        incident = load_incidents(load_calendar())["hsil-2010"]
        [row] = [one for one in chronicle.beside(incident, "hsil") if one.left is not None]
        assert row.right is not None
        assert ("10:32:45", "10:33", True) == (
            chronicle.when("resumption"),
            row.right.stated,
            row.differs,
        )
        assert "the times differ; both are kept" in chronicle.text(incident)
