"""What is known of each stock: its last trade, high, low and volume, each by its own rule.

Three rules are kept apart. The last price is that of the highest trade number; an older record
after a newer one never sets it. High, low and volume take every trade, in whatever order it comes.
Nothing is taken twice. Called by the engine only, which moves the index when the last price moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from hkex_ops.index.ticks import JournalReason
from hkex_ops.model import Json

__all__ = [
    "CANCELS_HELD",
    "MISSING_HELD",
    "NOT_STALE",
    "TRAIL",
    "TRAIL_FOLDS",
    "UNKNOWN_CHANNEL",
    "Folded",
    "Stock",
]

TRAIL = 16
"""How many of a stock's latest trades are kept, so that a cancel can be undone; named limit."""

TRAIL_FOLDS = 3 * 3 * TRAIL
"""When three times as many, three numbers each, are remembered the older ones are folded."""

MISSING_HELD = 64
"""How many trade numbers below the newest are awaited; an older one that comes is not believed."""

CANCELS_HELD = 64
"""How many cancels of trades that have not come yet are kept for each stock."""

NOT_STALE = -1
UNKNOWN_CHANNEL = -1


class Folded(NamedTuple):
    """What is kept of trades that are no longer remembered one by one; ``newest`` is a number."""

    newest: int
    high: int
    low: int
    volume: int
    trades: int


class Stock:
    """One stock of the baskets, mutable and without a word about indexes.

    ``top`` is the highest trade number heard, of whatever type, and ``missing`` the numbers below
    it that have not come. ``last`` is the number of the trade that set the price, ``heals_after``
    the number that a good trade must exceed for the stock to be no longer stale. ``lossy`` stays
    true once anything was lost: what a cancel then falls back on may have been cancelled too.
    """

    __slots__ = (
        "cancels",
        "channel",
        "folded",
        "heals_after",
        "last",
        "lossy",
        "missing",
        "moves",
        "slot",
        "suspended",
        "top",
        "trail",
        "unsettled",
        "unwitnessed",
    )

    def __init__(self, slot: int, moves: Sequence[tuple[int, int]]) -> None:
        self.slot: int = slot
        self.moves: Sequence[tuple[int, int]] = moves
        self.channel: int = UNKNOWN_CHANNEL
        self.top: int = 0
        self.last: int = 0
        self.heals_after: int = NOT_STALE
        self.unwitnessed: bool = False
        self.lossy: bool = False
        self.suspended: bool = False
        self.unsettled: bool = True
        # Number, price and quantity in turn. Flat, for a tuple each would burden every trade.
        self.trail: list[int] = []
        self.folded: Folded = Folded(0, 0, 0, 0, 0)
        self.missing: set[int] = set()
        self.cancels: set[int] = set()

    @property
    def high(self) -> int | None:
        """The highest price of the day, if there was a trade."""
        return max([self.folded.high, *self.trail[1::3]]) or None

    @property
    def low(self) -> int | None:
        """The lowest price of the day, if there was a trade."""
        lows = self.trail[1::3]
        return min([self.folded.low, *lows] if self.folded.low else lows, default=None)

    @property
    def volume(self) -> int:
        """The shares traded today, of the types that count."""
        return self.folded.volume + sum(self.trail[2::3])

    @property
    def trades(self) -> int:
        """How many trades of the types that count."""
        return self.folded.trades + len(self.trail) // 3

    def trades_on(self, channel: int) -> None:
        """Trades of the stock come on ``channel``."""
        self.channel = channel
        self._settle()

    def refuses(self, trade_id: int) -> JournalReason | None:
        """Note that trade ``trade_id`` has come; why it must not be taken, if it must not."""
        if trade_id > self.top:
            first = max(self.top + 1, trade_id - MISSING_HELD)
            self.missing.update(range(first, trade_id))
            if len(self.missing) > MISSING_HELD:
                self.missing = set(sorted(self.missing)[-MISSING_HELD:])
            self.top = trade_id
        elif trade_id in self.missing:
            self.missing.discard(trade_id)
        elif trade_id > self.top - MISSING_HELD:
            return JournalReason.DUPLICATE
        else:
            return JournalReason.OLDER_THAN_KNOWN
        if trade_id in self.cancels:
            self.cancels.discard(trade_id)
            self._settle()
            return JournalReason.CANCELLED_BEFORE
        return None

    def awaits(self, trade_id: int) -> bool:
        """Whether trade ``trade_id`` has yet to come."""
        return trade_id > self.top or trade_id in self.missing

    def expect_cancelled(self, trade_id: int) -> None:
        """Trade ``trade_id`` is cancelled before it came."""
        self.cancels.add(trade_id)
        if len(self.cancels) > CANCELS_HELD:
            self.cancels.discard(min(self.cancels))
        self._settle()

    def count(self, trade_id: int, price: int, quantity: int) -> None:
        """Take a trade into high, low and volume."""
        self.trail += (trade_id, price, quantity)
        if len(self.trail) > TRAIL_FOLDS:
            self.fold()

    def fold(self) -> None:
        """Forget all but the latest trades; their high, low and volume are kept."""
        trail, before = self.trail, self.folded
        cut = len(trail) - 3 * TRAIL
        prices = trail[1:cut:3]
        self.folded = Folded(
            newest=max(before.newest, *trail[:cut:3]),
            high=max(before.high, *prices),
            low=min(before.low or prices[0], *prices),
            volume=before.volume + sum(trail[2:cut:3]),
            trades=before.trades + len(prices),
        )
        del trail[:cut]

    def cancel(self, trade_id: int) -> bool:
        """Take a trade back out of high, low and volume; whether it is remembered."""
        numbers = self.trail[::3]
        if trade_id not in numbers:
            return False
        place = 3 * numbers.index(trade_id)
        del self.trail[place : place + 3]
        return True

    def newest(self) -> tuple[int, int] | None:
        """Number and price of the newest trade that stands; (0, 0) when none does.

        `None` when it is one that is no longer remembered.
        """
        trade_id = max(self.trail[::3], default=0)
        if trade_id < self.folded.newest:
            return None
        return (
            (trade_id, self.trail[self.trail[::3].index(trade_id) * 3 + 1]) if trade_id else (0, 0)
        )

    def learn(self, high: int, low: int, volume: int) -> None:
        """Take the day so far from somebody who heard it all."""
        if volume >= self.volume:
            self.trail.clear()
            self.folded = Folded(self.top, high, low, volume, max(self.trades, 1))

    def mark(self, trade_id: int) -> None:
        """The price cannot be relied upon until a trade newer than what was lost has come.

        With ``trade_id`` 0 nobody knows which that is: see :meth:`witness`.
        """
        self.heals_after = max(self.heals_after, trade_id)
        self.unwitnessed = self.unwitnessed or not trade_id
        self.lossy = True
        self._settle()

    def witness(self, trade_id: int, reach: int) -> None:
        """Trade ``trade_id`` is the first to come after something of unknown number was lost.

        What was lost was sent before it, and so, if trades come out of sequence by at most
        ``reach`` places, has no number above ``trade_id + reach``.
        """
        self.heals_after = max(self.heals_after, trade_id + reach - 1)
        self.unwitnessed = False

    def heals_with(self, trade_id: int) -> bool:
        """Whether a good trade of that number, being the last one, is newer than what was lost."""
        return self.stale and not self.unwitnessed and trade_id > self.heals_after

    def heal(self) -> None:
        """The price can be relied upon again."""
        self.heals_after = NOT_STALE
        self.unwitnessed = False
        self._settle()

    @property
    def stale(self) -> bool:
        """Whether the last price cannot be relied upon."""
        return self.heals_after != NOT_STALE

    def _settle(self) -> None:
        self.unsettled = self.stale or bool(self.cancels) or self.channel == UNKNOWN_CHANNEL

    def snapshot(self) -> Sequence[Json]:
        """Everything but the slot, as plain data."""
        return [
            self.channel,
            self.top,
            self.last,
            self.heals_after,
            self.unwitnessed,
            self.suspended,
            self.lossy,
            list(self.folded),
            list(self.trail),
            sorted(self.missing),
            sorted(self.cancels),
        ]

    def restore(self, row: Sequence[Json]) -> None:
        """Stand where :meth:`snapshot` stood."""
        self.channel, self.top, self.last, self.heals_after = cast("Sequence[int]", row[:4])
        self.unwitnessed, self.suspended, self.lossy = (bool(told) for told in row[4:7])
        self.folded = Folded(*cast("Sequence[int]", row[7]))
        self.trail = list(cast("Sequence[int]", row[8]))
        self.missing = set(cast("Sequence[int]", row[9]))
        self.cancels = set(cast("Sequence[int]", row[10]))
        self._settle()
