"""Prices solved so that an index has a given value, exactly to the cent.

The index is an exact sum; a step of a stock's price moves it by a known amount. A few stocks carry
the index most of the way, then two that weigh little bring it home. Integers only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from attrs import define, field

from hkex_ops.errors import UsageError
from hkex_ops_simulator.market.stocks import Member, SyntheticIndex, tick_3dp

__all__ = ["LIGHT", "Calibration"]

# So many stocks, those that weigh least, only bring an index home.
LIGHT = 2


@define
class Calibration:
    """The prices of one index's own stocks, moved on request.

    ``prices_3dp`` are the last prices of all stocks, changed by whoever deals; ``own`` are the
    members that this index alone may move. `UsageError` when no member is light enough.
    """

    index: SyntheticIndex
    closes_3dp: Mapping[int, int]
    prices_3dp: Mapping[int, int]
    own: frozenset[int]
    _before: int = field(init=False)
    _steps: dict[int, int] = field(init=False)
    _heavy: list[Member] = field(init=False)
    _light: list[Member] = field(init=False)

    def __attrs_post_init__(self) -> None:
        members = self.index.members
        self._before = sum(self.closes_3dp[one.code] * one.weight for one in members)
        self._steps = {one.code: tick_3dp(self.closes_3dp[one.code]) for one in members}
        mine = sorted((one for one in members if one.code in self.own), key=self._moves)
        self._light, self._heavy = mine[LIGHT - 1 :: -1], mine[LIGHT:]
        if 2 * self._moves(self._light[-1]) * self.index.previous_close_cents > self._before:
            raise UsageError(f"{self.index.name} has no stock light enough to be exact to the cent")

    @property
    def value_cents(self) -> int:
        """The value at the last prices, halves up."""
        close = self.index.previous_close_cents
        return (2 * self._total() * close + self._before) // (2 * self._before)

    def aim(self, value_cents: int, rng: Random, carriers: int) -> Iterator[tuple[int, int]]:
        """New prices, one after the other, after which the index is at ``value_cents``.

        ``carriers`` stocks by chance share the way; the light ones, each counted from its previous
        close so that it never strays far, end it. Each price is dealt before the next is asked for.
        """
        close = self.index.previous_close_cents
        wanted = (2 * value_cents * self._before + close) // (2 * close)
        chosen = rng.sample(self._heavy, min(carriers, len(self._heavy)))
        strayed = sum(self._strayed(one) for one in self._light)
        for left, one in zip(range(len(chosen), 0, -1), chosen, strict=True):
            by = (wanted - self._total() + strayed) // left
            yield from self._move(one, self.prices_3dp[one.code], by)
        for one in self._light:
            by = wanted - self._total() + strayed
            strayed -= self._strayed(one)
            yield from self._move(one, self.closes_3dp[one.code], by)
        if self.value_cents != value_cents:
            raise UsageError(f"{self.index.name} cannot be brought to {value_cents} cents")

    def _move(self, one: Member, start_3dp: int, by: int) -> Iterator[tuple[int, int]]:
        """The next price, whole steps from ``start_3dp``, which moves the sum by about ``by``."""
        size = self._moves(one)
        moved = start_3dp + (2 * by + size) // (2 * size) * self._steps[one.code]
        if moved <= 0:
            raise UsageError(f"stock {one.code} would have to be worth nothing")
        if moved != self.prices_3dp[one.code]:
            yield one.code, moved

    def _moves(self, one: Member) -> int:
        """By how much one step of a stock moves the sum."""
        return one.weight * self._steps[one.code]

    def _strayed(self, one: Member) -> int:
        """What of the sum is due to a stock's not being at its previous close."""
        return (self.prices_3dp[one.code] - self.closes_3dp[one.code]) * one.weight

    def _total(self) -> int:
        return sum(self.prices_3dp[one.code] * one.weight for one in self.index.members)
