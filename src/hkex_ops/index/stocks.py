"""What is known of each stock: its last trade, high, low and volume, each by its own rule.

Three rules are kept apart. The last price is that of the highest trade number; an older record
after a newer one never sets it. High, low and volume take every trade, in whatever order it comes.
Nothing is taken twice. Called by the engine only, which moves the index when the last price moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from hkex_ops.index.ticks import JournalReason
from hkex_ops.model import Json

__all__ = ["CANCELS_HELD", "MISSING_HELD", "NOT_STALE", "TRAIL", "UNKNOWN_CHANNEL", "Stock"]

TRAIL = 16
"""How many of a stock's latest trades are kept, so that a cancel can be undone; named limit."""

MISSING_HELD = 64
"""How many trade numbers below the newest are awaited; an older one that comes is not believed."""

CANCELS_HELD = 64
"""How many cancels of trades that have not come yet are kept for each stock."""

NOT_STALE = -1
UNKNOWN_CHANNEL = -1
_NO_LOW = 1 << 31


class Stock:
    """One stock of the baskets, mutable and without a word about indexes.

    ``top`` is the highest trade number heard, of whatever type, and ``missing`` the numbers below
    it that have not come. ``last`` is the number of the trade that set the price, ``heals_after``
    the number that a good trade must exceed for the stock to be no longer stale.
    """

    __slots__ = (
        "cancels",
        "channel",
        "folded",
        "heals_after",
        "high",
        "highest_folded",
        "last",
        "low",
        "lowest_folded",
        "missing",
        "slot",
        "suspended",
        "top",
        "trades",
        "trail",
        "unsettled",
        "volume",
    )

    def __init__(self, slot: int) -> None:
        self.slot = slot
        self.channel = UNKNOWN_CHANNEL
        self.top = 0
        self.last = 0
        self.heals_after = NOT_STALE
        self.volume = 0
        self.trades = 0
        self.high = 0
        self.low = _NO_LOW
        self.highest_folded = 0
        self.lowest_folded = _NO_LOW
        self.folded = False
        self.unsettled = False
        self.suspended = False
        self.trail: list[tuple[int, int, int]] = []
        self.missing: set[int] = set()
        self.cancels: set[int] = set()

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
        self.volume += quantity
        self.trades += 1
        if price > self.high:
            self.high = price
        if price < self.low:
            self.low = price
        trail = self.trail
        trail.append((trade_id, price, quantity))
        if len(trail) > 2 * TRAIL:
            self._fold()

    def _fold(self) -> None:
        """Forget all but the newest trades; their high and low are kept."""
        self.trail.sort()
        for _, price, _ in self.trail[:-TRAIL]:
            self.highest_folded = max(self.highest_folded, price)
            self.lowest_folded = min(self.lowest_folded, price)
        del self.trail[:-TRAIL]
        self.folded = True

    def cancel(self, trade_id: int) -> tuple[int, int, int] | None:
        """Take a trade back out of high, low and volume; what it was, if it is remembered."""
        trade = next((one for one in self.trail if one[0] == trade_id), None)
        if trade is None:
            return None
        self.trail.remove(trade)
        self.volume -= trade[2]
        self.trades -= 1
        self.high = max([price for _, price, _ in self.trail], default=0)
        self.high = max(self.high, self.highest_folded)
        self.low = min([price for _, price, _ in self.trail], default=_NO_LOW)
        self.low = min(self.low, self.lowest_folded)
        return trade

    def newest(self) -> tuple[int, int] | None:
        """Number and price of the newest trade that stands, if it is remembered."""
        trade_id, price, _ = max(self.trail, default=(0, 0, 0))
        return (trade_id, price) if trade_id else None

    def learn(self, high: int, low: int, quantity: int) -> None:
        """Take the day so far from somebody who heard it all."""
        self.volume = max(self.volume, quantity)
        self.high = self.highest_folded = max(self.high, high)
        self.low = self.lowest_folded = min(self.low, low) if low > 0 else self.low
        self.folded = True

    def mark(self, trade_id: int, reach: int) -> None:
        """The price cannot be relied upon until a trade newer than what was lost has come.

        With ``trade_id`` 0 nobody knows which that is. It may be any up to ``top + 1 + reach``, if
        trades come out of sequence by at most ``reach`` places: the next trade that comes may be
        older than the one that was lost.
        """
        self.heals_after = max(self.heals_after, trade_id or self.top + reach)
        self._settle()

    def heal(self) -> None:
        """The price can be relied upon again."""
        self.heals_after = NOT_STALE
        self._settle()

    @property
    def stale(self) -> bool:
        """Whether the last price cannot be relied upon."""
        return self.heals_after != NOT_STALE

    def _settle(self) -> None:
        self.unsettled = self.stale or bool(self.cancels)

    @property
    def lowest(self) -> int | None:
        """The lowest price of the day, if there was a trade."""
        return None if self.low == _NO_LOW else self.low

    def snapshot(self) -> Sequence[Json]:
        """Everything but the slot, as plain data."""
        return [
            self.channel,
            self.top,
            self.last,
            self.heals_after,
            self.volume,
            self.trades,
            self.high,
            self.low,
            self.highest_folded,
            self.lowest_folded,
            self.folded,
            self.suspended,
            [list(trade) for trade in self.trail],
            sorted(self.missing),
            sorted(self.cancels),
        ]

    def restore(self, row: Sequence[Json]) -> None:
        """Stand where :meth:`snapshot` stood."""
        (
            self.channel,
            self.top,
            self.last,
            self.heals_after,
            self.volume,
            self.trades,
            self.high,
            self.low,
            self.highest_folded,
            self.lowest_folded,
        ) = cast("Sequence[int]", row[:10])
        self.folded, self.suspended = bool(row[10]), bool(row[11])
        trail = cast("Sequence[tuple[int, int, int]]", row[12])
        self.trail = [(trade_id, price, quantity) for trade_id, price, quantity in trail]
        self.missing = set(cast("Sequence[int]", row[13]))
        self.cancels = set(cast("Sequence[int]", row[14]))
        self._settle()
