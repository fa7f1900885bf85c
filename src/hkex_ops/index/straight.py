"""The shortest way from a day's trades to its ticks, for recalculation: one loop, arrival order.

It follows the arrival order of :mod:`hkex_ops.index.sequencing` and gives the values that the
engine gives, to the last cent, while no trade was cancelled and no record quarantined or lost. It
keeps no journal, no high or low of a stock and no session. Called by the replay of
`hkex_ops.flows`; live engines do not use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hkex_ops.errors import UsageError
from hkex_ops.index.rules import IndexRules, Rounding
from hkex_ops.index.totals import Totals

__all__ = ["TradeRow", "values_by_moment"]

TradeRow = tuple[int, int, int, int, int]
"""Clock (running maximum of send times), security, trade number, price in thousandths, TrdType."""


def values_by_moment(
    totals: Totals, trades: Iterable[TradeRow], rules: IndexRules, *, first_ns: int, last_ns: int
) -> Iterator[tuple[int, list[int]]]:
    """Each moment from ``first_ns`` to ``last_ns`` with the value of every index, in their order.

    ``trades`` are in delivery order, each with the clock at its delivery; ``last_ns`` is the clock
    at the end. ``totals`` is left as it was. `UsageError` when an index lacks a previous close, or
    is rounded in a way that this loop does not know.
    """
    if not totals.complete or rules.rounding is Rounding.HALF_EVEN:
        raise UsageError(
            "this recalculation needs every previous close, and rounds up or down only"
        )
    step = rules.interval_ns
    types = rules.trade_types
    slot_of = totals.slots.get
    moves = totals.moves
    sums, prices = list(totals.sums), list(totals.prices)
    newest = [0] * len(prices)
    multipliers, halves, divisors = totals.multipliers, totals.halves, totals.divisors
    moment = first_ns
    for clock, security, trade_id, price, kind in trades:
        while clock >= moment:
            rows = zip(sums, multipliers, halves, divisors, strict=True)
            yield moment, [(s * m + h) // d for s, m, h, d in rows]
            moment += step
        slot = slot_of(security)
        if slot is None or trade_id <= newest[slot] or kind not in types:
            continue
        newest[slot] = trade_id
        change = price - prices[slot]
        if change:
            prices[slot] = price
            for place, weight in moves[slot]:
                sums[place] += change * weight
    while moment <= last_ns:
        rows = zip(sums, multipliers, halves, divisors, strict=True)
        yield moment, [(s * m + h) // d for s, m, h, d in rows]
        moment += step
