"""The loops of the accelerated recalculation: trades in, sums at moments out.

Functions of arrays, made to be compiled; as they stand they are Python, and tests run them so too.
Nobody calls it but :mod:`hkex_ops.index.accelerated`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Given", "Stocks", "Weights", "enter", "pick", "work"]


class Given(NamedTuple):
    """Trades that set prices unless they are late; ``moment`` is how many are due before each."""

    moment: Any
    slot: Any
    trade_id: Any
    price: Any


class Stocks(NamedTuple):
    """By slot: the last price, and the number of the trade that set it."""

    prices: Any
    newest: Any


class Weights(NamedTuple):
    """Which indexes a stock moves, and by what weight; see :class:`~hkex_ops.index.limbs.Limbs`."""

    offsets: Any
    places: Any
    limbs: Any


def pick(
    moments: Any,
    securities: Any,
    trade_ids: Any,
    prices: Any,
    kinds: Any,
    slots: Any,
    taken: Any,
    found: Any,
) -> int:
    """Put the trades that may set prices into the rows of ``found``, in the order of `Given`.

    ``slots`` tells the slots of securities, of the last place and above none; ``taken`` which types
    count. How many there are is returned.
    """
    many = 0
    strangest = len(slots) - 1
    for place in range(len(kinds)):
        slot = slots[min(securities[place], strangest)]
        if slot >= 0 and prices[place] > 0 and taken[kinds[place] & 0xFFFF]:
            found[0, many] = moments[place]
            found[1, many] = slot
            found[2, many] = trade_ids[place]
            found[3, many] = prices[place]
            many += 1
    return many


def work(
    given: Given, stocks: Stocks, weights: Weights, sums: Any, at_moments: Any, late: Any
) -> int:
    """Move ``sums`` by the trades, and put down what they are at each moment.

    The places of trades that came after a newer one of their stock are put into ``late``, each with
    the number of the newer one; how many there are is returned.
    """
    limbs, indexes = sums.shape
    moments = at_moments.shape[1]
    done, many_late = 0, 0
    for place in range(len(given.slot)):
        while done < given.moment[place]:
            for limb in range(limbs):
                for index in range(indexes):
                    at_moments[limb, done, index] = sums[limb, index]
            done += 1
        slot = given.slot[place]
        if given.trade_id[place] <= stocks.newest[slot]:
            late[0, many_late] = place
            late[1, many_late] = stocks.newest[slot]
            many_late += 1
            continue
        stocks.newest[slot] = given.trade_id[place]
        change = given.price[place] - stocks.prices[slot]
        if change:
            stocks.prices[slot] = given.price[place]
            for pair in range(weights.offsets[slot], weights.offsets[slot + 1]):
                for limb in range(limbs):
                    sums[limb, weights.places[pair]] += change * weights.limbs[limb, pair]
    while done < moments:
        for limb in range(limbs):
            for index in range(indexes):
                at_moments[limb, done, index] = sums[limb, index]
        done += 1
    return many_late


def enter(given: Any, stocks: Any, weights: Any, sums: Any, at_moments: Any, late: Any) -> int:
    """As :func:`work`, but of tuples without names, which a compiler's doorkeeper knows at once."""
    return work(Given(*given), Stocks(*stocks), Weights(*weights), sums, at_moments, late)
