"""Stock Connect: the northbound quota and the turnover both ways."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Nullable, Text

__all__ = [
    "StockConnectDailyQuotaBalance",
    "StockConnectMarketTurnover",
]


class _StockConnectDailyQuotaBalance(NamedTuple):
    stock_connect_market_ascii: bytes
    trading_direction_ascii: bytes
    balance_int64: int
    balance_time_ns: int
    tail: bytes = b""


class StockConnectDailyQuotaBalance(_StockConnectDailyQuotaBalance):
    """What is left of the northbound quota in RMB, ``None`` while it is 30 % or more (80)."""

    __slots__ = ()
    TYPE = 80

    stock_connect_market: Text = Text()
    trading_direction: Text = Text()
    balance: Nullable = Nullable()


class _StockConnectMarketTurnover(NamedTuple):
    stock_connect_market_ascii: bytes
    trading_direction_ascii: bytes
    buy_turnover_int64: int
    sell_turnover_int64: int
    buy_sell_turnover_int64: int
    tail: bytes = b""


class StockConnectMarketTurnover(_StockConnectMarketTurnover):
    """Turnover through Stock Connect (81); northbound gives the total only, after the close."""

    __slots__ = ()
    TYPE = 81

    stock_connect_market: Text = Text()
    trading_direction: Text = Text()
    buy_turnover: Nullable = Nullable()
    sell_turnover: Nullable = Nullable()
    buy_sell_turnover: Nullable = Nullable()
