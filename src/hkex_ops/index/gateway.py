"""The gateway: ticks of any number of engines go in, each (index, time) comes out once.

The first valid tick wins: an unmarked one at once, a marked one when no living engine has a better
one within the grace. It says which engine is late, dead or disagrees, checks all of them against
the snapshot computation, and after a hold publishes again only when they were proven right. Knows
no process, no publisher and no clock; `hkex_ops.flows` drives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TypeAlias, cast

from hkex_ops.errors import UsageError
from hkex_ops.index.gateway_events import (
    EngineFinished,
    EngineStopped,
    EngineTrusted,
    FellSilent,
    GatewayEvent,
    GatewayInput,
    GatewayState,
    GatewayStateChanged,
    Hold,
    MomentMissed,
    Order,
    Proved,
    PublicationResumed,
    Release,
    Resume,
    SnapshotArrived,
    Spoke,
    TicksArrived,
    TicksPublished,
)
from hkex_ops.index.judging import Judge
from hkex_ops.index.moments import MOMENTS_KEPT, MomentHeard, Moments, ToldToday
from hkex_ops.index.records import SessionRecord
from hkex_ops.index.roster import Roster, Standing, Trust
from hkex_ops.index.rules import GatewayRules, IndexRules
from hkex_ops.index.ticks import TickComputed, index_tick
from hkex_ops.model import IndexTick, JsonObject, SiteRole

__all__ = ["GATEWAY_TRANSITIONS", "Gateway"]

_Told: TypeAlias = "Hold | Order | Release | Resume | FellSilent | Spoke | Proved"

GATEWAY_TRANSITIONS: Mapping[tuple[GatewayState, type[_Told]], GatewayState] = MappingProxyType(
    {
        (GatewayState.PUBLISHING, Hold): GatewayState.HELD,
        (GatewayState.PUBLISHING, FellSilent): GatewayState.HELD,
        (GatewayState.PUBLISHING, Order): GatewayState.ORDERED,
        (GatewayState.HELD, Spoke): GatewayState.PROVING,
        (GatewayState.HELD, Order): GatewayState.ORDERED,
        (GatewayState.HELD, Resume): GatewayState.PUBLISHING,
        (GatewayState.PROVING, Proved): GatewayState.PUBLISHING,
        (GatewayState.PROVING, FellSilent): GatewayState.HELD,
        (GatewayState.PROVING, Order): GatewayState.ORDERED,
        (GatewayState.PROVING, Resume): GatewayState.PUBLISHING,
        (GatewayState.ORDERED, Release): GatewayState.HELD,
        (GatewayState.ORDERED, Resume): GatewayState.PUBLISHING,
    }
)


class Gateway:
    """One of it stands between the engines and the publishers.

    ``engines`` are their names and sites. ``due`` says whether ticks are due from the start;
    otherwise the records of trading sessions tell (give them to :meth:`handle`).
    """

    def __init__(
        self,
        engines: Mapping[str, SiteRole],
        rules: GatewayRules | None = None,
        index_rules: IndexRules | None = None,
        *,
        due: bool = False,
    ) -> None:
        self.state: GatewayState = GatewayState.PUBLISHING
        self._rules = rules or GatewayRules()
        self._index_rules = index_rules or IndexRules()
        self._roster = Roster(engines)
        self._moments = Moments()
        self._judge = Judge(self._roster, self._rules, self._index_rules.decimals)
        self._due = due
        self._due_since: datetime | None = None
        self._due_from_ns = 0  # the event time from which on a tick follows the one before it
        self._told = ToldToday()
        self._newest = 0  # the newest moment that went out
        self._forgotten = 0  # the newest of which it was told that it came too late
        self._last = 0  # the one that the next should follow, or 0 where it need follow none
        self._resuming: tuple[str, int] | None = None

    def handle(self, given: GatewayInput, now: datetime) -> tuple[GatewayEvent, ...]:
        """Take one input. `UsageError` for an unknown engine, or an order that cannot be given."""
        match given:
            case TicksArrived(engine, ticks):
                events = self._ticks(self._roster[engine], ticks, now)
            case SnapshotArrived():
                events = self._snapshot(given, now)
            case SessionRecord():
                events = self._session(given, now)
            case EngineStopped(engine):
                events = self._roster.die(self._roster[engine], "its process has ended", now)
            case EngineFinished(engine):
                self._roster[engine].finished = True
                events = iter(())
            case Hold() if self.state is not GatewayState.PUBLISHING:
                events = iter(())  # nothing goes out as it is
            case Hold(reason):
                events = self._tell(given, reason, "", now)
            case Order(by, reason) | Release(by, reason) | Resume(by, reason):
                if not by or not reason:
                    raise UsageError("publication is ordered by a person, for a reason")
                events = self._tell(given, reason, by, now)
        return (*events, *self._publish(now))

    def poll(self, now: datetime) -> tuple[GatewayEvent, ...]:
        """What has become late, dead or due since."""
        events: list[GatewayEvent] = []
        if self._due:
            since = self._due_since = self._due_since or now
            intervals = self._rules.dead_intervals * self._index_rules.interval_s
            longest = timedelta(seconds=intervals)
            events += self._roster.bury(since, longest, now)
            silent_since = self._roster.silent_since(since)
            if now - silent_since >= longest and (self.state, FellSilent) in GATEWAY_TRANSITIONS:
                reason = f"all engines silent since {silent_since.isoformat()}"
                events += self._tell(FellSilent(silent_since), reason, "", now)
        for moment in self._moments.overdue(now, timedelta(milliseconds=self._rules.late_ms)):
            events += self._lateness(moment, now)
        return (*events, *self._publish(now))

    def snapshot(self) -> JsonObject:
        """What must survive a restart, as plain data: never is a moment published twice."""
        return {
            "state": self.state.value,
            "newest": self._newest,
            "due": self._due,
            "engines": self._roster.snapshot(),
            "told": self._told.snapshot(),
        }

    def restore(self, snapshot: JsonObject) -> None:
        """Stand where ``snapshot`` stood; what was before it and not published is given up."""
        self.state = GatewayState(cast("str", snapshot["state"]))
        self._newest = cast("int", snapshot["newest"])
        self._due = bool(snapshot["due"])
        self._moments.forget_until(self._newest)
        self._roster.restore(cast("JsonObject", snapshot["engines"]))
        self._told.restore(cast("JsonObject", snapshot["told"]))

    # -- inputs ------------------------------------------------------------------------------

    def _session(self, record: SessionRecord, now: datetime) -> Iterator[GatewayEvent]:
        rules = self._index_rules
        if record.market.strip() == rules.session_market:
            due = record.session in rules.realtime_sessions
            if due and not self._due:
                self._due_since, self._last = now, 0
                self._due_from_ns = record.send_time_ns
            self._due = due
        return iter(())

    def _ticks(
        self, engine: Standing, ticks: tuple[TickComputed, ...], now: datetime
    ) -> Iterator[GatewayEvent]:
        if not ticks:
            return
        time_ns = ticks[0].time_ns
        yield from self._roster.hear(engine, time_ns, now)
        moment = self._moments.at(time_ns)
        if moment is None:
            # Others ran so far ahead that it was forgotten before anybody told its ticks.
            if time_ns > max(self._newest, self._forgotten):
                self._forgotten = time_ns
                yield MomentMissed(now, time_ns)
            return
        if not moment.hear(engine.name, ticks, now):
            return
        self._moments.spoken_of(moment)
        if now - (moment.first_at or now) < timedelta(milliseconds=self._rules.late_ms):
            yield from self._roster.punctual(engine, time_ns, now)
        if (self.state, Spoke) in GATEWAY_TRANSITIONS:
            reason = f"engine {engine.name} speaks; its ticks are being proven"
            yield from self._tell(Spoke(engine.name), reason, "", now)
        yield from self._judge.disagreements(engine, moment, now)
        yield from self._judged(engine, moment, now)

    def _snapshot(self, given: SnapshotArrived, now: datetime) -> Iterator[GatewayEvent]:
        if not given.values:
            return
        moment = self._moments.at(given.values[0].time_ns)
        if moment is None or moment.snapshot:
            return
        moment.snapshot = {value.code: value for value in given.values}
        for name in list(moment.reports):
            yield from self._judged(self._roster[name], moment, now)

    def _tell(self, told: _Told, reason: str, by: str, now: datetime) -> Iterator[GatewayEvent]:
        after = GATEWAY_TRANSITIONS.get((self.state, type(told)))
        if after is None:
            verb = type(told).__name__.lower()
            raise UsageError(f"cannot {verb}: the gateway is {self.state}")
        before, self.state = self.state, after
        if before is GatewayState.PUBLISHING:
            self._roster.distrust_all()
        elif after is GatewayState.PUBLISHING and isinstance(told, Resume):
            # Whoever vouches for the engines vouches for what they say from now on.
            self._moments.decide_before(max(one.last_ns for one in self._roster) + 1)
            self._last, self._resuming = 0, (by, 0)
        yield GatewayStateChanged(now, before, after, reason, by)

    def _judged(
        self, engine: Standing, moment: MomentHeard, now: datetime
    ) -> Iterator[GatewayEvent]:
        """What the standing check says of an engine; enough of it in a row ends a hold."""
        proving = self.state is GatewayState.PROVING
        idle = self.state in (GatewayState.HELD, GatewayState.ORDERED)
        yield from self._judge.judge(engine, moment, now, proving=proving, idle=idle)
        if proving and engine.trust is Trust.TRUSTED:
            reason = f"{engine.proven} ticks of engine {engine.name} in a row were right"
            yield from self._tell(Proved(engine.name), reason, "", now)
            self._moments.decide_before(moment.time_ns)
            self._last, self._resuming = 0, (engine.name, engine.proven)

    def _lateness(self, moment: MomentHeard, now: datetime) -> Iterator[GatewayEvent]:
        for engine in self._roster:
            if engine.last_ns < moment.time_ns:
                yield from self._roster.late(engine, moment.time_ns, self._rules.late_ms, now)

    # -- publishing --------------------------------------------------------------------------

    def _publish(self, now: datetime) -> Iterator[GatewayEvent]:
        if self.state is not GatewayState.PUBLISHING:
            return
        for moment in self._moments.pending():
            awaited = self._roster.awaited
            chosen, clean = moment.best(self._roster.eligible(moment.reports))
            if not chosen:
                continue
            chosen = [one for one in chosen if not self._told.repeats(one[1])]
            waited = now - (moment.first_at or now) >= timedelta(milliseconds=self._rules.grace_ms)
            passed = all(one.last_ns >= moment.time_ns for one in awaited)
            if not (passed or waited or (clean and self._follows(moment))):
                break
            self._moments.decide(moment)
            if not chosen:
                continue
            yield from self._missed(moment, now)
            yield from self._begin(moment, [name for name, _ in chosen], now)
            moment.published = {tick.index: tick for _, tick in chosen}
            self._newest = max(self._newest, moment.time_ns)
            self._last = max(self._last, moment.time_ns)
            yield TicksPublished(now, moment.time_ns, tuple(self._out(*one) for one in chosen))

    def _begin(
        self, moment: MomentHeard, names: list[str], now: datetime
    ) -> Iterator[GatewayEvent]:
        """What is to be told before ticks go out: who is trusted unproven, and a resumption."""
        for name in dict.fromkeys(names):
            engine = self._roster[name]
            if engine.trust is not Trust.TRUSTED:  # no other lives: it is this one or none
                engine.trust = Trust.TRUSTED
                yield EngineTrusted(now, name, 0)
        if self._resuming is not None:
            by, proven = self._resuming
            self._resuming = None
            yield PublicationResumed(now, moment.time_ns, by, proven)

    def _follows(self, moment: MomentHeard) -> bool:
        """Whether no moment lies between it and the last one that went out."""
        # An opening value may come after the session that ticks follow each other in was heard.
        alone = self._last <= self._due_from_ns
        return alone or moment.time_ns <= self._last + self._index_rules.interval_ns

    def _missed(self, moment: MomentHeard, now: datetime) -> Iterator[GatewayEvent]:
        if self._due and not self._follows(moment):
            step = self._index_rules.interval_ns
            first = max(self._last + step, moment.time_ns - MOMENTS_KEPT * step)
            for time_ns in range(first, moment.time_ns, step):
                yield MomentMissed(now, time_ns)

    def _out(self, name: str, tick: TickComputed) -> IndexTick:
        site = self._roster[name].site
        whole = self._told.complete(tick)
        return index_tick(whole, engine=name, site=site, decimals=self._index_rules.decimals)
