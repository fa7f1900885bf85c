"""The state of a channel as its refresh tells it: every message that still holds, once each.

Fed with every message that is sent; a snapshot then has what the specification's list has for it
(OMD-C interface specification, section 4.3): definitions, states, resting orders or levels, prices
and statistics, index values. Trades are not in it. A sequence reset changes no state: it is the
client who forgets, and learns it here again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from attrs import define, field

from hkex_ops.omd.messages import (
    AddOrder,
    AggregateOrderBookUpdate,
    BookEntry,
    ClosingPrice,
    ConnectMarketDefinition,
    ConnectSecurityDefinition,
    ConnectSecurityStatus,
    ConnectStatistics,
    CurrencyRate,
    DeleteOrder,
    IndexData,
    IndexDefinition,
    IndicativeEquilibriumPrice,
    LiquidityProvider,
    MarketDefinition,
    Message,
    ModifyOrder,
    NominalPrice,
    OrderImbalance,
    ReferencePrice,
    SecurityDefinition,
    SecurityStatus,
    Statistics,
    TopOfBook,
    TradingSessionStatus,
)

__all__ = ["ChannelState"]

_NEW, _CHANGE, _DELETE = 0, 1, 2

# The order of a snapshot: what defines comes before what refers to it.
_ORDER: tuple[type[Message], ...] = (
    MarketDefinition,
    ConnectMarketDefinition,
    CurrencyRate,
    SecurityDefinition,
    ConnectSecurityDefinition,
    LiquidityProvider,
    IndexDefinition,
    TradingSessionStatus,
    SecurityStatus,
    ConnectSecurityStatus,
    TopOfBook,
    NominalPrice,
    IndicativeEquilibriumPrice,
    OrderImbalance,
    ReferencePrice,
    Statistics,
    ConnectStatistics,
    ClosingPrice,
    IndexData,
)

_Level = tuple[int, int, int]


@define
class ChannelState:
    """What holds on one channel now."""

    _latest: dict[type[Message], dict[Hashable, Message]] = field(
        factory=dict[type[Message], dict[Hashable, Message]], init=False
    )
    _orders: dict[tuple[int, int], AddOrder] = field(
        factory=dict[tuple[int, int], AddOrder], init=False
    )
    _books: dict[int, tuple[list[_Level], list[_Level]]] = field(
        factory=dict[int, tuple[list[_Level], list[_Level]]], init=False
    )

    def take(self, message: Message) -> None:
        """A message was sent."""
        match message:
            case AddOrder():
                self._orders[message.security_code, message.order_id] = message
            case ModifyOrder():
                key = message.security_code, message.order_id
                self._orders[key] = self._orders[key]._replace(quantity=message.quantity)
            case DeleteOrder():
                del self._orders[message.security_code, message.order_id]
            case AggregateOrderBookUpdate():
                for entry in message.entries:
                    self._change(message.security_code, entry)
            case _ if type(message) in _ORDER:
                self._latest.setdefault(type(message), {})[_key(message)] = message
            case _:
                pass

    def snapshot(self) -> Iterator[Message]:
        """Every message that holds, in an order in which it can be read."""
        for kind in _ORDER:
            yield from self._latest.get(kind, {}).values()
        yield from self._orders.values()
        for code, sides in self._books.items():
            entries = tuple(
                BookEntry(quantity, price, orders, side, level, _NEW, b"\0" * 4)
                for side, levels in enumerate(sides)
                for level, (quantity, price, orders) in enumerate(levels, start=1)
            )
            yield AggregateOrderBookUpdate(code, b"\0" * 3, entries)

    def _change(self, code: int, entry: BookEntry) -> None:
        sides = self._books.setdefault(code, ([], []))
        levels, place = sides[entry.side], entry.price_level - 1
        level = entry.aggregate_quantity, entry.price_3dp, entry.number_of_orders
        if entry.update_action == _NEW:
            levels.insert(place, level)
        elif entry.update_action == _CHANGE:
            levels[place] = level
        else:
            del levels[place]


def _key(message: Message) -> Hashable:
    """What a later message of its kind replaces: that of the same thing."""
    match message:
        case IndexData() | IndexDefinition():
            return message.index_code_ascii
        case CurrencyRate():
            return message.currency_code_ascii
        case MarketDefinition() | ConnectMarketDefinition() | TradingSessionStatus():
            return message.market_code_ascii
        case ConnectSecurityDefinition() | ConnectSecurityStatus() | ConnectStatistics():
            return message.security_code
        case SecurityDefinition() | LiquidityProvider() | SecurityStatus() | NominalPrice():
            return message.security_code
        case IndicativeEquilibriumPrice() | OrderImbalance() | ReferencePrice():
            return message.security_code
        case Statistics() | ClosingPrice() | TopOfBook():
            return message.security_code
        case _:
            raise AssertionError(f"{type(message).__name__} is of no snapshot")
