"""Mutated packets: each is read, and written back as it was, or refused with `WireError` alone.

Decoding, checking and walking agree on which. The full count runs in several processes.
"""

from __future__ import annotations

import os
import random
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from hkex_ops.config.layouts import SPECS, load_codec
from hkex_ops.errors import WireError
from hkex_ops.omd import Arbiter, Codec, MessagesArrived, PacketRefused, PacketStream, walk
from tests.omd.wire import drawn_packet, layouts_of, mutated, packet_of

SHARE = 5_000
"""Packets in one piece of work."""

ORIGINALS = 64
"""Packets that one piece of work mutates, over and over."""


def refusal_of(codec: Codec, packet: bytes) -> WireError | None:
    """What decoding says; whatever is read is written back as it was."""
    try:
        header, messages = codec.decode_packet(packet)
    except WireError as error:
        return error
    written = codec.encode_packet(
        messages,
        sequence=header.sequence,
        send_time_ns=header.send_time_ns,
        filler=header.filler,
    )
    assert packet == written
    return None


def work(spec: str, count: int, seed: int) -> tuple[int, int]:
    """How many of ``count`` mutated packets were read, and how many refused."""
    chance = random.Random(f"{spec} {seed}")
    codec = load_codec(spec)
    originals = [drawn_packet(chance, layouts_of(spec)) for _ in range(ORIGINALS)]
    read = refused = 0
    for _ in range(count):
        packet = mutated(chance, chance.choice(originals))
        decoding = refusal_of(codec, packet)
        checking: WireError | None = None
        try:
            codec.check(packet)
        except WireError as error:
            checking = error
        assert str(decoding) == str(checking), packet.hex()
        with suppress(WireError):
            list(walk(packet, spec=spec))
        if decoding is None:
            read += 1
        else:
            assert decoding.spec == spec
            assert 0 <= decoding.offset <= len(packet)
            refused += 1
    return read, refused


@pytest.mark.parametrize(
    "count", [100_000, pytest.param(10_000_000, marks=pytest.mark.long)], ids="{:_}".format
)
def test_a_mutated_packet_is_refused_with_a_wire_error_and_nothing_else(count: int) -> None:
    pieces = count // SHARE
    specs = [SPECS[piece % len(SPECS)] for piece in range(pieces)]
    run = partial(work, count=SHARE)
    if count <= 100_000:
        counts = [run(spec, seed=seed) for seed, spec in enumerate(specs)]
    else:
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            counts = list(pool.map(_numbered, specs, range(pieces), chunksize=4))
    read, refused = (sum(one) for one in zip(*counts, strict=True))
    assert count == read + refused
    # Both kinds in earnest: a test of refusals alone, or of readings alone, would prove little.
    assert read > count // 10
    assert refused > count // 10


def _numbered(spec: str, seed: int) -> tuple[int, int]:
    return work(spec, SHARE, seed)


@pytest.mark.parametrize("spec", SPECS)
def test_a_packet_cut_anywhere_is_refused(spec: str) -> None:
    chance = random.Random(spec)
    codec = load_codec(spec)
    for _ in range(20):
        packet = drawn_packet(chance, layouts_of(spec))
        for length in range(len(packet)):
            for cut in (packet[:length], length.to_bytes(2, "little") + packet[2:length]):
                if cut == packet[:16] and packet[2] == 0:
                    continue
                error = refusal_of(codec, cut)
                assert error is not None or len(cut) == 16, (length, packet.hex())


@pytest.mark.parametrize("spec", SPECS)
def test_packets_come_out_of_a_stream_however_it_was_split(spec: str) -> None:
    """Whole, halved, byte by byte, and at random."""
    chance = random.Random(spec)
    packets = [drawn_packet(chance, layouts_of(spec)) for _ in range(20)]
    sent = b"".join(packets)
    half = len(sent) // 2
    splits = [
        [sent],
        [sent[:half], sent[half:]],
        [sent[index : index + 1] for index in range(len(sent))],
        [sent[: chance.randrange(len(sent))], b""],
    ]
    splits[-1].append(sent[len(splits[-1][0]) :])
    for pieces in splits:
        stream = PacketStream(spec=spec)
        got = [packet for piece in pieces for packet in stream.feed(piece)]
        assert packets == got
        assert 0 == stream.held_bytes


def test_a_stream_holds_less_than_a_packet() -> None:
    stream = PacketStream()
    assert [] == list(stream.feed(packet_of([bytes(1000)])[:-1]))
    assert 1015 == stream.held_bytes


def test_a_stream_that_is_none_of_packets_says_so_after_those_that_are() -> None:
    stream = PacketStream(spec="omd-c-1.45")
    got: list[bytes] = []
    with pytest.raises(WireError, match="this one says 65535"):
        got.extend(stream.feed(packet_of([]) + b"\xff" * 20))
    assert [packet_of([])] == got or [] == got
    with pytest.raises(WireError, match="this one says 65535"):
        list(stream.feed(b""))


def test_a_refused_packet_costs_the_line_nothing_but_itself() -> None:
    """Packets 1 to 30 come by line A, every third of them spoilt, and whole by line B: all arrive,
    and each spoilt one is told."""
    chance = random.Random(7)
    codec = load_codec()
    layouts = [one for one in layouts_of("omd-c-1.45") if one.type != 100]
    packets: list[bytes] = []
    sequence = 1
    while len(packets) < 30:
        drawn = drawn_packet(chance, layouts)
        if drawn[2]:
            packets.append(drawn[:4] + sequence.to_bytes(4, "little") + drawn[8:])
            sequence += drawn[2]
    arbiter = Arbiter(30, codec)
    events = []
    for index, packet in enumerate(packets):
        spoilt = packet[:-1] if index % 3 == 0 else packet
        events += arbiter.handle(spoilt, "A", index)
        events += arbiter.handle(packet, "B", index)
    arrived = [one for one in events if isinstance(one, MessagesArrived)]
    refused = [one for one in events if isinstance(one, PacketRefused)]
    assert packets == [one.packet for one in arrived]
    assert [packet[:-1] for packet in packets[::3]] == [one.packet for one in refused]
    assert all(f"bytes, and {len(one.packet)} came" in one.reason for one in refused)
