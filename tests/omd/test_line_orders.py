"""Any order of A and B: losses, duplicates, swaps, other cuts, resets, retransmissions, refusals.

Whatever comes, each message is delivered exactly once and in order, or was told to be missing
before anything behind it; each gap is opened once and closed once. A serial reference of a few
lines is the judge: the list of what was sent.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from hkex_ops.config.layouts import load_codec
from hkex_ops.omd import (
    AddOrder,
    AggregateOrderBookUpdate,
    Arbiter,
    GapClosed,
    GapLost,
    GapOpened,
    LineEvent,
    LineLimits,
    LineReturned,
    LineSilent,
    Message,
    MessagesArrived,
    PacketRefused,
    ResetCounted,
    SequenceReset,
    SequenceRestarted,
    Trade,
)
from tests.omd.wire import SENT_NS

CODEC = load_codec()
CHANNEL = 30
MS_NS = 1_000_000


class Sent(NamedTuple):
    """One message as the exchange sent it: which count of numbers, which number, when."""

    epoch: int
    number: int
    sent_ns: int
    message: Message


def sent_by_the_exchange(chance: random.Random, *, resets: bool) -> list[Sent]:
    """A day of one channel: one to three counts of numbers, the later ones begun by a reset.

    Whether a reset uses up its number is the day's, and the arbiter is not told.
    """
    blanks = (CODEC.blank(Trade), CODEC.blank(AddOrder), CODEC.blank(AggregateOrderBookUpdate))
    counted = chance.random() < 0.5
    day: list[Sent] = []
    for epoch in range(chance.randint(1, 3) if resets else 1):
        number = 1
        if epoch or (resets and chance.random() < 0.5):
            day.append(Sent(epoch, 1, SENT_NS + len(day) * MS_NS, SequenceReset(1)))
            number += counted
        for _ in range(chance.randint(0, 25)):
            message = chance.choice(blanks)._replace(security_code=len(day))
            day.append(Sent(epoch, number, SENT_NS + len(day) * MS_NS, message))
            number += 1
    return day


def packed(chance: random.Random, day: list[Sent]) -> list[bytes]:
    """The day cut into packets as one line pleases; a reset travels alone."""
    packets: list[bytes] = []
    at = 0
    while at < len(day):
        first = day[at]
        size = 1
        while (
            at + size < len(day)
            and size < chance.randint(1, 8)
            and not isinstance(first.message, SequenceReset)
            and not isinstance(day[at + size].message, SequenceReset)
        ):
            size += 1
        messages = [one.message for one in day[at : at + size]]
        packets.append(
            CODEC.encode_packet(messages, sequence=first.number, send_time_ns=first.sent_ns)
        )
        at += size
        if chance.random() < 0.1:
            last = day[at - 1]
            packets.append(CODEC.encode_packet([], sequence=last.number, send_time_ns=last.sent_ns))
    return packets


def is_reset(packet: bytes) -> bool:
    return packet[18:20] == b"\x64\x00"


def received(chance: random.Random, packets: list[bytes], *, loss: float) -> list[bytes]:
    """What one line brings of it. A reset is not lost, nor overtaken; that is told elsewhere."""
    got: list[bytes] = []
    for packet in packets:
        if chance.random() < loss and not is_reset(packet):
            continue
        got += [packet] * (2 if chance.random() < 0.05 else 1)
    for index in range(len(got) - 1):
        if chance.random() < 0.1 and not is_reset(got[index]) and not is_reset(got[index + 1]):
            got[index], got[index + 1] = got[index + 1], got[index]
    return got


def interleaved(
    chance: random.Random, lines: dict[str, list[bytes]]
) -> Iterator[tuple[str, bytes]]:
    """The lines' packets in some order in which they may come."""
    waiting = {line: list(packets) for line, packets in lines.items()}
    while any(waiting.values()):
        line = chance.choice([one for one, packets in waiting.items() if packets])
        yield line, waiting[line].pop(0)


def retransmitted(
    chance: random.Random, day: list[Sent], epoch: int, gap: GapOpened
) -> list[bytes]:
    """What the service sends of a gap: all of it or a part, packed in its own way.

    A number stands for one message: for the reset only where no other has it.
    """
    numbered = {one.number: one for one in day if one.epoch == epoch}
    wanted = [
        one
        for number, one in numbered.items()
        if gap.begin <= number <= gap.end and chance.random() < 0.9
    ]
    return [
        CODEC.encode_packet([one.message], sequence=one.number, send_time_ns=one.sent_ns)
        for one in wanted
    ]


class Judge:
    """Compares what is told with what was sent, event by event."""

    def __init__(self, day: list[Sent]) -> None:
        with_reset = bool(day) and isinstance(day[0].message, SequenceReset)
        self.epoch = (day[0].epoch if day else 0) - with_reset
        self.delivered: list[Sent] = []
        self.accounted: set[tuple[int, int]] = set()
        self.open: set[tuple[int, int]] = set()
        self.told: set[tuple[int, int, int]] = set()
        self._day = {(one.epoch, one.number, type(one.message)): one for one in day}
        self._next = 1

    def hear(self, events: tuple[LineEvent, ...]) -> None:
        for event in events:
            match event:
                case MessagesArrived():
                    self._arrived(event)
                case SequenceRestarted():
                    assert not self.open
                    self.epoch += 1
                    self._next = 1
                case GapOpened(_, begin, end):
                    assert (self.epoch, begin, end) not in self.told
                    self.told.add((self.epoch, begin, end))
                    self.open.add((begin, end))
                case GapClosed(_, begin, end):
                    self.open.remove((begin, end))
                case GapLost(_, begin, end):
                    assert any(opened <= begin and end <= ended for opened, ended in self.open)
                    self.accounted |= {(self.epoch, one) for one in range(begin, end + 1)}
                case ResetCounted(_, number):
                    self.accounted.add((self.epoch, number))
                case LineSilent() | LineReturned():
                    pass
                case PacketRefused():
                    raise AssertionError(event)

    def _arrived(self, event: MessagesArrived) -> None:
        messages = CODEC.decode_packet(event.packet, skip=event.skip).messages
        for number, message in enumerate(messages[: event.message_count], start=event.sequence):
            sent = self._day[self.epoch, number, type(message)]
            assert sent.message == message
            self.delivered.append(sent)
            if isinstance(message, SequenceReset):
                # The next message has this number, or the one after.
                self._next = number
                continue
            for skipped in range(self._next, number):
                reset = (self.epoch, skipped, SequenceReset) in self._day
                assert reset or (self.epoch, skipped) in self.accounted, (event, skipped)
            assert number >= self._next
            self._next = number + 1


def play(seed: int) -> None:
    """One day, one order; `AssertionError` says what was not as it must be."""
    chance = random.Random(seed)
    day = sent_by_the_exchange(chance, resets=chance.random() < 0.5)
    loss = chance.choice((0.0, 0.1, 0.3))
    lines = {line: received(chance, packed(chance, day), loss=loss) for line in "AB"}
    limits = LineLimits(
        gap_wait_ns=chance.choice((0, 5, 50)),
        give_up_ns=chance.choice((0, 3, 100)),
        held_packets=chance.choice((1, 3, 1_000)),
        missing_runs=chance.choice((1, 1_000)),
    )
    recovers = chance.random() < 0.5
    arbiter = Arbiter(CHANNEL, CODEC, limits=limits)
    judge = Judge(day)
    now_ns = 0
    for line, packet in interleaved(chance, lines):
        now_ns += chance.randint(0, 4)
        events = arbiter.handle(packet, line, now_ns)
        if chance.random() < 0.1:
            events += arbiter.poll(now_ns)
        judge.hear(events)
        if not recovers:
            continue
        for gap in [one for one in events if isinstance(one, GapOpened)]:
            if (gap.begin, gap.end) not in judge.open:
                continue
            for again in retransmitted(chance, day, judge.epoch, gap):
                judge.hear(arbiter.handle(again, "retransmission", now_ns))
            if chance.random() < 0.3:
                judge.hear(arbiter.abandon(gap.begin, gap.end, now_ns))
    if day and chance.random() < 0.8:
        last = day[-1]
        beat = CODEC.encode_packet([], sequence=last.number, send_time_ns=last.sent_ns)
        judge.hear(arbiter.handle(beat, "A", now_ns))
    known = arbiter.newest
    for _ in range(4):
        now_ns += 1_000
        judge.hear(arbiter.poll(now_ns))
    check(day, judge, arbiter, known)


def check(day: list[Sent], judge: Judge, arbiter: Arbiter, known: int) -> None:
    assert () == arbiter.missing
    assert set() == judge.open
    assert len(set(judge.delivered)) == len(judge.delivered)
    order = {one: index for index, one in enumerate(day)}
    places = [order[one] for one in judge.delivered]
    assert sorted(places) == places
    for one in day:
        if one in judge.delivered or (one.epoch, one.number) in judge.accounted:
            continue
        # What was sent last before a reset, and never seen: nobody could know of it.
        later = [
            other
            for other in judge.delivered
            if other.epoch == one.epoch
            and other.number > one.number
            and not isinstance(other.message, SequenceReset)
        ]
        assert [] == later, one
        assert one.epoch < judge.epoch or one.number > known, one


@pytest.mark.parametrize(
    "count", [1_000, pytest.param(100_000, marks=pytest.mark.long)], ids="{:_}".format
)
def test_every_message_is_delivered_once_in_order_or_told_to_be_missing(count: int) -> None:
    for seed in range(count):
        try:
            play(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error


@pytest.mark.parametrize(
    "count", [300, pytest.param(30_000, marks=pytest.mark.long)], ids="{:_}".format
)
def test_what_either_line_brings_within_the_wait_is_no_gap(count: int) -> None:
    """Every message comes by A or by B, however cut: all is delivered and nothing told."""
    for seed in range(count):
        chance = random.Random(seed)
        day = sent_by_the_exchange(chance, resets=False)
        whole = packed(chance, day)
        half = [packet for packet in packed(chance, day) if chance.random() < 0.5]
        arbiter = Arbiter(CHANNEL, CODEC, limits=LineLimits(gap_wait_ns=10_000))
        judge = Judge(day)
        events: tuple[LineEvent, ...] = ()
        for now_ns, (line, packet) in enumerate(interleaved(chance, {"A": half, "B": whole})):
            events += arbiter.handle(packet, line, now_ns)
        judge.hear(events)
        assert day == judge.delivered, seed
        assert {MessagesArrived} >= {type(one) for one in events}, seed
