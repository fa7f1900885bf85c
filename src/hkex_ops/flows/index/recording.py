"""A market feed recorded: everything that comes, into a pcapng file that any tool opens.

Packets are kept as they came, duplicates and malformed ones too, each under an address that says
its channel and line, so that a recording is a feed again. Written in blocks and never renamed: a
recording that is killed is whole up to its last block.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from attrs import define, field, frozen

from hkex_ops.errors import UsageError
from hkex_ops.flows.index.adapters import Configured
from hkex_ops.flows.store.disk import translating
from hkex_ops.omd.capture import CapturedPacket
from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.omd.recording import capture_header, capture_record
from hkex_ops.ports import MarketFeed, PacketBatch

__all__ = ["BLOCK_BYTES", "Recorded", "record_feed"]

BLOCK_BYTES = 1 << 20
"""How much is gathered before it is written."""

_SAFE = "what was recorded before is whole"


@frozen
class Recorded:
    """What was recorded. ``channels`` are those of which anything came."""

    packets: int
    size_bytes: int
    channels: tuple[int, ...]


@define
class _Recording:
    """The file while it grows."""

    path: Path
    descriptor: int
    gathered: bytearray
    packets: int = 0
    size_bytes: int = 0
    channels: set[int] = field(factory=set[int])
    streams: RecordedStreams = field(factory=RecordedStreams)

    @classmethod
    def begin(cls, path: Path, remark: str) -> _Recording:
        """A new file; `StoreError` when something of that name is there."""
        with translating(path, "make the recording"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            return cls(path, os.open(path, flags, 0o666), bytearray(capture_header(remark)))

    def take(self, batch: PacketBatch, most_packets: int | None) -> None:
        """Add a batch, no more of it than may be."""
        self.channels.add(batch.channel)
        group, port = self.streams.where(batch.channel, str(batch.line))
        left = None if most_packets is None else most_packets - self.packets
        packets = batch.packets[:left]
        for packet in packets:
            captured = CapturedPacket(batch.received_ns, group, port, packet)
            self.gathered += capture_record(captured)
        self.packets += len(packets)
        if len(self.gathered) >= BLOCK_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        with translating(self.path, "write the recording", _SAFE):
            rest = memoryview(bytes(self.gathered))
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        self.size_bytes += len(self.gathered)
        self.gathered.clear()

    def close(self) -> None:
        """Write what is left and make it all durable."""
        try:
            self.flush()
            with translating(self.path, "make the recording durable", _SAFE):
                os.fsync(self.descriptor)
        finally:
            os.close(self.descriptor)


async def record_feed(
    chosen: Configured[MarketFeed],
    path: Path,
    *,
    most_packets: int | None = None,
    seconds: int | None = None,
    watch: Callable[[int, int], None] = lambda packets, size_bytes: None,
) -> Recorded:
    """Record a feed into the new file ``path`` until it ends, has given ``most_packets``, or
    ``seconds`` are over. ``watch`` is told how many packets and bytes there are, now and then.

    Raises `StoreError` when the file is there already or cannot be written, `UsageError` for a
    recording of nothing, and what the feed raises.
    """
    for most, what in ((most_packets, "packets"), (seconds, "seconds")):
        if most is not None and most < 1:
            raise UsageError(f"{most} {what} are no recording: ask for at least one")
    remark = f"recorded by hkex-ops from the market feed {chosen.name}"
    limit = asyncio.timeout(seconds)
    async with chosen.open() as feed:
        recording = _Recording.begin(path, remark)
        try:
            async with limit:
                async for batch in feed.packets():
                    recording.take(batch, most_packets)
                    watch(recording.packets, recording.size_bytes + len(recording.gathered))
                    if recording.packets == most_packets:
                        break
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            recording.close()
    channels = tuple(sorted(recording.channels))
    return Recorded(recording.packets, recording.size_bytes, channels)
