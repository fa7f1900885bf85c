"""The rehearsal of 22 January 2010 against a toy of the design of then, step by step.

The three systems run as programs of their own when their first step is done; what is told later is
what they did, at the moment at which it would have been seen. Then the day goes on as the papers
tell: snapshots every fifteen minutes, a recovery, and a resumption with values missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import partial

from attrs import define, field

from hkex_ops.index.records import SessionRecord
from hkex_ops.index.ticks import moment_of, time_ns_of
from hkex_ops.index.watch import StocksMoved, Watch, WatchEvent
from hkex_ops.model import Json, JsonObject, plain
from hkex_ops.rundown import StepResult
from hkex_ops_simulator.desk import rehearsed
from hkex_ops_simulator.hsil.anchors import CALL_LEVEL_CENTS, EXACT, HSCEI, HSI
from hkex_ops_simulator.hsil.expected import NAMES, missing_of, points, when
from hkex_ops_simulator.hsil.judging import Cited, judged
from hkex_ops_simulator.hsil.old_systems import SYSTEMS, OldSystem, run_systems
from hkex_ops_simulator.hsil.other_make import OtherMake
from hkex_ops_simulator.hsil.replayed import RULES_OF_2010, WATCH_OF_2010, Replayed, at
from hkex_ops_simulator.hsil.script import FIRST_TICK, MATCHING, OPENING
from hkex_ops_simulator.planning import Act, Planned, planned

__all__ = ["OldDesign"]

# Source: HSIL report, sections 3 a and 3 b; Appendix 2.
_NOTICED = time(9, 52)
_DECLARED = time(10, 2)
_SNAPSHOTS = ((time(10, 15), time(10, 17)), (time(10, 30), time(10, 32)))
_RECOVERED = time(10, 27)
# Id, words, moment, what does it, and the place in the papers.
_Row = tuple[str, str, datetime, Act, str]

# When each index was disseminated again. Source: HKEx report, Appendix I.
_RESUMED = {HSI: time(10, 32, 45), HSCEI: time(10, 33)}


@define
class OldDesign:
    """The steps of the old design on ``day``, which ends at ``until``."""

    day: Replayed
    until: time
    first: tuple[OldSystem, ...] = field(default=(), init=False)
    again: tuple[OldSystem, ...] = field(default=(), init=False)
    _other_make: OtherMake = field(init=False)
    _watch: Watch = field(init=False)
    _noticed: list[WatchEvent] = field(factory=list[WatchEvent], init=False)
    _heard: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._other_make = OtherMake(self.day)
        self._watch = Watch(NAMES, WATCH_OF_2010, RULES_OF_2010)

    def steps(self) -> Iterator[Planned]:
        """Every step with its moment; the moments are not all in order."""
        for session, rows in (
            ("pre-opening", self._pre_opening()),
            ("continuous-trading", self._continuous_trading()),
            ("contingency", self._contingency()),
            ("recovery", self._recovery()),
            ("end-of-rehearsal", self._end()),
        ):
            for id, text, moment, act, place in rows:
                yield planned(session, id, text, moment, act, Cited(place))

    def _pre_opening(self) -> Iterator[_Row]:
        yield (
            "systems-up",
            "three identical systems, each with two processes that capture in parallel",
            at(time(9, 30)),
            self.systems_up,
            "Annex 1, sections 2 and 4 a i",
        )
        yield (
            "out-of-sequence-record",
            "an older stock record comes after a newer one, right before the matching indicator",
            at(MATCHING) - timedelta(microseconds=500),
            self.out_of_sequence,
            "Annex 1, section 4 a ii",
        )
        yield (
            "matching-indicator",
            "the matching indicator comes right behind it",
            at(MATCHING),
            self.matching_indicator,
            "Annex 1, section 4 a ii",
        )
        yield (
            "opening-index",
            "the opening index is out",
            at(_NOTICED),
            self.opening_index,
            "Annex 2, Appendix I",
        )

    def _continuous_trading(self) -> Iterator[_Row]:
        yield (
            "first-tick",
            "the first real-time index is out",
            at(FIRST_TICK) + timedelta(seconds=5),
            self.first_tick,
            "Annex 1, Appendix 2",
        )

    def _contingency(self) -> Iterator[_Row]:
        yield (
            "watch",
            "what somebody noticed by eye in 2010, today's watch tells",
            at(_DECLARED) - timedelta(seconds=1),
            self.watched,
            "Annex 2, Appendix I",
        )
        yield (
            "declared",
            "all three systems have the same problem; the contingency plan is triggered",
            at(_DECLARED),
            self.declared,
            "Annex 1, Appendix 2",
        )
        for moment, sent in _SNAPSHOTS:
            yield (
                f"snapshot-{moment:%H%M}",
                f"the indexes at {moment:%H:%M} are sent by e-mail",
                at(sent),
                partial(self.send_snapshot, moment),
                "Annex 1, section 3 b",
            )

    def _recovery(self) -> Iterator[_Row]:
        yield (
            "systems-restarted",
            "the systems calculate again; nothing is disseminated yet",
            at(_RECOVERED),
            self.restarted,
            "Annex 1, Appendix 2",
        )
        yield (
            "resumed",
            "dissemination resumes",
            at(_RESUMED[HSCEI]),
            self.resumed,
            "Annex 2, Appendix I",
        )

    def _end(self) -> Iterator[_Row]:
        yield (
            "call-level",
            "the HSI reaches 20500, the call level of thirteen contracts, and is told at once",
            at(self.until),
            self.call_level,
            "Annex 2, paragraph 8",
        )
        yield (
            "every-tick",
            "every index value expected is published, each once",
            at(self.until) + timedelta(seconds=5),
            self.every_tick,
            "Annex 2, paragraph 6",
        )

    # -- pre-opening -------------------------------------------------------------------------

    async def systems_up(self) -> StepResult:
        """The systems run, each on its own line, to wherever they come."""
        self.first = await run_systems(self.day, self.day.line)
        sites = ", ".join(f"{name} at {site}" for name, site, _ in SYSTEMS)
        facts: JsonObject = {"channels": list(self.day.channels), "bytes_sha256": self.day.digest}
        found = f"{len(self.first)} systems of one design: {sites}"
        return judged(len(self.first) == len(SYSTEMS), found, facts)

    async def out_of_sequence(self) -> StepResult:
        """The older record starts the out-of-sequence process, which alone is harmless."""
        begun = sum(bool(one.out_of_sequence) for one in self.first)
        found = f"{begun} of {len(self.first)} systems began the out-of-sequence process"
        return judged(begun == len(self.first), found)

    async def matching_indicator(self) -> StepResult:
        """The opening calculation begins, and meets the other process."""
        stopped = [one for one in self.first if one.stopped]
        facts: JsonObject = {"systems": [one.told() for one in self.first]}
        if not stopped:
            found = f"{len(self.first)} of {len(self.first)} systems began the opening calculation"
            return judged(True, found, facts)
        whole = "all stopped" if len(stopped) == len(self.first) else f"{len(stopped)} stopped"
        reasons = ", ".join(dict.fromkeys(one.stopped or "" for one in stopped))
        found = f"{whole}: the opening calculation found that {reasons}"
        return judged(False, found, facts)

    async def opening_index(self) -> StepResult:
        """Somebody waits for the opening index and looks at the consoles."""
        told = self._published(OPENING)
        found = f"{_said(told)} by {_NOTICED}"
        return judged(len(told) == len(NAMES), found)

    # -- continuous trading ------------------------------------------------------------------

    async def first_tick(self) -> StepResult:
        """The market has opened."""
        told = self._published(FIRST_TICK)
        note = (
            ""
            if told
            else (
                "; the paper has one value out before all stood still, and does not say "
                "how it came about: the toy has none"
            )
        )
        return judged(len(told) == len(NAMES), f"{_said(told)}{note}")

    async def watched(self) -> StepResult:
        """The watch hears what users hear, which is nothing, and prices, which move."""
        self._play_other_make(at(_DECLARED) - timedelta(seconds=1))
        told = [f"{type(event).__name__} at {when(event.at)}" for event in self._noticed]
        found = ", ".join(dict.fromkeys(told)) or "nothing out of the ordinary"
        return judged(bool(told), found, {"events": [plain(event) for event in self._noticed]})

    async def declared(self) -> StepResult:
        """A person's decision, rehearsed."""
        if not any(one.stopped for one in self.first):
            return judged(False, "no system has a problem: there is nothing to declare")
        return rehearsed("contingency mode; HKEx is told at about 10:05")

    async def send_snapshot(self, moment: time) -> StepResult:
        """The values at a moment, of the contingency system: it is another make, and it works."""
        self._play_other_make(at(moment) + timedelta(seconds=5))
        keys = {code: (code, time_ns_of(at(moment))) for code in NAMES}
        values = {code: self._other_make.values.get(key) for code, key in keys.items()}
        said = ", ".join(f"{NAMES[code]} {value}" for code, value in values.items())
        return rehearsed(f"{said}; what was sent in 2010 is not in the papers")

    # -- recovery ----------------------------------------------------------------------------

    async def restarted(self) -> StepResult:
        """The systems are started anew on the same records, without the indicator.

        What the emergency procedure was, the papers do not say.
        """
        self.again = await run_systems(self.day, self.day.without_indicator)
        stopped = [one.name for one in self.again if one.stopped]
        facts: JsonObject = {"systems": [one.told() for one in self.again]}
        found = (
            f"{len(self.again) - len(stopped)} of {len(self.again)} systems calculate, started "
            "anew without the indicator (the papers do not say how)"
        )
        return judged(not stopped, found, facts)

    async def resumed(self) -> StepResult:
        """What is disseminated first, index by index."""
        values = {
            code: self.again[0].ticks.get((code, time_ns_of(at(moment)))) if self.again else None
            for code, moment in _RESUMED.items()
        }
        said = ", ".join(
            f"{NAMES[code]} {'nothing' if cents is None else points(cents)} at {_RESUMED[code]}"
            for code, cents in values.items()
        )
        stated = {one.code: one.value_cents for one in EXACT if one.at == _RESUMED[one.code]}
        return judged(values == stated, f"{said}, as published in 2010")

    # -- at the end --------------------------------------------------------------------------

    async def call_level(self) -> StepResult:
        """The crossing fell into the silence."""
        crossing = next(
            one
            for one in self.day.published
            if one.code == HSI and one.value_cents <= CALL_LEVEL_CENTS
        )
        moment = moment_of(crossing.time_ns)
        told = (HSI, crossing.time_ns) in self.disseminated()
        found = (
            f"HSI {points(crossing.value_cents)} of {when(moment)} was "
            f"{'out at once' if told else f'not out; its day low was, at {_RESUMED[HSI]}'}"
        )
        return judged(told, found)

    async def every_tick(self) -> StepResult:
        """What is missing of the day, and for how long."""
        there = self.disseminated()
        missing = missing_of(self.day.published, there)
        lost = sum(len(one.moments) for one in missing)
        facts: dict[str, Json] = {
            "expected": len(self.day.published),
            "published": len(there),
            "missing": [one.told() for one in missing],
        }
        expected = len(self.day.published)
        found = "; ".join(map(str, missing)) if lost else f"{expected} of {expected} published"
        return judged(not lost, f"{lost} of {expected} missing: {found}" if lost else found, facts)

    # -- inside ------------------------------------------------------------------------------

    def _play_other_make(self, until: datetime) -> None:
        """Let the contingency system, and the watch beside it, hear what comes by ``until``."""
        while self._heard < len(self.day.deliveries):
            one = self.day.deliveries[self._heard]
            now = moment_of(one.time_ns)
            if now > until:
                return
            self._heard += 1
            self._other_make.look(now)
            for record in self._other_make.take(one, now):
                if isinstance(record, SessionRecord):
                    self._noticed += self._watch.handle(record, now)
            for values in self._other_make.due():
                for value in values:
                    moved = StocksMoved(value.code, self._other_make.changes_of(value.code))
                    self._noticed += self._watch.handle(moved, now)
            self._noticed += self._watch.poll(now)

    def _published(self, moment: time) -> dict[str, int]:
        """What was out for a moment, by index."""
        time_ns = time_ns_of(at(moment))
        there = self.disseminated()
        return {code: there[code, time_ns] for code in NAMES if (code, time_ns) in there}

    def disseminated(self) -> dict[tuple[str, int], int]:
        """What reached anybody by the ordinary way: of the first run, then from the resumption."""
        there: dict[tuple[str, int], int] = {}
        for one in self.first:
            there |= one.ticks
        for one in self.again:
            for (code, time_ns), cents in one.ticks.items():
                if moment_of(time_ns) >= at(_RESUMED[code]):
                    there.setdefault((code, time_ns), cents)
        return there


def _said(told: dict[str, int]) -> str:
    values = ", ".join(f"{NAMES[code]} {points(cents)}" for code, cents in told.items())
    return values or "no index value is out"
