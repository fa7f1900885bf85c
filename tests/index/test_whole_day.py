"""A whole day with killed engines, lost lines, poison records and a site failover, by its seed."""

from __future__ import annotations

import pytest

from hkex_ops.index import board
from hkex_ops.index.contingency import Contingency, ContingencyEvent
from hkex_ops.index.engine import Engine
from hkex_ops.index.moments import MomentHeard, Moments
from hkex_ops.index.ticks import EngineEvent
from hkex_ops.model import IndexStatus
from tests.index.whole_day import BASKETS, Day, Finding


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


def no_mark(engine: Engine, *told: object) -> tuple[EngineEvent, ...]:
    """What was lost is not told."""
    return ()


def all_heard(stocks: object, missing: object) -> set[int]:
    """A channel that was left out makes no difference."""
    return set()


def told_nothing(contingency: Contingency, *told: object) -> tuple[ContingencyEvent, ...]:
    """The mode never changes."""
    return ()


def again(moments: Moments, moment: MomentHeard) -> None:
    """What went out is not remembered."""


@pytest.mark.parametrize(
    ("kind", "name", "broken", "finding", "seed"),
    [
        (Moments, "decide", again, "published twice", 1),
        (Engine, "_lost", no_mark, "wrong and unmarked", 1),
        pytest.param(board, "_unheard", all_heard, "wrong and unmarked", 3, marks=pytest.mark.long),
        pytest.param(
            Contingency, "_tell", told_nothing, "no contingency", 1, marks=pytest.mark.long
        ),
    ],
    ids=["does not remember", "does not mark", "does not say who is missing", "does not step in"],
)
def test_a_machine_that_is_broken_is_found_out_by_such_a_day(
    monkeypatch: pytest.MonkeyPatch,
    kind: object,
    name: str,
    broken: object,
    finding: str,
    seed: int,
) -> None:
    """The simulation can fail: each of these was right a moment ago."""
    monkeypatch.setattr(kind, name, broken)
    with pytest.raises(Finding, match=finding):
        Day(seed).run()
