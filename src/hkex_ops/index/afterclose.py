"""After the close: total return versions of an index, and its versions in other currencies.

As in 2010, these are computed once a day from the closing prices (HSIL report, section 1: "day-end
indexes after market close, covering total return indexes and multiple-currency indexes"). Exact
fractions, rounded once. Knows no record; a flow asks when the closing index is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.index.basket import Basket, Constituent, Version, VersionKind
from hkex_ops.index.rules import IndexRules, Rounding

__all__ = ["VersionComputed", "after_close"]


@frozen
class VersionComputed:
    """A version's value at the close, in points."""

    code: str
    index: str
    kind: VersionKind
    currency: str
    value: Decimal


def after_close(
    basket: Basket,
    closing_3dp: Mapping[int, int],
    rules: IndexRules | None = None,
    *,
    rates: Mapping[str, Decimal] | None = None,
) -> tuple[VersionComputed, ...]:
    """Every version of ``basket`` from the closing prices of its stocks, in thousandths.

    ``rates`` are the rates at today's close of the currencies of its currency versions, in units
    of the index's currency. `UsageError` names what is missing.
    """
    rules = rules or IndexRules()
    lacking = sorted(
        stock.security
        for stock in basket.constituents
        if stock.previous_close_3dp is None or stock.security not in closing_3dp
    )
    if lacking:
        raise UsageError(
            f"versions of index {basket.index} need previous close and closing price of every "
            f"stock; lacking: {', '.join(map(str, lacking))}"
        )
    return tuple(_computed(basket, closing_3dp, rules, rates or {}))


def _computed(
    basket: Basket,
    closing_3dp: Mapping[int, int],
    rules: IndexRules,
    rates: Mapping[str, Decimal],
) -> Iterator[VersionComputed]:
    for version in basket.versions:
        if version.kind is VersionKind.CURRENCY:
            factor = _price_change(basket, closing_3dp, Fraction(0))
            factor *= _rate_change(basket, version, rates)
        else:
            net = version.kind is VersionKind.NET_TOTAL_RETURN
            kept = 1 - Fraction(version.withholding) if net else Fraction(1)
            factor = _price_change(basket, closing_3dp, kept)
        value = Fraction(version.previous_close) * factor
        yield VersionComputed(
            version.code,
            basket.index,
            version.kind,
            version.currency or basket.currency,
            _rounded(value, rules),
        )


def _price_change(basket: Basket, closing_3dp: Mapping[int, int], kept: Fraction) -> Fraction:
    """Today's worth of the basket over yesterday's, less ``kept`` of what was paid out today.

    A stock trades without its dividend from today on; taking it off yesterday's close returns it
    to whoever held the basket (the usual form of a total return; HSIL's own wording unread).
    """
    now = before = Fraction(0)
    for stock in basket.constituents:
        weight = (
            stock.issued_shares * stock.freefloat_factor * stock.cap_factor * _rate(basket, stock)
        )
        close = Fraction(stock.previous_close_3dp or 0, 1000) - kept * Fraction(stock.dividend)
        if close <= 0:
            raise UsageError(
                f"the dividend of stock {stock.security} is as much as its previous close"
            )
        now += weight * Fraction(closing_3dp[stock.security], 1000)
        before += weight * close
    return now / before


def _rate(basket: Basket, stock: Constituent) -> Fraction:
    if stock.currency == basket.currency:
        return Fraction(1)
    return Fraction(next(one.rate for one in basket.rates if one.currency == stock.currency))


def _rate_change(basket: Basket, version: Version, rates: Mapping[str, Decimal]) -> Fraction:
    """How much more of the other currency one unit of the index's currency buys than before."""
    if version.currency not in rates or version.previous_rate is None:
        raise UsageError(
            f"version {version.code} of index {basket.index} needs today's rate of "
            f"{version.currency}"
        )
    return Fraction(version.previous_rate) / Fraction(rates[version.currency])


def _rounded(value: Fraction, rules: IndexRules) -> Decimal:
    units = value * 10**rules.decimals
    whole = units.numerator // units.denominator
    rest = units - whole
    half = Fraction(1, 2)
    up = rest > half or (
        rest == half
        and (
            rules.rounding is Rounding.HALF_UP
            or (rules.rounding is Rounding.HALF_EVEN and whole % 2 == 1)
        )
    )
    if rules.rounding is Rounding.DOWN:
        up = False
    return Decimal(whole + up).scaleb(-rules.decimals)
