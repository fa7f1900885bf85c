"""The basket file of a simulated market: what each of its indexes is made of, as text.

In the form that ``hkex-ops index`` reads, so that an engine computes what the simulated compiler
published. The constituents are SYNTHETIC, and the file says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from hkex_ops_simulator.market.stocks import SyntheticIndex, Universe

__all__ = ["baskets_text"]

_LABEL = "SYNTHETIC: invented constituents of an invented market, made by hkex-ops-simulator"


def baskets_text(universe: Universe, business_date: date) -> str:
    """The TOML of every basket of ``universe`` on ``business_date``."""
    closes = universe.closes_3dp
    lines = [f'label = "{_LABEL}"']
    for index in universe.indexes:
        lines += ["", *_basket(index, closes, business_date)]
    return "\n".join(lines) + "\n"


def _basket(
    index: SyntheticIndex, closes_3dp: dict[int, int], business_date: date
) -> Iterator[str]:
    points, cents = divmod(index.previous_close_cents, 100)
    yield "[[baskets]]"
    yield f'index = "{index.code}"'
    yield f'name = "{index.name}"'
    yield f"business_date = {business_date.isoformat()}"
    yield f'previous_close = "{points}.{cents:02}"'
    yield "constituents = ["
    for one in index.members:
        price = _decimal(closes_3dp[one.code], 3)
        freefloat = _decimal(one.freefloat_pct, 2)
        cap = _decimal(one.cap_4dp, 4)
        yield (
            f"  {{ security = {one.code}, issued_shares = {one.issued_shares}, "
            f'freefloat_factor = "{freefloat}", cap_factor = "{cap}", '
            f'previous_close = "{price}", currency = "HKD" }},'
        )
    yield "]"


def _decimal(units: int, decimals: int) -> str:
    whole, rest = divmod(units, 10**decimals)
    return f"{whole}.{rest:0{decimals}}"
