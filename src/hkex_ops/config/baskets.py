"""Basket files: the user's own, TOML for people or JSON for programs, as baskets.

Numbers with a point are texts, so that no float ever decides a weight. Every fault of a file comes
out at once with its path: what is wrong with the shape does not hide what is wrong with the sense.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import cast

from attrs import frozen

from hkex_ops.config.mending import mended, touches
from hkex_ops.config.stated import add_dates
from hkex_ops.config.structuring import (
    document_of,
    in_order,
    make_converter,
    read_text,
    structure,
)
from hkex_ops.errors import ConfigError, Fault
from hkex_ops.index.basket import (
    HOME_CURRENCY,
    Basket,
    Constituent,
    CurrencyRate,
    Version,
    VersionKind,
    faults_of,
)

__all__ = ["load_baskets", "structure_baskets"]

MENDING_ROUNDS = 4
"""How often a document is mended to look for more faults; one round finds nearly all of them."""


@frozen
class _StatedConstituent:
    security: int
    issued_shares: int
    freefloat_factor: str
    cap_factor: str = "1"
    currency: str = HOME_CURRENCY
    previous_close: str | None = None
    dividend: str = "0"


@frozen
class _StatedRate:
    currency: str
    rate: str


@frozen
class _StatedVersion:
    code: str
    kind: VersionKind
    previous_close: str
    currency: str = ""
    previous_rate: str | None = None
    withholding: str = "0"


@frozen
class _StatedBasket:
    index: str
    name: str
    business_date: date
    previous_close: str
    constituents: tuple[_StatedConstituent, ...]
    currency: str = HOME_CURRENCY
    rates: tuple[_StatedRate, ...] = ()
    versions: tuple[_StatedVersion, ...] = ()


@frozen
class _StatedBaskets:
    baskets: tuple[_StatedBasket, ...]
    label: str = ""


def load_baskets(path: Path) -> tuple[Basket, ...]:
    """The baskets in a file: JSON when its name ends so, TOML otherwise.

    Raises `ConfigError` with every fault in it.
    """
    text = read_text(path, what="basket file")
    return structure_baskets(text, document=str(path), is_json=path.suffix.lower() == ".json")


def structure_baskets(text: str, *, document: str, is_json: bool = False) -> tuple[Basket, ...]:
    """The baskets that a text spells; `ConfigError` lists every fault of shape and of sense."""
    table = _json_table(text, document) if is_json else document_of(text, document=document)
    converter = make_converter()
    add_dates(converter)
    found: list[Fault] = []
    for _ in range(MENDING_ROUNDS):
        mended_places = [fault.path for fault in found]
        try:
            stated = structure(table, _StatedBaskets, document=document, converter=converter)
        except ConfigError as error:
            found += [one for one in error.faults if not touches(one.path, mended_places)]
            table = mended(table, _StatedBaskets, [fault.path for fault in error.faults])
            continue
        reading = _Reading()
        baskets = tuple(
            reading.basket(f"baskets[{place}]", one) for place, one in enumerate(stated.baskets)
        )
        unread = [fault.path for fault in reading.faults]
        sense = [
            Fault(path, message)
            for path, message in faults_of(baskets)
            if not touches(path, unread)
        ]
        found += [one for one in (*reading.faults, *sense) if not touches(one.path, mended_places)]
        if not found:
            return baskets
        break
    raise ConfigError(in_order(found), document=document)


class _Reading:
    """Turns what a file states into baskets; a number that is none is noted, and stands as 1."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def basket(self, path: str, stated: _StatedBasket) -> Basket:
        """The basket, with faults noted on the way."""
        return Basket(
            index=stated.index,
            name=stated.name,
            business_date=stated.business_date,
            previous_close=self._decimal(f"{path}.previous_close", stated.previous_close),
            constituents=tuple(
                self._constituent(f"{path}.constituents[{place}]", one)
                for place, one in enumerate(stated.constituents)
            ),
            currency=stated.currency,
            rates=tuple(
                CurrencyRate(one.currency, self._decimal(f"{path}.rates[{place}].rate", one.rate))
                for place, one in enumerate(stated.rates)
            ),
            versions=tuple(
                self._version(f"{path}.versions[{place}]", one)
                for place, one in enumerate(stated.versions)
            ),
        )

    def _constituent(self, path: str, stated: _StatedConstituent) -> Constituent:
        close = stated.previous_close
        return Constituent(
            security=stated.security,
            issued_shares=stated.issued_shares,
            freefloat_factor=self._scaled(f"{path}.freefloat_factor", stated.freefloat_factor, 2),
            cap_factor=self._scaled(f"{path}.cap_factor", stated.cap_factor, 4),
            currency=stated.currency,
            previous_close_3dp=(
                None if close is None else self._scaled(f"{path}.previous_close", close, 3)
            ),
            dividend=self._decimal(f"{path}.dividend", stated.dividend),
        )

    def _version(self, path: str, stated: _StatedVersion) -> Version:
        rate = stated.previous_rate
        return Version(
            code=stated.code,
            kind=stated.kind,
            previous_close=self._decimal(f"{path}.previous_close", stated.previous_close),
            currency=stated.currency,
            previous_rate=None if rate is None else self._decimal(f"{path}.previous_rate", rate),
            withholding=self._decimal(f"{path}.withholding", stated.withholding),
        )

    def _decimal(self, path: str, text: str) -> Decimal:
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            self.faults.append(Fault(path, f'{text!r} is no number such as "0.85"'))
            return Decimal(1)
        return value

    def _scaled(self, path: str, text: str, places: int) -> int:
        value = self._decimal(path, text).scaleb(places)
        if value != value.to_integral_value():
            self.faults.append(Fault(path, f"{text} has more than {places} decimals"))
        return int(value)


def _json_table(text: str, document: str) -> Mapping[str, object]:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is not JSON: {error}", document=document) from error
    if not isinstance(found, dict):
        raise ConfigError("must be a table that holds baskets", document=document)
    return dict(_pairs(cast("dict[object, object]", found)))


def _pairs(found: Mapping[object, object]) -> Iterator[tuple[str, object]]:
    for key, value in found.items():
        yield str(key), value
