"""The rehearsal of an incident set up, worked and taken down, with the evidence that stays.

The day is made from a seed, one design meets it step by step on a clock that jumps, and the folder
holds what it takes to judge that: the papers, the baskets, the bytes around the moment that
mattered, every value that went out. Today's design meets it in two acts: the day as it would have
been, and as it was. Called by the ``rehearse`` command and by tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path

from attrs import define, frozen

from hkex_ops.clock import ManualClock
from hkex_ops.config.shipped import load_calendar
from hkex_ops.flows.evidence import EvidenceFolder
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
from hkex_ops_simulator.screen import Screen, row
from hkex_ops_simulator.staging import Rehearsed

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
    the end, only so much of it, in one.
    """
    until = until or (MORNING_ENDS if make is Make.OF_2010 else WHOLE_DAY)
    day = Replayed.of(seed, until)
    design = OldDesign(day, until) if make is Make.OF_2010 else NewDesign(day, until)
    clock = _ActClock(ManualClock(at(_FROM)))
    papers = papers_of(incident)
    with EvidenceFolder.create(target, identifier=incident.id, clock=clock, info=_INFO) as evidence:
        evidence.add("incident.json", _object(incident))
        evidence.add("baskets.toml", day.baskets_text)
        evidence.add("day.json", _day(day, make, seed, until))
        matching = at(MATCHING)
        around = day.between(matching - _AROUND, matching + _AROUND)
        evidence.add("around-matching.pcapng", b"".join(pcapng(around, NOTICE)))
        acts = [sorted(design.steps(), key=lambda one: one.at)]
        second: SecondAct | None = None
        if isinstance(design, NewDesign) and until == WHOLE_DAY:
            business_day = load_calendar().day(BUSINESS_DATE)
            second = SecondAct(design.system, incident, business_day, evidence)
            acts.append(list(second.steps()))
        rundown = Rundown([one.step for act in acts for one in act])
        conduct = Conduct(rundown, evidence, clock, screen.watch)
        for heading, act in zip(_ACTS, acts, strict=False):
            if second is not None:
                screen.tell("")
                screen.tell(heading)
            clock.act = ManualClock(at(_FROM))
            for one in act:
                clock.act.turn_to(max(clock.now(), one.at))
                await conduct.do(one.step, one.act)
        conduct.pass_time()
        evidence.add("published.jsonl", "".join(f"{line}\n" for line in _published(design)))
        verdict = verdict_of(rundown.states, screen.ended)
        rows = [row(event) for event in screen.ended]
        evidence.add("rundown.json", {"outcome": verdict.value, "steps": rows})
        evidence.add("rundown.txt", "\n".join(screen.lines) + "\n")
        add_summary(evidence, papers, verdict, pack_steps(rundown.states, screen.ended))
        golden = () if second is None else second.golden
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
