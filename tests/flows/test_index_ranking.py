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
    # A range that was in hand when somebody died before: what both have in common killed both.
    assert Verdict.POISON is verdict_on(HAND, [other], {HAND._replace(first=90, last=110)})
    assert Verdict.SUSPECT is verdict_on(HAND, [other], {HAND._replace(channel=31)})


def test_whoever_was_killed_from_outside_with_a_whole_range_in_hand_blames_it_once(
    board: Board,
) -> None:
    """To leave out a range marks every stock of the channel; a single record only its own."""
    batch, other = InHand(30, 100, 140, 0), board.row(1)
    assert Verdict.POISON is verdict_on(batch, [other], set())
    assert Verdict.SUSPECT is verdict_on(batch, [other], set(), from_outside=True)
    overlaps = InHand(30, 120, 160, 0)
    assert Verdict.POISON is verdict_on(overlaps, [other], {batch}, from_outside=True)
    assert Verdict.POISON is verdict_on(HAND, [other], set(), from_outside=True)


def test_who_lets_a_message_wait_for_its_moment_has_not_survived_it(board: Board) -> None:
    """The first died closing a moment; the second has the same record waiting for the same one."""
    other = board.row(1)
    other.passed(30, 500)
    other.closed_until(2_000)
    assert Verdict.POISON is verdict_on(HAND, [other], set(), moment_ns=2_001)
    other.closed_until(4_000)
    assert Verdict.SUSPECT is verdict_on(HAND, [other], set(), moment_ns=2_001)


def test_of_a_range_the_last_message_must_have_been_passed(board: Board) -> None:
    other = board.row(1)
    other.passed(30, 104)
    packet = InHand(30, 100, 105, 0)
    assert Verdict.POISON is verdict_on(packet, [other], set())
    other.passed(30, 105)
    assert Verdict.SUSPECT is verdict_on(packet, [other], set())
