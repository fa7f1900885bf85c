"""Prices that are not trades: nominal, indicative, reference, closing; and yields."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ClosingPrice",
    "IndicativeEquilibriumPrice",
    "NominalPrice",
    "ReferencePrice",
    "Yield",
]


class _NominalPrice(NamedTuple):
    security_code: int
    nominal_price_3dp: int
    tail: bytes = b""


class NominalPrice(_NominalPrice):
    """The nominal price of a security (40), 0 where there is none."""

    __slots__ = ()
    TYPE = 40


class _IndicativeEquilibriumPrice(NamedTuple):
    security_code: int
    price_3dp: int
    aggregate_quantity: int
    tail: bytes = b""


class IndicativeEquilibriumPrice(_IndicativeEquilibriumPrice):
    """The price at which an auction would match now (41), 0 where there is none."""

    __slots__ = ()
    TYPE = 41


class _ReferencePrice(NamedTuple):
    security_code: int
    reference_price_3dp: int
    lower_price_3dp: int
    upper_price_3dp: int
    tail: bytes = b""


class ReferencePrice(_ReferencePrice):
    """The reference price of an auction and the limits around it (43), 0 where there is none."""

    __slots__ = ()
    TYPE = 43


class _Yield(NamedTuple):
    security_code: int
    yield_3dp: int
    tail: bytes = b""


class Yield(_Yield):
    """The yield of a debt security in percent (44), 0 where there is none."""

    __slots__ = ()
    TYPE = 44


class _ClosingPrice(NamedTuple):
    security_code: int
    closing_price_3dp: int
    number_of_trades: int
    tail: bytes = b""


class ClosingPrice(_ClosingPrice):
    """The closing price (62), 0 where there is none; the Standard feed counts no trades."""

    __slots__ = ()
    TYPE = 62
