"""Lines heard: joined and left, drained in turn, bounded, and honest about what was dropped."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

import pytest
from omd_market import (
    LOOPBACK,
    Multicaster,
    dropped_at,
    free_udp_port,
    fresh_group,
    members_of,
)

from hkex_ops.clock import ManualClock
from hkex_ops.errors import ConfigError, HkexOpsError, Unreachable
from hkex_ops.model import HONG_KONG
from hkex_ops.ports import FeedLine, LineHealth, PacketBatch
from hkex_ops_omd import hearing as module, sockets
from hkex_ops_omd.hearing import DRAIN_LIMIT_PACKETS, Heard, Hearing
from hkex_ops_omd.options import MulticastLine

# As much as a machine gives to any process, by default.
BUFFER_BYTES = 200_000

NOW = datetime(2010, 1, 22, 10, 0, 0, 123456, tzinfo=HONG_KONG)
NOW_NS = 1_264_125_600_123_456_000


@pytest.fixture
def lines() -> list[MulticastLine]:
    port = free_udp_port()
    return [MulticastLine(fresh_group(), port) for _ in range(2)]


@pytest.fixture
def sender() -> Iterator[Multicaster]:
    multicaster = Multicaster()
    yield multicaster
    multicaster.close()


def hear(
    lines: list[MulticastLine],
    *,
    buffer_bytes: int = BUFFER_BYTES,
    pending_limit_packets: int = 10_000,
    interface: str = LOOPBACK,
) -> Hearing:
    named = zip(lines, (FeedLine.A, FeedLine.B), strict=False)
    return Hearing(
        [Heard(where, 30, line) for where, line in named],
        interface=interface,
        buffer_bytes=buffer_bytes,
        pending_limit_packets=pending_limit_packets,
        clock=ManualClock(NOW),
    )


@pytest.fixture
async def heard(lines: list[MulticastLine]) -> AsyncIterator[Hearing]:
    hearing = hear(lines)
    yield hearing
    hearing.close()


async def take(hearing: Hearing, packets: int) -> list[PacketBatch]:
    """Batches until that many packets came."""
    batches: list[PacketBatch] = []
    async with asyncio.timeout(5):
        async for batch in hearing.batches():
            batches.append(batch)
            packets -= len(batch.packets)
            if packets <= 0:
                break
    return batches


async def settled() -> None:
    """Let the event loop take whatever is there."""
    for _ in range(200):
        await asyncio.sleep(0)


# -- joining and leaving -----------------------------------------------------------------------


async def test_groups_are_joined_at_once_and_left_on_close(lines: list[MulticastLine]) -> None:
    """As the kernel's own table tells."""
    groups = [line.group for line in lines]
    assert [0, 0] == [members_of(group) for group in groups]
    hearing = hear(lines)
    assert [1, 1] == [members_of(group) for group in groups]
    hearing.close()
    hearing.close()
    assert [0, 0] == [members_of(group) for group in groups]


async def test_where_one_line_cannot_be_joined_none_is(lines: list[MulticastLine]) -> None:
    """Line B comes by an interface that this machine does not have."""
    elsewhere = MulticastLine(lines[1].group, lines[1].port, interface="192.0.2.1")
    with pytest.raises(ConfigError, match=r"hearing 239\..* through 192\.0\.2\.1: .*set interface"):
        hear([lines[0], elsewhere])
    assert 0 == members_of(lines[0].group)


async def test_a_port_that_somebody_has_alone_is_a_fault_of_the_configuration(
    lines: list[MulticastLine],
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((lines[0].group, lines[0].port))
        with pytest.raises(ConfigError, match=r"Address already in use: .*the port is free"):
            hear(lines)


async def test_a_group_that_only_others_joined_is_not_overheard(
    lines: list[MulticastLine], sender: Multicaster, heard: Hearing
) -> None:
    """As it would be through another interface: the kernel's default is to hand everything on."""
    with sockets.receiving_socket(lines[0], LOOPBACK, BUFFER_BYTES) as left:
        membership = socket.inet_aton(lines[0].group) + socket.inet_aton(LOOPBACK)
        left.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, membership)
        sender.send(lines[0], b"for those who joined")
        assert [[b"for those who joined"]] == [one.packets for one in await take(heard, 1)]
        with pytest.raises(BlockingIOError):
            left.recv(2048)


# -- taking ------------------------------------------------------------------------------------


async def test_a_batch_bears_channel_line_and_time(
    lines: list[MulticastLine], sender: Multicaster, heard: Hearing
) -> None:
    """The time to the microsecond, as the clock has it."""
    sender.send(lines[1], b"first")
    sender.send(lines[1], b"second")
    expected = PacketBatch(30, FeedLine.B, NOW_NS, [b"first", b"second"])
    assert [expected] == await take(heard, 2)


async def test_a_busy_line_leaves_the_other_its_turn(
    lines: list[MulticastLine], sender: Multicaster, heard: Hearing
) -> None:
    """A has three times as much as one turn takes; B's packet comes after the first turn."""
    for number in range(3 * DRAIN_LIMIT_PACKETS):
        sender.send(lines[0], b"%d" % number)
    sender.send(lines[1], b"B's turn")
    batches = await take(heard, 3 * DRAIN_LIMIT_PACKETS + 1)
    assert {DRAIN_LIMIT_PACKETS, 1} == {len(batch.packets) for batch in batches}
    assert FeedLine.B in [batch.line for batch in batches[:2]]


async def test_a_line_that_is_behind_catches_up_with_its_sister(
    lines: list[MulticastLine], sender: Multicaster
) -> None:
    """All of B came before any of A; whoever had the first turn, all of B is taken first then."""
    hearing = hear(lines, buffer_bytes=2_000_000)
    for line, turns in ((1, 4), (0, 2)):
        for number in range(turns * DRAIN_LIMIT_PACKETS):
            sender.send(lines[line], b"%d" % number)
    batches = await take(hearing, 6 * DRAIN_LIMIT_PACKETS)
    hearing.close()
    taken = [batch.line for batch in batches]
    assert ([FeedLine.B] * 3, FeedLine.A) == (taken[2:5], taken[5])


async def test_what_is_longer_than_any_packet_is_cut(
    lines: list[MulticastLine], sender: Multicaster, heard: Hearing
) -> None:
    """And what follows it is whole."""
    sender.send(lines[0], bytes(9000))
    sender.send(lines[0], b"next")
    [batch] = await take(heard, 2)
    assert [module.DATAGRAM_BYTES, 4] == [len(packet) for packet in batch.packets]


async def test_what_came_before_closing_is_still_given(
    lines: list[MulticastLine], sender: Multicaster
) -> None:
    hearing = hear(lines)
    sender.send(lines[0], b"before")
    await settled()
    hearing.close()
    sender.send(lines[0], b"after")
    assert [[b"before"]] == [batch.packets async for batch in hearing.batches()]


# -- bounds ------------------------------------------------------------------------------------


async def test_beyond_the_limit_nothing_is_taken_until_it_is_asked_for(
    lines: list[MulticastLine], sender: Multicaster
) -> None:
    """The kernel keeps the rest; nothing is lost, and the pause is told."""
    many = 400
    hearing = hear(lines, pending_limit_packets=100)
    for number in range(many):
        sender.send(lines[0], b"%d" % number)
    await settled()
    [first, _] = hearing.health()
    assert 100 <= first.received_packets < 100 + DRAIN_LIMIT_PACKETS
    assert 1 == first.pauses
    batches = await take(hearing, many)
    packets = [packet for batch in batches for packet in batch.packets]
    assert [b"%d" % number for number in range(many)] == packets
    assert (many, 0) == (hearing.health()[0].received_packets, hearing.health()[0].dropped_packets)
    hearing.close()


async def test_what_the_kernel_had_no_room_for_is_told(
    lines: list[MulticastLine], sender: Multicaster
) -> None:
    """The same number as the kernel's own table has, also after the line was left."""
    hearing = hear(lines, buffer_bytes=20_000, pending_limit_packets=100)
    for _ in range(200):
        sender.send(lines[0], bytes(1000))
    await settled()
    told = [one.dropped_packets for one in hearing.health()]
    dropped = dropped_at(lines[0].group, lines[0].port)
    assert dropped > 0
    assert [dropped, 0] == told
    [finding] = hearing.health()[0].findings
    assert f"channel 30 line A: this machine dropped {dropped} packets" in finding
    hearing.close()
    assert [dropped, 0] == [one.dropped_packets for one in hearing.health()]


async def test_a_line_without_a_loss_has_no_findings(heard: Hearing) -> None:
    expected = LineHealth(30, FeedLine.A, 0, 0, BUFFER_BYTES, BUFFER_BYTES)
    assert (expected, ()) == (heard.health()[0], heard.health()[0].findings)


async def test_a_smaller_buffer_than_wanted_is_told(
    lines: list[MulticastLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process without the right to more than others gets what the machine allows."""
    # An option that no process may set stands for one that this process may not.
    forced = socket.socket.setsockopt

    def forbidding(made: socket.socket, level: int, option: int, value: int | bytes) -> None:
        if option == sockets.SO_RCVBUFFORCE:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        forced(made, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", forbidding, raising=False)
    hearing = hear(lines, buffer_bytes=1 << 29)
    [first, _] = hearing.health()
    assert 0 < first.buffer_bytes < 1 << 29
    [finding] = first.findings
    assert "gives a buffer of" in finding
    assert "raise net.core.rmem_max" in finding
    hearing.close()


@pytest.mark.parametrize("answer", [b"", bytes(8)])
async def test_a_kernel_that_does_not_count_drops_leaves_them_unknown(
    heard: Hearing, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    def shortened(_: socket.socket, level: int, option: int, length: int = 0) -> bytes:
        if not answer:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")
        return answer

    monkeypatch.setattr(socket.socket, "getsockopt", shortened, raising=False)
    assert [None, None] == [one.dropped_packets for one in heard.health()]
    assert ((), ()) == tuple(one.findings for one in heard.health())


async def test_a_socket_that_fails_is_told_after_what_came(
    lines: list[MulticastLine], sender: Multicaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> bytes:
        raise OSError(errno.ENETDOWN, "Network is down")

    hearing = hear(lines)
    sender.send(lines[0], b"before")
    await settled()
    monkeypatch.setattr(socket.socket, "recv", down, raising=False)
    sender.send(lines[0], b"lost")
    await settled()
    given: list[PacketBatch] = []
    with pytest.raises(Unreachable, match=r"hearing 239\..*: Network is down"):
        await _drained(hearing, given)
    assert [[b"before"]] == [batch.packets for batch in given]


async def _drained(hearing: Hearing, given: list[PacketBatch]) -> None:
    try:
        async for batch in hearing.batches():
            given.append(batch)
    finally:
        hearing.close()


async def test_no_more_sockets_than_the_machine_allows(
    lines: list[MulticastLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", full)
    with pytest.raises(HkexOpsError, match="Too many open files: raise the limit of open files"):
        hear(lines)
