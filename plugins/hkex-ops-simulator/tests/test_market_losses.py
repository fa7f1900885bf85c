"""A simulated day with packets that neither line brought, replayed quickly and by an engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from hkex_ops.cli.main import run
from hkex_ops.config.baskets import load_baskets
from hkex_ops.flows.index.replay import Replay, ReplayPlan, ReplayWay
from hkex_ops.index.ticks import TickComputed

DAY = ["simulator", "market", "--minutes", "3", "--messages", "6000", "--securities", "60"]


def replayed(folder: Path, way: ReplayWay) -> list[TickComputed]:
    replay = Replay(ReplayPlan(load_baskets(folder / "day.baskets.toml"), way=way))
    return [tick for moment in replay.moments(folder / "day.pcapng") for tick in moment]


@pytest.mark.parametrize("feed", ["premium", "full-tick"])
@pytest.mark.parametrize("both_ppm", [0, 3_000])
def test_what_no_line_brought_is_on_the_ticks_of_the_quick_way(
    tmp_path: Path, feed: str, both_ppm: int
) -> None:
    """It has every mark that an engine has, and where it has none they tell the same.

    An engine learns a last price from statistics too, and so may be rid of a mark earlier.
    """
    words = [*DAY, "--feed", feed, "--both-ppm", str(both_ppm)]
    assert 0 == run([*words, "--out", str(tmp_path / "day.pcapng")])
    by_engine, ticks = (replayed(tmp_path, way) for way in (ReplayWay.ENGINE, ReplayWay.PLAIN))
    assert [one[:2] for one in by_engine] == [one[:2] for one in ticks]
    for engine, tick in zip(by_engine, ticks, strict=True):
        assert set(engine.stale) <= set(tick.stale)
        assert tick.marked or engine.value_cents == tick.value_cents
    assert bool(both_ppm) == any(tick.marked for tick in ticks)
    if not both_ppm:
        assert by_engine == ticks
