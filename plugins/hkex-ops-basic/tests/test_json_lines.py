"""Files of ticks: the contracts, and what befalls files besides."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from basic_tick_files import FileFeedBench, FilePublisherBench, tick_lines

from hkex_ops.errors import Busy, ConfigError, HkexOpsError, Rejected, StoreError, Unreachable
from hkex_ops.model import HONG_KONG, IndexTick, SiteRole
from hkex_ops.model.ticks import LONGEST_DOCUMENT_CHARACTERS, parse_published
from hkex_ops.testing import IndexFeedContract, IndexPublisherContract
from hkex_ops_basic import (
    JsonLinesFeedOptions,
    JsonLinesPublisherOptions,
    open_json_lines_feed,
    open_json_lines_publisher,
)

PRIMARY = SiteRole.PRIMARY
OPENED = datetime(2010, 1, 22, 10, 0, tzinfo=HONG_KONG)
TIME_LIMIT_S = 10


class TestPublisher(IndexPublisherContract):
    @pytest.fixture
    async def bench(self, tmp_path: Path) -> AsyncIterator[FilePublisherBench]:
        bench = FilePublisherBench(tmp_path)
        yield bench
        await bench.bring_up()


class TestFeed(IndexFeedContract):
    @pytest.fixture
    def bench(self, tmp_path: Path) -> FileFeedBench:
        return FileFeedBench(tmp_path)


def tick(moment: int) -> IndexTick:
    return IndexTick("0000100", OPENED + timedelta(seconds=2 * moment), Decimal(moment))


async def publish(file: Path, *ticks: IndexTick) -> None:
    options = JsonLinesPublisherOptions(file=file)
    async with open_json_lines_publisher(options, PRIMARY) as publisher:
        await publisher.publish(ticks)


async def taken(ticks: AsyncGenerator[IndexTick], count: int) -> list[int]:
    """The values of the next ``count`` ticks."""
    async with asyncio.timeout(TIME_LIMIT_S):
        return [int((await anext(ticks)).value) for _ in range(count)]


async def all_of(file: Path) -> list[int]:
    return await all_with(JsonLinesFeedOptions(file=file))


async def all_with(options: JsonLinesFeedOptions) -> list[int]:
    async with open_json_lines_feed(options, PRIMARY) as feed:
        return [int(tick.value) async for tick in feed.ticks()]


# -- publishing -----------------------------------------------------------------------------------


async def test_a_published_tick_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written is synced before the call returns: the last sync comes after the write."""
    done: list[str] = []
    write, sync = os.write, os.fsync
    monkeypatch.setattr(os, "write", lambda *given: (done.append("write"), write(*given))[1])
    monkeypatch.setattr(os, "fsync", lambda *given: (done.append("sync"), sync(*given))[1])
    await publish(tmp_path / "ticks.jsonl", tick(0))
    assert ["write", "sync"] == done[-2:]


async def test_what_stood_there_stays(tmp_path: Path) -> None:
    for moment in range(3):
        await publish(tmp_path / "ticks.jsonl", tick(moment))
    assert [0, 1, 2] == await all_of(tmp_path / "ticks.jsonl")


@pytest.mark.parametrize("half", [b"{", b'{"version":1,"index":"00001'])
async def test_half_a_line_of_a_writer_that_died_is_cut_off(tmp_path: Path, half: bytes) -> None:
    file = tmp_path / "ticks.jsonl"
    file.write_bytes(tick_lines([tick(0)]) + half)
    await publish(file, tick(1))
    assert tick_lines([tick(0), tick(1)]) == file.read_bytes()


async def test_nothing_is_added_to_a_file_of_something_else(tmp_path: Path) -> None:
    file = tmp_path / "minutes.txt"
    file.write_bytes(b"minutes of the meeting, to be continued")
    with pytest.raises(ConfigError, match="does not end with a line of ours"):
        await publish(file, tick(0))
    assert b"minutes of the meeting, to be continued" == file.read_bytes()


async def test_one_writer_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    async with open_json_lines_publisher(JsonLinesPublisherOptions(file=file), PRIMARY):
        with pytest.raises(StoreError, match="another program is adding to it"):
            await publish(file, tick(0))
    await publish(file, tick(0))
    assert [0] == await all_of(file)


async def test_a_folder_that_was_never_there_is_the_operators_to_make(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        await publish(tmp_path / "nowhere" / "ticks.jsonl", tick(0))


async def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    options = JsonLinesPublisherOptions(file=file)
    async with open_json_lines_publisher(options, PRIMARY) as publisher:
        await publisher.publish([tick(0)])
        file.rename(tmp_path / "yesterday.jsonl")
        await publisher.publish([tick(1)])
    assert [0] == await all_of(tmp_path / "yesterday.jsonl")
    assert [1] == await all_of(file)


async def test_a_disk_without_room_leaves_whole_lines_only(tmp_path: Path) -> None:
    """There is room for half a line: what was there stays, and nothing of the half does."""
    bench = FilePublisherBench(tmp_path)
    ticks = [tick(moment) for moment in range(3)]
    async with bench.offer.open(bench.options(), PRIMARY) as publisher:
        await publisher.publish(ticks[:1])
        await bench.fill_up()
        try:
            with pytest.raises(Busy, match="make room"):
                await publisher.publish(ticks[1:])
        finally:
            await bench.bring_up()
        assert tick_lines(ticks[:1]) == bench.file.read_bytes()
        await publisher.publish(ticks[1:])
    assert tick_lines(ticks) == bench.file.read_bytes()


async def test_another_writer_at_a_file_begun_anew_is_met_as_busy(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    options = JsonLinesPublisherOptions(file=file)
    async with open_json_lines_publisher(options, PRIMARY) as publisher:
        file.rename(tmp_path / "yesterday.jsonl")
        async with open_json_lines_publisher(options, PRIMARY):
            with pytest.raises(Busy, match="another program"):
                await publisher.publish([tick(0)])
        await publisher.publish([tick(0)])
    assert [0] == await all_of(file)


WRITER = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_json_lines import JsonLinesPublisherOptions, PRIMARY, open_json_lines_publisher, tick

async def write():
    options = JsonLinesPublisherOptions(file=Path(sys.argv[1]))
    async with open_json_lines_publisher(options, PRIMARY) as publisher:
        for moment in range(1_000_000):
            await publisher.publish([tick(moment)])
            print(moment, flush=True)

asyncio.run(write())
"""


def last_said_by_a_writer_killed_after(file: Path, calls: int) -> int:
    """Run a writer, kill it hard while it publishes; the last moment it said was out."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), str(Path(__file__).parent), *sys.path],
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(calls)]
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.read().split()
    return int(said[-1])


@pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=pytest.mark.long)])
async def test_a_writer_killed_at_any_moment_has_told_the_truth(
    tmp_path: Path, rounds: int
) -> None:
    """What it said was out is in the file, whole and in order."""
    for number in range(rounds):
        file = tmp_path / f"{number}.jsonl"
        last = await asyncio.to_thread(last_said_by_a_writer_killed_after, file, 5 + number)
        values = await all_of(file)
        assert list(range(len(values))) == values
        assert last < len(values)


# -- hearing --------------------------------------------------------------------------------------


async def test_a_file_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    options = JsonLinesFeedOptions(file=file, start="new", follow=True)
    async with (
        open_json_lines_feed(options, PRIMARY) as feed,
        aclosing(feed.ticks()) as ticks,
    ):
        coming = asyncio.create_task(taken(ticks, 2))
        await asyncio.sleep(0)
        file.write_bytes(tick_lines([tick(0), tick(1)]))
        assert [0, 1] == await coming


async def test_half_a_line_is_not_there_yet(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    lines = tick_lines([tick(0), tick(1)])
    file.write_bytes(lines[:-20])
    assert [0] == await all_of(file)
    options = JsonLinesFeedOptions(file=file, start="new", follow=True)
    async with (
        open_json_lines_feed(options, PRIMARY) as feed,
        aclosing(feed.ticks()) as ticks,
    ):
        file.write_bytes(lines)
        assert [1] == await taken(ticks, 1)


async def test_a_follower_goes_along_when_the_file_is_begun_anew(tmp_path: Path) -> None:
    """What was added just before the renaming is read first."""
    file = tmp_path / "ticks.jsonl"
    file.write_bytes(tick_lines([tick(0)]))
    options = JsonLinesFeedOptions(file=file, follow=True)
    async with (
        open_json_lines_feed(options, PRIMARY) as feed,
        aclosing(feed.ticks()) as ticks,
    ):
        assert [0] == await taken(ticks, 1)
        with file.open("ab") as moved:
            moved.write(tick_lines([tick(1)]))
        file.rename(tmp_path / "yesterday.jsonl")
        file.write_bytes(tick_lines([tick(2)]))
        assert [1, 2] == await taken(ticks, 2)


async def test_a_file_cut_short_behind_its_reader_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    file.write_bytes(tick_lines([tick(0), tick(1)]))
    options = JsonLinesFeedOptions(file=file, follow=True)
    async with (
        open_json_lines_feed(options, PRIMARY) as feed,
        aclosing(feed.ticks()) as ticks,
    ):
        assert [0, 1] == await taken(ticks, 2)
        os.truncate(file, 0)
        with pytest.raises(Rejected, match="cut short behind its reader"):
            await taken(ticks, 1)


async def test_a_line_without_an_end_is_refused_in_flat_memory(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    with file.open("wb") as sparse:
        sparse.truncate(100 * LONGEST_DOCUMENT_CHARACTERS)
    with pytest.raises(Rejected, match="has no line end after byte 0"):
        await all_of(file)


async def test_the_place_of_a_damaged_line_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ticks.jsonl"
    good = tick_lines([tick(0)])
    file.write_bytes(good + b'{"version":1,"value":"1"}\n' + good)
    with pytest.raises(Rejected, match=f"line at byte {len(good)} of .* is no tick: index is miss"):
        await all_of(file)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"start": "yesterday"}, "write 'all', 'new' or a date and time"),
        ({"start": "2010-01-22T10:00:00"}, "with its zone"),
        ({"start": "new"}, "nothing would ever be read"),
    ],
)
def test_a_wrong_start_is_a_fault_of_the_configuration(
    options: dict[str, str], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        JsonLinesFeedOptions(file=Path("ticks.jsonl"), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "follow", "error"),
    [
        ("ticks.jsonl", False, ConfigError),
        ("nowhere/ticks.jsonl", True, ConfigError),
        ("", True, Rejected),
    ],
)
async def test_a_file_that_cannot_be_read_is_told_at_once(
    tmp_path: Path, name: str, follow: bool, error: type[HkexOpsError]
) -> None:
    options = JsonLinesFeedOptions(file=tmp_path / name, follow=follow)
    with pytest.raises(error):
        await all_with(options)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(28, Busy), (27, Busy), (122, Busy), (2, Unreachable), (5, Unreachable), (13, Rejected)],
)
def test_what_the_system_says_is_sorted_by_who_must_act(
    number: int, expected: type[HkexOpsError]
) -> None:
    from hkex_ops_basic.line_files import file_error

    assert expected is type(file_error(OSError(number, "said"), "adding"))


async def test_events_and_ticks_stand_in_the_order_in_which_they_happened(tmp_path: Path) -> None:
    bench = FilePublisherBench(tmp_path)
    event = {"event": "resumed", "at": OPENED.isoformat()}
    async with bench.offer.open(bench.options(), PRIMARY) as publisher:
        await publisher.publish([tick(0)])
        await publisher.publish_event(event)  # type: ignore[attr-defined]
        await publisher.publish([tick(1)])
    records = [parse_published(line) for line in bench.file.read_bytes().splitlines()]
    assert [tick(0), event, tick(1)] == records
    assert [0, 1] == await all_of(bench.file)
