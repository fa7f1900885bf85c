"""The port ``MarketFeed`` from capture files: as fast as can be, or at the pace of the record.

Files are read in pieces, away from the event loop, so that neither their size nor a slow disk
matters to anybody else. What a record holds is :mod:`hkex_ops.omd.capture`'s; here are files, the
pace, and the words for what is wrong with them. Made by :mod:`hkex_ops_omd.opening`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from io import FileIO
from pathlib import Path
from typing import ParamSpec, TypeVar

from hkex_ops.errors import ConfigError, Rejected, UsageError, WireError
from hkex_ops.omd.capture import CapturedPacket, CaptureReader
from hkex_ops.omd.framing import HEAD_BYTES, framing_of
from hkex_ops.ports import FeedLine, PacketBatch
from hkex_ops_omd.capture_options import CaptureOptions
from hkex_ops_omd.translation import misconfigured, translated

__all__ = ["CaptureFeed"]

P = ParamSpec("P")
T = TypeVar("T")

# The piece at which reading is fastest, and the most that is in memory at once.
PIECE_BYTES = 1024 * 1024

SUFFIXES = (".pcap", ".pcapng")

NS_PER_S = 1_000_000_000

# Addresses that a fault names before it says that there are more.
MOST_NAMED = 5


class CaptureFeed:
    """Some captures, one after the other; :meth:`open` looks into them first."""

    def __init__(self, options: CaptureOptions) -> None:
        self._options = options
        self._streams = options.streams
        self._wanted = frozenset(options.channels)
        self._known: dict[tuple[str, int], tuple[int, FeedLine] | None] = {}
        self._files: list[Path] = []
        self._channels: Sequence[int] = sorted(self._wanted)
        self._closed = False
        self._asked = False

    async def open(self) -> None:
        """Find the files; where the options name no channels, see which ones are in them.

        `ConfigError` for files that are not there or are none, and when nothing in them is known.
        """
        self._files = _found(self._options.files)
        if not self._wanted:
            self._channels = await _away(self._scan)

    @property
    def channels(self) -> Sequence[int]:
        """The real-time channels that are wanted, or that the files hold, ascending."""
        return self._channels

    @property
    def waits_for_reader(self) -> bool:
        """Without a pace a file waits for whoever reads it; with one it is played as a live day."""
        return self._options.speed is None

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        """Yield what was recorded; see the port. A batch is of packets recorded as of one time."""
        if self._asked:
            raise UsageError("the packets of a feed may be iterated once: open another feed")
        self._asked = True
        pace = _Pace(self._options.speed)
        for path in self._files:
            async with aclosing(self._pieces(path)) as pieces:
                async for found in pieces:
                    for batch in self._batches(found):
                        await pace.wait_for(batch.received_ns)
                        if self._closed:
                            return
                        yield batch

    async def close(self) -> None:
        """Read no further; who still iterates is at the end."""
        self._closed = True

    # -- inside ------------------------------------------------------------------------------

    async def _pieces(self, path: Path) -> AsyncGenerator[list[CapturedPacket]]:
        """What is in one file, piece by piece; `Rejected` where it is cut off or damaged."""
        reader = CaptureReader()
        with _opened(path) as file:
            try:
                while piece := await _away(_piece_of, file, path):
                    yield reader.feed(piece)
                reader.close()
            except WireError as error:
                yield reader.salvage()
                raise _damaged(path, error) from error

    def _batches(self, found: Iterable[CapturedPacket]) -> Iterator[PacketBatch]:
        """Packets that one line brought at one time, one batch each, in the recorded order."""
        known, wanted = self._known, self._wanted
        held: list[bytes] = []
        came: tuple[int, FeedLine, int] | None = None
        for time_ns, group, port, payload in found:
            place = (group, port)
            stream = known[place] if place in known else self._learn(place)
            if stream is None or (wanted and stream[0] not in wanted):
                continue
            channel, line = stream
            if came == (channel, line, time_ns):
                held.append(payload)
                continue
            if came is not None:
                yield PacketBatch(*came, held)
            held, came = [payload], (channel, line, time_ns)
        if came is not None:
            yield PacketBatch(*came, held)

    def _learn(self, place: tuple[str, int]) -> tuple[int, FeedLine] | None:
        """What an address stands for. A refresh is none of the packets of a feed."""
        stream = self._streams.of(*place)
        found = None
        if stream is not None and stream.line != FeedLine.REFRESH:
            found = (stream.channel, FeedLine(stream.line))
        self._known[place] = found
        return found

    def _scan(self) -> list[int]:
        """The real-time channels that are in the files, up to where one is damaged."""
        places: set[tuple[str, int]] = set()
        for path in self._files:
            reader = CaptureReader()
            with _opened(path) as file, suppress(WireError):
                while piece := _piece_of(file, path):
                    places.update((one.group, one.port) for one in reader.feed(piece))
            places.update((one.group, one.port) for one in reader.salvage())
        streams = [stream for place in places if (stream := self._learn(place)) is not None]
        if places and not streams:
            raise _unknown(places)
        return sorted({channel for channel, line in streams if line is not FeedLine.RECOVERY})


class _Pace:
    """Waits until a record is due, ``speed`` times as fast as it was recorded; not without one."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._began: tuple[float, int] | None = None

    async def wait_for(self, recorded_ns: int) -> None:
        """Return when what was recorded then is due."""
        if self._speed is None:
            return
        now_s = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = now_s, recorded_ns
        began_s, first_ns = self._began
        wait_s = began_s + (recorded_ns - first_ns) / NS_PER_S / self._speed - now_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)


async def _away(call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """What ``call`` gives, in a thread. Whoever is cancelled waits for it: it has a file in use."""
    doing = asyncio.ensure_future(asyncio.to_thread(call, *given, **named))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait([doing])
        raise


def _found(given: Iterable[Path]) -> list[Path]:
    """The files that ``given`` names or holds, each a capture by its first bytes."""
    files: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES)
            if not inside:
                raise ConfigError(
                    f"folder {path} holds no capture: none of its files ends in .pcap or .pcapng"
                )
            files += inside
        else:
            files.append(path)
    for path in files:
        with _opened(path) as file:
            _require_capture(path, file)
    return files


def _require_capture(path: Path, file: FileIO) -> None:
    head = _piece_of(file, path)[:HEAD_BYTES]
    try:
        if len(head) < HEAD_BYTES:
            raise WireError(f"it has {len(head)} bytes", offset=0)
        framing_of(head)
    except WireError as error:
        raise ConfigError(
            f"{path} is no capture: {error}: name a file that tcpdump, Wireshark or hkex-ops wrote"
        ) from error


def _opened(path: Path) -> FileIO:
    try:
        return FileIO(path)
    except OSError as error:
        advice = "name captures that are there and that this user may read"
        raise misconfigured(error, f"reading capture {path}", advice) from error


def _piece_of(file: FileIO, path: Path) -> bytes:
    try:
        return file.read(PIECE_BYTES) or b""
    except OSError as error:
        raise translated(error, f"reading capture {path}") from error


def _damaged(path: Path, error: WireError) -> Rejected:
    return Rejected(f"capture {path}: {error}: what came before it was given; copy the file again")


def _unknown(places: Iterable[tuple[str, int]]) -> ConfigError:
    named = [f"{group} port {port}" for group, port in sorted(places)]
    told = ", ".join(named[:MOST_NAMED]) + (" and others" if len(named) > MOST_NAMED else "")
    return ConfigError(
        f"the captures hold no packet of a known channel, only ones to {told}: say in lines which "
        "channel and line these are"
    )
