"""The stocks of a simulated market and the indexes made of them, from a seed.

Values only: who they are, how they were left the day before, what each weighs in which index.
Prices of the day are :mod:`~hkex_ops_simulator.market.day`'s. All of it is SYNTHETIC; two indexes
bear the codes of the HSI and the HSCEI, because consumers know these, and nothing else of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from attrs import frozen

from hkex_ops_simulator.market.shape import Shape

__all__ = ["Member", "Stock", "SyntheticIndex", "Universe", "tick_3dp"]

# Price below, smallest step, both at 3 decimals: the table that most stocks had until mid-2025.
_STEPS = (
    (250, 1),
    (500, 5),
    (10_000, 10),
    (20_000, 20),
    (100_000, 50),
    (200_000, 100),
    (500_000, 200),
    (1_000_000, 500),
)
_LARGEST_STEP = 1_000

_LOTS = (100, 200, 400, 500, 1000, 2000)

# An index draws its members from the most liquid stocks.
_INDEX_UNIVERSE = 700
_FEWEST_MEMBERS, _MOST_MEMBERS = 50, 80
# The first two carry the codes of the HSI and the HSCEI; levels are of their order.
_KNOWN = (("0000100", "HSI-like", 2_086_267), ("0001400", "HSCEI-like", 1_187_530))


def tick_3dp(price_3dp: int) -> int:
    """The smallest step of a price, both at 3 decimals.

    >>> tick_3dp(240), tick_3dp(88_500), tick_3dp(400_000)
    (1, 50, 200)
    """
    for below, step in _STEPS:
        if price_3dp < below:
            return step
    return _LARGEST_STEP


@frozen
class Stock:
    """A listed stock. ``group`` decides its channel; ``interest`` how often it is dealt in."""

    code: int
    group: int
    lot: int
    previous_close_3dp: int
    interest: float
    board: str = "MAIN"

    @property
    def name(self) -> str:
        """What it is called, so that nobody takes it for a stock of the exchange."""
        return f"SYNTHETIC {self.code:05}"


@frozen
class Member:
    """What a stock weighs in an index: shares issued, freefloat in percent, cap at 4 decimals."""

    code: int
    issued_shares: int
    freefloat_pct: int
    cap_4dp: int

    @property
    def weight(self) -> int:
        """The exact weight, at 6 decimals."""
        return self.issued_shares * self.freefloat_pct * self.cap_4dp


@frozen
class SyntheticIndex:
    """An index: what it closed at the session before, and who is in it."""

    code: str
    name: str
    previous_close_cents: int
    members: tuple[Member, ...]

    def value_cents(self, prices_3dp: Mapping[int, int], closes_3dp: Mapping[int, int]) -> int:
        """The index at these prices in hundredths of a point, halves up, exactly.

        The sum of price and weight over that of the previous closes, times the previous close.
        """
        total = sum(prices_3dp[one.code] * one.weight for one in self.members)
        before = sum(closes_3dp[one.code] * one.weight for one in self.members)
        return (2 * total * self.previous_close_cents + before) // (2 * before)


@frozen
class Universe:
    """Everything that is listed on a simulated day, the most liquid first."""

    stocks: tuple[Stock, ...]
    indexes: tuple[SyntheticIndex, ...]

    @classmethod
    def of(cls, shape: Shape) -> Universe:
        """The universe of ``shape``; the same seed and sizes give the same."""
        rng = Random(f"{shape.seed}/universe")
        stocks = tuple(_stocks(shape, rng))
        return cls(stocks, tuple(_indexes(shape, stocks, rng)))

    @property
    def closes_3dp(self) -> dict[int, int]:
        """The previous close of every stock."""
        return {one.code: one.previous_close_3dp for one in self.stocks}


def _stocks(shape: Shape, rng: Random) -> Iterator[Stock]:
    codes = rng.sample(range(1, 10_000), shape.securities)
    for rank, code in enumerate(codes):
        # Liquid names are no penny stocks.
        exponent = rng.uniform(3.5, 5.5) if rank < 200 else rng.uniform(2.2, 5.2)
        price = int(10**exponent)
        step = tick_3dp(price)
        yield Stock(
            code=code,
            group=rank % shape.groups,
            lot=rng.choice(_LOTS),
            previous_close_3dp=max(step, price // step * step),
            interest=1.0 / (rank + 8),
            board="GEM" if rank % 9 == 8 else "MAIN",
        )


def _indexes(shape: Shape, stocks: tuple[Stock, ...], rng: Random) -> Iterator[SyntheticIndex]:
    universe = stocks[:_INDEX_UNIVERSE]
    for number in range(shape.indexes):
        size = min(rng.randint(_FEWEST_MEMBERS, _MOST_MEMBERS), len(universe) * 2 // 3)
        chosen = sorted(rng.sample(range(len(universe)), size))
        members = tuple(
            Member(
                universe[place].code,
                rng.randint(10**8, 10**11),
                rng.randrange(5, 101, 5),
                rng.randint(800, 10_000),
            )
            for place in chosen
        )
        if number < len(_KNOWN):
            code, name, close = _KNOWN[number]
        else:
            code, name = f"09{number:05}", f"index {number}"
            close = rng.randint(200_000, 2_800_000)
        yield SyntheticIndex(code, f"SYNTHETIC {name}", close, members)
