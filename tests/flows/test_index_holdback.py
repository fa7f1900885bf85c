"""One engine tastes a message first; the others take it when it has passed, died or was too long.

The board is real; time is a number. ``at(ms)`` is a moment so many milliseconds after the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from hkex_ops.flows.index.board import NO_RANK, Board, EngineRow, InHand
from hkex_ops.flows.index.holdback import HoldBack, HoldLimits
from hkex_ops.ports import FeedLine, PacketBatch

CHANNEL, OTHER = 30, 31
LIMITS = HoldLimits(delay_ms=1_000, in_hand_ms=5_000, packets=10)


def at(ms: int) -> int:
    return ms * 1_000_000


def packet(first: int, count: int = 1) -> bytes:
    """A header that announces ``count`` messages; what follows it is nobody's business here."""
    return bytes([16, 0, count, 0]) + first.to_bytes(4, "little") + bytes(8)


def batch(*packets: bytes, channel: int = CHANNEL) -> PacketBatch:
    return PacketBatch(channel, FeedLine.A, 0, packets)


def taken(batches: Iterable[PacketBatch]) -> list[int]:
    """The first numbers of what was taken."""
    return [
        int.from_bytes(one[4:8], "little") for taken_batch in batches for one in taken_batch.packets
    ]


@pytest.fixture
def board(tmp_path: Path) -> Board:
    """Three engines in the order of their numbers, all of which follow both channels."""
    board = Board.create(tmp_path / "board", processes=3, run=1)
    for place, row in enumerate(board.rows()):
        row.rank_as(place)
        for channel in (CHANNEL, OTHER):
            row.passed(channel, 0)
    return board


@pytest.fixture
def second(board: Board) -> HoldBack:
    return HoldBack(board, 1, LIMITS)


def test_the_first_in_rank_holds_nothing_back(board: Board) -> None:
    assert [5] == taken(HoldBack(board, 0, LIMITS).admit(batch(packet(5)), at(0)))


def test_the_others_wait_until_it_has_passed_the_last_message(
    board: Board, second: HoldBack
) -> None:
    assert [] == taken(second.admit(batch(packet(5, count=3)), at(0)))
    board.row(0).passed(CHANNEL, 6)
    assert [] == taken(second.release(at(10)))
    board.row(0).passed(CHANNEL, 7)
    assert [5] == taken(second.release(at(20)))
    assert 0 == second.count


def test_what_was_held_is_taken_in_the_order_in_which_it_came(board: Board) -> None:
    """Whatever its channel: a capture at full speed is read to its end before ranks are given, and
    one channel after the other would have closed every moment without the rest."""
    board.row(2).rank_as(NO_RANK)
    newcomer = HoldBack(board, 2, LIMITS, ranked=True)
    for first, channel in ((5, CHANNEL), (6, OTHER), (7, CHANNEL), (8, OTHER)):
        assert [] == taken(newcomer.admit(batch(packet(first), channel=channel), at(0)))
    for row in (board.row(0), board.row(1)):
        row.rank_as(NO_RANK)
    board.row(2).rank_as(0)
    assert [5] == taken(newcomer.admit(batch(packet(9)), at(1)))
    assert [6, 7, 8, 9] == taken(newcomer.release(at(2)))


def test_what_was_passed_already_is_not_held(board: Board, second: HoldBack) -> None:
    board.row(0).passed(CHANNEL, 9)
    assert [5, 6] == taken(second.admit(batch(packet(5), packet(6)), at(0)))


def test_order_is_kept_behind_what_is_held(board: Board, second: HoldBack) -> None:
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    board.row(0).passed(CHANNEL, 4)
    # A copy of an older packet came late: it must not overtake.
    assert [] == taken(second.admit(batch(packet(3)), at(1)))
    board.row(0).passed(CHANNEL, 5)
    assert [5, 3] == taken(second.release(at(2)))


def test_channels_do_not_hold_each_other(board: Board, second: HoldBack) -> None:
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    board.row(0).passed(OTHER, 5)
    assert [] == taken(second.admit(batch(packet(5), channel=OTHER), at(0)))
    assert [5] == taken(second.release(at(2)))
    assert 1 == second.count


def test_the_wait_is_bounded_and_grows_with_the_rank(board: Board, second: HoldBack) -> None:
    third = HoldBack(board, 2, LIMITS)
    for engine in (second, third):
        assert [] == taken(engine.admit(batch(packet(5)), at(0)))
    assert [] == taken(second.release(at(999)))
    assert [5] == taken(second.release(at(1_000)))
    assert [] == taken(third.release(at(1_999)))
    assert [5] == taken(third.release(at(2_000)))


def test_the_third_takes_what_the_second_has_passed(board: Board) -> None:
    third = HoldBack(board, 2, LIMITS)
    assert [] == taken(third.admit(batch(packet(5)), at(0)))
    board.row(1).passed(CHANNEL, 5)
    assert [5] == taken(third.release(at(1)))


@pytest.mark.parametrize("hand", [(5, 1), (4, 6), (3, 1)])
def test_a_message_in_hand_is_waited_for_beyond_the_delay(
    board: Board, second: HoldBack, hand: tuple[int, int]
) -> None:
    """The engine before it hangs on this message, or on one before it; it may be poison."""
    board.row(0).work_on(CHANNEL)
    board.row(0).take(*hand)
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    assert [] == taken(second.release(at(4_999)))
    assert [5] == taken(second.release(at(5_000)))


def test_one_in_hand_further_on_is_no_reason_to_wait(board: Board, second: HoldBack) -> None:
    board.row(0).work_on(CHANNEL)
    board.row(0).take(8, 1)
    second.admit(batch(packet(5)), at(0))
    assert [5] == taken(second.release(at(1_000)))


def test_nobody_waits_for_the_dead(board: Board, second: HoldBack) -> None:
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    board.row(0).rank_as(NO_RANK)
    assert [5] == taken(second.release(at(1)))


def test_nobody_waits_for_one_that_fills_a_gap(board: Board, second: HoldBack) -> None:
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    board.row(0).passed(CHANNEL, 3, lacks=True)
    board.row(1).passed(CHANNEL, 4)
    assert [5] == taken(second.release(at(1)))


def test_of_two_who_lack_the_same_the_first_has_it_first(board: Board, second: HoldBack) -> None:
    """Lost on both lines for both, and sent again to both: it may be poison all the same."""
    for place in (0, 1):
        board.row(place).passed(CHANNEL, 4, lacks=True)
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    board.row(0).passed(CHANNEL, 5)
    assert [5] == taken(second.release(at(1)))


def test_who_did_not_move_while_it_was_waited_for_is_not_waited_for_again(
    board: Board, second: HoldBack
) -> None:
    """A feed that brings one engine nothing must not put every tick of the others off."""
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    assert [5] == taken(second.release(at(1_000)))
    assert [6] == taken(second.admit(batch(packet(6)), at(1_001)))
    board.row(0).passed(CHANNEL, 1)
    assert [] == taken(second.admit(batch(packet(7)), at(1_002)))


def test_an_engine_that_has_no_rank_yet_waits_for_it(board: Board) -> None:
    """Two that begin together, after all have died, must not take the same message at once."""
    for row in board.rows():
        row.rank_as(NO_RANK)
    newcomer = HoldBack(board, 2, LIMITS, ranked=True)
    assert [] == taken(newcomer.admit(batch(packet(5)), at(0)))
    board.row(2).rank_as(0)
    assert [5] == taken(newcomer.release(at(1)))
    board.row(2).put_down()
    contingency = HoldBack(board, 1, LIMITS)
    board.row(2).rank_as(NO_RANK)
    assert [5] == taken(contingency.admit(batch(packet(5)), at(2)))


def test_the_first_in_rank_waits_for_whoever_is_ahead_and_has_it_in_hand(board: Board) -> None:
    """It may have been held up itself; the second took the message when the delay was over."""
    first = HoldBack(board, 0, LIMITS)
    board.row(1).work_on(CHANNEL)
    board.row(1).take(4, 3)
    assert [] == taken(first.admit(batch(packet(5)), at(0)))
    assert [] == taken(first.release(at(4_999)))
    board.row(1).put_down()
    assert [5] == taken(first.release(at(5_000)))


def test_what_it_knows_itself_no_hand_keeps_from_the_first(board: Board) -> None:
    """The other line's copies, while the second works on what the first has passed."""
    first = HoldBack(board, 0, LIMITS)
    board.row(0).passed(CHANNEL, 6)
    board.row(1).work_on(CHANNEL)
    board.row(1).take(4, 3)
    assert [5, 7] == taken(
        [*first.admit(batch(packet(5)), at(0)), *first.admit(batch(packet(7)), at(0))]
    )


def test_a_moment_is_closed_by_one_engine_after_the_other(board: Board) -> None:
    """What waits for a moment may be poison, and heartbeats of another channel may close it."""
    now = [at(0)]
    first, second, third = (
        HoldBack(board, place, LIMITS, ranked=True, clock_ns=lambda: now[0]) for place in range(3)
    )
    for row in board.rows():
        row.closed_until(2)

    def close(place: int, until: int) -> None:
        board.row(place).closed_until(until)
        board.row(place).take_up_again()

    assert [True, False, False] == [one.may_close(2) for one in (first, second, third)]
    close(0, 4)
    assert [True, True] == [one.may_close(2) for one in (second, third)]
    close(1, 4)
    close(2, 4)
    # The first does not close the next one: it is waited for as long as for a message.
    assert [False, False] == [one.may_close(4) for one in (second, third)]
    now[0] = at(1_000)
    assert [True, False] == [one.may_close(4) for one in (second, third)]
    close(1, 6)
    assert [True, True] == [second.may_close(6), third.may_close(4)]


def test_nobody_closes_a_moment_while_another_is_at_it(board: Board) -> None:
    """It may be dying of what had waited."""
    now = [at(0)]
    second = HoldBack(board, 1, LIMITS, ranked=True, clock_ns=lambda: now[0])
    for row in board.rows():
        row.closed_until(2)
    board.row(0).take_waited(CHANNEL, 7, 5)
    assert not second.may_close(2)
    now[0] = at(4_999)
    assert not second.may_close(2)
    now[0] = at(5_000)
    assert second.may_close(2)
    board.row(0).take_up_again()
    # It has not closed it: until it does nobody waits for it any more.
    assert second.may_close(4)


def test_a_newcomer_without_rank_takes_only_what_others_passed(board: Board) -> None:
    board.row(2).rank_as(NO_RANK)
    newcomer = HoldBack(board, 2, LIMITS)
    board.row(1).passed(CHANNEL, 5)
    assert [5] == taken(newcomer.admit(batch(packet(5)), at(0)))
    assert [] == taken(newcomer.admit(batch(packet(6)), at(0)))


def test_more_than_may_be_held_is_taken_oldest_first(second: HoldBack) -> None:
    """Memory is bounded; nothing is dropped."""
    for sequence in range(1, 11):
        assert [] == taken(second.admit(batch(packet(sequence)), at(0)))
    assert [1] == taken(second.admit(batch(packet(11)), at(0)))
    assert 10 == second.count


def test_a_heartbeat_waits_for_the_message_it_names(board: Board, second: HoldBack) -> None:
    board.row(0).passed(CHANNEL, 4)
    assert [] == taken(second.admit(batch(packet(5, count=0)), at(0)))
    board.row(0).passed(CHANNEL, 5)
    assert [5] == taken(second.release(at(1)))


@pytest.mark.parametrize("data", [b"", b"\x01" * 15])
def test_a_packet_without_a_header_waits_for_nobody(second: HoldBack, data: bytes) -> None:
    assert (batch(data),) == tuple(second.admit(batch(data), at(0)))


# -- two that look in the same instant -------------------------------------------------------------


class Racing(HoldBack):
    """Another engine writes between this one's look at the board and its own word there."""

    other: Callable[[], None]

    def _claims(self, channel: int, one: object) -> bool:
        self.other()
        return super()._claims(channel, one)  # type: ignore[arg-type]


def test_of_two_that_saw_nobody_in_the_same_instant_one_puts_it_down(board: Board) -> None:
    """Neither rank nor delay keeps them apart then; both would die of one message."""
    third = Racing(board, 2, LIMITS, ranked=True)
    third.other = lambda: board.row(1).take_of(CHANNEL, 5, 1)
    assert [] == taken(third.admit(batch(packet(5)), at(0)))
    assert [] == taken(third.release(at(2_000)))
    assert board.row(2).came_last is None
    board.row(1).put_down()
    board.row(1).passed(CHANNEL, 5)
    assert [5] == taken(third.release(at(2_002)))


def test_who_takes_a_message_says_so_before_it_looks_into_it(board: Board) -> None:
    first = HoldBack(board, 0, LIMITS, ranked=True)
    first.admit(batch(packet(5, count=2)), at(0))
    assert InHand(CHANNEL, 5, 6, 0) == board.row(0).came_last


def test_of_two_that_close_a_moment_in_the_same_instant_one_leaves_it(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = HoldBack(board, 0, LIMITS, ranked=True, clock_ns=lambda: at(0))
    for row in board.rows():
        row.closed_until(2)
    take = EngineRow.take_moment

    def both(row: EngineRow) -> None:
        take(board.row(1))
        take(row)

    monkeypatch.setattr(EngineRow, "take_moment", both)
    assert not first.may_close(2)
    assert [False, True] == [row.is_settling for row in board.rows()[:2]]
    board.row(1).take_up_again()
    board.row(1).closed_until(4)
    monkeypatch.undo()
    assert first.may_close(2)
    assert board.row(0).is_settling


# -- a feed that waits for its reader --------------------------------------------------------------

STRICT = HoldLimits(delay_ms=1_000, in_hand_ms=5_000, drawn_packets=3, leader_ms=30_000)


def test_on_a_feed_that_waits_no_time_ends_a_wait(board: Board) -> None:
    """A record is read in seconds whatever hour it holds: nobody is late, only slower."""
    second = HoldBack(board, 1, STRICT, ranked=True, strict=True)
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    assert [] == taken(second.release(at(3_600_000)))
    board.row(0).passed(CHANNEL, 5)
    assert [5] == taken(second.release(at(3_600_001)))


def test_on_a_feed_that_waits_no_channel_runs_ahead_of_another(board: Board) -> None:
    """Moments would be closed without the one that is behind."""
    second = HoldBack(board, 1, STRICT, ranked=True, strict=True)
    assert [] == taken(second.admit(batch(packet(5)), at(0)))
    board.row(0).passed(OTHER, 5)
    assert [] == taken(second.admit(batch(packet(5), channel=OTHER), at(1)))
    assert [] == taken(second.release(at(2)))
    board.row(0).passed(CHANNEL, 5)
    assert [5, 5] == taken(second.release(at(3)))


def test_on_a_feed_that_waits_nobody_draws_more_than_may_be_held(board: Board) -> None:
    second = HoldBack(board, 1, STRICT, ranked=True, strict=True)
    for number in (5, 6):
        list(second.admit(batch(packet(number)), at(0)))
    assert not second.is_full
    list(second.admit(batch(packet(7)), at(0)))
    assert second.is_full
    board.row(0).rank_as(NO_RANK)
    assert [5, 6, 7] == taken(second.release(at(1)))
    assert not second.is_full


def test_a_live_feed_is_always_drawn_from(board: Board) -> None:
    second = HoldBack(board, 1, STRICT)
    for number in range(5, 10):
        list(second.admit(batch(packet(number)), at(0)))
    assert not second.is_full


def test_on_a_feed_that_waits_a_contingency_system_lets_an_engine_begin(board: Board) -> None:
    """It begins sooner than they do, and would have told every moment before the first tick."""
    for row in board.rows():
        row.rank_as(NO_RANK)
    contingency = HoldBack(board, 2, STRICT, strict=True)
    assert [] == taken(contingency.admit(batch(packet(5)), at(0)))
    assert [] == taken(contingency.release(at(29_999)))
    board.row(1).rank_as(0)
    assert [] == taken(contingency.release(at(31_000)))
    board.row(1).passed(CHANNEL, 5)
    assert [5] == taken(contingency.release(at(31_001)))


def test_on_a_feed_that_waits_it_follows_who_has_come_to_the_end(board: Board) -> None:
    contingency = HoldBack(board, 2, STRICT, strict=True)
    for row in board.rows():
        row.rank_as(NO_RANK)
    board.row(0).passed(CHANNEL, 9)
    assert [5, 9] == taken(contingency.admit(batch(packet(5), packet(9)), at(0)))
    assert [] == taken(contingency.admit(batch(packet(10)), at(0)))


def test_on_a_feed_that_waits_it_goes_on_alone_where_no_engine_will_begin(board: Board) -> None:
    """It is there for the case that every engine fails."""
    for row in board.rows():
        row.rank_as(NO_RANK)
    contingency = HoldBack(board, 2, STRICT, strict=True)
    assert [] == taken(contingency.admit(batch(packet(5)), at(0)))
    assert [5] == taken(contingency.release(at(30_001)))
