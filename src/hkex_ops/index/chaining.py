"""Divisor continuity: from one session's basket to the next, without a step in the index.

Where shares, freefloat, caps or members change between sessions, the index at the old closing
prices must be the same before and after. Chain-linking does it: the new basket starts from the old
one's closing value, and its divisor is its own sum at those prices. Pure; whoever prepares the next
day's basket file calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

from attrs import evolve

from hkex_ops.errors import UsageError
from hkex_ops.index.basket import Basket, Constituent, CurrencyRate

__all__ = ["chain", "divisor"]


def divisor(basket: Basket) -> Fraction:
    """By what the basket's worth is divided to give index points: worth at previous closes over
    the previous close of the index. It changes from session to session, the index does not."""
    worth = sum(
        (
            stock.issued_shares
            * Fraction(stock.freefloat_factor, 100)
            * Fraction(stock.cap_factor, 10_000)
            * Fraction(_previous(basket, stock), 1000)
            * _rate(basket, stock)
            for stock in basket.constituents
        ),
        Fraction(0),
    )
    return worth / Fraction(basket.previous_close)


def chain(
    before: Basket,
    constituents: tuple[Constituent, ...],
    closing_value: Decimal,
    closing_3dp: Mapping[int, int],
    business_date: date,
    *,
    adjusted_3dp: Mapping[int, int] | None = None,
    rates: tuple[CurrencyRate, ...] | None = None,
) -> Basket:
    """The basket of the next session: ``constituents`` with their new factors, linked to the value
    at which ``before`` closed.

    Previous closes are the closing prices of ``closing_3dp``, in thousandths, whatever the
    constituents say; ``adjusted_3dp`` replaces those of stocks that trade without something from
    then on, so that this does not move the index either. `UsageError` names stocks without any.
    """
    if business_date <= before.business_date:
        raise UsageError(f"{business_date} does not lie after {before.business_date}")
    closes = {**closing_3dp, **(adjusted_3dp or {})}
    lacking = sorted(stock.security for stock in constituents if stock.security not in closes)
    if lacking:
        raise UsageError(
            f"index {before.index} cannot be chained: no closing price of stock "
            f"{', '.join(map(str, lacking))}"
        )
    return evolve(
        before,
        business_date=business_date,
        previous_close=closing_value,
        constituents=tuple(
            evolve(stock, previous_close_3dp=closes[stock.security]) for stock in constituents
        ),
        rates=before.rates if rates is None else rates,
        versions=(),
    )


def _previous(basket: Basket, stock: Constituent) -> int:
    if stock.previous_close_3dp is None:
        raise UsageError(
            f"index {basket.index} has no divisor: stock {stock.security} has no previous close"
        )
    return stock.previous_close_3dp


def _rate(basket: Basket, stock: Constituent) -> Fraction:
    if stock.currency == basket.currency:
        return Fraction(1)
    return Fraction(next(one.rate for one in basket.rates if one.currency == stock.currency))
