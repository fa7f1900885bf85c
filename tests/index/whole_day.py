"""A whole day of the index machines in one thread, drawn from one seed, and all goes wrong.

Three engines at two sites, each behind a capture of its own; a gateway, two contingency systems and
a snapshot computation. Lines are lost and gaps recovered or given up, engines are killed and come
back warm or cold, poison records end whoever works them, a site fails, and for a while nobody
lives. What must always hold is checked after every event. All data is SYNTHETIC.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from random import Random

from hkex_ops.index.contingency import (
    Contingency,
    ContingencyEvent,
    ContingencyMode,
    EngineHeard,
    ModeChanged,
    PeerPublished,
    PublicationHeld,
    RealTimeResumed,
    SnapshotDue,
)
from hkex_ops.index.engine import Engine
from hkex_ops.index.gateway import Gateway
from hkex_ops.index.gateway_events import (
    EngineStopped,
    GatewayEvent,
    GatewayInput,
    GatewayState,
    GatewayStateChanged,
    Hold,
    PublicationResumed,
    SnapshotArrived,
    TicksArrived,
    TicksPublished,
)
from hkex_ops.index.records import (
    IndexRecord,
    QuarantinedRecord,
    RecordsLost,
    SessionRecord,
    TradeRecord,
)
from hkex_ops.index.rules import NS_PER_MS, NS_PER_S
from hkex_ops.index.snapshot import SnapshotComputation
from hkex_ops.index.ticks import TickComputed, moment_of
from hkex_ops.model import IndexStatus, JsonObject, SiteRole
from tests.index.day_market import (
    BASKETS,
    BEGIN,
    CHANNELS,
    END,
    RULES,
    SITES,
    STEP,
    TRADING,
    Capture,
    at,
    market_of,
)

__all__ = ["BASKETS", "Day", "Finding"]

POLL_NS = NS_PER_S


class Finding(AssertionError):
    """Something that must never be."""


class Host:
    """An engine's process: its capture, the engine while it lives, and its last checkpoint."""

    def __init__(self, name: str, capture: Capture) -> None:
        self.name = name
        self.heard = capture.heard
        self.place = 0
        self.engine: Engine | None = self.fresh()
        self.back_ns = 0
        self.warm = True
        self.checkpoint: tuple[JsonObject, int] = (self.fresh().snapshot(), 0)
        self.lives: list[tuple[int, int]] = [(BEGIN, END)]

    def fresh(self) -> Engine:
        """A new engine."""
        return Engine(BASKETS, RULES, name=self.name, site=SITES[self.name], channels=CHANNELS)

    def die(self, now_ns: int, back_ns: int, *, warm: bool) -> None:
        """Gone until ``back_ns``."""
        self.engine, self.back_ns, self.warm = None, back_ns, warm
        self.lives[-1] = (self.lives[-1][0], now_ns)

    def skip(self, now_ns: int) -> None:
        """What comes while nobody listens is not heard."""
        while self.place < len(self.heard) and self.heard[self.place][0] <= now_ns:
            self.place += 1

    def come_back(self, now_ns: int) -> None:
        """From the last checkpoint, with all that came since; or with nothing."""
        self.skip(now_ns)
        self.engine = self.fresh()
        self.lives.append((now_ns, END))
        if self.warm:
            snapshot, self.place = self.checkpoint
            self.engine.restore(snapshot)
            return
        now = moment_of(now_ns)
        for channel in CHANNELS:
            # What the session is a refresh says; which trades there were it does not.
            numbers = [
                one.sequence for _, one in self.heard[: self.place] if one.channel == channel
            ]
            last = max(numbers, default=0)
            self.engine.handle(RecordsLost(channel, 1, max(last, 1), 0), now)
        sessions = [one for _, one in self.heard[: self.place] if isinstance(one, SessionRecord)]
        if sessions:
            self.engine.handle(sessions[-1]._replace(sequence=0, send_time_ns=0), now)


class Day:
    """The machines of one day and what befalls them."""

    def __init__(self, seed: int) -> None:
        random = self.random = Random(seed)
        self.market = market_of(seed)
        self.hosts = {
            name: Host(name, Capture(random, self.market, delay_ns=order * 200 * NS_PER_MS))
            for order, name in enumerate(SITES)
        }
        self.capture = Capture(random, self.market)
        self.capture_place = 0
        self.table = SnapshotComputation(BASKETS, RULES, channels=CHANNELS)
        self.gateway = Gateway(SITES, index_rules=RULES)
        self.contingencies = (
            Contingency("first", SiteRole.PRIMARY, index_rules=RULES),
            Contingency("second", SiteRole.SECONDARY, index_rules=RULES, second=True),
        )
        self.quarantined: set[tuple[int, int]] = set()
        self.checked = BEGIN // STEP * STEP
        self.published: dict[tuple[str, int], IndexStatus] = {}
        self.computed: dict[int, set[str]] = {}
        self.held: list[tuple[int, int]] = []
        self.right_so_far: dict[str, dict[int, Decimal]] = {}
        self.nobody_since: int | None = None
        self.marked = self.disturbed = self.contingency_values = self.resumptions = 0
        self.now_ns = BEGIN
        self.now = moment_of(BEGIN)
        self.kills = self._drawn_kills()

    def _drawn_kills(self) -> deque[tuple[int, str, int, bool]]:
        """When which engine is killed, for how long, and whether it comes back warm."""
        random = self.random
        kills: list[tuple[int, str, int, bool]] = []
        for _ in range(12):
            when = random.randrange(BEGIN, END)
            down = random.randrange(3, 90) * NS_PER_S
            kills.append((when, random.choice(list(SITES)), down, random.random() < 0.7))
        site = at("10:20:00") + random.randrange(600) * NS_PER_S
        kills += [(site, name, 600 * NS_PER_S, True) for name in ("a", "b")]
        outage = at("14:00:00") + random.randrange(3_000) * NS_PER_S
        self.outage = (outage, outage + 120 * NS_PER_S)
        kills += [(outage, name, 120 * NS_PER_S, name == "a") for name in SITES]
        return deque(sorted(kills))

    def run(self) -> None:
        """From before the opening until after the close, and the last checks."""
        while self.now_ns < END:
            self.now_ns += POLL_NS
            self.now = moment_of(self.now_ns)
            while self.kills and self.kills[0][0] <= self.now_ns:
                _, name, down, warm = self.kills.popleft()
                self._kill(self.hosts[name], down, warm=warm)
            for host in self.hosts.values():
                self._turn(host)
            self._turn_capture()
            self._tell_gateway(self.gateway.poll(self.now))
            for contingency in self.contingencies:
                self._tell_contingency(contingency, contingency.poll(self.now))
            self._check_silence()
        self._check_nothing_is_missing()

    # -- engines -----------------------------------------------------------------------------

    def _kill(self, host: Host, down_ns: int, *, warm: bool) -> None:
        if self.outage[0] <= self.now_ns < self.outage[1]:
            host.back_ns = max(host.back_ns, self.outage[1])
        if host.engine is not None:
            self.disturbed += 1
            host.die(self.now_ns, self.now_ns + down_ns, warm=warm)
            self._gateway(EngineStopped(host.name))

    def _turn(self, host: Host) -> None:
        if host.engine is None:
            if self.now_ns < host.back_ns:
                return
            host.come_back(self.now_ns)
        while host.place < len(host.heard) and host.heard[host.place][0] <= self.now_ns:
            record = host.heard[host.place][1]
            host.place += 1
            key = (record.channel, record.sequence)
            if isinstance(record, TradeRecord) and key in self.market.poison:
                if key not in self.quarantined:
                    self.quarantined.add(key)
                    host.place -= 1
                    self._kill(host, 5 * NS_PER_S, warm=True)
                    return
                record = QuarantinedRecord(
                    *key, record.security, record.trade_id, "poison", record.send_time_ns
                )
            self._from_engine(host, record)
        if host.engine is not None:
            self._ticks(host, host.engine.poll(self.now))
            if self.now_ns // NS_PER_S % 60 == 0:
                host.checkpoint = (host.engine.snapshot(), host.place)

    def _from_engine(self, host: Host, record: IndexRecord) -> None:
        if host.engine is not None:
            self._ticks(host, host.engine.handle(record, self.now))

    def _ticks(self, host: Host, events: Iterable[object]) -> None:
        by_moment: dict[int, list[TickComputed]] = {}
        for event in events:
            if isinstance(event, TickComputed):
                by_moment.setdefault(event.time_ns, []).append(event)
        for moment, ticks in by_moment.items():
            if ticks[0].status is IndexStatus.REAL_TIME:
                self.computed.setdefault(moment, set()).add(host.name)
            for contingency in self.contingencies:
                heard = contingency.handle(EngineHeard(host.name, moment), self.now)
                self._tell_contingency(contingency, heard)
            self._gateway(TicksArrived(host.name, tuple(ticks)))

    # -- the contingency side ----------------------------------------------------------------

    def _turn_capture(self) -> None:
        heard = self.capture.heard
        while self.capture_place < len(heard) and heard[self.capture_place][0] <= self.now_ns:
            record = heard[self.capture_place][1]
            self.capture_place += 1
            self.table.handle(record, self.now)
            if isinstance(record, SessionRecord):
                self._gateway(record)
                for contingency in self.contingencies:
                    self._tell_contingency(contingency, contingency.handle(record, self.now))
        settled = self.now_ns - (RULES.settle_ms + 500) * NS_PER_MS
        while self.checked + STEP <= settled:
            self.checked += STEP
            closing = self.checked > at("16:08:41") + RULES.closing_delay_s * NS_PER_S
            self._gateway(SnapshotArrived(self.table.values_at(self.checked, closing=closing)))

    def _tell_contingency(self, one: Contingency, events: Iterable[ContingencyEvent]) -> None:
        for event in events:
            if isinstance(event, ModeChanged):
                if event.after is ContingencyMode.ACTIVE:
                    self._gateway(Hold(event.reason))
            elif isinstance(event, SnapshotDue):
                self._publish_contingency(one, event)

    def _publish_contingency(self, one: Contingency, due: SnapshotDue) -> None:
        self.contingency_values += 1
        for value in self.table.values_at(due.time_ns, closing=due.closing):
            right = Decimal(self.market.right[value.code, due.time_ns // STEP * STEP]).scaleb(-2)
            if not value.stale and value.value != right:
                raise Finding(f"wrong contingency value: {value}, and {right} is right")
        for other in self.contingencies:
            if other is not one:
                other.handle(PeerPublished(one.name, due.time_ns), self.now)

    # -- the gateway -------------------------------------------------------------------------

    def _gateway(self, given: GatewayInput) -> None:
        self._tell_gateway(self.gateway.handle(given, self.now))

    def _tell_gateway(self, events: Iterable[GatewayEvent]) -> None:
        for event in events:
            if isinstance(event, TicksPublished):
                self._check_published(event)
            elif isinstance(event, GatewayStateChanged):
                if event.after is GatewayState.HELD:
                    for contingency in self.contingencies:
                        told = contingency.handle(PublicationHeld(event.reason), self.now)
                        self._tell_contingency(contingency, told)
            elif isinstance(event, PublicationResumed):
                self.resumptions += 1
                for contingency in self.contingencies:
                    resumed = RealTimeResumed(event.time_ns)
                    self._tell_contingency(contingency, contingency.handle(resumed, self.now))
        if self.gateway.state is not GatewayState.PUBLISHING:
            if self.held and self.held[-1][1] >= self.now_ns - POLL_NS:
                self.held[-1] = (self.held[-1][0], self.now_ns)
            else:
                self.held.append((self.now_ns, self.now_ns))

    # -- what must always hold ---------------------------------------------------------------

    def _check_published(self, event: TicksPublished) -> None:
        for tick in event.ticks:
            key = (tick.index, event.time_ns)
            if key in self.published:
                raise Finding(f"published twice: {tick}")
            self.published[key] = tick.status
            right = Decimal(self.market.right[key]).scaleb(-2)
            self.marked += bool(tick.stale)
            if tick.stale:
                continue
            if tick.value != right or not (tick.low or 0) <= right <= (tick.high or 0):
                raise Finding(f"wrong and unmarked: {tick}, and {right} is right")
            if not {tick.high, tick.low} <= self._right_until(tick.index, event.time_ns):
                raise Finding(f"high or low that never was: {tick}")

    def _right_until(self, index: str, time_ns: int) -> set[Decimal | None]:
        """The right values of an index up to a moment, of all moments that have one."""
        told = self.right_so_far.setdefault(index, {})
        for moment in range(max(told, default=BEGIN // STEP * STEP) + STEP, time_ns + 1, STEP):
            told[moment] = Decimal(self.market.right[index, moment]).scaleb(-2)
        return set(told.values())

    def _check_silence(self) -> None:
        """Two intervals after the last engine has gone the contingency path is on."""
        due = any(begin + NS_PER_S < self.now_ns < end for begin, end in TRADING)
        if not due or any(host.engine is not None for host in self.hosts.values()):
            self.nobody_since = None
            return
        self.nobody_since = self.nobody_since or self.now_ns
        limit = 2 * STEP + POLL_NS
        late = self.now_ns - self.nobody_since > limit
        if late and self.contingencies[0].mode is not ContingencyMode.ACTIVE:
            raise Finding("nobody lives for more than two intervals, and no contingency")

    def _check_nothing_is_missing(self) -> None:
        """What an engine computed while the gateway published, and only that, went out."""
        for moment, engines in self.computed.items():
            held = any(
                begin <= moment + 60 * NS_PER_S and moment <= end for begin, end in self.held
            )
            for basket in BASKETS:
                if (basket.index, moment) not in self.published and not held:
                    raise Finding(f"{basket.index} at {moment_of(moment)} of {engines} is missing")
        for begin, end in TRADING:
            for moment in range(begin + STEP, end, STEP):
                lived = any(
                    since + STEP < moment and moment + STEP < until
                    for host in self.hosts.values()
                    for since, until in host.lives
                )
                if lived and moment not in self.computed:
                    raise Finding(f"an engine lived and {moment_of(moment)} was not computed")
