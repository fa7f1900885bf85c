"""A message that an engine cannot bear meets one engine, whoever does what when."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hkex_ops.flows.index.board import NO_RANK, Board, InHand, QuarantineRow
from hkex_ops.flows.index.events import MessageQuarantined
from hkex_ops.flows.index.holdback import HoldBack
from hkex_ops.flows.index.pipeline import Pipeline
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import TradeRecord
from hkex_ops.index.ticks import EngineEvent, TickComputed
from hkex_ops.ports import PacketBatch
from tests.flows.index_market import BASKETS, CHANNELS, TRADES, Market
from tests.flows.index_model import CHANNEL, Model

POISON_3DP = 66_666


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


def test_a_record_that_waits_for_its_moment_ends_one_engine_and_no_other(tmp_path: Path) -> None:
    """Both took it in good time, and heartbeats of another channel close the moment for both."""
    board = Board.create(tmp_path / "board", processes=2, run=1)
    market = Market()
    first, second = (
        Pipeline(
            _Mortal(BASKETS, channels=CHANNELS),
            market.codec,
            CHANNELS,
            row=board.row(number),
            may_close=HoldBack(board, number, ranked=True).may_close,
        )
        for number in range(2)
    )

    def take(pipeline: Pipeline, batches: Sequence[PacketBatch]) -> list[tuple[int, ...]]:
        told = [one for batch in batches for one in pipeline.take(batch, market.now).data]
        told += pipeline.poll(market.now).data
        return [one.stale for one in told if isinstance(one, TickComputed)]

    beginning = market.begin()
    for number, pipeline in enumerate((first, second)):
        board.row(number).rank_as(number)
        take(pipeline, beginning)
    # Whether the Sequence Reset used up its number is known a moment later.
    market.wait(ms=100)
    assert [[], []] == [take(first, []), take(second, [])]
    market.wait(2)
    beats = market.heartbeats()
    assert [[(), ()], [(), ()]] == [take(first, beats), take(second, beats)]
    market.wait(2)
    poison = market.send(market.trade(5, POISON_3DP))
    number = int.from_bytes(poison.packets[0][4:8], "little")
    assert [[], []] == [take(first, [poison]), take(second, [poison])]
    beats = market.heartbeats()
    assert [] == take(second, beats)  # it is not the second's to close this moment
    with pytest.raises(ZeroDivisionError):
        take(first, beats)
    hand = board.row(0).in_hand
    assert InHand(TRADES, number, number, 5) == hand
    assert [] == take(second, [])
    second.quarantine(QuarantineRow(*hand))
    board.row(0).rank_as(NO_RANK)
    assert [(), ()] == take(second, [])
    market.wait(2)
    assert [(5,), ()] == take(second, market.heartbeats())


class _Mortal(Engine):
    """An engine that dies of a trade at one price, when it is worked."""

    def _trade(self, record: TradeRecord) -> tuple[EngineEvent, ...]:
        if record.price_3dp == POISON_3DP:
            raise ZeroDivisionError
        return super()._trade(record)
