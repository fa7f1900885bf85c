"""The rehearsal of 22 January 2010 against the index system of today, step by step.

Each step plays the day to a moment and judges what came of it. The old order is met by three
engines that have one writer each: nothing runs beside it that could clash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import time, timedelta
from functools import partial

from attrs import define, field

from hkex_ops.index.contingency import ContingencyMode
from hkex_ops.index.ticks import JournalReason, time_ns_of
from hkex_ops.model import Json, JsonObject, TickKind, plain
from hkex_ops.ports import PacketBatch
from hkex_ops.rundown import StepResult, StepState
from hkex_ops_simulator.hsil.anchors import CALL_LEVEL_CENTS, EXACT, HSI
from hkex_ops_simulator.hsil.expected import NAMES, missing_of, points, when
from hkex_ops_simulator.hsil.index_system import ENGINES, IndexSystem
from hkex_ops_simulator.hsil.judging import Cited, judged
from hkex_ops_simulator.hsil.replayed import Replayed, at
from hkex_ops_simulator.hsil.script import FIRST_TICK, MATCHING, OPENING
from hkex_ops_simulator.planning import Planned, planned

__all__ = ["NewDesign"]

_MATCHING_STATE = 2

# A value is out when every channel has passed its moment: two heartbeats at most.
_OUT_WITHIN = timedelta(seconds=5)


@define
class NewDesign:
    """The steps of the new design on ``day``, which ends at ``until``; ``record`` is given what
    arrives."""

    day: Replayed
    until: time
    record: Callable[[PacketBatch], object] = lambda batch: None
    system: IndexSystem = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.system = IndexSystem(self.day, self.record)

    def steps(self) -> Iterator[Planned]:
        """Every step with its moment, in order."""
        matching = at(MATCHING)
        yield planned(
            "pre-opening",
            "engines-up",
            "three engines, two at the primary site and one at the backup site, hear both lines",
            at(time(9, 30)),
            self.engines_up,
        )
        yield planned(
            "pre-opening",
            "out-of-sequence-record",
            "an older stock record comes after a newer one, right before the matching indicator",
            matching - timedelta(microseconds=500),
            self.out_of_sequence,
            Cited("Annex 1, section 4 a ii"),
        )
        yield planned(
            "pre-opening",
            "matching-indicator",
            "the matching indicator comes right behind it",
            matching + timedelta(milliseconds=500),
            self.matching_indicator,
            Cited("Annex 1, section 4 a ii"),
        )
        yield self._value("opening-index", "the opening index is out", OPENING)
        yield self._value("first-tick", "the first real-time index is out", FIRST_TICK)
        yield planned(
            "continuous-trading",
            "call-level",
            "the HSI reaches 20500, the call level of thirteen contracts, and is told at once",
            at(EXACT[0].at) + _OUT_WITHIN,
            self.call_level,
            Cited("Annex 2, paragraph 8"),
        )
        for anchor in EXACT:
            yield planned(
                "continuous-trading",
                f"published-{NAMES[anchor.code].casefold()}-{anchor.at:%H%M%S}",
                f"the published value of {NAMES[anchor.code]} at {anchor.at} comes out",
                at(anchor.at) + _OUT_WITHIN,
                partial(self.published_value, anchor.code, anchor.at, anchor.value_cents),
                Cited(anchor.source),
            )
        end = at(self.until) + _OUT_WITHIN
        for id, text, act in (
            ("every-tick", "every index value expected is published, each once", self.every_tick),
            (
                "snapshot-agrees",
                "every published value equals the independent computation",
                self.snapshot_agrees,
            ),
            ("engines-agree", "all three engines computed every value, alike", self.engines_agree),
            ("contingency-not-needed", "the contingency path stayed on standby", self.standby),
        ):
            yield planned("end-of-rehearsal", id, text, end, act)

    def _value(self, id: str, text: str, moment: time) -> Planned:
        return planned(
            "continuous-trading" if moment >= time(10) else "pre-opening",
            id,
            text,
            at(moment) + _OUT_WITHIN,
            partial(self.value_out, moment),
        )

    # -- pre-opening -------------------------------------------------------------------------

    async def engines_up(self) -> StepResult:
        """Every engine hears every channel and misses nothing."""
        self.system.play(at(time(9, 30)))
        follow = [name for name in ENGINES if self.system.following(name)]
        sites = ", ".join(f"{name} at {site}" for name, site in ENGINES.items())
        found = f"{len(follow)} of {len(ENGINES)} engines miss nothing: {sites}"
        facts: JsonObject = {"channels": list(self.day.channels), "bytes_sha256": self.day.digest}
        return judged(len(follow) == len(ENGINES), found, facts)

    async def out_of_sequence(self) -> StepResult:
        """The older record never sets the last price, and is not dropped in silence."""
        self.system.play(at(MATCHING) - timedelta(microseconds=500))
        journals = {
            name: [one for one in journal if one.reason is JournalReason.OUT_OF_SEQUENCE]
            for name, journal in self.system.journal.items()
        }
        told = {name: [list(one.record) for one in found] for name, found in journals.items()}
        facts: JsonObject = {"journalled": plain(told)}
        alike = all(len(found) == 1 for found in journals.values())
        found = (
            f"{len(journals)} of {len(ENGINES)} engines kept the newer price, counted the older "
            "record for high, low and volume, and wrote down why"
        )
        return judged(alike, found if alike else f"journalled differently: {told}", facts)

    async def matching_indicator(self) -> StepResult:
        """One more input in the same order: there is nobody to clash with."""
        self.system.play(at(MATCHING) + timedelta(milliseconds=500))
        heard = any(one.session == _MATCHING_STATE for one in self.system.sessions)
        follow = [name for name in ENGINES if self.system.following(name)]
        found = f"{len(follow)} of {len(ENGINES)} engines took it as one more input, none stopped"
        return judged(heard and len(follow) == len(ENGINES), found, {"engines": follow})

    # -- values ------------------------------------------------------------------------------

    async def value_out(self, moment: time) -> StepResult:
        """Both indexes of a moment are out a few seconds after it."""
        self.system.play(at(moment) + _OUT_WITHIN)
        ticks = [tick for _, tick in self.system.published if tick.at == at(moment)]
        said = ", ".join(f"{NAMES[tick.index]} {tick.value}" for tick in ticks)
        outs = [out for out, tick in self.system.published if tick.at == at(moment)]
        found = f"{said}, out at {when(max(outs))}" if outs else f"nothing for {moment} is out"
        return judged(len(ticks) == len(NAMES), found, {"values": _values(self, moment)})

    async def call_level(self) -> StepResult:
        """The crossing is in the real-time values, when it happens."""
        self.system.play(at(EXACT[0].at) + _OUT_WITHIN)
        below = [
            (out, tick)
            for out, tick in self.system.published
            if tick.index == HSI and tick.value * 100 <= CALL_LEVEL_CENTS
        ]
        if not below:
            return StepResult(StepState.FAILED, "no value at or below 20500 was published")
        out, tick = below[0]
        found = f"HSI {tick.value} of {when(tick.at)}, out at {when(out)}: the call is told at once"
        return judged(tick.at == at(EXACT[0].at), found, {"value": str(tick.value)})

    async def published_value(self, code: str, moment: time, cents: int) -> StepResult:
        """A value that the papers state, to the cent."""
        self.system.play(at(moment) + _OUT_WITHIN)
        values = [
            tick.value
            for _, tick in self.system.published
            if (tick.index, tick.at) == (code, at(moment))
        ]
        said = ", ".join(map(str, values)) or "nothing"
        found = f"{NAMES[code]} {said} at {moment}, published in 2010: {points(cents)}"
        return judged([points(cents)] == [str(value) for value in values], found)

    # -- at the end --------------------------------------------------------------------------

    async def every_tick(self) -> StepResult:
        """Each (index, time) that is expected, exactly once, unmarked, by an engine."""
        self.system.play(at(self.until) + _OUT_WITHIN)
        ticks = [tick for _, tick in self.system.published]
        counts = Counter((tick.index, time_ns_of(tick.at)) for tick in ticks)
        expected = self.day.published
        missing = missing_of(expected, counts)
        twice = sum(count > 1 for count in counts.values())
        beside = len(counts.keys() - {(one.code, one.time_ns) for one in expected})
        marked = sum(bool(tick.stale) or tick.kind is not TickKind.REAL_TIME for tick in ticks)
        facts: dict[str, Json] = {
            "expected": len(expected),
            "published": len(ticks),
            "missing": [one.told() for one in missing],
            "twice": twice,
            "not_expected": beside,
            "marked": marked,
        }
        lost = sum(len(one.moments) for one in missing)
        whole = not (lost or twice or beside or marked)
        found = (
            f"{len(counts)} of {len(expected)} values published once each; {lost} missing, "
            f"{twice} twice, {beside} not expected, {marked} marked"
        )
        return judged(whole, found, facts)

    async def snapshot_agrees(self) -> StepResult:
        """Computed once more by the other make, from its own capture and its own sum."""
        wrong = [
            f"{NAMES[tick.index]} {when(tick.at)}: {tick.value}, independently {other}"
            for _, tick in self.system.published
            if (other := self.system.other_make.values.get((tick.index, time_ns_of(tick.at))))
            != tick.value
        ]
        count = len(self.system.published)
        found = "; ".join(wrong[:3]) or f"{count} of {count} values equal, to the cent"
        return judged(not wrong and count > 0, found, {"compared": count, "differ": len(wrong)})

    async def engines_agree(self) -> StepResult:
        """Any one of them would have been enough."""
        first, *others = self.system.computed.values()
        alike = all(first == other for other in others)
        counts = {name: len(ticks) for name, ticks in self.system.computed.items()}
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        found = f"values computed: {said}; {'all alike' if alike else 'they differ'}"
        return judged(alike and len(first) == len(self.day.published), found, {"engines": counts})

    async def standby(self) -> StepResult:
        """Nobody had to send an index by e-mail."""
        kinds = Counter(type(event).__name__ for event in self.system.events)
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.items()) or "nothing to tell"
        found = f"contingency {self.system.mode}; gateway and watch had {told}"
        calm = self.system.mode is ContingencyMode.STANDBY and not kinds
        return judged(calm, found, {"events": dict(kinds)})


def _values(design: NewDesign, moment: time) -> list[Json]:
    return [
        {"index": tick.index, "value": str(tick.value), "status": tick.status.value}
        for _, tick in design.system.published
        if tick.at == at(moment)
    ]
