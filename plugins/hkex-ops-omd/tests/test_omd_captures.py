"""Captures as a feed: several files, a pace, what an address stands for, and damaged files."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from omd_benches import open_files
from omd_captures import Address, pcap, pcapng

from hkex_ops.errors import ConfigError, HkexOpsError, Rejected, Unreachable
from hkex_ops.flows.recording import Recorder
from hkex_ops.model import SiteRole
from hkex_ops.ports import FeedLine, MarketFeed, PacketBatch, SupportsRefresh
from hkex_ops.testing.market_feed_heard import noticed, numbered
from hkex_ops_omd import CaptureOptions, captures, open_capture
from hkex_ops_omd.capture_options import CaptureLine

GROUP_A, GROUP_B = "239.1.1.24", "239.1.127.24"
SECOND_NS = 10**9


def packets_of(first: int, count: int, *, every_ns: int = SECOND_NS) -> list[Address]:
    """Packets of channel 30 by line A."""
    return [
        Address(number * every_ns, GROUP_A, 51_030, numbered(number))
        for number in range(first, first + count)
    ]


def file_of(folder: Path, name: str, records: Sequence[Address]) -> Path:
    path = folder / name
    path.write_bytes(pcap(records))
    return path


@asynccontextmanager
async def opened(*files: Path, **options: Any) -> AsyncGenerator[MarketFeed]:
    async with open_capture(CaptureOptions(files=files, **options), SiteRole.PRIMARY) as feed:
        yield feed


async def read(*files: Path, **options: Any) -> list[PacketBatch]:
    """Everything there is."""
    async with opened(*files, **options) as feed:
        return [batch async for batch in feed.packets()]


def payloads(batches: Sequence[PacketBatch]) -> list[bytes]:
    return [packet for batch in batches for packet in batch.packets]


async def read_into(given: list[PacketBatch], *files: Path) -> None:
    async with opened(*files) as feed:
        async for batch in feed.packets():
            given.append(batch)


# -- files ---------------------------------------------------------------------------------------


async def test_files_are_read_in_the_order_given(tmp_path: Path) -> None:
    """Also where their times are in another."""
    late = file_of(tmp_path, "a.pcap", packets_of(4, 3))
    early = file_of(tmp_path, "b.pcap", packets_of(1, 3))
    assert [4, 5, 6, 1, 2, 3] == [one.received_ns // SECOND_NS for one in await read(late, early)]


async def test_a_folder_stands_for_the_captures_in_it(tmp_path: Path) -> None:
    """By name; what is in the making and what is something else is left out."""
    file_of(tmp_path, "2.pcapng", packets_of(2, 1)).write_bytes(pcapng(packets_of(2, 1)))
    file_of(tmp_path, "1.pcap", packets_of(1, 1))
    (tmp_path / "3.pcapng.partial").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("notes")
    expected = [one.payload for one in packets_of(1, 2)]
    assert expected == payloads(await read(tmp_path))


async def test_a_folder_without_captures_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"folder .* holds no capture: none of its files ends in"):
        await read(tmp_path)


async def test_a_large_file_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces end anywhere in a record; whole batches come of them all the same."""
    monkeypatch.setattr(captures, "PIECE_BYTES", 97)
    given = packets_of(1, 50)
    batches = await read(file_of(tmp_path, "a.pcap", given))
    assert [(one.at_ns, [one.payload]) for one in given] == [
        (batch.received_ns, batch.packets) for batch in batches
    ]


async def test_packets_of_one_line_and_time_are_one_batch(tmp_path: Path) -> None:
    """Another line, or another time, is another batch, in the recorded order."""
    given = [
        Address(1, GROUP_A, 51_030, b"a1"),
        Address(1, GROUP_A, 51_030, b"a2"),
        Address(1, GROUP_B, 51_030, b"b1"),
        Address(2, GROUP_B, 51_030, b"b2"),
        Address(2, GROUP_B, 51_031, b"c"),
    ]
    assert [
        PacketBatch(30, FeedLine.A, 1, [b"a1", b"a2"]),
        PacketBatch(30, FeedLine.B, 1, [b"b1"]),
        PacketBatch(30, FeedLine.B, 2, [b"b2"]),
        PacketBatch(31, FeedLine.B, 2, [b"c"]),
    ] == await read(file_of(tmp_path, "a.pcap", given))


@pytest.mark.parametrize("content", [b"", b"short", b"this is no capture at all, whatever it is"])
async def test_what_is_no_capture_is_a_fault_of_the_configuration(
    tmp_path: Path, content: bytes
) -> None:
    """Told when the feed is opened, before anything is given."""
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{path} is no capture: .*name a file that tcpdump"):
        await read(file_of(tmp_path, "right.pcap", packets_of(1, 1)), path)


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"absent\.pcap: No such file or directory: name captures"
    ):
        await read(tmp_path / "absent.pcap")


@pytest.mark.parametrize("write", [pcap, pcapng])
@pytest.mark.parametrize("cut_bytes", [1, 20, 60])
async def test_a_file_cut_off_gives_what_is_whole_and_says_where_it_ends(
    tmp_path: Path, write: Any, cut_bytes: int
) -> None:
    path = tmp_path / "a"
    path.write_bytes(write(packets_of(1, 3))[:-cut_bytes])
    given: list[PacketBatch] = []
    with pytest.raises(Rejected, match=rf"capture {path}: the capture is cut off: .*\(offset \d+"):
        await read_into(given, path)
    assert [one.payload for one in packets_of(1, 2)] == payloads(given)


async def test_a_damaged_file_gives_what_came_before_the_damage(tmp_path: Path) -> None:
    """The damage is in the midst of one piece."""
    before, after = pcap(packets_of(1, 3)), pcap(packets_of(4, 3))[24:]
    path = tmp_path / "a.pcap"
    path.write_bytes(before + b"\xff" * 16 + after)
    given: list[PacketBatch] = []
    with pytest.raises(Rejected, match="the capture is damaged here"):
        await read_into(given, path)
    assert [one.payload for one in packets_of(1, 3)] == payloads(given)


async def test_a_disk_that_fails_is_an_error_of_the_other_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, "a.pcap", packets_of(1, 3))

    class Failing(FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    async with opened(path, channels=(30,)) as feed:
        monkeypatch.setattr(captures, "FileIO", Failing)
        with pytest.raises(Unreachable, match=f"reading capture {path}: Input/output error"):
            await anext(aiter(feed.packets()))


# -- channels ------------------------------------------------------------------------------------


async def test_only_channels_that_are_wanted_come(tmp_path: Path) -> None:
    given = [Address(n, GROUP_A, 51_030 + n % 3, b"%d" % n) for n in range(6)]
    path = file_of(tmp_path, "a.pcap", given)
    assert [b"1", b"2", b"4", b"5"] == payloads(await read(path, channels=(32, 31)))
    async with opened(path, channels=(32, 31)) as feed:
        assert [31, 32] == list(feed.channels)


async def test_what_addresses_stand_for_can_be_stated(tmp_path: Path) -> None:
    """Outright, or by another first port and another line B."""
    given = [
        Address(1, "239.9.9.9", 700, b"named"),
        Address(2, "239.8.0.1", 20_005, b"by rule"),
    ]
    path = file_of(tmp_path, "a.pcap", given)
    batches = await read(
        path,
        lines=(CaptureLine("239.9.9.9", 700, 7, FeedLine.RECOVERY),),
        base_port=20_000,
        line_b="239.8.",
    )
    assert [
        PacketBatch(7, FeedLine.RECOVERY, 1, [b"named"]),
        PacketBatch(5, FeedLine.B, 2, [b"by rule"]),
    ] == batches


async def test_a_capture_of_nothing_known_says_what_it_saw(tmp_path: Path) -> None:
    """Instead of giving nothing and being content."""
    given = [Address(1, "239.9.9.9", 700 + n, b"x") for n in range(7)]
    told = r"only ones to 239\.9\.9\.9 port 700, .* and others: say in lines"
    with pytest.raises(ConfigError, match=told):
        await read(file_of(tmp_path, "a.pcap", given))


async def test_an_empty_capture_ends_at_once(tmp_path: Path) -> None:
    assert [] == await read(file_of(tmp_path, "a.pcap", []))


async def test_what_was_recorded_of_a_feed_comes_back(tmp_path: Path) -> None:
    """Every line but the refresh, which no packets of a feed are."""
    given = [
        PacketBatch(30, line, number * SECOND_NS, [numbered(number, count=number)])
        for number, line in enumerate(FeedLine, start=1)
    ]
    with Recorder(tmp_path) as recorder:
        for batch in given:
            recorder.record(batch)
    async with opened(tmp_path) as feed:
        assert [30] == list(feed.channels)
        assert not isinstance(feed, SupportsRefresh)
        batches = [batch async for batch in feed.packets()]
    assert [one for one in given if one.line is not FeedLine.REFRESH] == batches


# -- pace ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "expected_s"), [(10.0, 0.2), (20.0, 0.1)])
async def test_packets_come_at_the_pace_of_the_record(
    tmp_path: Path, speed: float, expected_s: float
) -> None:
    """Two seconds of it, so many times as fast; in order, none early."""
    path = file_of(tmp_path, "a.pcap", packets_of(1, 5, every_ns=SECOND_NS // 2))
    loop = asyncio.get_running_loop()
    came: list[float] = []
    async with opened(path, speed=speed) as feed:
        async for _ in feed.packets():
            came.append(loop.time())
    since = [one - came[0] for one in came]
    due = [expected_s * number / 4 for number in range(5)]
    assert all(one >= at - 0.002 for one, at in zip(since, due, strict=True))
    assert since[-1] < expected_s + 1


async def test_without_a_pace_nothing_is_waited_for(tmp_path: Path) -> None:
    """A record of a week."""
    given = packets_of(1, 8, every_ns=86_400 * SECOND_NS)
    async with asyncio.timeout(5):
        assert 8 == len(await read(file_of(tmp_path, "a.pcap", given)))


async def test_closing_ends_a_pace_that_waits(tmp_path: Path) -> None:
    """Whoever waits for a record of tomorrow is cancelled in time, and no file stays open."""
    path = file_of(tmp_path, "a.pcap", packets_of(1, 2, every_ns=86_400 * SECOND_NS))
    given: list[PacketBatch] = []

    async def listen() -> None:
        async with opened(path, speed=1.0) as feed:
            async for batch in feed.packets():
                given.append(batch)

    listening = asyncio.create_task(listen())
    assert await noticed(lambda: given != [])
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert str(path) not in open_files()


async def test_every_error_of_a_capture_is_one_of_ours(tmp_path: Path) -> None:
    """A folder in the place of a file, in a folder of captures."""
    (tmp_path / "odd.pcap").mkdir()
    with pytest.raises(HkexOpsError, match=r"odd\.pcap: Is a directory"):
        await read(tmp_path)
