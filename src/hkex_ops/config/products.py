"""Files of callable products and of the trades in them, as CSV with checked columns.

What no product and no trade can be is a fault with its line and column, and nothing is computed
from a file with a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attrs import evolve

from hkex_ops.calendars import BusinessDay
from hkex_ops.config.rows import read_rows
from hkex_ops.index.cancellation import ProductTrade, trade_faults
from hkex_ops.index.names import index_code
from hkex_ops.index.products import CallableProduct, product_faults

__all__ = ["load_products", "load_trades"]


def load_products(path: Path) -> tuple[CallableProduct, ...]:
    """The products of a file with the columns ``product, index, direction, category, strike,
    call_level, entitlement_ratio`` and, if wanted, ``issuer, first_day, last_day``.

    An index is a code or one of the names of :mod:`hkex_ops.index.names`. Raises `ConfigError`
    with every fault; two rows of one product are one.
    """
    rows = read_rows(
        path, CallableProduct, what="products file", check=product_faults, key="product"
    )
    return tuple(evolve(row.value, index=index_code(row.value.index)) for row in rows)


def load_trades(path: Path, day: BusinessDay) -> tuple[ProductTrade, ...]:
    """The trades of a file with the columns ``trade, product, buyer, seller, time, price,
    quantity`` and, if wanted, ``way``; a bare time of day is one of ``day``.

    Raises `ConfigError` with every fault: a trade before the open or of another day is one, and
    so are two trades of one number.
    """
    check = partial(_trade_faults, day)
    rows = read_rows(path, ProductTrade, what="trades file", day=day.date, check=check, key="trade")
    return tuple(row.value for row in rows)


def _trade_faults(day: BusinessDay, trade: ProductTrade) -> Iterator[tuple[str, str]]:
    return trade_faults(trade, day)
