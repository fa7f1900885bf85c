"""What a channel's arbiter tells: data to the left, the health of the channel to the right.

Data events are what a consumer of messages reads, in order; health events are for whoever watches
the feed. The two are different types, so that neither reader meets the other's. Cheap tuples: a
busy second has tens of thousands of the first kind. Times are nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from attrs import frozen

__all__ = [
    "DataEvent",
    "Filling",
    "GapClosed",
    "GapLost",
    "GapOpened",
    "HealthEvent",
    "LineEvent",
    "LineReturned",
    "LineSilent",
    "Losing",
    "MessagesArrived",
    "PacketRefused",
    "ResetCounted",
    "Run",
    "SequenceRestarted",
]


class Run(NamedTuple):
    """Numbers of messages, from ``begin`` to ``end``, both among them."""

    begin: int
    end: int


class MessagesArrived(NamedTuple):
    """The next messages of a channel, each for the first time and in order.

    They are ``message_count`` messages of ``packet``, after its first ``skip``; the first of them
    has number ``sequence``. ``line`` brought them at ``at_ns``. The packet was checked: it decodes.
    """

    channel: int
    sequence: int
    packet: bytes
    skip: int
    message_count: int
    line: str
    at_ns: int


class SequenceRestarted(NamedTuple):
    """The numbers of the channel begin anew at ``sequence``, and all that was known is void.

    The Sequence Reset itself arrives next, as a message of that number. ``previous`` was to be the
    next one: 1 at the start of a day, when nothing was known.
    """

    channel: int
    sequence: int
    at_ns: int
    previous: int


class Filling(StrEnum):
    """What ended a gap."""

    MESSAGES = "messages"  # the last of them came late, by the other line or by retransmission
    REFRESH = "refresh"  # a refresh shows what followed from them
    NOTHING = "nothing"  # what was still missing is given up


class Losing(StrEnum):
    """Why messages are given up."""

    TIME = "time"  # nothing came within the limit
    ROOM = "room"  # too much is held behind it
    REFUSED = "refused"  # whoever was asked for the messages said that they will not come
    RESTART = "restart"  # the numbers began anew


@frozen
class GapOpened:
    """Messages ``begin`` to ``end`` came by no line within the wait. Told once for each gap."""

    channel: int
    begin: int
    end: int
    at_ns: int


@frozen
class GapLost:
    """Messages ``begin`` to ``end``, all of a gap or a part of it, are given up.

    Told before anything behind them is delivered.
    """

    channel: int
    begin: int
    end: int
    at_ns: int
    why: Losing


@frozen
class GapClosed:
    """Nothing of a gap that was told is waited for any more. Told once for each gap.

    ``lost`` are the numbers that were given up; without any, the gap did no harm.
    """

    channel: int
    begin: int
    end: int
    at_ns: int
    by: Filling
    lost: tuple[Run, ...] = ()


@frozen
class ResetCounted:
    """No message with the number of the Sequence Reset followed: it is taken for the reset's own.

    The specification leaves open whether the reset uses up its number. Should it not, then that
    one message is lost.
    """

    channel: int
    sequence: int
    at_ns: int


@frozen
class LineSilent:
    """A line brought nothing since ``since_ns``, not even a heartbeat. ``left`` are still heard."""

    channel: int
    line: str
    since_ns: int
    at_ns: int
    left: tuple[str, ...]


@frozen
class LineReturned:
    """A line that was silent is heard again."""

    channel: int
    line: str
    silent_ns: int
    at_ns: int


@frozen
class PacketRefused:
    """A packet that disobeys the specification; its messages may still come by the other line.

    ``reason`` is the sentence of the `WireError`, with offset, message type and spec version.
    """

    channel: int
    line: str
    at_ns: int
    reason: str
    packet: bytes


DataEvent: TypeAlias = MessagesArrived | SequenceRestarted
HealthEvent: TypeAlias = (
    GapOpened | GapClosed | GapLost | ResetCounted | LineSilent | LineReturned | PacketRefused
)
LineEvent: TypeAlias = DataEvent | HealthEvent
