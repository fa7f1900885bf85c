"""The day as it was: what engines compute from the bytes goes out only as it did in 2010.

Nothing between the first real-time value and the resumption: the engines say nothing, then, from
the recovery on, are held until they were proven right. Gateway and watch are those of today, on a
clock turned by hand. Knows what the papers tell of the morning; called by the second act.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import TypeAlias

from attrs import define, field, frozen

from hkex_ops.index.gateway import Gateway
from hkex_ops.index.gateway_events import (
    GatewayEvent,
    GatewayInput,
    Order,
    Release,
    SnapshotArrived,
    TicksArrived,
    TicksPublished,
)
from hkex_ops.index.rules import GatewayRules, WatchRules
from hkex_ops.index.ticks import moment_of, time_ns_of
from hkex_ops.index.watch import StocksMoved, Watch, WatchEvent, WatchInput
from hkex_ops.model import IndexTick, TickKind
from hkex_ops_simulator.hsil.anchors import HSCEI, HSI
from hkex_ops_simulator.hsil.expected import NAMES
from hkex_ops_simulator.hsil.index_system import CONTINGENCY, ENGINES, IndexSystem
from hkex_ops_simulator.hsil.replayed import RULES_OF_2010, at
from hkex_ops_simulator.hsil.script import FIRST_TICK, MATCHING, OPENING

__all__ = [
    "CALLED_HKEX",
    "DECLARED",
    "NOTICED",
    "OPENING_DUE",
    "RECOVERED",
    "RESUMED",
    "SNAPSHOTS",
    "WITHHELD",
    "Withheld",
]

# Source: HKEx report, Appendix I; HSIL report, sections 3 a to 3 c and Appendix 2.
OPENING_DUE = time(9, 50, 30)
NOTICED = time(9, 52)  # the error message, and the opening indexes at HKEx
DECLARED = time(10, 2)
CALLED_HKEX = time(10, 5)
SNAPSHOTS = ((time(10, 15), time(10, 17)), (time(10, 30), time(10, 32)))
RECOVERED = time(10, 27)
RESUMED = {HSI: time(10, 32, 45), HSCEI: time(10, 33)}

# The stretch of which nothing was published.
WITHHELD = time(10, 0, 30), time(10, 32, 45)

# What was calculated from the recovery on, every 15 seconds, until the value that went out first:
# 10:27:00 to 10:32:45.
_PROOF = GatewayRules(proving_ticks=24)
_WATCH = WatchRules(opening_due=f"{OPENING_DUE}")

_BY = "rehearsal"
_LOOKS_EVERY = timedelta(seconds=5)
# How long after its moment an engine has a value that nothing delays.
_COMPUTED_AFTER = timedelta(seconds=1)

Told: TypeAlias = GatewayEvent | WatchEvent


@frozen
class _Input:
    """What reaches gateway and watch at one moment."""

    at: datetime
    gateway: GatewayInput | None = None
    watch: tuple[WatchInput, ...] = ()


@define
class Withheld:
    """What users saw of a day that ``system`` has computed: ``shown`` with the instant at which
    each value was out, ``mailed`` ones among them, and ``told``, all events of gateway and watch.
    """

    system: IndexSystem
    shown: list[tuple[datetime, IndexTick]] = field(
        factory=list[tuple[datetime, IndexTick]], init=False
    )
    told: list[Told] = field(factory=list[Told], init=False)
    gateway: Gateway = field(init=False)
    _watch: Watch = field(init=False)
    _waiting: list[_Input] | None = field(default=None, init=False)
    _looked: datetime = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.gateway = Gateway(ENGINES, _PROOF, RULES_OF_2010)
        self._watch = Watch(NAMES, _WATCH, RULES_OF_2010)
        self._looked = at(MATCHING)

    @property
    def ticks(self) -> tuple[IndexTick, ...]:
        """What was shown, in order of going out."""
        return tuple(tick for _, tick in self.shown)

    def play(self, until: datetime) -> None:
        """Let everything happen that happens by ``until``."""
        if self._waiting is None:  # only now has the first act computed everything
            self._waiting = sorted(self._inputs(), key=lambda one: one.at, reverse=True)
        while self._waiting and self._waiting[-1].at <= until:
            one = self._waiting.pop()
            self._look(one.at)
            if one.gateway is not None:
                self._gateway(self.gateway.handle(one.gateway, one.at), one.at)
            for given in one.watch:
                self.told += self._watch.handle(given, one.at)
        self._look(until)

    def order(self, reason: str, now: datetime) -> None:
        """The decision of a person, rehearsed: nothing goes out but what is mailed."""
        self.play(now)
        self._gateway(self.gateway.handle(Order(_BY, reason), now), now)

    def release(self, reason: str, now: datetime) -> None:
        """The engines may be proven from now on."""
        self.play(now)
        self._gateway(self.gateway.handle(Release(_BY, reason), now), now)

    def mail(self, moment: time, now: datetime) -> tuple[IndexTick, ...]:
        """The contingency system's values of a moment go out by e-mail."""
        self.play(now)
        time_ns = time_ns_of(at(moment))
        ticks = tuple(
            IndexTick(code, at(moment), value, kind=TickKind.CONTINGENCY, engine=CONTINGENCY)
            for code in NAMES
            if (value := self.system.other_make.values.get((code, time_ns))) is not None
        )
        self.shown += [(now, tick) for tick in ticks]
        return ticks

    def first_after(self, code: str, moment: time) -> IndexTick | None:
        """The first value in the ordinary course for a moment after ``moment``."""
        return next(
            (
                tick
                for tick in self.ticks
                if (tick.index, tick.kind) == (code, TickKind.REAL_TIME) and tick.at > at(moment)
            ),
            None,
        )

    # -- inside ------------------------------------------------------------------------------

    def _inputs(self) -> Iterator[_Input]:
        for session in self.system.sessions:
            yield _Input(moment_of(session.send_time_ns), session, (session,))
        for other in self.system.others:
            moved = tuple(StocksMoved(code, count) for code, count in other.changes.items())
            yield _Input(other.at, SnapshotArrived(other.values), moved)
        for name, computed in self.system.computed.items():
            in_order = sorted(computed.values(), key=lambda tick: tick.time_ns)
            for time_ns, together in groupby(in_order, key=lambda tick: tick.time_ns):
                told_at = _told_at(moment_of(time_ns))
                if told_at is not None:
                    yield _Input(told_at, TicksArrived(name, tuple(together)))

    def _look(self, now: datetime) -> None:
        """What time alone brings, step by step."""
        while self._looked + _LOOKS_EVERY <= now:
            self._looked += _LOOKS_EVERY
            self._gateway(self.gateway.poll(self._looked), self._looked)
            self.told += self._watch.poll(self._looked)

    def _gateway(self, events: tuple[GatewayEvent, ...], now: datetime) -> None:
        for event in events:
            if not isinstance(event, TicksPublished):
                self.told.append(event)
                continue
            for tick in filter(_went_out, event.ticks):
                self.shown.append((now, tick))
                self.told += self._watch.handle(tick, now)


def _told_at(moment: datetime) -> datetime | None:
    """When an engine tells its value of ``moment``; never, while all three stand still."""
    if moment == at(OPENING):
        return at(NOTICED)
    if moment == at(FIRST_TICK) or moment >= at(RECOVERED):
        return moment + _COMPUTED_AFTER
    return None


def _went_out(tick: IndexTick) -> bool:
    """The indexes did not resume together."""
    return tick.at <= at(FIRST_TICK) or tick.at >= at(RESUMED[tick.index])
