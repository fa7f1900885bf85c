"""Values of fields that code decides by, as enumerations with the specification's terms.

Messages carry plain numbers and bytes, since values that no specification names do occur. Whoever
decides compares with a member, or asks the enumeration and is ready for `ValueError`. Every term of
every field is in the layout tables; a test compares the two.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = [
    "DisasterStatus",
    "EarlierSessionStatus",
    "ImbalanceDirection",
    "IndexSource",
    "InstrumentType",
    "MarketSegment",
    "ProductType",
    "QueueSide",
    "SessionStatus",
    "Side",
    "SuspensionIndicator",
    "TradeType",
    "TradingSession",
    "UpdateAction",
]


class MarketSegment(StrEnum):
    """MarketCode."""

    MAIN = "MAIN"
    GEM = "GEM"
    NASDAQ = "NASD"
    ETS = "ETS"  # the specification does not say what the letters stand for


class InstrumentType(StrEnum):
    """InstrumentType of a security."""

    BOND = "BOND"
    EQUITY = "EQTY"
    TRUST = "TRST"
    WARRANT = "WRNT"  # structured products too


class ProductType(IntEnum):
    """ProductType of a security."""

    ORDINARY_SHARE = 1
    PREFERENCE_SHARE = 2
    DERIVATIVE_WARRANT = 3
    DEBT = 4
    RIGHTS = 6
    HDR_ORDINARY = 7
    REIT = 8
    OTHER_UNIT_TRUST = 9
    LEVERAGED_AND_INVERSE = 10
    CBBC = 11
    HDR_PREFERENCE = 12
    EQUITY_WARRANT = 13
    INLINE_WARRANT = 15
    EQUITY_ETF = 16
    FIXED_INCOME_ETF = 17
    COMMODITY_ETF = 18
    SPAC_WARRANT = 21
    SPAC_SHARE = 24
    OTHER = 99


class TradingSession(IntEnum):
    """TradingSessionSubID: the part of the day. POS is the pre-opening, CAS the closing auction."""

    DAY_CLOSE = 0
    POS_ORDER_INPUT = 1
    POS_MATCHING = 2
    CONTINUOUS = 3
    CAS_MATCHING = 4
    CAS_ORDER_INPUT = 5
    BLOCKING = 7
    NOT_YET_OPEN = 100
    POS_NO_CANCELLATION = 101
    EXCHANGE_INTERVENTION = 102
    CLOSE = 103
    ORDER_CANCEL = 104
    CAS_REFERENCE_PRICE = 105
    CAS_NO_CANCELLATION = 106
    CAS_RANDOM_CLOSE = 107
    POS_RANDOM_MATCHING = 108  # since 19 October 2020


class SessionStatus(IntEnum):
    """TradingSesStatus since 19 October 2020."""

    UNKNOWN = 0
    HALTED = 10
    PRE_OPEN = 20
    OPEN = 30
    PRE_CLOSE = 40
    CLOSED = 50
    DAY_CLOSED = 100


class EarlierSessionStatus(IntEnum):
    """TradingSesStatus until 18 October 2020."""

    UNKNOWN = 0
    HALTED = 1
    OPEN = 2
    CLOSED = 3
    PRE_CLOSE = 5
    DAY_CLOSED = 100


class SuspensionIndicator(IntEnum):
    """SuspensionIndicator of a security's status."""

    SUSPENDED = 2
    RESUMED = 3


class Side(IntEnum):
    """Side of an order or a price level."""

    BID = 0
    OFFER = 1


class QueueSide(IntEnum):
    """Side of a broker queue, which alone is numbered so."""

    BUY = 1
    SELL = 2


class UpdateAction(IntEnum):
    """UpdateAction of a change to a book."""

    NEW = 0
    CHANGE = 1
    DELETE = 2
    CLEAR = 74  # both sides


class TradeType(IntEnum):
    """TrdType of a trade."""

    AUTOMATCHED = 0
    LATE = 4  # off-exchange, of the previous day
    NON_DIRECT = 22  # off-exchange
    INTERNALISED = 100
    DIRECT = 101  # off-exchange
    ODD_LOT = 102
    AUCTION = 103
    OVERSEAS = 104


class ImbalanceDirection(StrEnum):
    """OrderImbalanceDirection at an auction."""

    BALANCED = "N"
    BUY = "B"
    SELL = "S"
    NOT_APPLICABLE = ""  # there is no price: the quantity means nothing


class IndexSource(StrEnum):
    """Who compiles an index."""

    CSI_AND_CES = "C"
    HANG_SENG = "H"
    STANDARD_AND_POORS = "S"


class DisasterStatus(IntEnum):
    """DRStatus of the disaster recovery signal."""

    STARTED = 1
    COMPLETED = 2
