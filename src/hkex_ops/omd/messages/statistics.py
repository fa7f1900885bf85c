"""What was traded so far, by security and by market."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text

__all__ = [
    "MarketTurnover",
    "Statistics",
]


class _Statistics(NamedTuple):
    security_code: int
    shares_traded: int
    turnover_3dp: int
    high_price_3dp: int
    low_price_3dp: int
    last_price_3dp: int
    vwap_3dp: int
    short_sell_shares_traded: int
    short_sell_turnover_3dp: int
    tail: bytes = b""


class Statistics(_Statistics):
    """What was traded in a security so far (60), overseas trades left out.

    The average is empty on the Standard feed; short selling changes twice a day at most.
    """

    __slots__ = ()
    TYPE = 60


class _MarketTurnover(NamedTuple):
    market_code_ascii: bytes
    currency_code_ascii: bytes
    filler: bytes
    turnover_3dp: int
    tail: bytes = b""


class MarketTurnover(_MarketTurnover):
    """The turnover of a market, by currency; a blank one is all of them, in HKD (61)."""

    __slots__ = ()
    TYPE = 61

    market_code: Text = Text()
    currency_code: Text = Text()
