"""What a gateway keeps for one session until it is read: events, their framing, their loss.

Both framings of the interface are here: a length before each event, or a handle and a length where
events were subscribed to by a list. Forced events never have a handle, which is why nobody can read
the second framing with certainty.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable

from attrs import define, field, frozen

from hkex_ops_simulator.oapi.faults import Faults
from hkex_ops_simulator.oapi.records import Order

__all__ = [
    "ALL_COLLECTED",
    "DEDICATED",
    "GENERAL",
    "NETWORK",
    "Event",
    "EventQueue",
    "network_event",
]

# Kinds of information that events are subscribed to by.
GENERAL, DEDICATED, NETWORK = 1, 4, 1001

_OK, OVERFLOW, ALL_COLLECTED, TRUNCATED, NOT_FOUND = 0, 3, 4, -13, -26

# Host order, as every length outside a message.
_LENGTH = struct.Struct("=H")
_HANDLE = struct.Struct("=I")
_NO_HANDLE = 0xFFFFFFFF
_TRAILING_MOST = 3


@frozen
class Event:
    """One event: its kind of information, and how it is written in an order of bytes."""

    kind: int
    encode: Callable[[Order], bytes]
    forced: bool = False


def network_event(number: int, status: int, text: str, reason: int = 0) -> Event:
    """An event of the network itself: BN1 (data or a link lost) or BN4 (a path, a log-out)."""

    def encode(order: Order) -> bytes:
        said = text.encode("ascii")
        head = struct.pack(f"{order}2sHiH", b"BN", number, status, len(said))
        return head + (struct.pack(f"{order}2xi", reason) if number == 4 else b"") + said

    return Event(NETWORK, encode, forced=True)


@define
class EventQueue:
    """The events of one session. ``order`` is its library's."""

    order: Order
    faults: Faults
    subscribed: set[int] = field(factory=set[int])
    by_list: bool = False
    _waiting: deque[tuple[bytes, bool]] = field(factory=deque[tuple[bytes, bool]])
    _lost: bool = False
    _reads: int = 0

    @property
    def waits(self) -> bool:
        """Whether anything waits to be read."""
        return bool(self._waiting)

    def put(self, event: Event) -> None:
        """Keep an event that this session is to be told; the oldest goes where there is no room."""
        if event.forced or event.kind in self.subscribed:
            self._keep(event.encode(self.order), forced=event.forced)

    def put_raw(self, data: bytes) -> None:
        """Keep bytes that are no event at all."""
        self._keep(data, forced=True)

    def lose(self) -> None:
        """Some events were lost, nobody knows which: the next answer says so."""
        self._lost = True

    def read(self, room: int, *, many: bool) -> tuple[int, bytes]:
        """The status and the bytes of one read into a buffer of ``room`` bytes."""
        if not self._waiting:
            lost, self._lost = self._lost, False
            return (OVERFLOW, bytes(4)) if lost else (NOT_FOUND, b"")
        data = b""
        while self._waiting and (many or not data):
            framed = self._framed(*self._waiting[0])
            if len(data) + len(framed) + _LENGTH.size > room:
                break
            data += framed
            self._waiting.popleft()
        if not data:
            return TRUNCATED, b""
        self._reads += 1
        data += bytes(min(_LENGTH.size + self._reads % (_TRAILING_MOST + 1), room - len(data)))
        lost, self._lost = self._lost, False
        if lost:
            return OVERFLOW, data
        return (_OK if self._waiting else ALL_COLLECTED), data

    def _keep(self, data: bytes, *, forced: bool) -> None:
        self._waiting.append((data, forced))
        while len(self._waiting) > self.faults.event_room:
            self._waiting.popleft()
            self._lost = True

    def _framed(self, data: bytes, forced: bool) -> bytes:
        handled = (self.by_list or self.faults.handles) and not forced
        handle = _HANDLE.pack(_NO_HANDLE) if handled else b""
        return handle + _LENGTH.pack(len(data)) + data
