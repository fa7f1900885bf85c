"""SYNTHETIC contracts and trades that add up to what was published of 22 January 2010.

Thirteen bulls on the HSI with a call level of 20500, and others that stay out of reach; fifteen
trades in six of them between the call and the suspension, worth HK$47,220, of eighteen
participants. Which contracts and trades there really were is in no paper. As text in the form that
``hkex-ops index calls`` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal

from hkex_ops_simulator.hsil.replayed import at

__all__ = ["products_csv", "trades_csv"]

_PRODUCT_COLUMNS = "product,index,direction,category,strike,call_level,entitlement_ratio,issuer"
_TRADE_COLUMNS = "trade,product,buyer,seller,time,price,quantity"

# Source of the level and the count: HKEx report to the Panel, paragraph 8.
_CALLED = 13
_CALL_LEVEL = 20500
_STRIKES = (20000, 20100, 20200, 20300)
_RATIO = 5000

# Nothing that the index did on the day reaches these.
_OTHERS = (
    "SYN14,HSI,bull,R,19800,20000,5000",
    "SYN15,HSI,bear,R,21700,21500,5000",
    "SYN16,HSCEI,bull,R,10800,11000,5000",
)

# Price in thousandths of a HK$ and quantity in lots of 10,000, of trades after the call: their
# products add up to 4,722 times HK$10. Source of the totals: HKEx report, paragraph 8.
_LOT = 10_000
_AFTER_CALL = (
    (102, 4), (98, 3), (95, 5), (88, 2), (110, 4),
    (105, 3), (120, 2), (76, 5), (81, 4), (90, 3),
    (64, 6), (58, 5), (115, 2), (97, 3), (41, 5),
)  # fmt: skip
_TRADED = 6  # products
_BUYERS, _FIRST_SELLER = 12, 13  # the seller is the liquidity provider of its product
_FIRST, _APART = time(10, 30, 34), timedelta(seconds=8)

# Before the call, which no cancellation touches.
_BEFORE_CALL = (time(10, 10, 5), time(10, 29, 50), time(10, 30, 29))


def products_csv() -> str:
    """The products."""
    rows = [
        f"SYN{number:02},HSI,bull,R,{_STRIKES[number % len(_STRIKES)]},{_CALL_LEVEL},{_RATIO}"
        for number in range(1, _CALLED + 1)
    ]
    return "".join(
        f"{row}\n" for row in (_PRODUCT_COLUMNS, *(f"{one},SYNTHETIC" for one in (*rows, *_OTHERS)))
    )


def trades_csv() -> str:
    """The trades, in order of time."""
    return "".join(f"{row}\n" for row in (_TRADE_COLUMNS, *_trades()))


def _trades() -> Iterator[str]:
    for place, moment in enumerate(_BEFORE_CALL):
        yield _trade(f"B{place + 1:02}", place, at(moment), 100, 2)
    for place, (price, lots) in enumerate(_AFTER_CALL):
        yield _trade(f"A{place + 1:02}", place, at(_FIRST) + place * _APART, price, lots)


def _trade(name: str, place: int, moment: datetime, price_3dp: int, lots: int) -> str:
    product = place % _TRADED
    buyer, seller = place % _BUYERS + 1, _FIRST_SELLER + product
    price = Decimal(price_3dp).scaleb(-3)
    return (
        f"SYNTHETIC-{name},SYN{product + 1:02},P{buyer:02},P{seller:02},"
        f"{moment.isoformat()},{price},{lots * _LOT}"
    )
