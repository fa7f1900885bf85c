"""Messages of OMD-CC, the feed of the mainland securities that can be traded northbound.

Those about the stream are the same as OMD-C's. Names that OMD-C has too begin with ``Connect``.
"""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Chinese, Day, Text

__all__ = [
    "ConnectMarketDefinition",
    "ConnectSecurityDefinition",
    "ConnectSecurityStatus",
    "ConnectStatistics",
    "TopOfBook",
]


class _ConnectMarketDefinition(NamedTuple):
    market_code_ascii: bytes
    market_name_ascii: bytes
    currency_code_ascii: bytes
    number_of_securities: int
    tail: bytes = b""


class ConnectMarketDefinition(_ConnectMarketDefinition):
    """A mainland market: ASHR Shanghai, ASZR Shenzhen (610)."""

    __slots__ = ()
    TYPE = 610

    market_code: Text = Text()
    market_name: Text = Text()
    currency_code: Text = Text()


class _ConnectSecurityDefinition(NamedTuple):
    security_code: int
    market_code_ascii: bytes
    isin_ascii: bytes
    instrument_type_ascii: bytes
    filler: bytes
    security_short_name_ascii: bytes
    currency_code_ascii: bytes
    filler_2: bytes
    security_name_gb_utf16: bytes
    lot_size: int
    previous_closing_price_3dp: int
    filler_3: bytes
    short_sell_flag_ascii: bytes
    filler_4: bytes
    listing_date_yyyymmdd: int
    filler_5: bytes
    tail: bytes = b""


class ConnectSecurityDefinition(_ConnectSecurityDefinition):
    """A mainland security as it stands today (611)."""

    __slots__ = ()
    TYPE = 611

    market_code: Text = Text()
    isin: Text = Text()
    instrument_type: Text = Text()
    security_short_name: Text = Text()
    currency_code: Text = Text()
    security_name_gb: Chinese = Chinese()
    short_sell_flag: Text = Text()
    listing_date: Day = Day()


class _ConnectSecurityStatus(NamedTuple):
    security_code: int
    security_trading_status: int
    filler: bytes
    trading_phase_code_ascii: bytes
    tail: bytes = b""


class ConnectSecurityStatus(_ConnectSecurityStatus):
    """A mainland security is halted, 2, or resumed, 3 (621). The phase code is the mainland's."""

    __slots__ = ()
    TYPE = 621

    trading_phase_code: Text = Text()


class _TopOfBook(NamedTuple):
    security_code: int
    aggregate_bid_quantity: int
    aggregate_ask_quantity: int
    bid_price_3dp: int
    ask_price_3dp: int
    filler: bytes
    tail: bytes = b""


class TopOfBook(_TopOfBook):
    """The best bid and ask of a mainland security (655)."""

    __slots__ = ()
    TYPE = 655


class _ConnectStatistics(NamedTuple):
    security_code: int
    shares_traded: int
    turnover_3dp: int
    high_price_3dp: int
    low_price_3dp: int
    last_price_3dp: int
    opening_price_3dp: int
    filler: bytes
    tail: bytes = b""


class ConnectStatistics(_ConnectStatistics):
    """What was traded in a mainland security so far (660)."""

    __slots__ = ()
    TYPE = 660
