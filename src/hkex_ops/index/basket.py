"""Baskets: of what an index is made on one business date. Values, and what is wrong with them.

They are files that the user supplies; `hkex_ops.config.baskets` reads them. Nothing is computed
here, so that the engine and the snapshot computation share the facts and no arithmetic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

__all__ = [
    "HOME_CURRENCY",
    "Basket",
    "Constituent",
    "CurrencyRate",
    "Version",
    "VersionKind",
    "faults_of",
]

HOME_CURRENCY = "HKD"
"""In which securities trade in Hong Kong unless their definition says otherwise."""

CONSTITUENTS = 5_000
"""More than any basket has; a file with more is not a basket."""

RATE_DECIMALS = 8
"""The decimals that a currency rate may have."""

_INDEX = re.compile(r"[0-9A-Z]{1,11}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_HIGHEST_SECURITY = 99_999
_MOST_DECIMALS = 4


class VersionKind(StrEnum):
    """A version of an index that is computed after the close."""

    GROSS_TOTAL_RETURN = "gross-total-return"
    NET_TOTAL_RETURN = "net-total-return"
    CURRENCY = "currency"


@frozen
class Constituent:
    """A stock in a basket.

    Weights are exact: ``issued_shares`` are shares, ``freefloat_factor`` is in hundredths (85 is
    0.85), ``cap_factor`` in ten-thousandths (7777 is 0.7777). ``previous_close_3dp`` is the
    previous closing price in thousandths of ``currency``, adjusted for what the stock trades
    without today; where it is left out, the feed's definition tells it. ``dividend`` is what one
    share pays today, in ``currency``, for the total return versions.
    """

    security: int
    issued_shares: int
    freefloat_factor: int
    cap_factor: int
    currency: str = HOME_CURRENCY
    previous_close_3dp: int | None = None
    dividend: Decimal = Decimal(0)


@frozen
class CurrencyRate:
    """How many units of the index's currency one unit of ``currency`` is worth."""

    currency: str
    rate: Decimal


@frozen
class Version:
    """An after-the-close version: its code, and its own value at the previous close.

    For ``currency`` versions, ``currency`` is the other currency and ``previous_rate`` its
    :class:`CurrencyRate` at the previous close. ``withholding`` is the part of a dividend that
    net total return leaves out, such as 0.10.
    """

    code: str
    kind: VersionKind
    previous_close: Decimal
    currency: str = ""
    previous_rate: Decimal | None = None
    withholding: Decimal = Decimal(0)


@frozen
class Basket:
    """An index on one business date: its previous close, in points, and its constituents.

    ``rates`` are the rates of the day for constituents in another currency than the index.
    """

    index: str
    name: str
    business_date: date
    previous_close: Decimal
    constituents: tuple[Constituent, ...]
    currency: str = HOME_CURRENCY
    rates: tuple[CurrencyRate, ...] = ()
    versions: tuple[Version, ...] = ()


def faults_of(baskets: Sequence[Basket]) -> Iterator[tuple[str, str]]:
    """Every rule that the baskets break, alone or together, as (path in the document, sentence)."""
    if not baskets:
        yield "baskets", "there is none; a basket file holds at least one"
        return
    codes = Counter(basket.index for basket in baskets)
    first = baskets[0].business_date
    for place, basket in enumerate(baskets):
        path = f"baskets[{place}]"
        if codes[basket.index] > 1:
            yield f"{path}.index", f"{basket.index!r} is the code of several baskets"
        if basket.business_date != first:
            yield (
                f"{path}.business_date",
                f"{basket.business_date} differs from {first}, the date of the first basket",
            )
        yield from _own_faults(path, basket)
        yield from _constituent_faults(path, basket)
        yield from _version_faults(path, basket)
    yield from _differing_closes(baskets)


def _own_faults(path: str, basket: Basket) -> Iterator[tuple[str, str]]:
    if not _INDEX.fullmatch(basket.index):
        yield (
            f"{path}.index",
            f"{basket.index!r} must be up to 11 digits and capital letters, such as 0000100",
        )
    yield from _value_faults(f"{path}.previous_close", basket.previous_close)
    if not _CURRENCY.fullmatch(basket.currency):
        yield f"{path}.currency", f"{basket.currency!r} is no currency such as HKD"
    for place, rate in enumerate(basket.rates):
        exponent = rate.rate.as_tuple().exponent
        if not isinstance(exponent, int) or rate.rate <= 0:
            yield f"{path}.rates[{place}].rate", f"{rate.rate} must be above zero"
        elif -exponent > RATE_DECIMALS:
            yield f"{path}.rates[{place}].rate", f"has more than {RATE_DECIMALS} decimals"
        if [one.currency for one in basket.rates].count(rate.currency) > 1:
            yield f"{path}.rates[{place}].currency", f"{rate.currency} has several rates"
    if not basket.constituents:
        yield f"{path}.constituents", "an index without stocks has no value"
    if len(basket.constituents) > CONSTITUENTS:
        yield f"{path}.constituents", f"are more than {CONSTITUENTS}; this is no basket"


def _value_faults(path: str, value: Decimal) -> Iterator[tuple[str, str]]:
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value <= 0:
        yield path, f"{value} must be above zero"
    elif -exponent > _MOST_DECIMALS:
        yield path, f"{value} has more decimals than the {_MOST_DECIMALS} that Index Data carries"


def _constituent_faults(path: str, basket: Basket) -> Iterator[tuple[str, str]]:
    rates = {rate.currency for rate in basket.rates} | {basket.currency}
    often = Counter(stock.security for stock in basket.constituents)
    for place, stock in enumerate(basket.constituents):
        at = f"{path}.constituents[{place}]"
        if not 0 < stock.security <= _HIGHEST_SECURITY:
            yield f"{at}.security", f"{stock.security} is no code; codes run from 1 to 99999"
        if often[stock.security] > 1:
            yield f"{at}.security", f"{stock.security} is in the basket more than once"
        if stock.issued_shares <= 0:
            yield f"{at}.issued_shares", f"{stock.issued_shares} must be above zero"
        if not 0 < stock.freefloat_factor <= 100:
            yield f"{at}.freefloat_factor", "must be above 0.00 and at most 1.00"
        if not 0 < stock.cap_factor <= 10_000:
            yield f"{at}.cap_factor", "must be above 0.0000 and at most 1.0000"
        if not _CURRENCY.fullmatch(stock.currency):
            yield f"{at}.currency", f"{stock.currency!r} is no currency such as HKD"
        elif stock.currency not in rates:
            yield (
                f"{at}.currency",
                f"{stock.currency} needs a rate into {basket.currency} among the basket's rates",
            )
        if stock.previous_close_3dp is not None and stock.previous_close_3dp <= 0:
            yield f"{at}.previous_close", "must be above zero, or left out for the feed to tell"
        if stock.dividend < 0:
            yield f"{at}.dividend", f"{stock.dividend} must not be below zero"


def _version_faults(path: str, basket: Basket) -> Iterator[tuple[str, str]]:
    for place, version in enumerate(basket.versions):
        at = f"{path}.versions[{place}]"
        if not _INDEX.fullmatch(version.code):
            yield f"{at}.code", f"{version.code!r} must be up to 11 digits and capital letters"
        yield from _value_faults(f"{at}.previous_close", version.previous_close)
        if (version.kind is VersionKind.CURRENCY) != bool(version.currency):
            yield f"{at}.currency", "a currency version names its currency, and no other does"
        if (version.kind is VersionKind.CURRENCY) != (version.previous_rate is not None):
            yield (
                f"{at}.previous_rate",
                "a currency version has its rate at the previous close, and no other has one",
            )
        elif version.previous_rate is not None and version.previous_rate <= 0:
            yield f"{at}.previous_rate", f"{version.previous_rate} must be above zero"
        if not 0 <= version.withholding < 1:
            yield f"{at}.withholding", f"{version.withholding} must be from 0 to below 1"


def _differing_closes(baskets: Sequence[Basket]) -> Iterator[tuple[str, str]]:
    """A stock has one previous close and one currency, in however many baskets it is."""
    known: dict[int, tuple[int, str, str]] = {}
    for place, basket in enumerate(baskets):
        for at, stock in enumerate(basket.constituents):
            if stock.previous_close_3dp is None:
                continue
            seen = known.setdefault(
                stock.security, (stock.previous_close_3dp, stock.currency, basket.index)
            )
            path = f"baskets[{place}].constituents[{at}]"
            if seen[0] != stock.previous_close_3dp:
                yield f"{path}.previous_close", f"differs from that of basket {seen[2]}"
            if seen[1] != stock.currency:
                yield f"{path}.currency", f"{stock.currency} differs from that of basket {seen[2]}"
