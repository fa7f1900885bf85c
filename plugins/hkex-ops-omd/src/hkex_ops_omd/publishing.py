"""The port ``IndexPublisher`` by UDP multicast: Index Definition and Index Data on lines A and B.

As the exchange's own index feed does it: a Sequence Reset when it starts, each index defined
before its first value, heartbeats on idle lines, and, where refresh lines are set, the state in
cycles for late-comers. What is sent goes out by both lines under one number before anything else
does. Made by :mod:`hkex_ops_omd.opening`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress

from hkex_ops.clock import Clock
from hkex_ops.errors import Busy, RemoteError, Unreachable
from hkex_ops.model import IndexTick
from hkex_ops.omd import Codec, IndexData, IndexDefinition, RefreshComplete, SequenceReset
from hkex_ops.omd.messages import Message
from hkex_ops_omd.figures import CODE_BYTES, data_of
from hkex_ops_omd.hearing import nanoseconds
from hkex_ops_omd.index_options import PublisherOptions
from hkex_ops_omd.options import MulticastLine
from hkex_ops_omd.sockets import sending_socket
from hkex_ops_omd.translation import translated

__all__ = ["MulticastPublisher", "RefreshingPublisher", "publisher_of"]

FIRST_NUMBER = 1

_COUNT_AT = 2  # where a packet's header says how many messages there are

_Failure = tuple[str, OSError]
"""What was done, and how it failed."""


class _Channel:
    """Numbered packets out by some lines, the same by each."""

    def __init__(self, lines: Sequence[tuple[str, MulticastLine]], codec: Codec, clock: Clock):
        self._lines = lines
        self._codec = codec
        self._clock = clock
        self._sockets: dict[str, socket.socket] = {}
        self._interface = ""
        self._next = FIRST_NUMBER
        self.sent_s = 0.0

    @property
    def last_number(self) -> int:
        """The number of the last message sent; 0 before there was one."""
        return self._next - 1

    def open(self, interface: str, ttl: int) -> None:
        """Make the sockets; `ConfigError` when this machine has no such interface."""
        for _, line in self._lines:
            where = line.interface or interface
            if where not in self._sockets:
                self._sockets[where] = sending_socket(where, ttl)
        self._interface = interface

    def close(self) -> None:
        """Send no more."""
        for made in self._sockets.values():
            made.close()

    def reset(self) -> None:
        """Say that numbers begin anew; the next message has the first.

        Raises as :meth:`send`, but only when no line took it.
        """
        reset = self._codec.encode_packet(
            [SequenceReset(FIRST_NUMBER)], sequence=FIRST_NUMBER, send_time_ns=self._now_ns()
        )
        failures = self._out(reset)
        if len(failures) == len(self._lines):
            raise self._failed(failures)

    def heartbeat(self) -> None:
        """Say that the lines are idle, and which number was last.

        A line that is down is told to whoever publishes; beats go on for when it is up.
        """
        self._out(
            self._codec.encode_packet([], sequence=self.last_number, send_time_ns=self._now_ns())
        )

    def send(self, messages: Iterable[Message]) -> None:
        """The messages, numbered on, in as few packets as there can be.

        Raises `Unreachable` or `Busy` when a line did not take a packet. By the other one all are
        out then; where there is no other, numbers stay as they were and the rest is not tried.
        """
        packets = self._codec.pack(messages, sequence=self._next, send_time_ns=self._now_ns())
        failures: list[_Failure] = []
        for packet in packets:
            failed = self._out(packet)
            failures += failed
            if len(failed) == len(self._lines):
                break
            self._next += packet[_COUNT_AT]
        if failures:
            raise self._failed(failures)

    def _out(self, packet: bytes) -> list[_Failure]:
        """The packet by every line; those that did not take it."""
        failures: list[_Failure] = []
        for name, line in self._lines:
            made = self._sockets[line.interface or self._interface]
            try:
                made.sendto(packet, (line.group, line.port))
            except OSError as error:
                failures.append((f"sending by {name}, {line}", error))
        self.sent_s = asyncio.get_running_loop().time()
        return failures

    def _failed(self, failures: Sequence[_Failure]) -> RemoteError:
        told = dict.fromkeys(str(translated(error, doing)) for doing, error in failures)
        full = all(isinstance(error, BlockingIOError) for _, error in failures)
        return (Busy if full else Unreachable)("; ".join(told))

    def _now_ns(self) -> int:
        # The exchange's own are whole milliseconds. Where lines are not in step, send times tell
        # what was said before a reset from what was said after, so they are as fine as can be.
        return nanoseconds(self._clock.now())


class MulticastPublisher:
    """Index values by lines A and B; :meth:`start` opens them and :meth:`close` ends them."""

    def __init__(self, options: PublisherOptions, codec: Codec, clock: Clock) -> None:
        self._options = options
        lines = dict(options.named_lines())
        self._channel = _Channel(
            [(name, line) for name, line in lines.items() if name.startswith("line_")],
            codec,
            clock,
        )
        self._refresh = _Channel(
            [(name, line) for name, line in lines.items() if name.startswith("refresh_")],
            codec,
            clock,
        )
        self._defined: dict[str, IndexDefinition] = {}
        self._latest: dict[str, tuple[IndexTick, IndexData]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the lines, say that numbers begin anew, define the indexes of the options."""
        try:
            for channel in (self._channel, self._refresh):
                channel.open(self._options.interface, self._options.ttl)
            self._channel.reset()
            # One line is enough to begin with; whoever publishes is told of the other.
            with suppress(RemoteError):
                self._define(self._options.indexes)
        except BaseException:
            await self.close()
            raise
        self._tasks.append(asyncio.create_task(self._beat()))

    async def close(self) -> None:
        """Send nothing more."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for channel in (self._channel, self._refresh):
            channel.close()

    async def publish(self, ticks: Sequence[IndexTick]) -> None:
        """Send ``ticks`` by both lines; see the port. Nothing is sent of ticks of which one is
        `Rejected`, because something of it has no room in the message."""
        data = self._kept(ticks)
        # Apart from the values: the first packet behind a reset is the one that a receiver may
        # take for a copy of it.
        self._define(tick.index for tick in ticks)
        self._channel.send(data)

    # -- inside ------------------------------------------------------------------------------

    def _kept(self, ticks: Sequence[IndexTick]) -> list[IndexData]:
        """The messages of ``ticks``, each remembered unless a later moment is known."""
        data = [data_of(tick) for tick in ticks]
        for tick, message in zip(ticks, data, strict=True):
            latest = self._latest.get(tick.index)
            if latest is None or latest[0].at <= tick.at:
                self._latest[tick.index] = tick, message
        return data

    def _define(self, codes: Iterable[str]) -> None:
        """Send a definition of those among ``codes`` that were not defined before."""
        fresh: dict[str, IndexDefinition] = {}
        for code in codes:
            if code not in self._defined:
                naming = self._options.naming(code)
                fresh[code] = IndexDefinition(
                    index_code_ascii=code.encode().ljust(CODE_BYTES),
                    index_source_ascii=naming.source.encode(),
                    currency_code_ascii=naming.currency.encode().ljust(3),
                    filler=b" ",
                )
        self._channel.send(fresh.values())
        self._defined |= fresh

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_s = self._channel.sent_s + self._options.heartbeat_s
            if (wait_s := due_s - loop.time()) > 0:
                await asyncio.sleep(wait_s)
                continue
            self._channel.heartbeat()

    def _cycle(self) -> None:
        """The state by the refresh lines: definitions, latest values, as of which message."""
        values = [message for _, message in self._latest.values()]
        complete = RefreshComplete(self._channel.last_number)
        self._refresh.send([*self._defined.values(), *values, complete])


class RefreshingPublisher(MulticastPublisher):
    """A publisher whose options name refresh lines, and which can so be asked for the state."""

    async def start(self) -> None:
        """As without refresh lines; and cycles begin."""
        await super().start()
        self._tasks.append(asyncio.create_task(self._repeat()))

    async def publish_snapshot(self, ticks: Sequence[IndexTick]) -> None:
        """Send a cycle with ``ticks``, or what is known of a later moment; see the port."""
        self._kept(ticks)
        self._define(tick.index for tick in ticks)
        self._cycle()

    async def _repeat(self) -> None:
        while True:
            await asyncio.sleep(self._options.refresh_s)
            # As for heartbeats: the next cycle may do better.
            with suppress(RemoteError):
                self._cycle()


def publisher_of(options: PublisherOptions, codec: Codec, clock: Clock) -> MulticastPublisher:
    """The publisher that can do what the options say, no more and no less."""
    refreshed = options.refresh_a is not None or options.refresh_b is not None
    return (RefreshingPublisher if refreshed else MulticastPublisher)(options, codec, clock)
