"""What to do about a gap: ask for the messages again, wait for a refresh, or go on without.

The rungs of a ladder, as a table. It knows the limits of the services and asks nobody: the flow
does what is wanted and tells what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.model import JsonObject
from hkex_ops.omd.asking import RetransmissionLimits
from hkex_ops.omd.events import GapClosed, GapOpened, SequenceRestarted

__all__ = [
    "RECOVERY_TRANSITIONS",
    "Failed",
    "InReach",
    "Needed",
    "OutOfReach",
    "Recovery",
    "RecoveryEvent",
    "RecoveryImpossible",
    "RecoveryState",
    "RefreshWanted",
    "RetransmissionWanted",
    "Whole",
]


class RecoveryState(StrEnum):
    """By which way a channel is being made whole."""

    WHOLE = "whole"
    RETRANSMITTING = "retransmitting"
    REFRESHING = "refreshing"


@frozen
class InReach:
    """Messages are missing that the retransmission service still keeps."""


@frozen
class OutOfReach:
    """Messages are missing that only a refresh makes up for, or all that was known is void."""


@frozen
class Failed:
    """What was wanted last did not come: refused, unreachable, never complete."""


@frozen
class Whole:
    """No gap is open any more."""


RECOVERY_TRANSITIONS: Mapping[
    tuple[RecoveryState, type[InReach | OutOfReach | Failed | Whole]], RecoveryState
] = MappingProxyType(
    {
        (RecoveryState.WHOLE, InReach): RecoveryState.RETRANSMITTING,
        (RecoveryState.WHOLE, OutOfReach): RecoveryState.REFRESHING,
        (RecoveryState.WHOLE, Failed): RecoveryState.WHOLE,
        (RecoveryState.WHOLE, Whole): RecoveryState.WHOLE,
        (RecoveryState.RETRANSMITTING, InReach): RecoveryState.RETRANSMITTING,
        (RecoveryState.RETRANSMITTING, OutOfReach): RecoveryState.REFRESHING,
        (RecoveryState.RETRANSMITTING, Failed): RecoveryState.REFRESHING,
        (RecoveryState.RETRANSMITTING, Whole): RecoveryState.WHOLE,
        # A refresh covers whatever else is missing by then.
        (RecoveryState.REFRESHING, InReach): RecoveryState.REFRESHING,
        (RecoveryState.REFRESHING, OutOfReach): RecoveryState.REFRESHING,
        (RecoveryState.REFRESHING, Failed): RecoveryState.WHOLE,
        (RecoveryState.REFRESHING, Whole): RecoveryState.WHOLE,
    }
)


@frozen
class Needed:
    """A gap was told. ``newest`` is the highest number the channel is known to have reached,
    ``requests_left`` what may still be asked today."""

    gap: GapOpened
    newest: int
    requests_left: int


@frozen
class RetransmissionWanted:
    """Ask for ``begin`` to ``end`` again."""

    channel: int
    begin: int
    end: int
    at_ns: int


@frozen
class RefreshWanted:
    """Take a refresh that holds good as of ``needed`` or later."""

    channel: int
    needed: int
    at_ns: int


@frozen
class RecoveryImpossible:
    """No way is left for ``begin`` to ``end``: abandon them."""

    channel: int
    begin: int
    end: int
    at_ns: int


RecoveryInput: TypeAlias = Needed | GapClosed | SequenceRestarted | Failed
RecoveryEvent: TypeAlias = RetransmissionWanted | RefreshWanted | RecoveryImpossible


class Recovery:
    """The recovery of one channel. Of gaps it knows those that were told and are open."""

    def __init__(
        self,
        channel: int,
        *,
        can_retransmit: bool,
        can_refresh: bool,
        limits: RetransmissionLimits | None = None,
    ) -> None:
        self._channel = channel
        self._can_retransmit = can_retransmit
        self._can_refresh = can_refresh
        self._limits = limits or RetransmissionLimits()
        self._state = RecoveryState.WHOLE
        self._open: dict[tuple[int, int], None] = {}

    @property
    def state(self) -> RecoveryState:
        """By which way the channel is being made whole."""
        return self._state

    def handle(self, given: RecoveryInput, now_ns: int) -> tuple[RecoveryEvent, ...]:
        """A gap was told or is over, numbers began anew, or what was wanted did not come."""
        match given:
            case Needed(gap, newest, requests_left):
                self._open[gap.begin, gap.end] = None
                if self._in_reach(gap, newest, requests_left):
                    return self._go(InReach, gap.begin, gap.end, now_ns)
                return self._go(OutOfReach, gap.begin, gap.end, now_ns)
            case GapClosed():
                self._open.pop((given.begin, given.end), None)
                if not self._open:
                    self._state = RECOVERY_TRANSITIONS[self._state, Whole]
                return ()
            case SequenceRestarted():
                self._open.clear()
                self._state = RECOVERY_TRANSITIONS[self._state, Whole]
                if given.previous <= 1:
                    return ()
                return self._go(OutOfReach, given.sequence, given.sequence - 1, now_ns)
            case Failed():
                if not self._open and self._state is not RecoveryState.REFRESHING:
                    return ()
                begin = min((begin for begin, _ in self._open), default=1)
                end = max((end for _, end in self._open), default=0)
                return self._go(Failed, begin, end, now_ns)

    def snapshot(self) -> JsonObject:
        """Where recovery stands, as plain data, to be kept and given to :meth:`restore`."""
        return {"state": self._state.value, "open": [list(gap) for gap in self._open]}

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; `UsageError` when it is none.

        What was wanted then is not wanted again: the arbiter tells its gaps anew.
        """
        match snapshot:
            case {"state": str(state), "open": [*gaps]} if state in set(RecoveryState):
                self._state = RecoveryState(state)
                self._open = dict.fromkeys(map(_gap, gaps))
            case _:
                raise UsageError("the snapshot is not of a recovery")

    def _in_reach(self, gap: GapOpened, newest: int, requests_left: int) -> bool:
        requests = -(-(gap.end - gap.begin + 1) // self._limits.range_messages)
        kept = newest - gap.begin < self._limits.stored_messages
        return self._can_retransmit and kept and requests <= requests_left

    def _go(
        self, told: type[InReach | OutOfReach | Failed], begin: int, end: int, now_ns: int
    ) -> tuple[RecoveryEvent, ...]:
        self._state = RECOVERY_TRANSITIONS[self._state, told]
        if self._state is RecoveryState.RETRANSMITTING:
            return (RetransmissionWanted(self._channel, begin, end, now_ns),)
        if self._state is RecoveryState.REFRESHING and self._can_refresh:
            return (RefreshWanted(self._channel, end, now_ns),)
        self._state = RecoveryState.WHOLE
        if begin > end:
            return ()
        self._open.clear()
        return (RecoveryImpossible(self._channel, begin, end, now_ns),)


def _gap(saved: object) -> tuple[int, int]:
    match saved:
        case [int(begin), int(end)]:
            return begin, end
        case _:
            raise UsageError("the snapshot is not of a recovery")
