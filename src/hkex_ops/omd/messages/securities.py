"""Security Definition, by far the longest message, in the two layouts it has had since 2018."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hkex_ops.omd.accessors import Chinese, Day, Text, scaled

__all__ = [
    "SecurityDefinition",
    "SecurityDefinition2018",
    "Underlying",
]


class _Underlying(NamedTuple):
    security_code: int
    filler: bytes


class Underlying(_Underlying):
    """One underlying security of a structured product."""

    __slots__ = ()


class _SecurityDefinition(NamedTuple):
    security_code: int
    market_code_ascii: bytes
    isin_ascii: bytes
    instrument_type_ascii: bytes
    product_type: int
    filler: bytes
    spread_table_code_ascii: bytes
    security_short_name_ascii: bytes
    currency_code_ascii: bytes
    security_name_gccs_utf16: bytes
    security_name_gb_utf16: bytes
    lot_size: int
    filler_2: bytes
    previous_closing_price_3dp: int
    vcm_flag_ascii: bytes
    short_sell_flag_ascii: bytes
    cas_flag_ascii: bytes
    ccass_flag_ascii: bytes
    dummy_security_flag_ascii: bytes
    filler_3: bytes
    stamp_duty_flag_ascii: bytes
    filler_4: bytes
    listing_date_yyyymmdd: int
    delisting_date_yyyymmdd: int
    free_text_ascii: bytes
    filler_5: bytes
    pos_flag_ascii: bytes
    pos_upper_limit_3dp: int
    pos_lower_limit_3dp: int
    domain_settlement_security_code: int
    filler_6: bytes
    efn_flag_ascii: bytes
    accrued_interest_3dp: int
    coupon_rate_3dp: int
    filler_7: bytes
    face_value_unscaled: int
    decimals_in_face_value: int
    face_value_currency_ascii: bytes
    bond_maturity_date_yyyymmdd: int
    investor_type_ascii: bytes
    filler_8: bytes
    conversion_ratio_3dp: int
    strike_price_1_3dp: int
    strike_price_2_3dp: int
    warrant_maturity_date_yyyymmdd: int
    call_put_flag_ascii: bytes
    style_ascii: bytes
    filler_9: bytes
    warrant_type_ascii: bytes
    call_price_unscaled: int
    decimals_in_call_price: int
    entitlement_unscaled: int
    decimals_in_entitlement: int
    warrants_per_entitlement: int
    filler_10: bytes
    underlyings: tuple[Underlying, ...]
    tail: bytes = b""


class SecurityDefinition(_SecurityDefinition):
    """A security as it stands today (11), in the layout that holds since 19 October 2020.

    May be sent again within the day, with another free text. The closing price is that of the day
    before, 0 on a first day. Limits, strike prices and ratios are 0 where there is none.
    """

    __slots__ = ()
    TYPE = 11

    market_code: Text = Text()
    isin: Text = Text()
    instrument_type: Text = Text()
    spread_table_code: Text = Text()
    security_short_name: Text = Text()
    currency_code: Text = Text()
    security_name_gccs: Chinese = Chinese()
    security_name_gb: Chinese = Chinese()
    vcm_flag: Text = Text()
    short_sell_flag: Text = Text()
    cas_flag: Text = Text()
    ccass_flag: Text = Text()
    dummy_security_flag: Text = Text()
    stamp_duty_flag: Text = Text()
    listing_date: Day = Day()
    delisting_date: Day = Day()
    free_text: Text = Text()
    pos_flag: Text = Text()
    efn_flag: Text = Text()
    face_value_currency: Text = Text()
    bond_maturity_date: Day = Day()
    investor_type: Text = Text()
    warrant_maturity_date: Day = Day()
    call_put_flag: Text = Text()
    style: Text = Text()
    warrant_type: Text = Text()

    @property
    def face_value(self) -> Decimal:
        """The face value, at the decimals it names itself."""
        return scaled(self.face_value_unscaled, self.decimals_in_face_value)

    @property
    def call_price(self) -> Decimal:
        """The call price, at the decimals it names itself."""
        return scaled(self.call_price_unscaled, self.decimals_in_call_price)

    @property
    def entitlement(self) -> Decimal:
        """The entitlement, at the decimals it names itself."""
        return scaled(self.entitlement_unscaled, self.decimals_in_entitlement)


class _SecurityDefinition2018(NamedTuple):
    security_code: int
    market_code_ascii: bytes
    isin_ascii: bytes
    instrument_type_ascii: bytes
    product_type: int
    filler: bytes
    spread_table_code_ascii: bytes
    security_short_name_ascii: bytes
    currency_code_ascii: bytes
    security_name_gccs_utf16: bytes
    security_name_gb_utf16: bytes
    lot_size: int
    filler_2: bytes
    previous_closing_price_3dp: int
    vcm_flag_ascii: bytes
    short_sell_flag_ascii: bytes
    cas_flag_ascii: bytes
    ccass_flag_ascii: bytes
    dummy_security_flag_ascii: bytes
    filler_3: bytes
    stamp_duty_flag_ascii: bytes
    filler_4: bytes
    listing_date_yyyymmdd: int
    delisting_date_yyyymmdd: int
    free_text_ascii: bytes
    filler_5: bytes
    efn_flag_ascii: bytes
    accrued_interest_3dp: int
    coupon_rate_3dp: int
    filler_6: bytes
    conversion_ratio_3dp: int
    strike_price_1_3dp: int
    strike_price_2_3dp: int
    warrant_maturity_date_yyyymmdd: int
    call_put_flag_ascii: bytes
    style_ascii: bytes
    filler_7: bytes
    warrant_type_ascii: bytes
    call_price_unscaled: int
    decimals_in_call_price: int
    entitlement_unscaled: int
    decimals_in_entitlement: int
    warrants_per_entitlement: int
    filler_8: bytes
    underlyings: tuple[Underlying, ...]
    tail: bytes = b""


class SecurityDefinition2018(_SecurityDefinition2018):
    """A security as it stood (11), in the layout of 30 April 2018 to 18 October 2020.

    Everything behind byte 261 lies elsewhere than it does today, and not by one distance.
    """

    __slots__ = ()
    TYPE = 11

    market_code: Text = Text()
    isin: Text = Text()
    instrument_type: Text = Text()
    spread_table_code: Text = Text()
    security_short_name: Text = Text()
    currency_code: Text = Text()
    security_name_gccs: Chinese = Chinese()
    security_name_gb: Chinese = Chinese()
    vcm_flag: Text = Text()
    short_sell_flag: Text = Text()
    cas_flag: Text = Text()
    ccass_flag: Text = Text()
    dummy_security_flag: Text = Text()
    stamp_duty_flag: Text = Text()
    listing_date: Day = Day()
    delisting_date: Day = Day()
    free_text: Text = Text()
    efn_flag: Text = Text()
    warrant_maturity_date: Day = Day()
    call_put_flag: Text = Text()
    style: Text = Text()
    warrant_type: Text = Text()

    @property
    def call_price(self) -> Decimal:
        """The call price, at the decimals it names itself."""
        return scaled(self.call_price_unscaled, self.decimals_in_call_price)

    @property
    def entitlement(self) -> Decimal:
        """The entitlement, at the decimals it names itself."""
        return scaled(self.entitlement_unscaled, self.decimals_in_entitlement)
