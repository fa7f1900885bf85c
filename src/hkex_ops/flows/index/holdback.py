"""Who takes a message first: the rule by which one engine tastes and the others wait.

Engines have ranks. A packet is taken by the engine that nobody on its channel stands before; each
one behind waits until an engine before it has passed the packet's last message, or for a bounded
time that grows with its rank, so that the engines never walk into the same message together. While
an engine before it has that very message in hand, an engine waits longer still: the supervisor is
about to find out whether it died of it. Knows the board and no process, feed or clock; an engine
process asks it once per batch, and again a few milliseconds later while anything is held.

Only the packet's header is read here, and by nothing that could fail on it: what is in a packet is
exactly what may be poison.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from attrs import frozen

from hkex_ops.flows.index.board import Board, EngineRow
from hkex_ops.ports import PacketBatch

__all__ = ["HOLDING", "HoldBack", "HoldLimits"]


@frozen
class HoldLimits:
    """How long and how much is held back.

    ``delay_ms`` is waited per rank for whoever stands before to pass a message; it must be longer
    than the watchdog takes to end an engine that hangs. ``in_hand_ms`` bounds the wait for an
    engine that has the message in hand and neither dies nor passes; it ends well before a feed's
    silence would. ``packets`` bounds the memory: beyond it the oldest packet is taken unheld.
    """

    delay_ms: int = 1_500
    in_hand_ms: int = 6_000
    packets: int = 200_000


HOLDING: HoldLimits = HoldLimits()
"""The limits that hold unless a configuration says otherwise."""

_HEADER_BYTES = 16
_NS_PER_MS = 1_000_000
# Of a packet's header: how many messages, and the number of the first (specification, section 3.3).
_COUNT_AND_SEQUENCE = Struct("<BxI")
_COUNT_AT = 2


class _Held(NamedTuple):
    last: int
    since_ns: int
    batch: PacketBatch


class HoldBack:
    """What one engine holds back. Times are nanoseconds of one monotonic clock."""

    def __init__(self, board: Board, engine: int, limits: HoldLimits = HOLDING) -> None:
        self._own = board.row(engine)
        self._others = [row for place, row in enumerate(board.rows()) if place != engine]
        self._limits = limits
        self._held: dict[int, deque[_Held]] = {}
        self.count: int = 0
        """Packets held now."""

    def admit(self, batch: PacketBatch, now_ns: int) -> Sequence[PacketBatch]:
        """What may be taken now of what was held on the channel and of ``batch``, in order."""
        held = self._held.get(batch.channel)
        before = self._before(batch.channel)
        if not held and not before:
            return (batch,)
        if held is None:
            held = self._held[batch.channel] = deque()
        held.append(_Held(_last_sequence(batch.packets), now_ns, batch))
        self.count += len(batch.packets)
        return tuple(self._free(batch.channel, held, before, now_ns))

    def release(self, now_ns: int) -> Sequence[PacketBatch]:
        """What may be taken by now of all that was held."""
        return tuple(
            batch
            for channel, held in self._held.items()
            if held
            for batch in self._free(channel, held, self._before(channel), now_ns)
        )

    def _free(
        self, channel: int, held: deque[_Held], before: Sequence[EngineRow], now_ns: int
    ) -> Iterator[PacketBatch]:
        while held:
            too_many = self.count > self._limits.packets
            if not too_many and not self._may(channel, held[0], before, now_ns):
                return
            batch = held.popleft().batch
            self.count -= len(batch.packets)
            yield batch

    def _before(self, channel: int) -> list[EngineRow]:
        """The engines that stand before this one on a channel."""
        rank = self._own.rank
        return [
            row for row in self._others if row.rank < rank and row.has_passed(channel) is not None
        ]

    def _may(self, channel: int, one: _Held, before: Sequence[EngineRow], now_ns: int) -> bool:
        if not before or any((row.has_passed(channel) or 0) >= one.last for row in before):
            return True
        waited_ms = (now_ns - one.since_ns) // _NS_PER_MS
        if waited_ms < self._limits.delay_ms * len(before):
            return False
        return waited_ms >= self._limits.in_hand_ms or not any(
            _has_in_hand(row, channel, one.last) for row in before
        )


def _has_in_hand(row: EngineRow, channel: int, last: int) -> bool:
    """Whether an engine works on the packet that ends with ``last``, or on something before it."""
    hand = row.in_hand
    return hand is not None and hand.channel == channel and hand.first <= last


def _last_sequence(packets: Sequence[bytes]) -> int:
    """The highest number of a message in ``packets``; of the last one sent, for a heartbeat.

    A packet too short to say so waits for nobody: it is no message, and is refused by its reader.
    """
    last = 0
    for packet in packets:
        if len(packet) >= _HEADER_BYTES:
            count, first = _COUNT_AND_SEQUENCE.unpack_from(packet, _COUNT_AT)
            last = max(last, first + count - 1 if count else first)
    return last
