"""Who takes a message first: the rule by which one engine tastes and the others wait.

Engines have ranks, in the order in which they became ready. A packet is taken by the engine that
nobody on its channel stands before; each one behind waits until an engine before it has passed the
packet's last message, or for a bounded time that grows with its rank, so that the engines never
walk into the same message together. While another has that very message in hand, an engine waits
longer still: the supervisor is about to find out whether it died of it. Moments of ticks are closed
one engine after the other in the same way, for what waited for a moment may be poison too. Knows
the board and no process or feed; an engine process asks it once per batch, and again a few
milliseconds later while anything is held.

A feed that waits for its reader is followed in strict order: no bounded time ends a wait, since
nothing is late, and what came later waits for what came before, on every channel. Whoever holds
enough draws no more. Who hangs is found out by the supervisor, and has no rank any more.

Only the packet's header is read here, and by nothing that could fail on it: what is in a packet is
exactly what may be poison.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from struct import Struct
from time import monotonic_ns
from typing import NamedTuple

from attrs import frozen

from hkex_ops.flows.index.board import NO_RANK, Board, EngineRow
from hkex_ops.ports import PacketBatch

__all__ = ["HOLDING", "HoldBack", "HoldLimits", "limits_of"]


@frozen
class HoldLimits:
    """How long and how much is held back.

    ``delay_ms`` is waited per rank for whoever stands before to pass a message; it must be longer
    than the watchdog takes to end an engine that hangs. ``in_hand_ms`` bounds the wait for an
    engine that has the message in hand and neither dies nor passes; it ends well before a feed's
    silence would. ``packets`` bounds the memory: beyond it the oldest packet is taken unheld.

    In strict order ``drawn_packets`` are held before no more is drawn, and somebody of no rank
    waits for ``leader_ms`` for an engine to have one.
    """

    delay_ms: int = 1_500
    in_hand_ms: int = 6_000
    packets: int = 200_000
    drawn_packets: int = 2_000
    leader_ms: int = 30_000


HOLDING: HoldLimits = HoldLimits()
"""The limits that hold unless a configuration says otherwise."""

_IN_HAND = 4
"""What another engine has in hand is waited for so many times longer than anything else."""


def limits_of(delay_ms: int) -> HoldLimits:
    """The limits where an operator has said how long a message is waited for."""
    return HoldLimits(delay_ms=delay_ms, in_hand_ms=_IN_HAND * delay_ms)


_HEADER_BYTES = 16
_NS_PER_MS = 1_000_000
# Of a packet's header: how many messages, and the number of the first (specification, section 3.3).
_COUNT_AND_SEQUENCE = Struct("<BxI")
_COUNT_AT = 2


class _Held(NamedTuple):
    came: int
    first: int
    last: int
    since_ns: int
    batch: PacketBatch


class HoldBack:
    """What one process holds back. Times are nanoseconds of one monotonic clock.

    An engine is ``ranked``: until the supervisor has given it its rank it waits as well, or two
    that begin together, with nobody before either, would take the same message at once. A
    contingency system never has a rank. ``strict`` is for a feed that waits for its reader.
    """

    def __init__(
        self,
        board: Board,
        engine: int,
        limits: HoldLimits = HOLDING,
        *,
        ranked: bool = False,
        strict: bool = False,
        clock_ns: Callable[[], int] = monotonic_ns,
    ) -> None:
        self._ranked = ranked
        self._strict = strict
        self._led_ns: int | None = None
        self._own = board.row(engine)
        self._others = [row for place, row in enumerate(board.rows()) if place != engine]
        self._limits = limits
        self._held: dict[int, deque[_Held]] = {}
        self._came = 0
        self._stood: dict[tuple[int, int], int] = {}
        self._late: dict[int, int] = {}
        self._asked = 0
        self._asked_ns = 0
        self._clock_ns = clock_ns
        self.keeps_open: bool = False
        """Whether a moment waits for another engine now."""
        self.count: int = 0
        """Packets held now."""

    @property
    def is_full(self) -> bool:
        """Whether no more should be drawn, of a feed that waits."""
        return self._strict and self.count >= self._limits.drawn_packets

    def admit(self, batch: PacketBatch, now_ns: int) -> Iterable[PacketBatch]:
        """What may be taken now of what was held on the channel and of ``batch``, in order.

        Each is asked for when it is drawn: while one is worked on, another engine may have got
        hold of the next. What came after something that another channel holds is left to
        `release`, or one channel would run ahead of the others, and moments be closed without them.
        """
        held = self._held.get(batch.channel)
        self._came += 1
        one = _Held(self._came, *_numbers(batch.packets), now_ns, batch)
        if not self.count and self._may(batch.channel, one, now_ns):
            return (batch,)
        if held is None:
            held = self._held[batch.channel] = deque()
        held.append(one)
        self.count += len(batch.packets)
        return self._free(batch.channel, held, now_ns)

    def release(self, now_ns: int) -> Iterator[PacketBatch]:
        """What may be taken by now of all that was held, in the order in which it came; each is
        asked for when it is drawn."""
        heads = [(held[0].came, channel) for channel, held in self._held.items() if held]
        heapify(heads)
        while heads:
            _, channel = heads[0]
            held = self._held[channel]
            batch = self._next(channel, held, now_ns)
            if batch is not None:
                yield batch
            elif self._strict:
                return
            if batch is None or not held:
                heappop(heads)
            else:
                heapreplace(heads, (held[0].came, channel))

    def may_close(self, moment_ns: int) -> bool:
        """Whether this engine may close a moment: what waits for it may be poison, and no message
        says so. One before it has closed it then, or a bounded time is over; and nobody is at it.
        """
        rank = self._own.rank
        others = [row for row in self._others if row.rank != NO_RANK]
        before = [row for row in others if row.rank < rank and row.next_moment_ns]
        if any(row.next_moment_ns > moment_ns for row in before):
            self.keeps_open = False
            return True
        before = [row for row in before if self._late.get(row.at) != row.next_moment_ns]
        if moment_ns != self._asked:
            self._asked, self._asked_ns = moment_ns, self._clock_ns()
        waited_ms = (self._clock_ns() - self._asked_ns) // _NS_PER_MS
        wait_ms = self._limits.delay_ms * (len(before) + self._is_awaited())
        minds = waited_ms < self._limits.in_hand_ms
        self.keeps_open = waited_ms < wait_ms or (minds and _are_at_it(others, moment_ns))
        if self.keeps_open:
            return False
        if minds and others:
            # As with a batch: first said, then looked again.
            self._own.take_moment()
            if _are_at_it(others, moment_ns):
                self._own.take_up_again()
                self.keeps_open = True
                return False
        # Who has closed none while it was waited for is not waited for again until it does.
        self._late.update({row.at: row.next_moment_ns for row in before})
        return True

    def _free(self, channel: int, held: deque[_Held], now_ns: int) -> Iterator[PacketBatch]:
        others = (one[0].came for at, one in self._held.items() if one and at != channel)
        until = min(others, default=self._came + 1)
        while held and held[0].came < until:
            batch = self._next(channel, held, now_ns)
            if batch is None:
                return
            yield batch

    def _next(self, channel: int, held: deque[_Held], now_ns: int) -> PacketBatch | None:
        """What was held first on a channel, if it may be taken now or too much is held."""
        too_many = self.count > self._limits.packets
        if not too_many and not self._may(channel, held[0], now_ns):
            return None
        batch = held.popleft().batch
        self.count -= len(batch.packets)
        return batch

    def _may(self, channel: int, one: _Held, now_ns: int) -> bool:
        """Whether this process may take a batch now."""
        waited_ms = (now_ns - one.since_ns) // _NS_PER_MS
        before = self._before(channel)
        if any((row.has_passed(channel) or 0) >= one.last for row in before):
            return True
        wait_ms = self._limits.delay_ms * (len(before) + self._is_awaited())
        if self._strict:
            if before or self._is_awaited() or self._lacks_a_leader(channel, one.last, now_ns):
                return False
        elif waited_ms < wait_ms:
            return False
        if waited_ms < self._limits.in_hand_ms and (
            any(_is_at_or_before(row, channel, one.last) for row in before)
            or self._meets(channel, one)
        ):
            return False
        if waited_ms < self._limits.in_hand_ms and not self._claims(channel, one):
            return False
        for row in before:
            # Who has not moved while it was waited for is not waited for again until it moves.
            self._stood[row.at, channel] = row.has_passed(channel) or 0
        return True

    def _claims(self, channel: int, one: _Held) -> bool:
        """Whether a batch is this engine's alone, now that it says that it has it in hand.

        Two that looked in the same instant saw nobody. Each has now written before it looks again,
        so that one of them at least sees the other; who does puts it down, and looks anew later.
        """
        first = max((self._own.has_passed(channel) or 0) + 1, one.first)
        if not (self._ranked and self._others) or first > one.last:
            return True
        self._own.take_of(channel, first, one.last - first + 1)
        if not self._meets(channel, one):
            return True
        self._own.put_down()
        return False

    def _lacks_a_leader(self, channel: int, last: int, now_ns: int) -> bool:
        """Whether one who never has a rank should wait for an engine to get one, or to pass this.

        Who has ended, in order or not, has passed what its row says.
        """
        if self._own.rank != NO_RANK or any(
            (row.has_passed(channel) or 0) >= last for row in self._others
        ):
            return False
        if self._led_ns is None or any(row.rank != NO_RANK for row in self._others):
            self._led_ns = now_ns
        return now_ns - self._led_ns < self._limits.leader_ms * _NS_PER_MS

    def _meets(self, channel: int, one: _Held) -> bool:
        """Whether another engine, whatever its rank, works on a message of these that is new to
        this one. Who stands first need not be furthest."""
        own = self._own.has_passed(channel) or 0
        first = max(own + 1, one.first)
        hands = [row.came_last for row in self._others] if first <= one.last else []
        return any(
            hand.channel == channel and hand.first <= one.last and first <= hand.last
            for hand in hands
            if hand is not None
        )

    def _before(self, channel: int) -> list[EngineRow]:
        """The engines that stand before this one on a channel, and are worth waiting for.

        Whoever lacks messages that this one has is not: it will be a while. Whoever lacks the same
        will have them first.
        """
        rank, own = self._own.rank, self._own.has_passed(channel) or 0
        found: list[EngineRow] = []
        for row in self._others:
            if row.rank >= rank:
                continue
            passed = row.has_passed(channel)
            if passed is None or (passed < own and row.lacks(channel)):
                continue
            if self._stood.get((row.at, channel)) == passed and row.came_last is None:
                continue
            found.append(row)
        return found

    def _is_awaited(self) -> bool:
        """Whether the rank of this engine has still to be given."""
        return self._ranked and self._own.rank == NO_RANK


def _is_at_or_before(row: EngineRow, channel: int, last: int) -> bool:
    """Whether an engine works on the packet that ends with ``last``, or on something before it."""
    hand = row.came_last
    return hand is not None and hand.channel == channel and hand.first <= last


def _are_at_it(rows: Iterable[EngineRow], moment_ns: int) -> bool:
    """Whether one of these engines is closing a moment up to ``moment_ns``."""
    return any(row.is_settling and row.next_moment_ns <= moment_ns for row in rows)


def _numbers(packets: Sequence[bytes]) -> tuple[int, int]:
    """The lowest and the highest number of a message in ``packets``; for a heartbeat that of the
    last one sent.

    A packet too short to say so waits for nobody: it is no message, and is refused by its reader.
    """
    lowest, highest = 0, 0
    for packet in packets:
        if len(packet) >= _HEADER_BYTES:
            count, first = _COUNT_AND_SEQUENCE.unpack_from(packet, _COUNT_AT)
            last = first + count - 1 if count else first
            lowest, highest = min(lowest or first, first), max(highest, last)
    return lowest, highest
