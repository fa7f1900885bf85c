"""Single orders: the full book of the FullTick feed, and the odd lots.

Sides are 0 bid and 1 offer. An order id is unique for one security and day only.
"""

from __future__ import annotations

from typing import NamedTuple

from hkex_ops.omd.accessors import Text

__all__ = [
    "AddOddLotOrder",
    "AddOrder",
    "DeleteOddLotOrder",
    "DeleteOrder",
    "ModifyOrder",
]


class _AddOrder(NamedTuple):
    security_code: int
    order_id: int
    price_3dp: int
    quantity: int
    side: int
    order_type_ascii: bytes
    filler: bytes
    order_book_position: int
    tail: bytes = b""


class AddOrder(_AddOrder):
    """An order enters the book (30)."""

    __slots__ = ()
    TYPE = 30

    order_type: Text = Text()


class _ModifyOrder(NamedTuple):
    security_code: int
    order_id: int
    quantity: int
    side: int
    filler: bytes
    order_book_position: int
    tail: bytes = b""


class ModifyOrder(_ModifyOrder):
    """An order's quantity changed (31); nothing else ever does."""

    __slots__ = ()
    TYPE = 31


class _DeleteOrder(NamedTuple):
    security_code: int
    order_id: int
    side: int
    filler: bytes
    tail: bytes = b""


class DeleteOrder(_DeleteOrder):
    """An order leaves the book (32)."""

    __slots__ = ()
    TYPE = 32


class _AddOddLotOrder(NamedTuple):
    security_code: int
    order_id: int
    price_3dp: int
    quantity: int
    broker_id: int
    side: int
    tail: bytes = b""


class AddOddLotOrder(_AddOddLotOrder):
    """An odd lot order enters the book, with its broker (33)."""

    __slots__ = ()
    TYPE = 33


class _DeleteOddLotOrder(NamedTuple):
    security_code: int
    order_id: int
    broker_id: int
    side: int
    tail: bytes = b""


class DeleteOddLotOrder(_DeleteOddLotOrder):
    """An odd lot order leaves the book (34)."""

    __slots__ = ()
    TYPE = 34
