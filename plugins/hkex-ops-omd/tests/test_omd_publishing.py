"""Index values on the wire: numbers, definitions, heartbeats, cycles, and lines that fail."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve
from omd_index import DEFINITION, HEADER, IndexLines, carried, unpacked

from hkex_ops.clock import ManualClock
from hkex_ops.config.layouts import load_codec
from hkex_ops.errors import Busy, ConfigError, Rejected, Unreachable
from hkex_ops.model import HONG_KONG, IndexTick
from hkex_ops.ports import SupportsSnapshot
from hkex_ops.testing.market_feed_heard import noticed
from hkex_ops_omd import PublisherOptions
from hkex_ops_omd.index_options import IndexNaming
from hkex_ops_omd.options import MulticastLine
from hkex_ops_omd.publishing import MulticastPublisher, RefreshingPublisher, publisher_of

AT = datetime(2010, 1, 22, 10, 0, 15, 123_999, tzinfo=HONG_KONG)
RESET, INDEX_DEFINITION, INDEX_DATA, REFRESH_COMPLETE = 100, 70, 71, 203


def ticks(count: int = 2, moment: int = 0) -> list[IndexTick]:
    at = AT.replace(microsecond=0) + timedelta(seconds=2 * moment)
    return [IndexTick(f"{number:07}", at, Decimal(20_000 + number)) for number in range(count)]


@pytest.fixture
def lines() -> Iterator[IndexLines]:
    lines = IndexLines()
    yield lines
    lines.close()


@asynccontextmanager
async def publishing(lines: IndexLines, **options: Any) -> AsyncGenerator[MulticastPublisher]:
    given = evolve(lines.publisher_options(), **options)
    publisher = publisher_of(given, load_codec(), ManualClock(AT))
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.close()


def said(packets: Sequence[bytes]) -> list[tuple[int, int]]:
    """Number and type of every message; a heartbeat is of type 0."""
    found: list[tuple[int, int]] = []
    for packet in packets:
        messages = [(number, kind) for number, kind, _ in unpacked(packet)]
        found += messages or [(HEADER.unpack_from(packet)[3], 0)]
    return found


async def test_numbers_begin_anew_with_a_reset(lines: IndexLines) -> None:
    """The message behind it has the number that the reset states."""
    async with publishing(lines) as publisher:
        await publisher.publish(ticks())
    packets = lines.listen("line_a")
    assert [
        (1, RESET),
        (1, INDEX_DEFINITION),
        (2, INDEX_DEFINITION),
        (3, INDEX_DATA),
        (4, INDEX_DATA),
    ] == said(packets)
    [(_, _, reset)] = unpacked(packets[0])
    assert 1 == int.from_bytes(reset[4:], "little")


async def test_both_lines_say_the_same(lines: IndexLines) -> None:
    async with publishing(lines) as publisher:
        for moment in range(5):
            await publisher.publish(ticks(47, moment))
    assert lines.listen("line_a") == lines.listen("line_b")


async def test_packets_are_full_and_bear_the_time_of_sending(lines: IndexLines) -> None:
    """47 indexes are 13 to a packet, 1,472 bytes the largest; no filler is set."""
    async with publishing(lines) as publisher:
        await publisher.publish(ticks(47))
    values = [
        one for one in lines.listen("line_a") if (3, INDEX_DATA)[1] in dict(said([one])).values()
    ]
    heads = [HEADER.unpack_from(packet) for packet in values]
    assert [(1472, 13), (1472, 13), (1472, 13), (912, 8)] == [(one[0], one[1]) for one in heads]
    sent_ns = 1_264_125_615_123_999 * 1000
    assert [(0, sent_ns)] * 4 == [(one[2], one[4]) for one in heads]


async def test_an_index_is_defined_once_and_as_the_options_say(lines: IndexLines) -> None:
    """Those that the options name at the start, others before their first value."""
    named = {"CES120": IndexNaming("C", "CNY")}
    async with publishing(lines, indexes=named, index=IndexNaming("S", "")) as publisher:
        assert [(1, RESET), (1, INDEX_DEFINITION)] == said(lines.listen("line_a"))
        for moment in range(3):
            await publisher.publish(
                [*ticks(1, moment), evolve(ticks(1, moment)[0], index="CES120")]
            )
    messages = [one for packet in lines.listen("line_a") for one in unpacked(packet)]
    definitions = [
        DEFINITION.unpack(one)[2:] for _, kind, one in messages if kind == INDEX_DEFINITION
    ]
    assert [
        (b"CES120     ", b"C", b"CNY", b" "),
        (b"0000000    ", b"S", b"   ", b" "),
    ] == definitions


async def test_an_idle_line_is_sent_heartbeats_with_the_last_number(lines: IndexLines) -> None:
    """Before anything was sent it is 0; a line that is not idle gets none."""
    async with publishing(lines, heartbeat_s=1) as publisher:
        assert await noticed(lambda: (0, 0) in said(lines.listen("line_a")))
        for moment in range(6):
            await publisher.publish(ticks(1, moment))
            await asyncio.sleep(0.25)
        heard = said(lines.listen("line_a"))
        assert [(number, INDEX_DATA) for number in range(2, 8)] == heard[-6:]
        assert await noticed(lambda: (7, 0) in said(lines.listen("line_a")))
    assert lines.listen("line_a") == lines.listen("line_b")


# -- the state for late-comers ---------------------------------------------------------------------


async def test_a_cycle_is_definitions_values_and_as_of_when(lines: IndexLines) -> None:
    """Numbered for itself, the same on both of its lines."""
    async with publishing(lines) as publisher:
        assert isinstance(publisher, SupportsSnapshot)
        await publisher.publish(ticks(2))
        await publisher.publish_snapshot(ticks(2, 1))
        await publisher.publish_snapshot([])
    packets = lines.listen("refresh_a")
    cycle = [INDEX_DEFINITION, INDEX_DEFINITION, INDEX_DATA, INDEX_DATA, REFRESH_COMPLETE]
    assert [*enumerate(cycle * 2, start=1)] == said(packets)
    ends = [one for packet in packets for _, kind, one in unpacked(packet) if kind == 203]
    assert [4, 4] == [int.from_bytes(one[4:], "little") for one in ends]
    assert packets == lines.listen("refresh_b")
    assert [carried(one) for one in ticks(2, 1)] == lines.last_cycle()


async def test_cycles_go_on_by_themselves_with_what_was_published(lines: IndexLines) -> None:
    """And begin before anything was."""
    async with publishing(lines, refresh_s=1) as publisher:
        assert await noticed(lambda: lines.listen("refresh_a") != [])
        assert (1, REFRESH_COMPLETE) == said(lines.listen("refresh_a"))[0]
        await publisher.publish(ticks(3))
        assert await noticed(lambda: ticks(3) == lines.last_cycle())


async def test_without_refresh_lines_there_is_no_snapshot(lines: IndexLines) -> None:
    async with publishing(lines, refresh_a=None, refresh_b=None) as publisher:
        assert not isinstance(publisher, SupportsSnapshot)
        assert not isinstance(publisher, RefreshingPublisher)
        await publisher.publish(ticks())
    assert [] == lines.listen("refresh_a")


# -- when it fails ---------------------------------------------------------------------------------


async def test_of_ticks_with_one_that_has_no_room_nothing_is_sent(lines: IndexLines) -> None:
    async with publishing(lines) as publisher:
        wrong = evolve(ticks(2)[1], value=Decimal("0.00001"))
        with pytest.raises(Rejected, match="index 0000001 at 2010-01-22T10:00:15"):
            await publisher.publish([ticks(2)[0], wrong])
        await publisher.publish(ticks(2))
    kinds = [kind for _, kind in said(lines.listen("line_a"))]
    assert [RESET, INDEX_DEFINITION, INDEX_DEFINITION, INDEX_DATA, INDEX_DATA] == kinds


class Network:
    """Refuses packets to the groups in ``down``, with the error in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.down: dict[str, OSError] = {}
        send = socket.socket.sendto

        def sendto(made: socket.socket, packet: bytes, address: tuple[str, int]) -> int:
            if address[0] in self.down:
                raise self.down[address[0]]
            return send(made, packet, address)

        monkeypatch.setattr(socket.socket, "sendto", sendto, raising=False)


UNREACHABLE = OSError(errno.ENETUNREACH, "Network is unreachable")
FULL = BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")


async def test_a_line_that_fails_is_told_and_the_other_has_everything(
    lines: IndexLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number is never given twice, so that the lines can still be made one."""
    network = Network(monkeypatch)
    group = lines.lines["line_b"].group
    async with publishing(lines) as publisher:
        await publisher.publish(ticks(1))
        network.down[group] = UNREACHABLE
        told = f"sending by line_b, {group} port .*: Network is unreachable"
        with pytest.raises(Unreachable, match=told):
            await publisher.publish(ticks(1, 1))
        network.down.clear()
        await publisher.publish(ticks(1, 2))
    assert [(2, INDEX_DATA), (3, INDEX_DATA), (4, INDEX_DATA)] == said(lines.listen("line_a"))[2:]
    assert [(2, INDEX_DATA), (4, INDEX_DATA)] == said(lines.listen("line_b"))[2:]


@pytest.mark.parametrize(("error", "kind"), [(UNREACHABLE, Unreachable), (FULL, Busy)])
async def test_where_no_line_takes_it_nothing_is_numbered(
    lines: IndexLines, monkeypatch: pytest.MonkeyPatch, error: OSError, kind: type[Exception]
) -> None:
    """So nothing is missing when it is published again."""
    network = Network(monkeypatch)
    async with publishing(lines) as publisher:
        network.down = {one.group: error for one in lines.lines.values()}
        with pytest.raises(kind, match=r"line_a, .*; .*line_b"):
            await publisher.publish(ticks(1))
        network.down = {}
        await publisher.publish(ticks(1))
    expected = [(1, RESET), (1, INDEX_DEFINITION), (2, INDEX_DATA)]
    assert expected == said(lines.listen("line_a"))


async def test_heartbeats_and_cycles_outlast_lines_that_are_down(
    lines: IndexLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(monkeypatch)
    async with publishing(lines, heartbeat_s=1, refresh_s=1):
        network.down = {one.group: UNREACHABLE for one in lines.lines.values()}
        await asyncio.sleep(1.1)
        network.down = {}
        assert await noticed(lambda: (0, 0) in said(lines.listen("line_a")))
        assert await noticed(lambda: (1, REFRESH_COMPLETE) in said(lines.listen("refresh_a")))


async def test_one_line_is_enough_to_begin_with(
    lines: IndexLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(monkeypatch)
    network.down = {lines.lines["line_a"].group: UNREACHABLE}
    async with publishing(lines, indexes={"HSI": IndexNaming()}):
        assert [(1, RESET), (1, INDEX_DEFINITION)] == said(lines.listen("line_b"))


async def test_where_no_line_takes_the_first_packet_opening_fails(
    lines: IndexLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(monkeypatch)
    network.down = {one.group: UNREACHABLE for one in lines.lines.values()}
    with pytest.raises(Unreachable, match="Network is unreachable"):
        async with publishing(lines):
            pass


@pytest.mark.parametrize("interface", ["192.0.2.1"])
async def test_an_interface_that_is_not_there_is_a_fault_of_the_configuration(
    lines: IndexLines, interface: str
) -> None:
    """Its own or one line's."""
    told = r"sending through 192\.0\.2\.1: .*set interface to the address of a local interface"
    with pytest.raises(ConfigError, match=told):
        async with publishing(lines, interface=interface):
            pass
    line_b = evolve(lines.lines["line_b"], interface=interface)
    with pytest.raises(ConfigError, match=told):
        async with publishing(lines, line_b=line_b):
            pass


async def test_a_single_line_is_published_to_alone(lines: IndexLines) -> None:
    options = PublisherOptions(interface="127.0.0.1", ttl=0, line_a=lines.lines["line_a"])
    publisher = publisher_of(options, load_codec(), ManualClock(AT))
    await publisher.start()
    await publisher.publish(ticks(1))
    await publisher.close()
    assert 3 == len(lines.listen("line_a"))


def test_a_line_is_told_by_group_and_port() -> None:
    assert "239.1.1.1 port 5" == str(MulticastLine("239.1.1.1", 5))
