"""Recovery from a refresh channel: one full cycle of it, without a hole, that is new enough.

A refresh channel shows the state of its channel over and over; Refresh Complete (203) ends a cycle
and says as of which real-time message it holds good. Whoever joins waits for one such end, takes
the whole next cycle, and goes on behind that message; meanwhile the arbiter holds what is behind
its gap. What is lost of a cycle cannot be asked for: the next one is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, cast

from attrs import frozen

from hkex_ops.errors import WireError
from hkex_ops.omd.codec import Codec
from hkex_ops.omd.events import PacketRefused
from hkex_ops.omd.messages import RefreshComplete
from hkex_ops.omd.packet import packet_header, walk

__all__ = [
    "REFRESH_TRANSITIONS",
    "Broken",
    "CycleBroken",
    "CycleTooOld",
    "Ended",
    "Exhausted",
    "Filled",
    "RefreshEvent",
    "RefreshGivenUp",
    "RefreshLimits",
    "RefreshPart",
    "RefreshRecovery",
    "RefreshState",
    "RefreshTaken",
]

_SECOND_NS = 1_000_000_000


@frozen
class RefreshLimits:
    """Named limits of a recovery.

    Packets that overtake a missing one are kept, ``ahead_packets`` of them at most; beyond that
    the cycle is broken. A cycle has at most ``cycle_bytes``. Without a full one within
    ``patience_ns`` the recovery is given up; how long a cycle is, the specification does not say.
    """

    ahead_packets: int = 256
    cycle_bytes: int = 128 * 1024 * 1024
    patience_ns: int = 1_800 * _SECOND_NS


class RefreshState(StrEnum):
    """How far a recovery is."""

    WAITING = "waiting"  # for the end of a cycle, whose beginning was not seen
    COLLECTING = "collecting"
    TAKEN = "taken"
    GIVEN_UP = "given up"


@frozen
class Ended:
    """A cycle ended that is not to be taken: joined midway, or too old."""


@frozen
class Filled:
    """A full cycle ended that is new enough."""


@frozen
class Broken:
    """Something of the cycle is lost, or it is too large."""


@frozen
class Exhausted:
    """Patience is at its end."""


Happening: TypeAlias = Ended | Filled | Broken | Exhausted

REFRESH_TRANSITIONS: Mapping[tuple[RefreshState, type[Happening]], RefreshState] = MappingProxyType(
    {
        (RefreshState.WAITING, Ended): RefreshState.COLLECTING,
        (RefreshState.WAITING, Exhausted): RefreshState.GIVEN_UP,
        (RefreshState.COLLECTING, Ended): RefreshState.COLLECTING,
        (RefreshState.COLLECTING, Filled): RefreshState.TAKEN,
        (RefreshState.COLLECTING, Broken): RefreshState.WAITING,
        (RefreshState.COLLECTING, Exhausted): RefreshState.GIVEN_UP,
    }
)


class RefreshPart(NamedTuple):
    """Messages of the refresh: ``message_count`` of ``packet``, behind its first ``skip``."""

    packet: bytes
    skip: int
    message_count: int


@frozen
class RefreshTaken:
    """A full cycle: the state as of real-time message ``last_sequence``, which the arbiter resumes
    behind."""

    channel: int
    last_sequence: int
    parts: tuple[RefreshPart, ...]
    at_ns: int


@frozen
class CycleBroken:
    """The cycle is of no use, and the next one is waited for. ``reason`` is a sentence."""

    channel: int
    reason: str
    at_ns: int


@frozen
class CycleTooOld:
    """A full cycle ended at ``last_sequence``, before what is needed; the next one is taken."""

    channel: int
    last_sequence: int
    needed: int
    at_ns: int


@frozen
class RefreshGivenUp:
    """No full cycle came within the limit."""

    channel: int
    at_ns: int


RefreshEvent: TypeAlias = RefreshTaken | CycleBroken | CycleTooOld | RefreshGivenUp | PacketRefused


class RefreshRecovery:
    """One recovery of one channel from its refresh channel, both lines of it together."""

    def __init__(
        self, channel: int, codec: Codec, *, needed: int = 0, limits: RefreshLimits | None = None
    ) -> None:
        """``needed`` is the real-time message that a cycle must hold good as of, or later."""
        self._channel = channel
        self._codec = codec
        self._needed = needed
        self._limits = limits or RefreshLimits()
        self._state = RefreshState.WAITING
        self._began_ns: int | None = None
        self._next = 0
        self._ended_by = b""
        self._ended_ns = 0
        self._parts: list[RefreshPart] = []
        self._bytes = 0
        self._ahead: dict[int, bytes] = {}

    @property
    def state(self) -> RefreshState:
        """How far the recovery is."""
        return self._state

    def need(self, sequence: int) -> None:
        """Another gap was told meanwhile: the cycle must hold good as of ``sequence`` too."""
        self._needed = max(self._needed, sequence)

    def handle(self, packet: bytes, line: str, now_ns: int) -> tuple[RefreshEvent, ...]:
        """A packet of the refresh channel came, by ``line``."""
        if self._began_ns is None:
            self._began_ns = now_ns
        if self._state in (RefreshState.TAKEN, RefreshState.GIVEN_UP):
            return ()
        try:
            self._codec.check(packet)
        except WireError as error:
            return (PacketRefused(self._channel, line, now_ns, str(error), packet),)
        if self._state is RefreshState.WAITING:
            return self._look(packet, now_ns)
        return self._collect(packet, now_ns)

    def poll(self, now_ns: int) -> tuple[RefreshEvent, ...]:
        """Recovery is given up when no full cycle has come within the limit."""
        if self._began_ns is None:
            self._began_ns = now_ns
        over = self._state in (RefreshState.TAKEN, RefreshState.GIVEN_UP)
        if over or now_ns - self._began_ns < self._limits.patience_ns:
            return ()
        self._told(Exhausted)
        self._begin(0, b"")
        return (RefreshGivenUp(self._channel, now_ns),)

    def _look(self, packet: bytes, now_ns: int) -> tuple[RefreshEvent, ...]:
        """Wait for the end of a cycle: what follows it is the beginning of one."""
        for one in walk(packet, spec=self._codec.spec):
            if one.type == RefreshComplete.TYPE:
                self._told(Ended)
                self._begin(one.sequence + 1, packet)
                return self._collect(packet, now_ns)
        return ()

    def _collect(self, packet: bytes, now_ns: int) -> tuple[RefreshEvent, ...]:
        _, count, _, sequence, sent_ns = packet_header.unpack_from(packet)
        if sent_ns < self._ended_ns:
            return ()  # of the cycle before, by the line that lags
        if not count:
            if sequence < self._next:
                return ()
            return self._break(f"message {self._next} is missing, a heartbeat says", now_ns)
        if sequence == 1 and not self._parts and packet != self._ended_by:
            # Whether each cycle counts from 1 the specification does not say.
            self._next = min(self._next, 1)
        self._ahead.setdefault(sequence, packet)
        while self._ahead and (first := min(self._ahead)) <= self._next:
            events = self._take(self._ahead.pop(first), now_ns)
            if events:
                return events
        if len(self._ahead) > self._limits.ahead_packets:
            return self._break(f"message {self._next} is missing", now_ns)
        return ()

    def _take(self, packet: bytes, now_ns: int) -> tuple[RefreshEvent, ...]:
        """The next messages of the cycle, and perhaps its end."""
        _, count, _, sequence, _ = packet_header.unpack_from(packet)
        skip = self._next - sequence
        if skip >= count:
            return ()
        self._next = sequence + count
        self._bytes += len(packet)
        if self._bytes > self._limits.cycle_bytes:
            return self._break(f"it is larger than {self._limits.cycle_bytes} bytes", now_ns)
        events: list[RefreshEvent] = []
        for index, one in enumerate(walk(packet, spec=self._codec.spec)):
            if index < skip or one.type != RefreshComplete.TYPE:
                continue
            self._parts.append(RefreshPart(packet, skip, index - skip))
            end = cast("RefreshComplete", self._codec.decode_message(packet, one.offset))
            if end.last_sequence >= self._needed:
                self._told(Filled)
                parts = tuple(part for part in self._parts if part.message_count)
                return (*events, RefreshTaken(self._channel, end.last_sequence, parts, now_ns))
            self._told(Ended)
            events.append(CycleTooOld(self._channel, end.last_sequence, self._needed, now_ns))
            ahead = self._ahead
            self._begin(sequence + count, packet)
            self._ahead = ahead
            skip = index + 1
        self._parts.append(RefreshPart(packet, skip, count - skip))
        return tuple(events)

    def _break(self, reason: str, now_ns: int) -> tuple[RefreshEvent, ...]:
        self._told(Broken)
        self._begin(0, b"")
        return (CycleBroken(self._channel, reason, now_ns),)

    def _begin(self, sequence: int, packet: bytes) -> None:
        """Forget what was collected; a cycle begins with message ``sequence``, after ``packet``."""
        self._next = sequence
        self._ended_by = packet
        self._ended_ns = packet_header.unpack_from(packet)[-1] if packet else 0
        self._parts, self._ahead, self._bytes = [], {}, 0

    def _told(self, happening: type[Happening]) -> None:
        self._state = REFRESH_TRANSITIONS[self._state, happening]
