"""An outage made good: every moment beside what users saw of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from hkex_ops.errors import UsageError
from hkex_ops.index.restatement import Extremes, SideBySide, restatement
from hkex_ops.model import HONG_KONG, IndexStatus, IndexTick, TickKind

HSI = "0000100"
STARTS = datetime(2010, 1, 22, 10, 0, 15, tzinfo=HONG_KONG)


def tick(place: int, value: str, kind: TickKind = TickKind.REAL_TIME) -> IndexTick:
    return IndexTick(HSI, STARTS + timedelta(seconds=15 * place), Decimal(value), kind=kind)


COMPUTED = [tick(place, value) for place, value in enumerate(("1.00", "3.00", "2.00", "2.50"))]
UNTIL = COMPUTED[-1].at


def test_every_moment_stands_beside_what_was_shown_of_it() -> None:
    shown = [tick(0, "1.00"), tick(2, "2.25", TickKind.CONTINGENCY)]
    found = restatement(COMPUTED, shown, start=STARTS, until=UNTIL)
    assert (
        SideBySide(HSI, COMPUTED[0].at, Decimal("1.00"), Decimal("1.00"), None),
        SideBySide(HSI, COMPUTED[1].at, Decimal("3.00")),
        SideBySide(HSI, COMPUTED[2].at, Decimal("2.00"), None, Decimal("2.25")),
        SideBySide(HSI, COMPUTED[3].at, Decimal("2.50")),
    ) == found.rows
    assert found.rows[1:] == found.missing
    assert [Decimal("0.25")] == [row.difference for row in found.different]


def test_recalculated_ticks_say_so_and_keep_everything_else() -> None:
    found = restatement(COMPUTED, [], start=STARTS, until=UNTIL)
    assert tuple(evolve(one, kind=TickKind.RECALCULATED) for one in COMPUTED) == found.ticks


def test_both_ends_of_the_stretch_belong_to_it() -> None:
    found = restatement(COMPUTED, [], start=COMPUTED[1].at, until=COMPUTED[2].at)
    assert [one.at for one in COMPUTED[1:3]] == [one.at for one in found.ticks]


def test_the_extremes_are_told_with_their_first_moment() -> None:
    again = [*COMPUTED, tick(4, "3.00"), tick(5, "1.00")]
    found = restatement(again, [], start=STARTS, until=again[-1].at)
    high, low = COMPUTED[1].at, COMPUTED[0].at
    assert (Extremes(HSI, Decimal("3.00"), high, Decimal("1.00"), low),) == found.extremes


def test_opening_and_closing_values_are_of_other_moments() -> None:
    closing = evolve(tick(1, "9.00"), status=IndexStatus.CLOSING)
    found = restatement([*COMPUTED, closing], [], start=STARTS, until=UNTIL)
    assert len(COMPUTED) == len(found.ticks)


def test_a_published_value_counts_before_a_mailed_one_and_the_first_of_each_holds() -> None:
    shown = [tick(0, "1.10", TickKind.CONTINGENCY), tick(0, "1.00"), tick(0, "1.20")]
    [row] = restatement(COMPUTED, shown, start=STARTS, until=STARTS).rows
    assert (Decimal("1.00"), Decimal("0.00")) == (row.shown, row.difference)


def test_recalculating_a_day_without_an_outage_changes_nothing() -> None:
    found = restatement(COMPUTED, COMPUTED, start=STARTS, until=UNTIL)
    assert ((), ()) == (found.missing, found.different)


def test_a_stretch_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(UsageError, match="before 2010-01-22T10:00:15"):
        restatement(COMPUTED, [], start=STARTS, until=STARTS - timedelta(seconds=1))
