"""The order of the engines, and the inquest into what one of them died of.

Who runs longest stands first and tastes every message; a newcomer stands last. When an engine has
died, the board says what it had in hand, and whether another engine has passed that already. The
verdict is a value; the supervisor writes it down before anybody moves up in rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from hkex_ops.flows.index.board import NO_RANK, Board, EngineRow, InHand

__all__ = ["Ranks", "Verdict", "verdict_on"]


class Ranks:
    """The order of the engines on a board, by their numbers."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.order: list[int] = []
        """The engines that have a rank, the first one first."""

    def join(self, number: int) -> None:
        """The engine has begun: it stands last."""
        if number not in self.order:
            self.order.append(number)
            self._write()

    def leave(self, number: int) -> None:
        """The engine is gone: nobody waits for it, and who stood behind moves up."""
        if number in self.order:
            self.order.remove(number)
            self._board.row(number).rank_as(NO_RANK)
            self._write()

    def _write(self) -> None:
        for rank, number in enumerate(self.order):
            self._board.row(number).rank_as(rank)


class Verdict(StrEnum):
    """What an engine's death says of what it had in hand."""

    NOTHING = "nothing"  # nothing was in hand, or it is in quarantine already
    SUSPECT = "suspect"  # more likely something else killed it, which died with it once
    POISON = "poison"


def verdict_on(
    hand: InHand | None,
    others: Sequence[EngineRow],
    suspects: Iterable[InHand],
    *,
    from_outside: bool = False,
    moment_ns: int = 0,
) -> Verdict:
    """Whether what an engine died with may be fed to any engine again.

    What another engine has passed can hardly have killed this one, which was more likely ended
    from outside. So was, by every likelihood, one that was killed by a signal nobody here sent,
    while it had a whole range in hand: to leave that out would mark every stock of the channel.
    What somebody died with twice is poison all the same. ``suspects`` is what engines died with
    before and was not held back. Who has taken a message may still let it wait for its moment: only
    one whose next moment is ``moment_ns`` or later has worked it.
    """
    if hand is None:
        return Verdict.NOTHING
    passed = any(
        (row.has_passed(hand.channel) or 0) >= hand.last and row.next_moment_ns >= moment_ns
        for row in others
    )
    again = any(
        one.channel == hand.channel and one.first <= hand.last and hand.first <= one.last
        for one in suspects
    )
    if not again and (passed or (from_outside and hand.first < hand.last)):
        return Verdict.SUSPECT
    return Verdict.POISON
