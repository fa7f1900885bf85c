"""Messages put into packets, and packets given to lines A and B, which lose and mix up some.

Two pure generators in a row. :func:`packed` numbers the messages of each channel, packs those that
were sent together and puts heartbeats where a channel is quiet; :func:`delivered` says what of it
arrives where and when. Neither knows what a message means; both make the same of the same seed.
Called by captures, by the live market and by tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from random import Random
from struct import Struct
from typing import Generic, NamedTuple, TypeVar

from hkex_ops.ports import FeedLine
from hkex_ops_simulator.market.channels import LINES
from hkex_ops_simulator.market.shape import Faults
from hkex_ops_simulator.market.timetable import NS

__all__ = [
    "HEARTBEAT_NS",
    "MILLION",
    "Delivery",
    "Packed",
    "Sent",
    "delivered",
    "packed",
    "packet_bytes",
]

# A channel that has been silent for this long says so.
# Source: OMD-C interface specification, section 3.2: about every two seconds.
HEARTBEAT_NS = 2 * NS

# A packet and the IP and UDP headers before it are 1500 bytes at most; the count is what fits.
MOST_PACKET_BYTES = 1472
MOST_MESSAGES = 121
HEADER_BYTES = 16

_HEADER = Struct("<HBBIQ")
_MS_NS = 1_000_000
MILLION = 1_000_000

# From the exchange to the client: at least, and by chance up to as much again.
_LATENCY_NS = 20_000
_JITTER_NS = 30_000
_LATE_NS = 9_000  # how much later a duplicate comes, and what overtook is overtaken

M = TypeVar("M")


class Sent(NamedTuple, Generic[M]):
    """A message as the exchange sends it: at ``time_ns``, nanoseconds since 1970 UTC."""

    time_ns: int
    channel: int
    message: M


class Packed(NamedTuple):
    """A packet before it is on a line; no ``bodies`` is a heartbeat."""

    time_ns: int
    channel: int
    sequence: int
    bodies: tuple[bytes, ...]
    filler: int

    def bytes(self, start: int = 0, until: int | None = None) -> bytes:
        """The packet, or that with the messages from ``start`` to before ``until`` alone."""
        return packet_bytes(
            self.bodies[start:until], self.sequence + start, self.time_ns, self.filler
        )


class Delivery(NamedTuple):
    """A packet that arrives: when, of which channel, by which line."""

    time_ns: int
    channel: int
    line: FeedLine
    packet: bytes


def packet_bytes(bodies: Iterable[bytes], sequence: int, time_ns: int, filler: int = 0) -> bytes:
    """A packet of encoded messages; ``time_ns`` is cut to whole milliseconds, as theirs is."""
    together = list(bodies)
    body = b"".join(together)
    send_time = time_ns - time_ns % _MS_NS
    return _HEADER.pack(HEADER_BYTES + len(body), len(together), filler, sequence, send_time) + body


def packed(stream: Iterable[Sent[M]], encode: Callable[[M], bytes]) -> Iterator[Packed]:
    """The packets of a stream in order of time, each channel numbered from 1, with heartbeats.

    Messages that follow each other with one time and one channel go together as far as they fit.
    A heartbeat's number is that of the last message sent. After the last message nothing is said.
    """
    numbers: dict[int, int] = {}
    quiet: list[tuple[int, int]] = []
    last_ns: dict[int, int] = {}
    fillers = count(11, 37)

    def full(time_ns: int, channel: int, bodies: list[bytes]) -> Packed:
        sequence = numbers.get(channel, 1)
        numbers[channel] = sequence + len(bodies)
        if channel not in last_ns:
            heappush(quiet, (time_ns + HEARTBEAT_NS, channel))
        last_ns[channel] = time_ns
        # Whatever lies in the unused byte of the header: real packets carry anything there.
        return Packed(time_ns, channel, sequence, tuple(bodies), next(fillers) & 0xFF)

    def heartbeats(until_ns: int) -> Iterator[Packed]:
        while quiet and quiet[0][0] <= until_ns:
            _, channel = heappop(quiet)
            due_ns = last_ns[channel] + HEARTBEAT_NS
            if due_ns <= until_ns:
                last_ns[channel] = due_ns
                yield Packed(due_ns, channel, numbers[channel] - 1, (), next(fillers) & 0xFF)
                due_ns += HEARTBEAT_NS
            heappush(quiet, (due_ns, channel))

    waiting: list[bytes] = []
    size, at = HEADER_BYTES, (0, 0)
    for time_ns, channel, message in stream:
        body = encode(message)
        fits = size + len(body) <= MOST_PACKET_BYTES and len(waiting) < MOST_MESSAGES
        if waiting and (at != (time_ns, channel) or not fits):
            yield full(*at, waiting)
            waiting, size = [], HEADER_BYTES
        if at != (time_ns, channel):
            yield from heartbeats(time_ns)
            at = time_ns, channel
        waiting.append(body)
        size += len(body)
    if waiting:
        yield full(*at, waiting)


def delivered(
    stream: Iterable[Packed], faults: Faults, seed: int, counts: Counter[str] | None = None
) -> Iterator[Delivery]:
    """What arrives of a stream, in order of arrival. ``counts`` is told how often what happened."""
    told = Counter[str]() if counts is None else counts
    rng = Random(f"{seed}/lines")
    pending: list[tuple[int, int, Delivery]] = []
    order = count()
    held: dict[tuple[FeedLine, int], bytes] = {}

    def drawn() -> int:
        return rng.randrange(MILLION)

    def arrive(time_ns: int, channel: int, line: FeedLine, data: bytes) -> None:
        heappush(pending, (time_ns, next(order), Delivery(time_ns, channel, line, data)))

    def send(time_ns: int, channel: int, line: FeedLine, data: bytes) -> None:
        overtaken = held.pop((line, channel), None)
        if overtaken is None and drawn() < faults.swap_ppm:
            held[line, channel] = data
            told["swapped"] += 1
            return
        arrive(time_ns, channel, line, data)
        if overtaken is not None:
            arrive(time_ns + _LATE_NS, channel, line, overtaken)
        if drawn() < faults.duplicate_ppm:
            arrive(time_ns + _LATE_NS, channel, line, data)
            told["duplicated"] += 1

    at_ns = 0
    for packet in stream:
        while pending and pending[0][0] <= packet.time_ns:
            yield heappop(pending)[2]
        messages = len(packet.bodies)
        told["messages"] += messages
        told["packets" if messages else "heartbeats"] += 1
        lost = _lost(rng, faults)
        for line in lost:
            told[f"lost on {line}"] += 1
        at_ns = packet.time_ns + _LATENCY_NS + rng.randrange(_JITTER_NS)
        for line in LINES:
            if line is FeedLine.B:
                at_ns += rng.randrange(1000 * faults.skew_us + 1)
            if line in lost:
                continue
            if line is FeedLine.B and messages > 1 and drawn() < faults.resplit_ppm:
                told["split otherwise"] += 1
                half = messages // 2
                send(at_ns, packet.channel, line, packet.bytes(0, half))
                send(at_ns + 1, packet.channel, line, packet.bytes(half))
            else:
                send(at_ns, packet.channel, line, packet.bytes())
    for (line, channel), data in held.items():
        arrive(at_ns + _LATE_NS, channel, line, data)
    while pending:
        yield heappop(pending)[2]


def _lost(rng: Random, faults: Faults) -> tuple[FeedLine, ...]:
    """The lines that lose a packet: both, one or none."""
    drawn = rng.randrange(MILLION) - faults.both_ppm
    if drawn < 0:
        return LINES
    if drawn < faults.loss_a_ppm:
        return (FeedLine.A,)
    return (FeedLine.B,) if drawn < faults.loss_a_ppm + faults.loss_b_ppm else ()
