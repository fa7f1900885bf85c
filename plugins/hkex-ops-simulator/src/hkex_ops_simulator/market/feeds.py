"""How each product tells what happens in a stock: order by order, or ten levels of the book.

A teller turns facts into messages and remembers only what it has to. Called for every fact of a
day, in order.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import Protocol

from attrs import define, field

from hkex_ops.omd.messages import (
    AddOrder,
    AggregateOrderBookUpdate,
    BookEntry,
    ClosingPrice,
    DeleteOrder,
    Message,
    ModifyOrder,
    NominalPrice,
    Statistics,
    Trade,
)
from hkex_ops_simulator.market.channels import Feed
from hkex_ops_simulator.market.dealing import (
    BID,
    Dealing,
    Dealt,
    Fact,
    OrderAdded,
    OrderChanged,
    RestingOrder,
)

__all__ = ["Teller", "teller", "trade_message"]

_LIMIT_ORDER = b"2"
_NEW, _CHANGE, _DELETE = 0, 1, 2
_US_NS = 1000


class Teller(Protocol):
    """Tells of one stock in one product."""

    def tell(self, fact: Fact, time_ns: int) -> Iterator[Message]:
        """The messages of one fact."""
        ...

    def close(self) -> Iterator[Message]:
        """What is told when the closing price is known: it is the last one."""
        ...


def teller(feed: Feed, dealing: Dealing) -> Teller:
    """The teller of ``feed`` for the stock of ``dealing``."""
    return _Premium(dealing) if feed is Feed.PREMIUM else _FullTick(dealing.stock.code)


def trade_message(code: int, dealt: Dealt, time_ns: int) -> Trade:
    """A trade's record; its time is in whole microseconds."""
    when = time_ns - time_ns % _US_NS
    return Trade(
        code, dealt.trade_id, dealt.price_3dp, dealt.quantity, dealt.trade_type, b"  ", when
    )


@define
class _FullTick:
    """Every order by its id."""

    code: int

    def tell(self, fact: Fact, time_ns: int) -> Iterator[Message]:
        if isinstance(fact, Dealt):
            yield trade_message(self.code, fact, time_ns)
            return
        id, side, price, quantity = fact.order
        if isinstance(fact, OrderAdded):
            yield AddOrder(self.code, id, price, quantity, side, _LIMIT_ORDER, b"F", 0)
        elif isinstance(fact, OrderChanged):
            yield ModifyOrder(self.code, id, quantity, side, b"\0\0", 0)
        else:
            yield DeleteOrder(self.code, id, side, b"\0\0")

    def close(self) -> Iterator[Message]:
        return iter(())


@define
class _Premium:
    """Price levels from the best, trades, the nominal price, and figures of the day.

    A level's number is its place from the best, 1 to 10; ``_levels`` has bids negated, so that
    the best of either side comes first.
    """

    dealing: Dealing
    _levels: tuple[list[int], list[int]] = field(factory=lambda: (list[int](), list[int]()))
    _resting: dict[tuple[int, int], tuple[int, int]] = field(
        factory=dict[tuple[int, int], tuple[int, int]]
    )
    _nominal_3dp: int = 0

    def tell(self, fact: Fact, time_ns: int) -> Iterator[Message]:
        code = self.dealing.stock.code
        if isinstance(fact, Dealt):
            yield trade_message(code, fact, time_ns)
            yield self._statistics()
            if fact.counts and fact.price_3dp != self._nominal_3dp:
                self._nominal_3dp = fact.price_3dp
                yield NominalPrice(code, fact.price_3dp)
            return
        if isinstance(fact, OrderAdded):
            entry = self._move(fact.order, fact.order.quantity, 1)
        elif isinstance(fact, OrderChanged):
            entry = self._move(fact.order, fact.order.quantity - fact.before, 0)
        else:
            entry = self._move(fact.order, -fact.order.quantity, -1)
        yield AggregateOrderBookUpdate(code, b"\0" * 3, (entry,))

    def close(self) -> Iterator[Message]:
        dealing = self.dealing
        yield ClosingPrice(dealing.stock.code, dealing.last_3dp, dealing.trades)

    def _move(self, order: RestingOrder, quantity: int, orders: int) -> BookEntry:
        """The change of one level when an order comes, goes or has another quantity."""
        side, price = order.side, order.price_3dp
        levels = self._levels[side]
        key = -price if side == BID else price
        before, count = self._resting.get((side, price), (0, 0))
        resting, number = before + quantity, count + orders
        if number == 0:
            level = levels.index(key) + 1
            del levels[level - 1], self._resting[side, price]
            return BookEntry(before, price, count, side, level, _DELETE, b"\0" * 4)
        self._resting[side, price] = resting, number
        if count:
            action = _CHANGE
        else:
            action = _NEW
            insort(levels, key)
        level = levels.index(key) + 1
        return BookEntry(resting, price, number, side, level, action, b"\0" * 4)

    def _statistics(self) -> Statistics:
        told = self.dealing
        average = told.turnover_3dp // told.shares
        return Statistics(
            told.stock.code,
            told.shares,
            told.turnover_3dp,
            told.high_3dp,
            told.low_3dp,
            told.last_3dp,
            average,
            0,
            0,
        )
