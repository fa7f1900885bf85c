"""The rows of the snapshot computation's table: what was heard of a stock, with its times.

Nothing is decided when a record comes; which trade was the last one is found when a moment is asked
for. Part of the second computation, and so a stranger to the engine's side of this room.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DOUBTS", "Between", "Doubt", "Heard", "Row", "bounded"]

DOUBTS = 16
"""How many losses are kept apart for each stock."""


class Heard(NamedTuple):
    """The trade that a price was last heard from."""

    number: int
    sent_ns: int
    price: int


class Doubt:
    """From ``sent_ns`` on the price is doubtful until a trade above ``number`` is the last one.

    Where nobody knows what was lost there is no number before the next trade has come.
    """

    def __init__(self, sent_ns: int, number: int | None) -> None:
        self.sent_ns = sent_ns
        self.number = number

    def holds(self, time_ns: int, last: int) -> bool:
        """Whether the price of trade ``last`` is doubtful for it at that time."""
        return self.sent_ns < time_ns and (self.number is None or last <= self.number)


class Between:
    """A record was sent after one time and not after another, which is not known at first."""

    def __init__(self, after_ns: int) -> None:
        self.after_ns = after_ns
        self.until_ns: int | None = None


class Row:
    """One stock in the table of prices."""

    def __init__(self, previous: int | None) -> None:
        self.previous = previous
        self.channel: int | None = None
        self.heard: dict[int, Heard] = {}
        self.cancelled: dict[int, int] = {}
        self.closing: list[tuple[int, int]] = []
        self.doubts: list[Doubt] = []
        self.between: list[Between] = []
        self.top = 0
        self.lossy = False
        self.forgotten: int = 0
        self.changes = 0
        self.told: Heard = Heard(0, 0, 0)

    def last_before(self, time_ns: int) -> Heard | None:
        """The trade with the highest number sent before ``time_ns`` that then stood."""
        standing = [
            trade
            for number, trade in self.heard.items()
            if trade.sent_ns < time_ns
            and not (number in self.cancelled and self.cancelled[number] < time_ns)
        ]
        return max(standing, default=None)

    def closing_before(self, time_ns: int) -> int | None:
        """The closing price that was told last before ``time_ns``."""
        told = [price for sent, price in self.closing if sent < time_ns]
        return told[-1] if told else None

    def doubtful(self, time_ns: int, last: Heard | None) -> bool:
        """Whether something newer than ``last`` may be missing at ``time_ns``."""
        number = last.number if last else 0
        if number < self.forgotten:
            return True
        for one in self.between:
            if one.after_ns < time_ns and (one.until_ns is None or time_ns <= one.until_ns):
                return True
        gone = (one for one, sent in self.cancelled.items() if sent < time_ns)
        if self.lossy and any(one > number for one in gone):
            return True  # what is left when a trade was cancelled may have been cancelled too
        return any(doubt.holds(time_ns, number) for doubt in self.doubts)

    def forget(self, time_ns: int, keep: int) -> None:
        """Drop what no moment from ``time_ns`` on can need, but for ``keep`` older trades."""
        older = sorted(number for number, trade in self.heard.items() if trade.sent_ns < time_ns)
        for number in older[:-keep]:
            self.forgotten = max(self.forgotten, number)
            del self.heard[number]
            self.cancelled.pop(number, None)


def bounded(doubts: list[Doubt]) -> list[Doubt]:
    """With too many, one takes the place of the older half: since the first, for the longest."""
    if len(doubts) <= DOUBTS:
        return doubts
    older, newer = doubts[: DOUBTS // 2], doubts[DOUBTS // 2 :]
    numbers = [one.number for one in older]
    known = [number for number in numbers if number is not None]
    number = max(known) if len(known) == len(numbers) else None
    return [Doubt(min(one.sent_ns for one in older), number), *newer]
