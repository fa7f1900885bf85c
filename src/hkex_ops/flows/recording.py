"""What a market feed gives, kept as pcapng files that Wireshark and the captures' feed open.

Packets are kept as they came, duplicates and malformed ones too, each under an address that says
its channel and line, so that a recording is a feed again. A file in the making is called
``.partial`` and gets its name once it is whole; nothing is ever overwritten. It has the name that
it was given, or it is one of many, named by the time at which each was begun: when one is full or
old enough the next one is begun. Which time it is the batches say, so that a recording of a
recording is the same. Called by commands that record.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from attrs import define, frozen

from hkex_ops.errors import StoreError, UsageError
from hkex_ops.flows.index.adapters import Configured
from hkex_ops.flows.store.disk import Folder, translating
from hkex_ops.model import HONG_KONG
from hkex_ops.omd.capture import CapturedPacket
from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.omd.recording import capture_header, capture_record
from hkex_ops.ports import MarketFeed, PacketBatch

__all__ = ["Recorded", "RecordedFile", "Recorder", "RecordingLimits", "record_feed"]

SUFFIX = ".pcapng"
PARTIAL = ".partial"

NS_PER_S = 1_000_000_000

# Recordings that begin within one second of the feed's time, side by side in one folder.
MOST_OF_ONE_SECOND = 1_000


@frozen
class RecordingLimits:
    """When a file is full: at ``file_bytes``, or when it holds ``file_s`` seconds of the feed.

    What came is written at the latest when ``buffer_bytes`` have come together, or ``flush_s``
    seconds of the feed: so much an abrupt end can cost.
    """

    file_bytes: int = 1024**3
    file_s: int = 3_600
    buffer_bytes: int = 1024**2
    flush_s: int = 1

    def __attrs_post_init__(self) -> None:
        for name in ("file_bytes", "file_s", "buffer_bytes", "flush_s"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} of a recording is {getattr(self, name)}: give 1 or more")


@frozen
class RecordedFile:
    """A file that is whole: where it is, and what it holds from when to when, if anything."""

    path: Path
    packets: int
    size_bytes: int
    first_ns: int | None
    last_ns: int | None


@define
class _Open:
    """The file in the making."""

    name: str
    descriptor: int
    buffer: bytearray
    packets: int = 0
    size_bytes: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    flushed_ns: int = 0

    @property
    def grown_bytes(self) -> int:
        """What is written and what will be."""
        return self.size_bytes + len(self.buffer)

    def note(self, at_ns: int) -> None:
        """Something comes at ``at_ns``."""
        if self.first_ns is None:
            self.first_ns = self.flushed_ns = at_ns
        self.last_ns = at_ns


class Recorder:
    """Records batches in a folder, which is made if need be. A context manager.

    ``name`` begins the name of every file, ``remark`` is the comment that Wireshark shows.
    Raises `StoreError` when the disk fails; what is whole stays, and so does the ``.partial``.
    ``size_bytes`` is how much has come of it so far, in all files.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "omd",
        remark: str = "",
        limits: RecordingLimits | None = None,
        streams: RecordedStreams | None = None,
    ) -> None:
        if not name or "/" in name or name.startswith("."):
            raise UsageError(f"{name!r} cannot begin the name of a file")
        with translating(folder, "make the folder of the recording"):
            folder.mkdir(parents=True, exist_ok=True)
        self._folder = Folder.open(folder)
        self._name = name
        self._remark = remark
        self._limits = limits or RecordingLimits()
        self._streams = streams or RecordedStreams()
        self._one_file = False
        self._open: _Open | None = None
        self._finished_bytes = 0

    @classmethod
    def of_one_file(cls, path: Path, *, remark: str = "") -> Self:
        """A recorder of the one new file ``path``, in a folder that is there.

        `StoreError` when something of that name is there, be it what an abrupt end left.
        """
        if not path.name:
            raise UsageError(f"{path} is no name of a file: name the new pcapng file")
        with translating(path, "make the recording"):
            folder = path.parent.resolve(strict=True)
        recorder = cls(folder, remark=remark)
        recorder._one_file = True
        try:
            for name in (path.name, f"{path.name}{PARTIAL}"):
                if recorder._folder.look(name) is not None:
                    raise StoreError(
                        "is there already, and nothing is ever overwritten: name a new file",
                        path=str(path.with_name(name)),
                    )
            with translating(path, "make the recording"):
                recorder._open = recorder._new_file(path.name)
        except BaseException:
            recorder._folder.close()
            raise
        return recorder

    @property
    def size_bytes(self) -> int:
        """How much has been recorded so far."""
        return self._finished_bytes + (self._open.grown_bytes if self._open else 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After a disk that failed there is nothing to be made whole.
        with suppress(*(StoreError,) if isinstance(error, StoreError) else ()):
            self.close()

    def record(self, batch: PacketBatch) -> RecordedFile | None:
        """Keep a batch; the file that became whole by it, if one did.

        `UsageError` for a channel that no address of a recording can stand for.
        """
        at_ns = batch.received_ns
        finished = self._finish() if self._is_full(at_ns) else None
        group, port = self._streams.where(batch.channel, batch.line)
        opened = self._open or self._begin(at_ns)
        opened.note(at_ns)
        for packet in batch.packets:
            opened.buffer += capture_record(CapturedPacket(at_ns, group, port, packet))
        opened.packets += len(batch.packets)
        limits = self._limits
        if (
            len(opened.buffer) >= limits.buffer_bytes
            or at_ns - opened.flushed_ns >= limits.flush_s * NS_PER_S
        ):
            self._flush(opened)
            opened.flushed_ns = at_ns
        return finished

    def close(self) -> RecordedFile | None:
        """Make the last file whole; it, if there is one. Again does nothing."""
        try:
            return self._finish()
        finally:
            self._folder.close()

    def _is_full(self, at_ns: int) -> bool:
        opened, limits = self._open, self._limits
        if opened is None or opened.first_ns is None or self._one_file:
            return False
        old = at_ns - opened.first_ns >= limits.file_s * NS_PER_S
        return old or opened.grown_bytes >= limits.file_bytes

    # -- files -------------------------------------------------------------------------------

    def _begin(self, at_ns: int) -> _Open:
        began = datetime.fromtimestamp(at_ns // NS_PER_S, tz=HONG_KONG)
        stem = f"{self._name}-{began:%Y%m%d-%H%M%S}"
        for number in range(1, MOST_OF_ONE_SECOND):
            name = f"{stem}{SUFFIX}" if number == 1 else f"{stem}-{number}{SUFFIX}"
            path = self._folder.path / name
            if self._folder.look(name) is not None:
                continue
            with translating(path, "begin the recording"), suppress(FileExistsError):
                self._open = opened = self._new_file(name)
                return opened
        raise StoreError(
            f"{MOST_OF_ONE_SECOND} recordings of the same second are there: name another folder",
            path=str(self._folder.path / stem),
        )

    def _new_file(self, name: str) -> _Open:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        descriptor = self._folder.open_file(f"{name}{PARTIAL}", flags)
        return _Open(name, descriptor, bytearray(capture_header(self._remark)))

    def _flush(self, opened: _Open) -> None:
        path = self._folder.path / f"{opened.name}{PARTIAL}"
        safe = "what was written before is in it, and whole files are untouched"
        with translating(path, "write the recording", safe):
            while opened.buffer:
                written = os.write(opened.descriptor, opened.buffer)
                opened.size_bytes += written
                del opened.buffer[:written]

    def _finish(self) -> RecordedFile | None:
        opened, self._open = self._open, None
        if opened is None:
            return None
        folder, name = self._folder, opened.name
        partial = f"{name}{PARTIAL}"
        try:
            self._flush(opened)
            with translating(folder.path / partial, "make the recording durable"):
                os.fsync(opened.descriptor)
        finally:
            os.close(opened.descriptor)
        safe = f"the recording is in {partial}"
        with translating(folder.path / name, "give the recording its name", safe):
            # A link, unlike a renaming, never takes the place of what is there.
            os.link(partial, name, src_dir_fd=folder.descriptor, dst_dir_fd=folder.descriptor)
            os.unlink(partial, dir_fd=folder.descriptor)
        folder.sync()
        self._finished_bytes += opened.size_bytes
        return RecordedFile(
            folder.path / name, opened.packets, opened.size_bytes, opened.first_ns, opened.last_ns
        )


@frozen
class Recorded:
    """What was recorded of a feed. ``channels`` are those of which anything came."""

    packets: int
    size_bytes: int
    channels: tuple[int, ...]
    files: tuple[RecordedFile, ...]


async def record_feed(
    chosen: Configured[MarketFeed],
    path: Path,
    *,
    limits: RecordingLimits | None = None,
    most_packets: int | None = None,
    seconds: int | None = None,
    watch: Callable[[int, int], None] = lambda packets, size_bytes: None,
) -> Recorded:
    """Record a feed into the new file ``path`` until it ends, has given ``most_packets``, or
    ``seconds`` are over; with ``limits``, into files in the folder ``path``. ``watch`` is told how
    many packets and bytes there are, now and then.

    Raises `StoreError` when the file is there already or cannot be written, `UsageError` for a
    recording of nothing, and what the feed raises; what came until then is whole.
    """
    for most, what in ((most_packets, "packets"), (seconds, "seconds")):
        if most is not None and most < 1:
            raise UsageError(f"{most} {what} are no recording: ask for at least one")
    remark = f"recorded by hkex-ops from the market feed {chosen.name}"
    packets, channels = 0, set[int]()
    files: list[RecordedFile | None] = []
    limit = asyncio.timeout(seconds)
    async with chosen.open() as feed:
        with (
            Recorder.of_one_file(path, remark=remark)
            if limits is None
            else Recorder(path, remark=remark, limits=limits)
        ) as recorder:
            try:
                async with limit:
                    async for batch in feed.packets():
                        left = None if most_packets is None else most_packets - packets
                        wanted = batch._replace(packets=batch.packets[:left])
                        files.append(recorder.record(wanted))
                        channels.add(batch.channel)
                        packets += len(wanted.packets)
                        watch(packets, recorder.size_bytes)
                        if packets == most_packets:
                            break
            except TimeoutError:
                if not limit.expired():
                    raise
            files.append(recorder.close())
    whole = tuple(one for one in files if one is not None)
    size_bytes = sum(one.size_bytes for one in whole)
    return Recorded(packets, size_bytes, tuple(sorted(channels)), whole)
