"""A whole day with killed engines, lost lines, poison records and a site failover, by its seed."""

from __future__ import annotations

import pytest

from hkex_ops.model import IndexStatus
from tests.index.whole_day import BASKETS, Day


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 101))]
)
def test_no_wrong_tick_is_unmarked_and_none_is_missing_while_one_engine_lives(seed: int) -> None:
    """Checked after every event; the day itself raises what must never be."""
    day = Day(seed)
    day.run()
    statuses = [status for (index, _), status in day.published.items() if index == "WIDE"]
    once = (IndexStatus.OPENING, IndexStatus.PRELIMINARY_CLOSE, IndexStatus.CLOSING)
    assert [1, 1, 1] == [statuses.count(status) for status in once]
    assert day.disturbed > 10
    assert len(day.quarantined) > 1
    assert day.contingency_values > 1
    assert day.resumptions >= 1
    assert 0 < day.marked < len(day.published) // 2
    assert len(day.published) > 1_000 * len(BASKETS)
