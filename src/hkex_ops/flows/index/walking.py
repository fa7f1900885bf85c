"""Packets walked from message to message, and trades unpacked on the way; nothing else is read.

Half of what a live engine does is done here, so it is one loop without a call of its own. It asks
nobody whether a packet is sound: one that cannot be walked to its very end, or holds a message that
has to be looked into, is handed back whole, to go the long way.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from struct import Struct, error as StructError
from typing import TypeAlias

from hkex_ops.flows.index.straight_trades import TradeFields
from hkex_ops.flows.index.translate import HEARD_TYPES
from hkex_ops.index.records import TimePassed
from hkex_ops.omd import SequenceReset, Statistics, Trade
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, message_header

__all__ = ["PlainPacket", "Walker"]

PlainPacket: TypeAlias = tuple[bytes, int, int, int, int, int, Sequence[TradeFields] | None]
"""A packet to be walked: its bytes, first number, count of messages, the first number that is
wanted, when it was sent, where it stood in its batch, and its trades if it was walked before."""

_HEAD_BYTES, _TRADE_BYTES = 4, 32
_NEVER_NS = 1 << 63
_TRADE = Trade.TYPE
_trade = Struct("<4xIIiIh2xQ").unpack_from


class Walker:
    """Finds the trades of ``stocks``."""

    def __init__(self, stocks: Container[int]) -> None:
        # One byte for each type there can be: whether it is looked into.
        self._heals = _table({*HEARD_TYPES, SequenceReset.TYPE})
        self._plain = _table({*HEARD_TYPES, SequenceReset.TYPE} - {Statistics.TYPE})
        self._heard = self._plain
        self._stocks = stocks

    def mind(self, *, marked: bool) -> None:
        """Whether a stock is marked: only then the statistics that follow every trade on some feeds
        are of use, and packets with them go the long way."""
        self._heard = self._heals if marked else self._plain

    def trades_of(
        self, channel: int, packet: bytes, sequence: int, count: int, sent_ns: int
    ) -> list[TradeFields] | None:
        """The trades of one packet; ``None`` for one that goes another way."""
        trades: list[TradeFields] = []
        row = (packet, sequence, count, sequence, sent_ns, 0, None)
        stopped = self.walk(channel, (row,), _NEVER_NS, trades, [])
        return trades if stopped is None else None

    def walk(
        self,
        channel: int,
        packets: Sequence[PlainPacket],
        moment: int,
        trades: list[TradeFields],
        times: list[tuple[int, TimePassed]],
    ) -> PlainPacket | None:
        """Add the trades of ``packets`` to ``trades``, and to ``times`` where time has come to
        ``moment`` without one; the first packet that goes another way, of which nothing is added.
        """
        heard, stocks = self._heard, self._stocks
        size_and_type, fields_of = message_header.unpack_from, _trade
        for row in packets:
            packet, sequence, count, first, sent_ns, _, known = row
            before, at = len(trades), PACKET_HEADER_BYTES
            if known is not None:
                trades += [trade for trade in known if trade[1] >= first]
                count, at = 0, len(packet)
            try:
                for number in range(sequence, sequence + count):
                    size, kind = size_and_type(packet, at)
                    if heard[kind]:
                        if kind != _TRADE or size < _TRADE_BYTES:
                            break
                        code, id, price, quantity, type, at_ns = fields_of(packet, at)
                        if code in stocks and number >= first:
                            trades.append(
                                (channel, number, code, id, price, quantity, type, at_ns, sent_ns)
                            )
                    elif size < _HEAD_BYTES:
                        break
                    at += size
            except StructError:
                at = 0
            if at != len(packet):
                del trades[before:]
                return row
            if sent_ns >= moment and len(trades) == before:
                last = max(sequence + row[2], first) - 1
                times.append((before, TimePassed(channel, last, sent_ns)))
        return None


def _table(types: Iterable[int]) -> bytes:
    table = bytearray(1 << 16)
    for type in types:
        table[type] = 1
    return bytes(table)
