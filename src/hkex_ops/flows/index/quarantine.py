"""What an engine is not fed: messages that ended one, left out before anybody looks into them.

Knows ranges of numbers by channel. A packet with such messages is veiled before it is checked, and
what would be made of them says instead that they are quarantined, so that the engine marks their
stock.
"""

from __future__ import annotations

from hkex_ops.flows.index.board import QuarantineRow
from hkex_ops.flows.index.translate import Translator, stock_in, veiled
from hkex_ops.index.records import IndexRecord, QuarantinedRecord
from hkex_ops.omd.events import MessagesArrived
from hkex_ops.omd.packet import PACKET_HEADER_BYTES

__all__ = ["QUARANTINED", "Quarantine"]

QUARANTINED = "it ended an engine and is held back for good"
"""The reason that a quarantined record bears."""


class Quarantine:
    """The quarantined messages of all channels."""

    def __init__(self, translator: Translator) -> None:
        self._translate = translator.records
        self._ranges: dict[int, list[tuple[int, int]]] = {}

    def __contains__(self, channel: int) -> bool:
        """Whether any message of ``channel`` is quarantined."""
        return channel in self._ranges

    def add(self, row: QuarantineRow) -> None:
        """Leave out messages ``first`` to ``last`` of a channel from now on."""
        self._ranges.setdefault(row.channel, []).append((row.first, row.last))

    def touches(self, channel: int, sequence: int, count: int) -> bool:
        """Whether any of ``count`` messages from ``sequence`` on is quarantined."""
        last = sequence + count - 1
        return any(
            first <= last and sequence <= end for first, end in self._ranges.get(channel, ())
        )

    def veil(self, channel: int, sequence: int, count: int, packet: bytes) -> bytes:
        """``packet`` as it may be looked into by whoever checks packets."""
        if len(packet) < PACKET_HEADER_BYTES or not self.touches(channel, sequence, count):
            return packet
        return veiled(packet, lambda number: self.touches(channel, number, 1))

    def records(self, event: MessagesArrived, sent_ns: int) -> list[IndexRecord]:
        """The records of messages that arrived, one by one, but for those nobody may look into."""
        channel, sequence, packet, skip, count, _, _ = event
        records: list[IndexRecord] = []
        for place in range(skip, skip + count):
            number = sequence + place - skip
            if self.touches(channel, number, 1):
                security, trade_id = stock_in(packet, place)
                records.append(
                    QuarantinedRecord(channel, number, security, trade_id, QUARANTINED, sent_ns)
                )
            else:
                records += self._translate(
                    packet, channel=channel, sequence=number, skip=place, count=1, sent_ns=sent_ns
                )
        return records
