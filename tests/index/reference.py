"""The oracle: an index computed serially, in a handful of lines that anybody can check by eye.

Knows no increment, no order of arrival and no machine. Also the small baskets that tests share.
All data is SYNTHETIC.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from hkex_ops.index.basket import Basket, Constituent
from hkex_ops.index.records import IndexRecord, TradeCancelRecord, TradeRecord

__all__ = [
    "NOW",
    "PLAIN",
    "TIES",
    "S",
    "basket_of",
    "price_table",
    "reference",
    "reference_in_arrival_order",
]

S = 1_000_000_000
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TYPES = (0, 100, 103)


def basket_of(index: str, previous_close: str, *stocks: tuple[int, int, int, int, int]) -> Basket:
    """A SYNTHETIC basket; each stock is (security, shares, freefloat, cap, previous close)."""
    return Basket(
        index,
        f"SYNTHETIC {index}",
        date(2026, 11, 20),
        Decimal(previous_close),
        tuple(
            Constituent(code, shares, freefloat, cap, previous_close_3dp=close)
            for code, shares, freefloat, cap, close in stocks
        ),
    )


PLAIN = basket_of(
    "PLAIN",
    "20862.67",
    (1, 20_000_000_019, 85, 7777, 65_850),
    (5, 19_123_456_789, 100, 10_000, 60_300),
    (700, 9_500_000_001, 60, 8512, 412_250),
)
# Equal weights, and a twentieth of the prices' sum as previous close: half of all values are ties.
TIES = basket_of(
    "TIES",
    "269.20",
    (1, 12_345_678_901, 85, 7777, 65_850),
    (5, 12_345_678_901, 85, 7777, 60_300),
    (700, 12_345_678_901, 85, 7777, 412_250),
)


def price_table(records: Iterable[IndexRecord], moment: int, basket: Basket) -> dict[int, int]:
    """What each stock last traded at, of all that was sent before ``moment``."""
    sent = [one for one in records if one.send_time_ns < moment]
    gone = {(one.security, one.trade_id) for one in sent if isinstance(one, TradeCancelRecord)}
    prices = {stock.security: stock.previous_close_3dp or 0 for stock in basket.constituents}
    trades = [one for one in sent if isinstance(one, TradeRecord) and one.trade_type in TYPES]
    for trade in sorted(trades, key=lambda one: one.trade_id):
        if (trade.security, trade.trade_id) not in gone and trade.security in prices:
            prices[trade.security] = trade.price_3dp
    return prices


def reference(records: Sequence[IndexRecord], moment: int, basket: Basket) -> int:
    """The index in cents at ``moment``: everything summed, divided once, half up."""
    return index_of(price_table(records, moment, basket), basket)


def index_of(prices: dict[int, int], basket: Basket) -> int:
    """The index in cents at those prices."""
    weights = [
        (one.security, one.issued_shares * one.freefloat_factor * one.cap_factor)
        for one in basket.constituents
    ]
    before = {stock.security: stock.previous_close_3dp or 0 for stock in basket.constituents}
    now = sum(prices[code] * weight for code, weight in weights)
    then = sum(before[code] * weight for code, weight in weights)
    return (2 * now * int(basket.previous_close * 100) + then) // (2 * then)


def reference_in_arrival_order(
    records: Iterable[IndexRecord], first: int, step: int, basket: Basket
) -> Iterator[tuple[int, int]]:
    """Moments and values, where what came earlier counts and the newest time is the clock."""
    prices = price_table((), 0, basket)
    newest = dict.fromkeys(prices, 0)
    moment = first
    for record in records:
        while record.send_time_ns >= moment:
            yield moment, index_of(prices, basket)
            moment += step
        if not isinstance(record, TradeRecord) or record.trade_type not in TYPES:
            continue
        if record.trade_id > newest.get(record.security, record.trade_id):
            newest[record.security] = record.trade_id
            prices[record.security] = record.price_3dp
