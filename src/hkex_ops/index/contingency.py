"""The contingency path decides: when it publishes, for which moment, and until when.

A table-driven machine. All engines silent for two intervals, or a person's order, and snapshot
values go out at once and then every 15 seconds, until the gateway publishes again. It hears the
engines for itself, so that a dead gateway is no reason to be silent. Knows no price: `SnapshotDue`
asks the flow for the values of a moment. Two systems may run, the second waiting for the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias, cast

from attrs import frozen

from hkex_ops.errors import UsageError
from hkex_ops.index.day import DAY_CLOSE
from hkex_ops.index.records import SessionRecord
from hkex_ops.index.rules import NS_PER_S, ContingencyRules, IndexRules
from hkex_ops.index.ticks import time_ns_of
from hkex_ops.model import JsonObject, SiteRole

__all__ = [
    "CONTINGENCY_TRANSITIONS",
    "Contingency",
    "ContingencyEvent",
    "ContingencyInput",
    "ContingencyMode",
    "ContingencyOrdered",
    "ContingencyReleased",
    "EngineHeard",
    "EnginesFellSilent",
    "ModeChanged",
    "PeerPublished",
    "PublicationHeld",
    "RealTimeResumed",
    "SnapshotDue",
]


class ContingencyMode(StrEnum):
    """Where the path stands. ``ordered`` ends only when a person releases it."""

    STANDBY = "standby"
    ACTIVE = "active"
    ORDERED = "ordered"


@frozen
class EngineHeard:
    """A tick of an engine was seen; that alone shows that it is not silent."""

    engine: str
    time_ns: int


@frozen
class PublicationHeld:
    """The gateway lets nothing out, for whatever reason: somebody has to publish."""

    reason: str


@frozen
class RealTimeResumed:
    """The gateway publishes ticks again, from the moment ``time_ns`` on; they were proven right."""

    time_ns: int


@frozen
class ContingencyOrdered:
    """A person orders contingency values, whatever the engines do."""

    by: str
    reason: str


@frozen
class ContingencyReleased:
    """A person takes the order back; values go out until real-time publication resumes."""

    by: str
    reason: str


@frozen
class PeerPublished:
    """The other contingency system has published the values of a moment."""

    name: str
    time_ns: int


@frozen
class EnginesFellSilent:
    """No engine was heard for the stated number of intervals while ticks were due."""

    since: datetime


ContingencyInput: TypeAlias = (
    SessionRecord
    | EngineHeard
    | PublicationHeld
    | RealTimeResumed
    | ContingencyOrdered
    | ContingencyReleased
    | PeerPublished
)


@frozen
class ModeChanged:
    """The path is in another mode: a fact for everybody who uses the index."""

    at: datetime
    name: str
    site: SiteRole
    before: ContingencyMode
    after: ContingencyMode
    reason: str
    by: str = ""


@frozen
class SnapshotDue:
    """The snapshot values of the moment ``time_ns`` are to be published now.

    ``closing``: with closing prices where there are any, as the day's last value.
    """

    at: datetime
    name: str
    site: SiteRole
    time_ns: int
    closing: bool = False


ContingencyEvent: TypeAlias = ModeChanged | SnapshotDue

_Told: TypeAlias = (
    EnginesFellSilent | PublicationHeld | RealTimeResumed | ContingencyOrdered | ContingencyReleased
)

CONTINGENCY_TRANSITIONS: Mapping[tuple[ContingencyMode, type[_Told]], ContingencyMode] = (
    MappingProxyType(
        {
            (ContingencyMode.STANDBY, EnginesFellSilent): ContingencyMode.ACTIVE,
            (ContingencyMode.STANDBY, PublicationHeld): ContingencyMode.ACTIVE,
            (ContingencyMode.STANDBY, ContingencyOrdered): ContingencyMode.ORDERED,
            (ContingencyMode.ACTIVE, RealTimeResumed): ContingencyMode.STANDBY,
            (ContingencyMode.ACTIVE, ContingencyOrdered): ContingencyMode.ORDERED,
            (ContingencyMode.ORDERED, ContingencyReleased): ContingencyMode.ACTIVE,
        }
    )
)


class Contingency:
    """One contingency system. ``second`` makes it wait for the first one's values.

    ``due`` says whether ticks are due from the start; otherwise records of trading sessions tell.
    """

    def __init__(
        self,
        name: str,
        site: SiteRole,
        rules: ContingencyRules | None = None,
        index_rules: IndexRules | None = None,
        *,
        second: bool = False,
        due: bool = False,
    ) -> None:
        self.name = name
        self.site = site
        self.mode: ContingencyMode = ContingencyMode.STANDBY
        self._rules = rules or ContingencyRules()
        self._index_rules = index_rules or IndexRules()
        self._waits = timedelta(seconds=self._rules.waits_s if second else 0)
        self._due = due
        self._heard: datetime | None = None
        self._next_ns = 0
        self._covered_ns = 0
        self._preliminary = False
        self._closing_ns = 0

    def handle(self, given: ContingencyInput, now: datetime) -> tuple[ContingencyEvent, ...]:
        """Take one input. `UsageError` for an order that names nobody or cannot be given now."""
        match given:
            case SessionRecord():
                self._session(given, now)
            case EngineHeard():
                self._heard = now
            case PeerPublished(_, time_ns):
                # A feed whose clock is ahead of ours, such as a simulated day's, must not cover
                # the moments to come until ours is there.
                self._covered_ns = max(self._covered_ns, min(time_ns, time_ns_of(now)))
            case PublicationHeld(reason):
                if (self.mode, PublicationHeld) in CONTINGENCY_TRANSITIONS:
                    return (*self._tell(given, reason, "", now), *self._values(now))
            case RealTimeResumed(time_ns):
                if (self.mode, RealTimeResumed) in CONTINGENCY_TRANSITIONS:
                    self._heard = now
                    return self._tell(given, f"real-time values again from {time_ns}", "", now)
            case ContingencyOrdered(by, reason) | ContingencyReleased(by, reason):
                if not by or not reason:
                    raise UsageError("a person orders contingency values, for a reason")
                return (*self._tell(given, reason, by, now), *self._values(now))
        return self.poll(now)

    def poll(self, now: datetime) -> tuple[ContingencyEvent, ...]:
        """Whether the engines have fallen silent by ``now``, and whether a value is due."""
        events: tuple[ContingencyEvent, ...] = ()
        if self._due and self.mode is ContingencyMode.STANDBY:
            since = self._heard = self._heard or now
            intervals = self._rules.silent_intervals
            if now - since >= timedelta(seconds=intervals * self._index_rules.interval_s):
                reason = f"all engines silent for {intervals} intervals, since {since.isoformat()}"
                events = self._tell(EnginesFellSilent(since), reason, "", now)
        return (*events, *self._values(now))

    def snapshot(self) -> JsonObject:
        """What must survive a restart, as plain data."""
        return {
            "mode": self.mode.value,
            "due": self._due,
            "next_ns": self._next_ns,
            "covered_ns": self._covered_ns,
            "preliminary": self._preliminary,
            "closing_ns": self._closing_ns,
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; the silence of engines is counted anew."""
        self.mode = ContingencyMode(cast("str", snapshot["mode"]))
        self._due = bool(snapshot["due"])
        self._next_ns = cast("int", snapshot["next_ns"])
        self._covered_ns = cast("int", snapshot["covered_ns"])
        self._preliminary = bool(snapshot["preliminary"])
        self._closing_ns = cast("int", snapshot["closing_ns"])

    def _session(self, record: SessionRecord, now: datetime) -> None:
        if record.market.strip() != self._index_rules.session_market:
            return
        due = record.session in self._index_rules.realtime_sessions
        if due and not self._due:
            self._heard = now
        self._due = due
        self._preliminary |= record.session in self._index_rules.preliminary_sessions
        closing = record.session in self._index_rules.closing_sessions
        if closing and (self._preliminary or record.session == DAY_CLOSE):
            delay = timedelta(seconds=self._index_rules.closing_delay_s)
            self._closing_ns = self._closing_ns or self._tick_after(time_ns_of(now + delay))

    def _tell(
        self, told: _Told, reason: str, by: str, now: datetime
    ) -> tuple[ContingencyEvent, ...]:
        after = CONTINGENCY_TRANSITIONS.get((self.mode, type(told)))
        if after is None:
            act = "ordered" if isinstance(told, ContingencyOrdered) else "released"
            raise UsageError(f"contingency cannot be {act}: it is {self.mode}")
        before, self.mode = self.mode, after
        if before is ContingencyMode.STANDBY:
            tick_ns = self._index_rules.interval_ns
            self._next_ns = self._settled(now) // tick_ns * tick_ns
        return (ModeChanged(now, self.name, self.site, before, after, reason, by),)

    def _values(self, now: datetime) -> Iterator[ContingencyEvent]:
        """The newest moment that is due and settled; those between are not made up afterwards.

        The first value stands for the last tick that can be known; the next for whole multiples
        of the contingency interval.
        """
        if self.mode is ContingencyMode.STANDBY:
            return
        settled = self._settled(now - self._waits)
        if 0 < self._closing_ns <= settled:
            time_ns, self._closing_ns = self._closing_ns, -1
            if time_ns > self._covered_ns:
                self._covered_ns = time_ns
                yield SnapshotDue(now, self.name, self.site, time_ns, closing=True)
        if settled < self._next_ns or not (self._due or self.mode is ContingencyMode.ORDERED):
            return
        interval = self._rules.interval_s * NS_PER_S
        time_ns = max(self._next_ns, settled // interval * interval)
        self._next_ns = time_ns // interval * interval + interval
        if time_ns > self._covered_ns:
            self._covered_ns = time_ns
            yield SnapshotDue(now, self.name, self.site, time_ns)

    def _settled(self, now: datetime) -> int:
        """Up to when every channel has told everything, unless it is missing."""
        return time_ns_of(now - timedelta(milliseconds=self._index_rules.settle_ms))

    def _tick_after(self, time_ns: int) -> int:
        step = self._index_rules.interval_ns
        return time_ns // step * step + step
