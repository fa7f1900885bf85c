"""What is published: gateway and contingency systems joined, without a process or a publisher.

Ticks of engines, values of the snapshot computation and trading sessions go in; out come the ticks
of one moment to publish, each once, and events. Gateway and contingency path hear the engines each
for itself; what one decides and the other must know passes here. Pure but for its place: the
supervisor of a run turns it by the clock, a rehearsal by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias, cast

from attrs import define, field, frozen

from hkex_ops.index.contingency import (
    Contingency,
    ContingencyEvent,
    ContingencyInput,
    ContingencyMode,
    ContingencyOrdered,
    ContingencyReleased,
    EngineHeard,
    ModeChanged,
    PeerPublished,
    RealTimeResumed,
    SnapshotDue,
)
from hkex_ops.index.gateway import Gateway
from hkex_ops.index.gateway_events import (
    EngineFinished,
    EngineStopped,
    GatewayEvent,
    GatewayInput,
    GatewayState,
    Hold,
    Order,
    PublicationResumed,
    Release,
    Resume,
    SnapshotArrived,
    TicksArrived,
    TicksPublished,
)
from hkex_ops.index.records import SessionRecord
from hkex_ops.index.rules import ContingencyRules, GatewayRules, IndexRules
from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import TickComputed, moment_of
from hkex_ops.model import IndexTick, JsonObject, SiteRole, TickKind

__all__ = ["OVERDUE", "SNAPSHOTS_KEPT", "Decided", "Deciding", "DecidingEvent"]

SNAPSHOTS_KEPT = 64
"""Moments whose snapshot values are kept of each contingency system: two minutes of them."""

OVERDUE = timedelta(seconds=5)
"""How long the values of a moment that is due are waited for, before the newest stand in."""

DecidingEvent: TypeAlias = GatewayEvent | ContingencyEvent


@define
class Decided:
    """What was decided: ``ticks`` to publish, those of one moment together and in order, and
    ``events`` to tell."""

    ticks: list[Sequence[IndexTick]] = field(factory=list[Sequence[IndexTick]])
    events: list[DecidingEvent] = field(factory=list[DecidingEvent])


@frozen
class _System:
    """One contingency system: its machine, and what its process told of late."""

    machine: Contingency
    values: dict[int, tuple[SnapshotValue, ...]] = field(
        factory=dict[int, tuple[SnapshotValue, ...]]
    )
    due: dict[int, datetime] = field(factory=dict[int, datetime])


class Deciding:
    """One run's gateway and contingency systems. ``engines`` and ``contingency`` are names and
    sites; ``due`` says whether ticks are due from the start."""

    def __init__(
        self,
        engines: Mapping[str, SiteRole],
        contingency: Mapping[str, SiteRole],
        *,
        rules: IndexRules | None = None,
        gateway_rules: GatewayRules | None = None,
        contingency_rules: ContingencyRules | None = None,
        due: bool = False,
    ) -> None:
        self.gateway: Gateway = Gateway(engines, gateway_rules, rules, due=due)
        self._systems = {
            name: _System(
                Contingency(name, site, contingency_rules, rules, second=place > 0, due=due)
            )
            for place, (name, site) in enumerate(contingency.items())
        }
        self._session: SessionRecord | None = None

    @property
    def mode(self) -> ContingencyMode:
        """The mode of the contingency path: the furthest that one of its systems is in."""
        modes = [system.machine.mode for system in self._systems.values()]
        for mode in (ContingencyMode.ORDERED, ContingencyMode.ACTIVE):
            if mode in modes:
                return mode
        return ContingencyMode.STANDBY

    @property
    def session(self) -> SessionRecord | None:
        """The trading session as it was heard last."""
        return self._session

    # -- what is heard ----------------------------------------------------------------------------

    def ticks(self, engine: str, ticks: tuple[TickComputed, ...], now: datetime) -> Decided:
        """An engine told its ticks of one moment."""
        decided = Decided()
        if ticks:
            heard = EngineHeard(engine, ticks[0].time_ns)
            self._to_systems(self._systems.values(), heard, now, decided)
            self._to_gateway(TicksArrived(engine, ticks), now, decided)
        return decided

    def values(self, system: str, values: tuple[SnapshotValue, ...], now: datetime) -> Decided:
        """A contingency system told its values of one moment."""
        decided = Decided()
        if not values:
            return decided
        kept, time_ns = self._systems[system].values, values[0].time_ns
        kept[time_ns] = values
        while len(kept) > SNAPSHOTS_KEPT:
            del kept[min(kept)]
        self._to_gateway(SnapshotArrived(values), now, decided)
        if time_ns in self._systems[system].due:
            self._publish(self._systems[system], time_ns, now, decided)
        return decided

    def versions(self, ticks: tuple[IndexTick, ...]) -> Decided:
        """An engine told the versions of an index after the close. They go out as its own ticks
        do: not while engines are not believed, and the first to come."""
        decided = Decided()
        if ticks and self.gateway.state is GatewayState.PUBLISHING:
            decided.ticks.append(ticks)
        return decided

    def session_heard(self, record: SessionRecord, now: datetime) -> Decided:
        """A process heard a trading session. One that catches up tells old ones: passed over."""
        decided = Decided()
        if not self._is_news(record):
            return decided
        self._session = record
        self._to_systems(self._systems.values(), record, now, decided)
        self._to_gateway(record, now, decided)
        return decided

    def engine_ended(self, engine: str, now: datetime) -> Decided:
        """The process of an engine has ended."""
        decided = Decided()
        self._to_gateway(EngineStopped(engine), now, decided)
        return decided

    def engine_finished(self, engine: str, now: datetime) -> Decided:
        """An engine has come to the end of its feed. What was waited for it goes out."""
        decided = Decided()
        self._to_gateway(EngineFinished(engine), now, decided)
        return decided

    def poll(self, now: datetime) -> Decided:
        """What has become due, late or silent since."""
        decided = Decided()
        self._from_gateway(self.gateway.poll(now), now, decided)
        for system in self._systems.values():
            self._from_system(system, system.machine.poll(now), now, decided)
            for time_ns, since in tuple(system.due.items()):
                if now - since >= OVERDUE:
                    self._stand_in(system, time_ns, now, decided)
        return decided

    # -- what a person says -----------------------------------------------------------------------

    def declare(self, by: str, reason: str, now: datetime) -> Decided:
        """A person orders contingency: no real-time ticks, snapshot values instead.

        Raises `UsageError` without a name or a reason, or when it is ordered already.
        """
        decided = Decided()
        ordered = ContingencyOrdered(by, reason)
        self._to_systems(self._systems.values(), ordered, now, decided)
        self._to_gateway(Order(by, reason), now, decided)
        return decided

    def stand_down(self, by: str, reason: str, now: datetime, *, vouch: bool = False) -> Decided:
        """A person takes the order back: real-time ticks resume once they were proven right, or,
        where the person vouches for the engines, at once.

        Raises `UsageError` without a name or a reason, or when there is no order; to vouch is
        enough where contingency was not ordered.
        """
        decided = Decided()
        released = ContingencyReleased(by, reason)
        if self.mode is ContingencyMode.ORDERED or not vouch:
            self._to_systems(self._systems.values(), released, now, decided)
        if self.gateway.state is GatewayState.ORDERED and not vouch:
            self._to_gateway(Release(by, reason), now, decided)
        if vouch:
            self._to_gateway(Resume(by, reason), now, decided)
        return decided

    # -- to outlive a process ---------------------------------------------------------------------

    def snapshot(self) -> JsonObject:
        """What must survive a restart, as plain data."""
        return {
            "gateway": self.gateway.snapshot(),
            "systems": {name: one.machine.snapshot() for name, one in self._systems.items()},
            "session": None if self._session is None else list(self._session),
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood."""
        self.gateway.restore(cast("JsonObject", snapshot["gateway"]))
        systems = cast("Mapping[str, JsonObject]", snapshot["systems"])
        for name, system in self._systems.items():
            if name in systems:
                system.machine.restore(systems[name])
        row = snapshot["session"]
        self._session = None if row is None else SessionRecord._make(cast("list[int]", row))

    # -- inside -----------------------------------------------------------------------------------

    def _is_news(self, record: SessionRecord) -> bool:
        """Whether a session is newer than the one that is known, as far as its time tells."""
        known = self._session
        if known is None:
            return True
        if not record.send_time_ns:
            # Out of a refresh or sent again: good for whoever knows no other.
            return not known.send_time_ns
        return record.send_time_ns > known.send_time_ns

    def _to_gateway(self, given: GatewayInput, now: datetime, decided: Decided) -> None:
        self._from_gateway(self.gateway.handle(given, now), now, decided)

    def _from_gateway(
        self, events: Iterable[GatewayEvent], now: datetime, decided: Decided
    ) -> None:
        for event in events:
            if isinstance(event, TicksPublished):
                decided.ticks.append(event.ticks)
                continue
            decided.events.append(event)
            if isinstance(event, PublicationResumed):
                resumed = RealTimeResumed(event.time_ns)
                self._to_systems(self._systems.values(), resumed, now, decided)

    def _to_systems(
        self,
        systems: Iterable[_System],
        given: ContingencyInput,
        now: datetime,
        decided: Decided,
    ) -> None:
        for system in systems:
            self._from_system(system, system.machine.handle(given, now), now, decided)

    def _from_system(
        self,
        system: _System,
        events: Iterable[ContingencyEvent],
        now: datetime,
        decided: Decided,
    ) -> None:
        for event in events:
            if isinstance(event, SnapshotDue):
                self._publish(system, event.time_ns, now, decided)
                continue
            decided.events.append(event)
            self._mode_changed(event, now, decided)

    def _mode_changed(self, event: ModeChanged, now: datetime, decided: Decided) -> None:
        if event.after is ContingencyMode.ACTIVE and event.before is ContingencyMode.STANDBY:
            self._to_gateway(Hold(event.reason), now, decided)

    def _stand_in(self, system: _System, due_ns: int, now: datetime, decided: Decided) -> None:
        """A moment's values never came; the newest known are better than none, and bear their own
        time. What of them is out already is not published again."""
        del system.due[due_ns]
        if system.values:
            self._publish(system, max(system.values), now, decided)

    def _publish(self, system: _System, time_ns: int, now: datetime, decided: Decided) -> None:
        """The values of a moment, at once or as soon as the system tells them."""
        values = system.values.get(time_ns)
        if values is None:
            system.due.setdefault(time_ns, now)
            return
        machine = system.machine
        system.due.pop(time_ns, None)
        if machine.mode is ContingencyMode.STANDBY:
            return
        ticks = tuple(
            IndexTick(
                value.code,
                moment_of(time_ns),
                value.value,
                kind=TickKind.CONTINGENCY,
                stale=value.stale,
                engine=machine.name,
                site=machine.site,
            )
            for value in values
            if value.value is not None
        )
        if ticks:
            decided.ticks.append(ticks)
        others = [one for one in self._systems.values() if one is not system]
        for other in others:
            other.due.pop(time_ns, None)
        self._to_systems(others, PeerPublished(machine.name, time_ns), now, decided)
