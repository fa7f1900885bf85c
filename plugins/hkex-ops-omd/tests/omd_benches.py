"""Benches of the conformance kit for this distribution's adapters."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from attrs import evolve
from omd_captures import Address
from omd_index import IndexLines, carried
from omd_market import Market, members_of
from omd_server import RetransmissionServer

from hkex_ops.model import IndexTick
from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.ports import IndexFeed, IndexPublisher, MarketFeed, Offer
from hkex_ops.testing import IndexFeedBench, IndexPublisherBench, MarketFeedBench, Sent
from hkex_ops.testing.market_feed_heard import messages_of
from hkex_ops_omd import (
    CaptureOptions,
    IndexFeedOptions,
    MulticastOptions,
    PublisherOptions,
    hkex_ops_index_feeds,
    hkex_ops_index_publishers,
    hkex_ops_market_feeds,
)
from hkex_ops_omd.options import (
    RetransmissionOptions,
    RetransmissionServer as ServerAddress,
    RetransmissionSite,
)

__all__ = [
    "CaptureBench",
    "IndexFeedOnMulticast",
    "IndexPublisherOnMulticast",
    "MulticastBench",
    "offer_called",
    "open_files",
]

USER = "TESTER01"


def offer_called(name: str) -> Offer[MarketFeed]:
    """One of the market feeds that the plug-in offers."""
    return {offer.name: offer for offer in hkex_ops_market_feeds()}[name]


def open_files() -> list[str]:
    """What every descriptor of this process leads to."""
    found: list[str] = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one by which this folder was listed
            found.append(os.readlink(one))
    return found


def sockets_of_this_process() -> set[str]:
    """The sockets that are open now, each by its own name."""
    return {one for one in open_files() if one.startswith("socket:")}


class MulticastBench(MarketFeedBench):
    """Real multicast on loopback, a real retransmission server."""

    def __init__(self) -> None:
        self.market = Market()
        self.server = RetransmissionServer(USER)

    async def __aenter__(self) -> MulticastBench:
        await self.server.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.server.close()
        self.market.close()

    @property
    def offer(self) -> Offer[MarketFeed]:
        return offer_called("omd-multicast")

    def options(self) -> MulticastOptions:
        site = RetransmissionSite((ServerAddress(self.server.host, self.server.port),))
        again = RetransmissionOptions(users=(USER,), sites={"primary": site})
        return evolve(self.market.options(), retransmission=again)

    @property
    def channels(self) -> Sequence[int]:
        return self.market.channels

    @property
    def recovery_channel(self) -> int:
        return self.market.recovery

    async def send(self, sent: Sequence[Sent]) -> None:
        self.market.send(sent)

    async def send_elsewhere(self, packet: bytes) -> None:
        self.market.sender.send(self.market.elsewhere, packet)

    def listeners(self) -> int:
        return self.market.members() + len(self.server.connected)

    async def keep(self, channel: int, packets: Sequence[bytes]) -> None:
        self.server.keep(channel, messages_of(packets))

    async def take_server_down(self) -> None:
        await self.server.close()

    async def bring_server_up(self) -> None:
        await self.server.open()
        await asyncio.sleep(0)

    def requests(self) -> Sequence[tuple[int, int, int]]:
        return self.server.requests

    def most_sessions(self) -> int:
        return self.server.most_connected

    async def send_refresh(self, channel: int, packet: bytes) -> None:
        line = self.market.lines[channel].refresh_a
        assert line is not None
        self.market.sender.send(line, packet)

    def refresh_listeners(self, channel: int) -> int:
        line = self.market.lines[channel].refresh_a
        assert line is not None
        return members_of(line.group)


class CaptureBench(MarketFeedBench):
    """A file that ``write`` makes of what is sent; nothing else is recorded in it."""

    is_live = False

    def __init__(self, folder: Path, write: Callable[[Sequence[Address]], bytes]) -> None:
        self.path = folder / "capture"
        self._write = write
        self._records: list[Address] = []
        self._cut_off = False
        self._put()

    def _put(self) -> None:
        data = self._write(self._records)
        self.path.write_bytes(data[:-7] if self._cut_off else data)

    @property
    def offer(self) -> Offer[MarketFeed]:
        return offer_called("omd-capture")

    def options(self) -> CaptureOptions:
        return CaptureOptions(files=(self.path,))

    @property
    def channels(self) -> Sequence[int]:
        return (31, 30)

    @property
    def recovery_channel(self) -> int:
        return 1

    async def send(self, sent: Sequence[Sent]) -> None:
        for one in sent:
            group, port = RecordedStreams().where(one.channel, one.line)
            self._records.append(Address(one.at_ns, group, port, one.packet))
        self._put()

    async def send_elsewhere(self, packet: bytes) -> None:
        self._records.append(Address(0, "239.9.9.9", 700, packet))
        self._put()

    async def break_off(self) -> None:
        self._records.append(Address(9, "239.1.1.1", 51_030, bytes(100)))
        self._cut_off = True
        self._put()

    def listeners(self) -> int:
        return open_files().count(str(self.path))


class IndexPublisherOnMulticast(IndexPublisherBench):
    """Real multicast on loopback, heard by line A and by the refresh's."""

    def __init__(self) -> None:
        self.lines = IndexLines()
        self._before = sockets_of_this_process()

    async def __aenter__(self) -> IndexPublisherOnMulticast:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lines.close()

    @property
    def offer(self) -> Offer[IndexPublisher]:
        [offer] = hkex_ops_index_publishers()
        return offer

    def options(self) -> PublisherOptions:
        return self.lines.publisher_options()

    def carried(self, tick: IndexTick) -> IndexTick:
        return carried(tick)

    async def published(self) -> Sequence[IndexTick]:
        return self.lines.heard("line_a")

    async def latest(self) -> Sequence[IndexTick]:
        return self.lines.last_cycle()

    def visitors(self) -> int:
        return len(sockets_of_this_process() - self._before)


class IndexFeedOnMulticast(IndexFeedBench):
    """Index Data written by hand, on two lines of real multicast."""

    def __init__(self) -> None:
        self.lines = IndexLines()

    async def __aenter__(self) -> IndexFeedOnMulticast:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.lines.close()

    @property
    def offer(self) -> Offer[IndexFeed]:
        [offer] = hkex_ops_index_feeds()
        return offer

    def options(self) -> IndexFeedOptions:
        return self.lines.feed_options()

    def carried(self, tick: IndexTick) -> IndexTick:
        return carried(tick)

    async def put(self, ticks: Sequence[IndexTick]) -> None:
        self.lines.put(ticks)

    def visitors(self) -> int:
        # One member of each group is the bench itself.
        return sum(members_of(group) for group in self.lines.real_time_groups()) - 2
