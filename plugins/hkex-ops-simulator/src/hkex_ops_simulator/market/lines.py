"""Packets given to lines A and B, which lose some and mix up others, as real lines do.

What arrives where and when, from a seed: each line by its own way and with its own delay, line B
with other packet boundaries now and then. Knows no message. Called by captures and by the live
market, which takes the deliveries as they come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from hkex_ops.ports import FeedLine
from hkex_ops_simulator.market.channels import LINES
from hkex_ops_simulator.market.packing import Packed
from hkex_ops_simulator.market.shape import Faults

__all__ = ["MILLION", "Delivery", "Lines"]

MILLION = 1_000_000

# From the exchange to the client: at least, and by chance up to as much again.
_LATENCY_NS = 20_000
_JITTER_NS = 30_000
# How much later a duplicate comes, or a packet that was overtaken.
_LATE_NS = 9_000


class Delivery(NamedTuple):
    """A packet that arrives: when, of which channel, by which line."""

    time_ns: int
    channel: int
    line: FeedLine
    packet: bytes


class Lines:
    """Lines A and B with ``faults``, by the chance of ``seed``.

    ``counts`` says how often what happened. ``broken`` lines carry nothing at all; of a channel in
    ``losing`` both lines lose so many of the next packets with messages.
    """

    def __init__(self, faults: Faults, seed: int) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self.broken: set[FeedLine] = set()
        self.losing: Counter[int] = Counter()
        self._rng = Random(f"{seed}/lines")
        self._pending: list[tuple[int, int, Delivery]] = []
        self._order = count()
        self._held: dict[tuple[FeedLine, int], bytes] = {}
        self._now_ns = 0
        self._arrived_ns: dict[tuple[FeedLine, int], int] = {}

    def deliver(self, packets: Iterable[Packed]) -> Iterator[Delivery]:
        """What arrives of ``packets``, in order of arrival; at the end nothing is under way."""
        for packet in packets:
            while self._pending and self._pending[0][0] <= packet.time_ns:
                yield heappop(self._pending)[2]
            self._carry(packet)
        for (line, channel), data in self._held.items():
            self._arrive(self._now_ns + _LATE_NS, channel, line, data)
        self._held.clear()
        while self._pending:
            yield heappop(self._pending)[2]

    def _carry(self, packet: Packed) -> None:
        messages = len(packet.bodies)
        self.counts["messages"] += messages
        self.counts["packets" if messages else "heartbeats"] += 1
        lost = self._lost()
        if messages and self.losing[packet.channel]:
            self.losing[packet.channel] -= 1
            lost = LINES
        for line in lost:
            self.counts[f"lost on {line}"] += 1
        at_ns = packet.time_ns + _LATENCY_NS + self._rng.randrange(_JITTER_NS)
        for line in LINES:
            if line is FeedLine.B:
                at_ns += self._rng.randrange(1000 * self.faults.skew_us + 1)
            # Nothing is overtaken on the way, unless it is meant to be.
            way = line, packet.channel
            at_ns = self._arrived_ns[way] = max(at_ns, self._arrived_ns.get(way, 0) + 2)
            if line in lost or line in self.broken:
                continue
            if line is FeedLine.B and messages > 1 and self._happens(self.faults.resplit_ppm):
                self.counts["split otherwise"] += 1
                half = messages // 2
                self._send(at_ns, packet.channel, line, packet.encoded(0, half))
                self._send(at_ns + 1, packet.channel, line, packet.encoded(half))
            else:
                self._send(at_ns, packet.channel, line, packet.encoded())
        self._now_ns = at_ns

    def _send(self, time_ns: int, channel: int, line: FeedLine, data: bytes) -> None:
        overtaken = self._held.pop((line, channel), None)
        if overtaken is None and self._happens(self.faults.swap_ppm):
            self._held[line, channel] = data
            self.counts["swapped"] += 1
            return
        self._arrive(time_ns, channel, line, data)
        if overtaken is not None:
            self._arrive(time_ns + _LATE_NS, channel, line, overtaken)
        if self._happens(self.faults.duplicate_ppm):
            self._arrive(time_ns + _LATE_NS, channel, line, data)
            self.counts["duplicated"] += 1

    def _arrive(self, time_ns: int, channel: int, line: FeedLine, data: bytes) -> None:
        delivery = Delivery(time_ns, channel, line, data)
        heappush(self._pending, (time_ns, next(self._order), delivery))

    def _lost(self) -> tuple[FeedLine, ...]:
        """The lines that lose a packet: both, one or none."""
        faults = self.faults
        drawn = self._rng.randrange(MILLION) - faults.both_ppm
        if drawn < 0:
            return LINES
        if drawn < faults.loss_a_ppm:
            return (FeedLine.A,)
        return (FeedLine.B,) if drawn < faults.loss_a_ppm + faults.loss_b_ppm else ()

    def _happens(self, ppm: int) -> bool:
        return self._rng.randrange(MILLION) < ppm
