"""The index system of today on a clock turned by hand: three engines, and what stands beside them.

Every engine captures both lines for itself; a contingency system of another make computes every
value once more; what is published is decided as in a run of real processes, by the same code. Fed
with what arrives, in order; knows no rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby

from attrs import define, field, frozen

from hkex_ops.config.layouts import load_codec
from hkex_ops.flows.index.deciding import Decided, Deciding, DecidingEvent
from hkex_ops.flows.index.pipeline import Pipeline, Taken
from hkex_ops.index.contingency import ContingencyMode
from hkex_ops.index.engine import Engine
from hkex_ops.index.records import SessionRecord
from hkex_ops.index.snapshot import SnapshotValue
from hkex_ops.index.ticks import RecordJournalled, TickComputed, moment_of
from hkex_ops.index.watch import Watch, WatchEvent
from hkex_ops.model import IndexTick, SiteRole
from hkex_ops.ports import PacketBatch
from hkex_ops_simulator.hsil.expected import NAMES
from hkex_ops_simulator.hsil.other_make import OtherMake
from hkex_ops_simulator.hsil.replayed import RULES_OF_2010, WATCH_OF_2010, Replayed
from hkex_ops_simulator.market.lines import Delivery

__all__ = ["CONTINGENCY", "ENGINES", "IndexSystem", "OtherValues"]

# Two at the primary site and one at the backup site, as the three systems of 2010 were.
# Source: HSIL report, section 2 b.
ENGINES: Mapping[str, SiteRole] = {
    "engine-1": SiteRole.PRIMARY,
    "engine-2": SiteRole.PRIMARY,
    "engine-3": SiteRole.SECONDARY,
}
CONTINGENCY = "contingency-1"

# What time alone brings is looked for so often: silence is two intervals, which are longer.
_LOOKS_EVERY = timedelta(seconds=5)


@frozen
class OtherValues:
    """What the other make told of one moment, when, and how often prices had changed by then."""

    at: datetime
    values: tuple[SnapshotValue, ...]
    changes: Mapping[str, int]


@define
class IndexSystem:
    """The system for one day. What came of it: ``published`` with the instant at which each went
    out, ``computed`` by each engine, the ``other_make``'s values (``others`` as they came),
    ``journal``, ``events``. Whatever arrives is handed to ``record`` first, as it is beside every
    engine that captures for itself."""

    day: Replayed
    record: Callable[[PacketBatch], object] = lambda batch: None
    published: list[tuple[datetime, IndexTick]] = field(
        factory=list[tuple[datetime, IndexTick]], init=False
    )
    computed: dict[str, dict[tuple[str, int], TickComputed]] = field(init=False)
    other_make: OtherMake = field(init=False)
    others: list[OtherValues] = field(factory=list[OtherValues], init=False)
    journal: dict[str, list[RecordJournalled]] = field(init=False)
    sessions: list[SessionRecord] = field(factory=list[SessionRecord], init=False)
    events: list[DecidingEvent | WatchEvent] = field(
        factory=list[DecidingEvent | WatchEvent], init=False
    )
    _pipelines: dict[str, Pipeline] = field(init=False)
    _deciding: Deciding = field(init=False)
    _watch: Watch = field(init=False)
    _waiting: Iterator[Delivery] = field(init=False)
    _ahead: Delivery | None = field(default=None, init=False)
    _looked: datetime | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        baskets, channels, codec = self.day.baskets, self.day.channels, load_codec()
        self.computed = {name: {} for name in ENGINES}
        self.journal = {name: [] for name in ENGINES}
        self._pipelines = {
            name: Pipeline(
                Engine(baskets, RULES_OF_2010, name=name, site=site, channels=channels),
                codec,
                channels,
            )
            for name, site in ENGINES.items()
        }
        self.other_make = OtherMake(self.day)
        sites = {CONTINGENCY: SiteRole.SECONDARY}
        self._deciding = Deciding(ENGINES, sites, rules=RULES_OF_2010)
        self._watch = Watch([one.index for one in baskets], WATCH_OF_2010, RULES_OF_2010)
        self._waiting = iter(self.day.deliveries)

    @property
    def mode(self) -> ContingencyMode:
        """The mode of the contingency path."""
        return self._deciding.mode

    def following(self, engine: str) -> bool:
        """Whether an engine misses nothing of any channel."""
        return all(self._pipelines[engine].follows(channel) for channel in self.day.channels)

    def play(self, until: datetime) -> None:
        """Let everything arrive that arrives by ``until``."""
        while True:
            self._ahead = self._ahead or next(self._waiting, None)
            now = until if self._ahead is None else min(until, moment_of(self._ahead.time_ns))
            self._look(now)
            if self._ahead is None or moment_of(self._ahead.time_ns) > until:
                return
            self._arrive(self._ahead, now)
            self._ahead = None

    # -- inside ------------------------------------------------------------------------------

    def _arrive(self, one: Delivery, now: datetime) -> None:
        batch = PacketBatch(one.channel, one.line, one.time_ns, (one.packet,))
        self.record(batch)
        for name, pipeline in self._pipelines.items():
            self._told(name, pipeline.take(batch, now), now)
        for record in self.other_make.take(one, now):
            if isinstance(record, SessionRecord):
                self.sessions.append(record)
                self._decided(self._deciding.session_heard(record, now), now)
                self.events += self._watch.handle(record, now)
        for values in self.other_make.due():
            changes = {code: self.other_make.changes_of(code) for code in NAMES}
            self.others.append(OtherValues(now, values, changes))
            self._decided(self._deciding.values(CONTINGENCY, values, now), now)

    def _look(self, now: datetime) -> None:
        """Whatever time alone brings, step by step."""
        looked = self._looked or now
        while looked <= now:
            for name, pipeline in self._pipelines.items():
                self._told(name, pipeline.poll(looked), looked)
            self.other_make.look(looked)
            self._decided(self._deciding.poll(looked), looked)
            self.events += self._watch.poll(looked)
            looked += _LOOKS_EVERY
        self._looked = looked

    def _told(self, name: str, taken: Taken, now: datetime) -> None:
        self.journal[name] += [one for one in taken.data if isinstance(one, RecordJournalled)]
        ticks = [one for one in taken.data if isinstance(one, TickComputed)]
        self.computed[name] |= {(one.index, one.time_ns): one for one in ticks}
        for _, together in groupby(ticks, key=lambda tick: tick.time_ns):
            self._decided(self._deciding.ticks(name, tuple(together), now), now)

    def _decided(self, decided: Decided, now: datetime) -> None:
        self.events += decided.events
        for ticks in decided.ticks:
            for tick in ticks:
                self.published.append((now, tick))
                self.events += self._watch.handle(tick, now)
