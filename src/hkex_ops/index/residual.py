"""What is left of a called contract: the valuation period and the residual value.

The period runs from and including the call to the end of the *following* session, sessions counted
as :mod:`hkex_ops.index.blocks` does; a bull of category R is worth what the lowest index level in
it leaves above the strike, a bear what the highest leaves below (guides of the exchange and the
IFEC for investors; an issuer's base listing document governs and was not read). Knows no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from attrs import frozen

from hkex_ops.calendars import BusinessDay
from hkex_ops.errors import UsageError
from hkex_ops.index.blocks import session_blocks
from hkex_ops.index.calls import Call
from hkex_ops.index.products import CallableProduct, Category, Direction
from hkex_ops.model import Bound, IndexTick, Window

__all__ = ["Residual", "residual_value", "valuation_period"]


@frozen
class Residual:
    """The residual value of one contract, in the currency of its entitlement, exact.

    ``extreme`` is the lowest (bull) or highest (bear) level of the period so far; both are unknown
    while no level has come. ``final`` says that the period is over.
    """

    product: CallableProduct
    period: Window
    extreme: Decimal | None
    value: Fraction | None
    final: bool


def valuation_period(call: Call, day: BusinessDay, following: BusinessDay) -> Window:
    """From the call to the end of the session after the one it falls in, perhaps that of the next
    trading day, ``following``.

    Raises `UsageError` while the time of the call is unknown, and for one outside the sessions.
    """
    if call.time is None:
        raise UsageError(f"the time of the call of {call.product.product} is not known yet")
    blocks = session_blocks(day)
    for place, block in enumerate(blocks):
        start, until = block.window.start.at, block.window.until.at
        assert start is not None and until is not None, "hours have both ends"
        if start <= call.time <= until:
            rest = (*blocks[place + 1 :], *session_blocks(following))
            return Window(Bound(call.time), rest[0].window.until, business_date=day.date)
    raise UsageError(f"{call.product.product} was called at {call.time}, outside every session")


def residual_value(
    product: CallableProduct, period: Window, levels: Iterable[IndexTick], now: datetime
) -> Residual:
    """What ``levels`` within ``period`` leave of ``product``, by the values alone: an extreme of
    the whole day may be older than the call."""
    start, until = period.start.at, period.until.at
    assert start is not None and until is not None, "a valuation period has both ends"
    inside = [
        one.value for one in levels if one.index == product.index and start <= one.at <= until
    ]
    final = now > until
    if not inside:
        return Residual(product, period, None, None, final)
    bull = product.direction is Direction.BULL
    extreme = min(inside) if bull else max(inside)
    left = extreme - product.strike if bull else product.strike - extreme
    if product.category is Category.N or left <= 0:
        return Residual(product, period, extreme, Fraction(0), final)
    value = Fraction(left) / Fraction(product.entitlement_ratio)
    return Residual(product, period, extreme, value, final)
