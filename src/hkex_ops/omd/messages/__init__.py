"""Every message of the feeds as a typed, immutable tuple, named by the specification's nouns.

Fields stand in the order of the wire, fillers among them, scale and form in their names. Which type
has which layout in which version is the tables' affair (:mod:`hkex_ops.omd.layout`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

from hkex_ops.omd.messages.book import (
    AggregateOrderBookUpdate,
    BookEntry,
    BrokerQueue,
    OrderImbalance,
    QueueItem,
)
from hkex_ops.omd.messages.china_connect import (
    ConnectMarketDefinition,
    ConnectSecurityDefinition,
    ConnectSecurityStatus,
    ConnectStatistics,
    TopOfBook,
)
from hkex_ops.omd.messages.control import (
    DisasterRecoverySignal,
    RefreshComplete,
    SequenceReset,
)
from hkex_ops.omd.messages.index import (
    IndexData,
    IndexDefinition,
)
from hkex_ops.omd.messages.news import (
    News,
)
from hkex_ops.omd.messages.orders import (
    AddOddLotOrder,
    AddOrder,
    DeleteOddLotOrder,
    DeleteOrder,
    ModifyOrder,
)
from hkex_ops.omd.messages.prices import (
    ClosingPrice,
    IndicativeEquilibriumPrice,
    NominalPrice,
    ReferencePrice,
    Yield,
)
from hkex_ops.omd.messages.reference import (
    CurrencyRate,
    LiquidityProvider,
    MarketDefinition,
)
from hkex_ops.omd.messages.securities import (
    SecurityDefinition,
    SecurityDefinition2018,
    Underlying,
)
from hkex_ops.omd.messages.session import (
    Logon,
    LogonResponse,
    RetransmissionRequest,
    RetransmissionResponse,
)
from hkex_ops.omd.messages.statistics import (
    MarketTurnover,
    Statistics,
)
from hkex_ops.omd.messages.status import (
    SecurityStatus,
    TradingSessionStatus,
    VCMTrigger,
)
from hkex_ops.omd.messages.stock_connect import (
    StockConnectDailyQuotaBalance,
    StockConnectMarketTurnover,
)
from hkex_ops.omd.messages.trades import (
    Trade,
    TradeCancel,
    TradeTicker,
)
from hkex_ops.omd.messages.unknown import (
    UnknownMessage,
)

__all__ = [
    "ITEMS",
    "KINDS",
    "AddOddLotOrder",
    "AddOrder",
    "AggregateOrderBookUpdate",
    "BookEntry",
    "BrokerQueue",
    "ClosingPrice",
    "ConnectMarketDefinition",
    "ConnectSecurityDefinition",
    "ConnectSecurityStatus",
    "ConnectStatistics",
    "CurrencyRate",
    "DeleteOddLotOrder",
    "DeleteOrder",
    "DisasterRecoverySignal",
    "IndexData",
    "IndexDefinition",
    "IndicativeEquilibriumPrice",
    "Item",
    "LiquidityProvider",
    "Logon",
    "LogonResponse",
    "MarketDefinition",
    "MarketTurnover",
    "Message",
    "ModifyOrder",
    "News",
    "NominalPrice",
    "OrderImbalance",
    "QueueItem",
    "ReferencePrice",
    "RefreshComplete",
    "RetransmissionRequest",
    "RetransmissionResponse",
    "SecurityDefinition",
    "SecurityDefinition2018",
    "SecurityStatus",
    "SequenceReset",
    "Statistics",
    "StockConnectDailyQuotaBalance",
    "StockConnectMarketTurnover",
    "TopOfBook",
    "Trade",
    "TradeCancel",
    "TradeTicker",
    "TradingSessionStatus",
    "Underlying",
    "UnknownMessage",
    "VCMTrigger",
    "Yield",
]

Item: TypeAlias = BookEntry | QueueItem | Underlying
"""What the repeating groups of messages are made of, where it is more than one field."""

Message: TypeAlias = (
    AddOddLotOrder
    | AddOrder
    | AggregateOrderBookUpdate
    | BrokerQueue
    | ClosingPrice
    | ConnectMarketDefinition
    | ConnectSecurityDefinition
    | ConnectSecurityStatus
    | ConnectStatistics
    | CurrencyRate
    | DeleteOddLotOrder
    | DeleteOrder
    | DisasterRecoverySignal
    | IndexData
    | IndexDefinition
    | IndicativeEquilibriumPrice
    | LiquidityProvider
    | Logon
    | LogonResponse
    | MarketDefinition
    | MarketTurnover
    | ModifyOrder
    | News
    | NominalPrice
    | OrderImbalance
    | ReferencePrice
    | RefreshComplete
    | RetransmissionRequest
    | RetransmissionResponse
    | SecurityDefinition
    | SecurityDefinition2018
    | SecurityStatus
    | SequenceReset
    | Statistics
    | StockConnectDailyQuotaBalance
    | StockConnectMarketTurnover
    | TopOfBook
    | Trade
    | TradeCancel
    | TradeTicker
    | TradingSessionStatus
    | UnknownMessage
    | VCMTrigger
    | Yield
)
"""Whatever a packet can hold."""

KINDS: Mapping[str, type[Message]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            AddOddLotOrder,
            AddOrder,
            AggregateOrderBookUpdate,
            BrokerQueue,
            ClosingPrice,
            ConnectMarketDefinition,
            ConnectSecurityDefinition,
            ConnectSecurityStatus,
            ConnectStatistics,
            CurrencyRate,
            DeleteOddLotOrder,
            DeleteOrder,
            DisasterRecoverySignal,
            IndexData,
            IndexDefinition,
            IndicativeEquilibriumPrice,
            LiquidityProvider,
            Logon,
            LogonResponse,
            MarketDefinition,
            MarketTurnover,
            ModifyOrder,
            News,
            NominalPrice,
            OrderImbalance,
            ReferencePrice,
            RefreshComplete,
            RetransmissionRequest,
            RetransmissionResponse,
            SecurityDefinition,
            SecurityDefinition2018,
            SecurityStatus,
            SequenceReset,
            Statistics,
            StockConnectDailyQuotaBalance,
            StockConnectMarketTurnover,
            TopOfBook,
            Trade,
            TradeCancel,
            TradeTicker,
            TradingSessionStatus,
            VCMTrigger,
            Yield,
        )
    }
)
"""The kinds of messages by name, as the layout tables name them."""

ITEMS: Mapping[str, type[Item]] = MappingProxyType(
    {kind.__name__: kind for kind in (BookEntry, QueueItem, Underlying)}
)
"""The kinds of group items by name, as the layout tables name them."""
