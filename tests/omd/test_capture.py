"""Captures: datagrams come out whole however the file is cut into pieces, and damage is located."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from struct import pack

import pytest
from hypothesis import given, strategies as st

from hkex_ops.errors import UsageError, WireError
from hkex_ops.omd.capture import CapturedPacket, CaptureReader, CaptureStreams, Stream
from hkex_ops.omd.frames import Passed, address_of, address_text, frame_of
from hkex_ops.omd.recording import capture_header, capture_record

GROUP_A, GROUP_B = "239.1.1.24", "239.1.127.24"

packets = st.lists(
    st.builds(
        CapturedPacket,
        time_ns=st.integers(0, 2**63),
        group=st.sampled_from([GROUP_A, GROUP_B, "224.0.0.1"]),
        port=st.integers(1, 0xFFFF),
        payload=st.binary(max_size=80),
    ),
    max_size=6,
)


def frame(payload: bytes, *, group: str = GROUP_A, port: int = 51_030) -> bytes:
    return frame_of(address_of(group), port, payload)


def pcap(
    *frames: bytes, order: str = "<", magic: int = 0xA1B2C3D4, link: int = 1, snap: int = 65_535
) -> bytes:
    """A classic capture with one frame a second, each 7 units after the full second."""
    parts = [pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for second, data in enumerate(frames):
        kept = data[:snap]
        parts += [pack(f"{order}IIII", second, 7, len(kept), len(data)), kept]
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = pack(f"{order}I", len(body) + 12)
    return pack(f"{order}I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(options: bytes = b"", order: str = "<", link: int = 1, snap: int = 0) -> bytes:
    return block(1, pack(f"{order}HHI", link, 0, snap) + options, order)


def enhanced(ticks: int, data: bytes, order: str = "<", number: int = 0) -> bytes:
    sizes = (len(data), len(data))
    fields = pack(f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, *sizes)
    return block(6, fields + data, order)


def read(data: bytes, *, pieces: int = 1 << 20) -> list[CapturedPacket]:
    reader = CaptureReader()
    found: list[CapturedPacket] = []
    for at in range(0, len(data), pieces):
        found += reader.feed(data[at : at + pieces])
    reader.close()
    return found


@given(packets, st.integers(1, 400))
def test_what_is_recorded_is_read_again_in_pieces_of_any_size(
    given_packets: list[CapturedPacket], pieces: int
) -> None:
    data = capture_header("SYNTHETIC") + b"".join(map(capture_record, given_packets))
    assert given_packets == read(data, pieces=pieces)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit_ns"), [(0xA1B2C3D4, 1_000), (0xA1B23C4D, 1)])
def test_both_byte_orders_and_both_units_of_time_are_read(
    order: str, magic: int, unit_ns: int
) -> None:
    data = pcap(frame(b"first"), frame(b"second", group=GROUP_B), order=order, magic=magic)
    assert [
        CapturedPacket(7 * unit_ns, GROUP_A, 51_030, b"first"),
        CapturedPacket(1_000_000_000 + 7 * unit_ns, GROUP_B, 51_030, b"second"),
    ] == read(data)


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_interface_states_its_own_unit_and_beginning_of_time(order: str) -> None:
    """Powers of ten and of two; an offset in whole seconds; microseconds where nothing is said."""
    options = [
        b"",
        pack(f"{order}HHB3x", 9, 1, 9),
        pack(f"{order}HHB3x", 9, 1, 0x80 | 10),
        pack(f"{order}HHB3xHHq", 9, 1, 3, 14, 8, 100),
    ]
    data = section(order) + b"".join(interface(each, order) for each in options)
    data += b"".join(enhanced(2_048, frame(b"x"), order, number) for number in range(4))
    assert [2_048_000, 2_048, 2_000_000_000, 102_048_000_000] == [one.time_ns for one in read(data)]


def test_a_new_section_begins_with_no_interface_and_its_own_byte_order() -> None:
    data = section() + interface() + enhanced(1, frame(b"little"))
    data += section(">") + interface(order=">") + enhanced(2, frame(b"big"), ">")
    assert [b"little", b"big"] == [one.payload for one in read(data)]


def test_older_and_simpler_packet_blocks_are_read_and_unknown_blocks_passed_over() -> None:
    data = frame(b"old")
    old = block(2, pack("<HHIIII", 0, 0, 0, 5, len(data), len(data)) + data)
    simple = block(3, pack("<I", len(data)) + data)
    got = read(section() + interface() + block(5, b"statistics") + old + simple)
    assert [(5_000, b"old"), (0, b"old")] == [(one.time_ns, one.payload) for one in got]


def tagged(data: bytes, *tags: int) -> bytes:
    return data[:12] + b"".join(pack(">HH", tag, 5) for tag in tags) + data[12:]


@pytest.mark.parametrize(
    ("link", "made"),
    [
        pytest.param(1, lambda data: tagged(data, 0x8100), id="a VLAN tag"),
        pytest.param(1, lambda data: tagged(data, 0x88A8, 0x8100), id="two VLAN tags"),
        pytest.param(1, lambda data: data + bytes(18), id="padding behind a short frame"),
        pytest.param(113, lambda data: bytes(14) + data[12:], id="Linux cooked"),
        pytest.param(276, lambda data: data[12:14] + bytes(18) + data[14:], id="Linux cooked 2"),
        pytest.param(101, lambda data: data[14:], id="bare IP"),
    ],
)
def test_link_layers_are_seen_through(link: int, made: Callable[[bytes], bytes]) -> None:
    assert [b"payload"] == [one.payload for one in read(pcap(made(frame(b"payload")), link=link))]


def test_options_in_the_header_of_ip_are_stepped_over() -> None:
    plain = frame(b"payload")
    total = pack(">H", len(plain) - 14 + 8)
    data = plain[:14] + b"\x47" + plain[15:16] + total + plain[18:34] + bytes(8) + plain[34:]
    assert [b"payload"] == [one.payload for one in read(pcap(data))]


def changed(data: bytes, at: int, to: bytes) -> bytes:
    return data[:at] + to + data[at + len(to) :]


@pytest.mark.parametrize(
    ("why", "data"),
    [
        (Passed.NOT_UDP, changed(frame(b"x" * 30), 12, b"\x86\xdd")),
        (Passed.NOT_UDP, changed(frame(b"x" * 30), 14, b"\x65")),
        (Passed.NOT_UDP, changed(frame(b"x" * 30), 23, b"\x06")),
        (Passed.FRAGMENT, changed(frame(b"x" * 30), 20, b"\x20\x00")),
        (Passed.FRAGMENT, changed(frame(b"x" * 30), 20, b"\x00\x05")),
        (Passed.MALFORMED, changed(frame(b"x" * 30), 38, b"\xff\xff")),
        (Passed.MALFORMED, changed(frame(b"x" * 30), 38, b"\x00\x07")),
        (Passed.MALFORMED, changed(frame(b"x" * 30), 14, b"\x44")),
        (Passed.CUT, frame(b"x" * 30)[:-1]),
        (Passed.CUT, frame(b"x" * 30)[:40]),
        (Passed.CUT, frame(b"x" * 30)[:30]),
        (Passed.CUT, frame(b"x" * 30)[:9]),
        (Passed.CUT, tagged(frame(b"x" * 30), 0x8100)[:15]),
    ],
)
def test_a_frame_without_a_whole_datagram_is_passed_over_and_counted(
    why: Passed, data: bytes
) -> None:
    reader = CaptureReader()
    got = reader.feed(pcap(data, frame(b"good")))
    assert [b"good"] == [one.payload for one in got]
    assert {why: 1} == reader.passed


@pytest.mark.parametrize(
    ("lead", "record"),
    [
        pytest.param(pcap(), pcap(frame(b"payload"))[24:], id="pcap"),
        pytest.param(capture_header(), enhanced(0, frame(b"payload")), id="pcapng"),
    ],
)
def test_a_capture_cut_off_anywhere_is_an_error_that_names_the_place(
    lead: bytes, record: bytes
) -> None:
    """At every byte of the last record; the place is where that record begins."""
    for length in range(1, len(record)):
        reader = CaptureReader()
        assert [] == reader.feed(lead + record[:length])
        with pytest.raises(WireError, match=f"only {length} bytes") as caught:
            reader.close()
        assert len(lead) == caught.value.offset


@pytest.mark.parametrize(
    ("data", "offset", "said"),
    [
        (b"", 0, "is empty"),
        (b"\xa1\xb2", 0, "holds 2 bytes"),
        (b"MZ" + bytes(22), 0, "no pcap or pcapng"),
        (pcap(link=147), 20, "link-layer type 147"),
        (pcap(frame(b"")) + pack("<IIII", 0, 0, 1 << 20, 1 << 20), 82, "1048576 bytes"),
        (b"\n\r\r\n" + bytes(20), 0, "byte order"),
        (section() + pack("<III", 1, 10, 0) + bytes(12), 28, "10 bytes"),
        (section() + pack("<III", 1, 12, 16), 28, "two lengths"),
        (section() + block(1, b""), 28, "interface"),
        (section() + interface(link=9), 28, "link-layer type 9"),
        (section() + enhanced(0, b""), 28, "interface 0"),
        (section() + interface() + block(6, b""), 48, "without room"),
        (section() + interface() + block(3, b""), 48, "without room"),
        (
            section() + interface() + block(6, pack("<IIIII", 0, 0, 0, 400, 400) + bytes(8)),
            48,
            "400 bytes",
        ),
    ],
)
def test_what_is_no_capture_or_a_damaged_one_is_refused_with_the_place(
    data: bytes, offset: int, said: str
) -> None:
    with pytest.raises(WireError, match=said) as caught:
        read(data)
    assert offset == caught.value.offset


@given(st.binary(max_size=200), st.sampled_from([b"", pcap(frame(b"x")), section() + interface()]))
def test_no_bytes_at_all_raise_anything_but_a_wire_error(data: bytes, lead: bytes) -> None:
    with suppress(WireError):
        read(lead + data, pieces=7)


def test_streams_follow_the_rule_unless_named() -> None:
    streams = CaptureStreams(named={("239.9.9.9", 700): Stream(5, "B")})
    assert [Stream(30, "A"), Stream(30, "B"), Stream(5, "B"), None] == [
        streams.of(GROUP_A, 51_030),
        streams.of(GROUP_B, 51_030),
        streams.of("239.9.9.9", 700),
        streams.of("239.9.9.9", 701),
    ]


@given(st.integers(0, 14_535), st.sampled_from("AB"))
def test_a_recorded_channel_and_line_are_found_again(channel: int, line: str) -> None:
    streams = CaptureStreams()
    assert (channel, line) == streams.of(*streams.where(channel, line))


def test_a_named_stream_is_recorded_under_its_name() -> None:
    streams = CaptureStreams(named={("239.9.9.9", 700): Stream(5, "B")})
    assert ("239.9.9.9", 700) == streams.where(5, "B")
    with pytest.raises(UsageError, match="channel 65000, line A"):
        streams.where(65_000, "A")


@pytest.mark.parametrize("text", ["", "239.1.1", "239.1.1.256", "239.1.1.1.1", "a.b.c.d"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no IPv4 address"):
        address_of(text)


@given(st.integers(0, 2**32 - 1))
def test_addresses_are_spelled_and_read_alike(group: int) -> None:
    assert group == address_of(address_text(group))


def test_wireshark_reads_what_is_recorded(tmp_path: Path) -> None:
    """Times to the nanosecond, addressee, payload, and headers whose checksums hold."""
    tshark = shutil.which("tshark")
    if tshark is None:
        if os.environ.get("HKEX_OPS_REQUIRE_SERVERS") == "1":
            pytest.fail("there is no tshark on this machine: install Debian's tshark")
        pytest.skip("there is no tshark on this machine")
    given_packets = [
        CapturedPacket(1_794_878_100_123_456_789, GROUP_A, 51_030, b"odd"),
        CapturedPacket(1_794_878_100_123_456_790, GROUP_B, 51_031, b"even"),
    ]
    path = tmp_path / "kept.pcapng"
    path.write_bytes(
        capture_header("SYNTHETIC", interface="line A")
        + b"".join(map(capture_record, given_packets))
    )
    fields = ("frame.time_epoch", "ip.dst", "udp.dstport", "data.data", "ip.checksum.status")
    said = subprocess.run(
        [
            *(tshark, "-r", str(path), "-o", "ip.check_checksum:TRUE", "-T", "fields"),
            *(part for field in fields for part in ("-e", field)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    ).stdout.decode()
    assert [
        ["1794878100.123456789", GROUP_A, "51030", b"odd".hex(), "1"],
        ["1794878100.123456790", GROUP_B, "51031", b"even".hex(), "1"],
    ] == [line.split("\t") for line in said.splitlines()]
