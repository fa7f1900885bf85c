"""Who tastes first, and what the death of an engine says of what it had in hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from hkex_ops.flows.index.board import NO_RANK, Board, InHand
from hkex_ops.flows.index.ranking import Ranks, Verdict, verdict_on

HAND = InHand(30, 100, 100, 5)


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board.create(tmp_path / "board", processes=3, run=1)


def ranks_of(board: Board) -> list[int]:
    return [board.row(number).rank for number in range(3)]


def test_a_newcomer_stands_last_and_everybody_moves_up_when_one_is_gone(board: Board) -> None:
    ranks = Ranks(board)
    assert [NO_RANK] * 3 == ranks_of(board)
    for number in (1, 0, 2, 0):
        ranks.join(number)
    assert [1, 0, 2] == ranks_of(board)
    ranks.leave(1)
    ranks.leave(1)
    assert [0, NO_RANK, 1] == ranks_of(board)
    ranks.join(1)
    assert [0, 2, 1] == ranks_of(board)


def test_nothing_in_hand_is_nothing(board: Board) -> None:
    assert Verdict.NOTHING is verdict_on(None, [board.row(1)], set())


def test_what_nobody_has_passed_is_poison(board: Board) -> None:
    other = board.row(1)
    assert Verdict.POISON is verdict_on(HAND, [other], set())
    other.passed(30, 99)
    assert Verdict.POISON is verdict_on(HAND, [other], set())
    other.passed(31, 500)
    assert Verdict.POISON is verdict_on(HAND, [other], set())


def test_what_another_has_passed_is_suspect_once_and_poison_the_second_time(board: Board) -> None:
    other = board.row(1)
    other.passed(30, 100)
    assert Verdict.SUSPECT is verdict_on(HAND, [board.row(2), other], set())
    assert Verdict.POISON is verdict_on(HAND, [board.row(2), other], {HAND})
    assert Verdict.SUSPECT is verdict_on(HAND, [other], {HAND._replace(first=99)})


def test_of_a_range_the_last_message_must_have_been_passed(board: Board) -> None:
    other = board.row(1)
    other.passed(30, 104)
    packet = InHand(30, 100, 105, 0)
    assert Verdict.POISON is verdict_on(packet, [other], set())
    other.passed(30, 105)
    assert Verdict.SUSPECT is verdict_on(packet, [other], set())
