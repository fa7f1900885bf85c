"""What is read of messages on the plain way: sizes and types, and trades; nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from hkex_ops.flows.index.translate import HEARD_TYPES
from hkex_ops.omd import SequenceReset, Statistics
from hkex_ops.omd.packet import message_header

__all__ = ["HEAD_BYTES", "HEALS", "HEARD", "TRADE_BYTES", "size_and_type", "trade_fields"]

HEAD_BYTES = message_header.size
size_and_type = message_header.unpack_from

TRADE_BYTES = 32
trade_fields = Struct("<4xIIiIh2xQ").unpack_from
"""Of a trade that begins there: stock, number, price, quantity, type and time."""


def _table(types: Iterable[int]) -> bytes:
    table = bytearray(1 << 16)
    for type in types:
        table[type] = 1
    return bytes(table)


HEALS = _table({*HEARD_TYPES, SequenceReset.TYPE})
"""One byte for each type there can be: whether a message of it is looked into."""

HEARD = _table({*HEARD_TYPES, SequenceReset.TYPE} - {Statistics.TYPE})
"""The same while no stock is marked: then the statistics that follow every trade on some feeds are
of no use, and packets with them need not go the long way."""
