"""A client of the retransmission service as a machine: bytes in, events and bytes out.

It keeps the rules of the service (OMD-C specification, section 4.2): logon first, one request at a
time, ranges of at most 10,000, at most 1,000 requests a day, every heartbeat returned as it came.
It opens no connection; the adapter of the feed does, and hands over what it reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import define, frozen

from hkex_ops.errors import UsageError, WireError
from hkex_ops.omd.asking import (
    Ask,
    BytesToSend,
    Connected,
    Disconnected,
    Ending,
    LogonRefused,
    LogonStatus,
    MessagesResent,
    RangeCompleted,
    RangeRefused,
    RangeUnfinished,
    Received,
    RequestBudget,
    RetransmissionEvent,
    RetransmissionInput,
    RetransmissionLimits,
    RetransmissionStatus,
    SessionEnded,
    SessionOpened,
)
from hkex_ops.omd.codec import Codec
from hkex_ops.omd.messages import (
    Logon,
    LogonResponse,
    RetransmissionRequest,
    RetransmissionResponse,
)
from hkex_ops.omd.packet import read_header
from hkex_ops.omd.stream import PacketStream

__all__ = [
    "SESSION_TRANSITIONS",
    "Accepted",
    "Admitted",
    "Asked",
    "Completed",
    "Over",
    "RetransmissionSession",
    "SessionState",
    "TurnedDown",
]

USERNAME_BYTES = 12
"""What a user name may take (specification, section 4.2.2)."""


class SessionState(StrEnum):
    """Where a session stands."""

    NEW = "new"
    LOGGING_ON = "logging on"
    READY = "ready"
    ASKING = "asking"
    RECEIVING = "receiving"
    ENDED = "ended"


@frozen
class Admitted:
    """The server let us in."""


@frozen
class Asked:
    """A request was sent."""


@frozen
class Accepted:
    """The server will send what was asked for."""


@frozen
class TurnedDown:
    """The server will not."""


@frozen
class Completed:
    """The last message of the request came."""


@frozen
class Over:
    """The connection is gone, refused, silent or garbled."""


Happening: TypeAlias = Connected | Admitted | Asked | Accepted | TurnedDown | Completed | Over

SESSION_TRANSITIONS: Mapping[tuple[SessionState, type[Happening]], SessionState] = MappingProxyType(
    {
        (SessionState.NEW, Connected): SessionState.LOGGING_ON,
        (SessionState.NEW, Over): SessionState.ENDED,
        (SessionState.LOGGING_ON, Admitted): SessionState.READY,
        (SessionState.LOGGING_ON, Over): SessionState.ENDED,
        (SessionState.READY, Asked): SessionState.ASKING,
        (SessionState.READY, Over): SessionState.ENDED,
        (SessionState.ASKING, Accepted): SessionState.RECEIVING,
        (SessionState.ASKING, TurnedDown): SessionState.READY,
        (SessionState.ASKING, Over): SessionState.ENDED,
        (SessionState.RECEIVING, Completed): SessionState.READY,
        (SessionState.RECEIVING, Over): SessionState.ENDED,
    }
)


@define
class _Range:
    """One `Ask` in work: ``next`` is the first message that has not come, ``until`` the last of
    the request under way."""

    ask: Ask
    next: int
    until: int = 0


class RetransmissionSession:
    """One session with one server, from connection to connection's end."""

    def __init__(
        self,
        username: str,
        codec: Codec,
        *,
        budget: RequestBudget | None = None,
        limits: RetransmissionLimits | None = None,
    ) -> None:
        """`UsageError` for a user name that the logon has no room for."""
        raw = username.encode("ascii", "replace")
        if not 0 < len(raw) <= USERNAME_BYTES or b"?" in raw:
            raise UsageError(f"user name {username!r} must be 1 to {USERNAME_BYTES} ASCII letters")
        self._username = raw
        self._codec = codec
        self._limits = limits or RetransmissionLimits()
        self._budget = budget or RequestBudget(self._limits.requests_per_day)
        self._state = SessionState.NEW
        self._stream = PacketStream(spec=codec.spec)
        self._ranges: deque[_Range] = deque()
        self._heard_ns = 0
        self._progress_ns = 0

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._state

    def handle(self, given: RetransmissionInput, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        """`UsageError` for a range that is none, and for what cannot be told to this state."""
        match given:
            case Connected():
                return self._connected(now_ns)
            case Ask():
                return self._ask(given, now_ns)
            case Received(data):
                return self._received(data, now_ns)
            case Disconnected():
                return self._end(Ending.DISCONNECTED, "the server closed the connection", now_ns)

    def poll(self, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        """The session ends when the server has not answered within the limits."""
        waiting = self._state not in (SessionState.NEW, SessionState.READY, SessionState.ENDED)
        if waiting and now_ns - self._progress_ns >= self._limits.answer_ns:
            seconds = self._limits.answer_ns // 1_000_000_000
            reason = f"the server did not answer for {seconds} s while {self._state}"
            return self._end(Ending.NO_ANSWER, reason, now_ns)
        if self._state is SessionState.READY and now_ns - self._heard_ns >= self._limits.silent_ns:
            return self._end(Ending.NO_ANSWER, "three heartbeats of the server are missing", now_ns)
        return ()

    def _connected(self, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        self._told(Connected)
        self._heard_ns = self._progress_ns = now_ns
        return (self._sent(Logon(self._username)),)

    def _ask(self, ask: Ask, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        if not 1 <= ask.begin <= ask.end < 2**32 or not 0 <= ask.channel < 2**16:
            raise UsageError(
                f"messages {ask.begin} to {ask.end} of channel {ask.channel} are no range"
            )
        if self._state is SessionState.ENDED:
            raise UsageError("the session is over: ask in a new one")
        if len(self._ranges) >= self._limits.waiting_ranges:
            raise UsageError(f"{len(self._ranges)} ranges are waiting already: ask later")
        self._ranges.append(_Range(ask, ask.begin))
        return self._go_on(now_ns)

    def _received(self, data: bytes, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        if self._state is SessionState.NEW:
            raise UsageError("bytes came before the connection was told")
        self._heard_ns = now_ns
        events: list[RetransmissionEvent] = []
        try:
            for packet in self._stream.feed(data):
                if self._state is SessionState.ENDED:
                    break
                events += self._packet(packet, now_ns)
        except WireError as error:
            events += self._end(Ending.BAD_BYTES, f"the server sent no packet: {error}", now_ns)
        return tuple(events)

    def _packet(self, packet: bytes, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        header = read_header(packet, spec=self._codec.spec)
        if header.is_heartbeat:
            # An exact copy, within five seconds, or the server closes.
            return (BytesToSend(packet),)
        self._codec.check(packet)
        if self._state is SessionState.RECEIVING:
            return self._resent(packet, header.sequence, header.message_count, now_ns)
        match self._codec.decode_packet(packet).messages:
            case (LogonResponse(status=status),) if self._state is SessionState.LOGGING_ON:
                return self._logged_on(status, now_ns)
            case (RetransmissionResponse() as answer,) if self._state is SessionState.ASKING:
                return self._answered(answer, now_ns)
            case messages:
                kinds = ", ".join(type(message).__name__ for message in messages)
                return self._end(
                    Ending.BAD_BYTES, f"the server sent {kinds} to a session {self._state}", now_ns
                )

    def _logged_on(self, status: int, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        if status != LogonStatus.ACTIVE:
            refused = LogonRefused(status, now_ns)
            return (refused, *self._end(Ending.REFUSED, "the logon was refused", now_ns))
        self._told(Admitted)
        return (SessionOpened(now_ns), *self._go_on(now_ns))

    def _answered(
        self, answer: RetransmissionResponse, now_ns: int
    ) -> tuple[RetransmissionEvent, ...]:
        current = self._ranges[0]
        ask = current.ask
        asked = (ask.channel, current.next, current.until)
        if asked != (answer.channel_id, answer.begin_sequence, answer.end_sequence):
            reason = f"the server answers a request that was not made: {answer}"
            return self._end(Ending.BAD_BYTES, reason, now_ns)
        self._progress_ns = now_ns
        if answer.status == RetransmissionStatus.ACCEPTED:
            self._told(Accepted)
            return ()
        self._told(TurnedDown)
        self._ranges.popleft()
        refused = RangeRefused(
            ask.channel, current.next, ask.end, answer.status, asked=True, at_ns=now_ns
        )
        return (refused, *self._go_on(now_ns))

    def _resent(
        self, packet: bytes, sequence: int, count: int, now_ns: int
    ) -> tuple[RetransmissionEvent, ...]:
        current = self._ranges[0]
        ask, last = current.ask, sequence + count - 1
        if last < current.next or sequence > current.until:
            reason = (
                f"the server sent messages {sequence} to {last}, and {current.next} to "
                f"{current.until} were asked for"
            )
            return self._end(Ending.BAD_BYTES, reason, now_ns)
        self._progress_ns = now_ns
        current.next = last + 1
        events: list[RetransmissionEvent] = [MessagesResent(ask.channel, packet, now_ns)]
        if current.next > current.until:
            self._told(Completed)
            if current.next > ask.end:
                self._ranges.popleft()
                events.append(RangeCompleted(ask.channel, ask.begin, ask.end, now_ns))
            events += self._go_on(now_ns)
        return tuple(events)

    def _go_on(self, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        """Send the next request, if there is one and none is under way."""
        events: list[RetransmissionEvent] = []
        while self._state is SessionState.READY and self._ranges:
            current = self._ranges[0]
            ask = current.ask
            if not self._budget.take():
                self._ranges.popleft()
                limit = RetransmissionStatus.DAILY_LIMIT
                events.append(
                    RangeRefused(ask.channel, current.next, ask.end, limit, False, now_ns)
                )
                continue
            current.until = min(current.next + self._limits.range_messages - 1, ask.end)
            self._told(Asked)
            self._progress_ns = now_ns
            request = RetransmissionRequest(ask.channel, b"  ", current.next, current.until)
            events.append(self._sent(request))
        return tuple(events)

    def _sent(self, message: Logon | RetransmissionRequest) -> BytesToSend:
        return BytesToSend(self._codec.encode_packet([message], sequence=0, send_time_ns=0))

    def _end(self, why: Ending, reason: str, now_ns: int) -> tuple[RetransmissionEvent, ...]:
        if self._state is SessionState.ENDED:
            return ()
        self._told(Over)
        unfinished = tuple(
            RangeUnfinished(one.ask.channel, one.next, one.ask.end, now_ns) for one in self._ranges
        )
        self._ranges.clear()
        return (*unfinished, SessionEnded(why, reason, now_ns))

    def _told(self, happening: type[Happening]) -> None:
        after = SESSION_TRANSITIONS.get((self._state, happening))
        if after is None:
            raise UsageError(f"{happening.__name__} cannot be told to a session {self._state}")
        self._state = after
