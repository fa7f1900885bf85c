"""The buffer of events cut into events. Pure, and bounded at every step whatever the bytes are.

There are two forms (fact sheet, section 4). Without a list of subscriptions an event is headed by
its length; with one, by a handle and its length, except for events that the gateway forces, which
have no handle even then. A length of nought ends the buffer, and up to three NULs may follow.
"""

from __future__ import annotations

from attrs import frozen

from hkex_ops_oapi.codec import ByteOrder

__all__ = ["Framed", "FramedEvent", "frame_events"]

_LENGTH_BYTES = 2
_HANDLE_BYTES = 4
_TYPE_BYTES = 4
_TRAILING_MOST = 3

# The only handle that anybody has seen; as a length it would be longer than any buffer.
_NO_HANDLE = b"\xff\xff\xff\xff"


@frozen
class FramedEvent:
    """One event as bytes, with its handle where it had one."""

    data: bytes
    handle: int | None = None


@frozen
class Framed:
    """What a buffer held. ``fault`` says what was wrong with the rest of it, from ``fault_offset``.

    Events in a rest that cannot be read are lost, and whoever reads this must take them for lost.
    """

    events: tuple[FramedEvent, ...]
    fault: str = ""
    fault_offset: int = 0


def frame_events(data: bytes, order: ByteOrder, *, listed: bool = False) -> Framed:
    """The events of one buffer. ``listed``: subscriptions were made with a list."""
    events: list[FramedEvent] = []
    at = 0
    while at < len(data):
        rest = len(data) - at
        if rest <= _TRAILING_MOST and not any(data[at:]):
            break
        handle = _handle(data, at, order, listed=listed)
        start = at if handle is None else at + _HANDLE_BYTES
        length = _length(data, start, order)
        if length == 0 and handle is None:
            break
        if length is None or start + _LENGTH_BYTES + length > len(data):
            said = "no length" if length is None else f"a length of {length}"
            return Framed(tuple(events), f"{said} and {rest} bytes are left", at)
        if length < _TYPE_BYTES:
            return Framed(tuple(events), f"a length of {length}, too short for an event", at)
        begin = start + _LENGTH_BYTES
        events.append(FramedEvent(data[begin : begin + length], handle))
        at = begin + length
    return Framed(tuple(events))


def _length(data: bytes, at: int, order: ByteOrder) -> int | None:
    if at + _LENGTH_BYTES > len(data):
        return None
    return int.from_bytes(data[at : at + _LENGTH_BYTES], order)


def _handle(data: bytes, at: int, order: ByteOrder, *, listed: bool) -> int | None:
    """The handle at ``at``, or ``None`` where the event begins with its length."""
    handle = data[at : at + _HANDLE_BYTES]
    if handle == _NO_HANDLE:
        return int.from_bytes(handle, order)
    if not listed or _is_event(data, at, order):
        return None
    if _is_event(data, at + _HANDLE_BYTES, order):
        return int.from_bytes(handle, order)
    return None


def _is_event(data: bytes, at: int, order: ByteOrder) -> bool:
    """Whether a length that fits stands at ``at``, and after it the letters of a type."""
    length = _length(data, at, order)
    if length is None or length < _TYPE_BYTES or at + _LENGTH_BYTES + length > len(data):
        return False
    letters = data[at + _LENGTH_BYTES : at + _LENGTH_BYTES + 2]
    return all(0x41 <= byte <= 0x5A for byte in letters)
