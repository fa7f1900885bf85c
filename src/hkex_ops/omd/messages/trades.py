"""Trades: one by one, cancelled, and several of one price as a ticker."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text

__all__ = [
    "Trade",
    "TradeCancel",
    "TradeTicker",
]


class _Trade(NamedTuple):
    security_code: int
    trade_id: int
    price_3dp: int
    quantity: int
    trade_type: int
    filler: bytes
    trade_time_ns: int
    tail: bytes = b""


class Trade(_Trade):
    """One trade (50). ``trade_id`` counts from 1 for each security and day."""

    __slots__ = ()
    TYPE = 50


class _TradeCancel(NamedTuple):
    security_code: int
    trade_id: int
    tail: bytes = b""


class TradeCancel(_TradeCancel):
    """A trade is undone (51)."""

    __slots__ = ()
    TYPE = 51


class _TradeTicker(NamedTuple):
    security_code: int
    ticker_id: int
    price_3dp: int
    aggregate_quantity: int
    trade_time_ns: int
    trade_type: int
    cancel_flag_ascii: bytes
    filler: bytes
    tail: bytes = b""


class TradeTicker(_TradeTicker):
    """Trades of one price together (52).

    Cancelled in part: the same ``ticker_id`` comes again with flag Y and what remains.
    """

    __slots__ = ()
    TYPE = 52

    cancel_flag: Text = Text()
