"""The progress board says of a process, living or dead, what it has in hand and has passed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.index.board import (
    MOST_PROCESSES,
    MOST_QUARANTINED,
    NO_RANK,
    Board,
    EngineRow,
    InHand,
    QuarantineRow,
)

CHANNEL = 30

# A process that writes its row, tells that it has, and waits for its end.
TAKING = """
import sys, time
from pathlib import Path
from hkex_ops.flows.index.board import Board
row = Board.open(Path(sys.argv[1])).row(1)
row.begin(4711)
row.passed(30, 99)
row.work_on(30)
row.take(100, 6)
row.take_record(103, 700)
print("taken", flush=True)
time.sleep(60)
"""


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board.create(tmp_path / "board", processes=3, run=1)


def test_what_a_killed_process_had_in_hand_is_still_there(tmp_path: Path, board: Board) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", TAKING, str(tmp_path / "board")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process.stdout as said:
        assert b"taken\n" == said.readline()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=10)
    row = board.row(1)
    assert (4711, InHand(CHANNEL, 103, 103, 700), 99) == (
        row.pid,
        row.in_hand,
        row.has_passed(CHANNEL),
    )


def test_a_range_is_in_hand_until_it_is_narrowed_or_put_down(board: Board) -> None:
    row = board.row(0)
    assert row.in_hand is None
    row.work_on(CHANNEL)
    row.take(7, 6)
    assert InHand(CHANNEL, 7, 12, 0) == row.in_hand
    row.take_record(9, 5)
    assert InHand(CHANNEL, 9, 9, 5) == row.in_hand
    row.put_down()
    assert row.in_hand is None


def test_what_is_taken_next_forgets_the_record_before(board: Board) -> None:
    row = board.row(0)
    row.work_on(CHANNEL)
    row.take(7, 6)
    row.take_record(9, 5)
    row.take(13, 8)
    assert InHand(CHANNEL, 13, 20, 0) == row.in_hand


def test_what_had_waited_is_in_hand_before_what_came_last(board: Board) -> None:
    """A record may wait for its moment, and kill when another one closes that."""
    row = board.row(0)
    row.work_on(CHANNEL)
    row.take(13, 1)
    row.take_waited(31, 7, 700)
    assert (InHand(31, 7, 7, 700), InHand(CHANNEL, 13, 13, 0)) == (row.in_hand, row.came_last)
    assert row.is_settling
    row.take_moment()
    assert (None, True) == (row.in_hand, row.is_settling)
    row.take_up_again()
    assert (InHand(CHANNEL, 13, 13, 0), False) == (row.in_hand, row.is_settling)


def test_more_messages_than_a_packet_has_can_be_in_hand(board: Board) -> None:
    """All of one look at a feed, in one store."""
    row = board.row(0)
    row.work_on(CHANNEL)
    row.take(4_294_900_000, 60_000)
    assert InHand(CHANNEL, 4_294_900_000, 4_294_959_999, 0) == row.in_hand


def test_a_heartbeat_in_hand_is_no_message(board: Board) -> None:
    row = board.row(0)
    row.work_on(CHANNEL)
    row.take(7, 0)
    assert row.in_hand is None


def test_an_engine_that_works_alone_has_a_row_of_its_own() -> None:
    row = EngineRow.detached()
    row.passed(65_535, 8)
    row.work_on(CHANNEL)
    row.take(7, 2)
    assert (8, InHand(CHANNEL, 7, 8, 0)) == (row.has_passed(65_535), row.in_hand)


def test_an_engine_that_passed_nothing_yet_follows_all_the_same(board: Board) -> None:
    row = board.row(2)
    assert row.has_passed(CHANNEL) is None
    row.passed(CHANNEL, 0)
    assert 0 == row.has_passed(CHANNEL)
    row.passed(CHANNEL, 7, lacks=True)
    assert (7, True) == (row.has_passed(CHANNEL), row.lacks(CHANNEL))
    row.passed(CHANNEL, 9)
    assert (9, False) == (row.has_passed(CHANNEL), row.lacks(CHANNEL))


def test_engines_are_absent_until_they_are_given_a_rank(board: Board) -> None:
    assert [NO_RANK] * 3 == [row.rank for row in board.rows()]


def test_rows_and_channels_do_not_touch_each_other(board: Board) -> None:
    for place, row in enumerate(board.rows()):
        row.passed(0, 10 + place)
        row.passed(65_535, 20 + place)
        row.rank_as(place)
    assert [(10, 20, 0), (11, 21, 1), (12, 22, 2)] == [
        (row.has_passed(0), row.has_passed(65_535), row.rank) for row in board.rows()
    ]


def test_quarantine_is_seen_by_whoever_maps_the_board(tmp_path: Path, board: Board) -> None:
    other = Board.open(tmp_path / "board")
    rows = [QuarantineRow(CHANNEL, 5, 5, 700), QuarantineRow(31, 8, 12, 0)]
    for row in rows:
        board.quarantine(row)
    assert (2, tuple(rows), tuple(rows[1:])) == (
        other.quarantined,
        other.quarantine_rows(),
        other.quarantine_rows(after=1),
    )


def test_a_full_quarantine_is_said(board: Board) -> None:
    for sequence in range(1, MOST_QUARANTINED + 1):
        board.quarantine(QuarantineRow(CHANNEL, sequence, sequence, 0))
    with pytest.raises(UsageError, match="look for the cause"):
        board.quarantine(QuarantineRow(CHANNEL, 1, 1, 0))


def test_a_new_board_in_the_place_of_an_old_one_is_empty(tmp_path: Path, board: Board) -> None:
    board.quarantine(QuarantineRow(CHANNEL, 1, 1, 0))
    fresh = Board.create(tmp_path / "board", processes=2, run=2)
    assert (1, 0, 2) == (board.quarantined, fresh.quarantined, fresh.processes)


def test_the_file_takes_the_room_of_what_is_used(tmp_path: Path, board: Board) -> None:
    for row in board.rows():
        row.passed(CHANNEL, 1)
    assert (tmp_path / "board").stat().st_blocks * 512 < 256 * 1024


@pytest.mark.parametrize("processes", [0, MOST_PROCESSES + 1])
def test_a_run_of_no_or_too_many_processes_is_refused(tmp_path: Path, processes: int) -> None:
    with pytest.raises(UsageError, match="1 to 16 processes"):
        Board.create(tmp_path / "board", processes=processes, run=1)


def test_unknown_engines_and_channels_are_refused(board: Board) -> None:
    with pytest.raises(UsageError, match="no process 3"):
        board.row(3)
    with pytest.raises(UsageError, match="no channel"):
        board.row(0).passed(65_536, 1)


@pytest.mark.parametrize("content", [b"", b"x" * 100])
def test_another_file_is_no_board(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "board").write_bytes(content)
    with pytest.raises(StoreError, match="no progress board"):
        Board.open(tmp_path / "board")
