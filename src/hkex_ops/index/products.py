"""Callable bull and bear contracts (CBBC) on an index: what each is, and what cannot be one.

A bull's call level is at or above its strike, a bear's at or below (HKEx report of February 2010,
Appendix II 3). Category N has the call level at the strike and no residual value, category R has
them apart and may have one. Knows no tick and no trade.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

__all__ = ["CallableProduct", "Category", "Direction", "product_faults"]


class Direction(StrEnum):
    """Which way the holder looks."""

    BULL = "bull"
    BEAR = "bear"


class Category(StrEnum):
    """Whether a called contract may be worth something."""

    N = "N"  # call level at the strike: nothing is left
    R = "R"  # call level apart from the strike: a residual value may be left


@frozen
class CallableProduct:
    """One contract. Levels are in index points; ``entitlement_ratio`` is contracts per unit of
    index point and currency, such as 10000. ``first_day`` and ``last_day`` bound its observation
    period, both included, and are open where they are not given."""

    product: str
    index: str
    direction: Direction
    category: Category
    strike: Decimal
    call_level: Decimal
    entitlement_ratio: Decimal
    issuer: str = ""
    first_day: date | None = None
    last_day: date | None = None

    def observed_on(self, day: date) -> bool:
        """Whether a call on ``day`` is possible at all."""
        begun = self.first_day is None or self.first_day <= day
        return begun and (self.last_day is None or day <= self.last_day)

    def crossed_by(self, level: Decimal) -> bool:
        """Whether the index at ``level`` calls it. Touching the call level is enough."""
        if self.direction is Direction.BULL:
            return level <= self.call_level
        return level >= self.call_level


def product_faults(product: CallableProduct) -> Iterator[tuple[str, str]]:
    """Why ``product`` cannot be, as (column, sentence)."""
    for column in ("strike", "call_level", "entitlement_ratio"):
        if getattr(product, column) <= 0:
            yield column, f"is {getattr(product, column)} and must be above zero"
    bull = product.direction is Direction.BULL
    wrong_way = product.call_level < product.strike if bull else product.call_level > product.strike
    if wrong_way:
        yield (
            "call_level",
            f"is {product.call_level} with a strike of {product.strike}: the call level of a "
            f"{product.direction} is at or {'above' if bull else 'below'} its strike; are the two "
            "exchanged?",
        )
    level = product.call_level == product.strike
    if level != (product.category is Category.N):
        yield (
            "category",
            f"is {product.category}, and {product.call_level} with a strike of {product.strike} is "
            f"category {Category.N if level else Category.R}",
        )
    if product.first_day and product.last_day and product.last_day < product.first_day:
        yield "last_day", f"is {product.last_day}, before the first day {product.first_day}"
