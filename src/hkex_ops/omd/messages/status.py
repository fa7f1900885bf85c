"""What trading a market or a security is in."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text

__all__ = [
    "SecurityStatus",
    "TradingSessionStatus",
    "VCMTrigger",
]


class _TradingSessionStatus(NamedTuple):
    market_code_ascii: bytes
    filler: bytes
    trading_session_sub_id: int
    trading_session_status: int
    trading_session_control_flag_ascii: bytes
    filler_2: bytes
    start_time_ns: int
    end_time_ns: int
    tail: bytes = b""


class TradingSessionStatus(_TradingSessionStatus):
    """The trading session that a market is in, or will be (20).

    On another channel than orders and trades, so that a few of those still come after a halt.
    Start and end are in whole seconds, 0 where there is none.
    """

    __slots__ = ()
    TYPE = 20

    market_code: Text = Text()
    trading_session_control_flag: Text = Text()


class _SecurityStatus(NamedTuple):
    security_code: int
    suspension_indicator: int
    filler: bytes
    tail: bytes = b""


class SecurityStatus(_SecurityStatus):
    """A security is halted or suspended, 2, or resumed, 3 (21)."""

    __slots__ = ()
    TYPE = 21


class _VCMTrigger(NamedTuple):
    security_code: int
    cooling_off_start_time_ns: int
    cooling_off_end_time_ns: int
    reference_price_3dp: int
    lower_price_3dp: int
    upper_price_3dp: int
    tail: bytes = b""


class VCMTrigger(_VCMTrigger):
    """A cooling-off period of the volatility control mechanism begins (23). No message ends it."""

    __slots__ = ()
    TYPE = 23
