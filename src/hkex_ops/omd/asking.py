"""What is told to a retransmission session, what it tells, and the limits of the service.

The vocabulary of :mod:`hkex_ops.omd.retransmission`, apart from it so that whoever reads events
need not read the machine. Refusals are values; `refusal` makes the error of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import (
    AuthRefused,
    Busy,
    Rejected,
    RemoteError,
    TimedOut,
    Unreachable,
    UsageError,
)

__all__ = [
    "Ask",
    "BytesToSend",
    "Connected",
    "Disconnected",
    "Ending",
    "LogonRefused",
    "LogonStatus",
    "MessagesResent",
    "RangeCompleted",
    "RangeRefused",
    "RangeUnfinished",
    "Received",
    "RequestBudget",
    "RetransmissionEvent",
    "RetransmissionInput",
    "RetransmissionLimits",
    "RetransmissionStatus",
    "SessionEnded",
    "SessionOpened",
    "refusal",
]

_SECOND_NS = 1_000_000_000


class LogonStatus(IntEnum):
    """SessionStatus of the answer to a logon (102)."""

    ACTIVE = 0
    INVALID_USER = 5  # or an address that is not registered
    ALREADY_CONNECTED = 100


class RetransmissionStatus(IntEnum):
    """RetransStatus of the answer to a request (202)."""

    ACCEPTED = 0
    UNKNOWN_CHANNEL = 1  # or one that is not subscribed to
    NOT_AVAILABLE = 2
    RANGE_TOO_LARGE = 100
    DAILY_LIMIT = 101


_STATUSES: Mapping[int, str] = {
    RetransmissionStatus.ACCEPTED: "accepted",
    RetransmissionStatus.UNKNOWN_CHANNEL: "the channel is unknown or not subscribed to",
    RetransmissionStatus.NOT_AVAILABLE: "the messages are not available any more",
    RetransmissionStatus.RANGE_TOO_LARGE: "the range is too large",
    RetransmissionStatus.DAILY_LIMIT: "the requests of the day are used up",
}


@frozen
class RetransmissionLimits:
    """Limits of the service, and of our patience with it.

    The server keeps the last ``stored_messages`` of a channel, takes ``range_messages`` in one
    request and ``requests_per_day`` over all channels, and closes a connection without a logon
    after ``logon_ns``. It sends a heartbeat every ``heartbeat_ns`` and closes when that is not
    returned within ``echo_ns``. Ours: ``answer_ns`` without a byte of what was asked for, or three
    heartbeats without any, and the session is given up. At most ``waiting_ranges`` are queued.
    """

    stored_messages: int = 50_000
    range_messages: int = 10_000
    requests_per_day: int = 1_000
    logon_ns: int = 5 * _SECOND_NS
    heartbeat_ns: int = 30 * _SECOND_NS
    echo_ns: int = 5 * _SECOND_NS
    answer_ns: int = 10 * _SECOND_NS
    waiting_ranges: int = 1_000

    @property
    def silent_ns(self) -> int:
        """How long a connection may be without any byte."""
        return 3 * self.heartbeat_ns


class RequestBudget:
    """How many requests may still be made today: shared by all sessions, of all channels.

    Whoever knows the day renews it, and keeps ``used`` over a restart.
    """

    def __init__(self, limit: int = 1_000, used: int = 0) -> None:
        """`UsageError` when more is used than there is, or less than nothing."""
        if not 0 <= used <= limit:
            raise UsageError(f"of {limit} requests a day {used} cannot be used")
        self._limit = limit
        self._used = used

    @property
    def used(self) -> int:
        """How many were made."""
        return self._used

    @property
    def left(self) -> int:
        """How many may still be made."""
        return self._limit - self._used

    def take(self) -> bool:
        """Count one; ``False`` when none is left."""
        if not self.left:
            return False
        self._used += 1
        return True

    def renew(self) -> None:
        """A new day."""
        self._used = 0


@frozen
class Connected:
    """The connection is there."""


@frozen
class Ask:
    """Ask for messages ``begin`` to ``end`` of ``channel``; more than 10,000 in several steps."""

    channel: int
    begin: int
    end: int


@frozen
class Received:
    """Bytes came, split anywhere."""

    data: bytes


@frozen
class Disconnected:
    """The connection is gone."""


RetransmissionInput: TypeAlias = Connected | Ask | Received | Disconnected


@frozen
class BytesToSend:
    """Send these bytes."""

    data: bytes


@frozen
class SessionOpened:
    """The logon was accepted; what was asked for in the meantime is asked now."""

    at_ns: int


@frozen
class LogonRefused:
    """The server does not let us in, and closes. ``status`` is as it came."""

    status: int
    at_ns: int


@frozen
class MessagesResent:
    """A packet with messages that were asked for. It was checked: it decodes."""

    channel: int
    packet: bytes
    at_ns: int


@frozen
class RangeCompleted:
    """All of what one `Ask` named has come."""

    channel: int
    begin: int
    end: int
    at_ns: int


@frozen
class RangeRefused:
    """``begin`` to ``end`` of a range will not come: ``status`` is as it came.

    ``asked`` is false when the budget of the day forbade to ask at all.
    """

    channel: int
    begin: int
    end: int
    status: int
    asked: bool
    at_ns: int


@frozen
class RangeUnfinished:
    """The session ended before ``begin`` to ``end`` of a range had come."""

    channel: int
    begin: int
    end: int
    at_ns: int


class Ending(StrEnum):
    """Why a session ended."""

    DISCONNECTED = "disconnected"
    REFUSED = "refused"  # at logon
    NO_ANSWER = "no answer"
    BAD_BYTES = "bad bytes"  # what came is no packet, or none that may come there


@frozen
class SessionEnded:
    """The session is over: close the connection. ``reason`` is a sentence for a person."""

    why: Ending
    reason: str
    at_ns: int


RetransmissionEvent: TypeAlias = (
    BytesToSend
    | SessionOpened
    | LogonRefused
    | MessagesResent
    | RangeCompleted
    | RangeRefused
    | RangeUnfinished
    | SessionEnded
)


def refusal(event: LogonRefused | RangeRefused | SessionEnded) -> RemoteError:
    """The error that an adapter raises for an event which says no."""
    match event:
        case LogonRefused(status=LogonStatus.ALREADY_CONNECTED):
            return Busy("the retransmission service has another session of this user: end that one")
        case LogonRefused(status=LogonStatus.INVALID_USER):
            return AuthRefused(
                "the retransmission service knows neither this user nor this address: check the "
                "user name, and the address registered with the exchange"
            )
        case LogonRefused():
            return AuthRefused(f"the retransmission service refused the logon: {event.status}")
        case RangeRefused():
            said = _STATUSES.get(event.status, f"status {event.status}, which has no meaning")
            return Rejected(
                f"messages {event.begin} to {event.end} of channel {event.channel} are not sent "
                f"again: {said}"
            )
        case SessionEnded(why=Ending.NO_ANSWER):
            return TimedOut(event.reason)
        case SessionEnded(why=Ending.BAD_BYTES):
            return Rejected(event.reason)
        case SessionEnded():
            return Unreachable(event.reason)
