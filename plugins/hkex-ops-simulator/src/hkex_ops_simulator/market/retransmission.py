"""What a retransmission server says to a client, bytes in and bytes out; it owns no socket.

The exchange's rules: log on within five seconds, one session for a user, at most 10,000 messages a
request and 1,000 requests a day, a heartbeat every thirty seconds that must come back within five.
Source: OMD-C interface specification, section 4.2. Time is handed in, in nanoseconds of any clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from attrs import define, field, frozen

from hkex_ops.errors import WireError
from hkex_ops.omd import Codec
from hkex_ops.omd.messages import (
    Logon,
    LogonResponse,
    Message,
    RetransmissionRequest,
    RetransmissionResponse,
)
from hkex_ops_simulator.market.packing import MOST_PACKET_BYTES, packet_bytes
from hkex_ops_simulator.market.store import Store
from hkex_ops_simulator.market.timetable import NS

__all__ = ["Call", "Desk", "RetransmissionRules"]

# Session status of a log-on response, and status of a retransmission response.
ACTIVE, INVALID_USER, ALREADY_CONNECTED = 0, 5, 100
ACCEPTED, UNKNOWN_CHANNEL, NOT_AVAILABLE, TOO_LARGE, LIMIT_EXCEEDED = 0, 1, 2, 100, 101

_SIZE_BYTES = 2


@frozen
class RetransmissionRules:
    """The limits of the service, as the exchange has them unless somebody says otherwise."""

    most_messages: int = 10_000
    requests_a_day: int = 1_000
    logon_s: int = 5
    heartbeat_s: int = 30
    echo_s: int = 5


@define
class Desk:
    """What all servers of the exchange share: who is let in, who is there, who asked how often.

    ``event_ns`` tells the market's own time, which stands in the packets that are sent again.
    """

    codec: Codec
    store: Store
    users: tuple[str, ...]
    event_ns: Callable[[], int]
    rules: RetransmissionRules = field(factory=RetransmissionRules)
    connected: set[str] = field(factory=set[str], init=False)
    asked: Counter[str] = field(factory=Counter[str], init=False)
    requests: list[tuple[str, int, int, int, int]] = field(
        factory=list[tuple[str, int, int, int, int]], init=False
    )


@define
class Call:
    """One client at the desk, from connecting to hanging up.

    :meth:`handle` and :meth:`poll` say what to send. Once ``over``, that is the last of it: the
    server hangs up and calls :meth:`hang_up`.
    """

    desk: Desk
    opened_ns: int
    over: bool = field(default=False, init=False)
    user: str | None = field(default=None, init=False)
    _received: bytearray = field(factory=bytearray, init=False)
    _quiet_since_ns: int = field(init=False)
    _heartbeat: bytes | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._quiet_since_ns = self.opened_ns

    def handle(self, data: bytes, now_ns: int) -> Iterator[bytes]:
        """Take bytes as they came, whole packets or not; what is to be sent in answer."""
        self._received += data
        while not self.over and (packet := self._next_packet()) is not None:
            if packet == self._heartbeat:
                self._heartbeat, self._quiet_since_ns = None, now_ns
                continue
            try:
                messages = self.desk.codec.decode_packet(packet).messages
            except WireError:
                self.over = True
                return
            for message in messages:
                yield from self._answer(message, now_ns)

    def poll(self, now_ns: int) -> Iterator[bytes]:
        """What is to be sent because time has passed."""
        rules = self.desk.rules
        quiet_ns = now_ns - self._quiet_since_ns
        if self.user is None:
            self.over = self.over or quiet_ns >= rules.logon_s * NS
        elif self._heartbeat is not None:
            self.over = self.over or quiet_ns >= rules.echo_s * NS
        elif quiet_ns >= rules.heartbeat_s * NS:
            self._heartbeat, self._quiet_since_ns = packet_bytes((), 0, now_ns), now_ns
            yield self._heartbeat

    def hang_up(self) -> None:
        """The connection is gone: the user may come again."""
        self.over = True
        if self.user is not None:
            self.desk.connected.discard(self.user)

    # -- inside ------------------------------------------------------------------------------

    def _next_packet(self) -> bytes | None:
        if len(self._received) < _SIZE_BYTES:
            return None
        size = int.from_bytes(self._received[:_SIZE_BYTES], "little")
        if not 0 < size <= MOST_PACKET_BYTES:
            self.over = True
            return None
        if len(self._received) < size:
            return None
        packet = bytes(self._received[:size])
        del self._received[:size]
        return packet

    def _answer(self, message: Message, now_ns: int) -> Iterator[bytes]:
        if self.over:
            return
        if isinstance(message, Logon) and self.user is None:
            yield self._let_in(message.username, now_ns)
        elif isinstance(message, RetransmissionRequest) and self.user is not None:
            self._quiet_since_ns = now_ns
            yield from self._send_again(self.user, message)
        else:
            # Nothing else may be said, and nothing before the log-on.
            self.over = True

    def _let_in(self, user: str, now_ns: int) -> bytes:
        desk = self.desk
        if user not in desk.users:
            status = INVALID_USER
        elif user in desk.connected:
            status = ALREADY_CONNECTED
        else:
            status = ACTIVE
            self.user, self._quiet_since_ns = user, now_ns
            desk.connected.add(user)
        self.over = status != ACTIVE
        return self._packet(LogonResponse(status, b"   "))

    def _send_again(self, user: str, asked: RetransmissionRequest) -> Iterator[bytes]:
        desk = self.desk
        channel, begin, end = asked.channel_id, asked.begin_sequence, asked.end_sequence
        desk.asked[user] += 1
        status = self._status(user, channel, begin, end)
        desk.requests.append((user, channel, begin, end, status))
        yield self._packet(RetransmissionResponse(channel, status, b" ", begin, end))
        if status == ACCEPTED:
            yield from desk.store.packets(channel, begin, end, desk.event_ns())
        self.over = status == LIMIT_EXCEEDED

    def _status(self, user: str, channel: int, begin: int, end: int) -> int:
        desk = self.desk
        if desk.asked[user] > desk.rules.requests_a_day:
            return LIMIT_EXCEEDED
        if not desk.store.knows(channel):
            return UNKNOWN_CHANNEL
        if end - begin + 1 > desk.rules.most_messages:
            return TOO_LARGE
        return ACCEPTED if desk.store.holds(channel, begin, end) else NOT_AVAILABLE

    def _packet(self, message: Message) -> bytes:
        return packet_bytes((self.desk.codec.encode_message(message),), 0, 0)
