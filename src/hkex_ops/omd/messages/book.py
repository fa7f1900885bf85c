"""The book by price level, the brokers in it, and its imbalance at an auction."""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text

__all__ = [
    "AggregateOrderBookUpdate",
    "BookEntry",
    "BrokerQueue",
    "OrderImbalance",
    "QueueItem",
]


class _BookEntry(NamedTuple):
    aggregate_quantity: int
    price_3dp: int
    number_of_orders: int
    side: int
    price_level: int
    update_action: int
    filler: bytes


class BookEntry(_BookEntry):
    """One change of a book: ``update_action`` 0 new, 1 change, 2 delete, 74 clear both sides."""

    __slots__ = ()


class _QueueItem(NamedTuple):
    item: int
    item_type_ascii: bytes
    filler: bytes


class QueueItem(_QueueItem):
    """A broker's number, type B, or how many spreads further away the next ones are, type S."""

    __slots__ = ()

    item_type: Text = Text()


class _AggregateOrderBookUpdate(NamedTuple):
    security_code: int
    filler: bytes
    entries: tuple[BookEntry, ...]
    tail: bytes = b""


class AggregateOrderBookUpdate(_AggregateOrderBookUpdate):
    """Changes of the ten best price levels of a security, to be applied one by one (53).

    A new level pushes lower ones down, a deleted one pulls them up. Refresh may send it without
    entries, for an emptied book.
    """

    __slots__ = ()
    TYPE = 53


class _BrokerQueue(NamedTuple):
    security_code: int
    side: int
    more_flag_ascii: bytes
    items: tuple[QueueItem, ...]
    tail: bytes = b""


class BrokerQueue(_BrokerQueue):
    """The brokers queueing at one side of a book, up to 40 (54).

    Here alone ``side`` is 1 buy and 2 sell.
    """

    __slots__ = ()
    TYPE = 54

    more_flag: Text = Text()


class _OrderImbalance(NamedTuple):
    security_code: int
    direction_ascii: bytes
    filler: bytes
    quantity: int
    filler_2: bytes
    tail: bytes = b""


class OrderImbalance(_OrderImbalance):
    """The surplus at an auction (56); its quantity means nothing where the direction is a space."""

    __slots__ = ()
    TYPE = 56

    direction: Text = Text()
