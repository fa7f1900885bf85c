"""What the gateway is told and what it tells. Values only; the machine is in `gateway`."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from hkex_ops.index.records import SessionRecord
from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import TickComputed
from hkex_ops.model import IndexTick, SiteRole

__all__ = [
    "EngineDied",
    "EngineDisagreed",
    "EngineDistrusted",
    "EngineFinished",
    "EngineLate",
    "EnginePunctual",
    "EngineReturned",
    "EngineStopped",
    "EngineTrusted",
    "FellSilent",
    "GatewayEvent",
    "GatewayInput",
    "GatewayState",
    "GatewayStateChanged",
    "Hold",
    "MomentMissed",
    "Order",
    "ProofAdvanced",
    "ProofFailed",
    "Proved",
    "PublicationResumed",
    "Release",
    "Resume",
    "SnapshotArrived",
    "SnapshotDiffers",
    "Spoke",
    "TicksArrived",
    "TicksPublished",
]


class GatewayState(StrEnum):
    """Whether ticks go out. ``held``: none, until engines speak and are proven right
    (``proving``); ``ordered``: none, until a person says so."""

    PUBLISHING = "publishing"
    HELD = "held"
    PROVING = "proving"
    ORDERED = "ordered"


# -- told by others -------------------------------------------------------------------------------


@frozen
class TicksArrived:
    """An engine's ticks of one moment, all of them."""

    engine: str
    ticks: tuple[TickComputed, ...]


@frozen
class SnapshotArrived:
    """The snapshot computation's values of one moment: the standing check."""

    values: tuple[SnapshotValue, ...]


@frozen
class EngineStopped:
    """The process of an engine has ended; nothing more will come of it."""

    engine: str


@frozen
class EngineFinished:
    """An engine has come to the end of its feed, in order. What it said stands; nobody waits for
    it any more, and it is not missed."""

    engine: str


@frozen
class Hold:
    """Publish nothing until engines are proven right: the contingency path has begun."""

    reason: str


@frozen
class Order:
    """A person orders that nothing is published."""

    by: str
    reason: str


@frozen
class Release:
    """A person takes an order back; engines still have to be proven right."""

    by: str
    reason: str


@frozen
class Resume:
    """A person vouches for the engines: publish without waiting for proof."""

    by: str
    reason: str


# -- told by the machine to itself ----------------------------------------------------------------


@frozen
class FellSilent:
    """All engines have been silent for too long while ticks were due."""

    since: datetime


@frozen
class Spoke:
    """An engine's tick has come while nothing was published."""

    engine: str


@frozen
class Proved:
    """An engine's ticks equalled the snapshot computation often enough in a row."""

    engine: str


GatewayInput: TypeAlias = (
    TicksArrived
    | SnapshotArrived
    | SessionRecord
    | EngineStopped
    | EngineFinished
    | Hold
    | Order
    | Release
    | Resume
)


# -- events ---------------------------------------------------------------------------------------


@frozen
class TicksPublished:
    """The ticks of one moment go out, each (index, time) for the first and only time."""

    at: datetime
    time_ns: int
    ticks: tuple[IndexTick, ...]


@frozen
class GatewayStateChanged:
    """The gateway publishes, holds or proves from now on; ``by`` a person, if it was one."""

    at: datetime
    before: GatewayState
    after: GatewayState
    reason: str
    by: str = ""


@frozen
class PublicationResumed:
    """Ticks go out again, first that of ``time_ns``; ``proven`` in a row were right."""

    at: datetime
    time_ns: int
    engine: str
    proven: int


@frozen
class ProofAdvanced:
    """A held tick equalled the snapshot computation, the ``proven``-th of ``needed`` in a row."""

    at: datetime
    engine: str
    time_ns: int
    proven: int
    needed: int


@frozen
class ProofFailed:
    """A held tick differs from the snapshot computation; the count begins anew."""

    at: datetime
    engine: str
    time_ns: int
    index: str
    value: Decimal
    snapshot: Decimal | None


@frozen
class EngineLate:
    """The engine's tick has not come, ``late_ms`` after the first engine's."""

    at: datetime
    engine: str
    site: SiteRole
    time_ns: int
    late_ms: int


@frozen
class EnginePunctual:
    """An engine that was late keeps time again."""

    at: datetime
    engine: str
    site: SiteRole
    time_ns: int


@frozen
class EngineDied:
    """Nothing has come from the engine for too long, or its process has ended."""

    at: datetime
    engine: str
    site: SiteRole
    reason: str


@frozen
class EngineReturned:
    """The engine speaks again. It wins again once its ticks were right often enough."""

    at: datetime
    engine: str
    site: SiteRole
    time_ns: int


@frozen
class EngineTrusted:
    """The engine's ticks may win; ``proven`` is 0 where no other engine lived to wait for."""

    at: datetime
    engine: str
    proven: int


@frozen
class EngineDistrusted:
    """The engine was alone with a wrong value: its ticks do not count until proven again."""

    at: datetime
    engine: str
    site: SiteRole
    time_ns: int


@frozen
class EngineDisagreed:
    """Two engines have different unmarked values of one index at one moment."""

    at: datetime
    engine: str
    index: str
    time_ns: int
    value: Decimal
    other_engine: str
    other_value: Decimal


@frozen
class SnapshotDiffers:
    """The standing check has another value than an engine's unmarked tick."""

    at: datetime
    engine: str
    index: str
    time_ns: int
    value: Decimal
    snapshot: Decimal | None
    published: bool


@frozen
class MomentMissed:
    """No engine that lives will bring the ticks of a moment any more."""

    at: datetime
    time_ns: int


GatewayEvent: TypeAlias = (
    TicksPublished
    | GatewayStateChanged
    | PublicationResumed
    | ProofAdvanced
    | ProofFailed
    | EngineLate
    | EnginePunctual
    | EngineDied
    | EngineReturned
    | EngineTrusted
    | EngineDistrusted
    | EngineDisagreed
    | SnapshotDiffers
    | MomentMissed
)
