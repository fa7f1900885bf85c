"""Golden data: small questions with their right answers, each with where the answer is from.

Check a parser, a calendar, a decoder or an index of your own against them; the library's own tests
do so with every one. An answer is read off a paper or worked out by hand, never taken from this
library. What is invented says SYNTHETIC.

>>> first, *_ = load_golden().names
>>> first.code, str(first.business_date), first.instance
('RPI', '2023-04-14', '0900')
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files

from attrs import field, frozen, validators
from cattrs import Converter

from hkex_ops.calendars import DayKind
from hkex_ops.config.stated import add_dates
from hkex_ops.config.structuring import document_of, make_converter, structure
from hkex_ops.model import HONG_KONG
from hkex_ops.rollouts import Decision

__all__ = [
    "Golden",
    "GoldenConstituent",
    "GoldenDay",
    "GoldenIndex",
    "GoldenMessage",
    "GoldenName",
    "GoldenPacket",
    "GoldenRuling",
    "load_golden",
]


@frozen(kw_only=True)
class _Row:
    """What every row has: ``provenance``, the paper and the place in it, or how it was made."""

    provenance: str = field(validator=validators.min_len(1))


@frozen(kw_only=True)
class GoldenName(_Row):
    """A name in a report folder and what it means by the shipped catalogue ``catalogue``.

    ``code`` is empty for a name that means nothing to it.
    """

    catalogue: str
    name: str
    house: str = ""
    code: str = ""
    business_date: date | None = None
    session: str | None = None
    instance: str | None = None
    part: str | None = None


@frozen(kw_only=True)
class GoldenMessage:
    """A message of a packet: its type on the wire, and fields by the names of the library's
    layouts; what the specification calls text is text with its padding, the rest whole numbers."""

    type: int
    fields: Mapping[str, str | int]


@frozen(kw_only=True)
class GoldenPacket(_Row):
    """A packet as bytes, ``raw``, by the specification ``spec``, and what it says."""

    spec: str
    raw: bytes
    sequence: int
    send_time_ns: int
    messages: tuple[GoldenMessage, ...] = ()


@frozen(kw_only=True)
class GoldenConstituent:
    """A stock in a basket, its close before and its price now, in Hong Kong dollars."""

    security: int
    issued_shares: int
    freefloat_factor: Decimal
    cap_factor: Decimal
    previous_close: Decimal
    price: Decimal


@frozen(kw_only=True)
class GoldenIndex(_Row):
    """A tiny basket, and the ``value`` of its index at the prices given, in points."""

    index: str
    previous_close: Decimal
    value: Decimal
    constituents: tuple[GoldenConstituent, ...]


@frozen(kw_only=True)
class GoldenDay(_Row):
    """A day in Hong Kong and what kind of trading day it was."""

    day: date
    kind: DayKind


@frozen(kw_only=True)
class GoldenRuling(_Row):
    """What the papers say to an act at an instant."""

    action: str
    at: datetime
    decision: Decision


@frozen(kw_only=True)
class Golden:
    """Everything golden that ships."""

    names: tuple[GoldenName, ...]
    packets: tuple[GoldenPacket, ...]
    indexes: tuple[GoldenIndex, ...]
    days: tuple[GoldenDay, ...]
    rulings: tuple[GoldenRuling, ...]


@cache
def load_golden() -> Golden:
    """Everything golden that ships, read once."""
    table: dict[str, object] = {}
    for noun in ("names", "packets", "indexes", "days", "rulings"):
        document = f"golden-{noun}.toml"
        text = files("hkex_ops.testing").joinpath("data", document).read_text(encoding="utf-8")
        table |= document_of(text, document=document)
    return structure(table, Golden, document="golden data", converter=_converter())


def _converter() -> Converter:
    converter = make_converter()
    add_dates(converter)

    def octets(value: object, _: object) -> bytes:
        return bytes.fromhex(_text(value))

    def decimal(value: object, _: object) -> Decimal:
        return Decimal(_text(value))

    def instant(value: object, _: object) -> datetime:
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise ValueError("must be a date and a time with its offset")
        return value.astimezone(HONG_KONG)

    converter.register_structure_hook(bytes, octets)
    converter.register_structure_hook(Decimal, decimal)
    converter.register_structure_hook(datetime, instant)
    return converter


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return value
