"""Reference data but for the securities: markets, liquidity providers, currencies."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text

__all__ = [
    "CurrencyRate",
    "LiquidityProvider",
    "MarketDefinition",
]


class _MarketDefinition(NamedTuple):
    market_code_ascii: bytes
    market_name_ascii: bytes
    currency_code_ascii: bytes
    number_of_securities: int
    tail: bytes = b""


class MarketDefinition(_MarketDefinition):
    """A market segment and how many securities it has (10)."""

    __slots__ = ()
    TYPE = 10

    market_code: Text = Text()
    market_name: Text = Text()
    currency_code: Text = Text()


class _LiquidityProvider(NamedTuple):
    security_code: int
    broker_numbers: tuple[int, ...]
    tail: bytes = b""


class LiquidityProvider(_LiquidityProvider):
    """The brokers that provide liquidity in a security, up to 50 (13)."""

    __slots__ = ()
    TYPE = 13


class _CurrencyRate(NamedTuple):
    currency_code_ascii: bytes
    filler: bytes
    currency_factor: int
    filler_2: bytes
    currency_rate_4dp: int
    tail: bytes = b""


class CurrencyRate(_CurrencyRate):
    """Hong Kong dollars for ten to the power of ``currency_factor`` units of a currency (14)."""

    __slots__ = ()
    TYPE = 14

    currency_code: Text = Text()
