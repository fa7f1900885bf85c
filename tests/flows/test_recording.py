"""A recording is whole or ``.partial``, never over another, and gives back what was recorded."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from attrs import evolve

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.recording import RecordedFile, Recorder, RecordingLimits
from hkex_ops.omd.capture import CaptureReader
from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.ports import FeedLine, PacketBatch

# 22 January 2010, 10:00:00 in Hong Kong.
BEGAN_NS = 1_264_125_600 * 10**9
SECOND_NS = 10**9

STREAMS = RecordedStreams()
FIRST = "omd-20100122-100000.pcapng"


def batch(after_s: int = 0, *packets: bytes, line: FeedLine = FeedLine.A) -> PacketBatch:
    return PacketBatch(30, line, BEGAN_NS + after_s * SECOND_NS, packets or (b"packet",))


def read_back(path: Path) -> list[PacketBatch]:
    """Every packet of a file, one by one."""
    reader = CaptureReader()
    found = reader.feed(path.read_bytes())
    reader.close()
    return [
        PacketBatch(channel, FeedLine(line), one.time_ns, (one.payload,))
        for one in found
        for channel, line in [STREAMS.of(one.group, one.port) or (0, "A")]
    ]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_recorded_is_read_back(tmp_path: Path) -> None:
    """Bytes, channel, line and time, for every line there is."""
    given = [batch(second, bytes(16 + second), line=line) for second, line in enumerate(FeedLine)]
    with Recorder(tmp_path / "new" / "folder", remark="SYNTHETIC") as recorder:
        for one in given:
            recorder.record(one)
    [path] = (tmp_path / "new" / "folder").iterdir()
    assert FIRST == path.name
    assert given == read_back(path)
    assert b"SYNTHETIC" in path.read_bytes()


def test_a_file_in_the_making_is_called_partial(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.record(batch())
    assert [f"{FIRST}.partial"] == names(tmp_path)
    finished = recorder.close()
    assert [FIRST] == names(tmp_path)
    path = tmp_path / FIRST
    size_bytes = path.stat().st_size
    assert RecordedFile(path, 1, size_bytes, BEGAN_NS, BEGAN_NS) == finished
    assert recorder.close() is None


def test_nothing_recorded_is_no_file(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        assert recorder.close() is None
    assert [] == names(tmp_path)


def test_an_abrupt_end_costs_a_second_at_most(tmp_path: Path) -> None:
    """Nobody closes this recording: what came until a second before the end is in it."""
    recorder = Recorder(tmp_path)
    for second in range(3):
        recorder.record(batch(second, b"%d" % second))
    reader = CaptureReader()
    found = reader.feed((tmp_path / f"{FIRST}.partial").read_bytes())
    assert [b"0", b"1", b"2"] == [one.payload for one in found]
    recorder.close()


def test_the_next_file_is_begun_when_one_is_full(tmp_path: Path) -> None:
    limits = RecordingLimits(file_bytes=1_000)
    with Recorder(tmp_path, limits=limits) as recorder:
        finished = [recorder.record(batch(second, bytes(400))) for second in range(4)]
    assert [None, None, BEGAN_NS, None] == [one and one.first_ns for one in finished]
    assert [FIRST, "omd-20100122-100002.pcapng"] == names(tmp_path)
    counts = [len(read_back(path)) for path in sorted(tmp_path.iterdir())]
    assert [2, 2] == counts


def test_the_next_file_is_begun_when_one_is_old(tmp_path: Path) -> None:
    with Recorder(tmp_path, limits=RecordingLimits(file_s=60)) as recorder:
        for second in (0, 59, 60):
            recorder.record(batch(second))
    assert [FIRST, "omd-20100122-100100.pcapng"] == names(tmp_path)


@pytest.mark.parametrize("there", [FIRST, f"{FIRST}.partial"])
def test_what_is_there_is_never_touched(tmp_path: Path, there: str) -> None:
    """Neither a whole file nor one that an abrupt end left."""
    (tmp_path / there).write_bytes(b"another's")
    with Recorder(tmp_path) as recorder:
        recorder.record(batch())
    assert b"another's" == (tmp_path / there).read_bytes()
    assert sorted([there, "omd-20100122-100000-2.pcapng"]) == names(tmp_path)


def test_a_name_that_was_taken_meanwhile_leaves_the_partial(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    recorder.record(batch())
    (tmp_path / FIRST).write_bytes(b"another's")
    with pytest.raises(StoreError, match=r"the recording is in .*partial"):
        recorder.close()
    assert b"another's" == (tmp_path / FIRST).read_bytes()
    assert [batch()] == read_back(tmp_path / f"{FIRST}.partial")


def test_a_file_of_its_own_name_is_begun_at_once_and_never_full(tmp_path: Path) -> None:
    """Whole though nothing came, and one file however long it goes on."""
    with Recorder.of_one_file(tmp_path / "none.pcapng") as recorder:
        assert ["none.pcapng.partial"] == names(tmp_path)
        nothing = recorder.close()
    assert nothing is not None
    assert (0, None, None) == (nothing.packets, nothing.first_ns, nothing.last_ns)
    given = [batch(), batch(100_000)]
    with Recorder.of_one_file(tmp_path / "day.pcapng") as recorder:
        assert [None, None] == [recorder.record(one) for one in given]
        size_bytes = recorder.size_bytes
    assert ["day.pcapng", "none.pcapng"] == names(tmp_path)
    assert given == read_back(tmp_path / "day.pcapng")
    assert size_bytes == (tmp_path / "day.pcapng").stat().st_size


@pytest.mark.parametrize("there", ["day.pcapng", "day.pcapng.partial"])
def test_a_name_that_is_taken_is_told_before_anything_comes(tmp_path: Path, there: str) -> None:
    """A ``.partial`` is what an earlier recording came to: it is left alone as well."""
    (tmp_path / there).write_bytes(b"another's")
    with pytest.raises(StoreError, match="nothing is ever overwritten"):
        Recorder.of_one_file(tmp_path / "day.pcapng")
    assert [there] == names(tmp_path)
    assert b"another's" == (tmp_path / there).read_bytes()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot make the recording"):
        Recorder.of_one_file(tmp_path / "none" / "day.pcapng")


class Disk:
    """The disk of a test: ``room_bytes`` more, and it is full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room_bytes: int) -> None:
        self.room_bytes = room_bytes
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, data: bytearray) -> int:
        if not self.room_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(descriptor, bytes(data[: self.room_bytes]))
        self.room_bytes -= written
        return written


def record_all(folder: Path, batches: list[PacketBatch]) -> None:
    with Recorder(folder) as recorder:
        for one in batches:
            recorder.record(one)


def test_a_full_disk_is_told_and_leaves_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Disk(monkeypatch, room_bytes=1_000)
    with pytest.raises(StoreError, match="disk is full"):
        record_all(tmp_path, [batch(second, bytes(400)) for second in range(0, 8, 2)])
    [path] = tmp_path.iterdir()
    assert f"{FIRST}.partial" == path.name
    assert [bytes(400)] == [one.payload for one in CaptureReader().feed(path.read_bytes())]


def test_a_disk_with_room_again_goes_on_where_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No byte is written twice."""
    disk = Disk(monkeypatch, room_bytes=500)
    given = [batch(0, bytes(400)), batch(2, bytes(400)), batch(4, bytes(400))]
    with Recorder(tmp_path) as recorder:
        recorder.record(given[0])
        with pytest.raises(StoreError, match="disk is full"):
            recorder.record(given[1])
        disk.room_bytes = 10_000
        recorder.record(given[2])
    [path] = tmp_path.iterdir()
    assert given == read_back(path)


def test_a_channel_without_an_address_is_refused(tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        recorder.record(batch())
        with pytest.raises(UsageError, match="channel 60000, line A"):
            recorder.record(batch()._replace(channel=60_000))
        recorder.record(batch(1))
    [path] = tmp_path.iterdir()
    assert [batch(), batch(1)] == read_back(path)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(StoreError, match="cannot make the folder of the recording"):
        Recorder(path)


@pytest.mark.parametrize("name", ["", "a/b", ".hidden"])
def test_a_name_that_no_file_can_begin_with_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot begin the name of a file"):
        Recorder(tmp_path, name=name)


@pytest.mark.parametrize("limit", ["file_bytes", "file_s", "buffer_bytes", "flush_s"])
def test_every_limit_is_one_at_least(limit: str) -> None:
    with pytest.raises(UsageError, match=f"{limit} of a recording is 0"):
        evolve(RecordingLimits(), **{limit: 0})
