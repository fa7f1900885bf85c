"""A plug-in for tests: a market feed that follows a tape, a file which the test goes on writing.

Every process that opens it reads the same tape, each for itself, from its beginning or from its
present end; what is on the tape can be asked for again. The options stage an engine that dies of
one record: with an error, by hanging, or by ending without a word. Beside it a publisher that adds
lines to a file, and refuses when it is told to.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from struct import Struct

from attrs import frozen

from hkex_ops.errors import Rejected, Unreachable
from hkex_ops.flows.index.straight_trades import Heard, StraightTrades, TradeFields
from hkex_ops.hookspecs import hookimpl
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import TradeRecord
from hkex_ops.index.ticks import EngineEvent
from hkex_ops.model import IndexTick, SiteRole, format_tick, parse_tick
from hkex_ops.ports import FeedLine, IndexFeed, IndexPublisher, MarketFeed, Offer, PacketBatch

__all__ = [
    "BITTEN",
    "LinesOptions",
    "LinesPublisher",
    "Tape",
    "TapeFeed",
    "TapeOptions",
    "WrittenFeed",
    "WrittenOptions",
    "hkex_ops_index_feeds",
    "hkex_ops_index_publishers",
    "hkex_ops_market_feeds",
]

_HEAD = Struct("<HBQH")  # channel, line, time received, size
_LINES = (FeedLine.A, FeedLine.B)
_END = 0xFFFF
LOOK_S = 0.002
BITTEN = "bitten"
"""The file beside the tape in which every process that meets the poison leaves its number."""


@frozen
class TapeOptions:
    """The tape, its channels, and what an engine cannot bear: a trade at ``poison_3dp``.

    ``poison`` is ``raise``, ``hang`` or ``exit``. With ``again`` the tape is a retransmission
    service too. A ``late`` feed begins at the tape's present end.
    """

    tape: Path
    channels: tuple[int, ...]
    again: bool = True
    late: bool = False
    poison: str = ""
    poison_3dp: int = 0


class Tape:
    """The writing end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)

    def write(self, batch: PacketBatch) -> None:
        """Add what a feed would receive now."""
        line = _LINES.index(batch.line)
        self._file.write(
            b"".join(
                _HEAD.pack(batch.channel, line, batch.received_ns, len(packet)) + packet
                for packet in batch.packets
            )
        )

    def end(self) -> None:
        """Let every reader come to its end."""
        self._file.write(_HEAD.pack(_END, 0, 0, 0))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class TapeFeed:
    """The ports ``MarketFeed`` and ``SupportsRetransmission`` on a tape."""

    def __init__(self, options: TapeOptions) -> None:
        self._options = options
        self._ended = False

    @property
    def channels(self) -> Sequence[int]:
        """The channels that the options name."""
        return self._options.channels

    async def packets(self) -> AsyncGenerator[PacketBatch]:
        """Follow the tape."""
        with self._options.tape.open("rb", buffering=0) as file:
            if self._options.late:
                file.seek(0, os.SEEK_END)
            held = b""
            while not self._ended:
                more = file.read(1 << 20)
                if not more:
                    await asyncio.sleep(LOOK_S)
                    continue
                held += more
                used = 0
                for batch, end in self._batches(held):
                    yield batch
                    used = end
                held = held[used:]

    async def retransmit(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        """Read the tape again, from its beginning."""
        if not self._options.again:
            raise Rejected("the tape is not kept: nothing is sent again")
        for batch, _ in self._batches(self._options.tape.read_bytes()):
            [packet] = batch.packets
            first = int.from_bytes(packet[4:8], "little")
            wanted = batch.channel == channel and packet[2] and batch.line is FeedLine.A
            if wanted and first <= end and first + packet[2] > begin:
                yield batch._replace(line=FeedLine.RETRANSMISSION)

    def _batches(self, data: bytes) -> Iterator[tuple[PacketBatch, int]]:
        offset = 0
        while len(data) - offset >= _HEAD.size:
            channel, line, received_ns, size = _HEAD.unpack_from(data, offset)
            if channel == _END:
                self._ended = True
                return
            end = offset + _HEAD.size + size
            if end > len(data):
                return
            packet = data[offset + _HEAD.size : end]
            offset = end
            yield PacketBatch(channel, _LINES[line], received_ns, (packet,)), offset


@asynccontextmanager
async def _open(options: TapeOptions, site: SiteRole) -> AsyncGenerator[MarketFeed]:
    if options.poison and "engine_process" in sys.argv[0]:
        _make_mortal(options)
    yield TapeFeed(options)


def _make_mortal(options: TapeOptions) -> None:
    """Let the engine of this process die of one record; a contingency system is of another make."""
    straight, one = StraightTrades._straight, Engine._trade

    def straight_until(
        self: StraightTrades, trades: Sequence[TradeFields], now: datetime, data: list[Heard]
    ) -> None:
        for place, trade in enumerate(trades):
            if trade[4] == options.poison_3dp:
                if place:
                    straight(self, trades[:place], now, data)
                # One that has to wait for its moment kills when it is worked, and not before.
                self.one_by_one([TradeRecord._make(trade)], now, data)
                if trades[place + 1 :]:
                    straight_until(self, trades[place + 1 :], now, data)
                return
        straight(self, trades, now, data)

    def mortal(self: Engine, record: TradeRecord) -> tuple[EngineEvent, ...]:
        if record.price_3dp == options.poison_3dp:
            _die(options)
        return one(self, record)

    StraightTrades._straight = straight_until  # type: ignore[method-assign]
    Engine._trade = mortal  # type: ignore[method-assign]


def _die(options: TapeOptions) -> None:
    with options.tape.with_name(BITTEN).open("ab", buffering=0) as file:
        file.write(b"%d\n" % os.getpid())
    if options.poison == "hang":
        time.sleep(3600)
    if options.poison == "exit":
        os._exit(1)
    raise ZeroDivisionError("this engine cannot bear that record")


@frozen
class LinesOptions:
    """The file that ticks are added to; while ``fails`` is there, nothing is."""

    file: Path
    fails: Path | None = None


@frozen
class LinesPublisher:
    """The port ``IndexPublisher`` into a file, a line for each tick in one write."""

    options: LinesOptions

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Add a line for each tick."""
        if self.options.fails is not None and self.options.fails.exists():
            raise Unreachable("the file is not there now: try again")
        with self.options.file.open("ab", buffering=0) as file:
            file.write("".join(f"{format_tick(tick)}\n" for tick in ticks).encode())


@asynccontextmanager
async def _open_lines(options: LinesOptions, site: SiteRole) -> AsyncGenerator[IndexPublisher]:
    yield LinesPublisher(options)


@frozen
class WrittenOptions:
    """The file that is read."""

    file: Path


@frozen
class WrittenFeed:
    """The port ``IndexFeed`` from a file of ticks, to its end."""

    options: WrittenOptions

    async def ticks(self) -> AsyncGenerator[IndexTick]:
        """Read one line after the other."""
        for line in self.options.file.read_bytes().splitlines():
            yield parse_tick(line)


@asynccontextmanager
async def _open_written(options: WrittenOptions, site: SiteRole) -> AsyncGenerator[IndexFeed]:
    yield WrittenFeed(options)


@hookimpl
def hkex_ops_index_feeds() -> Iterable[Offer[IndexFeed]]:
    """Offer ``written``."""
    return [Offer("written", WrittenOptions, _open_written)]


@hookimpl
def hkex_ops_index_publishers() -> Iterable[Offer[IndexPublisher]]:
    """Offer ``lines``."""
    return [Offer("lines", LinesOptions, _open_lines)]


@hookimpl
def hkex_ops_market_feeds() -> Iterable[Offer[MarketFeed]]:
    """Offer ``tape``."""
    return [Offer("tape", TapeOptions, _open)]
