"""Benches of the conformance kit for this distribution's adapters."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from attrs import evolve
from omd_captures import Address
from omd_market import Market, members_of
from omd_server import RetransmissionServer

from hkex_ops.omd.recorded import RecordedStreams
from hkex_ops.ports import MarketFeed, Offer
from hkex_ops.testing import MarketFeedBench, Sent
from hkex_ops.testing.market_feed_heard import messages_of
from hkex_ops_omd import CaptureOptions, MulticastOptions, hkex_ops_market_feeds
from hkex_ops_omd.options import (
    RetransmissionOptions,
    RetransmissionServer as ServerAddress,
    RetransmissionSite,
)

__all__ = ["CaptureBench", "MulticastBench", "offer_called"]

USER = "TESTER01"


def offer_called(name: str) -> Offer[MarketFeed]:
    """One of the market feeds that the plug-in offers."""
    return {offer.name: offer for offer in hkex_ops_market_feeds()}[name]


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
        links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return [os.readlink(one) for one in links if one.exists()].count(str(self.path))
