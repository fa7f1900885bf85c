"""The rehearsal of an incident set up, worked and taken down, with the evidence that stays.

The day is made from a seed, one design meets it step by step on a clock that jumps, and the folder
holds what it takes to judge that: the papers, the baskets, the bytes around the moment that
mattered, every value that went out. Today's design meets it in two acts: the day as it would have
been, and as it was. Called by the ``rehearse`` command and by tests.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import define, frozen

from hkex_ops.clock import ManualClock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.flows.evidence import EvidenceFolder, partial_of
from hkex_ops.flows.interrupted import BEGUN, begun_body
from hkex_ops.flows.pack import rollout_document
from hkex_ops.flows.recording import Recorder
from hkex_ops.flows.rundown import Conduct
from hkex_ops.flows.summary import add_summary, pack_steps
from hkex_ops.index.ticks import moment_of
from hkex_ops.model import Circular, Incident, JsonObject, Rollout, format_tick, plain
from hkex_ops.rundown import Rundown, verdict_of
from hkex_ops_simulator.hsil.anchors import BUSINESS_DATE
from hkex_ops_simulator.hsil.expected import points
from hkex_ops_simulator.hsil.golden import Golden
from hkex_ops_simulator.hsil.new_design import NewDesign
from hkex_ops_simulator.hsil.old_design import OldDesign
from hkex_ops_simulator.hsil.replayed import MORNING_ENDS, Replayed, at
from hkex_ops_simulator.hsil.script import MATCHING, WHOLE_DAY
from hkex_ops_simulator.hsil.second_act import SecondAct
from hkex_ops_simulator.market.capture import pcapng
from hkex_ops_simulator.market.writing import NOTICE
from hkex_ops_simulator.planning import Planned
from hkex_ops_simulator.screen import Screen, row
from hkex_ops_simulator.staging import Rehearsed, close_left, left_by_one_of

__all__ = [
    "INCIDENTS",
    "SYNTHETIC",
    "Make",
    "RehearsedIncident",
    "papers_of",
    "rehearse_incident",
]

# The incidents that can be rehearsed.
INCIDENTS = ("hsil-2010",)

_FROM = time(9, 28)

_AROUND = timedelta(seconds=30)

_ACTS = (
    "Act 1: the day as it would have been, every value out when it is due.",
    "Act 2: the day as it was, publication withheld as in 2010, worked with the tools of today.",
)

SYNTHETIC = "stocks, prices and bytes are SYNTHETIC"

_INFO = {
    "Source-Organization": "hkex-ops-simulator",
    "External-Description": f"Rehearsal of an incident; {SYNTHETIC}",
}


class Make(StrEnum):
    """Which design meets the bytes."""

    TODAY = "today"
    OF_2010 = "2010"

    @property
    def told(self) -> str:
        """What it is, for a person."""
        if self is Make.OF_2010:
            return "a toy of the three identical systems of 2010"
        return "the index system of today: three engines, and a contingency system of another make"


@frozen
class RehearsedIncident(Rehearsed):
    """A rehearsal of an incident that is over; ``golden`` values where both acts were played."""

    golden: tuple[Golden, ...] = ()


@define
class _ActClock:
    """The clock of the act that is on: the second begins the day anew."""

    act: ManualClock

    def now(self) -> datetime:
        """The present instant of the act."""
        return self.act.now()


@frozen
class _Recording:
    """The capture of the first act. Of any feed the desk would have one."""

    recorder: Recorder
    path: Path

    def whole(self) -> Path:
        """Where it is, once nothing more comes."""
        self.recorder.close()
        return self.path


async def rehearse_incident(
    incident: Incident,
    make: Make,
    target: Path,
    screen: Screen,
    *,
    seed: int,
    until: time | None = None,
) -> RehearsedIncident:
    """Let ``make`` meet the day of ``incident`` and leave the evidence in the new ``target``.

    Today's design meets the whole day, in two acts; that of 2010, or one with an ``until`` before
    the end, only so much of it, in one. Ended from outside, it closes its evidence as
    ``target.interrupted`` and lets the ending through; what a killed one left is closed so first.
    """
    papers = papers_of(incident)
    if left_by_one_of(papers, target):
        close_left(papers, target, screen, earlier=True)
    until = until or (MORNING_ENDS if make is Make.OF_2010 else WHOLE_DAY)
    staging = _Staging(incident, make, target, screen, seed, until, papers)
    try:
        return await staging.work()
    except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        if partial_of(target).is_dir():
            close_left(papers, target, screen)
        raise


@frozen
class _Staging:
    """Everything that one rehearsal needs."""

    incident: Incident
    make: Make
    target: Path
    screen: Screen
    seed: int
    until: time
    papers: Rollout

    async def work(self) -> RehearsedIncident:
        day = Replayed.of(self.seed, self.until)
        clock = _ActClock(ManualClock(at(_FROM)))
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="hkex-ops-rehearse-")))
            evidence = stack.enter_context(
                EvidenceFolder.create(
                    self.target, identifier=self.incident.id, clock=clock, info=_INFO
                )
            )
            path = folder / "day.pcapng"
            recorder = stack.enter_context(Recorder.of_one_file(path, remark=NOTICE))
            design = (
                OldDesign(day, self.until)
                if self.make is Make.OF_2010
                else NewDesign(day, self.until, recorder.record)
            )
            self._open(evidence, day)
            acts = [sorted(design.steps(), key=lambda one: one.at)]
            second: SecondAct | None = None
            if isinstance(design, NewDesign) and self.until == WHOLE_DAY:
                business_day = load_calendar().day(BUSINESS_DATE)
                capture = _Recording(recorder, path).whole
                second = SecondAct(design.system, self.incident, business_day, evidence, capture)
                acts.append(list(second.steps()))
            rundown = await self._play(acts, evidence, clock)
            lines = "".join(f"{line}\n" for line in _published(design))
            evidence.add("published.jsonl", lines)
            return self._conclude(rundown, evidence, () if second is None else second.golden)

    def _open(self, evidence: EvidenceFolder, day: Replayed) -> None:
        """What is so before the first step."""
        evidence.add("incident.json", _object(self.incident))
        evidence.add("rollout.json", rollout_document(self.papers))
        evidence.add("baskets.toml", day.baskets_text)
        evidence.add("day.json", _day(day, self.make, self.seed, self.until))
        matching = at(MATCHING)
        around = day.between(matching - _AROUND, matching + _AROUND)
        evidence.add("around-matching.pcapng", b"".join(pcapng(around, NOTICE)))

    async def _play(
        self, acts: Sequence[Sequence[Planned]], evidence: EvidenceFolder, clock: _ActClock
    ) -> Rundown:
        """Every act from the beginning of the day; whoever wants it to end is heard between two
        steps."""
        screen = self.screen
        rundown = Rundown([one.step for act in acts for one in act])
        told: JsonObject = {"seed": self.seed, "engine": self.make.value}
        evidence.record(BEGUN, begun_body(self.papers, rundown.states, told))
        conduct = Conduct(rundown, evidence, clock, screen.watch)
        for heading, act in zip(_ACTS, acts, strict=False):
            if len(acts) > 1:
                screen.tell("")
                screen.tell(heading)
            clock.act = ManualClock(at(_FROM))
            for one in act:
                clock.act.turn_to(max(clock.now(), one.at))
                await asyncio.sleep(0)
                await conduct.do(one.step, one.act)
        conduct.pass_time()
        return rundown

    def _conclude(
        self, rundown: Rundown, evidence: EvidenceFolder, golden: tuple[Golden, ...]
    ) -> RehearsedIncident:
        screen = self.screen
        verdict = verdict_of(rundown.states, screen.ended)
        rows = [row(event) for event in screen.ended]
        evidence.add("rundown.json", {"outcome": verdict.value, "steps": rows})
        evidence.add("rundown.txt", "\n".join(screen.lines) + "\n")
        add_summary(evidence, self.papers, verdict, pack_steps(rundown.states, screen.ended))
        return RehearsedIncident(verdict, rundown, evidence.close(), golden)


def papers_of(incident: Incident) -> Rollout:
    """The papers that tell of an incident, in the form that an evidence summary shows."""
    return Rollout(
        id=incident.id,
        title=incident.title,
        circulars=tuple(
            Circular(
                one.paper,
                one.name,
                one.source,
                issued=one.issued,
                issued_stated=one.issued_stated,
            )
            for one in incident.tellers
        ),
        services=(),
        audience=(),
        summary=incident.summary,
        hazards=incident.hazards,
    )


def _day(day: Replayed, make: Make, seed: int, until: time) -> JsonObject:
    return {
        "notice": NOTICE,
        "design": make.value,
        "seed": seed,
        "from": at(_FROM).isoformat(),
        "until": at(until).isoformat(),
        "channels": list(day.channels),
        "packets": len(day.deliveries),
        "compared_until": at(min(until, MORNING_ENDS)).isoformat(),
        "bytes_sha256": day.digest,
        "expected": [
            {
                "index": one.code,
                "at": moment_of(one.time_ns).isoformat(),
                "value": points(one.value_cents),
                "status": one.status,
            }
            for one in day.published
        ],
    }


def _published(design: OldDesign | NewDesign) -> Iterator[str]:
    """Every value that went out, a line of JSON each."""
    if isinstance(design, NewDesign):
        for _, tick in design.system.published:
            yield format_tick(tick)
        return
    for (code, time_ns), cents in sorted(design.disseminated().items(), key=lambda one: one[0][1]):
        moment = moment_of(time_ns).isoformat()
        yield json.dumps({"index": code, "at": moment, "value": points(cents)})


def _object(incident: Incident) -> JsonObject:
    document = plain(incident)
    assert isinstance(document, dict), "an incident's plain form is an object"
    return document
