"""What happens in one stock during a day: orders rest, change and go, and trades take from them.

Facts only, drawn from a generator that is handed in. How the exchange tells them is
:mod:`~hkex_ops_simulator.market.feeds`'s: one product tells every order, another ten levels of the
book. A book here never crosses and never has more than ten prices a side.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from attrs import define, field

from hkex_ops_simulator.market.stocks import Stock, tick_3dp

__all__ = [
    "BID",
    "LEVELS",
    "OFFER",
    "Dealing",
    "Dealt",
    "Fact",
    "OrderAdded",
    "OrderChanged",
    "OrderDeleted",
    "RestingOrder",
]

BID = 0
OFFER = 1

# The feeds tell this many prices of each side; nobody rests an order further away.
LEVELS = 10

# Who would rest more orders in one stock than this takes one back instead.
MOST_ORDERS = 30

# Trade types: automatch and auction move an index, others are told beside.
# Source: OMD-C specification, section 3.10.1.
AUTOMATCH, INTERNALISED, AUCTION = 0, 100, 103
_BESIDE = (22, 101, 102)
_LATE = 4


class RestingOrder(NamedTuple):
    """An order in the book."""

    id: int
    side: int
    price_3dp: int
    quantity: int


class OrderAdded(NamedTuple):
    """An order came to rest."""

    order: RestingOrder


class OrderChanged(NamedTuple):
    """An order has another quantity than ``before``."""

    order: RestingOrder
    before: int


class OrderDeleted(NamedTuple):
    """An order is gone, taken back or dealt in full."""

    order: RestingOrder


class Dealt(NamedTuple):
    """A trade. ``counts`` is whether it moves the last price."""

    trade_id: int
    price_3dp: int
    quantity: int
    trade_type: int
    counts: bool


Fact = OrderAdded | OrderChanged | OrderDeleted | Dealt


@define
class Dealing:
    """The day of ``stock`` so far. ``last_3dp`` is the price of its last trade, or what it closed
    at; figures of the day are zero before the first trade."""

    stock: Stock
    last_3dp: int = field(init=False)
    trades: int = 0
    shares: int = 0
    turnover_3dp: int = 0
    high_3dp: int = 0
    low_3dp: int = 0
    suspended: bool = False
    _tick: int = field(init=False)
    _orders: list[RestingOrder] = field(factory=list[RestingOrder], init=False)
    _next_order: int = field(default=1, init=False)

    def __attrs_post_init__(self) -> None:
        self.last_3dp = self.stock.previous_close_3dp
        self._tick = tick_3dp(self.last_3dp)

    # -- what may happen ---------------------------------------------------------------------

    def act(self, rng: Random) -> tuple[Fact, ...]:
        """Whatever comes next in continuous trading, as chance will have it."""
        drawn = rng.random()
        if not self._orders or (drawn < 0.44 and len(self._orders) < MOST_ORDERS):
            return (self._rest(rng),)
        if drawn < 0.76:
            return (self._delete(self._orders[int(rng.random() * len(self._orders))]),)
        if drawn < 0.86:
            order = self._orders[int(rng.random() * len(self._orders))]
            return (self._reduce(order, max(self.stock.lot, order.quantity // 2)),)
        if drawn < 0.99:
            return self._match(rng) or (self._rest(rng),)
        return (self._beside(rng),)

    def auction(self, price_3dp: int, quantity: int) -> Dealt:
        """A trade of the opening or closing auction, at its one price."""
        return self._dealt(price_3dp, quantity, AUCTION)

    def automatch(self, price_3dp: int, quantity: int) -> Dealt:
        """A trade of continuous trading at a price that somebody else chose."""
        return self._dealt(price_3dp, quantity, AUTOMATCH)

    def late(self, rng: Random) -> Dealt:
        """A trade of the previous day that is reported before this one opens."""
        return self._told_beside(rng, _LATE)

    def indication(self, rng: Random) -> tuple[int, int]:
        """Price and quantity at which an auction would be matched now."""
        step = rng.randint(-6, 6) * self._tick
        return max(self._tick, self.last_3dp + step), rng.randint(1, 400) * self.stock.lot

    def withdraw(self) -> tuple[Fact, ...]:
        """Every order is taken back."""
        return tuple(self._delete(order) for order in tuple(self._orders))

    # -- orders ------------------------------------------------------------------------------

    def best(self, side: int) -> RestingOrder | None:
        """The order of ``side`` that is dealt with next."""
        of_side = [order for order in self._orders if order.side == side]
        if not of_side:
            return None
        sign = 1 if side == OFFER else -1
        return min(of_side, key=lambda order: sign * order.price_3dp)

    def _rest(self, rng: Random) -> OrderAdded:
        side = BID if rng.random() < 0.5 else OFFER
        away = rng.randrange(LEVELS // 2) * self._tick
        best, across = self.best(side), self.best(1 - side)
        if side == BID:
            most = self.last_3dp if across is None else across.price_3dp - self._tick
            price = min(self.last_3dp, most) - away
        else:
            least = self.last_3dp + self._tick
            least = least if across is None else max(least, across.price_3dp + self._tick)
            price = least + away
        prices = {order.price_3dp for order in self._orders if order.side == side}
        too_many = len(prices) == LEVELS and price not in prices
        if best is not None and (too_many or price <= 0):
            price = best.price_3dp
        order = RestingOrder(
            self._next_order, side, max(price, 1), rng.randint(1, 64) * self.stock.lot
        )
        self._next_order += rng.randint(1, 8)
        self._orders.append(order)
        return OrderAdded(order)

    def _delete(self, order: RestingOrder) -> OrderDeleted:
        self._orders.remove(order)
        return OrderDeleted(order)

    def _reduce(self, order: RestingOrder, quantity: int) -> OrderChanged:
        changed = order._replace(quantity=quantity)
        self._orders[self._orders.index(order)] = changed
        return OrderChanged(changed, order.quantity)

    # -- trades ------------------------------------------------------------------------------

    def _match(self, rng: Random) -> tuple[Fact, ...]:
        """The best order of a side is dealt with, whole or in part; nothing where none rests."""
        order = self.best(BID if rng.random() < 0.5 else OFFER)
        if order is None:
            return ()
        quantity = min(order.quantity, rng.randint(1, 32) * self.stock.lot)
        trade_type = INTERNALISED if rng.random() < 0.02 else AUTOMATCH
        dealt = self._dealt(order.price_3dp, quantity, trade_type)
        if quantity == order.quantity:
            return dealt, self._delete(order)
        return dealt, self._reduce(order, order.quantity - quantity)

    def _dealt(self, price_3dp: int, quantity: int, trade_type: int) -> Dealt:
        self.last_3dp = price_3dp
        self.high_3dp = max(self.high_3dp, price_3dp)
        self.low_3dp = min(self.low_3dp or price_3dp, price_3dp)
        return self._booked(price_3dp, quantity, trade_type, counts=True)

    def _beside(self, rng: Random) -> Dealt:
        return self._told_beside(rng, rng.choice(_BESIDE))

    def _told_beside(self, rng: Random, trade_type: int) -> Dealt:
        """Off the price that an index uses, so that a wrong choice of types is seen at once."""
        price = self.last_3dp + 3 * self._tick
        return self._booked(price, rng.randint(1, 99), trade_type, counts=False)

    def _booked(self, price_3dp: int, quantity: int, trade_type: int, *, counts: bool) -> Dealt:
        self.trades += 1
        self.shares += quantity
        self.turnover_3dp += price_3dp * quantity
        return Dealt(self.trades, price_3dp, quantity, trade_type, counts)
