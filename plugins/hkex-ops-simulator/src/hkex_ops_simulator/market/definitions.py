"""Reference data of a simulated market as messages: markets, securities, currencies, indexes.

Every name says SYNTHETIC and every identifier is invented. Where the day has nothing to say a field
is blank or zero, as the specification has it for a plain ordinary share.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from hkex_ops.omd.messages import (
    CurrencyRate,
    IndexDefinition,
    LiquidityProvider,
    MarketDefinition,
    Message,
    SecurityDefinition,
    Underlying,
)
from hkex_ops_simulator.market.stocks import Stock, SyntheticIndex, Universe

__all__ = ["BOARDS", "index_definitions", "market_definitions"]

# The market segments. Source: OMD-C specification, section 3.7.1.
BOARDS = (
    ("MAIN", "MAIN BOARD"),
    ("GEM", "GEM"),
    ("NASD", "NASDAQ-AMEX BOARD"),
    ("ETS", "ETS"),
)

# Currency, power of ten, Hong Kong dollars at 4 decimals: round figures, invented.
_RATES = (("USD", 0, 78_000), ("CNY", 0, 108_000), ("EUR", 0, 84_000), ("JPY", 3, 510_000))

_HONG_KONG_DOLLAR = b"HKD"
_ORDINARY_SHARE = 1
_LISTED = 20100104
_NONE = 0


def market_definitions(universe: Universe, rng: Random) -> Iterator[Message]:
    """What the reference channel says before the day: (10), (14), (11) and (13)."""
    for code, name in BOARDS:
        count = sum(stock.board == code for stock in universe.stocks)
        yield MarketDefinition(_text(code, 4), _text(name, 25), _HONG_KONG_DOLLAR, count)
    for currency, factor, rate in _RATES:
        yield CurrencyRate(currency.encode(), b" ", factor, b"  ", rate)
    for place, stock in enumerate(universe.stocks):
        other = universe.stocks[place - 1].code if place % 7 == 6 else None
        yield _security(stock, other)
        if place % 20 == 0:
            brokers = tuple(rng.randint(1, 9999) for _ in range(rng.randint(1, 6)))
            yield LiquidityProvider(stock.code, brokers)


def index_definitions(indexes: tuple[SyntheticIndex, ...]) -> Iterator[IndexDefinition]:
    """What the index channel says before the day: (70)."""
    for one in indexes:
        yield IndexDefinition(_text(one.code, 11), b"H", _HONG_KONG_DOLLAR, b" ")


def _security(stock: Stock, underlying: int | None) -> SecurityDefinition:
    close = stock.previous_close_3dp
    return SecurityDefinition(
        security_code=stock.code,
        market_code_ascii=_text(stock.board, 4),
        isin_ascii=b"HK%010d" % stock.code,
        instrument_type_ascii=b"EQTY",
        product_type=_ORDINARY_SHARE,
        filler=b" ",
        spread_table_code_ascii=b"01",
        security_short_name_ascii=_text(stock.name, 40),
        currency_code_ascii=_HONG_KONG_DOLLAR,
        security_name_gccs_utf16=_chinese(f"合成證券{stock.code:05}"),
        security_name_gb_utf16=_chinese(f"合成证券{stock.code:05}"),
        lot_size=stock.lot,
        filler_2=b" " * 4,
        previous_closing_price_3dp=close,
        vcm_flag_ascii=b"Y",
        short_sell_flag_ascii=b"Y",
        cas_flag_ascii=b"Y",
        ccass_flag_ascii=b"Y",
        dummy_security_flag_ascii=b"N",
        filler_3=b" ",
        stamp_duty_flag_ascii=b"Y",
        filler_4=b" ",
        listing_date_yyyymmdd=_LISTED,
        delisting_date_yyyymmdd=_NONE,
        free_text_ascii=b" " * 38,
        filler_5=b" " * 62,
        pos_flag_ascii=b"Y",
        pos_upper_limit_3dp=close * 115 // 100,
        pos_lower_limit_3dp=close * 85 // 100,
        domain_settlement_security_code=_NONE,
        filler_6=b" " * 37,
        efn_flag_ascii=b"N",
        accrued_interest_3dp=_NONE,
        coupon_rate_3dp=_NONE,
        filler_7=b" ",
        face_value_unscaled=_NONE,
        decimals_in_face_value=_NONE,
        face_value_currency_ascii=b" " * 3,
        bond_maturity_date_yyyymmdd=_NONE,
        investor_type_ascii=b" ",
        filler_8=b" " * 44,
        conversion_ratio_3dp=_NONE,
        strike_price_1_3dp=_NONE,
        strike_price_2_3dp=_NONE,
        warrant_maturity_date_yyyymmdd=_NONE,
        call_put_flag_ascii=b" ",
        style_ascii=b" ",
        filler_9=b"  ",
        warrant_type_ascii=b" ",
        call_price_unscaled=_NONE,
        decimals_in_call_price=_NONE,
        entitlement_unscaled=_NONE,
        decimals_in_entitlement=_NONE,
        warrants_per_entitlement=_NONE,
        filler_10=b" " * 63,
        underlyings=() if underlying is None else (Underlying(underlying, b" " * 4),),
    )


def _text(text: str, size_bytes: int) -> bytes:
    return text.encode("ascii").ljust(size_bytes)


def _chinese(text: str) -> bytes:
    """Names are padded with NUL, as real captures have them."""
    return text.encode("utf-16-le").ljust(60, b"\0")
