"""Bytes for the tests of the wire: messages and packets drawn from the layout tables.

The content of a drawn field is any bytes at all, so that nothing rests on values being sensible;
only the counts of groups say what follows.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import strategies as st

from hkex_ops.config.layouts import load_layout
from hkex_ops.omd import Codec, MessageLayout, Trade

SENT_NS = 1_794_877_200_123_000_000
"""17 November 2026, 09:00:00.123 in Hong Kong."""


def layouts_of(spec: str) -> tuple[MessageLayout, ...]:
    return load_layout(spec).messages


def drawn_message(chance: random.Random, layout: MessageLayout, *, tail_bytes: int = 0) -> bytes:
    """One message of this layout with any content, and any number of items in its groups."""
    fields = bytearray(chance.randbytes(layout.size_bytes))
    pieces: list[bytes] = []
    start = 4
    for group in layout.groups:
        [count] = [one for one in layout.fields if one.name == group.count]
        items = chance.choice((0, 1, 2, 5))
        fields[count.offset : count.end] = items.to_bytes(count.length_bytes, "little")
    for group in layout.groups:
        [count] = [one for one in layout.fields if one.name == group.count]
        items = int.from_bytes(fields[count.offset : count.end], "little")
        pieces += [bytes(fields[start : group.start]), chance.randbytes(items * group.stride_bytes)]
        start = group.start
    body = b"".join((*pieces, bytes(fields[start:]), chance.randbytes(tail_bytes)))
    return (4 + len(body)).to_bytes(2, "little") + layout.type.to_bytes(2, "little") + body


def packet_of(
    messages: Sequence[bytes],
    *,
    sequence: int = 1,
    sent_ns: int = SENT_NS,
    filler: int = 0,
) -> bytes:
    """A packet of encoded messages, its header laid by hand."""
    body = b"".join(messages)
    return b"".join(
        (
            (16 + len(body)).to_bytes(2, "little"),
            bytes((len(messages), filler)),
            sequence.to_bytes(4, "little"),
            sent_ns.to_bytes(8, "little"),
            body,
        )
    )


def drawn_packet(chance: random.Random, layouts: Sequence[MessageLayout]) -> bytes:
    """A packet of a few messages of any type, some longer than their fields."""
    messages: list[bytes] = []
    room = 1472 - 16
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
        tail_bytes = chance.choice((0, 0, 0, 1, 7))
        message = drawn_message(chance, chance.choice(layouts), tail_bytes=tail_bytes)
        if len(message) <= room:
            messages.append(message)
            room -= len(message)
    return packet_of(messages, sequence=chance.randrange(2**32), filler=chance.randrange(256))


def mutated(chance: random.Random, packet: bytes) -> bytes:
    """The packet with something wrong with it: cut, bits turned, a number overwritten, doubled."""
    data = bytearray(packet)
    for _ in range(chance.choice((1, 1, 2, 4))):
        match chance.randrange(6):
            case 0 if data:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 1:
                del data[chance.randrange(len(data) + 1) :]
            case 2:
                data += chance.randbytes(chance.randrange(1, 9))
            case 3 if len(data) > 20:
                # Where sizes and counts are likely to lie.
                at = chance.choice((0, 2, 16, 18, 27, 28, chance.randrange(len(data) - 1)))
                data[at : at + 2] = chance.choice(
                    (b"\0\0", b"\xff\xff", b"\3\0", b"\4\0", b"\x35\0")
                )
            case 4 if len(data) > 20:
                at = chance.randrange(16, len(data))
                del data[at : at + chance.randrange(1, 5)]
            case _:
                if data:
                    data[chance.randrange(len(data))] = chance.randrange(256)
    if chance.random() < 0.5 and len(data) >= 2:
        # A size that is right lets the fault further in.
        data[0:2] = (len(data) & 0xFFFF).to_bytes(2, "little")
    return bytes(data)


def trades(codec: Codec, begin: int, count: int) -> list[Trade]:
    """Trades that can be told apart: each bears its own number."""
    blank = codec.blank(Trade)
    return [
        blank._replace(security_code=number % 99_999 + 1, trade_id=number)
        for number in range(begin, begin + count)
    ]


seeds = st.integers(0, 2**32 - 1).map(random.Random)
"""Chance with a stated seed, for what is drawn byte by byte."""
