"""The disaster recovery signal: whether the exchange moves to its other site, or has moved.

It comes on a channel of its own, by both lines, and is repeated until the end of the day, so that
whoever joins late learns it too. A change is told once. What must follow, clearing what is known
and asking the other site for retransmissions, is the flow's.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import UsageError, WireError
from hkex_ops.model import JsonObject
from hkex_ops.omd.codec import Codec
from hkex_ops.omd.events import PacketRefused
from hkex_ops.omd.messages import DisasterRecoverySignal

__all__ = [
    "DISASTER_TRANSITIONS",
    "DisasterEvent",
    "DisasterRecoveryBegan",
    "DisasterRecoveryEnded",
    "DisasterState",
    "DisasterWatch",
    "SignalCompleted",
    "SignalStarted",
    "SignalUnclear",
]


class DisasterState(StrEnum):
    """Where the exchange is."""

    NORMAL = "normal"
    MOVING = "moving"  # nothing that comes is to be relied upon
    MOVED = "moved"  # at the other site; rebuild from refresh


@frozen
class SignalStarted:
    """Signal 105 with DRStatus 1."""


@frozen
class SignalCompleted:
    """Signal 105 with DRStatus 2."""


DisasterInput: TypeAlias = SignalStarted | SignalCompleted

DISASTER_TRANSITIONS: Mapping[tuple[DisasterState, type[DisasterInput]], DisasterState] = (
    MappingProxyType(
        {
            (DisasterState.NORMAL, SignalStarted): DisasterState.MOVING,
            # Whoever joins late never saw it start.
            (DisasterState.NORMAL, SignalCompleted): DisasterState.MOVED,
            (DisasterState.MOVING, SignalStarted): DisasterState.MOVING,
            (DisasterState.MOVING, SignalCompleted): DisasterState.MOVED,
            (DisasterState.MOVED, SignalStarted): DisasterState.MOVING,
            (DisasterState.MOVED, SignalCompleted): DisasterState.MOVED,
        }
    )
)

_SIGNALS: Mapping[int, type[DisasterInput]] = {1: SignalStarted, 2: SignalCompleted}


@frozen
class DisasterRecoveryBegan:
    """The exchange moves: drop what is known. ``sent_ns`` is when it said so."""

    channel: int
    at_ns: int
    sent_ns: int


@frozen
class DisasterRecoveryEnded:
    """The exchange has moved: rebuild from refresh, and ask the other site's addresses."""

    channel: int
    at_ns: int
    sent_ns: int


@frozen
class SignalUnclear:
    """A signal with a status that the specification does not name. Nothing follows from it."""

    channel: int
    at_ns: int
    status: int


DisasterEvent: TypeAlias = (
    DisasterRecoveryBegan | DisasterRecoveryEnded | SignalUnclear | PacketRefused
)


class DisasterWatch:
    """The signal's channel, both lines together."""

    def __init__(self, channel: int, codec: Codec) -> None:
        self._channel = channel
        self._codec = codec
        self._state = DisasterState.NORMAL
        self._sent_ns = 0
        self._unclear = 0

    @property
    def state(self) -> DisasterState:
        """Where the exchange is, as far as it said."""
        return self._state

    def handle(self, packet: bytes, line: str, now_ns: int) -> tuple[DisasterEvent, ...]:
        """A packet of the signal's channel came; nothing comes of what is known already.

        The lines are not in step: what was sent before what is known is old.
        """
        try:
            header, messages = self._codec.decode_packet(packet)
        except WireError as error:
            return (PacketRefused(self._channel, line, now_ns, str(error), packet),)
        if header.send_time_ns < self._sent_ns:
            return ()
        events: list[DisasterEvent] = []
        for message in messages:
            if isinstance(message, DisasterRecoverySignal):
                events += self._signalled(message.status, header.send_time_ns, now_ns)
        return tuple(events)

    def snapshot(self) -> JsonObject:
        """Where the exchange is, as plain data, to be kept and given to :meth:`restore`."""
        return {"state": self._state.value, "sent_ns": self._sent_ns}

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; `UsageError` when it is none."""
        match snapshot:
            case {"state": str(state), "sent_ns": int(sent_ns)} if state in set(DisasterState):
                self._state, self._sent_ns = DisasterState(state), sent_ns
            case _:
                raise UsageError("the snapshot is not of a disaster recovery signal")

    def _signalled(self, status: int, sent_ns: int, now_ns: int) -> tuple[DisasterEvent, ...]:
        self._sent_ns = sent_ns
        given = _SIGNALS.get(status)
        if given is None:
            told, self._unclear = self._unclear, status
            return () if told == status else (SignalUnclear(self._channel, now_ns, status),)
        before, self._state = self._state, DISASTER_TRANSITIONS[self._state, given]
        if self._state is before:
            return ()
        if self._state is DisasterState.MOVING:
            return (DisasterRecoveryBegan(self._channel, now_ns, sent_ns),)
        return (DisasterRecoveryEnded(self._channel, now_ns, sent_ns),)
