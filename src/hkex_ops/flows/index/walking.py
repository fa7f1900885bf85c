"""Packets walked from message to message, and trades unpacked on the way; nothing else is read.

Half of what a live engine does is done here, so it is one loop without a call of its own. It asks
nobody whether a packet is sound: one that cannot be walked to its very end, or holds a message that
has to be looked into, is handed back whole, to go the long way.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from struct import Struct, error as StructError
from typing import TypeAlias

from hkex_ops.flows.index.straight_trades import TradeFields
from hkex_ops.flows.index.translate import HEARD_TYPES
from hkex_ops.index.records import TimePassed
from hkex_ops.omd import SequenceReset, Trade
from hkex_ops.omd.packet import PACKET_HEADER_BYTES, message_header

__all__ = ["PlainPacket", "Walker"]

PlainPacket: TypeAlias = tuple[bytes, int, int, int, int, int]
"""A packet to be walked: its bytes, first number, count of messages, the first number that is
wanted, when it was sent, and where it stood in its batch."""

_HEAD_BYTES, _TRADE_BYTES = 4, 32
_TRADE = Trade.TYPE
_trade = Struct("<4xIIiIh2xQ").unpack_from


class Walker:
    """Finds the trades of ``stocks``."""

    def __init__(self, stocks: Container[int]) -> None:
        # One byte for each type there can be: whether it is looked into.
        heard = bytearray(1 << 16)
        for type in (*HEARD_TYPES, SequenceReset.TYPE):
            heard[type] = 1
        self._heard = bytes(heard)
        self._stocks = stocks

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
            packet, sequence, count, first, sent_ns, _ = row
            before, at = len(trades), PACKET_HEADER_BYTES
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
                last = max(sequence + count, first) - 1
                times.append((before, TimePassed(channel, last, sent_ns)))
        return None
