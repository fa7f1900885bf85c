"""SYNTHETIC traffic for the fast readers: channels on two lines, with everything that goes wrong.

Drawn from a seed. What must be read of it is told by :func:`reference`, which arbitrates with plain
arbiters and decodes every message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from struct import pack_into
from typing import NamedTuple

from hkex_ops.config.layouts import load_codec
from hkex_ops.omd import (
    AddOrder,
    Codec,
    DeleteOrder,
    Message,
    SequenceReset,
    Trade,
    TradeCancel,
    TradingSessionStatus,
)
from hkex_ops.omd.capture import CapturedPacket, CaptureStreams
from hkex_ops.omd.events import (
    GapLost,
    LineReturned,
    LineSilent,
    MessagesArrived,
    SequenceRestarted,
)
from hkex_ops.omd.line import Arbiter
from hkex_ops.omd.merging import POLL_NS
from hkex_ops.omd.streaming import Piece, TradeRow

__all__ = [
    "ALSO",
    "CHANNELS",
    "START_NS",
    "STEP_NS",
    "Arrival",
    "Read",
    "busy",
    "captured",
    "codec",
    "reference",
    "told",
    "traffic",
]

codec: Codec = load_codec()

CHANNELS = (30, 31, 2)
STEP_NS = 2_000_000_000
ALSO = (TradingSessionStatus.TYPE, TradeCancel.TYPE)
START_NS = 1_794_879_000_000_000_000
MILLISECOND_NS = 1_000_000
SECURITIES = (5, 700, 941)


class Arrival(NamedTuple):
    """A packet as it came: by which line of which channel, and when."""

    channel: int
    line: str
    at_ns: int
    packet: bytes


Read = tuple[object, int]
"""A row, a rare message or what was lost, and the number of the interval in which it was sent."""


OWN = {30: (5,), 31: (700,), 2: (941,)}
"""Which stocks trade on which channel, where each has one of its own as on the exchange's feed."""


def _messages(
    random: Random, ids: dict[int, int], securities: Sequence[int] = SECURITIES
) -> list[Message]:
    found: list[Message] = []
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        security = random.choice(securities)
        kind = random.random()
        if kind < 0.5:
            ids[security] = ids.get(security, 0) + 1
            trade = codec.blank(Trade)._replace(
                security_code=security,
                trade_id=ids[security],
                price_3dp=random.randrange(1, 90_000),
                quantity=100,
                trade_type=random.choice((0, 0, 0, 100, 103, 22)),
            )
            found.append(trade)
        elif kind < 0.7:
            found.append(codec.blank(AddOrder)._replace(security_code=security))
        elif kind < 0.9:
            found.append(codec.blank(DeleteOrder)._replace(security_code=security))
        elif kind < 0.95:
            session = random.choice((2, 3, 7))
            found.append(
                codec.blank(TradingSessionStatus)._replace(
                    market_code_ascii=b"MAIN", trading_session_sub_id=session
                )
            )
        else:
            cancelled = random.randint(1, ids.get(security, 1))
            found.append(
                codec.blank(TradeCancel)._replace(security_code=security, trade_id=cancelled)
            )
    return found


def _damaged(random: Random, packet: bytes, *, header_bytes: int) -> bytes:
    """Cut off, or with a wrong size of its first message, or one bit of its header wrong.

    A message that nobody wants is stepped over and not looked into, so none is damaged inside.
    """
    kind = random.random()
    if kind < 0.3:
        return packet[: random.randrange(len(packet))]
    data = bytearray(packet)
    if kind < 0.6:
        pack_into("<H", data, 16, random.choice((0, 1, 3, 5, 31, 40, 2_000)))
    else:
        data[random.randrange(header_bytes)] ^= 1 << random.randrange(8)
    return bytes(data)


def traffic(
    seed: int,
    *,
    packets: int = 60,
    faults: float = 0.1,
    recoverable: bool = False,
    own_channels: bool = False,
    lost: float = 0.0,
) -> list[Arrival]:
    """What comes of about ``packets`` packets of `CHANNELS`, in the order in which it comes.

    ``faults`` is the chance of each: a loss on a line, a loss on both, a copy too many, a packet
    that another overtakes, other boundaries on line B, a damaged packet. With faults numbers begin
    anew now and then. Heartbeats are sent, and sometimes nothing for a while. What is recoverable
    comes whole by one line at least, within milliseconds, and nothing is reset. With
    ``own_channels`` a stock trades on one channel only. ``lost`` is the chance that a packet comes
    by no line, whatever the faults.
    """
    random = Random(seed)
    now = START_NS
    following = dict.fromkeys(CHANNELS, 1)
    ids: dict[int, int] = {}
    found: list[Arrival] = []
    for channel in () if recoverable else CHANNELS:
        _send(random, found, channel, now, [codec.blank(SequenceReset)._replace(new_sequence=1)], 1)
        following[channel] = 2
    for _ in range(packets):
        now += random.choice((0, 1, 1, 20, 300)) * MILLISECOND_NS
        if random.random() < 0.02:
            now += random.choice((1_700, 11_000)) * MILLISECOND_NS
        channel = random.choice(CHANNELS)
        kind = random.random()
        if kind < 0.05:
            packet = codec.encode_packet((), sequence=following[channel] - 1, send_time_ns=now)
            found += (Arrival(channel, line, now, packet) for line in "AB")
        elif kind < 0.06 and faults and not recoverable:
            reset = codec.blank(SequenceReset)._replace(new_sequence=1)
            _send(random, found, channel, now, [reset], following[channel])
            following[channel] = 2
        else:
            messages = _messages(random, ids, OWN[channel] if own_channels else SECURITIES)
            spared = random.choice("AB") if recoverable else ""
            if not (lost and random.random() < lost):
                _send(random, found, channel, now, messages, following[channel], faults, spared)
            following[channel] += len(messages)
    return sorted(found, key=lambda arrival: arrival.at_ns)


def _send(
    random: Random,
    found: list[Arrival],
    channel: int,
    now: int,
    messages: Sequence[Message],
    sequence: int,
    faults: float = 0.0,
    spared: str = "",
) -> None:
    """One send on both lines, as the network brings it; nothing much happens to a line spared."""

    def happens(part: float = 1.0) -> bool:
        return random.random() < faults * part

    sent = now - now % MILLISECOND_NS
    if happens(0.2) and not spared:
        return
    lost = random.choice("AB".replace(spared, "") or "AB") if happens() else ""
    for line in "AB":
        if line == lost:
            continue
        pieces = [(sequence, list(messages))]
        if line == "B" and len(messages) > 1 and happens():
            half = len(messages) // 2
            pieces = [(sequence, list(messages[:half])), (sequence + half, list(messages[half:]))]
        for number, part in pieces:
            packet = codec.encode_packet(part, sequence=number, send_time_ns=sent, filler=7)
            at = now + random.randrange(20_000, 150_000)
            if happens():
                at += random.choice((300_000, 3_000_000, 60_000_000)[: 2 if line == spared else 3])
            if happens(0.5) and line != spared:
                # What is not recoverable may have a wrong number, and open a gap to nowhere.
                packet = _damaged(random, packet, header_bytes=3 if spared else 16)
            found.append(Arrival(channel, line, at, packet))
            if happens():
                found.append(Arrival(channel, line, at + 9_000, packet))


def busy(seed: int, *, seconds: int = 40, lost: float = 0.01) -> list[Arrival]:
    """Trades on every channel at least every second and a half, each stock on its own.

    A packet in twenty is missing on a line, and ``lost`` of them come by none.
    """
    random = Random(seed)
    found: list[Arrival] = []
    trade_id, kinds = dict.fromkeys(OWN, 0), (0, 0, 100, 22)
    for channel, (security,) in OWN.items():
        now, sequence = random.randrange(1_000), 1
        while now < seconds * 1_000:
            messages: list[Message] = []
            for _ in range(random.choice((1, 1, 2))):
                trade_id[channel] += 1
                messages.append(
                    codec.blank(Trade)._replace(
                        security_code=security,
                        trade_id=trade_id[channel],
                        price_3dp=random.randrange(1, 90_000),
                        trade_type=random.choice(kinds),
                    )
                )
            sent = START_NS + now * MILLISECOND_NS
            packet = codec.encode_packet(messages, sequence=sequence, send_time_ns=sent)
            sequence += len(messages)
            if random.random() >= lost:
                found += (
                    Arrival(channel, line, sent + random.randrange(20_000, 150_000), packet)
                    for line in "AB"
                    if random.random() < 0.95
                )
            now += random.choice((30, 100, 300, 900, 1_500))
    return sorted(found, key=lambda arrival: arrival.at_ns)


def captured(arrivals: Iterable[Arrival]) -> list[CapturedPacket]:
    """The same as datagrams of a capture."""
    streams = CaptureStreams()
    return [
        CapturedPacket(at_ns, *streams.where(channel, line), packet)
        for channel, line, at_ns, packet in arrivals
    ]


def reference(
    arrivals: Sequence[Arrival], *, polled: bool = True
) -> tuple[list[Read], list[object]]:
    """What must be read of it, in order, and what must be told of the channels' health.

    Readers of captures look after what waits on a grid, ``polled``.
    """
    arbiters: dict[int, Arbiter] = {}
    read: list[Read] = []
    health: list[object] = []

    def take(events: Iterable[object]) -> None:
        for event in events:
            if isinstance(event, MessagesArrived):
                packet = codec.decode_packet(event.packet)
                interval = packet.header.send_time_ns // STEP_NS
                upto = event.skip + event.message_count
                for message in packet.messages[event.skip : upto]:
                    if isinstance(message, Trade):
                        row: TradeRow = (
                            message.security_code,
                            message.trade_id,
                            message.price_3dp,
                            message.trade_type,
                        )
                        read.append((row, interval))
                    elif isinstance(message, SequenceReset | TradingSessionStatus | TradeCancel):
                        read.append((message, interval))
            elif not isinstance(event, SequenceRestarted | LineSilent | LineReturned):
                health.append(event)
                if isinstance(event, GapLost):
                    read.append((event, 0))

    last_ns = before_ns = 0
    for channel, line, last_ns, packet in arrivals:
        if channel not in arbiters:
            arbiters[channel] = Arbiter(channel, codec)
        take(arbiters[channel].handle(packet, line, last_ns))
        if polled and last_ns // POLL_NS > before_ns // POLL_NS:
            for arbiter in arbiters.values():
                take(arbiter.poll(last_ns))
            before_ns = last_ns
    if polled:
        for arbiter in arbiters.values():
            take(arbiter.poll(last_ns + 50 * MILLISECOND_NS))
    for arbiter in arbiters.values():
        take(arbiter.poll(last_ns + 50 * MILLISECOND_NS))
        take(arbiter.poll(last_ns + 10_050 * MILLISECOND_NS))
    return read, health


def told(pieces: Iterable[Piece]) -> list[Read]:
    """Pieces as :func:`reference` tells it."""
    read: list[Read] = []
    interval = -1
    for rows, marks, _ in pieces:
        at = 0
        for place, sent_ns, message, _ in marks:
            read += ((row, interval) for row in rows[at:place])
            at = place
            if message is None:
                interval = sent_ns // STEP_NS
            else:
                read.append((message, 0 if isinstance(message, GapLost) else sent_ns // STEP_NS))
        read += ((row, interval) for row in rows[at:])
    return read
