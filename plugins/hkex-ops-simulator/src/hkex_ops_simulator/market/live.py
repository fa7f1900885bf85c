"""A market that is sent live on loopback, with everything that a client recovers by.

Lines A and B, a refresh of every channel in cycles, retransmission servers at both sites, and the
recovery channel with its signal when the exchange fails over from the primary site to the other.
Real time is played piece by piece by whoever holds the market: a command, a rehearsal, a test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Self

from attrs import field, frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import Endpoint, SiteRole
from hkex_ops.omd import Codec
from hkex_ops.omd.messages import DisasterRecoverySignal, Message, RefreshComplete
from hkex_ops.ports import FeedLine
from hkex_ops_simulator.market.channels import RECOVERY
from hkex_ops_simulator.market.lines import Delivery, Lines
from hkex_ops_simulator.market.packing import (
    FIRST_SEQUENCE,
    HEARTBEAT_NS,
    Packed,
    Packer,
    Sent,
)
from hkex_ops_simulator.market.retransmission import Desk, RetransmissionRules
from hkex_ops_simulator.market.sending import ANY_BASE_PORT, Sender
from hkex_ops_simulator.market.servers import RetransmissionServer
from hkex_ops_simulator.market.shape import CALM, Faults
from hkex_ops_simulator.market.snapshot import ChannelState
from hkex_ops_simulator.market.store import Store

__all__ = ["RETRANSMISSION_HOSTS", "USERS", "LiveMarket", "LiveOptions"]

# Invented: the exchange has two servers at each site, whose addresses are in no public paper.
RETRANSMISSION_HOSTS = {
    SiteRole.PRIMARY: ("127.151.201.1", "127.151.201.2"),
    SiteRole.SECONDARY: ("127.152.201.1", "127.152.201.2"),
}

# Invented; one session each, so that several engines can recover at once.
USERS = tuple(f"SIMUSER{number:02}" for number in range(1, 9))

_FAILING_OVER, _FAILED_OVER = 1, 2


@frozen
class LiveOptions:
    """How a market is sent. ``refresh_every_ms`` is from cycle to cycle, in the machine's time."""

    base_port: int = ANY_BASE_PORT
    faults: Faults = CALM
    seed: int = 0
    users: tuple[str, ...] = USERS
    refresh_every_ms: int = 250
    rules: RetransmissionRules = field(factory=RetransmissionRules)


class LiveMarket:
    """The market whose messages are ``stream``, up from entry to exit of ``async with``.

    ``channels`` are its real-time channels. `ConfigError` where this machine cannot send by
    multicast, or cannot listen at the servers' addresses.
    """

    def __init__(
        self,
        stream: Iterable[Sent],
        channels: Sequence[int],
        codec: Codec,
        options: LiveOptions | None = None,
    ) -> None:
        options = options or LiveOptions()
        self.channels = tuple(channels)
        self.lines = Lines(options.faults, options.seed)
        self.site = SiteRole.PRIMARY
        self.now_ns = 0
        self._options = options
        self._codec = codec
        self._stream = iter(stream)
        self._ahead: Sent | None = None
        self._packer = Packer(codec.encode_message)
        self._states = {channel: ChannelState() for channel in self.channels}
        self._next_refresh = dict.fromkeys(self.channels, FIRST_SEQUENCE)
        self._signal: int | None = None
        self._silent = False
        self._stack = AsyncExitStack()
        self._store = Store()
        self.desk = Desk(codec, self._store, options.users, lambda: self.now_ns, options.rules)
        self.servers = {
            site: tuple(RetransmissionServer(host, self.desk) for host in hosts)
            for site, hosts in RETRANSMISSION_HOSTS.items()
        }
        self._sender: Sender | None = None

    async def __aenter__(self) -> Self:
        if self._sender is not None:
            raise UsageError("this market was entered before: make another")
        self._sender = Sender(self._options.base_port, (*self.channels, RECOVERY))
        self._stack.callback(self._sender.close)
        try:
            for server in (one for servers in self.servers.values() for one in servers):
                self._stack.push_async_callback(server.close)
                await server.open()
        except BaseException:
            await self._stack.aclose()
            raise
        cycles = asyncio.create_task(self._refresh_forever())
        self._stack.push_async_callback(_end, cycles)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    # -- what a client is told ---------------------------------------------------------------

    @property
    def base_port(self) -> int:
        """The port from which those of the channels are counted; once it was entered."""
        assert self._sender is not None, "entered"
        return self._sender.base_port

    def retransmission(self, site: SiteRole) -> tuple[Endpoint, ...]:
        """Where the retransmission servers of a site listen."""
        return tuple(server.endpoint for server in self.servers[site])

    def last_sequence(self, channel: int) -> int:
        """The number of the last message that was sent on a channel."""
        return self._packer.last_sequence(channel)

    def bodies(self, channel: int, begin: int, end: int) -> tuple[bytes, ...]:
        """The messages ``begin`` to ``end`` of a channel as they were sent: the back door."""
        return self._store.bodies(channel, begin, end)

    def snapshot(self, channel: int) -> tuple[Message, ...]:
        """What a refresh of a channel tells now: the back door."""
        return tuple(self._states[channel].snapshot())

    # -- what happens at the exchange --------------------------------------------------------

    async def play(self, until_ns: int | None = None, *, speed: int | None = None) -> None:
        """Send real time on to ``until_ns`` of its own time, or to its end, with heartbeats.

        ``speed`` times as fast as the day is; without one as fast as can be heard.
        """
        if self._signal == _FAILING_OVER:
            raise UsageError("the exchange is between its sites and sends nothing: resume it first")
        await self._send(self._packets(self._until(until_ns), until_ns), speed)

    async def fail_over(self, at_ns: int) -> None:
        """The primary site is gone: its servers, real time, refresh; the signal says so."""
        self._packer.skip_to(at_ns)
        self._packer.forget(self.channels)
        for server in self.servers[self.site]:
            await server.close()
        await self._tell(_FAILING_OVER, at_ns)

    async def resume(self, at_ns: int, stream: Iterable[Sent]) -> None:
        """The other site takes over with ``stream``, and the signal says so.

        What it sends begins anew: a sequence reset on every channel, then definitions.
        """
        self.site = self.site.other
        self._states = {channel: ChannelState() for channel in self.channels}
        self._stream = (one for one in stream if one.channel != RECOVERY)
        self._ahead = None
        self._packer.skip_to(at_ns)
        await self._tell(_FAILED_OVER, at_ns)

    @property
    def is_silent(self) -> bool:
        """Whether it went silent; a market that did stays so."""
        return self._silent

    async def go_silent(self) -> None:
        """Nothing is sent any more, and no server answers: the exchange is not there."""
        self._silent = True
        for server in (one for servers in self.servers.values() for one in servers):
            await server.close()

    async def repeat_signal(self, at_ns: int) -> None:
        """The recovery channel says again what it said last: its signal, or that it is there."""
        self._packer.skip_to(at_ns - HEARTBEAT_NS)
        if self._signal is None:
            await self._send(self._packets((), at_ns))
        else:
            await self._tell(self._signal, at_ns)

    # -- inside ------------------------------------------------------------------------------

    async def _tell(self, status: int, at_ns: int) -> None:
        self._signal = status
        signal = Sent(at_ns, RECOVERY, DisasterRecoverySignal(status))
        await self._send(self._kept(packet) for packet in self._packer.packets([signal]))

    async def _send(self, packets: Iterable[Packed], speed: int | None = None) -> None:
        assert self._sender is not None, "entered"
        deliveries = self.lines.deliver(packets)
        await self._sender.play(() if self._silent else deliveries, speed)

    def _until(self, until_ns: int | None) -> Iterator[Sent]:
        """The messages of the stream up to a moment; the first one after it is kept for later."""
        while True:
            if self._ahead is None:
                self._ahead = next(self._stream, None)
            if self._ahead is None or (until_ns is not None and self._ahead.time_ns > until_ns):
                return
            sent, self._ahead = self._ahead, None
            yield sent

    def _packets(self, stream: Iterable[Sent], until_ns: int | None) -> Iterator[Packed]:
        for packet in self._packer.packets(stream):
            yield self._kept(packet)
        if until_ns is not None:
            for packet in self._packer.heartbeats(until_ns):
                yield self._kept(packet)

    def _kept(self, packet: Packed) -> Packed:
        """A packet that is about to be sent: stored, and part of what a refresh tells."""
        self.now_ns = max(self.now_ns, packet.time_ns)
        if packet.channel in self._states:
            self._store.take(packet)
            for message in packet.messages:
                self._states[packet.channel].take(message)
        return packet

    async def _refresh_forever(self) -> None:
        assert self._sender is not None, "entered"
        while True:
            if self._signal != _FAILING_OVER and not self._silent:
                for channel in self.channels:
                    await self._sender.play(self._refresh(channel))
            await asyncio.sleep(self._options.refresh_every_ms / 1000)

    def _refresh(self, channel: int) -> Iterator[Delivery]:
        """One cycle: what holds now, and the number of the message as of which it holds."""
        complete = RefreshComplete(self.last_sequence(channel))
        messages = (*self._states[channel].snapshot(), complete)
        first = self._next_refresh[channel]
        self._next_refresh[channel] += len(messages)
        packets = self._codec.pack(messages, sequence=first, send_time_ns=self.now_ns)
        for packet in packets:
            yield Delivery(self.now_ns, channel, FeedLine.REFRESH, packet)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
