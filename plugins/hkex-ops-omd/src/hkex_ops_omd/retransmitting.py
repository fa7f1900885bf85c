"""Lost messages asked for again over TCP: servers in order, one session, one request at a time.

What is said on the line is decided by :class:`hkex_ops.omd.retransmission.RetransmissionSession`;
here are the connection, the waiting and the order of servers and users. A session is kept for a
while after an answer, for gaps come in bursts, and returns the server's heartbeats meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import date

from hkex_ops.clock import Clock
from hkex_ops.errors import Busy, RemoteError, TransientError, Unreachable, UsageError
from hkex_ops.model import SiteRole
from hkex_ops.omd import Codec
from hkex_ops.omd.asking import (
    Ask,
    BytesToSend,
    Connected,
    Disconnected,
    LogonRefused,
    MessagesResent,
    RangeCompleted,
    RangeRefused,
    Received,
    RequestBudget,
    RetransmissionEvent,
    RetransmissionInput,
    RetransmissionLimits,
    SessionEnded,
    SessionOpened,
    refusal,
)
from hkex_ops.omd.retransmission import RetransmissionSession
from hkex_ops.ports import FeedLine, PacketBatch
from hkex_ops_omd.hearing import nanoseconds
from hkex_ops_omd.options import RetransmissionOptions, RetransmissionServer
from hkex_ops_omd.translation import translated

__all__ = ["Retransmitter"]

NS_PER_S = 1_000_000_000

PIECE_BYTES = 64 * 1024

# How often a session that waits is asked whether it has waited too long.
TICK_S = 0.1

# How often a server is asked whether a user has come free; each time costs it a connection.
BUSY_INTERVAL_S = 0.25

# A farewell is a courtesy with an end: a server that does not take it is hung up on.
FAREWELL_TIMEOUT_S = 1

_LAST_NUMBER = 0xFFFF_FFFF


class Retransmitter:
    """The retransmission servers of both sites, as one."""

    def __init__(
        self,
        options: RetransmissionOptions,
        site: SiteRole,
        codec: Codec,
        clock: Clock,
    ) -> None:
        self._options = options
        self._servers = options.servers(site)
        self._codec = codec
        self._clock = clock
        self._limits = RetransmissionLimits(answer_ns=options.answer_timeout_s * NS_PER_S)
        self._budgets = {user: self._fresh_budget() for user in options.users}
        self._day: date = clock.now().date()
        self._lock = asyncio.Lock()
        self._line: _Line | None = None
        self._closed = False

    async def ask(self, channel: int, begin: int, end: int) -> AsyncGenerator[PacketBatch]:
        """Yield messages ``begin`` to ``end`` as they come; others who ask wait their turn."""
        self._require_range(channel, begin, end)
        async with self._lock:
            self._require_open()
            line = await self._ready_line()
            line.idle_since_s = None
            try:
                line.tell(Ask(channel, begin, end))
                while (packet := await line.next_packet()) is not None:
                    now_ns = nanoseconds(self._clock.now())
                    yield PacketBatch(channel, FeedLine.RETRANSMISSION, now_ns, [packet])
            finally:
                # A request cannot be taken back: what of it still comes would meet the next one.
                if line.is_answering:
                    await self._hang_up()
                line.idle_since_s = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Hang up, and wait until the connection is closed. Nothing can be asked after."""
        self._closed = True
        await self._hang_up()

    def _require_open(self) -> None:
        if self._closed:
            raise UsageError("this feed is closed: open another")

    def _require_range(self, channel: int, begin: int, end: int) -> None:
        most = self._limits.range_messages
        if not 0 < begin <= end <= _LAST_NUMBER or end - begin >= most:
            raise UsageError(
                f"messages {begin} to {end} of channel {channel} are no range that one request "
                f"can name: 1 to {most} messages, numbered from 1"
            )

    def _fresh_budget(self) -> RequestBudget:
        return RequestBudget(self._limits.requests_per_day)

    def _renew_budgets(self) -> None:
        today = self._clock.now().date()
        if today != self._day:
            self._day = today
            for budget in self._budgets.values():
                budget.renew()

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    # -- logging on --------------------------------------------------------------------------

    async def _ready_line(self) -> _Line:
        """The session that stands, or a new one; a user who is busy elsewhere is waited for."""
        self._renew_budgets()
        if self._line is not None and not self._line.is_over:
            return self._line
        await self._hang_up()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._options.busy_wait_s
        while True:
            try:
                self._line = await self._first_that_takes_us()
            except Busy:
                if loop.time() >= until_s:
                    raise
                await asyncio.sleep(BUSY_INTERVAL_S)
                self._require_open()
            else:
                return self._line

    async def _first_that_takes_us(self) -> _Line:
        """A session with the first server, as the first user, in order."""
        failures: list[RemoteError] = []
        for server in self._servers:
            for user in self._options.users:
                try:
                    return await self._log_on(server, user)
                except Busy as error:
                    failures.append(error)
                except TransientError as error:
                    failures.append(error)
                    break  # another user reaches this server no better
        raise _none_took_us(failures)

    async def _log_on(self, server: RetransmissionServer, user: str) -> _Line:
        timeout_s = self._options.connect_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(server.host, server.port)
        except Exception as error:
            raise translated(error, f"{server}, connecting within {timeout_s} s") from error
        session = RetransmissionSession(
            user, self._codec, budget=self._budgets[user], limits=self._limits
        )
        line = _Line(reader, writer, session, f"{server}, as {user}", self._options.linger_s)
        try:
            await line.log_on()
        except BaseException:
            await line.close()
            raise
        return line


class _Line:
    """One connection and the session on it."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: RetransmissionSession,
        name: str,
        linger_s: int,
    ) -> None:
        self.idle_since_s: float | None = None
        self._reader = reader
        self._writer = writer
        self._session = session
        self._name = name
        self._linger_s = linger_s
        self._loop = asyncio.get_running_loop()
        # What one request can bring is bounded by the service; nothing comes without one.
        self._events: asyncio.Queue[RetransmissionEvent] = asyncio.Queue()
        self._failure: RemoteError | None = None
        self._asking = False
        self.tell(Connected())
        self._reading = asyncio.create_task(self._read())
        self._ticking = asyncio.create_task(self._tick())

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be asked on it."""
        return self._reading.done() or self._ticking.done()

    @property
    def is_answering(self) -> bool:
        """Whether the end of an answer has not come."""
        return self._asking

    def tell(self, given: RetransmissionInput) -> None:
        """Tell the session, send what it wants sent, keep the rest."""
        if isinstance(given, Ask):
            self._asking = True
        self._take(self._session.handle(given, self._now_ns()))

    async def log_on(self) -> None:
        """Wait until the server lets us in; raises what it says otherwise."""
        while True:
            match await self._events.get():
                case SessionOpened():
                    return
                case LogonRefused() | SessionEnded() as event:
                    raise self._named(event)
                case _:
                    pass

    async def next_packet(self) -> bytes | None:
        """The next packet of the answer; ``None`` at its end. Raises what the server refuses."""
        while True:
            match await self._events.get():
                case MessagesResent(packet=packet):
                    return packet
                case RangeCompleted():
                    self._asking = False
                    return None
                case RangeRefused() as event:
                    self._asking = False
                    raise self._named(event)
                case SessionEnded() as event:
                    raise self._named(event)
                case _:
                    pass

    async def close(self) -> None:
        """Hang up, politely first."""
        for task in (self._reading, self._ticking):
            task.cancel()
        await asyncio.wait([self._reading, self._ticking])
        # Whoever waits for an answer waits no more.
        self._failure = self._failure or Unreachable(f"{self._name}: we hung up")
        self.tell(Disconnected())
        with suppress(OSError):
            async with asyncio.timeout(FAREWELL_TIMEOUT_S):
                self._writer.close()
                await self._writer.wait_closed()
        self._writer.transport.abort()

    def _named(self, event: LogonRefused | RangeRefused | SessionEnded) -> RemoteError:
        """The refusal as an error that says who refused; or the connection's own failure."""
        if self._failure is not None and isinstance(event, SessionEnded):
            return self._failure
        error = refusal(event)
        return type(error)(f"{self._name}: {error}")

    def _now_ns(self) -> int:
        # Waiting is measured by a clock that nobody sets.
        return int(self._loop.time() * NS_PER_S)

    def _take(self, events: Sequence[RetransmissionEvent]) -> None:
        for event in events:
            match event:
                case BytesToSend(data):
                    self._writer.write(data)
                case _:
                    self._events.put_nowait(event)

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(PIECE_BYTES):
                self.tell(Received(data))
        except OSError as error:
            failure = translated(error, f"{self._name}, waiting for an answer")
            self._failure = failure if isinstance(failure, RemoteError) else None
        self.tell(Disconnected())

    async def _tick(self) -> None:
        """Watch over deadlines until the session is over, or was idle for long enough."""
        while not self._reading.done():
            await asyncio.sleep(TICK_S)
            self._take(self._session.poll(self._now_ns()))
            idle_since_s = self.idle_since_s
            if idle_since_s is not None and self._loop.time() - idle_since_s >= self._linger_s:
                self._writer.close()
                return


def _none_took_us(failures: Sequence[RemoteError]) -> RemoteError:
    """`Busy` where one server at least is there and has another session of ours."""
    told = "; ".join(dict.fromkeys(map(str, failures)))
    busy = any(isinstance(error, Busy) for error in failures)
    return Busy(told) if busy else Unreachable(told)
