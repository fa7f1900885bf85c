"""Fast readers read what arbiters and the codec read, whatever came and in whatever pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from struct import pack

import pytest

from hkex_ops.config.layouts import load_layout
from hkex_ops.errors import UsageError, WireError
from hkex_ops.omd import Trade, read_header
from hkex_ops.omd.capture import CapturedPacket
from hkex_ops.omd.events import GapOpened
from hkex_ops.omd.frames import Passed, address_of, frame_of
from hkex_ops.omd.merging import Merger
from hkex_ops.omd.recording import capture_header, capture_record
from hkex_ops.omd.scanning import CaptureSubscription
from hkex_ops.omd.streaming import Piece, Subscription, trade_struct
from tests.omd.traffic import (
    ALSO,
    START_NS,
    STEP_NS,
    Arrival,
    captured,
    codec,
    reference,
    told,
    traffic,
)


def subscription(channels: Iterable[int] | None = None) -> Subscription:
    wanted = None if channels is None else frozenset(channels)
    return Subscription(codec, step_ns=STEP_NS, also=ALSO, merger=Merger(codec, channels=wanted))


def batches(arrivals: Sequence[Arrival], *, together: int) -> Iterator[Sequence[Arrival]]:
    """What is of one channel and line, as many as came one after the other; at most so many."""
    for _, group in groupby(arrivals, key=lambda arrival: arrival[:2]):
        same = list(group)
        for at in range(0, len(same), together):
            yield same[at : at + together]


def live(arrivals: Sequence[Arrival], *, together: int) -> tuple[list[Piece], list[object]]:
    """As a live feed hands it over: packets that came together, at the time of the last."""
    subscribed = subscription()
    pieces: list[Piece] = []
    for batch in batches(arrivals, together=together):
        channel, line, at_ns, _ = batch[-1]
        packets = [arrival.packet for arrival in batch]
        pieces.append(subscribed.feed(channel, line, packets, at_ns))
    pieces.append(subscribed.close(arrivals[-1].at_ns))
    return pieces, list(subscribed.merger.health)


def scanned(data: bytes, *, piece: int) -> tuple[list[Piece], list[object]]:
    subscribed = subscription()
    reader = CaptureSubscription(subscribed)
    pieces = [reader.feed(data[at : at + piece]) for at in range(0, len(data), piece)]
    rest, error = reader.close()
    assert error is None
    return [*pieces, rest], list(subscribed.merger.health)


def pcapng(arrivals: Sequence[Arrival]) -> bytes:
    return capture_header("SYNTHETIC") + b"".join(map(capture_record, captured(arrivals)))


def pcap(
    arrivals: Sequence[Arrival], *, order: str = "<", snap: int = 65_535, tag: bytes = b""
) -> bytes:
    """A classic capture in nanoseconds; with ``tag`` every frame has it behind its addresses."""
    parts = [pack(f"{order}IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, snap, 1)]
    for time_ns, group, port, payload in captured(arrivals):
        frame = frame_of(address_of(group), port, payload)
        frame = frame[:12] + tag + frame[12:]
        lengths = (min(len(frame), snap), len(frame))
        parts.append(pack(f"{order}IIII", *divmod(time_ns, 1_000_000_000), *lengths))
        parts.append(frame[:snap])
    return b"".join(parts)


SEEDS = [range(12), pytest.param(range(12, 4_000), marks=pytest.mark.long)]
FORMATS: dict[str, Callable[[Sequence[Arrival]], bytes]] = {
    "pcapng": pcapng,
    "pcap": pcap,
    "pcap, big-endian": lambda arrivals: pcap(arrivals, order=">"),
    "pcap, VLAN": lambda arrivals: pcap(arrivals, tag=b"\x81\x00\x00\x05"),
    "pcap, cut at 1500": lambda arrivals: pcap(arrivals, snap=1_500),
}


@pytest.mark.parametrize("together", [1, 50])
@pytest.mark.parametrize("seeds", SEEDS)
def test_live_packets_are_read_as_arbiters_deliver_them(seeds: range, together: int) -> None:
    for seed in seeds:
        arrivals = [
            arrival._replace(at_ns=batch[-1].at_ns)
            for batch in batches(traffic(seed), together=together)
            for arrival in batch
        ]
        pieces, health = live(arrivals, together=together)
        assert reference(arrivals, polled=False) == (told(pieces), health), seed


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("seeds", SEEDS)
def test_captures_are_read_as_arbiters_deliver_them(seeds: range, form: str) -> None:
    """Of every format, in pieces of any size: slices, and so small that no record is whole."""
    for seed in seeds:
        arrivals = traffic(seed)
        data, expected = FORMATS[form](arrivals), reference(arrivals)
        for piece in (1 << 20, 5_000, 700 + seed % 97):
            pieces, health = scanned(data, piece=piece)
            assert expected == (told(pieces), health), (seed, piece)


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_what_is_plain_is_read_the_plain_way(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In traffic without a fault only the first record of each stream is looked at by itself."""
    looked_at: list[int] = []
    one = CaptureSubscription._one

    def watched(self: CaptureSubscription, data: bytes, at: int) -> int:
        looked_at.append(at)
        return one(self, data, at)

    monkeypatch.setattr(CaptureSubscription, "_one", watched)
    arrivals = traffic(1, packets=1_500, faults=0.0)
    pieces, _ = scanned(FORMATS[form](arrivals), piece=1 << 20)
    assert reference(arrivals)[0] == told(pieces)
    assert len(looked_at) < len(arrivals) / 10


def test_channels_that_are_not_wanted_give_no_rows_and_move_the_time_all_the_same() -> None:
    arrivals = traffic(1, packets=600, faults=0.0)
    subscribed = subscription(channels={30})
    reader = CaptureSubscription(subscribed)
    pieces = [reader.feed(pcap(arrivals)), reader.close()[0]]
    own = [arrival for arrival in arrivals if arrival.channel == 30]
    rows = [row for row, _ in reference(own)[0] if isinstance(row, tuple) and len(row) == 4]
    assert rows == [row for piece in pieces for row in piece.rows]
    sent = {read_header(one.packet).send_time_ns // STEP_NS for one in arrivals}
    marked = {mark.sent_ns // STEP_NS for piece in pieces for mark in piece.marks}
    assert sent == marked


def test_every_row_is_told_with_the_channel_it_came_on() -> None:
    """Those of a channel are the rows that a subscription to it alone has; one word a change."""
    arrivals = traffic(3, packets=600)
    pieces, _ = scanned(pcap(arrivals), piece=1 << 20)
    rows: dict[int, list[tuple[int, ...]]] = {arrival.channel: [] for arrival in arrivals}
    for piece in pieces:
        numbers = [number for _, number in piece.channels]
        assert all(one != other for one, other in pairwise(numbers))
        ends = [*(begin for begin, _ in piece.channels), len(piece.rows)][1:]
        for (begin, number), end in zip(piece.channels, ends, strict=True):
            rows[number] += piece.rows[begin:end]
    for channel, told_of in rows.items():
        reader = CaptureSubscription(subscription(channels={channel}))
        alone = [*reader.feed(pcap(arrivals)).rows, *reader.close()[0].rows]
        assert alone == told_of


@pytest.mark.parametrize("form", FORMATS)
def test_a_packet_that_proves_unsound_puts_no_clock_back(form: str) -> None:
    """A gap elsewhere is told by the first packet after its time, whatever is looked into again."""
    millisecond_ns = 1_000_000

    def arrival(channel: int, after_ms: int, sequence: int, *, size: int = 0) -> Arrival:
        packet = codec.encode_packet(
            [codec.blank(Trade)], sequence=sequence, send_time_ns=START_NS + after_ms
        )
        if size:
            packet = packet[:16] + bytes([size]) + packet[17:]
        return Arrival(channel, "A", START_NS + after_ms * millisecond_ns, packet)

    arrivals = [
        *(arrival(channel, 0, 1) for channel in (2, 30, 31)),
        arrival(30, 10, 3),
        arrival(31, 12, 2, size=3),
        arrival(2, 160, 3),
        arrival(2, 400, 2),
    ]
    pieces, health = scanned(FORMATS[form](arrivals), piece=1 << 20)
    assert reference(arrivals) == (told(pieces), health)
    opened = [one.at_ns - START_NS for one in health if isinstance(one, GapOpened)]
    assert 160 * millisecond_ns == opened[0]


@pytest.mark.parametrize("form", FORMATS)
def test_heartbeats_of_known_messages_move_the_time(form: str) -> None:
    """One that names a message which has not come does not."""
    sent = [(START_NS + second * STEP_NS, sequence) for second, sequence in enumerate((1, 1, 9, 1))]
    first = codec.encode_packet([codec.blank(Trade)], sequence=1, send_time_ns=START_NS)
    beats = [codec.encode_packet((), sequence=last, send_time_ns=at) for at, last in sent]
    arrivals = [
        Arrival(30, line, START_NS + place, packet)
        for place, packet in enumerate([first, *beats])
        for line in "AB"
    ]
    pieces, _ = scanned(FORMATS[form](arrivals), piece=1 << 20)
    marked = [mark.sent_ns for piece in pieces for mark in piece.marks if mark.message is None]
    assert [START_NS + second * STEP_NS for second in (0, 1, 3)] == marked


def test_datagrams_of_no_channel_and_frames_without_one_are_counted() -> None:
    arrivals = traffic(1, packets=20, faults=0.0)
    stranger = CapturedPacket(0, "239.1.1.1", 700, arrivals[0].packet)
    reader = CaptureSubscription(subscription())
    data = pcapng(arrivals) + capture_record(stranger)
    cut = pack("<IIIIIIII", 6, 36, 0, 0, 0, 4, 60, 0) + pack("<I", 36)
    pieces = [reader.feed(data + cut)]
    rest, error = reader.close()
    assert (None, 1, {Passed.CUT: 1}) == (error, reader.strangers, reader.passed)
    assert reference(arrivals)[0] == told([*pieces, rest])


def test_a_capture_that_is_cut_off_gives_what_is_there_and_says_where_it_ends() -> None:
    arrivals = traffic(1, packets=50, faults=0.0)
    data = pcap(arrivals)
    reader = CaptureSubscription(subscription())
    pieces = [reader.feed(data[:-3])]
    rest, error = reader.close()
    last = len(data) - 16 - 42 - len(arrivals[-1].packet)
    assert error is not None
    assert last == error.offset
    assert "cut off" in str(error)
    assert reference(arrivals[:-1])[0] == told([*pieces, rest])


def test_a_damaged_capture_gives_what_is_there_before_the_damage() -> None:
    arrivals = traffic(1, packets=200, faults=0.0)
    data = pcap(arrivals) + b"\xff" * 5_000
    reader = CaptureSubscription(subscription())
    with pytest.raises(WireError, match="damaged here") as caught:
        reader.feed(data)
    rest, error = reader.close()
    assert str(caught.value) == str(error)
    assert len(data) - 5_000 == caught.value.offset
    assert reference(arrivals)[0] == told([rest])


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2\xa1"])
def test_what_is_too_short_for_a_capture_is_said_to_be(data: bytes) -> None:
    reader = CaptureSubscription(subscription())
    assert Piece.empty() == reader.feed(data)
    piece, error = reader.close()
    assert Piece.empty() == piece
    assert "no capture" in str(error)


def test_an_unwanted_message_is_stepped_over_by_its_size_and_not_looked_into() -> None:
    """The one difference to an arbiter: it refuses the packet, because the codec would."""
    body = pack("<HHI", 8, 30, 5)  # an Add Order too short for its fields
    trade = codec.encode_message(codec.blank(Trade)._replace(security_code=5, trade_id=1))
    packet = pack("<HBBIQ", 16 + len(body) + len(trade), 2, 0, 1, 10) + body + trade
    with pytest.raises(WireError):
        codec.check(packet)
    assert [(5, 1, 0, 0)] == subscription().feed(30, "A", [packet], 0).rows


def test_the_row_of_a_trade_is_read_where_the_layout_has_its_fields() -> None:
    unpacked, least = trade_struct(codec.layout)
    trade = codec.blank(Trade)._replace(
        security_code=1, trade_id=2, price_3dp=-3, quantity=4, trade_type=-5, trade_time_ns=6
    )
    data = codec.encode_message(trade)
    assert ((1, 2, -3, -5), len(data)) == (unpacked.unpack_from(data), least)


def test_a_version_without_trades_has_no_subscription() -> None:
    with pytest.raises(UsageError, match="type 50"):
        trade_struct(load_layout("omd-cc-1.4"))
