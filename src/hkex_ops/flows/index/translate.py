"""Messages of the feed into the records that engines hear.

The two rooms do not know each other; this is the one place that knows both. Whatever an index does
not depend on is passed over by its size alone, unread. A trade, by far the most frequent of what is
read, is unpacked here; everything else goes through the codec of the feed's specification.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from types import MappingProxyType
from typing import TypeAlias, cast

from hkex_ops.index.records import (
    ClosingPriceRecord,
    CurrencyRateRecord,
    IndexRecord,
    PreviousCloseRecord,
    SecurityStatusRecord,
    SessionRecord,
    StatisticsRecord,
    TradeCancelRecord,
    TradeRecord,
)
from hkex_ops.omd import (
    ClosingPrice,
    Codec,
    CurrencyRate,
    SecurityDefinition,
    SecurityStatus,
    Statistics,
    Trade,
    TradeCancel,
    TradingSessionStatus,
)

__all__ = ["HEARD_TYPES", "Translator", "record_of_message", "stock_in", "veiled"]

_SUSPENDED = 2
_HEADER_BYTES, _HEAD_BYTES = 16, 4  # of a packet, of a message
_HIGHEST_SECURITY = 99_999
_size_and_type = Struct("<HH").unpack_from
_trade = Struct("<4xIIiIh2xQ").unpack_from
_number = Struct("<I").unpack_from
_put_type = Struct("<H").pack_into
_stock = Struct("<HHII").unpack_from
# No specification has a type with this bit.
_VEIL = 0x8000
_STOCK_BYTES = 12

_Make: TypeAlias = "Callable[[object, int, int, int], IndexRecord]"


def _cancel(message: object, channel: int, sequence: int, sent_ns: int) -> IndexRecord:
    told = cast("TradeCancel", message)
    return TradeCancelRecord(channel, sequence, told.security_code, told.trade_id, sent_ns)


def _session(message: object, channel: int, sequence: int, sent_ns: int) -> IndexRecord:
    told = cast("TradingSessionStatus", message)
    return SessionRecord(
        channel,
        sequence,
        told.market_code,
        told.trading_session_sub_id,
        told.trading_session_status,
        sent_ns,
    )


def _closing(message: object, channel: int, sequence: int, sent_ns: int) -> IndexRecord:
    told = cast("ClosingPrice", message)
    return ClosingPriceRecord(
        channel, sequence, told.security_code, told.closing_price_3dp, sent_ns
    )


def _definition(message: object, channel: int, sequence: int, sent_ns: int) -> IndexRecord:
    # The layout before October 2020 has these two fields under the same names.
    told = cast("SecurityDefinition", message)
    return PreviousCloseRecord(
        channel, sequence, told.security_code, told.previous_closing_price_3dp, sent_ns
    )


def _statistics(message: object, channel: int, sequence: int, sent_ns: int) -> IndexRecord:
    told = cast("Statistics", message)
    return StatisticsRecord(
        channel,
        sequence,
        told.security_code,
        told.last_price_3dp,
        told.high_price_3dp,
        told.low_price_3dp,
        told.shares_traded,
        sent_ns,
    )


def _status(message: object, channel: int, sequence: int, sent_ns: int) -> IndexRecord:
    told = cast("SecurityStatus", message)
    suspended = told.suspension_indicator == _SUSPENDED
    return SecurityStatusRecord(channel, sequence, told.security_code, suspended, sent_ns)


def _rate(message: object, channel: int, sequence: int, sent_ns: int) -> IndexRecord:
    told = cast("CurrencyRate", message)
    return CurrencyRateRecord(
        channel,
        sequence,
        told.currency_code,
        told.currency_factor,
        told.currency_rate_4dp,
        sent_ns,
    )


_MAKERS: Mapping[int, _Make] = MappingProxyType(
    {
        TradeCancel.TYPE: _cancel,
        TradingSessionStatus.TYPE: _session,
        ClosingPrice.TYPE: _closing,
        SecurityDefinition.TYPE: _definition,
        Statistics.TYPE: _statistics,
        SecurityStatus.TYPE: _status,
        CurrencyRate.TYPE: _rate,
    }
)

HEARD_TYPES: frozenset[int] = frozenset({Trade.TYPE, *_MAKERS})
"""The types of messages that become records."""

_OF_A_STOCK = HEARD_TYPES - {TradingSessionStatus.TYPE, CurrencyRate.TYPE}


class Translator:
    """Records from packets that were checked: whoever arbitrates has found that they decode."""

    def __init__(self, codec: Codec) -> None:
        self._decode = codec.decode_message

    def records(
        self, packet: bytes, *, channel: int, sequence: int, skip: int, count: int, sent_ns: int
    ) -> list[IndexRecord]:
        """The records among ``count`` messages of ``packet`` behind its first ``skip``.

        The first of the ``count`` has number ``sequence``; ``sent_ns`` is the event time, 0 for
        what was sent again.
        """
        found: list[IndexRecord] = []
        offset = _HEADER_BYTES
        for _ in range(skip):
            offset += _size_and_type(packet, offset)[0]
        for number in range(sequence, sequence + count):
            size, kind = _size_and_type(packet, offset)
            if kind == Trade.TYPE:
                security, trade_id, price, quantity, type, traded_ns = _trade(packet, offset)
                found.append(
                    TradeRecord(
                        channel,
                        number,
                        security,
                        trade_id,
                        price,
                        quantity,
                        type,
                        traded_ns,
                        sent_ns,
                    )
                )
            elif kind in _MAKERS:
                message = self._decode(packet, offset)
                found.append(_MAKERS[kind](message, channel, number, sent_ns))
            offset += size
        return found


def veiled(packet: bytes, hidden: Callable[[int], bool]) -> bytes:
    """``packet`` with the messages whose number is ``hidden`` turned into ones of no known type, so
    that whoever reads it steps over them; a packet that cannot be walked is veiled as a whole.

    Reads the header and sizes only: these are messages that ended a process.
    """
    count, sequence = packet[2], _number(packet, 4)[0]
    veil = bytearray(packet)
    offset = _HEADER_BYTES
    for number in range(sequence, sequence + count):
        if offset + _HEAD_BYTES > len(packet):
            break
        size, kind = _size_and_type(packet, offset)
        if size < _HEAD_BYTES:
            break
        if hidden(number):
            _put_type(veil, offset + 2, kind | _VEIL)
        offset += size
    else:
        if offset == len(packet):
            return bytes(veil)
    blank = _HEAD_BYTES.to_bytes(2, "little") + _VEIL.to_bytes(2, "little")
    size = _HEADER_BYTES + count * _HEAD_BYTES
    return size.to_bytes(2, "little") + packet[2:_HEADER_BYTES] + count * blank


def record_of_message(
    message: object, channel: int, sequence: int, sent_ns: int
) -> IndexRecord | None:
    """The record that a decoded message becomes, unless it is a trade or of no interest."""
    make = _MAKERS.get(getattr(message, "TYPE", 0))
    return None if make is None else make(message, channel, sequence, sent_ns)


def stock_in(packet: bytes, place: int) -> tuple[int, int]:
    """Of which stock the message at ``place`` is, counted from 0, and the number of the trade if it
    is one; 0 for what it has not. The message may be veiled; the packet can be walked.

    Reads sizes and two numbers, and decodes nothing.
    """
    offset = _HEADER_BYTES
    for _ in range(place):
        offset += _size_and_type(packet, offset)[0]
    if offset + _STOCK_BYTES > len(packet):
        return 0, 0
    size, kind, security, trade_id = _stock(packet, offset)
    kind &= ~_VEIL
    if kind not in _OF_A_STOCK or size < _STOCK_BYTES or not 0 < security <= _HIGHEST_SECURITY:
        return 0, 0
    return security, trade_id if kind in (Trade.TYPE, TradeCancel.TYPE) else 0
