"""Versions after the close, and the chain from one session's basket to the next; by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError
from hkex_ops.index.afterclose import VersionComputed, after_close
from hkex_ops.index.basket import Constituent, Version, VersionKind
from hkex_ops.index.chaining import chain, divisor
from hkex_ops.index.rules import IndexRules, Rounding
from hkex_ops.index.totals import Totals
from tests.index.reference import PLAIN, basket_of

# Two stocks of one weight: 100 and 50 dollars yesterday, 105 and 45 today.
TWO = basket_of("TWO", "1000.00", (1, 1_000, 100, 10_000, 100_000), (2, 1_000, 100, 10_000, 50_000))
CLOSING = {1: 105_000, 2: 45_000}
GROSS = Version("G", VersionKind.GROSS_TOTAL_RETURN, Decimal("2000.00"))
NET = Version("N", VersionKind.NET_TOTAL_RETURN, Decimal("2000.00"), withholding=Decimal("0.1"))
DOLLARS = Version("U", VersionKind.CURRENCY, Decimal("128.00"), "USD", Decimal("7.80"))


def with_dividend() -> tuple[Constituent, ...]:
    """Stock 2 trades without a dividend of five dollars today."""
    first, second = TWO.constituents
    return (first, evolve(second, dividend=Decimal(5)))


def test_total_return_gives_the_dividend_back_whole_or_less_what_is_withheld() -> None:
    """150 today, against 145 and 145.5 that were left of yesterday's 150."""
    basket = evolve(TWO, constituents=with_dividend(), versions=(GROSS, NET))
    assert (
        VersionComputed("G", "TWO", GROSS.kind, "HKD", Decimal("2068.97")),
        VersionComputed("N", "TWO", NET.kind, "HKD", Decimal("2061.86")),
    ) == after_close(basket, CLOSING)


def test_a_currency_version_follows_the_index_and_the_rate() -> None:
    """The index stands where it stood; a dollar buys more Hong Kong dollars than before."""
    basket = evolve(TWO, versions=(DOLLARS,))
    [version] = after_close(basket, CLOSING, rates={"USD": Decimal("8.00")})
    assert VersionComputed("U", "TWO", DOLLARS.kind, "USD", Decimal("124.80")) == version


def test_rounding_is_the_rules() -> None:
    """2000 x 150 / 145 is 2068.9655..."""
    basket = evolve(TWO, constituents=with_dividend(), versions=(GROSS,))
    rules = IndexRules(decimals=1, rounding=Rounding.DOWN)
    assert [Decimal("2068.9")] == [one.value for one in after_close(basket, CLOSING, rules)]


@pytest.mark.parametrize(
    ("versions", "closing", "sentence"),
    [
        ((GROSS,), {1: 105_000}, "lacking: 2"),
        ((DOLLARS,), CLOSING, "needs today's rate of USD"),
    ],
)
def test_what_is_missing_is_named(
    versions: tuple[Version, ...], closing: dict[int, int], sentence: str
) -> None:
    """A version that cannot be computed is not guessed."""
    with pytest.raises(UsageError, match=sentence):
        after_close(evolve(TWO, versions=versions), closing)


def test_a_dividend_of_the_whole_price_is_refused() -> None:
    """Nothing is left to compare with."""
    whole = evolve(TWO.constituents[1], dividend=Decimal(50))
    basket = evolve(TWO, constituents=(TWO.constituents[0], whole), versions=(GROSS,))
    with pytest.raises(UsageError, match="dividend of stock 2"):
        after_close(basket, CLOSING)


# -- from session to session ---------------------------------------------------------------------

MONDAY = date(2026, 11, 23)
prices = st.integers(1, 900_000)
factors = st.tuples(st.integers(1, 10**12), st.integers(1, 100), st.integers(1, 10_000))


@given(st.tuples(prices, prices, prices), st.tuples(factors, factors, factors))
def test_whatever_changes_in_a_basket_the_index_does_not_step(
    closing: tuple[int, int, int], new: tuple[tuple[int, int, int], ...]
) -> None:
    """Shares, freefloat and caps all at once: at the old closing prices the value is the same."""
    codes = [one.security for one in PLAIN.constituents]
    before = Totals([PLAIN])
    for code, price in zip(codes, closing, strict=True):
        before.move(before.slots[code], price)
    [cents] = before.values()
    stocks = tuple(Constituent(code, *one) for code, one in zip(codes, new, strict=True))
    value = Decimal(cents or 0).scaleb(-2)
    if not value:
        return  # it fell to nothing; there is no index to go on with
    after = chain(PLAIN, stocks, value, dict(zip(codes, closing, strict=True)), MONDAY)
    assert [cents] == Totals([after]).values()


def test_a_member_may_come_and_another_go() -> None:
    """The newcomer has its own closing price."""
    stocks = (TWO.constituents[0], Constituent(3, 500, 100, 10_000))
    after = chain(TWO, stocks, Decimal("1000.00"), {**CLOSING, 3: 10_000}, MONDAY)
    assert [100_000] == Totals([after]).values()
    assert [(1, 105_000), (3, 10_000)] == [
        (one.security, one.previous_close_3dp) for one in after.constituents
    ]


def test_what_a_stock_trades_without_moves_no_index() -> None:
    """A bonus issue of one for one: twice the shares at half the close."""
    first, second = TWO.constituents
    doubled = evolve(second, issued_shares=2_000)
    after = chain(
        TWO, (first, doubled), Decimal("1000.00"), CLOSING, MONDAY, adjusted_3dp={2: 22_500}
    )
    assert divisor(evolve(TWO, constituents=after.constituents)) == divisor(after)
    totals = Totals([after])
    totals.move(totals.slots[2], 22_500)
    assert [100_000] == totals.values()


def test_the_divisor_changes_with_the_basket() -> None:
    """150,000 of worth over 1000 points, and then 300,000 over as many."""
    assert Fraction(150) == divisor(TWO)
    stocks = tuple(evolve(one, issued_shares=2_000) for one in TWO.constituents)
    closes = {1: 100_000, 2: 50_000}
    assert Fraction(300) == divisor(chain(TWO, stocks, Decimal("1000.00"), closes, MONDAY))


@pytest.mark.parametrize(
    ("closing", "day", "sentence"),
    [
        ({1: 105_000}, MONDAY, "no closing price of stock 2"),
        (CLOSING, TWO.business_date, "does not lie after"),
    ],
)
def test_a_chain_without_a_link_is_refused(
    closing: dict[int, int], day: date, sentence: str
) -> None:
    """Rather than linked to a price of another day."""
    with pytest.raises(UsageError, match=sentence):
        chain(TWO, TWO.constituents, Decimal("1000.00"), closing, day)
