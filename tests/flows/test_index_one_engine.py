"""A message that an engine cannot bear meets one engine, whoever does what when."""

from __future__ import annotations

from pathlib import Path

import pytest

from hkex_ops.flows.index.events import MessageQuarantined
from hkex_ops.flows.index.holdback import HoldBack
from tests.flows.index_model import CHANNEL, Model


@pytest.mark.parametrize("seeds", [120, pytest.param(20_000, marks=pytest.mark.long)])
def test_poison_ends_one_engine_at_most_in_any_order_of_steps(tmp_path: Path, seeds: int) -> None:
    """Engines begin, lag, lose messages, are killed and begin again; one message is poison."""
    met = 0
    for seed in range(seeds):
        folder = tmp_path / str(seed)
        folder.mkdir()
        model = Model(seed, folder)
        try:
            model.run()
            assert 1 >= len(model.ended_by_poison), f"seed {seed}: {model.ended_by_poison}"
            found = [one for one in model.events if isinstance(one, MessageQuarantined)]
            whole = [one for one in found if one.first <= model.poison <= one.last]
            assert len(model.ended_by_poison) == len(
                [one for one in whole if one.channel == CHANNEL and one.security == 5]
            ), f"seed {seed}: {found}"
            met += len(model.ended_by_poison)
        finally:
            model.close()
    # Nearly always somebody has to meet it; rarely a kill from outside has it quarantined before.
    assert met > 0.9 * seeds


def test_the_model_notices_engines_that_look_at_nobodys_hands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two take the poison at once in some order of steps; were it in none, the test above would
    prove nothing."""

    def meets_nobody(self: HoldBack, channel: int, one: object) -> bool:
        return False

    monkeypatch.setattr(HoldBack, "_meets", meets_nobody)

    def awaits_nothing(self: HoldBack) -> bool:
        return False

    monkeypatch.setattr(HoldBack, "_is_awaited", awaits_nothing)
    most = 0
    for seed in range(200):
        folder = tmp_path / str(seed)
        folder.mkdir()
        model = Model(seed, folder)
        try:
            model.run()
        finally:
            model.close()
        most = max(most, len(model.ended_by_poison))
        if most > 1:
            break
    assert 2 <= most
