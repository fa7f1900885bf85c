"""After the close: the versions of each index that are computed once a day, from one engine.

Asked when an engine has told the closing index: its prices are then closing prices. What a version
lacks is said and costs no other index its own. Called by the engine process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from hkex_ops.errors import UsageError
from hkex_ops.flows.index.straight_trades import Heard
from hkex_ops.index.afterclose import after_close
from hkex_ops.index.basket import RATE_DECIMALS, Basket
from hkex_ops.index.engine import Engine
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexStatus, JsonObject

__all__ = ["versions_told"]


def versions_told(engine: Engine, data: Sequence[Heard]) -> Iterator[JsonObject]:
    """The lines that tell the versions of every index whose closing value is in ``data``."""
    closed = {
        event.index: event.time_ns
        for event in data
        if isinstance(event, TickComputed) and event.status is IndexStatus.CLOSING
    }
    for basket in engine.baskets:
        if basket.versions and basket.index in closed:
            yield _versions(engine, basket, closed[basket.index])


def _versions(engine: Engine, basket: Basket, time_ns: int) -> JsonObject:
    totals = engine.totals
    slots = {stock.security: totals.slots[stock.security] for stock in basket.constituents}
    closing = {code: totals.prices[slot] for code, slot in slots.items()}
    told = {one.currency: one.rate for one in basket.rates}
    told |= {code: Decimal(rate).scaleb(-RATE_DECIMALS) for code, rate in totals.rates.items()}
    try:
        found = after_close(basket, closing, engine.rules, rates=told)
    except UsageError as error:
        fields: JsonObject = {"index": basket.index, "reason": str(error)}
        return {"say": "told", "kind": "versions-lacking", "fields": fields}
    return {
        "say": "versions",
        "time_ns": time_ns,
        "stale": sorted(code for code in slots if code in engine.marked),
        "rows": [[one.code, str(one.value)] for one in found],
    }
